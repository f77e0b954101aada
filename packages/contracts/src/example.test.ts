import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { exampleOf } from './example.ts';
import { ALL_ROUTES } from './routes.ts';

for (const route of ALL_ROUTES) {
  test(`the examples of ${route.id} fit its own schemas`, () => {
    assert.ok(route.summary.length > 0, 'it says what it does');
    for (const part of ['params', 'query', 'body', 'answer'] as const) {
      const schema = route[part];
      if (schema === undefined) continue;
      const parsed = schema.safeParse(exampleOf(schema, `${route.id}.${part}`));
      assert.ok(parsed.success, `${part}: ${parsed.error?.message}`);
    }
  });
}

test('names of operations are unique, and so are method and path', () => {
  assert.equal(new Set(ALL_ROUTES.map((route) => route.id)).size, ALL_ROUTES.length);
  assert.equal(new Set(ALL_ROUTES.map((route) => `${route.method} ${route.path}`)).size, ALL_ROUTES.length);
});

test('a field without an example is named', () => {
  assert.throws(() => exampleOf(z.object({ a: z.array(z.string()) }), 'x'), /x\.a\[0\] has no example/);
});
