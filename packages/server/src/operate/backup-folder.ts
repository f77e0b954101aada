import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Backup } from '@touchstone/contracts/keeping';
import type pg from 'pg';
import { z } from 'zod';
import { writeBackup } from './backup.ts';
import { BackupError, checkBackup } from './backup-file.ts';

/** How many backups the rotation keeps of each kind: the newest of a day, an ISO week, a month. */
export const KEEPS = { daily: 7, weekly: 4, monthly: 12 } as const;

const NAME = /^touchstone-(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z\.backup$/;
const DAY_MS = 86_400_000;

/**
 * Lies beside every backup the server made. Without it a file was made by somebody else, and is never removed. Written
 * before the backup, so that what a crash leaves is known as ours too.
 */
const note = z.object({
  name: z.string(),
  createdAt: z.string(),
  root: z.string().nullable(),
  verifiedAt: z.string().nullable(),
});
type Note = z.infer<typeof note>;
type Kept = Backup['keptAs'][number];

export type FolderBackup = {
  client: pg.ClientBase;
  home: string;
  folder: string;
  /** EpochMs. */
  now: number;
  signal?: AbortSignal;
  progress?: (note: string) => void;
};

export type FolderBackupResult = {
  name: string;
  byteCount: number;
  rowCount: number;
  objectCount: number;
  root: string;
  removed: string[];
};

/**
 * Writes a backup into the folder, reads it back from the disk, and takes away what the rotation does not keep.
 *
 * A file has its name only when it is whole; it counts as verified only when every part was read back with its hash.
 * One that fails is removed, and no older one goes for it.
 *
 * @throws BackupError with a sentence.
 */
export async function backUpInto(plan: FolderBackup): Promise<FolderBackupResult> {
  const { client, home, folder, signal, progress } = plan;
  const createdAt = new Date(plan.now).toISOString();
  await openFolder(folder);
  const name = await takeName(folder, plan.now);
  const file = path.join(folder, name);
  try {
    const made = await writeBackup({
      client,
      home,
      file,
      createdAt,
      ...(signal && { signal }),
      ...(progress && { progress }),
    });
    progress?.('Read it back');
    const { manifest } = await checkBackup(file);
    signal?.throwIfAborted();
    if (manifest.root !== made.root)
      throw new BackupError(`${file} was read back with another root than it was written.`);
    await writeNote(folder, { name, createdAt, root: made.root, verifiedAt: createdAt });
    const removed = await rotate(folder, plan.now);
    const { byteCount, rowCount, objectCount, root } = made;
    return { name, byteCount, rowCount, objectCount, root, removed };
  } catch (error) {
    for (const left of [file, `${file}.part`, notePath(folder, name)]) await rm(left, { force: true });
    throw error;
  }
}

/** Backups of the folder, newest first. Files the server did not make are not among them. */
export async function listBackups(folder: string): Promise<Backup[]> {
  const names: string[] = await readdir(folder).catch(() => []);
  const backups: Omit<Backup, 'keptAs'>[] = [];
  for (const name of names.filter((each) => NAME.test(each))) {
    const told = await readNote(folder, name);
    const found = await stat(path.join(folder, name)).catch(() => undefined);
    if (told === undefined || found === undefined) continue;
    const state = told.verifiedAt === null ? 'unverified' : 'verified';
    backups.push({ name, createdAt: told.createdAt, byteCount: found.size, state, root: told.root });
  }
  backups.sort((a, b) => (a.name < b.name ? 1 : -1));
  const reasons = chooseKept(backups.filter((backup) => backup.state === 'verified').map((backup) => backup.createdAt));
  return backups.map((backup) => ({
    ...backup,
    keptAs: backup.state === 'verified' ? (reasons.get(backup.createdAt) ?? []) : [],
  }));
}

/**
 * Which backups stay and why: the newest, and the newest of each of the last 7 days, 4 weeks and 12 months that have one.
 * A time without backups costs nothing: what is counted are days with one.
 *
 * @param createdAt ISO texts, newest first.
 */
export function chooseKept(createdAt: readonly string[]): Map<string, Kept[]> {
  const kept = new Map<string, Kept[]>();
  const keep = (at: string, why: Kept) => kept.set(at, [...(kept.get(at) ?? []), why]);
  if (createdAt[0] !== undefined) keep(createdAt[0], 'newest');
  const periods: [Kept, number, (at: string) => string][] = [
    ['daily', KEEPS.daily, (at) => at.slice(0, 10)],
    ['weekly', KEEPS.weekly, weekOf],
    ['monthly', KEEPS.monthly, (at) => at.slice(0, 7)],
  ];
  for (const [why, count, periodOf] of periods) {
    const seen = new Set<string>();
    for (const at of createdAt) {
      const period = periodOf(at);
      if (seen.has(period)) continue;
      if (seen.size === count) break;
      seen.add(period);
      keep(at, why);
    }
  }
  return kept;
}

/** The Monday of its week. */
function weekOf(at: string): string {
  const day = Date.parse(at.slice(0, 10));
  return new Date(day - ((new Date(day).getUTCDay() + 6) % 7) * DAY_MS).toISOString().slice(0, 10);
}

/** Removes what is ours and is not kept. @returns the names of removed backups. */
async function rotate(folder: string, now: number): Promise<string[]> {
  const backups = await listBackups(folder);
  const removed: string[] = [];
  for (const backup of backups) {
    // One that is being written is not verified yet, so those get a day.
    const isLeft = backup.state === 'unverified' && now - Date.parse(backup.createdAt) > DAY_MS;
    const isOld = backup.state === 'verified' && backup.keptAs.length === 0;
    if (!isLeft && !isOld) continue;
    await rm(path.join(folder, backup.name), { force: true });
    await rm(notePath(folder, backup.name), { force: true });
    removed.push(backup.name);
  }
  await removeLeftovers(folder, now);
  return removed;
}

/** Notes and drafts of backups that were killed while they were written. */
async function removeLeftovers(folder: string, now: number): Promise<void> {
  const names: string[] = await readdir(folder);
  for (const name of names.filter((each) => each.endsWith('.backup.json'))) {
    const backup = name.slice(0, -'.json'.length);
    const told = NAME.test(backup) ? await readNote(folder, backup) : undefined;
    if (told === undefined || names.includes(backup) || now - Date.parse(told.createdAt) <= DAY_MS) continue;
    for (const left of [`${backup}.part`, name]) await rm(path.join(folder, left), { force: true });
  }
}

async function openFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new BackupError(`The backup folder ${folder} cannot be made (${cause}). Set BACKUP_FOLDER to another one.`, {
      cause: error,
    });
  }
}

