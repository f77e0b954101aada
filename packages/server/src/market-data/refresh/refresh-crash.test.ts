import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  createFakeVendor,
  createRefreshHarness,
  type RefreshHarness,
  SEVEN,
} from '../../../test/market-data/refresh-harness.ts';
import { verifyContents } from '../facts/fact-tables.ts';

const CHILD = path.join(import.meta.dirname, '../../../test/market-data/refresh-child.ts');

let harness: RefreshHarness;
before(async () => {
  harness = await createRefreshHarness(createFakeVendor(2));
});
after(() => harness.close());

/** Does a queued refresh in a process of its own, which may be killed at a fail point. */
async function workElsewhere(taskId: number, input: unknown, failPoint: string): Promise<string | null> {
  const { db, clock } = harness;
  const job = JSON.stringify({ connection: db.connection, tenantId: 7, taskId, input, now: clock.now() });
  const child = spawn(process.execPath, [CHILD, job], {
    env: { ...process.env, TOUCHSTONE_FAIL_POINT: failPoint },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [, signal] = await once(child, 'exit');
  return signal;
}

for (const [point, batches] of [
  ['refresh.after-court', 0],
  ['import.during-copy', 0],
  ['refresh.after-staging', 0],
  ['import.before-publication', 0],
  ['refresh.before-commit', 0],
  ['refresh.after-batch', 1],
] as const) {
  test(`killed at ${point}, ${batches} batches are whole, the rest is untouched, and run again each bar is there once`, async () => {
    const mark = point.replace(/\W/g, '').toUpperCase();
    const symbols = [1, 2, 3, 4].map((number) => `${mark}${number}`);
    harness.setDay('2024-06-14');
    const feed = await harness.addFeed(point, { years: 1 });
    const task = await harness.refresh.start(SEVEN, feed, { symbols });
    assert.equal(await workElsewhere(task.id, task.input, point), 'SIGKILL');
    const perSymbol = async () =>
      (
        await harness.rows(
          `SELECT count(*)::int AS n FROM price_observation WHERE source_id = ${feed} GROUP BY instrument_id`,
        )
      ).map(({ n }) => n);
    assert.equal((await perSymbol()).length, batches * 2);
    assert.equal(await harness.count(`ingest_run WHERE source_id = ${feed}`), batches, 'no half run is left');
    const result = await harness.tasks.work(SEVEN, task.id);
    assert.equal(result.state, 'done', JSON.stringify(result));
    const counts = await perSymbol();
    assert.deepEqual(counts, [counts[0], counts[0], counts[0], counts[0]]);
    assert.equal(
      await harness.count(`publication p JOIN ingest_run r ON r.id = p.run_id WHERE r.source_id = ${feed}`),
      2,
    );
    assert.equal(await harness.count(`pg_tables WHERE schemaname = 'staging'`), 0);
    const verdict = await harness.db.database.transaction(SEVEN, (tx) => verifyContents(tx));
    assert.deepEqual(verdict.mismatches, []);
  });
}
