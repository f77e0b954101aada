import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ProblemError } from '../problem-error.ts';

export type StoredObject = { sha256: string; byteCount: number };

/** Files under the hash of their content. Putting the same content twice keeps one file. */
export type ObjectStore = {
  put(content: Buffer | Readable, options?: { byteCountMax?: number }): Promise<StoredObject>;
  /** @throws if it is not there or its content does not have its hash. */
  get(sha256: string): Promise<Buffer>;
  stream(sha256: string): Readable;
  /** Where its file lies on this machine once it is there. */
  pathOf(sha256: string): string;
  /** The file itself on this machine, for readers that want a path. @throws if it is nowhere. */
  fetch(sha256: string): Promise<string>;
  find(sha256: string): Promise<StoredObject | undefined>;
};

/** Keeps objects below a folder, in 256 subfolders by the first two digits of the hash. */
export function createFolderStore(folder: string): ObjectStore {
  const pathOf = (sha256: string): string => {
    if (!/^[0-9a-f]{64}$/.test(sha256))
      throw new RangeError(`an object is named by 64 hexadecimal digits, was ${sha256}`);
    return path.join(folder, sha256.slice(0, 2), sha256);
  };
  const find = async (sha256: string): Promise<StoredObject | undefined> => {
    const found = await stat(pathOf(sha256)).catch(() => undefined);
    return found === undefined ? undefined : { sha256, byteCount: found.size };
  };
  return {
    pathOf,
    find,
    stream: (sha256) => createReadStream(pathOf(sha256)),
    async fetch(sha256) {
      if ((await find(sha256)) === undefined) throw new Error(`Object ${sha256} is missing. Restore it from a backup.`);
      return pathOf(sha256);
    },
    async get(sha256) {
      const content = await readFile(pathOf(sha256));
      if (createHash('sha256').update(content).digest('hex') !== sha256) {
        throw new Error(`Object ${sha256} has other content than its hash says. Restore it from a backup.`);
      }
      return content;
    },
    async put(content, options = {}) {
      const incoming = path.join(folder, 'incoming', randomUUID());
      await mkdir(path.dirname(incoming), { recursive: true });
      try {
        const stored = await writeHashed(content, incoming, options.byteCountMax ?? Number.POSITIVE_INFINITY);
        if ((await find(stored.sha256)) === undefined) {
          await mkdir(path.dirname(pathOf(stored.sha256)), { recursive: true });
          // A rename is whole or not at all: a reader never meets half a file.
          await rename(incoming, pathOf(stored.sha256));
        }
        return stored;
      } catch (error) {
        throw isDiskFull(error) ? diskFull(folder, error) : error;
      } finally {
        await rm(incoming, { force: true });
      }
    },
  };
}

/** Hash of a file, read piece by piece. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}

async function writeHashed(content: Buffer | Readable, file: string, byteCountMax: number): Promise<StoredObject> {
  const hash = createHash('sha256');
  let byteCount = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      byteCount += chunk.length;
      hash.update(chunk);
      if (byteCount > byteCountMax)
        done(new ProblemError('TOO_LARGE', `At most ${byteCountMax} bytes can be sent at once.`));
      else done(null, chunk);
    },
  });
  await pipeline(Buffer.isBuffer(content) ? [content] : content, measure, createWriteStream(file));
  const handle = await open(file, 'r+');
  // The hash is told to the caller next, who may rely on the file being there after a crash.
  await handle.sync();
  await handle.close();
  return { sha256: hash.digest('hex'), byteCount };
}

export function diskFull(folder: string, cause: unknown): ProblemError {
  return new ProblemError('DISK_FULL', `There is no room left in ${folder}. Free some and send it again.`, { cause });
}

export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
