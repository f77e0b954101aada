import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { importPreview } from '@touchstone/contracts/data';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { createImportHarness, gzip, type ImportHarness, priceFile } from '../../../test/market-data/import-harness.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import { createBarsService } from '../bars/bars.service.ts';
import { createCasesService } from '../cases/cases.service.ts';
import { createCorrectionsService } from '../corrections/corrections.service.ts';
import { createExchangeRatesService } from '../exchange-rates/exchange-rates.service.ts';
import { verifyContents } from '../facts/fact-tables.ts';
import { createInstrumentsService } from '../instruments/instruments.service.ts';
import { createMacroService } from '../macro/macro.service.ts';
import { createRunsService } from '../runs/runs.service.ts';
import { createSourcesService } from '../sources/sources.service.ts';
import { createTimelineService } from '../timeline/timeline.service.ts';

const DATA = process.env.TOUCHSTONE_DATA ?? path.join(import.meta.dirname, '../../../../../../shared/data');

let harness: ImportHarness;
before(async () => {
  harness = await createImportHarness();
});
after(() => harness.close());

const demo = path.join(DATA, 'equities/demo_us_stocks_daily_2006_2017_cc0.csv.gz');
test('the demo file of 95,582 bars imports whole, and a second time changes nothing', {
  skip: existsSync(demo) ? false : `${demo} is not there`,
}, async (t) => {
  const { seven } = harness;
  const content = await readFile(demo);
  const started = performance.now();
  const first = await harness.import(seven, content, { fileName: 'demo.csv.gz', universeName: 'Demo' });
  t.diagnostic(`${JSON.stringify(first)} in ${Math.round(performance.now() - started)} ms`);
  assert.equal(first.rowCount, 95_582);
  assert.equal(Number(first.acceptedCount) + Number(first.quarantinedCount), 95_582);
  assert.equal(await harness.count('price_observation'), first.acceptedCount);
  const again = performance.now();
  const second = await harness.import(seven, content, { fileName: 'demo.csv.gz' });
  t.diagnostic(`${JSON.stringify(second)} in ${Math.round(performance.now() - again)} ms`);
  assert.equal(second.unchangedCount, 95_582);
  assert.equal(second.caseCount, 0);
  assert.equal(second.publishedCount, 0);
  const verdict = await harness.db.database.transaction(seven, (tx) => verifyContents(tx));
  assert.deepEqual(verdict, { runs: 2, mismatches: [] });
});

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2024-01-02'), dayNumber('2024-06-28')), dayText);

test('a malformed row is named by file, line, column and rule, and the good rows are kept', async () => {
  const text = priceFile(['AAA', 'BBB'], DAYS).replace(/^(2024-01-04,AAA,[^,]+,[^,]+,[^,]+),[^,]+/m, '$1,abc');
  const result = await harness.import(harness.seven, text, { code: 'malformed', fileName: 'bad.csv' });
  assert.equal(result.errorCount, 1);
  assert.equal(result.acceptedCount, 2 * DAYS.length - 1);
  const run = await createRunsService(harness.db.database).get(harness.seven, Number(result.runId));
  assert.deepEqual(run.errors, [
    { file: 'bad.csv', line: 4, column: 'close', rule: "a price must be a number; found 'abc'." },
  ]);
});

test('with refuse-file one malformed row refuses the file and nothing of it is published', async () => {
  const before = await harness.count('price_observation');
  const text = priceFile(['CCC'], DAYS).replace('2024-01-04', '2024-13-04');
  await assert.rejects(
    harness.import(harness.seven, text, { code: 'strict', onBadRow: 'refuse-file' }),
    (error) =>
      error instanceof ProblemError && error.code === 'FILE_REFUSED' && /line 4, column date/.test(error.message),
  );
  assert.equal(await harness.count('price_observation'), before);
  assert.equal(await harness.count("ingest_run WHERE state = 'refused' AND note LIKE '%line 4%'"), 1);
  assert.equal(await harness.count("instrument WHERE symbol = 'CCC'"), 0);
  assert.equal(await harness.count("pg_tables WHERE schemaname = 'staging'"), 0);
});

