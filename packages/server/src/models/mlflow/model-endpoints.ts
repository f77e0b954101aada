import { targetName } from '@touchstone/contracts/model-manifest';
import { sql } from 'kysely';
import { z } from 'zod';
import type { Database, Transaction } from '../../platform/database/database.ts';
import type { WireRoute } from '../../platform/http/serve-wire.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { CHAMPION, type Registry } from '../registry/registry.types.ts';
import { offsetOf, pageOf, toCondition, toOrder } from './compile-search.ts';
import {
  endpoint,
  fromTags,
  limitOf,
  type MlflowParts,
  name,
  pageToken,
  refusal,
  type Tags,
  tagList,
  toMs,
  toTags,
} from './endpoint.ts';
import { filesAt, getLoggedModel, getVersion, type Place, placeOf, writeListing } from './files.ts';
import { parseFilter, parseOrder } from './filter.ts';
import * as repository from './mlflow.repository.ts';
import { fullOriginOf } from './origin.ts';
import { filter, orderList } from './run-endpoints.ts';

const REASON = 'Set over the wire of MLflow.';
const CHAMPION_SENTENCE =
  'champion is what Touchstone serves: it is promoted here, through the gate and with a signed check list, not over the wire of MLflow. Every other alias is free.';
const NAME_SENTENCE =
  'A model is named here with lower case letters, digits, dashes and underscores, beginning with a letter, in at most 63 characters.';
const DAY_MS = 86_400_000;
const EXPIRES_AFTER_DAYS = 365;

const description = z.string().max(2_000).default('');
const version = z.coerce.number().int().min(0).max(2_147_483_647);
const key = name;
const tagValue = z.coerce.string().max(8_000).default('');

/** Registered models, their versions and aliases. */
export function modelEndpoints({ database, registry }: MlflowParts): WireRoute[] {
  return [
    ...registeredEndpoints(database, registry),
    ...versionEndpoints(database, registry),
    ...aliasEndpoints(database, registry),
  ];
}

function registeredEndpoints(database: Database, registry: Registry): WireRoute[] {
  return [
    endpoint(
      'POST',
      '/registered-models/create',
      'model:write',
      z.object({ name, description, tags: tagList }),
      (fields, { caller }) =>
        database.transaction(caller, async (tx) => {
          if (!/^[a-z][a-z0-9_-]{0,62}$/.test(fields.name)) throw new ProblemError('INVALID_REQUEST', NAME_SENTENCE);
          await registry.createModel(tx, { name: fields.name, description: fields.description });
          const model = await modelOf(tx, fields.name);
          if (fields.tags.length > 0) await repository.setModelTags(tx, model.id, fromTags(fields.tags));
          return { registered_model: await tellModel(tx, fields.name) };
        }),
    ),
    endpoint('GET', '/registered-models/get', 'model:read', z.object({ name }), (fields, { caller }) =>
      database.transaction(caller, async (tx) => ({ registered_model: await tellModel(tx, fields.name) }), {
        readOnly: true,
      }),
    ),
    endpoint(
      'GET',
      '/registered-models/search',
      'model:read',
      z.object({ ...filter(), order_by: orderList(), page_token: pageToken, max_results: limitOf(1_000, 100) }),
      (fields, { caller }) =>
        database.transaction(
          caller,
          async (tx) => {
            const offset = offsetOf(fields.page_token);
            const rows = await repository.searchModels(tx, {
              condition: toCondition(parseFilter(fields.filter), repository.modelColumns),
              order: toOrder(fields.order_by.map(parseOrder), repository.modelColumns, sql`m.name, m.id`),
              ...{ limit: fields.max_results, offset },
            });
            const { items, token } = pageOf(rows, offset, fields.max_results);
            return { registered_models: await tellModels(tx, items), next_page_token: token };
          },
          { readOnly: true },
        ),
    ),
    ...(['GET', 'POST'] as const).map((method) =>
      endpoint(
        method,
        '/registered-models/get-latest-versions',
        'model:read',
        z.object({ name }),
        (fields, { caller }) =>
          database.transaction(
            caller,
            async (tx) => ({ model_versions: (await tellModel(tx, fields.name)).latest_versions }),
            { readOnly: true },
          ),
      ),
    ),
    endpoint(
      'POST',
      '/registered-models/set-tag',
      'model:write',
      z.object({ name, key, value: tagValue }),
      (fields, { caller }) =>
        database.transaction(caller, async (tx) => {
          const model = await modelOf(tx, fields.name);
          await repository.setModelTags(tx, model.id, { ...model.tags, [fields.key]: fields.value });
          return {};
        }),
    ),
    endpoint('DELETE', '/registered-models/delete-tag', 'model:write', z.object({ name, key }), (fields, { caller }) =>
      database.transaction(caller, async (tx) => {
        const model = await modelOf(tx, fields.name);
        const { [fields.key]: _gone, ...tags } = model.tags;
        await repository.setModelTags(tx, model.id, tags);
        return {};
      }),
    ),
    refusal('PATCH', '/registered-models/update', 'model:write', 'A model is described anew here, not over this wire.'),
    refusal(
      'POST',
      '/registered-models/rename',
      'model:write',
      'A model keeps its name: forecasts were made under it.',
    ),
    refusal('DELETE', '/registered-models/delete', 'model:write', 'A model is deleted here, not over this wire.'),
  ];
}

