import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Agent, request } from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { createCompute } from '../src/platform/compute/compute.ts';
import { createRedisLine } from '../src/platform/redis/redis.ts';
import { startRedis } from '../test/edges/redis-server.ts';
import { startApiServer, taskDone } from './api-server.ts';
import { type BenchResult, importFile, priceFile, startBenchServer, TENANT } from './bench-server.ts';
import { createBenchFeatureStore } from './feature-bench.ts';

const FEATURES = 50;
const ENTITIES = 10;
const READS = Number(process.env.BENCH_READS ?? 4_000);
const HTTP_READS = Number(process.env.BENCH_HTTP_READS ?? 1_000);
const WARM_UP = 300;
const BARS = 50_000;
const GOALS_MS = { process: 1, redis: 3, database: 10 } as const;
const PEER_FACTOR = 5;
const API_PORT = 18_431;
const FEAST_PORT = 18_432;

/**
 * 50 features of 10 instruments from each online store, as one call and over HTTP; the peer is Feast's Python feature
 * server on the same Redis, asked by the same client.
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  const redis = await startRedis();
  try {
    return [...(await benchStores(redis.url)), ...(await benchHttp(redis.url))];
  } finally {
    await redis.stop();
  }
}

async function benchStores(redisUrl: string): Promise<BenchResult[]> {
  const server = await startBenchServer();
  const compute = createCompute(2);
  const line = createRedisLine(redisUrl, { warn: () => {}, info: () => {} });
  try {
    await new Promise((resolve) => line.client.once('ready', resolve));
    const { file } = await priceFile(server.folder, BARS);
    await importFile(server, file, 'bench');
    const results: BenchResult[] = [];
    let features: string[] | null = null;
    for (const kind of ['process', 'redis', 'database'] as const) {
      const bench = await createBenchFeatureStore(server, compute, { kind, redis: line });
      features ??= await bench.saveFeatures(FEATURES);
      await bench.materialise({ universeId: 1, views: ['bench_0'], full: true });
      const entities = bench.instrumentIds.slice(0, ENTITIES);
      const times = await measure(READS, () => bench.store.online.read(TENANT, features!, entities));
      results.push({
        ...toResult(`online-features-${kind}`, times, GOALS_MS[kind]),
        input: `${FEATURES} features × ${entities.length} instruments, ${READS} calls; p50 ${at(times, 0.5).toFixed(3)} ms`,
      });
    }
    return results;
  } finally {
    await line.close();
    await compute.close();
    await server.close();
  }
}

async function benchHttp(redisUrl: string): Promise<BenchResult[]> {
  const ours = await measureOurs(redisUrl);
  const peer = await measureFeast(Number(new URL(redisUrl).port));
  const compare = (name: string, unit: string, own: number, theirs: number | null): BenchResult => ({
    ...{ name, figure: own, unit, peerFigure: theirs, goal: `>= ${PEER_FACTOR}x Feast` },
    peer: peer === null ? null : `Feast ${peer.version}, Python feature server on the same Redis`,
    ratio: theirs === null ? null : own / theirs,
    met: theirs !== null && theirs / own >= PEER_FACTOR,
    input:
      `${FEATURES} features × ${ENTITIES} instruments over HTTP, one caller, ${HTTP_READS} calls, store in Redis` +
      (peer === null ? '; Feast is not installed here (npm run peers)' : ''),
  });
  return [
    compare('online-features-http', 'ms p99', ours.p99, peer?.p99 ?? null),
    compare('online-features-http-median', 'ms p50', ours.p50, peer?.p50 ?? null),
  ];
}

async function measureOurs(redisUrl: string) {
  const server = await startApiServer(API_PORT, {
    REDIS_URL: redisUrl,
    ONLINE_STORE: 'redis',
    REQUESTS_PER_MINUTE: 'unlimited',
  });
  try {
    const { items } = await server.call('GET', '/universes');
    const universeId = Number(Object(Array.isArray(items) ? items[0] : null).id);
    await taskDone(server, await server.call('POST', '/features/materialise', { universeId, views: ['momentum'] }));
    const view = await server.call('GET', '/feature-views/momentum');
    const features = (Array.isArray(view.features) ? view.features : [])
      .slice(0, FEATURES)
      .map((feature) => `momentum:${Object(feature).name}`);
    const { items: listed } = await server.call('GET', `/data/instruments?limit=${ENTITIES}`);
    const instruments = (Array.isArray(listed) ? listed : []).map((instrument) => Object(instrument).symbol);
    const body = { features, instruments };
    const ask = createAsk(API_PORT, '/api/v1/features/online', body, { authorization: `Bearer ${server.token}` });
    const times = await measure(HTTP_READS, ask);
    return { p50: at(times, 0.5), p99: at(times, 0.99) };
  } finally {
    await server.close();
  }
}

/** Null where Feast is not installed: `.peers-feast`, or the Python named by TOUCHSTONE_FEAST_PYTHON. */
async function measureFeast(redisPort: number) {
  const own = path.join(import.meta.dirname, '../../../.peers-feast/bin/python');
  const python = [process.env.TOUCHSTONE_FEAST_PYTHON ?? '', own].find((file) => file !== '' && existsSync(file));
  if (python === undefined) return null;
  const script = path.join(import.meta.dirname, 'feast_online.py');
  const child = spawn(python, [script, String(redisPort), String(FEAST_PORT)], { stdio: ['pipe', 'pipe', 'ignore'] });
  try {
    const [version] = await once(createInterface(child.stdout), 'line');
    const body = {
      features: Array.from({ length: FEATURES }, (_, i) => `bench:f_${i}`),
      entities: { instrument: Array.from({ length: ENTITIES }, (_, i) => `E${i}`) },
    };
    const times = await measure(HTTP_READS, createAsk(FEAST_PORT, '/get-online-features', body, {}));
    return { version: String(version), p50: at(times, 0.5), p99: at(times, 0.99) };
  } finally {
    const gone = once(child, 'exit');
    child.stdin.end();
    setTimeout(() => child.kill(), 3_000).unref();
    await gone;
  }
}

/** One caller on one kept connection, the same for us and for the peer. */
function createAsk(port: number, at: string, body: object, headers: Record<string, string>) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const text = JSON.stringify(body);
  const sent = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers };
  return () =>
    new Promise<void>((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path: at, method: 'POST', agent, headers: sent }, (response) => {
        response.resume();
        response.once('end', () =>
          response.statusCode === 200 ? resolve() : reject(new Error(`${at}: ${response.statusCode}`)),
        );
      });
      asked.once('error', reject);
      asked.end(text);
    });
}

async function measure(count: number, read: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count + WARM_UP; i++) {
    const started = performance.now();
    await read();
    if (i >= WARM_UP) times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b);
}

function at(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
}

function toResult(name: string, times: readonly number[], goalMs: number): Omit<BenchResult, 'input'> {
  const figure = at(times, 0.99);
  const none = { peer: null, peerFigure: null, ratio: null };
  return { name, figure, unit: 'ms p99', ...none, goal: `< ${goalMs} ms`, met: figure < goalMs };
}
