import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import { type ReadTime, visibleAt } from '../facts/read-time.ts';

export type RateQuestion = {
  base: string;
  quote: string;
  from?: string | undefined;
  to?: string | undefined;
  time: ReadTime;
};
export type RateRow = { day: string; value: number; knownAt: string };

/** Rates of one pair as known at a moment, by day; of several tellings, the latest known. */
export async function findRates(tx: Transaction, { base, quote, from, to, time }: RateQuestion): Promise<RateRow[]> {
  const { rows } = await sql<RateRow>`
    SELECT DISTINCT ON (x.day) x.day, x.value, coalesce(x.known_at, r.published_at) AS "knownAt"
    FROM exchange_rate x JOIN visible_run r ON r.run_id = x.run_id
    WHERE x.base = ${base} AND x.quote = ${quote} AND x.day <= ${time.asOf}::date
      AND ${from === undefined ? sql`true` : sql`x.day >= ${from}::date`}
      AND ${to === undefined ? sql`true` : sql`x.day <= ${to}::date`}
      AND ${sql.raw(visibleAt('x', 'r', time))}
    ORDER BY x.day, coalesce(x.known_at, r.published_at) DESC, x.run_id DESC
  `.execute(tx.query);
  return rows;
}
