import assert from 'node:assert/strict';
import path from 'node:path';
import type { Route } from '@touchstone/contracts/route';
import { ALL_ROUTES } from '@touchstone/contracts/routes';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { insertAutoml } from '../src/models/automl/automl.repository.ts';
import { raiseAlert } from '../src/platform/alerts/alerts.ts';
import { systemClock } from '../src/platform/clock/clock.ts';
import { SYSTEM_PRINCIPAL } from '../src/platform/database/database.ts';
import { watchStatements } from '../src/platform/database/statements.ts';
import { createFolderStore } from '../src/platform/object-store/object-store.ts';
import { addSlowRuns } from '../src/platform/telemetry/query-log.repository.ts';
import { createStages } from '../src/stages.ts';
import { createTestDatabase } from './cluster.ts';
import { inlineCompute } from './inline-compute.ts';
import { priceFile } from './market-data/import-harness.ts';
import { fillModels } from './models/fill-models.ts';
import { startTestServer, type TestServer } from './test-server.ts';

// How many SQL statements a route asks, with few and with many instruments. Statements are told apart by the trace of the
// request that asked them, so background work does not count.

export const FEW = 5;
export const MANY = 50;

export type RouteCount = { id: string; path: string; few: number; many: number };
export type StatementCounts = {
  counts: RouteCount[];
  /** Routes that could not be asked, each with the reason. */
  left: { id: string; reason: string }[];
};

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2024-01-02'), dayNumber('2024-06-28')), dayText);

/** Whether a caller still may is looked up now and then, not with every request; the same for everybody. */
const OF_CALLER = /touchstone_(?:find_\w+|has_owner)/;

/** What a tenant owns, by the names of parameters in paths. */
type Belongings = Record<string, string>;
type Asked = { status: number; statements: string[] };

export async function countStatements(): Promise<StatementCounts> {
  const db = await createTestDatabase();
  const server = await startTestServer(db, {
    runTasks: true,
    wire: ({ serve, ...parts }) =>
      createStages({
        ...parts,
        ...{ connection: db.connection, compute: inlineCompute, clock: systemClock, codeVersion: 'test' },
      }).registerRoutes(serve),
  });
  const seen = new Map<string, string[]>();
  const stop = watchStatements(server.database.pool, ({ text, trace }) => {
    if (trace !== null && !OF_CALLER.test(text)) seen.set(trace.traceId, [...(seen.get(trace.traceId) ?? []), text]);
  });
  const slowQueryId = await db.database.transaction(
    SYSTEM_PRINCIPAL,
    async (tx) => (await addSlowRuns(tx, { fingerprint: 'f'.repeat(64), text: 'SELECT $1', durationsMs: [200] })).id,
  );
  const ask = async (token: string, path: string): Promise<Asked> => {
    const reply = await server.call('GET', path, { token });
    const traceId = reply.headers.get('x-request-id') ?? '';
    return { status: reply.status, statements: seen.get(traceId) ?? [] };
  };
  try {
    // The first tenant only fills what is kept for all; the other two then start alike.
    const tenants: { token: string; has: Belongings }[] = [];
    for (const [tenantId, count] of [
      [11, FEW],
      [12, FEW],
      [13, MANY],
    ] as const) {
      const token = await server.tokenFor('owner', tenantId);
      const has = await own(server, token, tenantId, count);
      tenants.push({ token, has: { ...has, queryId: String(slowQueryId) } });
    }
    const [warm, few, many] = tenants;
    const counts: RouteCount[] = [];
    const left: StatementCounts['left'] = [];
    for (const route of ALL_ROUTES.filter(({ method }) => method === 'GET')) {
      const path = pathOf(route, few!.has);
      if (path === null) {
        left.push({
          id: route.id,
          reason: route.gives === 'events' ? 'a stream without an end' : `${route.path} names what is not made here`,
        });
        continue;
      }
      await ask(warm!.token, pathOf(route, warm!.has)!);
      const ofFew = await ask(few!.token, path);
      const ofMany = await ask(many!.token, pathOf(route, many!.has)!);
      if (ofFew.status !== 200 || ofMany.status !== 200) {
        left.push({ id: route.id, reason: `it answers ${ofFew.status} and ${ofMany.status}` });
        continue;
      }
      counts.push({ id: route.id, path: route.path, few: ofFew.statements.length, many: ofMany.statements.length });
    }
    return { counts, left };
  } finally {
    stop();
    await server.close();
    await db.close();
  }
}

