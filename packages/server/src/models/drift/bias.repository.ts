import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';

/** What the database knows of an instrument, beside its prices. */
export type InstrumentTraits = { sector: string | null; currency: string; marketCap: number | null };

/** The cap is the last one on record: parts are made by size today, which is told. */
export async function findTraits(tx: Transaction, ids: readonly number[]): Promise<Map<number, InstrumentTraits>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<{ id: number; sector: string | null; currency: string; cap: number | null }>`
    SELECT i.id, i.sector, i.currency, c.value AS cap FROM instrument i
    LEFT JOIN LATERAL (
      SELECT value FROM market_cap c WHERE c.instrument_id = i.id ORDER BY c.day DESC, c.run_id DESC LIMIT 1
    ) c ON true
    WHERE i.id = ANY(${sql.val([...ids])}::integer[])`.execute(tx.query);
  return new Map(
    rows.map(({ id, sector, currency, cap }) => [
      id,
      { sector, currency, marketCap: cap === null ? null : Number(cap) },
    ]),
  );
}

/** Regimes as they were put on record, by `instrument/day`; of one day the record that was made first. */
export async function findRegimes(tx: Transaction, ids: readonly number[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.query
    .selectFrom('regime_record')
    .select(['subject_id', 'day', 'state'])
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('subject_kind', '=', 'instrument')
    .where('subject_id', 'in', [...ids])
    .orderBy('sequence', 'desc')
    .execute();
  return new Map(rows.map(({ subject_id: id, day, state }) => [`${id}/${day}`, state]));
}

/** How many questions of a version had no answer, by instrument. */
export async function countAbstained(
  tx: Transaction,
  of: { modelId: number; version: number; after: string },
): Promise<Map<number, { asked: number; abstained: number }>> {
  const { rows } = await sql<{ id: number; asked: number; abstained: number }>`
    SELECT subject_id AS id, count(*)::integer AS asked, count(abstained)::integer AS abstained FROM prediction
    WHERE tenant_id = ${tx.principal.tenantId} AND model_id = ${of.modelId} AND version_number = ${of.version}
      AND subject_kind = 'instrument' AND event_day > ${of.after}::date
    GROUP BY subject_id`.execute(tx.query);
  return new Map(rows.map(({ id, asked, abstained }) => [id, { asked, abstained }]));
}
