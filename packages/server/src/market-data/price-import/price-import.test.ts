import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { createImportHarness, type ImportHarness } from '../../../test/market-data/import-harness.ts';
import { verifyContents } from '../facts/fact-tables.ts';

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