test('an empty, binary, cut off or absent file is refused with a sentence', async () => {
  const whole = gzip(priceFile(['DDD'], DAYS));
  for (const [content, sentence] of [
    ['', /empty/],
    [Buffer.from([0, 1, 2, 3, 0, 0, 255, 254, 0, 9]), /./],
    [whole.subarray(0, whole.length >> 1), /./],
    ['date,symbol,open,high,low,close,volume\n', /no rows/],
  ] as const) {
    await assert.rejects(
      harness.import(harness.seven, content, { code: 'broken' }),
      (error) => error instanceof ProblemError && error.code === 'FILE_REFUSED' && sentence.test(error.message),
    );
  }
  const nobody = {
    uploadId: 'a'.repeat(64),
    fileName: 'x.csv',
    kind: 'prices',
    source: { code: 'x' },
    choices: {},
    onBadRow: 'keep-good',
  } as const;
  await assert.rejects(harness.service.accept(harness.seven, nobody), /There is no upload/);
});

test('a symbol longer than a symbol may be refuses the file', async () => {
  const text = priceFile(['A'.repeat(40)], DAYS);
  await assert.rejects(harness.import(harness.seven, text, { code: 'long' }), /at most 32 characters/);
});

test('a file that does not say its basis is refused until somebody says it, and a source keeps one basis', async () => {
  const text = priceFile(['EEE'], DAYS);
  await assert.rejects(
    harness.import(harness.seven, text, { code: 'basis', choices: {} }),
    /Say so: raw, split_adjusted/,
  );
  await harness.import(harness.seven, text, { code: 'basis', choices: { priceBasis: 'raw' } });
  await assert.rejects(
    harness.import(harness.seven, text, { code: 'basis', choices: { priceBasis: 'total_return' } }),
    /are raw, this file's are total return. Import it under another source/,
  );
});

test('a changed row is a revision known from its import on; the rest is unchanged', async () => {
  const { seven, db } = harness;
  const first = await harness.import(seven, priceFile(['FFF'], DAYS), { code: 'revised' });
  const changed = priceFile(['FFF'], DAYS, (row) => (row[0] === '2024-03-05' ? [...row.slice(0, 6), '77777'] : row));
  const second = await harness.import(seven, changed, { code: 'revised' });
  assert.deepEqual(
    [second.unchangedCount, second.revisedCount, second.acceptedCount],
    [Number(first.acceptedCount) - 1, 1, 1],
  );
  const bars = createBarsService(db.database);
  const { rows } = await db.migrator.query(`SELECT id FROM instrument WHERE symbol = 'FFF'`);
  const { items } = await bars.versions(seven, rows[0].id, '2024-03-05');
  assert.deepEqual(
    items.map((item) => [item.revision, item.volume, item.knownAt === item.recordedAt]),
    [
      [0, items[0]!.volume, false],
      [1, 77777, true],
    ],
  );
  assert.equal(items[0]!.knownAt, '2024-03-05T22:00:00.000Z');
});

test('a bad tick is held back with a case, is unchanged when it comes again, and comes out when it was a false alarm', async () => {
  const { seven, db } = harness;
  const wild = (row: string[]) =>
    row[0] === '2024-04-10' && row[1] === 'GGG'
      ? [...row.slice(0, 4), String(Number(row[4]) / 10), String(Number(row[5]) / 10), row[6]!]
      : row;
  const text = priceFile(['GGG', 'HHH'], DAYS, wild);
  const first = await harness.import(seven, text, { code: 'wild' });
  assert.equal(first.quarantinedCount, 1);
  const again = await harness.import(seven, text, { code: 'wild' });
  assert.deepEqual([again.unchangedCount, again.caseCount], [2 * DAYS.length, 0]);
  const cases = createCasesService(db.database);
  const listed = await cases.list(seven, { limit: 10, runId: Number(first.runId) });
  assert.equal(listed.total, 1);
  const found = listed.items[0]!;
  const whole = await cases.get(seven, found.id);
  assert.equal(whole.heldBars.length, 1);
  assert.equal(whole.neighbours.length, 20);
  await assert.rejects(
    cases.decide(seven, found.id, { state: 'false', note: '', version: found.version + 1 }),
    /was decided since/,
  );
  const decided = await cases.decide(seven, found.id, { state: 'false', note: 'It was real', version: found.version });
  assert.deepEqual([decided.state, decided.version], ['false', found.version + 1]);
  await assert.rejects(
    cases.decide(seven, found.id, { state: 'confirmed', note: '', version: decided.version }),
    /were released/,
  );
  const { items } = await createBarsService(db.database).versions(seven, found.instrumentId!, '2024-04-10');
  assert.deepEqual(
    items.map((item) => item.quarantined),
    [true, false],
  );
  assert.equal(items[0]!.knownAt, items[1]!.knownAt, 'a released bar was always knowable');
  assert.equal(await harness.count("evidence WHERE kind = 'case.decided'"), 1);
});

