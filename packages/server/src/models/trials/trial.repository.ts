import type { Selectable } from 'kysely';
import { checkEvaluable } from '../../features/index.ts';
import type { Transaction } from '../../platform/database/database.ts';
import type { TrialTable } from '../../platform/database/schema-types.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';

/** One evaluation, as the ledger keeps it for good. */
export type NewTrial = {
  kind: string;
  name: string;
  parameters: Record<string, unknown>;
  datasetSha256: string | null;
  codeVersion: string;
  seed: number | null;
  outcome: 'finished' | 'failed';
  result: Record<string, unknown>;
  imported?: boolean;
};

/**
 * Writes a trial into the ledger and returns its number.
 *
 * @throws ProblemError SYNTHETIC_REFUSED for a trial on made-up rows: it would count for evidence and is none.
 */
export async function insertTrial(tx: Transaction, trial: NewTrial): Promise<number> {
  if (trial.datasetSha256 !== null) await checkEvaluable(tx, trial.datasetSha256);
  const { id } = await tx.query
    .insertInto('trial')
    .values({
      tenant_id: tx.principal.tenantId,
      kind: trial.kind,
      name: trial.name,
      parameters: JSON.stringify(trial.parameters),
      parameters_sha256: hashOf(trial.parameters),
      dataset_sha256: trial.datasetSha256,
      code_version: trial.codeVersion,
      seed: trial.seed,
      outcome: trial.outcome,
      result: JSON.stringify(trial.result),
      imported: trial.imported ?? false,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** How many different things this tenant has tried, on one dataset or on all. */
export async function countDistinctTrials(tx: Transaction, datasetSha256?: string): Promise<number> {
  let query = tx.query
    .selectFrom('trial')
    .select(({ fn }) => fn.count<number>('parameters_sha256').distinct().as('count'))
    .where('tenant_id', '=', tx.principal.tenantId);
  if (datasetSha256 !== undefined) query = query.where('dataset_sha256', '=', datasetSha256);
  const { count } = await query.executeTakeFirstOrThrow();
  return Number(count);
}

/** Newest first, below the given number. */
export async function listTrialsPage(
  tx: Transaction,
  page: { before: number | undefined; limit: number; datasetSha256?: string | undefined },
) {
  let query = tx.query.selectFrom('trial').selectAll().where('tenant_id', '=', tx.principal.tenantId);
  if (page.before !== undefined) query = query.where('id', '<', page.before);
  if (page.datasetSha256 !== undefined) query = query.where('dataset_sha256', '=', page.datasetSha256);
  const rows = await query.orderBy('id', 'desc').limit(page.limit).execute();
  return rows.map(toTrial);
}

function toTrial(row: Selectable<TrialTable>) {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    parameters: recordOf(row.parameters),
    parametersSha256: row.parameters_sha256,
    datasetSha256: row.dataset_sha256,
    codeVersion: row.code_version,
    seed: row.seed,
    outcome: row.outcome === 'finished' ? ('finished' as const) : ('failed' as const),
    result: recordOf(row.result),
    imported: row.imported,
    createdAt: row.created_at,
    createdBy: row.created_by,
  };
}

function recordOf(json: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(json ?? {}));
}
