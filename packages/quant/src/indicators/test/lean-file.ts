import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const ARCHIVE = 'golden/ta_lean_dev.tar.gz';
const BLOCK_BYTES = 512;

function archivePath(): string {
  const folder = process.env.TOUCHSTONE_DATA ?? join(import.meta.dirname, '../../../../../../shared/data');
  return join(folder, ARCHIVE);
}

/** Why a test against the published indicator values of the Lean project cannot run, or false. */
export function missingLeanFiles(): string | false {
  return existsSync(archivePath()) ? false : `the data file ${ARCHIVE} is not there`;
}

/** Rows of a file of the archive, the first of them its header. Each is cut at commas. */
export function readLeanFile(name: string): string[][] {
  const tar = gunzipSync(readFileSync(archivePath()));
  for (let at = 0; at + BLOCK_BYTES <= tar.length; ) {
    const text = (from: number, length: number) =>
      tar.toString('latin1', at + from, at + from + length).split('\0')[0]!;
    const path = text(0, 100);
    const size = Number.parseInt(text(124, 12).trim() || '0', 8);
    const start = at + BLOCK_BYTES;
    if (path.endsWith(`/${name}`))
      return tar
        .toString('utf8', start, start + size)
        .trim()
        .split(/\r?\n/)
        .map((line) => line.split(','));
    at = start + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
  throw new RangeError(`the archive must hold ${name}`);
}
