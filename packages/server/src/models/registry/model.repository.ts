import { type ModelManifest, modelManifest } from '@touchstone/contracts/model-manifest';
import {
  type AliasEvent,
  type Checklist,
  checklist as checklistSchema,
  type ModelAlias,
  type ModelSummary,
  type VersionDetail,
} from '@touchstone/contracts/models';
import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import { CHAMPION } from './registry.types.ts';

/** A model by its name, locked until the transaction ends: its numbers and aliases move one at a time. */
export async function lockModel(tx: Transaction, name: string) {
  return tx.query
    .selectFrom('model')
    .select(['id', 'latest_version as latestVersion', 'deleted_at as deletedAt'])
    .where('name', '=', name)
    .orderBy(({ eb }) => eb('deleted_at', 'is', null), 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .forUpdate()
    .executeTakeFirst();
}

export async function findModel(tx: Transaction, name: string) {
  return tx.query
    .selectFrom('model')
    .select(['id', 'latest_version as latestVersion'])
    .where('name', '=', name)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
}

export async function findModelId(tx: Transaction, name: string): Promise<number | undefined> {
  return (await findModel(tx, name))?.id;
}

/** @returns undefined when there is one of this name. */
export async function insertModel(
  tx: Transaction,
  model: { name: string; description: string },
): Promise<number | undefined> {
  const row = await tx.query
    .insertInto('model')
    .values({ tenant_id: tx.principal.tenantId, ...model })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'name']).where('deleted_at', 'is', null).doNothing())
    .returning('id')
    .executeTakeFirst();
  return row?.id;
}

export async function countUp(tx: Transaction, modelId: number, number: number): Promise<void> {
  await tx.query.updateTable('model').set({ latest_version: number }).where('id', '=', modelId).execute();
}

