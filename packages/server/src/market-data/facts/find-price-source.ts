import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';

export type PriceSource = { id: number; name: string; priceBasis: string | null };

/** The source that told prices of an instrument last. */
export async function findPriceSource(tx: Transaction, instrumentId: number): Promise<PriceSource | undefined> {
  const { rows } = await sql<PriceSource>`
    SELECT s.id, s.name, s.price_basis AS "priceBasis" FROM source s
    JOIN LATERAL (SELECT o.run_id FROM price_observation o WHERE o.instrument_id = ${instrumentId} AND o.source_id = s.id
                  ORDER BY o.day DESC LIMIT 1) o ON true
    JOIN visible_run r ON r.run_id = o.run_id
    ORDER BY r.published_at DESC LIMIT 1
  `.execute(tx.query);
  return rows[0];
}
