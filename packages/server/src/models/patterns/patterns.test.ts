import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getPatterns } from '@touchstone/contracts/patterns';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { plantPatterns } from '@touchstone/quant/simulate/pattern-injector';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { firstOf, must, startWholeServer, taskDone } from '../../../test/edges/whole-server.ts';
import type { TestServer } from '../../../test/test-server.ts';

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2016-01-04'), dayNumber('2018-12-31')), dayText);
const SEEDS = [0, 1, 2];
const SYMBOLS = SEEDS.map((seed) => `PLANT${seed}`);

let db: TestDatabase;
let server: TestServer;
let token = '';
let universeId = 0;
const ids = new Map<string, number>();
before(async () => {
  db = await createTestDatabase();
  server = await startWholeServer(db, { runTasks: true });
  const made = await server.call('POST', '/auth/owner', {
    body: {
      ...{ email: 'owner@example.org', password: 'a password of some length' },
      ...{ displayName: 'Owner', tenantName: 'Home', asProgram: true },
    },
  });
  token = String(made.json.accessToken);
  const upload = await call('POST', '/data/uploads?fileName=planted.csv', plantedFile());
  const started = await call('POST', '/data/imports', {
    ...{ uploadId: upload.uploadId, fileName: 'planted.csv', source: { code: 'planted', name: 'planted' } },
    ...{ choices: { priceBasis: 'total_return' }, onBadRow: 'keep-good', universeName: 'planted' },
  });
  await taskDone(server, token, started);
  universeId = Number(firstOf(await call('GET', '/universes')).id);
  const { items } = await call('GET', '/data/instruments');
  assert.ok(Array.isArray(items));
  for (const { symbol, id } of items) ids.set(symbol, id);
});
after(async () => {
  await server.close();
  await db.close();
});

const call = (method: string, path: string, body?: unknown) => must(server, token, method, path, body);
const read = async (symbol: string, query = '') =>
  getPatterns.answer!.parse(await call('GET', `/market/instrument/${ids.get(symbol)}/patterns${query}`));

/** Planted closes, and a flat, a short one; ranges around the closes that make candles of many kinds. */
function plantedFile(): string {
  const lines = ['date,symbol,open,high,low,close,volume'];
  const write = (symbol: string, day: string, close: number, before: number) => {
    const open = before + 0.3 * (close - before);
    const [high, low] = [1.002 * Math.max(open, close), 0.998 * Math.min(open, close)];
    lines.push(
      `${[day, symbol, open, high, low, close].map((x) => (typeof x === 'number' ? x.toFixed(5) : x)).join()},1000`,
    );
  };
  SEEDS.forEach((seed, k) => {
    const { close } = plantPatterns(seed, 'easy');
    DAYS.forEach((day, t) => {
      write(SYMBOLS[k]!, day, close[t]!, close[Math.max(0, t - 1)]!);
    });
  });
  for (const day of DAYS.slice(0, 30)) write('SHORT', day, 50 + 0.01 * Number(day.slice(8)), 50);
  for (const day of DAYS.slice(0, 200)) lines.push(`${day},FLAT,20,20,20,20,1000`);
  return `${lines.join('\n')}\n`;
}

test('a planted pattern comes with its line, its points, and the record of its kind', async () => {
  const { plants } = plantPatterns(0, 'easy');
  const answer = await read('PLANT0', '?days=2520&strictness=strict');
  let found = 0;
  for (const plant of plants.filter(({ end }) => end + 6 < DAYS.length)) {
    const mark = answer.patterns.find(
      ({ kind, confirmationDay }) =>
        kind === plant.kind &&
        confirmationDay >= DAYS[plant.pivots.at(-1)!]! &&
        confirmationDay <= DAYS[plant.end + 5]!,
    );
    if (mark === undefined) continue;
    found += 1;
    assert.equal(mark.direction, plant.direction === 1 ? 'up' : 'down');
    assert.ok(mark.points.length >= 3 && mark.points[0]!.day === mark.firstDay);
    assert.equal(mark.lines[0]!.to.day, mark.confirmationDay);
    assert.equal(mark.record.kind, mark.kind);
    assert.ok(mark.record.sentence.length > 20);
  }
  assert.ok(found >= 2, `${found} found`);
  assert.equal(answer.scope.universeId, universeId);
  assert.equal(answer.scope.usedCount, 5);
  assert.equal(answer.reasons.patterns, null);
});

test('candles go through the same measure: rate, lift, interval and adjusted p of those with cases enough', async () => {
  const { candles, records } = await read('PLANT1');
  assert.ok(candles.length > 0);
  const measured = records.filter(({ family, pValue }) => family === 'candle' && pValue !== null);
  assert.ok(measured.length > 3, String(measured.length));
  for (const record of measured) {
    assert.ok(Math.abs(record.difference! - (record.baseRate! - record.unconditionalRate!)) < 1e-12);
    assert.ok(record.low! <= record.high! && record.adjustedP! >= record.pValue!);
    assert.equal(record.isTold, record.adjustedP! <= 0.05);
    assert.match(record.sentence, record.isTold ? /more than chance/ : /cannot be told from nothing/);
  }
  const rare = records.find(({ pValue, sampleCount }) => pValue === null && sampleCount > 0);
  assert.equal(rare?.reason?.code, 'too_little_history');
});

