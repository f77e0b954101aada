// `node scripts/kill-server.ts [--count 200] [--seed 1] [--minutes 60]`: kills the real server in the middle of imports, over and over,
// and counts what got lost. A short version is test/faults/kill-server.test.ts.
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createOwner, signIn } from '@touchstone/contracts/auth';
import { type Client, createClient } from '@touchstone/contracts/client';
import {
  getRun,
  listBars,
  listInstruments,
  listRuns,
  type Run,
  startImport,
  uploadFile,
} from '@touchstone/contracts/data';
import { startVerify } from '@touchstone/contracts/diagnostics';
import { getTask, type Task } from '@touchstone/contracts/tasks';
import {
  makeHome,
  type RealServer,
  ROOT,
  readDatabasePid,
  removeHome,
  startServer,
} from '../test/stories/real-server.ts';

export type KillReport = {
  kills: number;
  atFailPoints: number;
  failPoints: string[];
  atRandom: number;
  imports: number;
  acknowledgedRuns: number;
  acknowledgedRows: number;
  /** Acknowledged runs, or rows of them, that are not there any more. */
  lost: string[];
  /** Runs that are seen in part. */
  halfVisible: string[];
  /** Accepted work that came to no end. */
  unfinished: string[];
  adopted: number;
  restarts: number;
  verified: boolean;
  verdict: string;
  seconds: number;
};

export type KillOptions = { count: number; seed: number; secondsMax?: number; log?: (line: string) => void };

const PASSWORD = 'killed but not forgotten';
const EMAIL = 'owner@example.org';
const SOURCE = 'killed';
const SYMBOLS_A_FILE = 4;
const DAYS_A_FILE = 400;
const WAIT_MAX_MS = 90_000;
const RANDOM_MS_MAX = 2_500;
const TOKEN_MS = 600_000;

type Import = {
  file: string;
  symbols: string[];
  taskId: number;
  runId: number | undefined;
  acknowledged: Run | undefined;
};

