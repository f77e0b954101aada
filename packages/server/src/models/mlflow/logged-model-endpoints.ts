import { sql } from 'kysely';
import { z } from 'zod';
import type { Database, Transaction } from '../../platform/database/database.ts';
import type { WireRoute } from '../../platform/http/serve-wire.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import type { Registry } from '../registry/registry.types.ts';
import { offsetOf, pageOf, toCondition, toOrder } from './compile-search.ts';
import {
  endpoint,
  fromTags,
  limitOf,
  type MlflowParts,
  name,
  numberId,
  pageToken,
  refusal,
  tagList,
  toMs,
  toTags,
} from './endpoint.ts';
import { getLoggedModel, loggedModelNumber } from './files.ts';
import { type Order, parseFilter, parseOrder } from './filter.ts';
import * as repository from './mlflow.repository.ts';
import { experimentId, filter, inExperiments, lockedRun, mustRun, rowOf } from './run-endpoints.ts';

const STATUS_WORDS = {
  ...{ pending: 'LOGGED_MODEL_PENDING', ready: 'LOGGED_MODEL_READY', failed: 'LOGGED_MODEL_UPLOAD_FAILED' },
} as const;
const ON_RECORD = 'Logged models stay on record here; nothing of them is deleted.';

const modelId = { model_id: z.string().transform(loggedModelNumber) };

/** Models of MLflow 3: files of a run with a name, parameters and a state. */
export function loggedModelEndpoints({ database, registry }: MlflowParts): WireRoute[] {
  return [
    ...changingEndpoints(database, registry),
    endpoint('GET', '/logged-models/:model_id', 'model:read', z.object(modelId), ({ model_id }, { caller }) =>
      database.transaction(caller, async (tx) => ({ model: await tellOne(tx, model_id) }), { readOnly: true }),
    ),
    endpoint(
      'POST',
      '/logged-models/search',
      'model:read',
      z.object({
        ...{ ...filter(), page_token: pageToken, max_results: limitOf(1_000, 100) },
        experiment_ids: z.array(z.string()).max(1_000).default([]),
        order_by: z
          .array(z.object({ field_name: z.string().max(300), ascending: z.boolean().default(true) }))
          .max(20)
          .default([]),
      }),
      (fields, { caller }) =>
        database.transaction(
          caller,
          async (tx) => {
            const offset = offsetOf(fields.page_token);
            const condition = toCondition(parseFilter(fields.filter), repository.loggedModelColumns);
            const orders = fields.order_by.map(
              ({ field_name, ascending }): Order => ({ ...parseOrder(field_name), descending: !ascending }),
            );
            const rows = await repository.searchLoggedModels(tx, {
              condition: sql<boolean>`${inExperiments(fields.experiment_ids)} AND ${condition}`,
              order: toOrder(orders, repository.loggedModelColumns, sql`l.id DESC`),
              ...{ limit: fields.max_results, offset },
            });
            const { items, token } = pageOf(rows, offset, fields.max_results);
            return { models: await tellModels(tx, items), next_page_token: token };
          },
          { readOnly: true },
        ),
    ),
    refusal('DELETE', '/logged-models/:model_id', 'model:write', ON_RECORD),
  ];
}

