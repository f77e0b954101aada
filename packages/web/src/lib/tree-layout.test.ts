import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { layOutTree } from './tree-layout.ts';

test('The node with the most neighbours stands in the middle, the others around it.', () => {
  const places = layOutTree(4, [
    { a: 1, b: 0 },
    { a: 1, b: 2 },
    { a: 1, b: 3 },
  ]);
  assert.equal(places[1]?.depth, 0);
  assert.equal(Math.hypot(places[1]!.x, places[1]!.y), 0);
  for (const node of [0, 2, 3]) assert.ok(Math.abs(Math.hypot(places[node]!.x, places[node]!.y) - 1) < 1e-12);
});

test('Any tree has a place within the circle for every node, no two of them the same.', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 60 }), (parents) => {
      const edges = parents.map((parent, index) => ({ a: parent % (index + 1), b: index + 1 }));
      const places = layOutTree(parents.length + 1, edges);
      assert.ok(places.every(({ x, y }) => Math.hypot(x, y) <= 1 + 1e-9));
      const texts = new Set(places.map(({ x, y }) => `${x.toFixed(9)} ${y.toFixed(9)}`));
      assert.equal(texts.size, places.length);
    }),
  );
});

test('Nodes that no edge reaches are placed as well.', () => {
  assert.equal(layOutTree(3, [{ a: 0, b: 1 }]).length, 3);
  assert.deepEqual(layOutTree(0, []), []);
});