test('a correction is known from now on, and what was known before stays', async () => {
  const { seven, db } = harness;
  await harness.import(seven, priceFile(['III'], DAYS), { code: 'corrected' });
  const { rows } = await db.migrator.query(
    `SELECT i.id, s.id AS source FROM instrument i, source s WHERE i.symbol = 'III' AND s.code = 'corrected'`,
  );
  const [instrumentId, sourceId] = [rows[0].id, rows[0].source];
  const bars = createBarsService(db.database);
  const before = await bars.list(seven, instrumentId, {});
  const corrections = createCorrectionsService(db.database);
  const told = { instrumentId, sourceId, day: '2024-02-01', open: 90, high: 92, low: 89, close: 91, volume: null };
  const bar = await corrections.correctBar(seven, { ...told, reason: 'Vendor notice' });
  assert.equal(bar.revision, 1);
  const after = await bars.list(seven, instrumentId, {});
  assert.equal(after.items.find((item) => item.day === '2024-02-01')?.close, 91);
  assert.deepEqual(await bars.list(seven, instrumentId, { ...before.time }), before);
  await assert.rejects(corrections.correctBar(seven, { ...told, high: 1, reason: 'Wrong' }), /must be the highest/);
});

test('raw prices get their splits and dividends on read, as known then, and never the other way', async () => {
  const { seven, db } = harness;
  await harness.import(seven, priceFile(['JJJ'], DAYS), { code: 'rawish', choices: { priceBasis: 'raw' } });
  const { rows } = await db.migrator.query(
    `SELECT i.id, s.id AS source FROM instrument i, source s WHERE i.symbol = 'JJJ' AND s.code = 'rawish'`,
  );
  const [instrumentId, sourceId] = [rows[0].id, rows[0].source];
  const bars = createBarsService(db.database);
  const raw = await bars.list(seven, instrumentId, {});
  const corrections = createCorrectionsService(db.database);
  await corrections.addCorporateAction(seven, {
    instrumentId,
    sourceId,
    day: '2024-05-01',
    kind: 'split',
    value: 2,
    reason: 'Notice',
  });
  await corrections.addCorporateAction(seven, {
    instrumentId,
    sourceId,
    day: '2024-06-03',
    kind: 'dividend',
    value: 1,
    reason: 'Notice',
  });
  const at = (answer: typeof raw, day: string) => answer.items.find((item) => item.day === day)!;
  const split = await bars.list(seven, instrumentId, { basis: 'split_adjusted' });
  assert.equal(at(split, '2024-04-30').close, at(raw, '2024-04-30').close! / 2);
  assert.equal(at(split, '2024-04-30').volume, at(raw, '2024-04-30').volume! * 2);
  assert.equal(at(split, '2024-05-01').close, at(raw, '2024-05-01').close);
  const total = await bars.list(seven, instrumentId, { basis: 'total_return' });
  const factor = 1 - 1 / at(raw, '2024-05-31').close!; // one unit of cash on the close before the ex-day
  assert.ok(Math.abs(at(total, '2024-05-31').close! - at(raw, '2024-05-31').close! * factor) < 1e-9);
  assert.ok(Math.abs(at(total, '2024-04-30').close! - (at(raw, '2024-04-30').close! / 2) * factor) < 1e-9);
  const early = await bars.list(seven, instrumentId, { ...raw.time, basis: 'split_adjusted' });
  assert.deepEqual(early.items, raw.items, 'an action learnt later does not leak back');
  const { rows: other } = await db.migrator.query(`SELECT id FROM instrument WHERE symbol = 'III'`);
  await assert.rejects(bars.list(seven, other[0].id, { basis: 'raw' }), /cannot be taken out again/);
});

