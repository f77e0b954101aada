import { sql } from 'kysely';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import type { OnlineValue } from '../online-store/packed-value.ts';
import { packValue } from '../online-store/packed-value.ts';

/** One value that was served, as it was served. */
export type ServedSample = { id: number; view: string; version: number; instrumentId: number; packed: Buffer };
type Noted = { principal: Principal; view: string; version: number; instrumentId: number; value: OnlineValue };

/** One read in so many is kept; the first of a process always, so that a quiet installation is looked at as well. */
const ONE_IN = 97;
const WRITE_AFTER_MS = 2_000;
/** Kept in memory until they are written; beyond it some are lost, which a sample may be. */
const WAITING_MAX = 200;
/** Kept for a tenant until the next comparison; the oldest go. */
export const SAMPLES_MAX = 2_000;

export type ServedSamples = ReturnType<typeof createServedSamples>;

/** Keeps some of the values that were served, without keeping a reader waiting. */
export function createServedSamples(database: Database, log: { warn(fields: object, text: string): void }) {
  let count = 0;
  let waiting: Noted[] = [];
  let timer: NodeJS.Timeout | undefined;

  async function write(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const taken = waiting;
    waiting = [];
    const byTenant = Map.groupBy(taken, ({ principal }) => principal.tenantId);
    try {
      for (const [tenantId, noted] of byTenant)
        await database.transaction({ tenantId, actorId: null }, (tx) => insertSamples(tx, noted));
    } catch (error) {
      log.warn({ err: error }, 'some samples of served features were lost');
    }
  }

  return {
    note(principal: Principal, view: string, version: number, instrumentId: number, value: OnlineValue): void {
      if (count++ % ONE_IN !== 0 || waiting.length >= WAITING_MAX) return;
      waiting.push({ principal, view, version, instrumentId, value });
      timer ??= setTimeout(write, WRITE_AFTER_MS).unref();
    },
    /** Writes what waits; for a comparison that is to see it. */
    flush: write,
  };
}

async function insertSamples(tx: Transaction, noted: readonly Noted[]): Promise<void> {
  const { tenantId } = tx.principal;
  await sql`
    INSERT INTO online.served_sample (tenant_id, view, view_version, instrument_id, packed)
    SELECT ${tenantId}, * FROM unnest(${noted.map(({ view }) => view)}::text[], ${noted.map(({ version }) => version)}::int[],
      ${noted.map(({ instrumentId }) => instrumentId)}::int[], ${noted.map(({ value }) => packValue(value))}::bytea[])`.execute(
    tx.query,
  );
  await sql`
    DELETE FROM online.served_sample WHERE tenant_id = ${tenantId} AND id <= (
      SELECT id FROM online.served_sample WHERE tenant_id = ${tenantId} ORDER BY id DESC OFFSET ${SAMPLES_MAX} LIMIT 1)`.execute(
    tx.query,
  );
}

export async function findSamples(tx: Transaction): Promise<ServedSample[]> {
  const { rows } = await sql<ServedSample & { id: string | number }>`
    SELECT id, view, view_version AS version, instrument_id AS "instrumentId", packed FROM online.served_sample
    WHERE tenant_id = ${tx.principal.tenantId} ORDER BY id LIMIT ${SAMPLES_MAX}`.execute(tx.query);
  return rows.map((row) => ({ ...row, id: Number(row.id) }));
}

export async function countSamples(tx: Transaction): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::int AS count FROM online.served_sample WHERE tenant_id = ${tx.principal.tenantId}`.execute(
    tx.query,
  );
  return rows[0]!.count;
}

export async function forgetSamples(tx: Transaction, upTo: number): Promise<void> {
  await sql`DELETE FROM online.served_sample WHERE tenant_id = ${tx.principal.tenantId} AND id <= ${upTo}`.execute(
    tx.query,
  );
}
