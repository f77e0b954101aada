import { chmodSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Whom the database runs as. */
export type SystemUser = { uid: number; gid: number };

/** PostgreSQL refuses to run as root, so root lends it this one; it exists on every Linux without making a user. */
export const NOBODY: SystemUser = { uid: 65534, gid: 65534 };

const READ = 4;
const TRAVERSE = 1;

export function currentUser(): SystemUser {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
}

/** Whether the user may walk down to the folder and into it. Judged by permission bits. */
export function isTraversableBy(folder: string, user: SystemUser): boolean {
  for (let path = realpathSync(folder); ; path = dirname(path)) {
    if (!hasPermission(path, user, TRAVERSE)) return false;
    if (path === dirname(path)) return true;
  }
}

/** Whether the user may walk down to the file and read it. */
export function isReadableBy(file: string, user: SystemUser): boolean {
  return isTraversableBy(dirname(file), user) && hasPermission(file, user, READ);
}

/**
 * Makes a folder with this very mode, whatever the umask, and its missing parents with it. Folders that exist already
 * keep their mode: a private home stays private.
 */
export function createFolder(folder: string, mode: number): void {
  const first = mkdirSync(folder, { recursive: true, mode });
  if (first === undefined) return;
  for (let path = folder; path.length >= first.length; path = dirname(path)) chmodSync(path, mode);
}

/** The nearest part of the path that exists. */
export function findExistingParent(path: string): string {
  for (let parent = path; ; parent = dirname(parent)) {
    if (statSync(parent, { throwIfNoEntry: false }) !== undefined) return parent;
    if (parent === dirname(parent)) return join('/');
  }
}

function hasPermission(path: string, user: SystemUser, bit: number): boolean {
  const { mode, uid, gid } = statSync(path);
  if (user.uid === 0) return true;
  if (uid === user.uid) return (mode & (bit << 6)) !== 0;
  if (gid === user.gid) return (mode & (bit << 3)) !== 0;
  return (mode & bit) !== 0;
}