test('a retracted run is out of sight from then on, once', async () => {
  const { seven, eight, db } = harness;
  const told = await harness.import(seven, priceFile(['KKK'], DAYS), { code: 'wrong' });
  const { rows } = await db.migrator.query(`SELECT id FROM instrument WHERE symbol = 'KKK'`);
  const bars = createBarsService(db.database);
  const runs = createRunsService(db.database);
  const before = await bars.list(seven, rows[0].id, {});
  await assert.rejects(runs.retract(eight, Number(told.runId), 'not mine'), /There is no run/);
  const run = await runs.retract(seven, Number(told.runId), 'Wrong file');
  assert.equal(run.retractReason, 'Wrong file');
  assert.equal((await bars.list(seven, rows[0].id, { sourceId: run.sourceId })).items.length, 0);
  assert.deepEqual(await bars.list(seven, rows[0].id, { ...before.time }), before);
  await assert.rejects(
    runs.retract(seven, Number(told.runId), 'Again'),
    (error) => error instanceof ProblemError && error.code === 'NOT_POSSIBLE_NOW',
  );
  const again = await harness.import(seven, priceFile(['KKK'], DAYS), { code: 'wrong' });
  assert.equal(again.acceptedCount, DAYS.length, 'what was retracted may be told again');
});

test('a run that is asked to stop publishes nothing and leaves no staging', async () => {
  const { seven, tasks } = harness;
  const task = await harness.accept(seven, priceFile(['LLL'], DAYS), { code: 'stopped' });
  await tasks.requestCancel(seven, task.id);
  const abort = new AbortController();
  const work = tasks.work(seven, task.id, abort.signal, () => abort.abort(new Error('asked to stop')));
  await assert.rejects(work, /asked to stop/);
  assert.equal(await harness.count("ingest_run WHERE state = 'cancelled'"), 1);
  assert.equal(await harness.count("pg_tables WHERE schemaname = 'staging'"), 0);
  const result = await tasks.work(seven, task.id);
  assert.equal(result.acceptedCount, DAYS.length, 'it can be taken up again');
  assert.deepEqual((await tasks.work(seven, task.id)).runId, result.runId, 'and is published once');
});

test('what one tenant has, another does not see or change', async () => {
  const { eight, db } = harness;
  const { database } = db;
  const { rows } = await db.migrator.query(`SELECT max(id) AS id FROM data_case`);
  const caseId = rows[0].id;
  assert.equal((await createSourcesService(database).list(eight)).items.length, 0);
  assert.equal((await createInstrumentsService(database).list(eight, { limit: 10 })).items.length, 0);
  assert.equal((await createRunsService(database).list(eight, { limit: 10 })).items.length, 0);
  assert.equal((await createCasesService(database).list(eight, { limit: 10 })).total, 0);
  assert.equal((await createTimelineService(database).get(eight)).publications.length, 0);
  const missing = (error: unknown) => error instanceof ProblemError && error.code === 'NOT_FOUND';
  await assert.rejects(createInstrumentsService(database).get(eight, 1, {}), missing);
  await assert.rejects(createInstrumentsService(database).update(eight, 1, { name: 'x', version: 1 }), missing);
  await assert.rejects(createBarsService(database).list(eight, 1, {}), missing);
  await assert.rejects(createBarsService(database).versions(eight, 1, '2024-01-02'), missing);
  await assert.rejects(createRunsService(database).get(eight, 1), missing);
  await assert.rejects(createCasesService(database).get(eight, caseId), missing);
  await assert.rejects(
    createCasesService(database).decide(eight, caseId, { state: 'false', note: '', version: 1 }),
    missing,
  );
  await assert.rejects(createSourcesService(database).rename(eight, 1, { name: 'x', version: 1 }), missing);
  const bar = { instrumentId: 1, sourceId: 1, day: '2024-01-02', open: 1, high: 1, low: 1, close: 1, volume: null };
  await assert.rejects(createCorrectionsService(database).correctBar(eight, { ...bar, reason: 'theft' }), missing);
});

test('lists come in pages that follow each other without a gap', async () => {
  const instruments = createInstrumentsService(harness.db.database);
  const all = await instruments.list(harness.seven, { limit: 500 });
  const seen: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await instruments.list(harness.seven, { limit: 3, cursor });
    seen.push(...page.items.map((item) => item.id));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  assert.deepEqual(
    seen,
    all.items.map((item) => item.id),
  );
  assert.ok((await instruments.list(harness.seven, { limit: 10, search: 'ggg' })).items.length === 1);
});

