import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';

export type SourceRow = {
  id: number;
  name: string;
  calendar: string;
  currency: string;
  price_basis: string | null;
  known_at_rule: string;
};

export type RunForImport = {
  id: number;
  source_id: number;
  kind: string;
  state: string;
  file_name: string | null;
  options: unknown;
};

/** True when this tenant sent the file. A hash names a file; only having sent it is a right to read it. */
export async function hasUpload(tx: Transaction, sha256: string): Promise<boolean> {
  const row = await tx.query
    .selectFrom('evidence')
    .select('sequence')
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('subject_kind', '=', 'upload')
    .where('subject_id', '=', sha256)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Finds the tenant's own source by its code. */
export async function findSourceByCode(tx: Transaction, code: string): Promise<SourceRow | undefined> {
  return tx.query
    .selectFrom('source')
    .select(['id', 'name', 'calendar', 'currency', 'price_basis', 'known_at_rule'])
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('code', '=', code)
    .executeTakeFirst();
}

export async function findOwnSource(tx: Transaction, id: number): Promise<SourceRow | undefined> {
  return tx.query
    .selectFrom('source')
    .select(['id', 'name', 'calendar', 'currency', 'price_basis', 'known_at_rule'])
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** The source of this code, made when there is none. Two imports at once get the same one. */
export async function ensureSource(
  tx: Transaction,
  wanted: { code: string; name: string; kind: string; calendar: string; currency: string; knownAtRule: string },
): Promise<SourceRow> {
  await sql`
    INSERT INTO source (tenant_id, code, name, kind, calendar, currency, known_at_rule)
    VALUES (${tx.principal.tenantId}, ${wanted.code}, ${wanted.name}, ${wanted.kind}, ${wanted.calendar},
            ${wanted.currency}, ${wanted.knownAtRule})
    ON CONFLICT (tenant_id, code) WHERE deleted_at IS NULL DO NOTHING
  `.execute(tx.query);
  const source = await findSourceByCode(tx, wanted.code);
  if (source === undefined) throw new Error(`source ${wanted.code} was made and is not there`);
  return source;
}

export async function insertRun(
  tx: Transaction,
  run: { sourceId: number; kind: string; fileName: string | null; options: unknown; note?: string; taskId?: number },
): Promise<number> {
  const { id } = await tx.query
    .insertInto('ingest_run')
    .values({
      tenant_id: tx.principal.tenantId,
      source_id: run.sourceId,
      kind: run.kind,
      file_name: run.fileName,
      options: JSON.stringify(run.options),
      note: run.note ?? '',
      task_id: run.taskId ?? null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

export async function setRunTask(tx: Transaction, runId: number, taskId: number): Promise<void> {
  await tx.query.updateTable('ingest_run').set({ task_id: taskId }).where('id', '=', runId).execute();
}

export async function findOwnRun(tx: Transaction, runId: number): Promise<RunForImport | undefined> {
  return tx.query
    .selectFrom('ingest_run')
    .select(['id', 'source_id', 'kind', 'state', 'file_name', 'options'])
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('id', '=', runId)
    .executeTakeFirst();
}

/** Changes the state of a run that is not published; a published one keeps it. */
export async function setRunState(
  tx: Transaction,
  runId: number,
  state: 'staging' | 'refused' | 'failed' | 'cancelled',
  told: { errors?: readonly unknown[]; errorCount?: number; rowCount?: number; note?: string } = {},
): Promise<void> {
  await tx.query
    .updateTable('ingest_run')
    .set({
      state,
      errors: JSON.stringify(told.errors ?? []),
      error_count: told.errorCount ?? 0,
      row_count: told.rowCount ?? 0,
      note: told.note ?? '',
    })
    .where('id', '=', runId)
    .where('state', '!=', 'published')
    .execute();
}

/** True when a person asked the task to stop, as opposed to the server stopping. */
export async function isCancelRequested(tx: Transaction, taskId: number): Promise<boolean> {
  const row = await tx.query
    .selectFrom('task')
    .select('cancel_requested_at')
    .where('id', '=', taskId)
    .executeTakeFirst();
  return row !== undefined && row.cancel_requested_at !== null;
}

export async function findUniverseByName(tx: Transaction, name: string): Promise<number | null> {
  const row = await tx.query
    .selectFrom('universe')
    .select('id')
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('name', '=', name)
    .executeTakeFirst();
  return row?.id ?? null;
}
