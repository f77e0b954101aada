import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ALL_ROUTES } from '@touchstone/contracts/routes';
import fc from 'fast-check';
import { createTestDatabase, type TestDatabase } from '../cluster.ts';
import type { TestServer } from '../test-server.ts';
import { type FuzzFailure, fuzzOrder, fuzzRoute, requestsOf } from './fuzz.ts';
import { type Belongings, fillTenant, startWholeServer } from './whole-server.ts';

// A thousand a route: node scripts/fuzz-routes.ts --count 1000
const COUNT = 40;

let db: TestDatabase;
let server: TestServer;
let known: Belongings;
before(async () => {
  db = await createTestDatabase();
  server = await startWholeServer(db, { runTasks: true });
  known = await fillTenant(server, await server.tokenFor('owner', 7), 'fuzz');
  // What the requests start is queued and stays there: the question is what is answered.
  await server.tasks.stop();
});
after(async () => {
  await server.close();
  await db.close();
});

test(`${COUNT} random requests to each route are never answered with a 5xx, and some of them get through`, async (t) => {
  const seed = fc.sample(fc.nat(1_000_000), 1)[0] ?? 1;
  t.diagnostic(`seed ${seed}`);
  const failures: FuzzFailure[] = [];
  const reached = new Set<number>();
  for (const route of fuzzOrder(ALL_ROUTES)) {
    const outcome = await fuzzRoute(server, route, known, { count: COUNT, seed });
    failures.push(...outcome.failures);
    for (const status of outcome.statuses.keys()) reached.add(status);
  }
  const told = failures
    .slice(0, 5)
    .map(({ routeId, request, status, text, log }) => `${routeId} ${status} ${JSON.stringify(request)} ${text} ${log}`);
  assert.equal(failures.length, 0, told.join('\n'));
  for (const status of [200, 201, 204, 400, 401, 404, 409]) assert.ok(reached.has(status), `${status} was reached`);
});

test('the generator makes what it is meant to: requests that fit, hostile texts, and prototypes', () => {
  const all = ALL_ROUTES.flatMap((route) => fc.sample(requestsOf(route, known), { numRuns: 100, seed: 7 }));
  const text = JSON.stringify(all);
  for (const word of ['DROP TABLE', '%00', '\\\\u0000', '__proto__', '9223372036854775808', 'x'.repeat(5000)]) {
    assert.ok(text.includes(word), word);
  }
});