test('small tables: known by their rules, unknown symbols listed, the same file again changes nothing', async () => {
  const { seven, db } = harness;
  await harness.import(seven, priceFile(['MMM'], DAYS), { code: 'with-caps' });
  const caps = 'snapshot_date,symbol,market_cap_usd,pe\n2024-02-01,MMM,1000000,12.5\n2024-02-01,NOBODY,5,1\n';
  const first = await harness.import(seven, caps, { code: 'caps', kind: 'market_caps', choices: {} });
  assert.deepEqual([first.acceptedCount, first.errorCount], [2, 1]);
  const run = await createRunsService(db.database).get(seven, Number(first.runId));
  assert.match(run.note, /1 rows name 1 symbols that are not here and were left out: NOBODY/);
  const { rows } = await db.migrator.query('SELECT known_at FROM market_cap');
  assert.equal(new Date(rows[0].known_at).toISOString(), '2024-02-02T00:00:00.000Z');
  assert.equal(
    (await harness.import(seven, caps, { code: 'caps', kind: 'market_caps', choices: {} })).unchangedCount,
    2,
  );

  const rates = 'Date,USD,JPY\n2024-01-15,1.0945,159.67\n2024-07-15,1.0905,172.41\n';
  await harness.import(seven, rates, { code: 'ecb', kind: 'exchange_rates', choices: {} });
  const listed = await createExchangeRatesService(db.database).list(seven, { base: 'EUR', quote: 'USD' });
  assert.deepEqual(listed.items, [
    { day: '2024-01-15', value: 1.0945, knownAt: '2024-01-15T15:00:00.000Z' },
    { day: '2024-07-15', value: 1.0905, knownAt: '2024-07-15T14:00:00.000Z' },
  ]);

  const macro = 'vintage_date,series,date,value\n2024-02-10,CPI,2024-01-01,3.1\n2024-03-10,CPI,2024-01-01,3.2\n';
  await harness.import(seven, macro, { code: 'fred', kind: 'macro', choices: {} });
  const series = createMacroService(db.database);
  const cpi = async (knownAt: string) =>
    (await series.list(seven, { series: 'CPI', knownAt })).items.map((item) => item.value);
  assert.deepEqual(await cpi('2024-02-10T12:00:00.000Z'), []);
  assert.deepEqual(await cpi('2024-02-11T00:00:00.000Z'), [3.1]);
  assert.deepEqual(await cpi('2024-03-11T00:00:00.000Z'), [3.2]);
  const plain = await harness.import(seven, 'series,date,value\nGDP,2024-01-01,2\n', {
    code: 'gdp',
    kind: 'macro',
    choices: {},
  });
  assert.match(
    (await createRunsService(db.database).get(seven, Number(plain.runId))).note,
    /not when they were published/,
  );
  const actions = 'date,symbol,type,value\n2024-03-01,MMM,split,2\n2024-03-01,MMM,dividend,0.5\n';
  assert.equal(
    (await harness.import(seven, actions, { code: 'actions', kind: 'corporate_actions', choices: {} })).acceptedCount,
    2,
  );
  const verdict = await db.database.transaction(seven, (tx) => verifyContents(tx));
  assert.deepEqual(verdict.mismatches, []);
});

test('a preview says how a file would be read and writes nothing', async () => {
  const runs = await harness.count('ingest_run');
  const upload = (text: string) => harness.service.upload(harness.seven, 'p.csv', Readable.from([Buffer.from(text)]));
  const { uploadId } = await upload(priceFile(['NNN'], DAYS));
  const preview = await harness.service.preview(harness.seven, {
    uploadId,
    fileName: 'p.csv',
    kind: 'prices',
    choices: { currency: 'EUR' },
  });
  assert.deepEqual([preview.rows.length, preview.currency.value, preview.currency.confidence], [20, 'EUR', 'given']);
  assert.equal(preview.priceBasis.value, null);
  assert.deepEqual(importPreview.parse(preview), preview);
  const rates = await upload('Date,USD\n2024-01-15,1.09\n');
  const table = await harness.service.preview(harness.seven, {
    uploadId: rates.uploadId,
    fileName: 'r.csv',
    kind: 'exchange_rates',
    choices: {},
  });
  assert.deepEqual(importPreview.parse(table), table);
  assert.equal(await harness.count('ingest_run'), runs);
});