function versionEndpoints(database: Database, registry: Registry): WireRoute[] {
  const one = z.object({ name, version });
  const note = (
    caller: Parameters<Database['transaction']>[0],
    at: z.output<typeof one>,
    change: (row: repository.MlflowVersion) => { description: string; tags: Tags },
  ) =>
    database.transaction(caller, async (tx) => {
      const row = await getVersion(tx, at.name, at.version);
      await repository.noteVersion(tx, row, change(row));
      return { model_version: tellVersion(await getVersion(tx, at.name, at.version)) };
    });
  return [
    endpoint(
      'POST',
      '/model-versions/create',
      'model:write',
      z.object({
        ...{ name, description, tags: tagList, source: z.string().max(500) },
        ...{ run_id: z.string().optional(), model_id: z.string().optional() },
      }),
      (fields, { caller }) =>
        database.transaction(caller, async (tx) => {
          await modelOf(tx, fields.name);
          const place = sourceOf(fields.model_id ? `models:/${fields.model_id}` : fields.source);
          const number = await registerFrom(tx, registry, place, { ...fields, tags: fromTags(fields.tags) });
          return { model_version: tellVersion(await getVersion(tx, fields.name, number)) };
        }),
    ),
    endpoint('GET', '/model-versions/get', 'model:read', one, (fields, { caller }) =>
      database.transaction(
        caller,
        async (tx) => ({ model_version: tellVersion(await getVersion(tx, fields.name, fields.version)) }),
        { readOnly: true },
      ),
    ),
    endpoint('GET', '/model-versions/get-download-uri', 'model:read', one, (fields, { caller }) =>
      database.transaction(
        caller,
        async (tx) => ({ artifact_uri: sourceUri(await getVersion(tx, fields.name, fields.version)) }),
        { readOnly: true },
      ),
    ),
    endpoint(
      'GET',
      '/model-versions/search',
      'model:read',
      z.object({ ...filter(), order_by: orderList(), page_token: pageToken, max_results: limitOf(200_000, 10_000) }),
      (fields, { caller }) =>
        database.transaction(
          caller,
          async (tx) => {
            const offset = offsetOf(fields.page_token);
            const rows = await repository.searchVersions(tx, {
              condition: toCondition(parseFilter(fields.filter), repository.versionColumns),
              order: toOrder(fields.order_by.map(parseOrder), repository.versionColumns, sql`m.name, v.number DESC`),
              ...{ limit: fields.max_results, offset },
            });
            const { items, token } = pageOf(rows, offset, fields.max_results);
            return { model_versions: items.map(tellVersion), next_page_token: token };
          },
          { readOnly: true },
        ),
    ),
    endpoint('PATCH', '/model-versions/update', 'model:write', one.extend({ description }), (fields, { caller }) =>
      note(caller, fields, ({ tags }) => ({ description: fields.description, tags })),
    ),
    endpoint('POST', '/model-versions/set-tag', 'model:write', one.extend({ key, value: tagValue }), (fields, call) =>
      note(call.caller, fields, (row) => ({
        description: row.description,
        tags: { ...row.tags, [fields.key]: fields.value },
      })).then(() => ({})),
    ),
    endpoint('DELETE', '/model-versions/delete-tag', 'model:write', one.extend({ key }), (fields, { caller }) =>
      note(caller, fields, (row) => {
        const { [fields.key]: _gone, ...tags } = row.tags;
        return { description: row.description, tags };
      }).then(() => ({})),
    ),
    refusal(
      'DELETE',
      '/model-versions/delete',
      'model:write',
      'Versions stay on record. One that should not be chosen is archived here.',
    ),
    refusal(
      'POST',
      '/model-versions/transition-stage',
      'model:write',
      'There are aliases here instead of stages; champion is promoted here.',
    ),
  ];
}

