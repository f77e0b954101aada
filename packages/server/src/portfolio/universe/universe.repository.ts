import type { Universe } from '@touchstone/contracts/universes';
import { type ExpressionBuilder, sql } from 'kysely';
import { seeingDeleted, type Transaction } from '../../platform/database/database.ts';
import type { DB } from '../../platform/database/schema-types.ts';

export type UniverseMember = {
  instrumentId: number;
  symbol: string;
  name: string;
  sector: string | null;
  currency: string;
  firstDay: string | null;
  lastDay: string | null;
};

export type MemberChoice = { instrumentId: number; firstDay: string | null; lastDay: string | null };

export type NewUniverse = Pick<Universe, 'name' | 'description' | 'rule' | 'sourceId' | 'visibility'>;

/** A private record is seen by its maker only. */
function isVisible(tx: Transaction) {
  return (eb: ExpressionBuilder<DB, 'universe'>) =>
    eb.or([
      eb('universe.visibility', '=', 'tenant'),
      eb('universe.created_by', 'is not distinct from', tx.principal.actorId),
    ]);
}

function selectUniverses(tx: Transaction) {
  return tx.query
    .selectFrom('universe')
    .innerJoin('source', 'source.id', 'universe.source_id')
    .where(isVisible(tx))
    .select([
      'universe.id',
      'universe.tenant_id as tenantId',
      'universe.name',
      'universe.description',
      'universe.rule',
      'universe.source_id as sourceId',
      'source.name as sourceName',
      'universe.visibility',
      'universe.created_at as createdAt',
      'universe.created_by as createdBy',
      'universe.updated_at as updatedAt',
      'universe.updated_by as updatedBy',
      'universe.deleted_at as deletedAt',
      'universe.version',
      // Everything a source ever told of, found by one index probe an instrument instead of reading its bars.
      sql<number>`CASE universe.rule
        WHEN 'list' THEN (SELECT count(*) FROM universe_member m WHERE m.universe_id = universe.id AND m.deleted_at IS NULL)
        ELSE (SELECT count(*) FROM instrument i WHERE i.tenant_id = universe.source_tenant_id AND i.kind <> 'index' AND EXISTS
              (SELECT FROM bar_key o WHERE o.instrument_id = i.id AND o.source_id = universe.source_id)) END`.as(
        'memberCount',
      ),
    ]);
}

type UniverseRow = Omit<Universe, 'rule' | 'visibility'> & { rule: string; visibility: string };

function toUniverse(row: UniverseRow): Universe {
  return {
    ...row,
    rule: row.rule === 'list' ? 'list' : 'all_of_source',
    visibility: row.visibility === 'private' ? 'private' : 'tenant',
  };
}

/** By id, ascending. */
export async function listUniversesPage(tx: Transaction, page: { after: number; limit: number }): Promise<Universe[]> {
  const rows = await selectUniverses(tx)
    .where('universe.id', '>', page.after)
    .orderBy('universe.id')
    .limit(page.limit)
    .execute();
  return rows.map(toUniverse);
}

export async function findUniverse(tx: Transaction, id: number): Promise<Universe | undefined> {
  const row = await selectUniverses(tx).where('universe.id', '=', id).executeTakeFirst();
  return row && toUniverse(row);
}

/** What a universe stands for, without counting its members, which takes as long as reading them. */
export function findUniverseRule(tx: Transaction, id: number) {
  return tx.query
    .selectFrom('universe')
    .where(isVisible(tx))
    .where('universe.id', '=', id)
    .select(['universe.id', 'universe.name', 'universe.rule', 'universe.source_id as sourceId'])
    .executeTakeFirst();
}

/** The first universe in sight that an instrument is in: the tenant's own before the system's. */
export async function findUniverseHolding(tx: Transaction, instrumentId: number): Promise<number | null> {
  const row = await tx.query
    .selectFrom('universe')
    .where(isVisible(tx))
    .where(({ and, eb, exists, or, selectFrom }) =>
      or([
        and([
          eb('universe.rule', '=', 'list'),
          exists(
            selectFrom('universe_member as m')
              .select('m.instrument_id')
              .whereRef('m.universe_id', '=', 'universe.id')
              .where('m.instrument_id', '=', instrumentId),
          ),
        ]),
        and([
          eb('universe.rule', '<>', 'list'),
          exists(
            selectFrom('bar_key as o')
              .select('o.run_id')
              .where('o.instrument_id', '=', instrumentId)
              .whereRef('o.source_id', '=', 'universe.source_id'),
          ),
        ]),
      ]),
    )
    .select('universe.id')
    .orderBy('universe.tenant_id', 'desc')
    .orderBy('universe.id')
    .limit(1)
    .executeTakeFirst();
  return row?.id ?? null;
}

