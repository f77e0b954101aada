import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProblemError } from '../../platform/problem-error.ts';
import { parseFilter, parseOrder } from './filter.ts';

test('a filter is read as MLflow writes it', () => {
  assert.deepEqual(parseFilter(''), []);
  assert.deepEqual(parseFilter("metrics.loss <= 0.5 and params.`a b` != 'x' AND tag.\"mlflow.user\" ilike '%n'"), [
    { entity: 'metric', key: 'loss', operator: '<=', value: 0.5 },
    { entity: 'parameter', key: 'a b', operator: '!=', value: 'x' },
    { entity: 'tag', key: 'mlflow.user', operator: 'ILIKE', value: '%n' },
  ]);
  assert.deepEqual(parseFilter("run_id NOT IN ('1', '2') and tags.x is not null and attributes.start_time > 1e3"), [
    { entity: 'attribute', key: 'run_id', operator: 'NOT IN', value: ['1', '2'] },
    { entity: 'tag', key: 'x', operator: 'IS NOT NULL', value: null },
    { entity: 'attribute', key: 'start_time', operator: '>', value: 1000 },
  ]);
  assert.deepEqual(parseOrder('metrics.val-loss DESC'), { entity: 'metric', key: 'val-loss', descending: true });
  assert.deepEqual(parseOrder('`start_time`'), { entity: 'attribute', key: 'start_time', descending: false });
});

test('whatever was written, a filter is read or refused with a sentence', () => {
  const pieces = fc.constantFrom('metrics.', 'a', '=', "'x'", ' and ', 'IN (', ')', '1', '`', '"', 'LIKE', ';', ' ');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((all) => all.join('')),
      ),
      (text) => {
        try {
          parseFilter(text);
        } catch (error) {
          assert.ok(error instanceof ProblemError, String(error));
        }
      },
    ),
  );
});
