import type { CheckedFeature } from '@touchstone/contracts/features';
import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import { hashOfView, type ViewDefinition, type ViewVersion } from './feature-view.ts';

type Row = {
  id: number;
  name: string;
  number: number;
  latest: number;
  definition: unknown;
  checks: unknown;
  sha256: string;
  code_version: string;
  created_at: string;
  created_by: number | null;
};

function versions(tx: Transaction) {
  return tx.query
    .selectFrom('feature_view as v')
    .innerJoin('feature_view_version as f', (join) =>
      join.onRef('f.tenant_id', '=', 'v.tenant_id').onRef('f.view_id', '=', 'v.id'),
    )
    .select([
      ...([
        'v.id',
        'v.name',
        'v.latest_version as latest',
        'f.number',
        'f.definition',
        'f.checks',
        'f.sha256',
      ] as const),
      ...(['f.code_version', 'f.created_at', 'f.created_by'] as const),
    ]);
}

/** Every version of every view of the tenant, by name and number. */
export async function findAllVersions(tx: Transaction): Promise<ViewVersion[]> {
  const rows = await versions(tx).orderBy('v.name').orderBy('f.number').limit(10_000).execute();
  return rows.map(toVersion);
}

/** Locks the view, so that of two changes the second sees the first. */
export async function findViewToChange(tx: Transaction, name: string) {
  return tx.query
    .selectFrom('feature_view')
    .select(['id', 'latest_version as latestVersion'])
    .where('name', '=', name)
    .where('deleted_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
}

export async function insertView(tx: Transaction, name: string): Promise<number> {
  const { id } = await tx.query
    .insertInto('feature_view')
    .values({ tenant_id: tx.principal.tenantId, name, latest_version: 1 })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** The highest number any view of this name ever had, the deleted ones included; 0 for none. */
export async function findLastNumber(tx: Transaction, name: string): Promise<number> {
  const row = await tx.query
    .selectFrom('feature_view as v')
    .innerJoin('feature_view_version as f', (join) =>
      join.onRef('f.tenant_id', '=', 'v.tenant_id').onRef('f.view_id', '=', 'v.id'),
    )
    .select(({ fn }) => fn.max('f.number').as('last'))
    .where('v.name', '=', name)
    .executeTakeFirst();
  return row?.last ?? 0;
}

export async function insertVersion(
  tx: Transaction,
  row: { viewId: number; number: number; definition: ViewDefinition; checks: CheckedFeature[]; codeVersion: string },
): Promise<void> {
  await tx.query
    .insertInto('feature_view_version')
    .values({
      tenant_id: tx.principal.tenantId,
      view_id: row.viewId,
      number: row.number,
      definition: JSON.stringify(row.definition),
      sha256: hashOfView(row.definition),
      checks: JSON.stringify(row.checks),
      code_version: row.codeVersion,
    })
    .execute();
}

export async function setLatest(tx: Transaction, viewId: number, number: number): Promise<void> {
  await tx.query.updateTable('feature_view').set({ latest_version: number }).where('id', '=', viewId).execute();
}

/** The row stays and is no longer seen. */
export async function deleteView(tx: Transaction, viewId: number): Promise<void> {
  await tx.query
    .updateTable('feature_view')
    .set({ deleted_at: sql<string>`clock_timestamp()` })
    .where('id', '=', viewId)
    .execute();
}

function toVersion(row: Row): ViewVersion {
  const definition: ViewDefinition = JSON.parse(JSON.stringify(row.definition));
  const checks: CheckedFeature[] = JSON.parse(JSON.stringify(row.checks));
  return {
    ...{ definition, checks, version: row.number, sha256: row.sha256, builtIn: false, id: row.id },
    ...{ codeVersion: row.code_version, createdAt: row.created_at, createdBy: row.created_by },
  };
}