function aliasEndpoints(database: Database, registry: Registry): WireRoute[] {
  const alias = z.string().max(63);
  return [
    endpoint(
      'POST',
      '/registered-models/alias',
      'model:write',
      z.object({ name, alias, version }),
      (fields, { caller }) =>
        database.transaction(caller, async (tx) => {
          mustBeFree(fields.alias);
          const expected = await pointedAt(tx, registry, fields.name, fields.alias);
          const { alias: set, version: to } = fields;
          // Setting what is set already is no event.
          if (expected !== to)
            await registry.setAlias(tx, { model: fields.name, alias: set, version: to, expected, reason: REASON });
          return {};
        }),
    ),
    endpoint('DELETE', '/registered-models/alias', 'model:write', z.object({ name, alias }), (fields, { caller }) =>
      database.transaction(caller, async (tx) => {
        mustBeFree(fields.alias);
        const expected = await pointedAt(tx, registry, fields.name, fields.alias);
        if (expected !== null)
          await registry.removeAlias(tx, { model: fields.name, alias: fields.alias, expected, reason: REASON });
        return {};
      }),
    ),
    endpoint('GET', '/registered-models/alias', 'model:read', z.object({ name, alias }), (fields, { caller }) =>
      database.transaction(
        caller,
        async (tx) => {
          const number = found(
            await pointedAt(tx, registry, fields.name, fields.alias),
            `Registered model alias ${fields.alias} not found.`,
          );
          return { model_version: tellVersion(await getVersion(tx, fields.name, number)) };
        },
        { readOnly: true },
      ),
    ),
  ];
}

function mustBeFree(alias: string): void {
  if (alias === CHAMPION) throw new ProblemError('INVALID_REQUEST', CHAMPION_SENTENCE);
  if (!/^[a-z][a-z0-9_-]{0,62}$/.test(alias))
    throw new ProblemError('INVALID_REQUEST', 'An alias has lower case letters, digits, dashes and underscores.');
}

async function pointedAt(tx: Transaction, registry: Registry, model: string, alias: string): Promise<number | null> {
  const aliases = await registry.listAliases(tx, model);
  return aliases.find((row) => row.alias === alias)?.version ?? null;
}

/** Where the files of a new version lie, as the client names the place. */
function sourceOf(source: string): Place {
  const told = /^(runs|models|mlflow-artifacts):\/+(.+)$/.exec(source);
  if (told === null)
    throw new ProblemError(
      'INVALID_REQUEST',
      'A version is registered from files that were logged here: runs:/RUN/PATH or models:/MODEL.',
    );
  const [, scheme, path = ''] = told;
  return placeOf(scheme === 'mlflow-artifacts' ? path : `${scheme}/${path}`);
}

type Registration = { name: string; description: string; tags: Tags };

