import { randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { session } from '@touchstone/contracts/auth';
import { z } from 'zod';

const stored = z.object({ url: z.string(), ...session.shape, refreshToken: z.string() });
export type StoredSession = z.infer<typeof stored>;

const LOCK_POLL_MS = 50;
const LOCK_STALE_MS = 20_000;

/** The session of this person on this machine, in a file only they may read. */
export type SessionFile = {
  read(): Promise<StoredSession | undefined>;
  write(value: StoredSession): Promise<void>;
  remove(): Promise<void>;
  /** One process at a time: a refresh token that is used twice ends the session. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
};

export function openSessionFile(path: string): SessionFile {
  const lock = `${path}.lock`;
  return {
    async read() {
      const text = await readFile(path, 'utf8').catch(() => undefined);
      if (text === undefined) return undefined;
      const parsed = stored.safeParse(parseJson(text));
      return parsed.success ? parsed.data : undefined;
    },
    async write(value) {
      await mkdir(dirname(path), { recursive: true });
      const draft = `${path}.${randomUUID()}`;
      await writeFile(draft, JSON.stringify(value), { mode: 0o600 });
      await chmod(draft, 0o600);
      await rename(draft, path);
    },
    remove: () => rm(path, { force: true }),
    async exclusively(work) {
      await mkdir(dirname(path), { recursive: true });
      await takeLock(lock);
      try {
        return await work();
      } finally {
        await rm(lock, { force: true });
      }
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A lock older than a refresh can take was left by a killed process. */
async function takeLock(path: string): Promise<void> {
  for (;;) {
    try {
      await (await open(path, 'wx', 0o600)).close();
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > LOCK_STALE_MS) await rm(path, { force: true });
    else await sleep(LOCK_POLL_MS);
  }
}
