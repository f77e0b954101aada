import { inflateRawSync } from 'node:zlib';
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import type { Clock } from '../../platform/clock/clock.ts';
import type { FeedGap } from './feed.ts';
import { AddressRefused, type Fetched, type PublicFetch } from './public-fetch.ts';

/** A text that may hold data, or why there is none. */
export type VendorAnswer = { text: string } | { gap: Omit<FeedGap, 'symbol'> };
export type AskVendor = (url: URL, about: string, signal: AbortSignal) => Promise<VendorAnswer>;

export type AskVendorOptions = {
  fetch: PublicFetch;
  clock: Clock;
  /** The first pause between tries; tests make it short. */
  retryDelayMs?: number;
};

const TRIES_MAX = 3;
const RETRY_DELAY_MS = 500;
const MS_PER_MINUTE = 60_000;
const UNAVAILABLE_MINUTES = 15;
const MS_PER_DAY = 86_400_000;
const INFLATED_BYTES_MAX = 128 * 1024 ** 2;

/** Not its fault, so the same question may succeed a moment later. */
class Transient extends Error {
  override name = 'Transient';
}

/**
 * Asks a keyless vendor for a text: patient with failures that pass, and never taken in by a web page.
 *
 * @throws only the signal's reason.
 */
export function createAskVendor({ fetch, clock, retryDelayMs = RETRY_DELAY_MS }: AskVendorOptions): AskVendor {
  // Cockatiel's default generator is a decorrelated jitter: processes that failed together do not come back together.
  const policy = retry(
    handleWhen((error) => error instanceof Transient),
    { maxAttempts: TRIES_MAX - 1, backoff: new ExponentialBackoff({ initialDelay: retryDelayMs }) },
  );
  const later = () => clock.now() + UNAVAILABLE_MINUTES * MS_PER_MINUTE;
  return async (url, about, signal) => {
    try {
      const answer = await policy.execute(() => fetchOnce(fetch, url, signal), signal);
      signal.throwIfAborted();
      return judge(answer, about, clock.now());
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof AddressRefused)
        return { gap: { kind: 'refused', sentence: `${about}: ${error.message}`, retryAt: null } };
      if (!(error instanceof Transient)) throw error;
      const sentence = `${about}: the vendor gave no good answer in ${TRIES_MAX} tries (${error.message}).`;
      return { gap: { kind: 'unavailable', sentence, retryAt: later() } };
    }
  };
}

async function fetchOnce(fetch: PublicFetch, url: URL, signal: AbortSignal): Promise<Fetched> {
  let answer: Fetched;
  try {
    answer = await fetch(url, signal);
  } catch (error) {
    if (signal.aborted || error instanceof AddressRefused) throw error;
    if (error instanceof Error && error.cause instanceof AddressRefused) throw error.cause;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no connection';
    throw new Transient(code, { cause: error });
  }
  if (answer.status >= 500) throw new Transient(`HTTP ${answer.status}`);
  return answer;
}

function judge({ status, body, retryAfterSeconds }: Fetched, about: string, now: number): VendorAnswer {
  if (status === 429) {
    const retryAt = retryAfterSeconds === null ? nextMidnight(now) : now + retryAfterSeconds * 1000;
    return { gap: { kind: 'credits', sentence: `${about}: the vendor was asked too often.`, retryAt } };
  }
  if (status === 404)
    return { gap: { kind: 'unknown', sentence: `${about}: the vendor does not know it.`, retryAt: null } };
  if (status !== 200)
    return { gap: { kind: 'refused', sentence: `${about}: the vendor refuses (HTTP ${status}).`, retryAt: null } };
  const text = textOf(body);
  if (text === null || /^\s*</.test(text)) {
    const sentence = `${about}: the answer is no table but a web page or something else; nothing of it was stored.`;
    return { gap: { kind: 'lies', sentence, retryAt: now + UNAVAILABLE_MINUTES * MS_PER_MINUTE } };
  }
  return { text };
}

/** EpochMs. */
export function nextMidnight(now: number): number {
  return (Math.floor(now / MS_PER_DAY) + 1) * MS_PER_DAY;
}

/** UTF-8, also out of a ZIP archive of one file, as the ECB packs its table. Null for anything else. */
function textOf(body: Buffer): string | null {
  const plain = body.length > 4 && body.readUInt32LE(0) === LOCAL_HEADER ? unzipFirst(body) : body;
  if (plain === null || plain.includes(0)) return null;
  return plain.toString('utf8').replace(/^\uFEFF/, '');
}

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_OF_DIRECTORY = 0x06054b50;
const END_BYTES = 22;
const COMMENT_BYTES_MAX = 65_535;

/** The first file of an archive (APPNOTE 4.3), stored or deflated; null if it cannot be read. */
function unzipFirst(archive: Buffer): Buffer | null {
  try {
    let end = archive.length - END_BYTES;
    const least = Math.max(0, end - COMMENT_BYTES_MAX);
    while (end >= least && archive.readUInt32LE(end) !== END_OF_DIRECTORY) end--;
    if (end < least) return null;
    // The directory knows the sizes; the header beside the data may leave them out.
    const entry = archive.readUInt32LE(end + 16);
    if (archive.readUInt32LE(entry) !== CENTRAL_HEADER) return null;
    const method = archive.readUInt16LE(entry + 10);
    const size = archive.readUInt32LE(entry + 20);
    const at = archive.readUInt32LE(entry + 42);
    if (archive.readUInt32LE(at) !== LOCAL_HEADER) return null;
    const from = at + 30 + archive.readUInt16LE(at + 26) + archive.readUInt16LE(at + 28);
    const data = archive.subarray(from, from + size);
    if (method === 0) return data;
    return method === 8 ? inflateRawSync(data, { maxOutputLength: INFLATED_BYTES_MAX }) : null;
  } catch {
    return null;
  }
}
