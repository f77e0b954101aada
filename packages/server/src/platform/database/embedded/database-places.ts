import { createHash } from 'node:crypto';
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';
import { createFolder, currentUser, isTraversableBy, NOBODY, type SystemUser } from './system-user.ts';

/** Where everything of one embedded database lies. */
export type DatabasePlaces = {
  /** `TOUCHSTONE_HOME`, absolute, without links. */
  home: string;
  /** `<home>/database`: lock, log, records, and usually the data. */
  folder: string;
  dataFolder: string;
  /** Whom the database runs as; differs from ourselves only when we are root. */
  user: SystemUser;
};

/** The port is part of the socket's name only; nothing listens on a network. */
export const PORT = 5432;
const SOCKET_PATH_BYTES_MAX = process.platform === 'darwin' ? 103 : 107;

/** Finds the home, making it if needed. A new home is private; as root it may be walked through but not listed. */
export function openHome(home: string): { home: string; folder: string } {
  const mode = currentUser().uid === 0 ? 0o711 : 0o700;
  const wanted = resolve(home);
  createFolder(wanted, mode);
  const real = realpathSync(wanted);
  createFolder(join(real, 'database'), mode);
  return { home: real, folder: join(real, 'database') };
}

/**
 * Decides where the data lies and whom the database runs as, and remembers the place in `<home>/database/location`:
 * a home whose permissions change later must not make a second, empty database.
 *
 * As root the database runs as the owner of existing data, else as `nobody`. If that user cannot walk into the home, the
 * data goes to `systemFolder`.
 */
export function decidePlaces(
  opened: { home: string; folder: string },
  systemFolder: string,
  log: (line: string) => void,
): DatabasePlaces {
  const { home, folder } = opened;
  const locationFile = join(folder, 'location');
  const remembered = existsSync(locationFile) ? readFileSync(locationFile, 'utf8').trim() : undefined;
  if (remembered !== undefined && !existsSync(remembered)) {
    throw new EmbeddedPostgresError(
      `The database of ${home} lies in ${remembered}, and that folder is missing. Bring it back, or remove ${locationFile} to start with an empty database.`,
    );
  }
  const inHome = join(folder, 'data');
  const existing = remembered ?? (existsSync(inHome) ? inHome : undefined);
  if (existing !== undefined) {
    return { home, folder, dataFolder: existing, user: findUserFor(existing) };
  }
  const me = currentUser();
  const user = me.uid === 0 ? NOBODY : me;
  if (isTraversableBy(folder, user)) return { home, folder, dataFolder: inHome, user };

  const name = `data-${createHash('sha256').update(home).digest('hex').slice(0, 12)}`;
  const dataFolder = join(systemFolder, name);
  createFolder(systemFolder, 0o755);
  log(
    `The database cannot run as root, and user id ${user.uid} cannot walk into ${home}: its data goes to ${dataFolder}.`,
  );
  return { home, folder, dataFolder, user };
}

/** Called once the data folder exists. */
export function rememberPlaces(places: DatabasePlaces): void {
  writeFileSync(join(places.folder, 'location'), `${places.dataFolder}\n`);
}

function findUserFor(dataFolder: string): SystemUser {
  const me = currentUser();
  const { uid, gid } = statSync(dataFolder);
  if (me.uid === 0) {
    if (uid !== 0) return { uid, gid };
    throw new EmbeddedPostgresError(
      `The data folder ${dataFolder} belongs to root, and PostgreSQL refuses to run as root. Give it to another user: chown -R nobody ${dataFolder}`,
    );
  }
  if (uid === me.uid) return me;
  throw new EmbeddedPostgresError(
    `The data folder ${dataFolder} belongs to user id ${uid}, and this process runs as ${me.uid}. Start it as that user or as root, or set TOUCHSTONE_HOME to another folder.`,
  );
}

/**
 * A folder for the socket that only the database's user may enter: inside the home where the path is short enough and
 * plain, otherwise a new one in the temporary folder, remembered in `<home>/database/socket-folder`.
 */
export function openSocketFolder(places: DatabasePlaces): string {
  const inHome = join(places.folder, 'socket');
  if (isFitForSocket(inHome) && isTraversableBy(places.folder, places.user)) {
    createFolder(inHome, 0o700);
    giveTo(inHome, places.user);
    return inHome;
  }
  const record = join(places.folder, 'socket-folder');
  const remembered = existsSync(record) ? readFileSync(record, 'utf8').trim() : '';
  if (remembered !== '' && isPrivateFolder(remembered, places.user)) return remembered;

  const short = isFitForSocket(join(tmpdir(), 'touchstone-XXXXXX')) ? tmpdir() : '/tmp';
  const made = mkdtempSync(join(short, 'touchstone-'));
  giveTo(made, places.user);
  writeFileSync(record, `${made}\n`);
  return made;
}

/** Removes a socket folder of the temporary folder; the one in the home stays. */
export function closeSocketFolder(places: DatabasePlaces, socketFolder: string): void {
  if (socketFolder.startsWith(places.folder)) return;
  rmSync(socketFolder, { recursive: true, force: true });
  rmSync(join(places.folder, 'socket-folder'), { force: true });
}

export function giveTo(path: string, user: SystemUser): void {
  if (currentUser().uid === 0) chownSync(path, user.uid, user.gid);
}

/** PostgreSQL reads the setting as a list, so commas, quotes and blanks would need quoting of their own. */
function isFitForSocket(folder: string): boolean {
  return /^[\w./-]+$/.test(folder) && Buffer.byteLength(join(folder, `.s.PGSQL.${PORT}`)) <= SOCKET_PATH_BYTES_MAX;
}

/** Anybody may make folders in the temporary folder, so a remembered one is trusted only if it still is ours alone. */
function isPrivateFolder(folder: string, user: SystemUser): boolean {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === user.uid && (stat.mode & 0o077) === 0;
}