/** Kills `count` times, half at the named fail-points, half at random moments of an import, and tells what it found. */
export async function killServer({ count, seed, secondsMax = 3600, log = () => {} }: KillOptions): Promise<KillReport> {
  const startedAt = performance.now();
  const home = await makeHome('kill');
  const failPoints = findFailPoints();
  const chance = createChance(seed);
  const record = openRecord();
  const imports: Import[] = [];
  const session = { token: '', at: 0 };
  const report: KillReport = {
    ...{ kills: 0, atFailPoints: 0, failPoints, atRandom: 0, imports: 0, acknowledgedRuns: 0, acknowledgedRows: 0 },
    ...{ lost: [], halfVisible: [], unfinished: [], adopted: 0, restarts: 0, verified: false, verdict: '', seconds: 0 },
  };
  let databasePid: number | undefined;
  let server: RealServer | undefined;

  /** Starts again, and says whether the database of the killed server was taken over. */
  const start = async (failPoint: string | undefined) => {
    const env: Record<string, string> = failPoint === undefined ? {} : { TOUCHSTONE_FAIL_POINT: failPoint };
    const started = await startServer(home, { env });
    const pid = await readDatabasePid(home);
    if (databasePid !== undefined) {
      report.restarts++;
      if (pid === databasePid) report.adopted++;
    }
    databasePid = pid;
    return started;
  };
  const clientOf = async (running: RealServer): Promise<Client> => {
    const bare = createClient((url, init) => fetch(`${running.url}${url}`, { ...init, duplex: 'half' } as RequestInit));
    if (session.token === '' || performance.now() - session.at > TOKEN_MS) {
      const about = { email: EMAIL, password: PASSWORD, asProgram: true };
      const fresh =
        session.token === ''
          ? await bare.call(createOwner, { body: { ...about, displayName: 'Owner', tenantName: 'Home' } })
          : await bare.call(signIn, { body: about });
      session.token = fresh.accessToken;
      session.at = performance.now();
    }
    return createClient((url, { headers, ...init }) => {
      const authorization = `Bearer ${session.token}`;
      return fetch(`${running.url}${url}`, { ...init, headers: { ...headers, authorization } } as RequestInit);
    });
  };
  /** Waits for all accepted work, writes down what is told to be done, and compares with what was written down before. */
  const settle = async (running: RealServer) => {
    const client = await clientOf(running);
    for (const each of imports) {
      if (each.acknowledged !== undefined) continue;
      const task = await waitForTask(client, each.taskId);
      if (task.state !== 'done') {
        const sentence = `task ${each.taskId} (${each.file}) is ${task.state}: ${task.problem?.detail ?? ''}`;
        if (!report.unfinished.includes(sentence)) report.unfinished.push(sentence);
        continue;
      }
      const runId = Number(task.result?.runId);
      const run = await client.call(getRun, { params: { runId } });
      // From here on the rows are acknowledged: it is on disk, outside of the server's reach.
      record.write({ runId, acceptedCount: run.acceptedCount, contentSha256: run.contentSha256 });
      Object.assign(each, { runId, acknowledged: run });
    }
    await compareRuns(client, imports, report);
  };

  /** One life of the server, from ready to dead. */
  const live = async (running: RealServer, failPoint: string | undefined) => {
    try {
      if (failPoint === undefined) await settle(running);
      const client = await clientOf(running);
      const begun = await beginImport(client, imports.length);
      imports.push(begun);
      record.write({ accepted: begun.taskId, file: begun.file });
      if (failPoint === undefined) await waitOrDone(client, begun.taskId, chance() * RANDOM_MS_MAX);
      else await Promise.race([running.ended, sleep(WAIT_MAX_MS, undefined, { ref: false })]);
    } catch (error) {
      // Its death in the middle of a request looks like this; anything it says while alive does not.
      if (!(error instanceof TypeError)) throw error;
    }
    running.kill();
    await running.ended;
  };

  try {
    for (let i = 0; report.kills < count && (performance.now() - startedAt) / 1000 < secondsMax; i++) {
      const failPoint = i % 2 === 1 ? failPoints[((i - 1) / 2) % failPoints.length] : undefined;
      server = await start(failPoint);
      // It may meet the fail-point while it takes up the work of the one before.
      const isUp = server !== undefined;
      if (server !== undefined) await live(server, failPoint);
      server = undefined;
      report.kills++;
      if (failPoint === undefined) report.atRandom++;
      else report.atFailPoints++;
      const where = failPoint ?? 'a random moment';
      log(`${report.kills}/${count} killed at ${where}${isUp ? '' : ', while starting'}; ${imports.length} imports`);
    }
    server = await start(undefined);
    if (server === undefined) throw new Error('the server must start again after the last kill');
    await settle(server);
    const client = await clientOf(server);
    await compareBars(client, imports, report);
    const { task } = await client.call(startVerify);
    const verify = await waitForTask(client, task.id);
    report.verified = verify.state === 'done' && verify.result?.ok === true;
    report.verdict = JSON.stringify(verify.result ?? verify.problem);
  } finally {
    await server?.stop();
    record.close();
    await removeHome(home);
  }
  const acknowledged = imports.flatMap((each) => (each.acknowledged === undefined ? [] : [each.acknowledged]));
  return {
    ...report,
    imports: imports.length,
    acknowledgedRuns: acknowledged.length,
    acknowledgedRows: acknowledged.reduce((sum, run) => sum + run.acceptedCount, 0),
    seconds: Math.round((performance.now() - startedAt) / 1000),
  };
}

/** Those of imports, by their names in the source itself, so that none is forgotten: no other is passed on the way. */
function findFailPoints(): string[] {
  const folder = path.join(ROOT, 'packages/server/src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const names = files.flatMap((file) =>
    [...readFileSync(path.join(folder, file), 'utf8').matchAll(/failPoint\('(import\.[^']+)'\)/g)].map(
      (match) => match[1] ?? '',
    ),
  );
  return [...new Set(names)].sort();
}

/** A file outside of the home, synchronised after every line: what it says was really acknowledged. */
function openRecord() {
  const descriptor = openSync(path.join(tmpdir(), `touchstone-acknowledged-${process.pid}.jsonl`), 'w');
  return {
    write(line: object): void {
      writeSync(descriptor, `${JSON.stringify(line)}\n`);
      fsyncSync(descriptor);
    },
    close: () => closeSync(descriptor),
  };
}

async function beginImport(client: Client, number: number): Promise<Import> {
  const file = `killed-${number}.csv`;
  const symbols = Array.from({ length: SYMBOLS_A_FILE }, (_, s) => `K${number}X${s}`);
  const body = new Blob([priceFile(symbols, number)]);
  const response = await client.raw(uploadFile, { query: { fileName: file }, body });
  const { uploadId }: { uploadId: string } = JSON.parse(await response.text());
  const { task } = await client.call(startImport, {
    body: { uploadId, fileName: file, source: { code: SOURCE }, onBadRow: 'keep-good', choices: { priceBasis: 'raw' } },
  });
  return { file, symbols, taskId: task.id, runId: undefined, acknowledged: undefined };
}

