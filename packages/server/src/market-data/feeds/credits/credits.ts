import { createHash } from 'node:crypto';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { sql } from 'kysely';
import type { Database, Principal, Transaction } from '../../../platform/database/database.ts';
import {
  type CreditAnswer,
  type CreditBucket,
  type CreditLimits,
  type CreditStatus,
  creditStatus,
  EMPTY_BUCKET,
  markSpent,
  takeCredits,
} from './credit-bucket.ts';

/** The budget of one key at one vendor, shared by all processes on the same database. */
export type Credits = {
  limits: CreditLimits;
  /**
   * Takes `wanted` credits, or says when they will be there. With `atLeast`, takes as many as there are, if they are
   * enough. Taken credits are spent: nothing is given back once the vendor may have been asked.
   */
  reserve(wanted: number, options?: { atLeast?: number }): Promise<CreditAnswer>;
  /** The vendor refused for want of credits: others use the same key. Nothing is granted until they are back. */
  markSpent(span: 'minute' | 'day'): Promise<void>;
  status(): Promise<CreditStatus>;
};

export type CreditsOptions = {
  database: Database;
  /** Whose key it is. The same key in two tenants has two budgets: no tenant learns of another. */
  principal: Principal;
  vendor: string;
  /** Only its hash is kept. */
  key: string;
  limits: CreditLimits;
  /** EpochMs instead of the database's clock, for tests. */
  now?: () => number;
};

export function createCredits({ database, principal, vendor, key, limits, now }: CreditsOptions): Credits {
  const keySha256 = createHash('sha256').update(key).digest('hex');

  /** Runs work on the bucket while no other process can. */
  function withBucket<T>(work: (bucket: CreditBucket, at: number) => { bucket: CreditBucket; result: T }): Promise<T> {
    return database.transaction(
      principal,
      async (tx) => {
        const row = await lockRow(tx, principal, vendor, keySha256);
        // Read after the lock is held: the wait for it must not make the clock look slow.
        const at = now?.() ?? (await readClock(tx));
        const { bucket, result } = work(bucketOf(row), at);
        await writeRow(tx, row.id, bucket);
        return result;
      },
      // A deleted row still counts what was used.
      { includeDeleted: true },
    );
  }

  return {
    limits,
    reserve: (wanted, { atLeast = wanted } = {}) =>
      withBucket((bucket, at) => {
        const { bucket: next, answer } = takeCredits(bucket, at, { wanted, atLeast }, limits);
        return { bucket: next, result: answer };
      }),
    markSpent: (span) =>
      withBucket((bucket, at) => ({ bucket: markSpent(bucket, at, span, limits), result: undefined })),
    status: () =>
      database.transaction(
        principal,
        async (tx) => {
          const row = await findRow(tx, vendor, keySha256);
          const at = now?.() ?? (await readClock(tx));
          return creditStatus(row === undefined ? EMPTY_BUCKET : bucketOf(row), at, limits);
        },
        { includeDeleted: true, readOnly: true },
      ),
  };
}

type CreditRow = { id: number; recent_grants: unknown; day: string; used_today: number };

async function lockRow(tx: Transaction, principal: Principal, vendor: string, keySha256: string): Promise<CreditRow> {
  await sql`
    INSERT INTO vendor_credit (tenant_id, vendor, key_sha256)
    VALUES (${principal.tenantId}, ${vendor}, ${keySha256}) ON CONFLICT DO NOTHING`.execute(tx.query);
  return tx.query
    .selectFrom('vendor_credit')
    .select(['id', 'recent_grants', 'day', 'used_today'])
    .where('tenant_id', '=', principal.tenantId)
    .where('vendor', '=', vendor)
    .where('key_sha256', '=', keySha256)
    .forUpdate()
    .executeTakeFirstOrThrow();
}

function findRow(tx: Transaction, vendor: string, keySha256: string): Promise<CreditRow | undefined> {
  return tx.query
    .selectFrom('vendor_credit')
    .select(['id', 'recent_grants', 'day', 'used_today'])
    .where('vendor', '=', vendor)
    .where('key_sha256', '=', keySha256)
    .executeTakeFirst();
}

async function writeRow(tx: Transaction, id: number, bucket: CreditBucket): Promise<void> {
  await tx.query
    .updateTable('vendor_credit')
    .set({ recent_grants: JSON.stringify(bucket.recent), day: dayText(bucket.day), used_today: bucket.usedToday })
    .where('id', '=', id)
    .execute();
}

async function readClock(tx: Transaction): Promise<number> {
  const { rows } = await sql<{ at: number }>`
    SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS at`.execute(tx.query);
  return rows[0]!.at;
}

function bucketOf(row: CreditRow): CreditBucket {
  const recent = Array.isArray(row.recent_grants) ? row.recent_grants : [];
  return {
    recent: recent.map(([at, credits]: [number, number]) => [at, credits] as const),
    day: dayNumber(row.day),
    usedToday: row.used_today,
  };
}
