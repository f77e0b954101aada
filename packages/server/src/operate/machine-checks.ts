import { once } from 'node:events';
import { access, constants, readFile, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { isIdentity } from '../platform/database/embedded/data-folder-lock.ts';
import { findProcessStartTime, judgeLiveness } from '../platform/database/embedded/process-identity.ts';
import { type BucketSettings, createBucketStore } from '../platform/object-store/bucket-store.ts';
import { listBackups } from './backup-folder.ts';
import { broken, type CheckTable, fine, skipped, type Verdict, warning } from './finding.ts';

/** What of the settings the doctor looks at. */
export type MachineSettings = Readonly<{
  host: string;
  port: number;
  home: string;
  secret: string | null;
  databaseUrl: string | null;
  databaseMigrationUrl: string | null;
  backupFolder: string;
  redisUrl: string | null;
  bucket: BucketSettings | null;
}>;

/** What checks of the machine are given. Replaced in tests where a fault cannot be made: the disk. */
export type MachineContext = {
  config: MachineSettings;
  /** EpochMs. */
  now: number;
  webFolder: string;
  /** Bytes a program may still write on the disk of a folder, and its size. */
  diskOf(folder: string): Promise<{ free: number; size: number }>;
  /** Answers PING. @throws when it does not. */
  pingRedis(url: string): Promise<void>;
};

const GIGABYTE = 1e9;
const DISK_BROKEN_BYTES = 0.5 * GIGABYTE;
const DISK_LOW_BYTES = 3 * GIGABYTE;
const DAY_MS = 86_400_000;
const BACKUP_OLD_MS = 2 * DAY_MS;
const BACKUP_VERY_OLD_MS = 8 * DAY_MS;
const NODE_MAJOR = 24;
const HEALTH_TIMEOUT_MS = 2_000;

/** As the server asks for when it reads its settings. */
const SECRET_LENGTH_MIN = 32;

/** Beside the running server, also when it does not run. */
export const MACHINE_CHECKS: CheckTable<MachineContext> = [
  { name: 'node', look: checkNode },
  { name: 'port', look: checkPort },
  { name: 'home-folder', look: checkHome },
  { name: 'secret', look: checkSecret },
  { name: 'server-lock', look: checkLock },
  { name: 'orphan-database', look: checkOrphan },
];

/** What a running server can look at as well. */
export const SHARED_CHECKS: CheckTable<MachineContext> = [
  { name: 'disk-space', look: checkDisk },
  { name: 'backups', look: checkBackups },
  { name: 'redis', look: checkRedis },
  { name: 'bucket', look: checkBucket },
  { name: 'pages', look: checkPages },
];

async function checkNode(): Promise<Verdict> {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= NODE_MAJOR) return fine(`Node ${process.versions.node}.`);
  return broken(
    `This is Node ${process.versions.node}.`,
    `The server runs TypeScript as it is, which needs Node ${NODE_MAJOR}.`,
    'npm start',
  );
}

async function checkPort({ config }: MachineContext): Promise<Verdict> {
  const { host, port } = config;
  const probe = createServer();
  try {
    probe.listen({ host, port });
    await once(probe, 'listening');
    probe.close();
    await once(probe, 'close');
    return fine(`Port ${port} is free: no server runs.`);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EADDRINUSE') {
      return broken(
        `${host} port ${port} cannot be listened on (${String(code)}).`,
        'The server cannot start.',
        'HOST=127.0.0.1 PORT=8080 npm start',
      );
    }
  }
  if (await isTouchstone(host, port)) return fine(`Touchstone answers on port ${port}.`);
  return broken(
    `Port ${port} is taken by another program.`,
    'The server cannot start on it.',
    `PORT=${port + 1} npm start`,
  );
}

async function isTouchstone(host: string, port: number): Promise<boolean> {
  const name = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  try {
    const signal = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
    const answer = await fetch(`http://${name}:${port}/healthz`, { signal, headers: { connection: 'close' } });
    const told: unknown = await answer.json();
    return typeof told === 'object' && told !== null && 'ok' in told && told.ok === true;
  } catch {
    return false;
  }
}