function changingEndpoints(database: Database, registry: Registry): WireRoute[] {
  const changed = (
    caller: Parameters<Database['transaction']>[0],
    id: number,
    change: (tx: Transaction, model: repository.LoggedModel) => Promise<void>,
  ) =>
    database.transaction(caller, async (tx) => {
      const model = await getLoggedModel(tx, id);
      await lockedRun(tx, model.runId);
      await change(tx, await getLoggedModel(tx, id));
      return { model: await tellOne(tx, id) };
    });
  return [
    endpoint(
      'POST',
      '/logged-models',
      'model:write',
      z.object({
        ...{ experiment_id: z.string().default('0'), name: name.optional(), tags: tagList, params: tagList },
        model_type: z.string().max(250).default(''),
        source_run_id: z.string().optional(),
      }),
      (fields, { caller }) =>
        database.transaction(caller, async (tx) => {
          const called = fields.name ?? 'model';
          const ownsRun = !fields.source_run_id;
          const runId = fields.source_run_id
            ? numberId.parse(fields.source_run_id)
            : await startOwnRun(tx, registry, fields.experiment_id, called);
          mustRun(await lockedRun(tx, runId));
          const id = await repository.insertLoggedModel(tx, {
            ...{ runId, name: called, modelType: fields.model_type, ownsRun },
            ...{ tags: fromTags(fields.tags), parameters: fromTags(fields.params) },
          });
          return { model: await tellOne(tx, id) };
        }),
    ),
    endpoint(
      'PATCH',
      '/logged-models/:model_id',
      'model:write',
      z.object({ ...modelId, status: z.enum(Object.values(STATUS_WORDS)) }),
      ({ model_id, status: word }, { caller }) =>
        changed(caller, model_id, async (tx, model) => {
          const status = (['pending', 'ready', 'failed'] as const).find((known) => STATUS_WORDS[known] === word);
          await repository.changeLoggedModel(tx, model_id, { status: status ?? 'pending' });
          if (!model.ownsRun || model.status !== 'pending') return;
          if (status === 'ready') await registry.finishRun(tx, model.runId, { status: 'finished' });
          if (status === 'failed')
            await registry.finishRun(tx, model.runId, { status: 'failed', reason: 'The upload of the model failed.' });
        }),
    ),
    endpoint(
      'PATCH',
      '/logged-models/:model_id/tags',
      'model:write',
      z.object({ ...modelId, tags: tagList }),
      ({ model_id, tags }, { caller }) =>
        changed(caller, model_id, (tx, model) =>
          repository.changeLoggedModel(tx, model_id, { tags: { ...model.tags, ...fromTags(tags) } }),
        ),
    ),
    endpoint(
      'DELETE',
      '/logged-models/:model_id/tags/:tag_key',
      'model:write',
      z.object({ ...modelId, tag_key: name }),
      ({ model_id, tag_key }, { caller }) =>
        changed(caller, model_id, (tx, model) => {
          const { [tag_key]: _gone, ...tags } = model.tags;
          return repository.changeLoggedModel(tx, model_id, { tags });
        }),
    ),
    endpoint(
      'POST',
      '/logged-models/:model_id/params',
      'model:write',
      z.object({ ...modelId, params: tagList }),
      ({ model_id, params }, { caller }) =>
        changed(caller, model_id, (tx, model) => {
          const told = fromTags(params);
          const other = Object.keys(told).find((key) => (model.parameters[key] ?? told[key]) !== told[key]);
          if (other !== undefined)
            throw new ProblemError('INVALID_REQUEST', `The parameter ${other} has another value already.`);
          return repository.changeLoggedModel(tx, model_id, { parameters: { ...model.parameters, ...told } });
        }),
    ),
    endpoint(
      'POST',
      '/runs/outputs',
      'model:write',
      z.object({
        run_id: numberId,
        models: z.array(z.object({ ...modelId, step: z.coerce.number().int().default(0) })).max(100),
      }),
      ({ run_id, models }, { caller }) =>
        database.transaction(caller, async (tx) => {
          mustRun(await lockedRun(tx, run_id));
          for (const { model_id, step } of models) {
            const { runId } = await getLoggedModel(tx, model_id);
            if (runId !== run_id)
              throw new ProblemError('INVALID_REQUEST', `The model m-${model_id} came of run ${runId}.`);
            await repository.changeLoggedModel(tx, model_id, { outputStep: step });
          }
          return {};
        }),
    ),
  ];
}

/** Files here belong to a run: a model that is logged outside any gets one of its own. */
async function startOwnRun(tx: Transaction, registry: Registry, experiment: string, called: string): Promise<number> {
  const row = await rowOf(tx, experiment, true);
  const run = { experiment: row.name, model: null, name: called, codeVersion: 'not told' };
  return (await registry.startRun(tx, run)).runId;
}

async function tellOne(tx: Transaction, id: number) {
  return (await tellModels(tx, [await getLoggedModel(tx, id)]))[0];
}

async function tellModels(tx: Transaction, models: readonly repository.LoggedModel[]) {
  const ids = models.map(({ id }) => id);
  const condition = sql<boolean>`n.logged_model_id = ANY(${ids}::integer[])`;
  const versions = await repository.searchVersions(tx, { condition, order: sql`v.number`, limit: 10_000, offset: 0 });
  const registered = Map.groupBy(versions, ({ loggedModelId }) => loggedModelId);
  return models.map((model) => ({
    info: {
      ...{ model_id: `m-${model.id}`, experiment_id: experimentId(model.experimentId, model.experiment) },
      ...{ name: model.name, model_type: model.modelType, status: STATUS_WORDS[model.status] },
      ...{ creation_timestamp_ms: toMs(model.createdAt), last_updated_timestamp_ms: toMs(model.updatedAt) },
      ...{ artifact_uri: `mlflow-artifacts:/models/m-${model.id}`, source_run_id: String(model.runId) },
      tags: toTags(model.tags),
      registrations: (registered.get(model.id) ?? []).map((row) => ({ name: row.model, version: String(row.number) })),
    },
    data: {
      params: toTags(model.parameters),
      metrics: Object.entries(model.metrics).map(([key, value]) => ({
        ...{ key, model_id: `m-${model.id}`, run_id: String(model.runId) },
        ...value,
      })),
    },
  }));
}
