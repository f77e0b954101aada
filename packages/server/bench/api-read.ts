import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { promisify } from 'node:util';
import { itemsOf, startApiServer, taskDone } from './api-server.ts';
import type { BareOrder } from './bare-fastify.ts';
import type { BenchResult } from './bench-server.ts';

const PORT = 18_083;
const CONNECTIONS = 16;
const ROUNDS = Number(process.env.TOUCHSTONE_BENCH_ROUNDS ?? 5);
const SECONDS = Number(process.env.TOUCHSTONE_BENCH_SECONDS ?? 5);
const GOAL_RATIO = 0.4;

/**
 * Requests a second for one validated, authorised read, against bare Fastify answering the same bytes in the same run:
 * both in processes of their own, asked in turn by a third. Second figure: a read that nobody keeps, against bare Fastify
 * sending the same statements.
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  const server = await startApiServer(PORT, { REQUESTS_PER_MINUTE: 'unlimited' });
  const bare = fork(path.join(import.meta.dirname, 'bare-fastify.ts'));
  try {
    const universe = itemsOf(await server.call('GET', '/universes'))[0]!;
    const kept = `/universes/${universe.id}`;
    const text = JSON.stringify(await server.call('GET', kept));
    const taskId = await taskDone(server, await server.call('POST', '/diagnostics/verify'));
    const order: BareOrder = { text, connection: server.connection, tenantId: server.tenantId, taskId };
    bare.send(order);
    const [port] = await once(bare, 'message');
    const bearer = `authorization=Bearer ${server.token}`;
    const api = `${server.product.url}/api/v1`;
    const pairs = [
      { name: 'api-read', ours: `${api}${kept}`, theirs: `http://127.0.0.1:${port}/plain`, goal: GOAL_RATIO },
      { name: 'api-read-fresh', ours: `${api}/tasks/${taskId}`, theirs: `http://127.0.0.1:${port}/task`, goal: null },
    ];
    const results: BenchResult[] = [];
    for (const { name, ours, theirs, goal } of pairs) {
      const figures: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
      await requestsPerSecond(ours, bearer, 2);
      await requestsPerSecond(theirs, bearer, 2);
      for (let round = 0; round < ROUNDS; round++) {
        figures.ours.push(await requestsPerSecond(ours, bearer, SECONDS));
        figures.theirs.push(await requestsPerSecond(theirs, bearer, SECONDS));
      }
      const figure = median(figures.ours);
      const peerFigure = median(figures.theirs);
      const ratio = figure / peerFigure;
      results.push({
        ...{ name, figure, unit: 'requests/s', peerFigure, ratio },
        peer: goal === null ? 'bare Fastify, same statements' : 'bare Fastify, same bytes',
        goal: goal === null ? 'told beside it' : `>= ${goal} x`,
        met: goal === null || ratio >= goal,
        input: `${goal === null ? 'one task' : `a universe of ${text.length} bytes`}, ${CONNECTIONS} connections, median of ${ROUNDS} rounds of ${SECONDS} s`,
      });
    }
    return results;
  } finally {
    bare.kill();
    await server.close();
  }
}

/** Asks as fast as it can for some seconds, from a process of its own. */
async function requestsPerSecond(url: string, header: string, seconds: number): Promise<number> {
  const program = path.join(import.meta.dirname, '../../../node_modules/autocannon/autocannon.js');
  const words = [program, '-j', '-c', String(CONNECTIONS), '-d', String(seconds), '-H', header, url];
  const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 16_000_000 });
  const told: { requests: { average: number }; errors: number; non2xx: number } = JSON.parse(stdout);
  if (told.errors > 0 || told.non2xx > 0) throw new Error(`${url}: ${told.errors} errors, ${told.non2xx} not 2xx`);
  return told.requests.average;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
