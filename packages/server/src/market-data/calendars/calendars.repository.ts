import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';

export type HolidayRow = { day: string; kind: 'closed' | 'early' | 'open'; name: string };

/** What was told about days of a calendar beyond its rules; of several tellings, the last published. */
export async function findToldHolidays(
  tx: Transaction,
  calendar: string,
  from: string,
  to: string,
): Promise<HolidayRow[]> {
  const { rows } = await sql<HolidayRow>`
    SELECT DISTINCT ON (h.day) h.day, h.kind, h.name
    FROM exchange_holiday h JOIN visible_run r ON r.run_id = h.run_id
    WHERE h.calendar = ${calendar} AND h.day BETWEEN ${from}::date AND ${to}::date AND r.retracted_at IS NULL
    ORDER BY h.day, h.tenant_id DESC, r.published_at DESC, h.run_id DESC
  `.execute(tx.query);
  return rows;
}
