import assert from 'node:assert/strict';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { systemClock } from '../src/platform/clock/clock.ts';
import { createStages } from '../src/stages.ts';
import type { TestDatabase } from './cluster.ts';
import { inlineCompute } from './inline-compute.ts';
import { priceFile } from './market-data/import-harness.ts';
import { startTestServer, type TestServer, type TestServerOptions } from './test-server.ts';

/** Some seven months of trading days. */
export const DAYS = Array.from(tradingDays('XNYS', dayNumber('2024-01-02'), dayNumber('2024-07-31')), dayText);

type Json = Record<string, unknown>;

/** The server with all its stages, and short words for what tests do with it over HTTP. */
export type ProductServer = TestServer & {
  /** A call that must succeed; its JSON. */
  must(token: string, method: string, path: string, body?: unknown): Promise<Json>;
  /** Waits for the task an answer names; the task. */
  done(token: string, answer: Json): Promise<Json>;
  /** Imports made-up bars of some symbols under a source and a universe of one name; gives their numbers. */
  importPrices(
    token: string,
    name: string,
    symbols: readonly string[],
    change?: (row: string[]) => string[],
  ): Promise<{ sourceId: number; universeId: number; runId: number; instrumentIds: number[] }>;
};

export async function startProductServer(
  db: TestDatabase,
  also?: (parts: Parameters<NonNullable<TestServerOptions['wire']>>[0]) => void,
  runTasks = true,
): Promise<ProductServer> {
  const server = await startTestServer(db, {
    runTasks,
    wire(parts) {
      const { serve, ...rest } = parts;
      createStages({
        ...rest,
        ...{ connection: db.connection, compute: inlineCompute, clock: systemClock, codeVersion: 'test' },
      }).registerRoutes(serve);
      also?.(parts);
    },
  });

  async function must(token: string, method: string, path: string, body?: unknown): Promise<Json> {
    const headers: Record<string, string> =
      typeof body === 'string' ? { 'content-type': 'application/octet-stream' } : {};
    const reply = await server.call(method, path, { token, body, headers });
    assert.ok(reply.status < 300, `${method} ${path}: ${reply.status} ${reply.text}`);
    return reply.json;
  }

  async function done(token: string, answer: Json): Promise<Json> {
    const { id } = Object(answer.task);
    const deadline = performance.now() + 120_000;
    for (;;) {
      const task = await must(token, 'GET', `/tasks/${id}`);
      if (task.state === 'done') return task;
      assert.ok(['queued', 'running'].includes(String(task.state)), JSON.stringify(task));
      assert.ok(performance.now() < deadline, `task ${id} is still ${task.state}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  return {
    ...{ ...server, must, done },
    async importPrices(token, name, symbols, change) {
      const upload = await must(
        token,
        'POST',
        `/data/uploads?fileName=${name}.csv`,
        priceFile([...symbols], DAYS, change),
      );
      const imported = await must(token, 'POST', '/data/imports', {
        ...{ uploadId: upload.uploadId, fileName: `${name}.csv`, source: { code: name, name } },
        ...{ choices: { priceBasis: 'raw' }, onBadRow: 'keep-good', universeName: name },
      });
      const task = await done(token, imported);
      const universes = itemsOf(await must(token, 'GET', '/universes?limit=500'));
      const universe = universes.find((each) => each.name === name);
      const instruments = itemsOf(await must(token, 'GET', '/data/instruments?limit=500'));
      return {
        ...{ sourceId: Number(universe?.sourceId), universeId: Number(universe?.id) },
        runId: Number(Object(task.result).runId),
        instrumentIds: symbols.map((symbol) => Number(instruments.find((each) => each.symbol === symbol)?.id)),
      };
    },
  };
}

export function itemsOf(answer: Json): Json[] {
  assert.ok(Array.isArray(answer.items), JSON.stringify(answer));
  return answer.items;
}
