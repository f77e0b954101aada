import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import { openBars } from '../archive/open-bars.ts';

export async function findInstrumentOwner(tx: Transaction, id: number) {
  return tx.query.selectFrom('instrument').select(['id', 'tenant_id']).where('id', '=', id).executeTakeFirst();
}

export async function findSourceOwner(tx: Transaction, id: number) {
  return (
    tx.query
      .selectFrom('source')
      .select(['id', 'tenant_id', 'price_basis'])
      .where('id', '=', id)
      // Two corrections of one bar by one source wait for each other, so that revisions count on.
      .forUpdate()
      .executeTakeFirst()
  );
}

/** The revision the next telling of a bar by a source has: 0 for the first. */
export async function findNextRevision(
  tx: Transaction,
  instrumentId: number,
  sourceId: number,
  day: string,
): Promise<number> {
  const bars = await openBars(tx, { instrumentIds: [instrumentId], from: day, to: day });
  const { rows } = await sql<{ next: number }>`
    SELECT coalesce(max(revision) + 1, 0)::int AS next FROM ${sql.raw(bars)} o
    WHERE instrument_id = ${instrumentId} AND day = ${day}::date AND source_id = ${sourceId}
  `.execute(tx.query);
  return rows[0]!.next;
}
