import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { acquireDataFolderLock, isIdentity } from './data-folder-lock.ts';
import {
  closeSocketFolder,
  type DatabasePlaces,
  decidePlaces,
  giveTo,
  openHome,
  openSocketFolder,
  PORT,
  rememberPlaces,
} from './database-places.ts';
import { EmbeddedPostgresError, messageOf } from './embedded-postgres-error.ts';
import { type PostgresBinaries, prepareBinaries } from './postgres-binaries.ts';
import { findCommandLine, findProcessStartTime, identifyProcess } from './process-identity.ts';
import { createFolder, currentUser, findExistingParent } from './system-user.ts';

export { EmbeddedPostgresError } from './embedded-postgres-error.ts';

export type EmbeddedPostgres = {
  /** The folder of the unix socket; give it to a client as its host. */
  host: string;
  port: number;
  /** May do everything in this cluster. Only for making roles and databases; the application gets a role of its own. */
  superuser: string;
  /** True if the database of an earlier, killed server was found running and taken over. */
  adopted: boolean;
  dataFolder: string;
  /** As the server tells it, for example `18.4`. */
  version: string;
  /** Of the database's first process. */
  pid: number;
  /** Closes connections, writes everything out and ends the database. Safe to call twice. */
  stop(): Promise<void>;
  /** Tells when the database ends without `stop`. The reason is a sentence. Returns a function that unsubscribes. */
  onExit(listener: (reason: string) => void): () => void;
};

export type EmbeddedPostgresOptions = {
  /** `TOUCHSTONE_HOME`. Made if missing. One server per home. */
  home: string;
  log: (line: string) => void;
  /** PostgreSQL settings beside or instead of the defaults; a change restarts an adopted database. */
  settings?: Record<string, string>;
  /** For programs and data that cannot lie in the home because root started us; `/var/lib/touchstone`. */
  systemFolder?: string;
  /** The folder with `bin`, `lib` and `share`, instead of the installed package's. */
  nativeFolder?: string;
};

const SUPERUSER = 'postgres';
const SYSTEM_FOLDER = '/var/lib/touchstone';
const FREE_BYTES_MIN = 200 * 1024 * 1024;
const LOG_BYTES_MAX = 8 * 1024 * 1024;
const READY_TIMEOUT_MS = 300_000;
const READY_POLL_MS = 15;
const ADOPT_TIMEOUT_MS = 5_000;
const FAST_STOP_TIMEOUT_MS = 30_000;
const IMMEDIATE_STOP_TIMEOUT_MS = 5_000;
const ZOMBIE_TIMEOUT_MS = 1_000;
const EXIT_POLL_MS = 20;
const ADOPTED_WATCH_MS = 500;
const SHARED_MEMORY_RETRIES = 20;
const SHARED_MEMORY_RETRY_MS = 250;

/**
 * Durability is not for sale: `fsync`, `full_page_writes` and `synchronous_commit` stay on. The write-ahead log may grow
 * to 2 GB between checkpoints, so that a bulk load is not slowed down by one every few seconds.
 */
const DEFAULT_SETTINGS: Record<string, string> = {
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  shared_buffers: '128MB',
  max_connections: '60',
  work_mem: '16MB',
  maintenance_work_mem: '128MB',
  effective_cache_size: '512MB',
  random_page_cost: '1.1',
  wal_compression: 'on',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  checkpoint_completion_target: '0.9',
  // Compiling a query costs more than running it for the short queries of this product.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
};

/** What was started on a data folder, kept beside it so that a later server knows its orphan. */
type PostmasterRecord = { fingerprint: string; socketFolder: string; pid: number; startTime: string; bootId: string };

type Running = { pid: number; startTime: string; socketFolder: string; version: string; child?: ChildProcess };

