import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isClean, killServer, summaryOf } from '../../scripts/kill-server.ts';

const KILLS = 6;

test('a server killed in the middle of imports loses nothing it acknowledged and shows no half run', {
  timeout: 280_000,
}, async (t) => {
  const report = await killServer({ count: KILLS, seed: 20260115, secondsMax: 200, log: (line) => t.diagnostic(line) });
  t.diagnostic(summaryOf(report));
  assert.deepEqual(report.lost, []);
  assert.deepEqual(report.halfVisible, []);
  assert.deepEqual(report.unfinished, []);
  assert.equal(report.adopted, report.restarts, 'the orphaned database is taken over');
  assert.ok(report.verified, report.verdict);
  assert.ok(isClean(report));
  assert.ok(report.acknowledgedRuns > 0);
});