test('as of an earlier day nothing is known of what came after it: marks, outcomes and hash are of that day', async () => {
  const asOf = DAYS[500]!;
  const then = await read('PLANT0', `?days=2520&strictness=strict&asOf=${asOf}&knownAt=${asOf}T23:00:00Z`);
  const now = await read('PLANT0', '?days=2520&strictness=strict');
  assert.equal(then.time.asOf, asOf);
  assert.ok([...then.patterns, ...then.candles].every(({ confirmationDay }) => confirmationDay <= asOf));
  assert.deepEqual(
    then.patterns.map(({ kind, firstDay, confirmationDay }) => ({ kind, firstDay, confirmationDay })),
    now.patterns
      .filter(({ confirmationDay }) => confirmationDay <= asOf)
      .map(({ kind, firstDay, confirmationDay }) => ({ kind, firstDay, confirmationDay })),
  );
  assert.notEqual(then.lineage.dataSha256, now.lineage.dataSha256);
  const cases = (answer: typeof now) => answer.records.reduce((sum, { sampleCount }) => sum + sampleCount, 0);
  assert.ok(cases(then) < cases(now));
  assert.deepEqual(await read('PLANT0', `?days=2520&strictness=strict&asOf=${asOf}&knownAt=${asOf}T23:00:00Z`), then);
});

test('too little history and constant prices are named reasons, and an unknown instrument does not exist', async () => {
  const short = await read('SHORT');
  assert.equal(short.reasons.patterns?.code, 'too_little_history');
  assert.equal(short.reasons.changePoints?.code, 'too_little_history');
  assert.deepEqual(short.patterns, []);
  const flat = await read('FLAT');
  assert.equal(flat.reasons.patterns?.code, 'constant_prices');
  assert.deepEqual(flat.changePoints, []);
  for (const path of ['/market/instrument/2000000000/patterns', '/market/index/2000000000/patterns'])
    assert.equal((await server.call('GET', path, { token })).json.code, 'NOT_FOUND');
  const bad = await server.call('GET', `/market/instrument/${ids.get('FLAT')}/patterns?horizonDays=0`, { token });
  assert.equal(bad.json.code, 'INVALID_REQUEST');
});

test('an index has patterns of its levels, measured on its universe, and no candles', async () => {
  const index = await call('POST', '/indexes', { name: 'planted index', universeId, method: 'equal_weight' });
  await taskDone(server, token, await call('POST', `/indexes/${index.id}/runs`, {}));
  const answer = getPatterns.answer!.parse(await call('GET', `/market/index/${index.id}/patterns?days=2520`));
  assert.equal(answer.subject.kind, 'index');
  assert.equal(answer.scope.universeId, universeId);
  assert.equal(answer.reasons.candles?.code, 'no_range');
  assert.deepEqual(answer.candles, []);
});

test('a synthetic dataset carries its mark and facts, is the same for the same seed, and no evaluation takes it', async () => {
  const { sha256 } = await call('POST', '/datasets', { universeId });
  const made = new Map<string, Record<string, unknown>>();
  for (const generator of ['stationary-bootstrap', 'garch-t', 'regime-switching', 'crash-injection']) {
    const dataset = await call('POST', `/datasets/${sha256}/augment`, { generator, seed: 7 });
    assert.equal(dataset.kind, 'synthetic');
    const mark = Object(dataset.synthetic);
    assert.deepEqual([mark.generator, mark.seed, mark.parentSha256], [generator, 7, sha256]);
    assert.equal(mark.facts.length, 7);
    assert.ok(mark.factsWithin <= mark.factsMeasured);
    made.set(generator, dataset);
  }
  assert.equal(new Set([...made.values()].map((dataset) => dataset.sha256)).size, 4);
  const body = { generator: 'garch-t', seed: 7 };
  const again = await call('POST', `/datasets/${sha256}/augment`, body);
  assert.deepEqual(again, made.get('garch-t'));
  assert.equal((await call('GET', `/datasets/${sha256}`)).synthetic, null);

  const synthetic = String(again.sha256);
  const refused = await server.call('POST', `/datasets/${synthetic}/augment`, { token, body });
  assert.deepEqual([refused.status, refused.json.code], [422, 'SYNTHETIC_REFUSED']);
  const { tenantId } = await call('GET', `/universes/${universeId}`);
  const principal = { tenantId: Number(tenantId), actorId: null };
  const { insertTrial } = await import('../index.ts');
  const trial = {
    ...{ kind: 'index-run', name: 'cheat', parameters: {}, datasetSha256: synthetic, codeVersion: 'test', seed: 1 },
    ...{ outcome: 'finished' as const, result: {} },
  };
  await assert.rejects(
    db.database.transaction(principal, (tx) => insertTrial(tx, trial)),
    { code: 'SYNTHETIC_REFUSED' },
  );
  // Who goes around the code is stopped by the table.
  await assert.rejects(
    db.database.transaction(principal, (tx) =>
      tx.query
        .insertInto('trial')
        .values({
          ...{ tenant_id: principal.tenantId, kind: 'x', name: 'x', parameters: '{}', parameters_sha256: 'x' },
          ...{ dataset_sha256: synthetic, code_version: 'x', outcome: 'finished' },
        })
        .execute(),
    ),
    /nothing is evaluated on it/,
  );
  assert.equal(
    (await db.database.transaction(principal, (tx) => insertTrial(tx, { ...trial, datasetSha256: String(sha256) }))) >
      0,
    true,
  );
});
