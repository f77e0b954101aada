import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, EmbeddedPostgresError } from './embedded-postgres-error.ts';
import { identifyProcess, judgeLiveness, type ProcessIdentity } from './process-identity.ts';

export type DataFolderLock = { release(): void };

const HEARTBEAT_MS = 1_000;
const HEARTBEAT_PATIENCE_MS = 4_000;
const ATTEMPTS_MAX = 5;

/**
 * Makes this process the only one that starts a database on a folder.
 *
 * The lock is a file that names its process by number and start time, so a lock left behind by a killed process is seen
 * to be stale and replaced. Where the process cannot be looked up (another container, another machine), the file's
 * modification time, renewed every second, tells.
 *
 * @param path The lock file; its folder exists.
 * @param folder Named in the error.
 * @throws EmbeddedPostgresError if a living process holds the lock.
 */
export async function acquireDataFolderLock(path: string, folder: string): Promise<DataFolderLock> {
  const mine = `${JSON.stringify(identifyProcess(process.pid))}\n`;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (createWhole(path, mine)) return holdLock(path, mine);
    const found = readIfThere(path);
    if (found === undefined) continue;
    const holder = parseIdentity(found);
    if (holder !== undefined && (await isHeld(holder, path))) throw inUse(folder, holder.pid);
    removeStale(path, found);
  }
  throw new EmbeddedPostgresError(`The lock ${path} changes hands all the time. Start one server only.`);
}

function inUse(folder: string, pid: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `The data folder ${folder} is in use by process ${pid}. Stop it, or set TOUCHSTONE_HOME to another folder.`,
  );
}

function holdLock(path: string, mine: string): DataFolderLock {
  const heartbeat = setInterval(() => {
    try {
      const now = new Date();
      utimesSync(path, now, now);
    } catch {
      // A missing file is not made again: whoever removed it may have started a server since.
    }
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return {
    release() {
      clearInterval(heartbeat);
      if (readIfThere(path) === mine) rmSync(path, { force: true });
    },
  };
}

/** Creates the file with its content in one step, so that nobody ever reads a half-written lock. */
function createWhole(path: string, content: string): boolean {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, content, { mode: 0o600 });
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

async function isHeld(holder: ProcessIdentity, path: string): Promise<boolean> {
  const liveness = judgeLiveness(holder);
  if (liveness !== 'unknown') return liveness === 'alive';
  const before = modifiedAt(path);
  if (before === undefined || Date.now() - before > 10 * HEARTBEAT_PATIENCE_MS) return false;
  await sleep(HEARTBEAT_PATIENCE_MS);
  return modifiedAt(path) !== before;
}

/** Moves the lock aside, then looks again: if another starter was quicker, its fresh lock is put back. */
function removeStale(path: string, judged: string): void {
  const aside = `${path}.stale.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    renameSync(path, aside);
    if (readIfThere(aside) !== judged) linkSync(aside, path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function parseIdentity(text: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isIdentity(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const texts = ['startTime', 'bootId', 'pidNamespace', 'hostname'];
  const record: Record<string, unknown> = { ...value };
  return Number.isInteger(record.pid) && texts.every((name) => typeof record[name] === 'string');
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function modifiedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
