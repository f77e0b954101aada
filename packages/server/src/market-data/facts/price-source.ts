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
  return (await findPriceSources(tx, [instrumentId], recordedAt)).get(instrumentId);
}

/** As `findPriceSource`, for many instruments at once. Those without bars are left out. */
export async function findPriceSources(
  tx: Transaction,
  instrumentIds: readonly number[],
  recordedAt?: string,
): Promise<Map<number, PriceSource>> {
  const { rows } = await sql<{ instrumentId: number; id: number; basis: string | null }>`
    WITH told AS MATERIALIZED (
      SELECT v.source_id, max(v.published_at) AS at FROM visible_run v JOIN ingest_run r ON r.id = v.run_id
      WHERE r.kind IN ('prices', 'correction', 'release')
        AND ${recordedAt === undefined ? sql`true` : sql`v.published_at <= ${sql.raw(literal(recordedAt))}`}
      GROUP BY v.source_id
    )
    SELECT i.id AS "instrumentId", s.source_id AS id, source.price_basis AS basis
    FROM unnest(${instrumentIds}::int[]) AS i(id)
    CROSS JOIN LATERAL (
      SELECT told.source_id FROM told
      -- Source by source, to the first bar of each: as EXISTS it was planned as a join with every bar of the instrument.
      JOIN LATERAL (SELECT FROM bar_key o WHERE o.instrument_id = i.id AND o.source_id = told.source_id LIMIT 1) b ON true
      ORDER BY told.at DESC, told.source_id LIMIT 1
    ) s
    JOIN source ON source.id = s.source_id
  `.execute(tx.query);
  return new Map(rows.map(({ instrumentId, id, basis }) => [instrumentId, { id, priceBasis: basisOf(basis) }]));
}

/** What the prices of a source stand on; null: it does not say, or there is no such source. */
export async function findPriceBasis(tx: Transaction, sourceId: number): Promise<PriceBasis | null> {
  const row = await tx.query.selectFrom('source').select('price_basis').where('id', '=', sourceId).executeTakeFirst();
  return basisOf(row?.price_basis ?? null);
}

/** A price basis as the database gives it. */
export function basisOf(text: string | null): PriceBasis | null {
  return text === 'raw' || text === 'split_adjusted' || text === 'total_return' ? text : null;
}