export async function findUniverseOfIndex(tx: Transaction, indexId: number): Promise<number | undefined> {
  const row = await tx.query
    .selectFrom('index_definition')
    .select('universe_id')
    .where('id', '=', indexId)
    .limit(1)
    .executeTakeFirst();
  return row?.universe_id;
}

/** The members, by symbol. Of a universe of a whole source: every instrument the source has ever told a bar of. */
export async function findMembers(
  tx: Transaction,
  universe: { id: number; rule: string; sourceId: number },
): Promise<UniverseMember[]> {
  if (universe.rule === 'list') {
    return tx.query
      .selectFrom('universe_member as m')
      .innerJoin('instrument as i', 'i.id', 'm.instrument_id')
      .where('m.universe_id', '=', universe.id)
      .select([
        'i.id as instrumentId',
        'i.symbol',
        'i.name',
        'i.sector',
        'i.currency',
        'm.first_day as firstDay',
        'm.last_day as lastDay',
      ])
      .orderBy('i.symbol')
      .execute();
  }
  const rows = await tx.query
    .selectFrom('instrument as i')
    .innerJoin('source as s', (join) =>
      join.onRef('s.tenant_id', '=', 'i.tenant_id').on('s.id', '=', universe.sourceId),
    )
    // What has no other kind is a stock; an index among them would be a holding of itself.
    .where('i.kind', '!=', 'index')
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('bar_key as o')
          .select('o.run_id')
          .whereRef('o.instrument_id', '=', 'i.id')
          .where('o.source_id', '=', universe.sourceId),
      ),
    )
    .select(['i.id as instrumentId', 'i.symbol', 'i.name', 'i.sector', 'i.currency'])
    .orderBy('i.symbol')
    .execute();
  return rows.map((row) => ({ ...row, firstDay: null, lastDay: null }));
}

export async function insertUniverse(tx: Transaction, universe: NewUniverse, sourceTenantId: number): Promise<number> {
  const { id } = await tx.query
    .insertInto('universe')
    .values({
      tenant_id: tx.principal.tenantId,
      name: universe.name,
      description: universe.description,
      rule: universe.rule,
      source_tenant_id: sourceTenantId,
      source_id: universe.sourceId,
      visibility: universe.visibility,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** True when the row was there in the version named; then it is changed. */
export async function updateUniverse(
  tx: Transaction,
  id: number,
  version: number,
  changes: Partial<Pick<Universe, 'name' | 'description' | 'visibility'>>,
): Promise<boolean> {
  const result = await tx.query
    .updateTable('universe')
    .set({ ...changes, updated_at: sql`clock_timestamp()` })
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Deletes (a moment) or brings back (null). The transaction must see deleted rows. */
export async function setUniverseDeleted(tx: Transaction, id: number, deletedAt: string | null): Promise<boolean> {
  const result = await tx.query
    .updateTable('universe')
    .set({ deleted_at: deletedAt })
    .where('id', '=', id)
    .where('deleted_at', deletedAt === null ? 'is not' : 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Replaces the members. Instruments must be the tenant's own or the system's; unknown ones are returned. */
export async function replaceMembers(
  tx: Transaction,
  universeId: number,
  members: readonly MemberChoice[],
): Promise<number[]> {
  const ids = members.map((member) => member.instrumentId);
  const known =
    ids.length === 0
      ? []
      : await tx.query.selectFrom('instrument').select(['id', 'tenant_id']).where('id', 'in', ids).execute();
  const tenantOf = new Map(known.map((row) => [row.id, row.tenant_id]));
  const unknown = ids.filter((id) => !tenantOf.has(id));
  if (unknown.length > 0) return unknown;
  await seeingDeleted(tx, () =>
    tx.query
      .updateTable('universe_member')
      .set({ deleted_at: sql<string>`clock_timestamp()` })
      .where('universe_id', '=', universeId)
      .where('deleted_at', 'is', null)
      .execute(),
  );
  if (members.length > 0) {
    await tx.query
      .insertInto('universe_member')
      .values(
        members.map((member) => ({
          tenant_id: tx.principal.tenantId,
          universe_id: universeId,
          instrument_tenant_id: tenantOf.get(member.instrumentId) ?? tx.principal.tenantId,
          instrument_id: member.instrumentId,
          first_day: member.firstDay,
          last_day: member.lastDay,
        })),
      )
      .execute();
  }
  return [];
}

export async function countIndexesOf(tx: Transaction, universeId: number): Promise<number> {
  const { count } = await tx.query
    .selectFrom('index_definition')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('universe_id', '=', universeId)
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(count);
}
