// Sends random requests to every route and fails on the first kind of 5xx: node scripts/fuzz-routes.ts [--count 1000] [--route ID] [--seed N]
import { parseArgs } from 'node:util';
import { ALL_ROUTES } from '@touchstone/contracts/routes';
import { createTestDatabase } from '../packages/server/test/cluster.ts';
import { fuzzOrder, fuzzRoute } from '../packages/server/test/edges/fuzz.ts';
import { fillTenant, startWholeServer } from '../packages/server/test/edges/whole-server.ts';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '1000' }, route: { type: 'string' }, seed: { type: 'string' } },
});
const count = Number(values.count);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const db = await createTestDatabase();
const server = await startWholeServer(db, { runTasks: true });
const known = await fillTenant(server, await server.tokenFor('owner', 7), 'fuzz');
// What the requests start is queued and stays there: the question is what is answered.
await server.tasks.stop();
console.log(`seed ${seed}: ${count} requests a route`);
let failed = 0;
for (const route of fuzzOrder(ALL_ROUTES)) {
  if (values.route !== undefined && route.id !== values.route) continue;
  const startedAt = performance.now();
  const { failures, statuses } = await fuzzRoute(server, route, known, { count, seed });
  const told = [...statuses]
    .sort()
    .map(([status, times]) => `${status}: ${times}`)
    .join(', ');
  console.log(`${route.id.padEnd(24)} ${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${told}`);
  failed += failures.length;
  const seen = new Set<string>();
  for (const { request, status, text, log } of failures) {
    const kind = /"message":"([^"]{0,80})/.exec(log)?.[1] ?? text;
    if (seen.has(kind)) continue;
    seen.add(kind);
    console.log(`  ${status} ${route.method} ${request.path.slice(0, 300)} ${request.body?.slice(0, 500) ?? ''}`);
    console.log(`      ${log.slice(0, 900)}`);
  }
}
await server.close().catch(() => {});
await db.close();
console.log(failed === 0 ? 'No answer was a 5xx.' : `${failed} answers were a 5xx.`);
process.exit(failed === 0 ? 0 : 1);