async function checkHome({ config: { home } }: MachineContext): Promise<Verdict> {
  const found = await stat(home).catch(() => undefined);
  if (found === undefined) return fine(`${home} is not there yet; the first start makes it.`);
  const uid = process.getuid?.();
  if (!found.isDirectory()) return broken(`${home} is a file.`, 'Data cannot be kept there.', `mv ${home} ${home}.old`);
  if (uid !== undefined && uid !== 0 && found.uid !== uid) {
    return broken(
      `${home} belongs to user id ${found.uid}, and this is ${uid}.`,
      'The server cannot write its data.',
      `sudo chown -R ${uid} ${home}`,
    );
  }
  if ((found.mode & 0o022) !== 0) {
    return broken(
      `${home} may be written by others.`,
      "They could exchange the installation's secret and files.",
      `chmod go-w ${home}`,
    );
  }
  const isWritable = await access(home, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable) return broken(`${home} cannot be written.`, 'Nothing can be stored.', `chmod u+w ${home}`);
  return fine(`${home} is ours alone to write.`);
}

async function checkSecret({ config: { home, secret } }: MachineContext): Promise<Verdict> {
  if (secret !== null) return fine('The secret comes from TOUCHSTONE_SECRET.');
  const file = path.join(home, 'secret');
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) {
    const hasData = (await stat(path.join(home, 'database')).catch(() => undefined)) !== undefined;
    if (!hasData) return fine('There is no secret yet; the first start makes it.');
    return broken(
      `${file} is missing.`,
      'The next start makes a new one, and what the old one sealed (signing keys, keys of vendors) cannot be opened any more.',
      'touchstone restore FILE',
    );
  }
  const length = (await readFile(file, 'utf8')).trim().length;
  if (length < SECRET_LENGTH_MIN) {
    return broken(
      `The secret in ${file} has ${length} characters, at least ${SECRET_LENGTH_MIN} are needed.`,
      'The server refuses to start with it.',
      'touchstone restore FILE',
    );
  }
  if ((found.mode & 0o077) !== 0) {
    return broken(`${file} can be read by others.`, 'Who has it can make sessions for anybody.', `chmod 600 ${file}`);
  }
  return fine('The secret is long enough and for its owner only.');
}

async function checkLock({ config }: MachineContext): Promise<Verdict> {
  if (config.databaseUrl !== null) return skipped('The database is a server of its own.');
  const holder = await readIdentity(path.join(config.home, 'database', 'server.lock'));
  if (holder === null) return fine('No server holds the data folder.');
  const liveness = judgeLiveness(holder);
  if (liveness === 'alive') return fine(`Process ${holder.pid} holds the data folder.`);
  if (liveness === 'unknown') {
    return warning(
      `The data folder is held by process ${holder.pid} of ${holder.hostname}, which cannot be looked up from here.`,
      'Two servers on one data folder would destroy it, so a start waits to see whether the other lives.',
    );
  }
  return warning(
    `The lock of process ${holder.pid} is stale: that process has ended without giving it back.`,
    'It was killed, or the machine lost power. The next start takes the lock over by itself.',
    'npm start',
  );
}

async function checkOrphan({ config }: MachineContext): Promise<Verdict> {
  if (config.databaseUrl !== null) return skipped('The database is a server of its own.');
  const folder = path.join(config.home, 'database');
  const record = await readJson(path.join(folder, 'postmaster.json'));
  const pid = Number(record?.pid);
  const runs =
    record !== null && findProcessStartTime(pid) !== undefined && findProcessStartTime(pid) === record.startTime;
  if (!runs) return fine('No embedded database runs without its server.');
  const holder = await readIdentity(path.join(folder, 'server.lock'));
  if (holder !== null && judgeLiveness(holder) !== 'dead') return fine(`The embedded database is process ${pid}.`);
  return warning(
    `The embedded database runs as process ${pid}, and its server does not.`,
    'It keeps memory and files open. The next start finds it and takes it over; no row is lost.',
    'npm start',
  );
}

async function readIdentity(file: string) {
  const value: unknown = await readJson(file);
  return isIdentity(value) ? value : null;
}

async function readJson(file: string): Promise<Record<string, unknown> | null> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

async function checkDisk({ config, diskOf }: MachineContext): Promise<Verdict> {
  const { free, size } = await diskOf(config.home);
  const told = `The disk of ${config.home} has ${gigabytes(free)} of ${gigabytes(size)} free.`;
  const archive = 'touchstone archive start 10';
  if (free < DISK_BROKEN_BYTES) return broken(told, 'Imports and the database stop when it is full.', archive);
  if (free < DISK_LOW_BYTES) return warning(told, 'A large import or backup may fill it.', archive);
  return fine(told);
}

