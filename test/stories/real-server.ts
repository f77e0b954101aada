import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const ROOT = path.join(import.meta.dirname, '../..');
const READY = /is ready at http:\/\/\S+:(\d+)/;
const READY_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 40_000;

/** The real server in a process of its own, on a port the system chose. */
export type RealServer = {
  url: string;
  pid: number;
  readyAfterMs: number;
  /** Everything it has said. */
  output(): string;
  /** Settles when it has ended, however it did. */
  ended: Promise<void>;
  kill(): void;
  /** Ends it as an operator does, its database with it. */
  stop(): Promise<void>;
};

/** A folder that the database's user may walk into when root runs the tests. */
export async function makeHome(name: string): Promise<string> {
  const home = await mkdtemp(`/tmp/touchstone-${name}-`);
  await chmod(home, 0o711);
  return home;
}

/** Starts the server and waits until it is ready. Undefined if it ended before, as a fail-point makes it. */
export async function startServer(
  home: string,
  options: { env?: Record<string, string>; byNpmStart?: boolean } = {},
): Promise<RealServer | undefined> {
  const startedAt = performance.now();
  const program = options.byNpmStart ? 'scripts/start.mjs' : 'packages/server/src/main.ts';
  const child = spawn(process.execPath, [path.join(ROOT, program)], {
    cwd: ROOT,
    env: { ...process.env, TOUCHSTONE_HOME: home, PORT: '0', LOG_LEVEL: 'warn', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-100_000);
    });
  }
  let isOver = false;
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      isOver = true;
      resolve();
    });
  });
  while (!READY.test(said)) {
    if (isOver) return undefined;
    if (performance.now() - startedAt > READY_TIMEOUT_MS) {
      child.kill('SIGKILL');
      throw new Error(`The server was not ready within ${READY_TIMEOUT_MS / 1000} s. It said: ${said}`);
    }
    await sleep(20);
  }
  return {
    url: `http://127.0.0.1:${READY.exec(said)?.[1]}`,
    pid: child.pid ?? 0,
    readyAfterMs: performance.now() - startedAt,
    output: () => said,
    ended,
    kill: () => child.kill('SIGKILL'),
    stop: () => stop(child, ended),
  };
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

/** The first process of the home's database, if one was started. */
export async function readDatabasePid(home: string): Promise<number | undefined> {
  const text = await readFile(path.join(home, 'database', 'postmaster.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { pid }: { pid?: unknown } = JSON.parse(text);
  return typeof pid === 'number' ? pid : undefined;
}

/** Ends a database that a killed server left running, then removes the folder. */
export async function removeHome(home: string): Promise<void> {
  const pid = await readDatabasePid(home);
  if (pid !== undefined && (await isPostgresOf(pid))) {
    process.kill(pid, 'SIGINT');
    for (let i = 0; i < 250 && (await isPostgresOf(pid)); i++) await sleep(40);
  }
  await rm(home, { recursive: true, force: true });
}

/** A number may belong to somebody else by now. */
async function isPostgresOf(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return command.includes('postgres') && !/^State:\s+Z/m.test(status);
}
