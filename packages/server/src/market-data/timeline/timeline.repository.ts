import type { Transaction } from '../../platform/database/database.ts';

/** The newest publications in sight, newest first. */
export async function findPublications(tx: Transaction, limit: number) {
  return tx.query
    .selectFrom('publication')
    .select(['id', 'run_id', 'kind', 'published_at', 'row_count', 'reason'])
    .orderBy('published_at', 'desc')
    .limit(limit)
    .execute();
}
