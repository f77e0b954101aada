import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as contract from '@touchstone/contracts/data';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import type { z } from 'zod';
import { createTestDatabase, type TestDatabase } from '../../test/cluster.ts';
import { priceFile } from '../../test/market-data/import-harness.ts';
import { startTestServer, type TestServer } from '../../test/test-server.ts';
import { systemClock } from '../platform/clock/clock.ts';
import { createMarketData, registerMarketDataRoutes } from './index.ts';

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2024-01-02'), dayNumber('2024-06-28')), dayText);

let db: TestDatabase;
let server: TestServer;
let token: string;
before(async () => {
  db = await createTestDatabase();
  server = await startTestServer(db, {
    runTasks: true,
    wire: ({ serve, database, objects, tasks, secretBox }) => {
      const deps = { database, connection: db.connection, objects, tasks, secretBox, clock: systemClock };
      registerMarketDataRoutes(serve, createMarketData(deps));
    },
  });
  token = await server.tokenFor('manager', 7);
});
after(async () => {
  await server.close();
  await db.close();
});

/** Asks a route and reads its answer by the contract. */
async function ask<T extends z.ZodType>(answer: T, method: string, path: string, body?: unknown): Promise<z.output<T>> {
  const headers: Record<string, string> =
    typeof body === 'string' ? { 'content-type': 'application/octet-stream' } : {};
  const reply = await server.call(method, path, { token, body, headers });
  assert.ok(reply.status < 300, `${method} ${path}: ${reply.status} ${reply.text}`);
  return answer.parse(reply.json);
}

async function importDone(taskId: number): Promise<void> {
  for (let i = 0; i < 1200; i++) {
    const { rows } = await db.migrator.query('SELECT state, problem FROM task WHERE id = $1', [taskId]);
    if (rows[0].state === 'done') return;
    assert.ok(['queued', 'running'].includes(rows[0].state), JSON.stringify(rows[0]));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the import did not end in 120 s');
}

test('a file goes in by HTTP, and every answer about it is as its contract says', async () => {
  const upload = await ask(
    contract.uploadFile.answer!,
    'POST',
    '/data/uploads?fileName=p.csv',
    priceFile(['ABC', 'XYZ'], DAYS),
  );
  const file = { uploadId: upload.uploadId, fileName: 'p.csv' };
  await ask(contract.previewImport.answer!, 'POST', '/data/imports/preview', file);
  const { task } = await ask(contract.startImport.answer!, 'POST', '/data/imports', {
    ...file,
    source: { code: 'mine', name: 'Mine' },
    choices: { priceBasis: 'raw' },
    onBadRow: 'keep-good',
    universeName: 'All of mine',
  });
  await importDone(task.id);

  const { items: runs } = await ask(contract.listRuns.answer!, 'GET', '/data/runs');
  assert.equal(runs[0]!.acceptedCount, 2 * DAYS.length);
  await ask(contract.getRun.answer!, 'GET', `/data/runs/${runs[0]!.id}`);
  const timeline = await ask(contract.getTimeline.answer!, 'GET', '/data/timeline');
  assert.equal(timeline.publications.length, 1);
  const { items: sources } = await ask(contract.listSources.answer!, 'GET', '/data/sources');
  assert.deepEqual([sources[0]!.instrumentCount, sources[0]!.firstDay, sources[0]!.priceBasis], [2, DAYS[0], 'raw']);
  const sourceId = sources[0]!.id;
  await ask(contract.updateSource.answer!, 'PATCH', `/data/sources/${sourceId}`, {
    name: 'Ours',
    version: sources[0]!.version,
  });
  const listed = await ask(contract.listInstruments.answer!, 'GET', `/data/instruments?search=ab&sourceId=${sourceId}`);
  const id = listed.items[0]!.id;
  const change = { name: 'Alphabet Soup', sector: 'Food', version: listed.items[0]!.version };
  await ask(contract.updateInstrument.answer!, 'PATCH', `/data/instruments/${id}`, change);
  const day = DAYS[30]!;
  const bars = await ask(contract.listBars.answer!, 'GET', `/data/instruments/${id}/bars`);
  assert.deepEqual([bars.items.length, bars.deliveredBasis, bars.time.reconstructed], [DAYS.length, 'raw', true]);
  const prices = { open: 50, high: 52, low: 49, close: 51, volume: 5 };
  await ask(contract.correctBar.answer!, 'POST', '/data/corrections', {
    instrumentId: id,
    sourceId,
    day,
    ...prices,
    reason: 'Notice',
  });
  const split = { instrumentId: id, sourceId, day, kind: 'split', value: 2, reason: 'Notice' };
  await ask(contract.addCorporateAction.answer!, 'POST', '/data/corporate-actions', split);
  const whole = await ask(contract.getInstrument.answer!, 'GET', `/data/instruments/${id}`);
  assert.deepEqual([whole.corporateActions.length, whole.sources.length, whole.name], [1, 1, 'Alphabet Soup']);
  const versions = await ask(contract.listBarVersions.answer!, 'GET', `/data/instruments/${id}/bars/${day}/versions`);
  assert.deepEqual(
    versions.items.map((item) => item.revision),
    [0, 1],
  );
  await ask(contract.listCases.answer!, 'GET', '/data/cases');
  await ask(contract.listExchangeRates.answer!, 'GET', '/data/exchange-rates?base=EUR&quote=USD');
  await ask(contract.listMacroSeries.answer!, 'GET', '/data/macro?series=CPI');
  const { items: days } = await ask(
    contract.listHolidays.answer!,
    'GET',
    '/data/calendars/XNYS/holidays?from=2024-01-01&to=2024-12-31',
  );
  assert.ok(days.some((holiday) => holiday.day === '2024-11-29' && holiday.kind === 'early'));
  const before = bars.time;
  await ask(contract.retractRun.answer!, 'POST', `/data/runs/${runs[0]!.id}/retract`, { reason: 'Wrong file' });
  const left = await ask(contract.listBars.answer!, 'GET', `/data/instruments/${id}/bars`);
  assert.equal(left.items.length, 1, 'only the correction is left');
  const times = `knownAt=${before.knownAt}&recordedAt=${before.recordedAt}&asOf=${before.asOf}`;
  const past = await ask(contract.listBars.answer!, 'GET', `/data/instruments/${id}/bars?${times}`);
  assert.deepEqual({ ...past, instrument: null }, { ...bars, instrument: null });
});

test('who may only read imports nothing, and a viewer of another tenant sees nothing', async () => {
  const viewer = await server.tokenFor('viewer', 8);
  const refused = await server.call('POST', '/data/corrections', { token: viewer, body: {} });
  assert.equal(refused.status, 403);
  const runs = await server.call('GET', '/data/runs', { token: viewer });
  assert.deepEqual(runs.json.items, []);
});
