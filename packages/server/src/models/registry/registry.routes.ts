import * as models from '@touchstone/contracts/models';
import type { Database, Transaction } from '../../platform/database/database.ts';
import { decodeCursor, decodeIdCursor, toPage } from '../../platform/http/cursor.ts';
import type { Serve } from '../../platform/http/serve.ts';
import { found } from '../../platform/problem-error.ts';
import * as repository from './model.repository.ts';
import { modelCard } from './model-card.ts';
import { deleteModel, getModelId, getSummary, getVersion, toSummary, undeleteModel, updateModel } from './registry.ts';
import { CHAMPION, type Registry } from './registry.types.ts';
import * as runs from './run.repository.ts';

const METRICS_SHOWN_MAX = 100;
const EVENTS_MAX = 10_000;

/** Models, versions, aliases and training runs over HTTP. */
export function registerRegistryRoutes(serve: Serve, database: Database, registry: Registry): void {
  registerModelRoutes(serve, database, registry);
  registerVersionRoutes(serve, database, registry);
  registerAliasRoutes(serve, database, registry);
  registerRunRoutes(serve, database, registry);
}

function registerModelRoutes(serve: Serve, database: Database, registry: Registry): void {
  serve(models.listModels, ({ caller, query }) =>
    database.transaction(
      caller,
      async (tx) => {
        const key = decodeCursor(query.cursor, ['string', 'number']);
        const after = key === null ? undefined : { name: String(key[0]), id: Number(key[1]) };
        const rows = await repository.listModelsPage(tx, { after, limit: query.limit + 1 });
        const { items, nextCursor } = toPage(rows, query.limit, ({ name, id }) => [name, id]);
        return { items: items.map(({ id: _id, ...summary }) => summary), nextCursor };
      },
      { includeDeleted: query.includeDeleted === 'true', readOnly: true },
    ),
  );
  serve(models.createModel, ({ caller, body }) => database.transaction(caller, (tx) => registry.createModel(tx, body)));
  serve(models.getModel, ({ caller, params }) =>
    database.transaction(
      caller,
      async (tx) => ({
        ...(await getSummary(tx, params.model)),
        aliases: await registry.listAliases(tx, params.model),
      }),
      { readOnly: true },
    ),
  );
  serve(models.updateModel, ({ caller, params, body }) =>
    database.transaction(caller, (tx) => updateModel(tx, params.model, body)),
  );
  serve(models.deleteModel, async ({ caller, params }) => {
    await database.transaction(caller, (tx) => deleteModel(tx, params.model), { includeDeleted: true });
    return undefined;
  });
  serve(models.undeleteModel, ({ caller, params }) =>
    database.transaction(caller, (tx) => undeleteModel(tx, params.model), { includeDeleted: true }),
  );
}

function registerVersionRoutes(serve: Serve, database: Database, registry: Registry): void {
  serve(models.listModelVersions, ({ caller, params, query }) =>
    database.transaction(
      caller,
      async (tx) => {
        const before = decodeIdCursor(query.cursor) ?? undefined;
        const model = await modelOf(tx, params.model);
        const rows = await repository.listVersionsPage(tx, model, { before, limit: query.limit + 1 });
        return toPage(rows.map(toSummary), query.limit, ({ version }) => [version]);
      },
      { readOnly: true },
    ),
  );
  serve(models.getModelVersion, ({ caller, params }) =>
    database.transaction(caller, async (tx) => getVersion(tx, await modelOf(tx, params.model), params.version), {
      readOnly: true,
    }),
  );
  serve(models.getModelCard, ({ caller, params }) =>
    database.transaction(
      caller,
      async (tx) => {
        const model = await modelOf(tx, params.model);
        const version = await getVersion(tx, model, params.version);
        const events = await repository.listAliasEvents(tx, model.id, { alias: CHAMPION, limit: EVENTS_MAX });
        const promoted = events.find(({ action, to }) => action === 'promoted' && to === params.version);
        const checklist = promoted?.checklist ?? [];
        return { model: model.name, version: params.version, ...modelCard(version, checklist), checklist };
      },
      { readOnly: true },
    ),
  );
  serve(models.downloadModelArtefact, async ({ caller, params, reply }) => {
    const version = await database.transaction(
      caller,
      async (tx) => getVersion(tx, await modelOf(tx, params.model), params.version),
      { readOnly: true },
    );
    const content = await registry.readArtefact(version.artefactSha256);
    return sendFile(reply, `${params.model}-${params.version}.model`, content);
  });
  serve(models.archiveModelVersion, ({ caller, params, body }) =>
    database.transaction(caller, (tx) => registry.setArchived(tx, { ...params, ...body, archived: true })),
  );
  serve(models.restoreModelVersion, ({ caller, params, body }) =>
    database.transaction(caller, (tx) => registry.setArchived(tx, { ...params, ...body, archived: false })),
  );
}

