import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import { type ReadTime, visibleAt } from '../facts/read-time.ts';

export type MacroRow = { day: string; value: number | null; knownAt: string };

/** One series as known at a moment, by the day it is about: of several vintages, the latest known. */
export async function findSeries(tx: Transaction, series: string, time: ReadTime): Promise<MacroRow[]> {
  const { rows } = await sql<MacroRow>`
    SELECT DISTINCT ON (m.day) m.day, m.value, coalesce(m.known_at, r.published_at) AS "knownAt"
    FROM macro_observation m JOIN visible_run r ON r.run_id = m.run_id
    WHERE m.series = ${series} AND m.day <= ${time.asOf}::date AND ${sql.raw(visibleAt('m', 'r', time))}
    ORDER BY m.day, coalesce(m.known_at, r.published_at) DESC, m.run_id DESC, m.vintage DESC
  `.execute(tx.query);
  return rows;
}
