import { createRandom } from '@touchstone/quant/random/random';
import { Agent, request } from 'undici';
import { type ApiServer, itemsOf, startApiServer, taskDone } from './api-server.ts';
import type { BenchResult } from './bench-server.ts';

const PORT = 18_084;
const RATE = 200;
const SECONDS = Number(process.env.TOUCHSTONE_BENCH_SECONDS ?? 60);
/** A program that has just started is slower until its code is compiled; these seconds are not counted, and told. */
const WARM_UP_SECONDS = 10;
const P95_MS = 150;
const P99_MS = 400;
const RUN_EVERY_MS = 20_000;

/**
 * Requests come at a fixed rate whether earlier ones are answered or not, and each is timed from the moment it was due: a
 * server that stands still for a second is charged for all who wait.
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  const server = await startApiServer(PORT);
  const agent = new Agent({ connections: 64, pipelining: 1 });
  try {
    const world = await prepare(server);
    const random = createRandom(1).split('api-mixed');
    const times: number[] = [];
    const byKind = new Map<string, number[]>();
    const errors = new Map<string, number>();
    let isRenaming = false;
    let keyCount = 0;
    let version = world.version;

    async function send(method: 'GET' | 'PATCH' | 'POST', path: string, body?: object): Promise<unknown> {
      const sentAt = performance.now();
      const token = world.tokens[random.integer(world.tokens.length)]!;
      const answer = await request(`${server.product.url}/api/v1${path}`, {
        ...{ method, dispatcher: agent },
        headers: {
          ...{ authorization: `Bearer ${token}` },
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(method === 'POST' ? { 'idempotency-key': `bench-${random.integer(2 ** 30)}-${keyCount++}` } : {}),
        },
        body: body === undefined ? null : JSON.stringify(body),
      });
      const text = await answer.body.text();
      const kind = `${method} ${path.replace(/\d+/g, 'N')}`;
      const known = byKind.get(kind) ?? [];
      if (known.length === 0) byKind.set(kind, known);
      known.push(performance.now() - sentAt);
      if (answer.statusCode >= 400) throw new Error(`${answer.statusCode} ${kind}`);
      return JSON.parse(text);
    }

    async function rename(n: number): Promise<void> {
      isRenaming = true;
      const made = await send('PATCH', `/universes/${world.universeId}`, { description: `change ${n}`, version });
      version = Number(Object(made).version);
      isRenaming = false;
    }

    const pick = <T>(values: readonly T[]): T => values[random.integer(values.length)]!;
    const READS: [share: number, path: () => string][] = [
      [30, () => `/data/instruments/${pick(world.instrumentIds)}/bars`],
      [12, () => `/indexes/${world.indexId}/levels`],
      [10, () => `/indexes/${world.indexId}/holdings`],
      [8, () => `/indexes/${world.indexId}/runs`],
      [10, () => `/universes/${pick(world.universeIds)}`],
      [6, () => '/universes'],
      [6, () => `/data/instruments/${pick(world.instrumentIds)}`],
      [6, () => '/tasks?limit=20'],
      [4, () => '/data/timeline'],
      [4, () => '/indexes'],
    ];
    const shares = READS.flatMap(([share, path]) => Array.from({ length: share }, () => path));

    async function one(n: number): Promise<void> {
      if (n % Math.round((RUN_EVERY_MS / 1000) * RATE) === RATE * 5) {
        await send('POST', `/indexes/${world.indexId}/runs`, {});
      } else if (n % 50 === 0 && !isRenaming) await rename(n);
      else await send('GET', pick(shares)());
    }

    const begun = performance.now();
    const flying: Promise<void>[] = [];
    for (let n = 0; n < RATE * (WARM_UP_SECONDS + SECONDS); n++) {
      const dueAt = begun + (n / RATE) * 1000;
      const wait = dueAt - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      flying.push(
        one(n).then(
          () => {
            if (n >= RATE * WARM_UP_SECONDS) times.push(performance.now() - dueAt);
          },
          (error: unknown) => {
            const told = error instanceof Error ? error.message : String(error);
            errors.set(told, (errors.get(told) ?? 0) + 1);
          },
        ),
      );
    }
    await Promise.all(flying);
    const sorted = times.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
    const errorCount = [...errors.values()].reduce((sum, count) => sum + count, 0);
    // Where the time goes, for whoever looks into a miss.
    for (const [kind, list] of byKind) {
      const ordered = list.toSorted((a, b) => a - b);
      const mid = ordered[ordered.length >> 1] ?? Number.NaN;
      console.error(
        `${kind}: ${list.length} times, median ${mid.toFixed(1)} ms, most ${ordered.at(-1)?.toFixed(1)} ms`,
      );
    }
    for (const [told, count] of errors) console.error(`${count} x ${told}`);
    const input = `${RATE} requests/s for ${SECONDS} s after ${WARM_UP_SECONDS} s, ${world.tokens.length} callers, ${world.instrumentIds.length} simulated instruments; median ${at(0.5).toFixed(1)} ms, ${errorCount} errors`;
    const shared = { unit: 'ms', peer: null, peerFigure: null, ratio: null, input };
    return [
      {
        ...shared,
        name: 'api-mixed-p95',
        figure: at(0.95),
        goal: `< ${P95_MS} ms, no error`,
        met: at(0.95) < P95_MS && errorCount === 0,
      },
      { ...shared, name: 'api-mixed-p99', figure: at(0.99), goal: `< ${P99_MS} ms`, met: at(0.99) < P99_MS },
    ];
  } finally {
    await agent.close();
    await server.close();
  }
}

/** An index of the owner's own over the simulated market, and four callers: the owner and three keys. */
async function prepare(server: ApiServer) {
  const instruments = itemsOf(await server.call('GET', '/data/instruments?limit=500')).filter(
    (item) => Number(item.barCount) > 500,
  );
  const simulated = itemsOf(await server.call('GET', '/universes'))[0]!;
  const universe = await server.call('POST', '/universes', {
    ...{ name: 'Bench', rule: 'list', sourceId: simulated.sourceId },
    members: instruments.slice(0, 20).map((item) => ({ instrumentId: item.id })),
  });
  const index = await server.call('POST', '/indexes', {
    ...{ name: 'Bench', universeId: universe.id, method: 'three_pillar' },
  });
  await taskDone(server, await server.call('POST', `/indexes/${index.id}/runs`, {}));
  const scopes = ['market:read', 'portfolio:read', 'portfolio:write', 'task:read', 'task:write'];
  const keys = [];
  for (const name of ['one', 'two', 'three']) keys.push(await server.call('POST', '/keys', { name, scopes }));
  return {
    instrumentIds: instruments.map((item) => Number(item.id)),
    universeIds: [Number(universe.id), Number(simulated.id)],
    universeId: Number(universe.id),
    version: Number(universe.version),
    indexId: Number(index.id),
    tokens: [server.token, ...keys.map((key) => String(key.key))],
  };
}
