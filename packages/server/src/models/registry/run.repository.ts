import type { RunStatus, RunSummary } from '@touchstone/contracts/models';
import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import type { NewMetric } from './registry.types.ts';

/** The experiment of a name, made when there is none. */
export async function ensureExperiment(tx: Transaction, name: string): Promise<{ id: number; created: boolean }> {
  const find = () =>
    tx.query
      .selectFrom('experiment')
      .select('id')
      .where('name', '=', name)
      .where('deleted_at', 'is', null)
      .executeTakeFirst();
  const known = await find();
  if (known !== undefined) return { id: known.id, created: false };
  const made = await tx.query
    .insertInto('experiment')
    .values({ tenant_id: tx.principal.tenantId, name })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'name']).where('deleted_at', 'is', null).doNothing())
    .returning('id')
    .executeTakeFirst();
  // Somebody else made it between the two.
  return made === undefined ? { id: (await find())!.id, created: false } : { id: made.id, created: true };
}

export type RunRow = {
  experimentId: number;
  modelId: number | null;
  name: string;
  tags: Record<string, string>;
  datasetSha256: string | null;
  codeVersion: string;
  seed: number | null;
};

export async function insertRun(tx: Transaction, run: RunRow): Promise<number> {
  const { id } = await tx.query
    .insertInto('training_run')
    .values({
      tenant_id: tx.principal.tenantId,
      ...{ experiment_id: run.experimentId, model_id: run.modelId, name: run.name, tags: JSON.stringify(run.tags) },
      ...{ dataset_sha256: run.datasetSha256, code_version: run.codeVersion, seed: run.seed },
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** @returns the parameters that had another value already. */
export async function insertParameters(
  tx: Transaction,
  runId: number,
  parameters: Record<string, unknown>,
): Promise<string[]> {
  const names = Object.keys(parameters);
  if (names.length === 0) return [];
  const rows = names.map((name) => ({
    ...{ tenant_id: tx.principal.tenantId, run_id: runId, name, value: JSON.stringify(parameters[name] ?? null) },
  }));
  await tx.query
    .insertInto('run_parameter')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['tenant_id', 'run_id', 'name']).doNothing())
    .execute();
  const { rows: others } = await sql<{ name: string }>`
    SELECT p.name FROM run_parameter p
    JOIN unnest(${names}::text[], ${rows.map(({ value }) => value)}::text[]) AS told (name, value) ON told.name = p.name
    WHERE p.tenant_id = ${tx.principal.tenantId} AND p.run_id = ${runId} AND p.value <> told.value::jsonb`.execute(
    tx.query,
  );
  return others.map(({ name }) => name);
}

export async function insertMetrics(tx: Transaction, runId: number, metrics: readonly NewMetric[]): Promise<void> {
  if (metrics.length === 0) return;
  // One statement with one parameter a column, however many there are.
  await sql`
    INSERT INTO run_metric (tenant_id, run_id, name, value, step, measured_at)
    SELECT ${tx.principal.tenantId}, ${runId}, name, value, step, coalesce(at, clock_timestamp())
    FROM unnest(${metrics.map(({ name }) => name)}::text[], ${metrics.map(({ value }) => value)}::double precision[],
      ${metrics.map(({ step }) => step ?? 0)}::bigint[], ${metrics.map(({ at }) => at ?? null)}::timestamptz[])
      AS told (name, value, step, at)`.execute(tx.query);
}

export async function insertArtefact(
  tx: Transaction,
  runId: number,
  artefact: { name: string; sha256: string; byteCount: number },
): Promise<void> {
  await tx.query
    .insertInto('run_artefact')
    .values({
      ...{ tenant_id: tx.principal.tenantId, run_id: runId, name: artefact.name },
      ...{ sha256: artefact.sha256, byte_count: artefact.byteCount },
    })
    .execute();
}

/** Locked until the transaction ends, so that of two ends one comes first. */
export async function lockRun(tx: Transaction, runId: number) {
  return tx.query
    .selectFrom('training_run')
    .select([
      ...(['id', 'name', 'status', 'tags', 'seed'] as const),
      ...(['dataset_sha256 as datasetSha256', 'code_version as codeVersion'] as const),
    ])
    .where('id', '=', runId)
    .where('deleted_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
}

export async function endRun(
  tx: Transaction,
  runId: number,
  end: { status: RunStatus; reason: string | null; trialId: number | null },
): Promise<void> {
  await tx.query
    .updateTable('training_run')
    .set({ status: end.status, reason: end.reason, trial_id: end.trialId, ended_at: sql<string>`clock_timestamp()` })
    .where('id', '=', runId)
    .execute();
}

export async function updateTags(tx: Transaction, runId: number, tags: Record<string, string>): Promise<void> {
  await tx.query
    .updateTable('training_run')
    .set({ tags: JSON.stringify(tags) })
    .where('id', '=', runId)
    .execute();
}

export async function findParameters(tx: Transaction, runId: number): Promise<Record<string, unknown>> {
  const rows = await tx.query
    .selectFrom('run_parameter')
    .select(['name', 'value'])
    .where('run_id', '=', runId)
    .orderBy('name')
    .execute();
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}

type LastMetric = { runId: number; name: string; value: number; step: number; at: string; count: number };

/** The last value of each metric of some runs. */
export async function findLastMetrics(tx: Transaction, runIds: readonly number[]): Promise<LastMetric[]> {
  if (runIds.length === 0) return [];
  const { rows } = await sql<LastMetric>`
    SELECT DISTINCT ON (run_id, name) run_id AS "runId", name, value, step, measured_at AS at,
      (count(*) OVER (PARTITION BY run_id, name))::integer AS count
    FROM run_metric WHERE tenant_id = ${tx.principal.tenantId} AND run_id = ANY(${runIds}::integer[])
    ORDER BY run_id, name, id DESC`.execute(tx.query);
  return rows.map((row) => ({ ...row, step: Number(row.step) }));
}

/** In the order they were logged. */
export async function listMetricPage(
  tx: Transaction,
  runId: number,
  page: { name: string; after: number; limit: number },
): Promise<{ id: number; value: number | null; step: number; at: string }[]> {
  const rows = await tx.query
    .selectFrom('run_metric')
    .select(['id', 'value', 'step', 'measured_at as at'])
    .where('run_id', '=', runId)
    .where('name', '=', page.name)
    .where('id', '>', page.after)
    .orderBy('id')
    .limit(page.limit)
    .execute();
  return rows.map((row) => ({ ...row, step: Number(row.step), value: finite(row.value) }));
}

/** The newest of each name. */
export async function findArtefacts(tx: Transaction, runId: number) {
  const rows = await tx.query
    .selectFrom('run_artefact')
    .distinctOn('name')
    .select(['name', 'sha256', 'byte_count as byteCount', 'created_at as createdAt'])
    .where('run_id', '=', runId)
    .orderBy('name')
    .orderBy('id', 'desc')
    .execute();
  return rows.map((row) => ({ ...row, byteCount: Number(row.byteCount) }));
}

export async function findVersionsOfRun(tx: Transaction, runId: number) {
  return tx.query
    .selectFrom('model_version as v')
    .innerJoin('model as m', (join) => join.onRef('m.tenant_id', '=', 'v.tenant_id').onRef('m.id', '=', 'v.model_id'))
    .select(['m.name as model', 'v.number as version'])
    .where('v.run_id', '=', runId)
    .orderBy('v.number')
    .execute();
}

export type RunFilter = {
  runId?: number;
  model?: string | undefined;
  experiment?: string | undefined;
  status?: RunStatus | undefined;
  before?: number | undefined;
  limit: number;
};

/** Newest first. */
export async function listRunsPage(tx: Transaction, filter: RunFilter): Promise<RunSummary[]> {
  let query = tx.query
    .selectFrom('training_run as r')
    .innerJoin('experiment as e', (join) =>
      join.onRef('e.tenant_id', '=', 'r.tenant_id').onRef('e.id', '=', 'r.experiment_id'),
    )
    .leftJoin('model as m', (join) => join.onRef('m.tenant_id', '=', 'r.tenant_id').onRef('m.id', '=', 'r.model_id'))
    .select([
      ...(['r.id', 'e.name as experiment', 'm.name as model', 'r.name', 'r.status', 'r.reason', 'r.tags'] as const),
      ...(['r.dataset_sha256 as datasetSha256', 'r.code_version as codeVersion', 'r.seed'] as const),
      ...(['r.trial_id as trialId', 'r.started_at as startedAt', 'r.ended_at as endedAt'] as const),
      ...(['r.created_by as createdBy', 'r.deleted_at as deletedAt'] as const),
    ])
    .where('r.tenant_id', '=', tx.principal.tenantId);
  if (filter.runId !== undefined) query = query.where('r.id', '=', filter.runId);
  if (filter.model !== undefined) query = query.where('m.name', '=', filter.model);
  if (filter.experiment !== undefined) query = query.where('e.name', '=', filter.experiment);
  if (filter.status !== undefined) query = query.where('r.status', '=', filter.status);
  if (filter.before !== undefined) query = query.where('r.id', '<', filter.before);
  const rows = await query.orderBy('r.id', 'desc').limit(filter.limit).execute();
  return rows.map((row) => ({
    ...row,
    status: STATUSES.find((status) => status === row.status) ?? 'failed',
    tags: tagsOf(row.tags),
    seed: row.seed === null ? null : Number(row.seed),
    trialId: row.trialId === null ? null : Number(row.trialId),
  }));
}

const STATUSES = ['running', 'finished', 'failed', 'stopped'] as const;

export async function listExperimentsPage(tx: Transaction, page: { before?: number | undefined; limit: number }) {
  const before = page.before === undefined ? sql`true` : sql`e.id < ${page.before}`;
  const { rows } = await sql<{
    id: number;
    name: string;
    runCount: number;
    lastRunAt: string | null;
    createdAt: string;
    createdBy: number | null;
  }>`
    SELECT e.id, e.name, e.created_at AS "createdAt", e.created_by AS "createdBy", r.count AS "runCount",
      r.last AS "lastRunAt"
    FROM experiment e
    LEFT JOIN LATERAL (
      SELECT count(*)::integer AS count, max(started_at) AS last FROM training_run r
      WHERE r.tenant_id = e.tenant_id AND r.experiment_id = e.id
    ) r ON true
    WHERE e.tenant_id = ${tx.principal.tenantId} AND ${before}
    ORDER BY e.id DESC LIMIT ${page.limit}`.execute(tx.query);
  return rows;
}

/** What the wire can hold: a value that is no number is null. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

export function tagsOf(json: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(json ?? {}).map(([name, value]) => [name, String(value)]));
}
