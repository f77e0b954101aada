import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countStatements, FEW, MANY } from './statement-counts.ts';

/** Made by others than the front door, or not there on an installation without the simulated market. */
const MAY_BE_LEFT_MAX = 28;
const STATEMENTS_MAX = 40;

test('a route asks as many statements for fifty instruments as for five', async (t) => {
  const { counts, left } = await countStatements();
  for (const { id, reason } of left) t.diagnostic(`not asked: ${id}, ${reason}`);
  const growing = counts.filter(({ few, many }) => few !== many);
  assert.deepEqual(growing, [], `statements grow from ${FEW} to ${MANY} instruments`);
  const many = counts.filter((count) => count.many > STATEMENTS_MAX);
  assert.deepEqual(many, [], `no route needs more than ${STATEMENTS_MAX} statements`);
  const asked = new Set(counts.map(({ id }) => id));
  for (const id of ['listBars', 'listInstruments', 'listCases', 'getUniverse', 'getIndexLevels', 'getIndexHoldings']) {
    assert.ok(asked.has(id), `${id} was asked: ${JSON.stringify(left)}`);
  }
  assert.ok(left.length <= MAY_BE_LEFT_MAX, JSON.stringify(left));
  assert.ok(
    counts.some((count) => count.many >= 3),
    'statements are seen at all',
  );
});