/**
 * Starts PostgreSQL as a child process on the data folder of `home`, making the cluster on the first start.
 *
 * *Who may connect.* There is no network listener. The socket lies in a folder of mode 0700, and PostgreSQL asks the
 * kernel who is at the other end (`peer`): only the operating system's user that runs this process is let in, under any
 * database role. So no password is kept, and another program that also runs as `nobody` stays outside.
 *
 * *When we are killed*, the database goes on. The next start on the same home finds it by process number, start time
 * and data folder, and takes it over; if it does not answer, it is stopped and started anew, which PostgreSQL recovers
 * from without losing a committed row.
 *
 * The database is in a session of its own, so that Ctrl-C reaches this process only: the caller decides the order of
 * stopping and calls `stop()`.
 *
 * @throws EmbeddedPostgresError with a sentence for the operator.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const opened = openHome(options.home);
  const lock = await acquireDataFolderLock(join(opened.folder, 'server.lock'), opened.home);
  try {
    const systemFolder = options.systemFolder ?? SYSTEM_FOLDER;
    const places = decidePlaces(opened, systemFolder, options.log);
    const binaries = prepareBinaries({
      user: places.user,
      copyFolder: currentUser().uid === 0 ? systemFolder : places.folder,
      log: options.log,
      nativeFolder: options.nativeFolder,
    });
    const settings = { ...DEFAULT_SETTINGS, ...options.settings };
    const fingerprint = JSON.stringify([binaries.packageVersion, binaries.folder, settings]);

    const orphan = await adoptOrphan(places, fingerprint, options.log);
    if (orphan !== undefined) return handOut(orphan, places, true, () => lock.release());

    if (!existsSync(places.dataFolder)) await createCluster(places, binaries, options.log);
    rememberPlaces(places);
    checkMajorVersion(places.dataFolder, binaries);
    writeAccessRules(places);
    const running = await startPostmaster({ places, binaries, settings, fingerprint, log: options.log });
    return handOut(running, places, false, () => lock.release());
  } catch (error) {
    lock.release();
    throw error;
  }
}

// ---------------------------------------------------------------------------------------------------- first start

/** Makes the cluster under a passing name: a start that was cut off leaves nothing that looks like a database. */
async function createCluster(
  places: DatabasePlaces,
  binaries: PostgresBinaries,
  log: (line: string) => void,
): Promise<void> {
  const draft = `${places.dataFolder}.new`;
  rmSync(draft, { recursive: true, force: true });
  checkFreeSpace(draft);
  log(`Making the database in ${places.dataFolder}.`);
  try {
    createFolder(draft, 0o700);
    giveTo(draft, places.user);
    // The builtin C.UTF-8 sorts by code point like C, on every machine alike, and still knows letters beyond ASCII.
    await runProgram(places, binaries.initdb, [
      ...['-D', draft, '-U', SUPERUSER, '--auth=reject', '--encoding=UTF8', '--no-locale'],
      ...['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--data-checksums', '--no-instructions'],
    ]);
    renameSync(draft, places.dataFolder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw explain(`Cannot make the database in ${places.dataFolder}`, messageOf(error), places, error);
  }
}

function checkFreeSpace(path: string): void {
  const { bavail, bsize } = statfsSync(findExistingParent(path));
  if (bavail * bsize < FREE_BYTES_MIN) throw new Error('No space left on device');
}

function runProgram(places: DatabasePlaces, program: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...spawnOptions(places), stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-4_000);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(complaint.trim() || `it ended with ${signal ?? `code ${code}`}`));
    });
  });
}

/** Turns what went wrong into a sentence that says what to do. */
function explain(what: string, complaint: string, places: DatabasePlaces, cause?: unknown): EmbeddedPostgresError {
  const advice = /No space left on device|ENOSPC|Disk quota exceeded/.test(complaint)
    ? `The disk that holds ${places.dataFolder} is full. Free at least ${FREE_BYTES_MIN / 1024 / 1024} MB, or set TOUCHSTONE_HOME to a folder on another disk.`
    : /ENOENT|ENOEXEC/.test(complaint)
      ? 'Its programs do not run on this system (they need glibc on Linux). Set DATABASE_URL to a PostgreSQL 15 or newer.'
      : /EPERM|EINVAL/.test(complaint) && currentUser().uid === 0
        ? `Root may not start programs as user id ${places.user.uid} here. Start as another user, or set DATABASE_URL to a PostgreSQL 15 or newer.`
        : /could not look up (effective|local) user/.test(complaint)
          ? `User id ${places.user.uid} has no name on this system. Add it to /etc/passwd, or set DATABASE_URL to a PostgreSQL 15 or newer.`
          : `Look into ${join(places.folder, 'postgres.log')}, or set DATABASE_URL to a PostgreSQL 15 or newer.`;
  return new EmbeddedPostgresError(`${what}. ${advice} It said: ${complaint}`, { cause });
}

