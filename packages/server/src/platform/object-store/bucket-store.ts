import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, openAsBlob } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { S3mini, S3ServiceError } from 's3mini';
import { ProblemError } from '../problem-error.ts';
import { createFolderStore, diskFull, hashFile, isDiskFull, type ObjectStore } from './object-store.ts';

/** A bucket that speaks S3 with signatures of version 4. */
export type BucketSettings = Readonly<{
  endpoint: string;
  bucket: string;
  accessKey: string;
  secretKey: string;
  region: string;
}>;

export type BucketStore = ObjectStore & {
  /** Brings what the bucket has and the folder lacks; for a backup. */
  fetchAll(): Promise<number>;
  /** Sends what the folder has and the bucket lacks: after a restore, or when a bucket is told for the first time. */
  sendMissing(): Promise<number>;
};

const TRIES = 3;
const WAIT_MS = 200;
/** A part of a large object; smaller ones go in one request. */
const PART_BYTES = 64 * 1024 * 1024;
const REQUEST_MS_MAX = 10 * 60_000;

/**
 * Keeps objects in a bucket, so that servers on several machines share them. The folder holds what this machine has written
 * or read: it answers without the network, and whoever wants a path gets one. Whatever comes from the bucket is hashed
 * before it is believed; a damaged file of the folder is brought again.
 */
export function createBucketStore(folder: string, settings: BucketSettings, partBytes = PART_BYTES): BucketStore {
  const local = createFolderStore(folder);
  const s3 = new S3mini({
    endpoint: `${settings.endpoint.replace(/\/+$/, '')}/${settings.bucket}`,
    ...{ accessKeyId: settings.accessKey, secretAccessKey: settings.secretKey, region: settings.region },
    ...{ requestAbortTimeout: REQUEST_MS_MAX, minPartSize: partBytes },
  });
  const keyOf = (sha256: string): string => {
    // Also refuses what is no hash.
    local.pathOf(sha256);
    return `${sha256.slice(0, 2)}/${sha256}`;
  };

  /** A question to the bucket, asked again when it may have been bad luck. */
  async function ask<T>(question: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await question();
      } catch (error) {
        if (isDiskFull(error)) throw diskFull(folder, error);
        const status = statusOf(error);
        const isFinal = status !== null && status < 500 && status !== 429;
        if (isFinal || attempt === TRIES) throw away(settings, error);
        await new Promise((resolve) => setTimeout(resolve, WAIT_MS * 2 ** attempt));
      }
    }
  }

  async function send(sha256: string): Promise<void> {
    const key = keyOf(sha256);
    if (await ask(() => s3.objectExists(key))) return;
    // Read from the disk part by part as it is sent.
    const content = await openAsBlob(local.pathOf(sha256));
    await ask(async () => {
      const { status } = await s3.putAnyObject(
        key,
        content,
        'application/octet-stream',
        undefined,
        undefined,
        content.size,
      );
      if (status !== 200) throw new S3ServiceError(`the bucket answered ${status}`, status);
    });
  }

  /** Brings an object into the folder. @returns false when the bucket has none. */
  async function bring(sha256: string): Promise<boolean> {
    const key = keyOf(sha256);
    const incoming = path.join(folder, 'incoming', randomUUID());
    await mkdir(path.dirname(incoming), { recursive: true });
    try {
      const isThere = await ask(async () => {
        const response = await s3.getObjectResponse(key);
        if (response === null || response.body === null) return false;
        await pipeline(response.body, createWriteStream(incoming));
        return true;
      });
      if (!isThere) return false;
      if ((await hashFile(incoming)) !== sha256) throw damaged(sha256);
      await mkdir(path.dirname(local.pathOf(sha256)), { recursive: true });
      await rename(incoming, local.pathOf(sha256));
      return true;
    } finally {
      await rm(incoming, { force: true });
    }
  }

  async function fetch(sha256: string): Promise<string> {
    const file = local.pathOf(sha256);
    if ((await local.find(sha256)) === undefined && !(await bring(sha256))) throw missing(sha256);
    return file;
  }

  async function listLocal(): Promise<Set<string>> {
    const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    return new Set(found.filter((entry) => entry.isFile() && isHash(entry.name)).map(({ name }) => name));
  }

  async function listBucket(): Promise<Set<string>> {
    const listed = await ask(() => s3.listObjects('/', ''));
    return new Set((listed ?? []).map(({ Key }) => path.posix.basename(Key)).filter(isHash));
  }

  return {
    pathOf: local.pathOf,
    fetch,
    async put(content, options) {
      const stored = await local.put(content, options);
      await send(stored.sha256);
      return stored;
    },
    async get(sha256) {
      try {
        return await local.get(sha256);
      } catch {
        // Not here, or damaged here: the bucket decides.
        if (!(await bring(sha256))) throw missing(sha256);
        return local.get(sha256);
      }
    },
    stream: (sha256) =>
      Readable.from(
        (async function* () {
          yield* createReadStream(await fetch(sha256));
        })(),
      ),
    async find(sha256) {
      const here = await local.find(sha256);
      if (here !== undefined) return here;
      const key = keyOf(sha256);
      return ask(async () =>
        (await s3.objectExists(key)) ? { sha256, byteCount: await s3.getContentLength(key) } : undefined,
      );
    },
    async fetchAll() {
      const here = await listLocal();
      const lacking = [...(await listBucket())].filter((sha256) => !here.has(sha256));
      for (const sha256 of lacking) await bring(sha256);
      return lacking.length;
    },
    async sendMissing() {
      const there = await listBucket();
      const lacking = [...(await listLocal())].filter((sha256) => !there.has(sha256));
      for (const sha256 of lacking) await send(sha256);
      return lacking.length;
    },
  };
}

/** HTTP status of an answer of the bucket; null: it did not answer. */
function statusOf(error: unknown): number | null {
  if (error instanceof S3ServiceError) return error.status;
  return error instanceof Error && error.cause !== undefined ? statusOf(error.cause) : null;
}

function away({ bucket }: BucketSettings, error: unknown): Error {
  const status = statusOf(error);
  const why = status === null ? 'does not answer' : `answers ${status}`;
  return new ProblemError('OBJECTS_AWAY', `The bucket ${bucket} ${why}. Its operator must look.`, { cause: error });
}

function damaged(sha256: string): Error {
  return new Error(`Object ${sha256} has other content in the bucket than its hash says. Restore it from a backup.`);
}

function missing(sha256: string): Error {
  return new Error(`Object ${sha256} is not in the bucket. Restore it from a backup.`);
}

function isHash(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}
