import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import { type ReadTime, visibleAt } from '../facts/read-time.ts';

export type InstrumentRow = {
  id: number;
  tenant_id: number;
  symbol: string;
  name: string;
  kind: 'equity' | 'fund' | 'index' | 'currency' | 'crypto' | 'other';
  calendar: string;
  currency: string;
  sector: string | null;
  created_at: string;
  created_by: number | null;
  updated_at: string;
  updated_by: number | null;
  deleted_at: string | null;
  version: number;
  first_day: string | null;
  last_day: string | null;
  bar_count: number;
};

export type InstrumentQuestion = {
  search?: string | undefined;
  sourceId?: number | undefined;
  after?: { symbol: string; id: number } | undefined;
  limit: number;
};

/** Instruments in sight with something told about them, by symbol. */
export async function findInstruments(tx: Transaction, question: InstrumentQuestion): Promise<InstrumentRow[]> {
  const { search, sourceId, after, limit } = question;
  const pattern = `%${(search ?? '').replace(/[\\%_]/g, '\\$&')}%`;
  const { rows } = await sql<InstrumentRow>`
    ${LIVE} SELECT i.*, b.* FROM (
      SELECT * FROM instrument i
      WHERE ${search === undefined ? sql`true` : sql`(i.symbol ILIKE ${pattern} OR i.name ILIKE ${pattern})`}
        AND ${
          sourceId === undefined
            ? sql`true`
            : sql`i.id IN (SELECT t.id::int FROM ingest_run r, jsonb_array_elements_text(r.options->'instrumentIds') AS t (id)
                WHERE r.source_id = ${sourceId} AND r.kind IN ('prices', 'correction', 'release')
                  AND r.id IN (SELECT run_id FROM live))`
        }
        AND ${after === undefined ? sql`true` : sql`(i.symbol, i.id) > (${after.symbol}, ${after.id})`}
      ORDER BY i.symbol, i.id LIMIT ${limit}
    ) i
    LEFT JOIN LATERAL (${barSpan(sourceId)}) b ON true
    ORDER BY i.symbol, i.id
  `.execute(tx.query);
  return rows;
}

export async function findInstrument(tx: Transaction, id: number): Promise<InstrumentRow | undefined> {
  const { rows } = await sql<InstrumentRow>`
    ${LIVE} SELECT i.*, b.* FROM instrument i LEFT JOIN LATERAL (${barSpan(undefined)}) b ON true WHERE i.id = ${id}
  `.execute(tx.query);
  return rows[0];
}

// Read once, not once a bar. A bar comes into the table with its publication, so only a retraction can hide it; retractions
// are few, while a join with the runs that count asked for the bars once for each of a thousand runs.
const LIVE = sql`WITH live AS MATERIALIZED (SELECT run_id FROM visible_run WHERE retracted_at IS NULL),
  retracted AS MATERIALIZED (SELECT run_id FROM publication WHERE kind = 'retract')`;

function barSpan(sourceId: number | undefined) {
  return sql`
    SELECT min(o.day) AS first_day, max(o.day) AS last_day, count(DISTINCT o.day)::int AS bar_count
    FROM bar_key o
    WHERE o.instrument_id = i.id AND o.run_id NOT IN (SELECT run_id FROM retracted)
      AND ${sourceId === undefined ? sql`true` : sql`o.source_id = ${sourceId}`}
  `;
}

export type ListingRow = {
  day: string;
  kind: 'listed' | 'renamed' | 'delisted';
  symbol: string;
  calendar: string;
  knownAt: string;
};

/** Names of an instrument over time as known at a moment. */
export async function findListingEvents(tx: Transaction, id: number, time: ReadTime): Promise<ListingRow[]> {
  const { rows } = await sql<ListingRow>`
    SELECT DISTINCT ON (e.day, e.kind) e.day, e.kind, e.symbol, e.calendar, coalesce(e.known_at, r.published_at) AS "knownAt"
    FROM listing_event e JOIN visible_run r ON r.run_id = e.run_id
    WHERE e.instrument_id = ${id} AND ${sql.raw(visibleAt('e', 'r', time))}
    ORDER BY e.day, e.kind, coalesce(e.known_at, r.published_at) DESC, e.run_id DESC
  `.execute(tx.query);
  return rows;
}

/** Sources that ever told a bar of an instrument. */
export async function findSourcesOf(tx: Transaction, id: number) {
  return tx.query
    .selectFrom('source as s')
    .select(['s.id', 's.name', 's.price_basis'])
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('bar_key as o')
          .select('o.day')
          .where('o.instrument_id', '=', id)
          .whereRef('o.source_id', '=', 's.id'),
      ),
    )
    .orderBy('s.id')
    .execute();
}

export type InstrumentChange = {
  name?: string | undefined;
  kind?: string | undefined;
  sector?: string | null | undefined;
  currency?: string | undefined;
  calendar?: string | undefined;
};

/** Changes the tenant's own instrument if nobody changed it since; false when somebody did. */
export async function changeInstrument(
  tx: Transaction,
  id: number,
  change: InstrumentChange,
  version: number,
): Promise<boolean> {
  const result = await tx.query
    .updateTable('instrument')
    // The version is written so that a change of nothing is still a statement; the trigger counts it up.
    .set({ ...change, version })
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
