import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';

/**
 * The instruments of these symbols in the tenant, made where they are not there yet; ids in the order of the symbols.
 * One statement each way, whatever the number of symbols. Safe to call from two imports at once.
 */
export async function ensureInstruments(
  tx: Transaction,
  symbols: readonly string[],
  currencies: readonly string[],
  calendar: string,
): Promise<Int32Array> {
  const { tenantId } = tx.principal;
  await sql`
      INSERT INTO instrument (tenant_id, symbol, name, calendar, currency)
      SELECT ${tenantId}, symbol, symbol, ${calendar}, currency
      FROM unnest(${[...symbols]}::text[], ${[...currencies]}::text[]) WITH ORDINALITY AS wanted (symbol, currency, no)
      WHERE NOT EXISTS (SELECT FROM instrument i WHERE i.tenant_id = ${tenantId} AND i.symbol = wanted.symbol
                        AND i.deleted_at IS NULL)
      ORDER BY no
      ON CONFLICT (tenant_id, symbol) WHERE deleted_at IS NULL DO NOTHING
    `.execute(tx.query);
  const { rows } = await sql<{ id: number; symbol: string }>`
      SELECT id, symbol FROM instrument
      WHERE tenant_id = ${tenantId} AND symbol = ANY (${[...symbols]}::text[]) AND deleted_at IS NULL
    `.execute(tx.query);
  const idOf = new Map(rows.map((row) => [row.symbol, row.id]));
  return Int32Array.from(symbols, (symbol) => {
    const id = idOf.get(symbol);
    if (id === undefined) throw new Error(`instrument ${symbol} was made and is not there`);
    return id;
  });
}