/**
 * A name nobody has, taken by writing its note: a person and a schedule may both want a backup this very second, and the
 * later one is named after the next free second.
 */
async function takeName(folder: string, now: number): Promise<string> {
  const createdAt = new Date(now).toISOString();
  for (let at = now; ; at += 1000) {
    const second = new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, '');
    const name = `touchstone-${second}Z.backup`;
    if ((await stat(path.join(folder, name)).catch(() => undefined)) !== undefined) continue;
    const told: Note = { name, createdAt, root: null, verifiedAt: null };
    try {
      await writeFile(notePath(folder, name), `${JSON.stringify(told)}\n`, { mode: 0o600, flag: 'wx' });
      return name;
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
      if (!isTaken) throw error;
    }
  }
}

function notePath(folder: string, name: string): string {
  return path.join(folder, `${name}.json`);
}

async function writeNote(folder: string, told: Note): Promise<void> {
  const draft = `${notePath(folder, told.name)}.part`;
  await writeFile(draft, `${JSON.stringify(told)}\n`, { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, notePath(folder, told.name));
}

async function readNote(folder: string, name: string): Promise<Note | undefined> {
  try {
    const told = note.parse(JSON.parse(await readFile(notePath(folder, name), 'utf8')));
    return told.name === name ? told : undefined;
  } catch {
    return undefined;
  }
}
