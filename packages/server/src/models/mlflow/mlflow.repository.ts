import { type RawBuilder, sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';
import { MODEL_SUBJECT } from '../registry/registry.types.ts';
import type { Column, Columns } from './compile-search.ts';
import type { Tags } from './endpoint.ts';
import type { Field } from './filter.ts';

/** The experiment that MLflow calls 0 is the one of this name, whether or not anything is in it yet. */
export const DEFAULT_EXPERIMENT = 'Default';

type Search = { condition: RawBuilder<boolean>; order: RawBuilder<unknown>; limit: number; offset: number };

export type ExperimentRow = { id: number; name: string; tags: Tags; createdAt: string; updatedAt: string };

export const experimentColumns: Columns = ({ entity, key }) => {
  if (entity === 'tag') return text(sql`e.tags->>${key}`);
  if (entity !== 'attribute') return undefined;
  const columns: Record<string, Column> = {
    ...{ name: text(sql`e.name`), experiment_id: number(sql`e.id`) },
    ...{ creation_time: ms(sql`e.created_at`), last_update_time: ms(sql`e.updated_at`) },
  };
  return columns[key];
};

export async function searchExperiments(tx: Transaction, search: Search): Promise<ExperimentRow[]> {
  const { rows } = await sql<ExperimentRow>`
    SELECT e.id, e.name, e.tags, e.created_at AS "createdAt", e.updated_at AS "updatedAt" FROM experiment e
    WHERE e.tenant_id = ${tx.principal.tenantId} AND ${search.condition}
    ORDER BY ${search.order} LIMIT ${search.limit + 1} OFFSET ${search.offset}`.execute(tx.query);
  return rows;
}

export async function setExperimentTags(tx: Transaction, id: number, tags: Tags): Promise<void> {
  await sql`UPDATE experiment SET tags = ${JSON.stringify(tags)}::jsonb
    WHERE tenant_id = ${tx.principal.tenantId} AND id = ${id}`.execute(tx.query);
  await appendEvidence(tx, {
    ...{ kind: 'experiment.tagged', subjectKind: 'experiment', subjectId: id, body: { tagsSha256: hashOf(tags) } },
  });
}

export type MlflowRun = {
  id: number;
  name: string;
  experimentId: number;
  experiment: string;
  status: string;
  reason: string | null;
  tags: Tags;
  startedAt: string;
  endedAt: string | null;
  codeVersion: string;
};

/** MLflow's words for the state of a run. */
export const STATUS_WORDS: Record<string, string> = {
  ...{ running: 'RUNNING', finished: 'FINISHED', failed: 'FAILED', stopped: 'KILLED' },
};
const statusWord = sql`CASE r.status WHEN 'stopped' THEN 'KILLED' ELSE upper(r.status) END`;

/** The last value of a metric is the one at the highest step, as MLflow counts. */
const LAST_FIRST = sql`step DESC, measured_at DESC, value DESC`;

export function runColumns({ entity, key }: Field): Column | undefined {
  if (entity === 'metric')
    return number(sql`(SELECT value FROM run_metric m
      WHERE m.tenant_id = r.tenant_id AND m.run_id = r.id AND m.name = ${key} ORDER BY ${LAST_FIRST} LIMIT 1)`);
  if (entity === 'parameter')
    return text(sql`(SELECT p.value #>> '{}' FROM run_parameter p
      WHERE p.tenant_id = r.tenant_id AND p.run_id = r.id AND p.name = ${key})`);
  if (entity === 'tag') return text(key === 'mlflow.runName' ? sql`r.name` : sql`r.tags->>${key}`);
  const columns: Record<string, Column> = {
    ...{ run_id: text(sql`r.id::text`), run_name: text(sql`r.name`), 'run name': text(sql`r.name`) },
    ...{ status: text(statusWord), experiment_id: text(sql`r.experiment_id::text`) },
    ...{ start_time: ms(sql`r.started_at`), created: ms(sql`r.started_at`), Created: ms(sql`r.started_at`) },
    ...{ end_time: ms(sql`r.ended_at`), artifact_uri: text(sql`'mlflow-artifacts:/runs/' || r.id`) },
  };
  return columns[key];
}

export async function searchRuns(tx: Transaction, search: Search): Promise<MlflowRun[]> {
  const { rows } = await sql<MlflowRun>`
    SELECT r.id, r.name, r.experiment_id AS "experimentId", e.name AS experiment, r.status, r.reason, r.tags,
      r.started_at AS "startedAt", r.ended_at AS "endedAt", r.code_version AS "codeVersion"
    FROM training_run r JOIN experiment e ON e.tenant_id = r.tenant_id AND e.id = r.experiment_id
    WHERE r.tenant_id = ${tx.principal.tenantId} AND ${search.condition}
    ORDER BY ${search.order} LIMIT ${search.limit + 1} OFFSET ${search.offset}`.execute(tx.query);
  return rows;
}

export type MetricRow = { runId: number; name: string; value: number; step: number; at: string };

export async function findLastMetrics(tx: Transaction, runIds: readonly number[]): Promise<MetricRow[]> {
  const { rows } = await sql<MetricRow>`
    SELECT DISTINCT ON (run_id, name) run_id AS "runId", name, value, step, measured_at AS at FROM run_metric
    WHERE tenant_id = ${tx.principal.tenantId} AND run_id = ANY(${runIds}::integer[])
    ORDER BY run_id, name, ${LAST_FIRST}`.execute(tx.query);
  return rows.map((row) => ({ ...row, step: Number(row.step) }));
}

/** In the order they were logged. */
export async function findMetricHistory(
  tx: Transaction,
  runId: number,
  page: { name: string; limit: number; offset: number },
): Promise<MetricRow[]> {
  const { rows } = await sql<MetricRow>`
    SELECT run_id AS "runId", name, value, step, measured_at AS at FROM run_metric
    WHERE tenant_id = ${tx.principal.tenantId} AND run_id = ${runId} AND name = ${page.name}
    ORDER BY id LIMIT ${page.limit + 1} OFFSET ${page.offset}`.execute(tx.query);
  return rows.map((row) => ({ ...row, step: Number(row.step) }));
}

/** Of some values those that the run does not have yet: its client sends a value again to say which model it is of. */
export async function withoutKnown<M extends { name: string; value: number; step?: number; at?: string }>(
  tx: Transaction,
  runId: number,
  metrics: readonly M[],
): Promise<M[]> {
  const { rows } = await sql<{ place: number }>`
    SELECT told.place::integer AS place
    FROM unnest(${metrics.map((one) => one.name)}::text[], ${metrics.map((one) => one.value)}::double precision[],
      ${metrics.map((one) => one.step ?? 0)}::bigint[], ${metrics.map((one) => one.at ?? null)}::timestamptz[])
      WITH ORDINALITY AS told (name, value, step, at, place)
    WHERE EXISTS (SELECT 1 FROM run_metric m WHERE m.tenant_id = ${tx.principal.tenantId} AND m.run_id = ${runId}
      AND m.name = told.name AND m.step = told.step AND m.value = told.value AND m.measured_at = told.at)`.execute(
    tx.query,
  );
  const known = new Set(rows.map(({ place }) => place));
  return metrics.filter((_metric, i) => !known.has(i + 1));
}

export async function findParameters(
  tx: Transaction,
  runIds: readonly number[],
): Promise<{ runId: number; name: string; value: string }[]> {
  const { rows } = await sql<{ runId: number; name: string; value: string | null }>`
    SELECT run_id AS "runId", name, value #>> '{}' AS value FROM run_parameter
    WHERE tenant_id = ${tx.principal.tenantId} AND run_id = ANY(${runIds}::integer[])
    ORDER BY run_id, name`.execute(tx.query);
  return rows.map((row) => ({ ...row, value: row.value ?? 'null' }));
}

export async function renameRun(tx: Transaction, runId: number, name: string): Promise<void> {
  await tx.query.updateTable('training_run').set({ name }).where('id', '=', runId).execute();
}

export type Origin = { datasetSha256: string | null; codeVersion: string | null; seed: number | null };

/** What the tags of a run say of where it comes from; what they do not say stays. */
export async function setOrigin(tx: Transaction, runId: number, origin: Origin): Promise<void> {
  await sql`UPDATE training_run SET dataset_sha256 = coalesce(${origin.datasetSha256}, dataset_sha256),
      code_version = coalesce(${origin.codeVersion}, code_version), seed = coalesce(${origin.seed}::bigint, seed)
    WHERE tenant_id = ${tx.principal.tenantId} AND id = ${runId}`.execute(tx.query);
}

/** A value as the wire has it: JSON has no word for what is no number. */
export type ModelMetric = { value: number | string; step: number; timestamp: number };

export type LoggedModel = {
  id: number;
  runId: number;
  experimentId: number;
  experiment: string;
  name: string;
  modelType: string;
  status: 'pending' | 'ready' | 'failed';
  outputStep: number | null;
  ownsRun: boolean;
  tags: Tags;
  parameters: Tags;
  metrics: Record<string, ModelMetric>;
  createdAt: string;
  updatedAt: string;
};

export function loggedModelColumns({ entity, key }: Field): Column | undefined {
  if (entity === 'tag') return text(sql`l.tags->>${key}`);
  if (entity === 'parameter') return text(sql`l.parameters->>${key}`);
  if (entity === 'metric') return number(sql`(l.metrics->${key}->>'value')::double precision`);
  const columns: Record<string, Column> = {
    ...{ model_id: text(sql`'m-' || l.id`), name: text(sql`l.name`), model_type: text(sql`l.model_type`) },
    ...{ source_run_id: text(sql`l.run_id::text`), status: text(sql`upper(l.status)`) },
    ...{ creation_timestamp: ms(sql`l.created_at`), creation_time: ms(sql`l.created_at`) },
    ...{ last_updated_timestamp: ms(sql`l.updated_at`), last_updated_time: ms(sql`l.updated_at`) },
  };
  return columns[key];
}

export async function searchLoggedModels(tx: Transaction, search: Search): Promise<LoggedModel[]> {
  const { rows } = await sql<LoggedModel>`
    SELECT l.id, l.run_id AS "runId", r.experiment_id AS "experimentId", e.name AS experiment, l.name,
      l.model_type AS "modelType", l.status, l.output_step AS "outputStep", l.owns_run AS "ownsRun", l.tags, l.parameters, l.metrics,
      l.created_at AS "createdAt", l.updated_at AS "updatedAt"
    FROM logged_model l
    JOIN training_run r ON r.tenant_id = l.tenant_id AND r.id = l.run_id
    JOIN experiment e ON e.tenant_id = r.tenant_id AND e.id = r.experiment_id
    WHERE l.tenant_id = ${tx.principal.tenantId} AND ${search.condition}
    ORDER BY ${search.order} LIMIT ${search.limit + 1} OFFSET ${search.offset}`.execute(tx.query);
  return rows.map((row) => ({ ...row, outputStep: row.outputStep === null ? null : Number(row.outputStep) }));
}

export async function findLoggedModel(tx: Transaction, id: number): Promise<LoggedModel | undefined> {
  const condition = sql<boolean>`l.id = ${id}`;
  return (await searchLoggedModels(tx, { condition, order: sql`l.id`, limit: 1, offset: 0 }))[0];
}

const LOGGED_MODEL_SUBJECT = 'logged_model';

export async function insertLoggedModel(
  tx: Transaction,
  model: Pick<LoggedModel, 'runId' | 'name' | 'modelType' | 'ownsRun' | 'tags' | 'parameters'>,
): Promise<number> {
  const { id } = await tx.query
    .insertInto('logged_model')
    .values({
      ...{ tenant_id: tx.principal.tenantId, run_id: model.runId, name: model.name, model_type: model.modelType },
      ...{ owns_run: model.ownsRun, tags: JSON.stringify(model.tags), parameters: JSON.stringify(model.parameters) },
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await appendEvidence(tx, {
    ...{ kind: 'logged_model.created', subjectKind: LOGGED_MODEL_SUBJECT, subjectId: id, body: { runId: model.runId } },
  });
  return id;
}

export async function changeLoggedModel(
  tx: Transaction,
  id: number,
  change: Partial<Pick<LoggedModel, 'status' | 'outputStep' | 'tags' | 'parameters' | 'metrics'>>,
): Promise<void> {
  await tx.query
    .updateTable('logged_model')
    .set({
      ...(change.status === undefined ? {} : { status: change.status }),
      ...(change.outputStep === undefined ? {} : { output_step: change.outputStep }),
      ...(change.tags === undefined ? {} : { tags: JSON.stringify(change.tags) }),
      ...(change.metrics === undefined ? {} : { metrics: JSON.stringify(change.metrics) }),
      ...(change.parameters === undefined ? {} : { parameters: JSON.stringify(change.parameters) }),
    })
    .where('id', '=', id)
    .execute();
  await appendEvidence(tx, {
    ...{ kind: 'logged_model.changed', subjectKind: LOGGED_MODEL_SUBJECT, subjectId: id },
    body: { changeSha256: hashOf(change), status: change.status ?? null },
  });
}

export type ModelRow = {
  id: number;
  name: string;
  description: string;
  tags: Tags;
  createdAt: string;
  updatedAt: string;
};

export const modelColumns: Columns = ({ entity, key }) => {
  // Its client leaves out prompts in every search; a model without the tag is none.
  if (entity === 'tag' && key === 'mlflow.prompt.is_prompt') return text(sql`coalesce(m.tags->>${key}, 'false')`);
  if (entity === 'tag') return text(sql`m.tags->>${key}`);
  if (entity !== 'attribute') return undefined;
  const columns: Record<string, Column> = {
    ...{ name: text(sql`m.name`), creation_timestamp: ms(sql`m.created_at`), creation_time: ms(sql`m.created_at`) },
    ...{ last_updated_timestamp: ms(sql`m.updated_at`), timestamp: ms(sql`m.updated_at`) },
  };
  return columns[key];
};

export async function searchModels(tx: Transaction, search: Search): Promise<ModelRow[]> {
  const { rows } = await sql<ModelRow>`
    SELECT m.id, m.name, m.description, m.tags, m.created_at AS "createdAt", m.updated_at AS "updatedAt" FROM model m
    WHERE m.tenant_id = ${tx.principal.tenantId} AND ${search.condition}
    ORDER BY ${search.order} LIMIT ${search.limit + 1} OFFSET ${search.offset}`.execute(tx.query);
  return rows;
}

export async function setModelTags(tx: Transaction, id: number, tags: Tags): Promise<void> {
  await tx.query
    .updateTable('model')
    .set({ tags: JSON.stringify(tags) })
    .where('id', '=', id)
    .execute();
  await appendEvidence(tx, {
    ...{ kind: 'model.tagged', subjectKind: MODEL_SUBJECT, subjectId: id, body: { tagsSha256: hashOf(tags) } },
  });
}

export type MlflowVersion = {
  modelId: number;
  model: string;
  number: number;
  runId: number | null;
  format: string;
  artefactSha256: string;
  artefactByteCount: number;
  loggedModelId: number | null;
  description: string;
  tags: Tags;
  aliases: string[] | null;
  createdAt: string;
  updatedAt: string;
};

export const versionColumns: Columns = ({ entity, key }) => {
  if (entity === 'tag') return text(sql`n.tags->>${key}`);
  if (entity !== 'attribute') return undefined;
  const columns: Record<string, Column> = {
    ...{ name: text(sql`m.name`), run_id: text(sql`v.run_id::text`), version_number: number(sql`v.number`) },
    ...{ version: number(sql`v.number`), creation_timestamp: ms(sql`v.created_at`) },
    ...{ last_updated_timestamp: ms(sql`coalesce(n.updated_at, v.created_at)`) },
    source_path: text(sql`'mlflow-artifacts:/versions/' || m.name || '/' || v.number`),
  };
  return columns[key];
};

export async function searchVersions(tx: Transaction, search: Search): Promise<MlflowVersion[]> {
  const { rows } = await sql<MlflowVersion>`
    SELECT v.model_id AS "modelId", m.name AS model, v.number, v.run_id AS "runId", v.manifest->>'format' AS format,
      v.artefact_sha256 AS "artefactSha256", v.artefact_byte_count AS "artefactByteCount",
      n.logged_model_id AS "loggedModelId",
      coalesce(n.description, '') AS description, coalesce(n.tags, '{}') AS tags, a.aliases, v.created_at AS "createdAt",
      coalesce(n.updated_at, v.created_at) AS "updatedAt"
    FROM model_version v
    JOIN model m ON m.tenant_id = v.tenant_id AND m.id = v.model_id
    LEFT JOIN version_note n ON n.tenant_id = v.tenant_id AND n.model_id = v.model_id AND n.version_number = v.number
    LEFT JOIN LATERAL (
      SELECT array_agg(alias ORDER BY alias) AS aliases FROM (
        SELECT DISTINCT ON (alias) alias, to_number FROM model_alias_event x
        WHERE x.tenant_id = v.tenant_id AND x.model_id = v.model_id ORDER BY alias, id DESC
      ) pointing WHERE to_number = v.number
    ) a ON true
    WHERE v.tenant_id = ${tx.principal.tenantId} AND m.deleted_at IS NULL AND ${search.condition}
    ORDER BY ${search.order} LIMIT ${search.limit + 1} OFFSET ${search.offset}`.execute(tx.query);
  return rows.map((row) => ({ ...row, artefactByteCount: Number(row.artefactByteCount) }));
}

export async function noteVersion(
  tx: Transaction,
  version: { modelId: number; number: number },
  note: { loggedModelId?: number | null; description: string; tags: Tags },
): Promise<void> {
  const tags = JSON.stringify(note.tags);
  await tx.query
    .insertInto('version_note')
    .values({
      ...{ tenant_id: tx.principal.tenantId, model_id: version.modelId, version_number: version.number },
      ...{ logged_model_id: note.loggedModelId ?? null, description: note.description, tags },
    })
    .onConflict((conflict) =>
      conflict
        .columns(['tenant_id', 'model_id', 'version_number'])
        .doUpdateSet({ description: note.description, tags }),
    )
    .execute();
  await appendEvidence(tx, {
    ...{ kind: 'model.version_noted', subjectKind: MODEL_SUBJECT, subjectId: version.modelId },
    body: { version: version.number, noteSha256: hashOf({ description: note.description, tags: note.tags }) },
  });
}

/** Files of a run below a folder, the newest of each name. */
export async function findFiles(
  tx: Transaction,
  runId: number,
  folder: string,
): Promise<{ name: string; sha256: string; byteCount: number }[]> {
  const { rows } = await sql<{ name: string; sha256: string; byteCount: number }>`
    SELECT DISTINCT ON (name) name, sha256, byte_count AS "byteCount" FROM run_artefact
    WHERE tenant_id = ${tx.principal.tenantId} AND run_id = ${runId} AND starts_with(name, ${folder})
    ORDER BY name, id DESC`.execute(tx.query);
  return rows.map((row) => ({ ...row, byteCount: Number(row.byteCount) }));
}

function text(value: RawBuilder<unknown>): Column {
  return { value, isNumber: false };
}
function number(value: RawBuilder<unknown>): Column {
  return { value, isNumber: true };
}
/** An instant as milliseconds since 1970. */
function ms(value: RawBuilder<unknown>): Column {
  return number(sql`floor(extract(epoch FROM ${value}) * 1000)`);
}