/** Registers what lies at a place; its tags say where it comes from. @throws INVALID_REQUEST naming the missing tags. */
async function registerFrom(tx: Transaction, registry: Registry, place: Place, told: Registration): Promise<number> {
  if (place.kind === 'version')
    throw new ProblemError('INVALID_REQUEST', 'It is a version already. Point an alias at it.');
  const logged = place.kind === 'model' ? await getLoggedModel(tx, place.modelId) : null;
  const runId = logged?.runId ?? (place.kind === 'run' ? place.runId : 0);
  const condition = sql<boolean>`r.id = ${runId}`;
  const rows = await repository.searchRuns(tx, { condition, order: sql`r.id`, limit: 1, offset: 0 });
  const run = found(rows[0], `Run '${runId}' not found.`);
  const tags = { ...run.tags, ...logged?.tags, ...told.tags };
  const below = (path: string) => (place.path === '' ? path : path.slice(place.path.length + 1));
  const files = (await filesAt(tx, registry, place)).map((file) => ({ ...file, path: below(file.path) }));
  if (files.length === 0) throw new ProblemError('NOT_FOUND', 'There are no files to register.');
  const origin = fullOriginOf(tags);
  const parameters = await repository.findParameters(tx, [runId]);
  const registered = await registry.registerVersion(tx, {
    ...{ model: told.name, runId, artefact: writeListing(files) },
    manifest: {
      ...{ format: 'mlflow', target: targetOf(tags), horizonDays: countOf(tags, 'touchstone.horizon_days') },
      ...{ unit: tags['touchstone.unit'] ?? '', universeId: null, stepCount: 0, members: [] },
      features: (tags['touchstone.features'] ?? '').split(',').flatMap((one) => one.trim() || []),
      ...origin,
      configSha256: hashOf(Object.fromEntries(parameters.map((row) => [row.name, row.value]))),
      ...{ expiresAfterDays: EXPIRES_AFTER_DAYS, skill: null, verdict: null },
      costSeconds:
        Math.min(DAY_MS, (run.endedAt === null ? Date.now() : toMs(run.endedAt)) - toMs(run.startedAt)) / 1000,
      costJoules: null,
      limits: ['It came over the wire of MLflow: kept as it came, never judged by the gate, not served.'],
    },
  });
  await repository.noteVersion(
    tx,
    { modelId: registered.modelId, number: registered.version },
    { loggedModelId: logged?.id ?? null, description: told.description, tags: told.tags },
  );
  return registered.version;
}

function targetOf(tags: Tags) {
  const told = tags['touchstone.target'];
  if (told === undefined) return null;
  const target = targetName.safeParse(told);
  if (target.success) return target.data;
  throw new ProblemError('INVALID_REQUEST', `The tag touchstone.target is one of ${targetName.options.join(', ')}.`);
}

function countOf(tags: Tags, tag: string): number {
  const told = tags[tag] ?? '0';
  if (/^\d{1,6}$/.test(told)) return Number(told);
  throw new ProblemError('INVALID_REQUEST', `The tag ${tag} must be a whole number.`);
}

async function modelOf(tx: Transaction, model: string): Promise<repository.ModelRow> {
  const condition = sql<boolean>`m.name = ${model}`;
  const [row] = await repository.searchModels(tx, { condition, order: sql`m.id`, limit: 1, offset: 0 });
  return found(row, `Registered Model with name=${model} not found`);
}

async function tellModel(tx: Transaction, model: string) {
  const [told] = await tellModels(tx, [await modelOf(tx, model)]);
  return found(told, `Registered Model with name=${model} not found`);
}

async function tellModels(tx: Transaction, models: readonly repository.ModelRow[]) {
  const ids = models.map(({ id }) => id);
  // The newest, and whatever an alias points at.
  const versions = await repository.searchVersions(tx, {
    condition: sql<boolean>`v.model_id = ANY(${ids}::integer[]) AND (v.number = m.latest_version OR a.aliases IS NOT NULL)`,
    ...{ order: sql`v.model_id, v.number DESC`, limit: 10_000, offset: 0 },
  });
  const byModel = Map.groupBy(versions, ({ modelId }) => modelId);
  return models.map((model) => {
    const own = byModel.get(model.id) ?? [];
    return {
      ...{ name: model.name, description: model.description, tags: toTags(model.tags) },
      ...{ creation_timestamp: toMs(model.createdAt), last_updated_timestamp: toMs(model.updatedAt) },
      latest_versions: own.slice(0, 1).map(tellVersion),
      aliases: own.flatMap((row) => (row.aliases ?? []).map((alias) => ({ alias, version: String(row.number) }))),
    };
  });
}

function tellVersion(row: repository.MlflowVersion) {
  return {
    ...{ name: row.model, version: String(row.number), current_stage: 'None', status: 'READY' },
    ...{ creation_timestamp: toMs(row.createdAt), last_updated_timestamp: toMs(row.updatedAt) },
    ...{ description: row.description, source: sourceUri(row), tags: toTags(row.tags), aliases: row.aliases ?? [] },
    ...(row.runId === null ? {} : { run_id: String(row.runId) }),
    ...(row.loggedModelId === null ? {} : { model_id: `m-${row.loggedModelId}` }),
  };
}

function sourceUri(row: repository.MlflowVersion): string {
  return `mlflow-artifacts:/versions/${row.model}/${row.number}`;
}