function registerAliasRoutes(serve: Serve, database: Database, registry: Registry): void {
  serve(models.listModelAliases, async ({ caller, params }) => ({
    items: await database.transaction(caller, (tx) => registry.listAliases(tx, params.model), { readOnly: true }),
  }));
  serve(models.setModelAlias, ({ caller, params, body }) =>
    database.transaction(caller, (tx) => registry.setAlias(tx, { ...params, ...body })),
  );
  serve(models.removeModelAlias, ({ caller, params, body }) =>
    database.transaction(caller, (tx) => registry.removeAlias(tx, { ...params, ...body })),
  );
  serve(models.listAliasHistory, ({ caller, params, query }) =>
    database.transaction(
      caller,
      async (tx) => {
        const before = decodeIdCursor(query.cursor) ?? undefined;
        const { id } = await modelOf(tx, params.model);
        const { alias, limit } = query;
        const rows = await repository.listAliasEvents(tx, id, { alias, before, limit: limit + 1 });
        return toPage(rows, limit, (row) => [row.id]);
      },
      { readOnly: true },
    ),
  );
  serve(models.promoteModel, ({ caller, params, body }) =>
    database.transaction(caller, (tx) => registry.promote(tx, caller, { ...params, ...body })),
  );
  serve(models.rollbackModel, ({ caller, params, body: { reason, expected } }) =>
    database.transaction(caller, (tx) =>
      registry.rollback(tx, caller, { ...params, reason, ...(expected === undefined ? {} : { expected }) }),
    ),
  );
  serve(models.withdrawModel, ({ caller, params, body }) =>
    database.transaction(caller, (tx) => registry.withdraw(tx, caller, { ...params, ...body })),
  );
  serve(models.getServingHistory, ({ caller, params, query }) =>
    database.transaction(
      caller,
      async (tx) => {
        const { id } = await modelOf(tx, params.model);
        const at = query.at ?? new Date().toISOString();
        const event = await repository.findLastEvent(tx, id, CHAMPION, at);
        const periods = await registry.servingPeriods(tx, params.model);
        return { at, version: event?.to ?? null, since: event?.at ?? null, periods };
      },
      { readOnly: true },
    ),
  );
}

function registerRunRoutes(serve: Serve, database: Database, registry: Registry): void {
  serve(models.listExperiments, ({ caller, query }) =>
    database.transaction(
      caller,
      async (tx) => {
        const before = decodeIdCursor(query.cursor) ?? undefined;
        const rows = await runs.listExperimentsPage(tx, { before, limit: query.limit + 1 });
        return toPage(rows, query.limit, ({ id }) => [id]);
      },
      { readOnly: true },
    ),
  );
  serve(models.listTrainingRuns, ({ caller, query: { cursor, limit, model, experiment, status } }) =>
    database.transaction(
      caller,
      async (tx) => {
        const before = decodeIdCursor(cursor) ?? undefined;
        const rows = await runs.listRunsPage(tx, { model, experiment, status, before, limit: limit + 1 });
        const { items, nextCursor } = toPage(rows, limit, ({ id }) => [id]);
        const metrics = Map.groupBy(
          await runs.findLastMetrics(
            tx,
            items.map(({ id }) => id),
          ),
          ({ runId }) => runId,
        );
        const lastOf = (id: number) =>
          Object.fromEntries(
            (metrics.get(id) ?? []).slice(0, METRICS_SHOWN_MAX).map(({ name, value }) => [name, runs.finite(value)]),
          );
        return { items: items.map((run) => ({ ...run, metrics: lastOf(run.id) })), nextCursor };
      },
      { readOnly: true },
    ),
  );
  serve(models.getTrainingRun, ({ caller, params: { trainingRunId: runId } }) =>
    database.transaction(
      caller,
      async (tx) => {
        const run = await runOf(tx, runId);
        const metrics = await runs.findLastMetrics(tx, [runId]);
        return {
          ...run,
          parameters: await runs.findParameters(tx, runId),
          metrics: metrics.map(({ runId: _runId, value, ...metric }) => ({ ...metric, value: runs.finite(value) })),
          artefacts: await runs.findArtefacts(tx, runId),
          versions: await runs.findVersionsOfRun(tx, runId),
        };
      },
      { readOnly: true },
    ),
  );
  serve(models.getRunMetric, ({ caller, params: { trainingRunId: runId }, query: { name, cursor, limit } }) =>
    database.transaction(
      caller,
      async (tx) => {
        await runOf(tx, runId);
        const after = decodeIdCursor(cursor) ?? 0;
        const rows = await runs.listMetricPage(tx, runId, { name, after, limit: limit + 1 });
        const { items, nextCursor } = toPage(rows, limit, ({ id }) => [id]);
        return { items: items.map(({ id: _id, ...metric }) => metric), nextCursor };
      },
      { readOnly: true },
    ),
  );
  serve(models.downloadRunArtefact, async ({ caller, params: { trainingRunId: runId }, query: { name }, reply }) => {
    const artefacts = await database.transaction(
      caller,
      async (tx) => {
        await runOf(tx, runId);
        return runs.findArtefacts(tx, runId);
      },
      { readOnly: true },
    );
    const artefact = artefacts.find((candidate) => candidate.name === name);
    const { sha256 } = found(artefact, `Run ${runId} has no file of that name.`);
    return sendFile(reply, `run-${runId}-${sha256.slice(0, 12)}`, await registry.readArtefact(sha256));
  });
}

type Sender = Parameters<Parameters<Serve>[1]>[0]['reply'];

function sendFile(reply: Sender, name: string, content: Buffer) {
  return reply
    .type('application/octet-stream')
    .header('content-disposition', `attachment; filename="${name}"`)
    .header('content-length', content.length)
    .send(content);
}

async function modelOf(tx: Transaction, name: string): Promise<{ id: number; name: string }> {
  return { id: await getModelId(tx, name), name };
}

async function runOf(tx: Transaction, runId: number) {
  const [run] = await runs.listRunsPage(tx, { runId, limit: 1 });
  return found(run, `There is no training run ${runId}.`);
}
