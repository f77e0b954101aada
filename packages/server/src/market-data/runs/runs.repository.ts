import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';

export type RunRow = {
  id: number;
  tenant_id: number;
  source_id: number;
  source_name: string;
  kind: string;
  state: 'staging' | 'published' | 'refused' | 'failed' | 'cancelled';
  price_basis: string | null;
  file_name: string | null;
  row_count: number;
  accepted_count: number;
  unchanged_count: number;
  revised_count: number;
  quarantined_count: number;
  error_count: number;
  errors: { file: string; line: number; column: string | null; rule: string }[];
  first_day: string | null;
  last_day: string | null;
  task_id: number | null;
  note: string;
  created_at: string;
  created_by: number | null;
  updated_at: string;
  updated_by: number | null;
  deleted_at: string | null;
  version: number;
  published_at: string | null;
  content_sha256: Buffer | null;
  published_row_count: number | null;
  retracted_at: string | null;
  retract_reason: string | null;
};

/** Runs in sight, newest first. */
export async function findRuns(
  tx: Transaction,
  question: { id?: number | undefined; sourceId?: number | undefined; before?: number | undefined; limit: number },
): Promise<RunRow[]> {
  const { id, sourceId, before, limit } = question;
  const { rows } = await sql<RunRow>`
    SELECT r.*, s.name AS source_name, p.published_at, p.content_sha256, p.row_count AS published_row_count,
           t.published_at AS retracted_at, t.reason AS retract_reason
    FROM ingest_run r
    JOIN source s ON s.id = r.source_id
    LEFT JOIN publication p ON p.run_id = r.id AND p.kind = 'publish'
    LEFT JOIN publication t ON t.run_id = r.id AND t.kind = 'retract'
    WHERE ${id === undefined ? sql`true` : sql`r.id = ${id}`}
      AND ${sourceId === undefined ? sql`true` : sql`r.source_id = ${sourceId}`}
      AND ${before === undefined ? sql`true` : sql`r.id < ${before}`}
    ORDER BY r.id DESC LIMIT ${limit}
  `.execute(tx.query);
  return rows;
}

/** Holds the run until commit, so that two retractions do not meet. */
export async function lockRun(tx: Transaction, id: number): Promise<void> {
  await tx.query.selectFrom('ingest_run').select('id').where('id', '=', id).forUpdate().execute();
}

/** Writes the retraction of a published run; gives its stamp. */
export async function insertRetraction(
  tx: Transaction,
  run: { id: number; rowCount: number; contentSha256: Buffer },
  reason: string,
): Promise<string> {
  const { tenantId, actorId } = tx.principal;
  const { rows } = await sql<{ at: string }>`
    WITH stamp AS MATERIALIZED (SELECT touchstone_stamp() AS at)
    INSERT INTO publication (tenant_id, run_id, kind, published_at, row_count, content_sha256, known_at_min, known_at_max,
                             reason, actor_id)
    SELECT ${tenantId}, ${run.id}, 'retract', at, ${run.rowCount}, ${run.contentSha256}, at, at, ${reason}, ${actorId}
    FROM stamp RETURNING published_at AS at
  `.execute(tx.query);
  return rows[0]!.at;
}

export async function insertEvent(tx: Transaction, name: string, payload: Record<string, unknown>): Promise<void> {
  await tx.query
    .insertInto('outbox_event')
    .values({ tenant_id: tx.principal.tenantId, name, payload: JSON.stringify(payload) })
    .execute();
}
