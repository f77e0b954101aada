import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';

export type SourceRow = {
  id: number;
  tenant_id: number;
  code: string;
  name: string;
  kind: 'simulator' | 'file' | 'manual' | 'calendar' | 'feed';
  calendar: string;
  currency: string;
  price_basis: 'raw' | 'split_adjusted' | 'total_return' | null;
  known_at_rule: 'close_plus_one_hour' | 'declared_in_data' | 'recorded';
  created_at: string;
  created_by: number | null;
  updated_at: string;
  updated_by: number | null;
  deleted_at: string | null;
  version: number;
  instrument_count: number;
  first_day: string | null;
  last_day: string | null;
  open_case_count: number;
};

/** Sources in sight with what they have, by name; one of them when an id is given. */
export async function findSources(tx: Transaction, id?: number): Promise<SourceRow[]> {
  const { rows } = await sql<SourceRow>`
    SELECT s.id, s.tenant_id, s.code, s.name, s.kind, s.calendar, s.currency, s.price_basis, s.known_at_rule,
           s.created_at, s.created_by, s.updated_at, s.updated_by, s.deleted_at, s.version,
           (SELECT count(DISTINCT i.id)::int FROM ingest_run r JOIN visible_run v ON v.run_id = r.id,
              jsonb_array_elements_text(r.options->'instrumentIds') AS i (id)
            WHERE r.source_id = s.id AND v.retracted_at IS NULL
              AND r.kind IN ('prices', 'correction', 'release')) AS instrument_count,
           d.first_day, d.last_day,
           (SELECT count(*)::int FROM data_case c WHERE c.source_id = s.id AND c.state = 'open') AS open_case_count
    FROM source s
    LEFT JOIN LATERAL (
      SELECT min(r.first_day) AS first_day, max(r.last_day) AS last_day
      FROM ingest_run r JOIN visible_run v ON v.run_id = r.id
      WHERE r.source_id = s.id AND v.retracted_at IS NULL
    ) d ON true
    WHERE ${id === undefined ? sql`true` : sql`s.id = ${id}`}
    ORDER BY s.name, s.id
  `.execute(tx.query);
  return rows;
}

/** Renames the tenant's own source if nobody changed it since; false when somebody did. */
export async function renameSource(tx: Transaction, id: number, name: string, version: number): Promise<boolean> {
  const result = await tx.query
    .updateTable('source')
    .set({ name })
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
