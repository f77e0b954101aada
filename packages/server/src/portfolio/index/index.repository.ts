import { type IndexDefinition, method, methodParameters } from '@touchstone/contracts/indexes';
import { type ExpressionBuilder, sql } from 'kysely';
import type { ReadCoverage } from '../../features/index.ts';
import type { Transaction } from '../../platform/database/database.ts';
import type { DB } from '../../platform/database/schema-types.ts';
import { findStale } from '../stale-index/stale-index.ts';

export type NewIndex = Pick<
  IndexDefinition,
  | 'name'
  | 'description'
  | 'universeId'
  | 'method'
  | 'parameters'
  | 'currency'
  | 'costBasisPoints'
  | 'firstDay'
  | 'baseValue'
  | 'benchmarkInstrumentId'
  | 'visibility'
>;

function isVisible(tx: Transaction) {
  return (eb: ExpressionBuilder<DB, 'index_definition'>) =>
    eb.or([
      eb('index_definition.visibility', '=', 'tenant'),
      eb('index_definition.created_by', 'is not distinct from', tx.principal.actorId),
    ]);
}

function selectIndexes(tx: Transaction) {
  return tx.query
    .selectFrom('index_definition')
    .innerJoin('universe', 'universe.id', 'index_definition.universe_id')
    .leftJoin('instrument', 'instrument.id', 'index_definition.benchmark_instrument_id')
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom('index_run')
          .whereRef('index_run.index_id', '=', 'index_definition.id')
          .select([
            'index_run.run_number as latestRunNumber',
            'index_run.created_at as latestRunAt',
            'index_run.dataset_sha256 as latestDatasetSha256',
            'index_run.recorded_at as latestRecordedAt',
          ])
          .orderBy('index_run.run_number', 'desc')
          .limit(1)
          .as('latest'),
      (join) => join.onTrue(),
    )
    .where(isVisible(tx))
    .select([
      'index_definition.id',
      'index_definition.tenant_id as tenantId',
      'index_definition.name',
      'index_definition.description',
      'index_definition.universe_id as universeId',
      'universe.name as universeName',
      'index_definition.method',
      'index_definition.parameters',
      'index_definition.currency',
      'index_definition.cost_basis_points as costBasisPoints',
      'index_definition.first_day as firstDay',
      'index_definition.base_value as baseValue',
      'index_definition.benchmark_instrument_id as benchmarkInstrumentId',
      'instrument.symbol as benchmarkSymbol',
      'index_definition.visibility',
      'index_definition.created_at as createdAt',
      'index_definition.created_by as createdBy',
      'index_definition.updated_at as updatedAt',
      'index_definition.updated_by as updatedBy',
      'index_definition.deleted_at as deletedAt',
      'index_definition.version',
      'latest.latestRunNumber',
      'latest.latestRunAt',
      'latest.latestDatasetSha256',
      'latest.latestRecordedAt',
    ]);
}

type IndexRow = Awaited<ReturnType<ReturnType<typeof selectIndexes>['executeTakeFirstOrThrow']>>;

async function toIndexes(
  tx: Transaction,
  rows: readonly IndexRow[],
  readCoverage: ReadCoverage,
): Promise<IndexDefinition[]> {
  const latest = rows.map((row) => ({
    ...{ id: row.id, datasetSha256: row.latestDatasetSha256, recordedAt: row.latestRecordedAt },
  }));
  const stale = await findStale(tx, latest, readCoverage);
  return rows.map((row) => toIndex(row, stale.get(row.id) ?? null));
}

function toIndex(
  { latestDatasetSha256: _sha256, latestRecordedAt: _recordedAt, ...row }: IndexRow,
  stale: IndexDefinition['stale'],
): IndexDefinition {
  return {
    ...row,
    method: method.parse(row.method),
    parameters: methodParameters.parse(row.parameters),
    stale,
    visibility: row.visibility === 'private' ? 'private' : 'tenant',
  };
}

/** By id, ascending. */
export async function listIndexesPage(
  tx: Transaction,
  page: { after: number; limit: number },
  readCoverage: ReadCoverage,
): Promise<IndexDefinition[]> {
  const rows = await selectIndexes(tx)
    .where('index_definition.id', '>', page.after)
    .orderBy('index_definition.id')
    .limit(page.limit)
    .execute();
  return toIndexes(tx, rows, readCoverage);
}

export async function findIndex(tx: Transaction, id: number): Promise<IndexDefinition | undefined> {
  const row = await selectIndexes(tx).where('index_definition.id', '=', id).executeTakeFirst();
  return row && toIndex(row, null);
}

