import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import { literal } from './read-time.ts';

export type PriceSource = { id: number; priceBasis: PriceBasis | null };
export type PriceBasis = 'raw' | 'split_adjusted' | 'total_return';

/** The source with bars of an instrument that published last by `recordedAt` (default: ever); undefined without any. */
export async function findPriceSource(
  tx: Transaction,
  instrumentId: number,
  recordedAt?: string,
): Promise<PriceSource | undefined> {
  const { rows } = await sql<{ id: number; basis: string | null }>`
    SELECT s.source_id AS id, source.price_basis AS basis FROM (
      SELECT v.source_id, max(v.published_at) AS at FROM visible_run v JOIN ingest_run r ON r.id = v.run_id
      WHERE r.kind IN ('prices', 'correction', 'release')
        AND ${recordedAt === undefined ? sql`true` : sql`v.published_at <= ${sql.raw(literal(recordedAt))}`}
      GROUP BY v.source_id
    ) s JOIN source ON source.id = s.source_id
    -- Source by source, to the first bar of each: as EXISTS it was planned as a join with every bar of the instrument.
    JOIN LATERAL (SELECT FROM bar_key o WHERE o.instrument_id = ${instrumentId} AND o.source_id = s.source_id LIMIT 1) b ON true
    ORDER BY s.at DESC, s.source_id LIMIT 1
  `.execute(tx.query);
  const row = rows[0];
  return row && { id: row.id, priceBasis: basisOf(row.basis) };
}

/** A price basis as the database gives it. */
export function basisOf(text: string | null): PriceBasis | null {
  return text === 'raw' || text === 'split_adjusted' || text === 'total_return' ? text : null;
}