/** @returns false when the record is not at this version any more. */
export async function updateDescription(
  tx: Transaction,
  modelId: number,
  change: { description: string; version: number },
): Promise<boolean> {
  const { numUpdatedRows } = await tx.query
    .updateTable('model')
    .set({ description: change.description })
    .where('id', '=', modelId)
    .where('version', '=', change.version)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function setModelDeleted(tx: Transaction, modelId: number, deleted: boolean): Promise<void> {
  await tx.query
    .updateTable('model')
    .set({
      deleted_at: deleted ? sql<string>`clock_timestamp()` : null,
      deleted_by: deleted ? tx.principal.actorId : null,
    })
    .where('id', '=', modelId)
    .execute();
}

type SummaryRow = {
  id: number;
  name: string;
  description: string;
  latest: number;
  trained_until: string | null;
  registered_at: string | null;
  target: unknown;
  champion: number | null;
  since: string | null;
  by: number | null;
  reason: string | null;
  verdict: unknown;
  skill: unknown;
  created_at: string;
  created_by: number | null;
  updated_at: string;
  updated_by: number | null;
  deleted_at: string | null;
  version: number;
};

/** Models by name, with what their newest version and their champion say. */
export async function listModelsPage(
  tx: Transaction,
  page: { after?: { name: string; id: number } | undefined; limit: number; name?: string },
): Promise<(ModelSummary & { id: number })[]> {
  const after = page.after === undefined ? sql`true` : sql`(m.name, m.id) > (${page.after.name}, ${page.after.id})`;
  const named = page.name === undefined ? sql`true` : sql`m.name = ${page.name}`;
  const { rows } = await sql<SummaryRow>`
    SELECT m.id, m.name, m.description, m.latest_version AS latest, m.created_at, m.created_by, m.updated_at, m.updated_by,
      m.deleted_at, m.version, v.created_at AS registered_at, v.manifest->>'trainedUntil' AS trained_until,
      v.manifest->'target' AS target, c.to_number AS champion, c.created_at AS since, c.created_by AS by, c.reason,
      coalesce(s.manifest, v.manifest)->'verdict' AS verdict, coalesce(s.manifest, v.manifest)->'skill' AS skill
    FROM model m
    LEFT JOIN model_version v ON v.tenant_id = m.tenant_id AND v.model_id = m.id AND v.number = m.latest_version
    LEFT JOIN LATERAL (
      SELECT to_number, created_at, created_by, reason FROM model_alias_event e
      WHERE e.tenant_id = m.tenant_id AND e.model_id = m.id AND e.alias = ${CHAMPION} ORDER BY e.id DESC LIMIT 1
    ) c ON true
    LEFT JOIN model_version s ON s.tenant_id = m.tenant_id AND s.model_id = m.id AND s.number = c.to_number
    WHERE m.tenant_id = ${tx.principal.tenantId} AND ${after} AND ${named}
    ORDER BY m.name, m.id LIMIT ${page.limit}`.execute(tx.query);
  return rows.map(toSummary);
}

function toSummary(row: SummaryRow): ModelSummary & { id: number } {
  const { shape } = modelManifest;
  return {
    ...{ id: row.id, name: row.name, description: row.description, versionCount: row.latest },
    latestVersion: row.latest === 0 ? null : row.latest,
    target: shape.target.parse(row.target),
    lastTrainedUntil: row.trained_until,
    lastRegisteredAt: row.registered_at,
    champion:
      row.champion === null
        ? null
        : { version: row.champion, since: row.since ?? '', by: row.by, reason: row.reason ?? '' },
    verdict: shape.verdict.parse(row.verdict),
    skill: shape.skill.parse(row.skill),
    ...{ createdAt: row.created_at, createdBy: row.created_by, updatedAt: row.updated_at, updatedBy: row.updated_by },
    ...{ deletedAt: row.deleted_at, version: row.version },
  };
}

export type VersionRow = {
  modelId: number;
  number: number;
  runId: number | null;
  manifest: ModelManifest;
  manifestSha256: string;
  artefactSha256: string;
  artefactByteCount: number;
};

export async function insertVersion(tx: Transaction, row: VersionRow): Promise<void> {
  const { manifest } = row;
  await tx.query
    .insertInto('model_version')
    .values({
      tenant_id: tx.principal.tenantId,
      ...{ model_id: row.modelId, number: row.number, run_id: row.runId },
      ...{ manifest: JSON.stringify(manifest), manifest_sha256: row.manifestSha256 },
      ...{ artefact_sha256: row.artefactSha256, artefact_byte_count: row.artefactByteCount },
      ...{ dataset_sha256: manifest.datasetSha256, feature_sha256: manifest.featureSha256 },
      ...{ code_version: manifest.codeVersion, seed: manifest.seed },
    })
    .execute();
}

/** Versions of a model, newest first. */
export async function listVersionsPage(
  tx: Transaction,
  model: { id: number; name: string },
  page: { before?: number | undefined; limit: number; number?: number },
): Promise<VersionDetail[]> {
  const before = page.before === undefined ? sql`true` : sql`v.number < ${page.before}`;
  const only = page.number === undefined ? sql`true` : sql`v.number = ${page.number}`;
  const { rows } = await sql<{
    number: number;
    run_id: number | null;
    manifest: unknown;
    manifest_sha256: string;
    artefact_sha256: string;
    artefact_byte_count: number;
    created_at: string;
    created_by: number | null;
    aliases: string[] | null;
    archived: boolean | null;
    archived_reason: string | null;
  }>`
    WITH pointing AS (
      SELECT DISTINCT ON (alias) alias, to_number FROM model_alias_event
      WHERE tenant_id = ${tx.principal.tenantId} AND model_id = ${model.id} ORDER BY alias, id DESC
    )
    SELECT v.number, v.run_id, v.manifest, v.manifest_sha256, v.artefact_sha256, v.artefact_byte_count, v.created_at,
      v.created_by, a.aliases, c.archived, c.reason AS archived_reason
    FROM model_version v
    LEFT JOIN LATERAL (SELECT array_agg(alias ORDER BY alias) AS aliases FROM pointing WHERE to_number = v.number) a ON true
    LEFT JOIN LATERAL (
      SELECT archived, reason FROM model_version_choice c
      WHERE c.tenant_id = v.tenant_id AND c.model_id = v.model_id AND c.version_number = v.number ORDER BY c.id DESC LIMIT 1
    ) c ON true
    WHERE v.tenant_id = ${tx.principal.tenantId} AND v.model_id = ${model.id} AND ${before} AND ${only}
    ORDER BY v.number DESC LIMIT ${page.limit}`.execute(tx.query);
  return rows.map((row) => {
    const manifest = modelManifest.parse(row.manifest);
    const { target, trainedUntil, skill, verdict } = manifest;
    const archived = row.archived ?? false;
    return {
      ...{ model: model.name, version: row.number, runId: row.run_id, target, trainedUntil, skill, verdict, manifest },
      ...{ artefactSha256: row.artefact_sha256, artefactByteCount: Number(row.artefact_byte_count) },
      ...{ manifestSha256: row.manifest_sha256, aliases: row.aliases ?? [], archived },
      archivedReason: archived ? row.archived_reason : null,
      ...{ createdAt: row.created_at, createdBy: row.created_by },
    };
  });
}

export async function insertChoice(
  tx: Transaction,
  choice: { modelId: number; version: number; archived: boolean; reason: string },
): Promise<void> {
  await tx.query
    .insertInto('model_version_choice')
    .values({
      tenant_id: tx.principal.tenantId,
      ...{ model_id: choice.modelId, version_number: choice.version },
      ...{ archived: choice.archived, reason: choice.reason },
    })
    .execute();
}

/** Numbers of the versions of a model that are out of choice. */
export async function findArchived(tx: Transaction, modelId: number): Promise<Set<number>> {
  const rows = await tx.query
    .selectFrom('model_version_choice')
    .distinctOn('version_number')
    .select(['version_number as version', 'archived'])
    .where('model_id', '=', modelId)
    .orderBy('version_number')
    .orderBy('id', 'desc')
    .execute();
  return new Set(rows.filter(({ archived }) => archived).map(({ version }) => version));
}

export type NewAliasEvent = {
  modelId: number;
  alias: string;
  action: AliasEvent['action'];
  from: number | null;
  to: number | null;
  reason: string;
  checklist: Checklist;
};

const EVENT_COLUMNS = [
  ...(['id', 'alias', 'action', 'from_number', 'to_number', 'reason', 'checklist'] as const),
  ...(['created_at', 'created_by'] as const),
] as const;

export async function insertAliasEvent(tx: Transaction, event: NewAliasEvent): Promise<AliasEvent> {
  const row = await tx.query
    .insertInto('model_alias_event')
    .values({
      tenant_id: tx.principal.tenantId,
      ...{ model_id: event.modelId, alias: event.alias, action: event.action },
      ...{ from_number: event.from, to_number: event.to, reason: event.reason },
      checklist: JSON.stringify(event.checklist),
    })
    .returning(EVENT_COLUMNS)
    .executeTakeFirstOrThrow();
  return toEvent(row);
}

/** Newest first, below the given number. */
export async function listAliasEvents(
  tx: Transaction,
  modelId: number,
  page: { alias?: string | undefined; before?: number | undefined; limit: number },
): Promise<AliasEvent[]> {
  let query = tx.query.selectFrom('model_alias_event').select(EVENT_COLUMNS).where('model_id', '=', modelId);
  if (page.alias !== undefined) query = query.where('alias', '=', page.alias);
  if (page.before !== undefined) query = query.where('id', '<', page.before);
  return (await query.orderBy('id', 'desc').limit(page.limit).execute()).map(toEvent);
}

/** The last event of an alias up to an instant. */
export async function findLastEvent(
  tx: Transaction,
  modelId: number,
  alias: string,
  at?: string,
): Promise<AliasEvent | undefined> {
  let query = tx.query
    .selectFrom('model_alias_event')
    .select(EVENT_COLUMNS)
    .where('model_id', '=', modelId)
    .where('alias', '=', alias);
  if (at !== undefined) query = query.where('created_at', '<=', at);
  const row = await query.orderBy('id', 'desc').limit(1).executeTakeFirst();
  return row === undefined ? undefined : toEvent(row);
}

/** Where each alias points now, by name. */
export async function findAliases(tx: Transaction, modelId: number): Promise<ModelAlias[]> {
  const rows = await tx.query
    .selectFrom('model_alias_event')
    .distinctOn('alias')
    .select(['alias', 'to_number', 'created_at', 'created_by', 'reason'])
    .where('model_id', '=', modelId)
    .orderBy('alias')
    .orderBy('id', 'desc')
    .execute();
  return rows.flatMap(({ alias, to_number: version, created_at: since, created_by: by, reason }) =>
    version === null ? [] : [{ alias, version, since, by, reason }],
  );
}

const ACTIONS = ['set', 'promoted', 'rolled_back', 'removed'] as const;

function toEvent(row: {
  id: number;
  alias: string;
  action: string;
  from_number: number | null;
  to_number: number | null;
  reason: string;
  checklist: unknown;
  created_at: string;
  created_by: number | null;
}): AliasEvent {
  return {
    ...{ id: row.id, alias: row.alias, action: ACTIONS.find((action) => action === row.action) ?? 'set' },
    ...{
      from: row.from_number,
      to: row.to_number,
      reason: row.reason,
      checklist: checklistSchema.parse(row.checklist),
    },
    ...{ at: row.created_at, by: row.created_by },
  };
}
