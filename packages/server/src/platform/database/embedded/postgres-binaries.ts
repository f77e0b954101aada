import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { codeOf, EmbeddedPostgresError, messageOf } from './embedded-postgres-error.ts';
import { createFolder, isReadableBy, type SystemUser } from './system-user.ts';

export type PostgresBinaries = {
  /** Holds `bin`, `lib` and `share`. */
  folder: string;
  initdb: string;
  postgres: string;
  /** Of the package; names the copy and tells an adopted server from a newer one. */
  packageVersion: string;
};

/**
 * Finds the PostgreSQL of the installed package and makes it usable for the given user.
 *
 * The package's install script makes links to its libraries; install scripts are switched off in this project, so the
 * missing links are made here. If that is not allowed, or the user cannot reach the package (a clone inside a private
 * home, started as root), a copy is made under `copyFolder` once per version.
 *
 * @throws EmbeddedPostgresError if the package is not installed for this system.
 */
export function prepareBinaries(options: {
  user: SystemUser;
  copyFolder: string;
  log: (line: string) => void;
  nativeFolder?: string;
}): PostgresBinaries {
  const native = options.nativeFolder ?? findNativeFolder();
  const packageVersion = readPackageVersion(native);
  const linked = repairLinks(native);
  if (linked && isUsableBy(native, options.user)) return describe(native, packageVersion);

  const copy = join(options.copyFolder, `postgres-${packageVersion}`);
  if (!existsSync(copy)) {
    options.log(
      linked
        ? `The database's programs in ${native} cannot be reached by user id ${options.user.uid}; copying them to ${copy}.`
        : `The database's programs in ${native} cannot be completed there; copying them to ${copy}.`,
    );
    copyWhole(native, copy);
  }
  if (!repairLinks(copy) || !isUsableBy(copy, options.user)) {
    throw new EmbeddedPostgresError(
      `The database's programs in ${copy} are not usable by user id ${options.user.uid}. Remove that folder and start again.`,
    );
  }
  return describe(copy, packageVersion);
}

function describe(folder: string, packageVersion: string): PostgresBinaries {
  return {
    folder,
    initdb: join(folder, 'bin', 'initdb'),
    postgres: join(folder, 'bin', 'postgres'),
    packageVersion,
  };
}

function findNativeFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (error) {
    throw new EmbeddedPostgresError(
      `The embedded database is not installed for ${process.platform}-${process.arch} (package ${name}). Run "npm ci" with optional dependencies, or set DATABASE_URL to a PostgreSQL 15 or newer.`,
      { cause: error },
    );
  }
}

function readPackageVersion(native: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version);
  throw new EmbeddedPostgresError(`${join(native, '..', 'package.json')} names no version. Run "npm ci" again.`);
}

/** Makes the links that `pg-symlinks.json` lists and that are missing. False if that is not allowed here. */
function repairLinks(native: string): boolean {
  const listFile = join(native, 'pg-symlinks.json');
  if (!existsSync(listFile)) return true;
  const list: unknown = JSON.parse(readFileSync(listFile, 'utf8'));
  if (!Array.isArray(list)) return true;
  for (const entry of list) {
    const { source, target } = entry as { source: string; target: string };
    // The list's paths start at the package's root (`native/lib/…`); a copy has another name for that folder.
    const from = join(native, relative('native', source));
    const to = join(native, relative('native', target));
    if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(relative(dirname(to), from), to);
    } catch (error) {
      // Another server starting at the same moment may have made it.
      if (codeOf(error) !== 'EEXIST') return false;
    }
  }
  return true;
}

function isUsableBy(folder: string, user: SystemUser): boolean {
  const samples = [
    join(folder, 'bin', 'postgres'),
    join(folder, 'bin', 'initdb'),
    join(folder, 'share', 'postgresql', 'postgres.bki'),
    ...readdirSync(join(folder, 'lib'))
      .map((name) => join(folder, 'lib', name))
      .filter((path) => statSync(path).isFile()),
  ];
  return samples.every((path) => isReadableBy(path, user));
}

/** Copies under a passing name first: a copy that was cut off is never taken for a whole one. */
function copyWhole(from: string, to: string): void {
  const draft = `${to}.${process.pid}`;
  try {
    createFolder(dirname(to), 0o755);
    cpSync(from, draft, { recursive: true, verbatimSymlinks: true });
    makeReadable(draft);
    renameSync(draft, to);
  } catch (error) {
    if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return;
    throw new EmbeddedPostgresError(
      `Cannot copy the database's programs to ${to}: ${messageOf(error)}. Free some space or make ${dirname(to)} writable.`,
      { cause: error },
    );
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function makeReadable(path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  const runs = stat.isDirectory() || (stat.mode & 0o100) !== 0;
  chmodSync(path, runs ? 0o755 : 0o644);
  if (!stat.isDirectory()) return;
  for (const name of readdirSync(path)) makeReadable(join(path, name));
}
