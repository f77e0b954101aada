import { sql } from 'kysely';
import { z } from 'zod';
import type { Database, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import type { WireRoute } from '../../platform/http/serve-wire.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import type { Registry } from '../registry/registry.types.ts';
import { ensureExperiment, lockRun, tagsOf } from '../registry/run.repository.ts';
import { offsetOf, pageOf, toCondition, toOrder } from './compile-search.ts';
import {
  double,
  endpoint,
  fromTags,
  limitOf,
  type MlflowParts,
  name,
  numberId,
  pageToken,
  refusal,
  type Tags,
  tagList,
  toDouble,
  toMs,
  toTags,
} from './endpoint.ts';
import { getLoggedModel, loggedModelNumber } from './files.ts';
import { parseFilter, parseOrder } from './filter.ts';
import * as repository from './mlflow.repository.ts';
import { originOf } from './origin.ts';

/** Where dataset inputs of a run are kept; told as inputs, not as a tag. */
const INPUTS_TAG = 'touchstone.mlflow_inputs';
const RUN_NAME_TAG = 'mlflow.runName';
const ON_RECORD = 'Runs and experiments stay on record here; nothing of them is deleted.';

const metric = z.object({
  ...{ key: name, value: double, timestamp: z.coerce.number().optional(), step: z.coerce.number().int().default(0) },
  model_id: z.string().optional(),
});
const param = z.object({ key: name, value: z.coerce.string().max(6_000).default('') });
const runId = { run_id: numberId };
const searchPage = { page_token: pageToken, order_by: orderList() };

/** Experiments and runs. */
export function runEndpoints({ database, registry }: MlflowParts): WireRoute[] {
  return [...experimentEndpoints(database), ...writeEndpoints(database, registry), ...readEndpoints(database)];
}

function experimentEndpoints(database: Database): WireRoute[] {
  return [
    endpoint('POST', '/experiments/create', 'model:write', z.object({ name, tags: tagList }), (fields, { caller }) =>
      database.transaction(caller, async (tx) => {
        const made = await ensureExperiment(tx, fields.name);
        if (!made.created) throw new ProblemError('ALREADY_EXISTS', `Experiment '${fields.name}' already exists.`);
        await appendEvidence(tx, {
          ...{ kind: 'experiment.created', subjectKind: 'experiment', subjectId: made.id, body: {} },
        });
        if (fields.tags.length > 0) await repository.setExperimentTags(tx, made.id, fromTags(fields.tags));
        return { experiment_id: experimentId(made.id, fields.name) };
      }),
    ),
    endpoint('GET', '/experiments/get', 'model:read', z.object({ experiment_id: z.string() }), (fields, { caller }) =>
      database.transaction(caller, async (tx) => ({ experiment: await getExperiment(tx, fields.experiment_id) }), {
        readOnly: true,
      }),
    ),
    endpoint(
      'GET',
      '/experiments/get-by-name',
      'model:read',
      z.object({ experiment_name: name }),
      (fields, { caller }) =>
        database.transaction(
          caller,
          async (tx) => {
            const condition = sql<boolean>`e.name = ${fields.experiment_name}`;
            const [row] = await repository.searchExperiments(tx, { condition, order: sql`e.id`, limit: 1, offset: 0 });
            if (row === undefined && fields.experiment_name === repository.DEFAULT_EXPERIMENT)
              return { experiment: await getExperiment(tx, '0') };
            return { experiment: tellExperiment(found(row, `There is no experiment '${fields.experiment_name}'.`)) };
          },
          { readOnly: true },
        ),
    ),
    ...(['GET', 'POST'] as const).map((method) =>
      endpoint(
        method,
        '/experiments/search',
        'model:read',
        z.object({ ...searchPage, ...filter(), max_results: limitOf(50_000, 1_000), view_type: viewType() }),
        (fields, { caller }) =>
          database.transaction(
            caller,
            async (tx) => {
              if (fields.view_type === 'DELETED_ONLY') return { experiments: [] };
              const offset = offsetOf(fields.page_token);
              const rows = await repository.searchExperiments(tx, {
                condition: toCondition(parseFilter(fields.filter), repository.experimentColumns),
                order: toOrder(fields.order_by.map(parseOrder), repository.experimentColumns, sql`e.id DESC`),
                ...{ limit: fields.max_results, offset },
              });
              const { items, token } = pageOf(rows, offset, fields.max_results);
              return { experiments: items.map(tellExperiment), next_page_token: token };
            },
            { readOnly: true },
          ),
      ),
    ),
    endpoint(
      'POST',
      '/experiments/set-experiment-tag',
      'model:write',
      z.object({ experiment_id: z.string(), key: name, value: z.coerce.string().max(8_000).default('') }),
      (fields, { caller }) =>
        database.transaction(caller, async (tx) => {
          const experiment = await rowOf(tx, fields.experiment_id, true);
          await repository.setExperimentTags(tx, experiment.id, { ...experiment.tags, [fields.key]: fields.value });
          return {};
        }),
    ),
    refusal('POST', '/experiments/update', 'model:write', 'An experiment keeps its name here.'),
    ...['/experiments/delete', '/experiments/restore', '/runs/delete', '/runs/restore'].map((path) =>
      refusal('POST', path, 'model:write', ON_RECORD),
    ),
  ];
}

function writeEndpoints(database: Database, registry: Registry): WireRoute[] {
  return [
    endpoint(
      'POST',
      '/runs/create',
      'model:write',
      z.object({ experiment_id: z.string().default('0'), run_name: z.string().max(250).optional(), tags: tagList }),
      (fields, { caller }) =>
        database.transaction(caller, async (tx) => {
          const experiment = await rowOf(tx, fields.experiment_id, true);
          const { [RUN_NAME_TAG]: tagged, ...tags } = fromTags(fields.tags);
          const { codeVersion, ...origin } = originOf(tags);
          const started = await registry.startRun(tx, {
            ...{ experiment: experiment.name, model: null, name: fields.run_name || tagged || 'untitled', tags },
            ...origin,
            codeVersion: codeVersion ?? 'not told',
          });
          return { run: await getRun(tx, started.runId) };
        }),
    ),
    endpoint(
      'POST',
      '/runs/update',
      'model:write',
      z.object({ ...runId, status: z.string().optional(), run_name: z.string().max(250).optional() }),
      (fields, { caller }) =>
        database.transaction(caller, async (tx) => {
          const run = await lockedRun(tx, fields.run_id);
          if (fields.run_name) await repository.renameRun(tx, run.id, fields.run_name);
          const wanted = Object.entries(repository.STATUS_WORDS).find(([, word]) => word === fields.status)?.[0];
          if (fields.status !== undefined && fields.status !== 'SCHEDULED' && wanted === undefined)
            throw new ProblemError('INVALID_REQUEST', `There is no status ${fields.status}.`);
          if (wanted === 'running') mustRun(run);
          else if (wanted === 'finished' || wanted === 'failed' || wanted === 'stopped') {
            // Its client ends a run once more when the program ends: the same end twice is one end.
            if (run.status !== wanted) await registry.finishRun(tx, run.id, { status: wanted });
          }
          return { run_info: (await getRun(tx, run.id)).info };
        }),
    ),
    endpoint('POST', '/runs/log-metric', 'model:write', metric.extend(runId), (fields, { caller }) =>
      database.transaction(caller, async (tx) => logged(registry, tx, fields.run_id, { metrics: [fields] })),
    ),
    endpoint('POST', '/runs/log-parameter', 'model:write', param.extend(runId), (fields, { caller }) =>
      database.transaction(caller, async (tx) => logged(registry, tx, fields.run_id, { params: [fields] })),
    ),
    endpoint(
      'POST',
      '/runs/set-tag',
      'model:write',
      z.object({ ...runId, key: name, value: z.coerce.string().max(8_000).default('') }),
      ({ run_id, key, value }, { caller }) =>
        database.transaction(caller, async (tx) => logged(registry, tx, run_id, { tags: { [key]: value } })),
    ),
    endpoint(
      'POST',
      '/runs/delete-tag',
      'model:write',
      z.object({ ...runId, key: name }),
      ({ run_id, key }, { caller }) =>
        database.transaction(caller, async (tx) => {
          await lockedRun(tx, run_id);
          await registry.setRunTags(tx, run_id, { [key]: null });
          return {};
        }),
    ),
    endpoint(
      'POST',
      '/runs/log-batch',
      'model:write',
      z.object({
        ...runId,
        metrics: z.array(metric).max(1_000).default([]),
        params: z.array(param).max(1_000).default([]),
        tags: tagList,
      }),
      ({ run_id, metrics, params, tags }, { caller }) =>
        database.transaction(caller, async (tx) =>
          logged(registry, tx, run_id, { metrics, params, tags: fromTags(tags) }),
        ),
    ),
    endpoint(
      'POST',
      '/runs/log-inputs',
      'model:write',
      z.object({ ...runId, datasets: z.array(z.looseObject({})).max(100).default([]) }),
      ({ run_id, datasets }, { caller }) =>
        database.transaction(caller, async (tx) => {
          const run = await lockedRun(tx, run_id);
          mustRun(run);
          const inputs = [...inputsOf(tagsOf(run.tags)), ...datasets];
          await registry.setRunTags(tx, run_id, { [INPUTS_TAG]: JSON.stringify(inputs) });
          return {};
        }),
    ),
    endpoint(
      'POST',
      '/runs/log-model',
      'model:write',
      z.object({ ...runId, model_json: z.string().max(100_000).default('') }),
      async () => ({}),
    ),
  ];
}

type Logging = {
  metrics?: readonly z.output<typeof metric>[];
  params?: readonly z.output<typeof param>[];
  tags?: Tags;
};

/** What is measured and set is sealed by the end of the run; words about it may still change. */
async function logged(registry: Registry, tx: Transaction, runId: number, logging: Logging): Promise<object> {
  const { metrics = [], params = [], tags = {} } = logging;
  const run = await lockedRun(tx, runId);
  if (metrics.length + params.length > 0) mustRun(run);
  await registry.logParameters(tx, runId, fromTags(params));
  const measured = metrics.map(({ key, value, step, timestamp }) => ({
    ...{ name: key, value, step },
    ...(timestamp === undefined ? {} : { at: instantOf(timestamp) }),
  }));
  const ofModels = metrics.filter(({ model_id }) => model_id);
  await registry.logMetrics(
    tx,
    runId,
    ofModels.length === 0 ? measured : await repository.withoutKnown(tx, runId, measured),
  );
  await noteModelMetrics(tx, ofModels);
  const { [RUN_NAME_TAG]: runName, ...others } = tags;
  if (runName) await repository.renameRun(tx, runId, runName.slice(0, 250));
  if (Object.keys(others).length > 0) {
    await registry.setRunTags(tx, runId, others);
    if (run.status === 'running') await repository.setOrigin(tx, runId, originOf(others));
  }
  return {};
}

/** The values of metrics that are said to be of a logged model. */
async function noteModelMetrics(tx: Transaction, metrics: NonNullable<Logging['metrics']>): Promise<void> {
  for (const [id, own] of Map.groupBy(metrics, ({ model_id }) => loggedModelNumber(model_id ?? ''))) {
    const model = await getLoggedModel(tx, id);
    const told = own.map(({ key, value, step, timestamp = 0 }) => [key, { value: toDouble(value), step, timestamp }]);
    await repository.changeLoggedModel(tx, id, { metrics: { ...model.metrics, ...Object.fromEntries(told) } });
  }
}

function readEndpoints(database: Database): WireRoute[] {
  return [
    endpoint('GET', '/runs/get', 'model:read', z.object({ ...runId }), ({ run_id }, { caller }) =>
      database.transaction(caller, async (tx) => ({ run: await getRun(tx, run_id) }), { readOnly: true }),
    ),
    endpoint(
      'POST',
      '/runs/search',
      'model:read',
      z.object({
        ...{ ...searchPage, ...filter(), max_results: limitOf(50_000, 1_000) },
        experiment_ids: z.array(z.string()).max(1_000).default([]),
        run_view_type: viewType(),
      }),
      (fields, { caller }) =>
        database.transaction(
          caller,
          async (tx) => {
            if (fields.run_view_type === 'DELETED_ONLY') return { runs: [] };
            const offset = offsetOf(fields.page_token);
            const condition = toCondition(parseFilter(fields.filter), repository.runColumns);
            const rows = await repository.searchRuns(tx, {
              condition: sql<boolean>`${inExperiments(fields.experiment_ids)} AND ${condition}`,
              order: toOrder(fields.order_by.map(parseOrder), repository.runColumns, sql`r.started_at DESC, r.id DESC`),
              ...{ limit: fields.max_results, offset },
            });
            const { items, token } = pageOf(rows, offset, fields.max_results);
            return { runs: await tellRuns(tx, items), next_page_token: token };
          },
          { readOnly: true },
        ),
    ),
    endpoint(
      'GET',
      '/metrics/get-history',
      'model:read',
      z.object({ ...runId, metric_key: name, page_token: pageToken, max_results: limitOf(25_000, 25_000) }),
      (fields, { caller }) =>
        database.transaction(
          caller,
          async (tx) => {
            await getRun(tx, fields.run_id);
            const offset = offsetOf(fields.page_token);
            const page = { name: fields.metric_key, limit: fields.max_results, offset };
            const rows = await repository.findMetricHistory(tx, fields.run_id, page);
            const { items, token } = pageOf(rows, offset, fields.max_results);
            return { metrics: items.map(tellMetric), next_page_token: token };
          },
          { readOnly: true },
        ),
    ),
  ];
}

/** Those among some experiments by the numbers MLflow knows them by. */
export function inExperiments(ids: readonly string[]) {
  const numbers = ids.map((id) => numberId.safeParse(id).data ?? 0);
  return sql<boolean>`(e.id = ANY(${numbers}::integer[])
    OR (${ids.includes('0')} AND e.name = ${repository.DEFAULT_EXPERIMENT}))`;
}

export function experimentId(id: number, experiment: string): string {
  return experiment === repository.DEFAULT_EXPERIMENT ? '0' : String(id);
}

/** An experiment; the one called 0 is made when something is to go into it. */
export async function rowOf(tx: Transaction, id: string, make = false): Promise<repository.ExperimentRow> {
  if (id === '0' && make) await ensureExperiment(tx, repository.DEFAULT_EXPERIMENT);
  const condition = inExperiments([id]);
  const [row] = await repository.searchExperiments(tx, { condition, order: sql`e.id`, limit: 1, offset: 0 });
  return found(row, `There is no experiment ${id}.`);
}

async function getExperiment(tx: Transaction, id: string) {
  const condition = inExperiments([id]);
  const [row] = await repository.searchExperiments(tx, { condition, order: sql`e.id`, limit: 1, offset: 0 });
  if (row === undefined && id === '0') {
    const now = new Date(0).toISOString();
    return tellExperiment({ id: 0, name: repository.DEFAULT_EXPERIMENT, tags: {}, createdAt: now, updatedAt: now });
  }
  return tellExperiment(found(row, `There is no experiment ${id}.`));
}

function tellExperiment(row: repository.ExperimentRow) {
  return {
    ...{ experiment_id: experimentId(row.id, row.name), name: row.name, lifecycle_stage: 'active' },
    ...{ artifact_location: 'mlflow-artifacts:/', tags: toTags(row.tags) },
    ...{ creation_time: toMs(row.createdAt), last_update_time: toMs(row.updatedAt) },
  };
}

/** @throws NOT_FOUND */
export async function getRun(tx: Transaction, id: number) {
  const condition = sql<boolean>`r.id = ${id}`;
  const rows = await repository.searchRuns(tx, { condition, order: sql`r.id`, limit: 1, offset: 0 });
  const [run] = await tellRuns(tx, rows);
  return found(run, `Run '${id}' not found.`);
}

export async function lockedRun(tx: Transaction, id: number) {
  return found(await lockRun(tx, id), `Run '${id}' not found.`);
}

/** @throws NOT_POSSIBLE_NOW when what is logged was sealed by the end of the run. */
export function mustRun(run: { id: number; status: string }): void {
  if (run.status === 'running') return;
  throw new ProblemError(
    'NOT_POSSIBLE_NOW',
    `Run ${run.id} has ended (${run.status}) and what it logged is sealed. Start another run, or log before the end.`,
  );
}

async function tellRuns(tx: Transaction, runs: readonly repository.MlflowRun[]) {
  const ids = runs.map(({ id }) => id);
  const metrics = Map.groupBy(await repository.findLastMetrics(tx, ids), (row) => row.runId);
  const parameters = Map.groupBy(await repository.findParameters(tx, ids), (row) => row.runId);
  const models = await repository.searchLoggedModels(tx, {
    ...{ condition: sql<boolean>`l.run_id = ANY(${ids}::integer[]) AND l.output_step IS NOT NULL`, order: sql`l.id` },
    ...{ limit: 10_000, offset: 0 },
  });
  const outputs = Map.groupBy(models, (row) => row.runId);
  return runs.map((run) => {
    const { [INPUTS_TAG]: _inputs, ...tags } = run.tags;
    return {
      info: {
        ...{ run_id: String(run.id), run_uuid: String(run.id), run_name: run.name, user_id: '' },
        ...{ experiment_id: experimentId(run.experimentId, run.experiment), lifecycle_stage: 'active' },
        ...{
          status: repository.STATUS_WORDS[run.status] ?? 'FAILED',
          artifact_uri: `mlflow-artifacts:/runs/${run.id}`,
        },
        start_time: toMs(run.startedAt),
        ...(run.endedAt === null ? {} : { end_time: toMs(run.endedAt) }),
      },
      data: {
        metrics: (metrics.get(run.id) ?? []).map(tellMetric),
        params: (parameters.get(run.id) ?? []).map((row) => ({ key: row.name, value: row.value })),
        tags: toTags({ ...tags, [RUN_NAME_TAG]: run.name }),
      },
      inputs: { dataset_inputs: inputsOf(run.tags) },
      outputs: {
        model_outputs: (outputs.get(run.id) ?? []).map((row) => ({ model_id: `m-${row.id}`, step: row.outputStep })),
      },
    };
  });
}

function tellMetric(row: repository.MetricRow) {
  return { key: row.name, value: toDouble(row.value), timestamp: toMs(row.at), step: row.step };
}

function inputsOf(tags: Tags): object[] {
  const told = tags[INPUTS_TAG];
  return told === undefined ? [] : z.array(z.looseObject({})).parse(JSON.parse(told));
}

const INSTANT_MS_MAX = 8.64e15;

/** MLflow counts milliseconds since 1970. */
function instantOf(ms: number): string {
  if (!(Math.abs(ms) <= INSTANT_MS_MAX)) throw new ProblemError('INVALID_REQUEST', `${ms} is no instant.`);
  return new Date(ms).toISOString();
}

export function orderList() {
  return z
    .union([z.array(z.string()), z.string().transform((one) => [one])])
    .default([])
    .pipe(z.array(z.string()).max(20));
}
export function filter() {
  return { filter: z.string().max(10_000).default('') };
}
function viewType() {
  return z.enum(['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL']).default('ACTIVE_ONLY');
}
