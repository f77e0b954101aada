import type { Route } from '@touchstone/contracts/route';
import type pg from 'pg';
import type { Cache, CacheState } from '../cache/cache.ts';
import { createChangeLine } from '../cache/change-line.ts';
import { type Change, type Database, SYSTEM_TENANT_ID } from '../database/database.ts';
import type { Caller } from './serve.ts';

/** An answer ready to be sent. As bytes it goes out in half the time that a string takes. */
export type ReadyAnswer = { body: string | Buffer; etag: string };

/** Keeps answers of routes that declare `cache` until something they tell of changes. */
export type AnswerCache = {
  load(route: Route, caller: Caller, url: string, make: () => Promise<ReadyAnswer>): Promise<ReadyAnswer>;
  open(): Promise<void>;
  /** False while a change elsewhere could be missed, or Redis is away: every answer is made from the database then. */
  isUsable(): boolean;
  describe(): CacheState;
  close(): Promise<void>;
};

/** Changes make an answer old at once; this bounds the damage should one be forgotten. */
const TTL_MS = 5 * 60_000;

/** Answers that are also held as bytes: so many, none longer than this. */
const SENT_MAX = 500;
const SENT_LENGTH_MAX = 64_000;

type Log = { warn(fields: object, text: string): void };

/** @param origin Only for tests that put two servers into one process. */
export function createAnswerCache(
  cache: Cache,
  { database, connection, log, origin }: { database: Database; connection: pg.ClientConfig; log: Log; origin?: string },
): AnswerCache {
  const tagOf = ({ tenantId, subjectKind }: Change) => `${tenantId}:${subjectKind}`;
  const invalidate = (changes: readonly Change[]) => cache.invalidate([...new Set(changes.map(tagOf))]);
  const line = createChangeLine(
    connection,
    {
      onChange(change) {
        database.elsewhere.tell(change);
        void invalidate([change]);
      },
      onGap() {
        database.elsewhere.tellGap();
        return cache.invalidateAll();
      },
    },
    log,
    origin === undefined ? {} : { origin },
  );
  database.elsewhere.attach(line.isOpen);
  // The changes of this process are known before their makers hear that they are done.
  database.onCommit({ after: invalidate });
  const tagsOf = (kinds: readonly string[], tenantId: number) =>
    [...new Set([SYSTEM_TENANT_ID, tenantId])].flatMap((tenant) =>
      kinds.map((subjectKind) => tagOf({ tenantId: tenant, subjectKind })),
    );
  /** What was sent last under a key, so that it is turned into bytes once and not with every request. */
  const sent = new Map<string, { kept: string; ready: ReadyAnswer }>();
  function bytesOf(key: string, kept: string): ReadyAnswer {
    const known = sent.get(key);
    if (known?.kept === kept) return known.ready;
    const end = kept.indexOf('\n');
    const ready = { etag: kept.slice(0, end), body: Buffer.from(kept.slice(end + 1)) };
    if (known === undefined && sent.size >= SENT_MAX) sent.delete(sent.keys().next().value!);
    if (kept.length <= SENT_LENGTH_MAX) sent.set(key, { kept, ready });
    return ready;
  }
  const isUsable = () => line.isOpen() && cache.describe().usable;
  return {
    async load(route, caller, url, make) {
      if (route.cache === undefined || !line.isOpen()) return make();
      // The market is the same for everybody of a tenant; universes, indexes and other records may be private, and rights differ.
      const mayBePrivate = route.cache.some((kind) => kind === 'index' || kind === 'universe');
      const who =
        route.scope === 'market:read' && !mayBePrivate ? '' : `${caller.actorId} ${caller.role} ${caller.keyId}`;
      const key = `${route.id} ${caller.tenantId} ${who} ${url}`;
      const tags = tagsOf(route.cache, caller.tenantId);
      const kept = await cache.load(key, { tags, ttlMs: TTL_MS }, async () => {
        const { body, etag } = await make();
        return `${etag}\n${body}`;
      });
      return bytesOf(key, kept);
    },
    open: () => line.open(),
    isUsable,
    describe: () => ({ ...cache.describe(), usable: isUsable() }),
    async close() {
      await line.close();
      await cache.close();
    },
  };
}