function gigabytes(bytes: number): string {
  return `${(bytes / GIGABYTE).toFixed(1)} GB`;
}

async function checkBackups({ config: { backupFolder, home }, now }: MachineContext): Promise<Verdict> {
  const found = await stat(backupFolder).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) {
    return broken(
      `${backupFolder} is a file.`,
      'Backups cannot be written.',
      'BACKUP_FOLDER=/another/folder npm start',
    );
  }
  if (found !== undefined) {
    const isWritable = await access(backupFolder, constants.W_OK).then(
      () => true,
      () => false,
    );
    if (!isWritable) return broken(`${backupFolder} cannot be written.`, 'Backups fail.', `chmod u+w ${backupFolder}`);
  }
  const newest = (await listBackups(backupFolder)).find((backup) => backup.state === 'verified');
  const start = 'touchstone backup start';
  if (newest === undefined) {
    const hasData = (await stat(path.join(home, 'objects')).catch(() => undefined)) !== undefined;
    if (!hasData) return fine('There is nothing to back up yet.');
    return warning(`There is no verified backup in ${backupFolder}.`, 'A lost disk would lose everything.', start);
  }
  const age = now - Date.parse(newest.createdAt);
  const told = `The newest backup is ${(age / DAY_MS).toFixed(1)} days old.`;
  if (age > BACKUP_VERY_OLD_MS) return broken(told, 'A lost disk would lose all since then.', start);
  if (age > BACKUP_OLD_MS) return warning(told, 'A lost disk would lose all since then.', start);
  if (path.resolve(backupFolder).startsWith(`${path.resolve(home)}${path.sep}`)) {
    return warning(
      `The newest backup is fresh, and lies in ${backupFolder}, inside the data folder.`,
      'Backups on the same disk are lost with it.',
      'BACKUP_FOLDER=/another/disk npm start',
    );
  }
  return fine(told);
}

async function checkRedis({ config: { redisUrl }, pingRedis }: MachineContext): Promise<Verdict> {
  if (redisUrl === null)
    return skipped('REDIS_URL is not set; caches and limits live in the process and the database.');
  try {
    await pingRedis(redisUrl);
    return fine('Redis answers.');
  } catch (error) {
    // The address may hold a password, so only its host is told.
    const host = URL.canParse(redisUrl) ? new URL(redisUrl).host : 'REDIS_URL';
    const cause = error instanceof Error ? error.message.replaceAll(redisUrl, host) : 'no answer';
    return broken(
      `Redis at ${host} does not answer (${cause}).`,
      'Limits and caches are not shared between processes while it is away.',
      'redis-server, or unset REDIS_URL',
    );
  }
}

async function checkBucket({ config: { bucket, home } }: MachineContext): Promise<Verdict> {
  if (bucket === null) return skipped('S3_BUCKET is not set; objects lie in the data folder.');
  try {
    // Nothing has this hash; that the bucket says so is the answer.
    await createBucketStore(path.join(home, 'objects'), bucket).find('0'.repeat(64));
    return fine('The bucket answers.');
  } catch (error) {
    return broken(
      error instanceof Error ? error.message : 'The bucket does not answer.',
      'Nothing new is taken while it is away, and what other machines wrote cannot be read.',
      'Check S3_ENDPOINT, S3_BUCKET and the key; docs/operate/object-store.md',
    );
  }
}

async function checkPages({ webFolder }: MachineContext): Promise<Verdict> {
  const found = await stat(path.join(webFolder, 'index.html')).catch(() => undefined);
  if (found !== undefined) return fine('The pages are built.');
  return warning('The pages are not built.', 'The API answers, and a browser sees nothing.', 'npm start');
}

/** The disk a folder lies on, or will lie on once it is made. */
export async function diskOf(folder: string): Promise<{ free: number; size: number }> {
  let existing = path.resolve(folder);
  while ((await stat(existing).catch(() => undefined)) === undefined) existing = path.dirname(existing);
  const { bavail, blocks, bsize } = await statfs(existing);
  return { free: bavail * bsize, size: blocks * bsize };
}

/** Asks a Redis server whether it lives, once. */
export async function pingRedis(url: string): Promise<void> {
  const { Redis } = await import('ioredis');
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 2_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}