function checkMajorVersion(dataFolder: string, binaries: PostgresBinaries): void {
  const data = readFileSync(join(dataFolder, 'PG_VERSION'), 'utf8').trim();
  const [program] = binaries.packageVersion.split('.');
  if (data === program) return;
  throw new EmbeddedPostgresError(
    `The data folder ${dataFolder} was made by PostgreSQL ${data}, and PostgreSQL ${program} is installed. Go back to the version of Touchstone that made it and export, or set TOUCHSTONE_HOME to another folder.`,
  );
}

/** Written on every start: the user that runs us may be another one than last time. */
function writeAccessRules(places: DatabasePlaces): void {
  const rules = 'local all all peer map=touchstone\n';
  const name = userInfo().username.replaceAll('"', '""');
  for (const [file, text] of [
    ['pg_hba.conf', rules],
    ['pg_ident.conf', `touchstone "${name}" all\n`],
  ] as const) {
    const path = join(places.dataFolder, file);
    writeFileSync(path, text, { mode: 0o600 });
    giveTo(path, places.user);
  }
}

// ---------------------------------------------------------------------------------------------------- every start

type StartPlan = {
  places: DatabasePlaces;
  binaries: PostgresBinaries;
  settings: Record<string, string>;
  fingerprint: string;
  log: (line: string) => void;
};

async function startPostmaster(plan: StartPlan): Promise<Running> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await tryStartPostmaster(plan);
    } catch (error) {
      // The first process was killed and its children have not noticed yet: they leave within a second or two.
      const leftover = messageOf(error).includes('pre-existing shared memory block');
      if (!leftover || attempt >= SHARED_MEMORY_RETRIES) throw error;
      await sleep(SHARED_MEMORY_RETRY_MS);
    }
  }
}

async function tryStartPostmaster({ places, binaries, settings, fingerprint, log }: StartPlan): Promise<Running> {
  const socketFolder = openSocketFolder(places);
  // Nobody else may use this folder and no database of ours lives, so what lies there was left by a killed one. A zombie
  // would be taken for its living owner.
  for (const end of ['', '.lock']) rmSync(join(socketFolder, `.s.PGSQL.${PORT}${end}`), { force: true });
  const logFile = openLog(places);
  const logStart = statSync(logFile).size;
  const args = ['-D', places.dataFolder];
  const fixed = { ...settings, listen_addresses: '', port: String(PORT), unix_socket_directories: socketFolder };
  for (const [name, value] of Object.entries(fixed)) args.push('-c', `${name}=${value}`);

  // The log is a file, not a pipe: a pipe would end with us and take an orphan's messages, and then the orphan, with it.
  const descriptor = openSync(logFile, 'a');
  const child = spawnPostmaster(binaries.postgres, args, places, descriptor);
  let ended: string | undefined;
  child.on('error', (error) => {
    ended = messageOf(error);
  });
  const noteEarlyExit = (code: number | null, signal: NodeJS.Signals | null) => {
    ended ??= tailOf(logFile, logStart) || `it ended with ${signal ?? `code ${code}`}`;
  };
  child.once('exit', noteEarlyExit);
  const pid = child.pid ?? 0;
  const startTime = findProcessStartTime(pid) ?? '';
  if (pid > 0) writeRecord(places, { fingerprint, socketFolder, pid, startTime, bootId: bootId() });

  const deadline = performance.now() + READY_TIMEOUT_MS;
  let told = performance.now();
  for (;;) {
    const answer = await askVersion(socketFolder);
    if (answer.version !== undefined && ended === undefined) {
      child.off('exit', noteEarlyExit);
      return { pid, startTime, socketFolder, version: answer.version, child };
    }
    if (ended !== undefined) throw explain('The database does not start', ended, places);
    if (performance.now() > deadline) {
      await endProcess(pid, startTime);
      throw explain('The database does not get ready', answer.complaint, places);
    }
    if (performance.now() - told > 5_000) {
      told = performance.now();
      log('The database is recovering; this may take a while after a crash.');
    }
    await sleep(READY_POLL_MS);
  }
}

