import assert from 'node:assert/strict';
import path from 'node:path';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { systemClock } from '../../src/platform/clock/clock.ts';
import { createFolderStore } from '../../src/platform/object-store/object-store.ts';
import { createStages, type StageParts } from '../../src/stages.ts';
import type { TestDatabase } from '../cluster.ts';
import { inlineCompute } from '../inline-compute.ts';
import { priceFile } from '../market-data/import-harness.ts';
import { fillModels } from '../models/fill-models.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../test-server.ts';

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2024-01-02'), dayNumber('2024-09-30')), dayText);
/** A day of every instrument, and one whose bar is ten times its neighbours. */
export const DAY = DAYS[30]!;
export const BAD_DAY = DAYS[100]!;

/** What a test may say about the stages: where vendors are, how the owner of the tables is reached. */
type WholeOptions = TestServerOptions & { stages?: Pick<Partial<StageParts>, 'twelveDataUrl' | 'keeping'> };

/** The server with every stage wired, as `main.ts` does it. */
export function startWholeServer(db: TestDatabase, options: WholeOptions = {}): Promise<TestServer> {
  let stages: ReturnType<typeof createStages> | undefined;
  return startTestServer(db, {
    wires: ({ serveWire }) => stages?.registerWires(serveWire),
    ...options,
    wire: (parts) => {
      const { serve, ...rest } = parts;
      stages = createStages({
        ...rest,
        ...{ connection: db.connection, compute: inlineCompute, clock: systemClock, codeVersion: 'test' },
        ...options.stages,
      });
      stages.registerRoutes(serve);
      options.wire?.(parts);
    },
  });
}

/** A call that must succeed; its JSON. */
export async function must(
  server: TestServer,
  token: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const headers: Record<string, string> =
    typeof body === 'string' ? { 'content-type': 'application/octet-stream' } : {};
  const reply = await server.call(method, path, { token, body, headers });
  assert.ok(reply.status < 300, `${method} ${path}: ${reply.status} ${reply.text}`);
  return reply.json;
}

export function firstOf(answer: Record<string, unknown>): Record<string, unknown> {
  assert.ok(Array.isArray(answer.items) && answer.items.length > 0, `has items: ${JSON.stringify(answer)}`);
  return answer.items[0];
}

/** Waits for the task an answer names. */
export async function taskDone(server: TestServer, token: string, answer: Record<string, unknown>): Promise<number> {
  const { id } = Object(answer.task);
  for (let attempt = 0; attempt < 2400; attempt++) {
    const task = await must(server, token, 'GET', `/tasks/${id}`);
    if (task.state === 'done') return id;
    assert.ok(['queued', 'running'].includes(String(task.state)), JSON.stringify(task));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`task ${id} did not end in 120 s`);
}

/** What a tenant has, by the values that stand in paths, queries and bodies. */
export type Belongings = {
  token: string;
  uploadId: string;
  sourceId: number;
  instrumentId: number;
  runId: number;
  caseId: number;
  universeId: number;
  indexId: number;
  datasetSha256: string;
  taskId: number;
  scheduleId: number;
  /** A model with a champion, and the training run it came from. */
  model: string;
  trainingRunId: number;
};

/** Gives a tenant one of everything, by the front door. The server must run tasks. */
export async function fillTenant(server: TestServer, token: string, mark: string): Promise<Belongings> {
  const call = (method: string, path: string, body?: unknown) => must(server, token, method, path, body);
  const symbols = ['ONE', 'TWO', 'SIX'].map((word) => `${mark.toUpperCase()}${word}`);
  const file = priceFile(symbols, DAYS, (row) =>
    row[0] === BAD_DAY && row[1] === symbols[0]
      ? row.map((field, i) => (i >= 2 && i <= 5 ? String(Number(field) * 10) : field))
      : row,
  );
  const upload = await call('POST', `/data/uploads?fileName=${mark}.csv`, file);
  const imported = await call('POST', '/data/imports', {
    ...{ uploadId: upload.uploadId, fileName: `${mark}.csv`, source: { code: mark, name: mark } },
    ...{ choices: { priceBasis: 'raw' }, onBadRow: 'keep-good', universeName: mark },
  });
  const taskId = await taskDone(server, token, imported);
  const instrument = firstOf(await call('GET', '/data/instruments'));
  const universe = firstOf(await call('GET', '/universes'));
  const index = await call('POST', '/indexes', {
    ...{ name: mark, description: mark, universeId: universe.id, method: 'equal_weight' },
    benchmarkInstrumentId: instrument.id,
  });
  await taskDone(server, token, await call('POST', `/indexes/${index.id}/runs`, {}));
  const dataset = await call('POST', '/datasets', { universeId: universe.id });
  const schedule = await call('POST', '/schedules', {
    ...{ kind: 'index-run', title: mark, cron: '0 3 1 1 *', input: { indexId: index.id }, enabled: true },
  });
  const model = `model-${mark.length}`;
  const objects = createFolderStore(path.join(server.home, 'objects'));
  const { runId: trainingRunId } = await fillModels(
    { database: server.database, objects },
    Number(instrument.tenantId),
    { model, mark },
  );
  return {
    ...{ model, trainingRunId },
    ...{ token, taskId, uploadId: String(upload.uploadId), indexId: Number(index.id) },
    ...{ instrumentId: Number(instrument.id), universeId: Number(universe.id) },
    sourceId: Number(firstOf(await call('GET', '/data/sources')).id),
    runId: Number(firstOf(await call('GET', '/data/runs')).id),
    caseId: Number(firstOf(await call('GET', '/data/cases')).id),
    datasetSha256: String(dataset.sha256),
    scheduleId: Number(schedule.id),
  };
}