/** Everything a path can name, for a tenant with so many instruments; made by the front door. */
async function own(server: TestServer, token: string, tenantId: number, count: number): Promise<Belongings> {
  const must = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const headers: Record<string, string> =
      typeof body === 'string' ? { 'content-type': 'application/octet-stream' } : {};
    const reply = await server.call(method, path, { token, body, headers });
    assert.ok(reply.status < 300, `${method} ${path}: ${reply.status} ${reply.text}`);
    return reply.json;
  };
  const first = async (path: string): Promise<Record<string, unknown>> => {
    const { items } = await must('GET', path);
    assert.ok(Array.isArray(items) && items.length > 0, `${path} has items`);
    return items[0];
  };
  const done = async (answer: Record<string, unknown>): Promise<number> => {
    const { id } = Object(answer.task);
    for (let attempt = 0; attempt < 1_200; attempt++) {
      const task = await must('GET', `/tasks/${id}`);
      if (task.state === 'done') return id;
      assert.ok(['queued', 'running'].includes(String(task.state)), JSON.stringify(task));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`task ${id} did not end in a minute`);
  };
  const code = `files-${tenantId}`;
  const symbols = Array.from({ length: count }, (_, i) => `S${tenantId}X${i}`);
  // One bar of every instrument is ten times its neighbours, so that cases grow with the instruments as well.
  const file = priceFile(symbols, DAYS, (row) =>
    row[0] === DAYS[60] ? row.map((field, i) => (i >= 2 && i <= 5 ? String(Number(field) * 10) : field)) : row,
  );
  const upload = await must('POST', `/data/uploads?fileName=${code}.csv`, file);
  const imported = await must('POST', '/data/imports', {
    ...{ uploadId: upload.uploadId, fileName: `${code}.csv`, source: { code, name: code } },
    ...{ choices: { priceBasis: 'raw' }, onBadRow: 'keep-good', universeName: code },
  });
  const taskId = await done(imported);
  const instrument = await first('/data/instruments');
  const universe = await first('/universes');
  const index = await must('POST', '/indexes', {
    ...{ name: code, universeId: universe.id, method: 'equal_weight', benchmarkInstrumentId: instrument.id },
  });
  await done(await must('POST', `/indexes/${index.id}/runs`, {}));
  const dataset = await must('POST', '/datasets', { universeId: universe.id });
  const other = await must('POST', '/datasets', { universeId: universe.id, from: DAYS[10] });
  await must('POST', '/schedules', {
    ...{ kind: 'index-run', title: code, cron: '0 3 1 1 *', input: { indexId: index.id }, enabled: true },
  });
  for (let i = 0; i < count; i++) {
    await server.database.transaction({ tenantId, actorId: null }, (tx) =>
      raiseAlert(tx, {
        ...{ kind: 'data.stale', severity: 'info', title: 'Old', detail: '', subjectKind: 'universe', subjectId: i },
        sameAs: String(i),
      }),
    );
  }
  const objects = createFolderStore(path.join(server.home, 'objects'));
  const models = Array.from({ length: count / FEW }, (_, i) => ({ model: `model-${i}`, mark: code }));
  let trainingRunId = 0;
  for (const model of models)
    trainingRunId = (await fillModels({ database: server.database, objects }, tenantId, model)).runId;
  const automlId = await server.database.transaction({ tenantId, actorId: null }, (tx) =>
    insertAutoml(tx, {
      ...{ universeTenantId: tenantId, universeId: Number(universe.id), taskId: Number(taskId) },
      settings: {
        ...{ target: 'drawdown_touch', families: ['linear'], seed: 1, seconds: 60, effort: 'quick' },
        ...{ asOf: '2024-07-31', knownAt: '2024-07-31T21:00:00.000Z', recordedAt: '2024-07-31T21:00:00.000Z' },
      },
    }),
  );
  return {
    automlId: String(automlId),
    ...{ model: 'model-0', version: '1', trainingRunId: String(trainingRunId) },
    ...{ instrumentId: String(instrument.id), universeId: String(universe.id), indexId: String(index.id) },
    ...{ sourceId: String((await first('/data/sources')).id), runId: String((await first('/data/runs')).id) },
    ...{ caseId: String((await first('/data/cases')).id), taskId: String(taskId), day: DAYS[20]!, calendar: 'XNYS' },
    ...{ kind: 'index', id: String(index.id) },
    ...{ sha256: String(dataset.sha256), otherSha256: String(other.sha256) },
    alertId: String((await first('/alerts')).id),
  };
}

/** Queries that a route cannot be asked without. */
const QUERIES: Record<string, string> = {
  listHolidays: '?from=2024-01-01&to=2024-12-31',
  listExchangeRates: '?base=EUR&quote=USD',
  listMacroSeries: '?series=CPI',
  listInstruments: '?limit=500',
  listCases: '?limit=500',
  listAlerts: '?limit=500',
  downloadRunArtefact: '?name=note.txt',
  getRunMetric: '?name=loss',
};

/** Null when the path names something nobody has here, or the answer never ends. */
function pathOf(route: Route, has: Belongings): string | null {
  if (route.gives === 'events') return null;
  const names = [...route.path.matchAll(/:(\w+)/g)].map((match) => match[1]!);
  if (names.some((name) => has[name] === undefined)) return null;
  return route.path.replace(/:(\w+)/g, (_, name: string) => has[name]!) + (QUERIES[route.id] ?? '');
}

// As a program it prints the counts: a benchmark must not import a test.
if (import.meta.main) console.log(JSON.stringify(await countStatements()));
