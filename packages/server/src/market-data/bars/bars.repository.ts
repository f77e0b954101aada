import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import { openBars } from '../archive/open-bars.ts';

export async function findBarInstrument(tx: Transaction, id: number) {
  return tx.query
    .selectFrom('instrument')
    .select(['id', 'symbol', 'name', 'currency'])
    .where('id', '=', id)
    .executeTakeFirst();
}

export async function findBasis(tx: Transaction, sourceId: number): Promise<string | null | undefined> {
  const row = await tx.query.selectFrom('source').select('price_basis').where('id', '=', sourceId).executeTakeFirst();
  return row === undefined ? undefined : row.price_basis;
}

export type VersionRow = {
  day: string;
  open: number | null;
  high: number | null;
  low: number | null;
  close: number | null;
  volume: number | null;
  revision: number;
  runId: number;
  knownAt: string;
  recordedAt: string;
  retractedAt: string | null;
  quarantined: boolean;
  reason: string;
};

/** Every telling of one bar in the order in which it was recorded, held back ones among them. */
export async function findVersions(tx: Transaction, instrumentId: number, day: string): Promise<VersionRow[]> {
  const bars = await openBars(tx, { instrumentIds: [instrumentId], from: day, to: day });
  const { rows } = await sql<VersionRow>`
    SELECT o.day, o.open, o.high, o.low, o.close, o.volume, o.revision, o.run_id AS "runId",
           coalesce(o.known_at, v.published_at) AS "knownAt", v.published_at AS "recordedAt",
           v.retracted_at AS "retractedAt", false AS quarantined, p.reason, 0 AS line
    FROM ${sql.raw(bars)} o
    JOIN visible_run v ON v.run_id = o.run_id
    JOIN publication p ON p.run_id = o.run_id AND p.kind = 'publish'
    WHERE o.instrument_id = ${instrumentId} AND o.day = ${day}::date
    UNION ALL
    SELECT q.day, q.open, q.high, q.low, q.close, q.volume, 0, q.run_id, coalesce(q.known_at, v.published_at),
           v.published_at, v.retracted_at, true, c.reason, q.line
    FROM price_quarantine q
    JOIN visible_run v ON v.run_id = q.run_id
    JOIN data_case c ON c.id = q.case_id
    WHERE q.instrument_id = ${instrumentId} AND q.day = ${day}::date
    ORDER BY "recordedAt", "runId", line
  `.execute(tx.query);
  return rows.map(
    ({
      day,
      open,
      high,
      low,
      close,
      volume,
      revision,
      runId,
      knownAt,
      recordedAt,
      retractedAt,
      quarantined,
      reason,
    }) => ({
      day,
      open,
      high,
      low,
      close,
      volume,
      revision,
      runId,
      knownAt,
      recordedAt,
      retractedAt,
      quarantined,
      reason,
    }),
  );
}
