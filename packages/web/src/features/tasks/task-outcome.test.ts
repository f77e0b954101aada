import assert from 'node:assert/strict';
import { test } from 'node:test';
import { taskOutcome } from './task-outcome.ts';

test('A refresh that ended says its own sentence and leads to its report.', () => {
  const result = { refreshId: 4, sentence: '3 of 5 up to date.' };
  assert.deepEqual(taskOutcome({ kind: 'market-data.refresh.run', input: {}, result }), {
    words: '3 of 5 up to date',
    place: { path: '/data/refreshes/4', label: 'Its report' },
  });
});

test('A computed index leads to the index and names its version and days.', () => {
  const result = { indexId: 3, runNumber: 2, firstDay: '2023-11-20', lastDay: '2026-11-20' };
  const outcome = taskOutcome({ kind: 'portfolio.index-run.run', input: {}, result });
  assert.equal(outcome?.place?.path, '/indexes/3');
  assert.equal(outcome?.words, 'Version 2, 20 Nov 2023 to 20 Nov 2026');
});

test('A drill that found a difference says so.', () => {
  assert.equal(taskOutcome({ kind: 'operate.drill.run', input: {}, result: { ok: false } })?.words, 'It was not equal');
});

test('Work without a result, or of a kind not known here, leads nowhere.', () => {
  assert.equal(taskOutcome({ kind: 'operate.backup.run', input: {}, result: null }), null);
  assert.deepEqual(taskOutcome({ kind: 'other', input: {}, result: {} }), { words: null, place: null });
});
