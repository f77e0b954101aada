import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';

export type FeedName = 'twelvedata' | 'stooq' | 'ecb' | 'fred' | 'alfred';

export type FeedRow = {
  id: number;
  tenant_id: number;
  code: string;
  name: string;
  feed: FeedName;
  calendar: string;
  currency: string;
  price_basis: 'raw' | 'split_adjusted' | 'total_return' | null;
  known_at_rule: 'close_plus_one_hour' | 'declared_in_data' | 'recorded';
  settings: unknown;
  credential_sealed: Buffer | null;
  feed_removed_at: string | null;
  created_at: string;
  version: number;
};

/** Feeds of the tenant by name, those removed left out unless asked for by code; one of them when an id is given. */
export async function findFeeds(tx: Transaction, wanted: { id?: number; code?: string } = {}): Promise<FeedRow[]> {
  const { rows } = await sql<FeedRow>`
    SELECT id, tenant_id, code, name, feed, calendar, currency, price_basis, known_at_rule, settings, credential_sealed,
           feed_removed_at, created_at, version
    FROM source
    WHERE tenant_id = ${tx.principal.tenantId} AND feed IS NOT NULL
      AND ${wanted.code === undefined ? sql`feed_removed_at IS NULL` : sql`code = ${wanted.code}`}
      AND ${wanted.id === undefined ? sql`true` : sql`id = ${wanted.id}`}
    ORDER BY name, id
  `.execute(tx.query);
  return rows;
}

export type NewFeed = {
  code: string;
  name: string;
  feed: FeedName;
  calendar: string;
  currency: string;
  knownAtRule: string;
  settings: unknown;
  sealed: Buffer | null;
};

/** The id of a new feed; null when its code is taken. */
export async function insertFeed(tx: Transaction, feed: NewFeed): Promise<number | null> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO source (tenant_id, code, name, kind, feed, calendar, currency, known_at_rule, settings, credential_sealed)
    VALUES (${tx.principal.tenantId}, ${feed.code}, ${feed.name}, 'feed', ${feed.feed}, ${feed.calendar}, ${feed.currency},
            ${feed.knownAtRule}, ${JSON.stringify(feed.settings)}::jsonb, ${feed.sealed})
    ON CONFLICT (tenant_id, code) WHERE deleted_at IS NULL DO NOTHING RETURNING id
  `.execute(tx.query);
  return rows[0]?.id ?? null;
}

/** Takes a removed feed with its facts into service again. */
export async function reviveFeed(tx: Transaction, id: number, feed: NewFeed): Promise<void> {
  await tx.query
    .updateTable('source')
    .set({
      ...{ name: feed.name, settings: JSON.stringify(feed.settings), credential_sealed: feed.sealed },
      feed_removed_at: null,
    })
    .where('id', '=', id)
    .execute();
}

/** Changes a feed if nobody did since `version`; false when somebody did. */
export async function updateFeed(
  tx: Transaction,
  id: number,
  version: number,
  change: { name?: string; settings?: string; credential_sealed?: Buffer | null },
): Promise<boolean> {
  const result = await tx.query
    .updateTable('source')
    // A change of nothing is one too: the version counts on.
    .set({ ...change, feed_removed_at: null })
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Stops a feed and forgets its key. */
export async function removeFeed(tx: Transaction, id: number): Promise<void> {
  await tx.query
    .updateTable('source')
    .set({ feed_removed_at: sql<string>`clock_timestamp()`, credential_sealed: null })
    .where('id', '=', id)
    .execute();
}

/** Gaps and facts of every feed. */
export async function findFeedFigures(tx: Transaction) {
  const { rows } = await sql<{
    id: number;
    gaps: number;
    instruments: number;
    first: string | null;
    last: string | null;
  }>`
    SELECT s.id, (SELECT count(*)::int FROM refresh_gap g WHERE g.source_id = s.id AND g.closed_at IS NULL) AS gaps,
           d.instruments, d.first, d.last
    FROM source s
    LEFT JOIN LATERAL (
      SELECT min(r.first_day) AS first, max(r.last_day) AS last,
             (SELECT count(DISTINCT i.id)::int FROM ingest_run q JOIN visible_run w ON w.run_id = q.id,
                jsonb_array_elements_text(q.options->'instrumentIds') AS i (id)
              WHERE q.source_id = s.id AND w.retracted_at IS NULL) AS instruments
      FROM ingest_run r JOIN visible_run v ON v.run_id = r.id
      WHERE r.source_id = s.id AND v.retracted_at IS NULL
    ) d ON true
    WHERE s.tenant_id = ${tx.principal.tenantId} AND s.feed IS NOT NULL AND s.feed_removed_at IS NULL
  `.execute(tx.query);
  return rows;
}

/** A key was changed: what the old one was refused may be asked again now. */
export async function retryRefused(tx: Transaction, sourceId: number): Promise<void> {
  await sql`
    UPDATE refresh_gap SET retry_at = clock_timestamp()
    WHERE source_id = ${sourceId} AND kind = 'refused' AND closed_at IS NULL
  `.execute(tx.query);
}