/** The same with what only people ask for: whether its newest version is stale. */
export async function findIndexAsShown(
  tx: Transaction,
  id: number,
  readCoverage: ReadCoverage,
): Promise<IndexDefinition | undefined> {
  const row = await selectIndexes(tx).where('index_definition.id', '=', id).executeTakeFirst();
  return row && (await toIndexes(tx, [row], readCoverage))[0];
}

/** The tenant's own indexes over a universe that this principal sees, by id. */
export async function findIndexesOfUniverse(
  tx: Transaction,
  universeId: number,
): Promise<Pick<IndexDefinition, 'id' | 'name'>[]> {
  return tx.query
    .selectFrom('index_definition')
    .where(isVisible(tx))
    .where('universe_id', '=', universeId)
    .where('tenant_id', '=', tx.principal.tenantId)
    .select(['id', 'name'])
    .orderBy('id')
    .execute();
}

/** The tenants that own what an index refers to: its own or the system. Undefined: there is no such thing to see. */
export async function findOwners(tx: Transaction, universeId: number, benchmarkInstrumentId: number | null) {
  const universe = await tx.query
    .selectFrom('universe')
    .select('tenant_id')
    .where('id', '=', universeId)
    .executeTakeFirst();
  const benchmark =
    benchmarkInstrumentId === null
      ? undefined
      : await tx.query
          .selectFrom('instrument')
          .select('tenant_id')
          .where('id', '=', benchmarkInstrumentId)
          .executeTakeFirst();
  return { universe: universe?.tenant_id, benchmark: benchmark?.tenant_id };
}

export async function insertIndex(
  tx: Transaction,
  index: NewIndex,
  owners: { universe: number; benchmark: number | null },
): Promise<number> {
  const { id } = await tx.query
    .insertInto('index_definition')
    .values({
      tenant_id: tx.principal.tenantId,
      name: index.name,
      description: index.description,
      universe_tenant_id: owners.universe,
      universe_id: index.universeId,
      method: index.method,
      parameters: JSON.stringify(index.parameters),
      currency: index.currency,
      cost_basis_points: index.costBasisPoints,
      first_day: index.firstDay,
      base_value: index.baseValue,
      benchmark_tenant_id: owners.benchmark,
      benchmark_instrument_id: index.benchmarkInstrumentId,
      visibility: index.visibility,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** True when the row was there in the version named; then it is as told. */
export async function updateIndex(
  tx: Transaction,
  id: number,
  version: number,
  index: NewIndex,
  owners: { universe: number; benchmark: number | null },
): Promise<boolean> {
  const result = await tx.query
    .updateTable('index_definition')
    .set({
      name: index.name,
      description: index.description,
      universe_tenant_id: owners.universe,
      universe_id: index.universeId,
      method: index.method,
      parameters: JSON.stringify(index.parameters),
      currency: index.currency,
      cost_basis_points: index.costBasisPoints,
      first_day: index.firstDay,
      base_value: index.baseValue,
      benchmark_tenant_id: owners.benchmark,
      benchmark_instrument_id: index.benchmarkInstrumentId,
      visibility: index.visibility,
    })
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Deletes (a moment) or brings back (null). The transaction must see deleted rows. */
export async function setIndexDeleted(tx: Transaction, id: number, deletedAt: string | null): Promise<boolean> {
  const result = await tx.query
    .updateTable('index_definition')
    .set({ deleted_at: deletedAt })
    .where('id', '=', id)
    .where('deleted_at', deletedAt === null ? 'is not' : 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** What an index can be held against, indexes and funds first, then by symbol. */
export async function findBenchmarks(tx: Transaction, search: string | undefined) {
  let query = tx.query.selectFrom('instrument as i');
  if (search !== undefined) {
    const like = `%${search.replace(/[\\%_]/g, '\\$&')}%`;
    query = query.where(({ eb, or }) => or([eb('i.symbol', 'ilike', like), eb('i.name', 'ilike', like)]));
  }
  return query
    .select(['i.id as instrumentId', 'i.symbol', 'i.name', 'i.kind'])
    .select([
      sql<string | null>`(SELECT min(o.day) FROM bar_key o WHERE o.instrument_id = i.id)`.as('firstDay'),
      sql<string | null>`(SELECT max(o.day) FROM bar_key o WHERE o.instrument_id = i.id)`.as('lastDay'),
    ])
    .orderBy(sql`CASE i.kind WHEN 'index' THEN 0 WHEN 'fund' THEN 1 ELSE 2 END`)
    .orderBy('i.symbol')
    .limit(50)
    .execute();
}
