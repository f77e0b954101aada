import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import { type ReadTime, visibleAt } from './read-time.ts';

/** A split (new shares per old share) or cash dividend (per share held before the ex-day). */
export type KnownAction = { day: string; kind: 'split' | 'dividend'; value: number; knownAt: string };

/** Corporate actions of one instrument as known at a moment, by ex-day; of several tellings, the latest known. */
export async function findActions(tx: Transaction, instrumentId: number, time: ReadTime): Promise<KnownAction[]> {
  const { rows } = await sql<KnownAction>`
    SELECT DISTINCT ON (a.day, a.kind) a.day, a.kind, a.value, coalesce(a.known_at, r.published_at) AS "knownAt"
    FROM corporate_action a JOIN visible_run r ON r.run_id = a.run_id
    WHERE a.instrument_id = ${instrumentId} AND ${sql.raw(visibleAt('a', 'r', time))}
    ORDER BY a.day, a.kind, coalesce(a.known_at, r.published_at) DESC, a.run_id DESC
  `.execute(tx.query);
  return rows;
}