/** Every file is another one, for the store keeps equal files once. */
function priceFile(symbols: readonly string[], number: number): string {
  const lines = ['date,symbol,open,high,low,close,volume'];
  const first = Date.UTC(2015, 0, 5);
  for (const [s, symbol] of symbols.entries()) {
    for (let i = 0; i < DAYS_A_FILE; i++) {
      const day = new Date(first + (Math.floor(i / 5) * 7 + (i % 5)) * 86_400_000).toISOString().slice(0, 10);
      const close = 100 + 10 * s + Math.sin(i * 1.7 + s + number) + i * 0.01;
      const prices = [close - 0.2, close + 0.3, close - 0.5, close].map((value) => value.toFixed(4));
      lines.push([day, symbol, ...prices, 100_000 + 37 * i + number].join(','));
    }
  }
  return `${lines.join('\n')}\n`;
}

async function waitForTask(client: Client, taskId: number): Promise<Task> {
  const deadline = performance.now() + WAIT_MAX_MS;
  for (;;) {
    const task = await client.call(getTask, { params: { taskId } });
    if (task.state !== 'queued' && task.state !== 'running') return task;
    if (performance.now() > deadline) return task;
    await sleep(50);
  }
}

/** Waits a while, but not longer than the work takes: a kill after it hits nothing. */
async function waitOrDone(client: Client, taskId: number, ms: number): Promise<void> {
  const deadline = performance.now() + ms;
  while (performance.now() < deadline) {
    const task = await client.call(getTask, { params: { taskId } });
    if (task.state === 'done') return;
    await sleep(Math.min(20, Math.max(0, deadline - performance.now())));
  }
}

/** Every acknowledged run is there with the rows and the content it had. */
async function compareRuns(client: Client, imports: readonly Import[], report: KillReport): Promise<void> {
  const runs = new Map<number, Run>();
  let cursor: string | undefined;
  do {
    const page = await client.call(listRuns, { query: { limit: 500, ...(cursor === undefined ? {} : { cursor }) } });
    for (const run of page.items) runs.set(run.id, run);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  for (const { acknowledged, file } of imports) {
    if (acknowledged === undefined) continue;
    const now = runs.get(acknowledged.id);
    const isSame = now?.state === 'published' && now.acceptedCount === acknowledged.acceptedCount;
    if (isSame && now.contentSha256 === acknowledged.contentSha256) continue;
    report.lost.push(`run ${acknowledged.id} (${file}) was acknowledged and is ${now?.state ?? 'gone'}`);
  }
}

/** A run is seen with all its rows if it is published, and with none if it is not. */
async function compareBars(client: Client, imports: readonly Import[], report: KillReport): Promise<void> {
  for (const { file, symbols, acknowledged } of imports) {
    let seen = 0;
    for (const symbol of symbols) {
      const { items } = await client.call(listInstruments, { query: { search: symbol, limit: 50 } });
      const instrument = items.find((item) => item.symbol === symbol);
      if (instrument === undefined) continue;
      const bars = await client.call(listBars, { params: { instrumentId: instrument.id } });
      seen += bars.items.length;
    }
    const expected = acknowledged?.acceptedCount ?? 0;
    if (seen === expected) continue;
    if (seen < expected) report.lost.push(`${file}: ${expected - seen} of ${expected} acknowledged rows`);
    else report.halfVisible.push(`${file}: ${seen} rows are seen, ${expected} are published`);
  }
}

/** Mulberry32: chance that can be had again. */
function createChance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function summaryOf(report: KillReport): string {
  return [
    `${report.kills} kills in ${report.seconds} s (${report.atFailPoints} at ${report.failPoints.length} fail-points, ${report.atRandom} at random moments)`,
    `${report.acknowledgedRuns} of ${report.imports} imports acknowledged with ${report.acknowledgedRows} rows`,
    `${report.lost.length} lost`,
    `${report.halfVisible.length} half-visible`,
    `${report.unfinished.length} unfinished`,
    `database adopted at ${report.adopted} of ${report.restarts} restarts`,
    `verify ${report.verified ? 'ok' : 'FAILED'}`,
  ].join(', ');
}

export function isClean(report: KillReport): boolean {
  const found = [...report.lost, ...report.halfVisible, ...report.unfinished];
  return found.length === 0 && report.verified && report.adopted === report.restarts;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '60' },
    },
  });
  const report = await killServer({
    count: Number(values.count),
    seed: Number(values.seed),
    secondsMax: Number(values.minutes) * 60,
    log: console.log,
  });
  for (const sentence of [...report.lost, ...report.halfVisible, ...report.unfinished]) console.log(sentence);
  if (!report.verified) console.log(report.verdict);
  console.log(summaryOf(report));
  process.exitCode = isClean(report) ? 0 : 1;
}