function spawnPostmaster(program: string, args: string[], places: DatabasePlaces, logDescriptor: number): ChildProcess {
  try {
    const stdio: StdioOptions = ['ignore', logDescriptor, logDescriptor];
    return spawn(program, args, { ...spawnOptions(places), stdio, detached: true });
  } catch (error) {
    throw explain('The database does not start', messageOf(error), places, error);
  } finally {
    closeSync(logDescriptor);
  }
}

function spawnOptions(places: DatabasePlaces) {
  const root = currentUser().uid === 0;
  return {
    // Our own working folder may be out of reach for the database's user.
    cwd: '/',
    // Nothing of PGDATA, PGOPTIONS and the like may leak in.
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    ...(root ? { uid: places.user.uid, gid: places.user.gid } : {}),
  };
}

function openLog(places: DatabasePlaces): string {
  const path = join(places.folder, 'postgres.log');
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_BYTES_MAX) renameSync(path, `${path}.1`);
  closeSync(openSync(path, 'a', 0o600));
  return path;
}

function tailOf(path: string, from: number): string {
  return readFileSync(path).subarray(from).toString('utf8').trim().slice(-2_000);
}

async function askVersion(socketFolder: string): Promise<{ version?: string; complaint: string }> {
  // Without a socket there is nothing to connect to, and looking is cheaper than a client.
  if (!existsSync(join(socketFolder, `.s.PGSQL.${PORT}`))) return { complaint: 'there is no socket yet' };
  const client = new Client({
    host: socketFolder,
    port: PORT,
    user: SUPERUSER,
    database: 'postgres',
    password: '',
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const answer = await client.query<{ server_version: string }>('show server_version');
    return { version: answer.rows[0]?.server_version.split(' ')[0] ?? '', complaint: '' };
  } catch (error) {
    return { complaint: messageOf(error) };
  } finally {
    await client.end().catch(() => {});
  }
}

// ---------------------------------------------------------------------------------------------------- the orphan

/** Takes over the database that a killed server of this home left running, or clears it away. */
async function adoptOrphan(
  places: DatabasePlaces,
  fingerprint: string,
  log: (line: string) => void,
): Promise<Running | undefined> {
  const pidFile = join(places.dataFolder, 'postmaster.pid');
  if (!existsSync(pidFile)) return undefined;
  const [pidText = '', dataFolder, , , socketFolder = ''] = readFileSync(pidFile, 'utf8').split('\n');
  const pid = Number(pidText);
  const startTime = findProcessStartTime(pid);
  if (startTime === undefined) {
    await forgetZombie(pid, pidFile);
    return undefined;
  }

  const record = readRecord(places);
  if (dataFolder !== places.dataFolder || !isOurPostmaster(pid, startTime, places, record)) {
    // The number was given to another program. PostgreSQL would only see that it is alive, and refuse to start.
    rmSync(pidFile, { force: true });
    return undefined;
  }
  const startedAt = performance.now();
  const isSame = record?.pid === pid && record.fingerprint === fingerprint;
  if (isSame) {
    let deadline = performance.now() + ADOPT_TIMEOUT_MS;
    while (performance.now() < deadline && findProcessStartTime(pid) === startTime) {
      const { version, complaint } = await askVersion(socketFolder);
      // One that says that it is recovering is well; it gets as long as a fresh start would.
      if (complaint.includes('starting up')) deadline = startedAt + READY_TIMEOUT_MS;
      if (version !== undefined) {
        log(`Took over the running database of ${places.home} (process ${pid}).`);
        return { pid, startTime, socketFolder, version };
      }
      await sleep(10 * READY_POLL_MS);
    }
    log(`The database left running (process ${pid}) does not answer; starting it anew.`);
    await endProcess(pid, startTime);
  } else {
    log(`The database left running (process ${pid}) has other settings or another version; starting it anew.`);
    await stopProcess(pid, startTime);
  }
  await forgetZombie(pid, pidFile);
  return undefined;
}

/**
 * The file of a dead process is PostgreSQL's own business: it also looks for living children before it starts. But it
 * takes a zombie for living, and where nobody collects zombies (a container without an init) that would be for ever.
 */
async function forgetZombie(pid: number, pidFile: string): Promise<void> {
  const deadline = performance.now() + ZOMBIE_TIMEOUT_MS;
  while (existsSync(pidFile) && isNumberTaken(pid)) {
    if (performance.now() > deadline) return rmSync(pidFile, { force: true });
    await sleep(EXIT_POLL_MS);
  }
}

function isNumberTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function isOurPostmaster(
  pid: number,
  startTime: string,
  places: DatabasePlaces,
  record: PostmasterRecord | undefined,
): boolean {
  if (record?.pid === pid && record.bootId === bootId()) return record.startTime === startTime;
  return ` ${findCommandLine(pid)} `.includes(` -D ${places.dataFolder} `);
}

function writeRecord(places: DatabasePlaces, record: PostmasterRecord): void {
  const path = join(places.folder, 'postmaster.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function readRecord(places: DatabasePlaces): PostmasterRecord | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(places.folder, 'postmaster.json'), 'utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is PostmasterRecord {
  if (typeof value !== 'object' || value === null) return false;
  return 'fingerprint' in value && isIdentity({ hostname: '', pidNamespace: '', ...value });
}

function bootId(): string {
  return identifyProcess(process.pid).bootId;
}

// ---------------------------------------------------------------------------------------------------- the handle

function handOut(running: Running, places: DatabasePlaces, adopted: boolean, release: () => void): EmbeddedPostgres {
  const listeners = new Set<(reason: string) => void>();
  let stopping: Promise<void> | undefined;

  const tellExit = () => {
    clearInterval(watch);
    if (stopping !== undefined) return;
    const tail = tailOf(join(places.folder, 'postgres.log'), 0).slice(-400);
    for (const listener of listeners) listener(`The database ended by itself. Its log ends with: ${tail}`);
  };
  // An adopted database is not our child, so nobody tells us when it ends.
  const watch = setInterval(() => {
    if (findProcessStartTime(running.pid) !== running.startTime) tellExit();
  }, ADOPTED_WATCH_MS);
  watch.unref();
  if (running.child !== undefined) {
    clearInterval(watch);
    running.child.once('exit', tellExit);
  }

  const stop = async (): Promise<void> => {
    clearInterval(watch);
    await stopProcess(running.pid, running.startTime);
    rmSync(join(places.folder, 'postmaster.json'), { force: true });
    closeSocketFolder(places, running.socketFolder);
    release();
  };
  return {
    host: running.socketFolder,
    port: PORT,
    superuser: SUPERUSER,
    adopted,
    dataFolder: places.dataFolder,
    version: running.version,
    pid: running.pid,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
    onExit(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Fast shutdown: connections are closed, everything is written out. */
async function stopProcess(pid: number, startTime: string): Promise<void> {
  if (!sendSignal(pid, startTime, 'SIGINT')) return;
  if (!(await waitForEnd(pid, startTime, FAST_STOP_TIMEOUT_MS))) await endProcess(pid, startTime);
}

/** Immediate shutdown: the next start recovers from the write-ahead log. */
async function endProcess(pid: number, startTime: string): Promise<void> {
  for (const signal of ['SIGQUIT', 'SIGKILL'] as const) {
    // A stopped process sees no other signal until it goes on.
    sendSignal(pid, startTime, 'SIGCONT');
    if (!sendSignal(pid, startTime, signal)) return;
    if (await waitForEnd(pid, startTime, IMMEDIATE_STOP_TIMEOUT_MS)) return;
  }
  throw new EmbeddedPostgresError(`The database process ${pid} cannot be stopped. Stop it by hand and start again.`);
}

function sendSignal(pid: number, startTime: string, signal: NodeJS.Signals): boolean {
  if (findProcessStartTime(pid) !== startTime) return false;
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

async function waitForEnd(pid: number, startTime: string, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (findProcessStartTime(pid) === startTime) {
    if (performance.now() > deadline) return false;
    await sleep(EXIT_POLL_MS);
  }
  return true;
}
