import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { createImportHarness, type ImportHarness, priceFile } from '../../../test/market-data/import-harness.ts';
import { verifyContents } from '../facts/fact-tables.ts';

const CHILD = path.join(import.meta.dirname, '../../../test/market-data/import-child.ts');
const DAYS = Array.from(tradingDays('XNYS', dayNumber('2024-01-02'), dayNumber('2024-03-28')), dayText);

let harness: ImportHarness;
before(async () => {
  harness = await createImportHarness();
});
after(() => harness.close());

/** Does a queued import in a process of its own, which may be killed at a fail point. */
async function workElsewhere(runId: number, taskId: number, failPoint: string): Promise<string | null> {
  const { db, folder } = harness;
  const input = JSON.stringify({ connection: db.connection, folder, tenantId: 7, runId, taskId });
  const child = spawn(process.execPath, [CHILD, input], {
    env: { ...process.env, TOUCHSTONE_FAIL_POINT: failPoint },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [, signal] = await once(child, 'exit');
  return signal;
}

for (const [point, visible] of [
  ['import.after-parse', false],
  ['import.after-court', false],
  ['import.during-copy', false],
  ['import.after-staging', false],
  ['import.before-publication', false],
  ['import.after-publish', true],
] as const) {
  test(`killed at ${point}, a run is ${visible ? 'whole' : 'not there'}, and run again it is there exactly once`, async () => {
    const { seven, db, tasks } = harness;
    const symbol = point.replace(/\W/g, '').toUpperCase();
    const task = await harness.accept(seven, priceFile([symbol], DAYS), { code: point });
    const runId = Number(task.input.runId);
    assert.equal(await workElsewhere(runId, task.id, point), 'SIGKILL');
    const bars = () => harness.count(`price_observation WHERE run_id = ${runId}`);
    assert.equal(await bars(), visible ? DAYS.length : 0);
    assert.equal(await harness.count(`publication WHERE run_id = ${runId}`), visible ? 1 : 0);
    const result = await tasks.work(seven, task.id);
    assert.equal(result.publishedCount, DAYS.length);
    assert.equal(await bars(), DAYS.length);
    assert.equal(await harness.count(`publication WHERE run_id = ${runId}`), 1);
    assert.equal(await harness.count(`evidence WHERE kind = 'run.published' AND subject_id = '${runId}'`), 1);
    assert.equal(await harness.count(`instrument WHERE symbol = '${symbol}'`), 1);
    assert.equal(await harness.count("pg_tables WHERE schemaname = 'staging'"), 0);
    const verdict = await db.database.transaction(seven, (tx) => verifyContents(tx));
    assert.deepEqual(verdict.mismatches, []);
  });
}
