import type { Archive } from '@touchstone/contracts/keeping';
import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';

export type ArchiveState = Archive['state'];
export type ArchiveRow = {
  id: number;
  tenant_id: number;
  year: number;
  state: ArchiveState;
  row_count: number;
  file_sha256: string;
  content_sha256: string;
};

/** In sight of the tenant: its own and the system's. Newest year first. */
export async function listArchives(tx: Transaction): Promise<Archive[]> {
  const { rows } = await sql<Archive>`
    SELECT id, year, tenant_id AS "tenantId", state, row_count AS "rowCount", instrument_count AS "instrumentCount",
           byte_count AS "byteCount", file_sha256 AS "fileSha256", content_sha256 AS "contentSha256",
           created_at AS "createdAt", archived_at AS "archivedAt", brought_back_at AS "broughtBackAt"
    FROM archive ORDER BY year DESC, id DESC LIMIT 1000`.execute(tx.query);
  return rows;
}

/** The tenant's own archives of a year in these states, the first first. */
export async function findArchives(
  tx: Transaction,
  year: number,
  states: readonly ArchiveState[],
): Promise<ArchiveRow[]> {
  const { rows } = await sql<ArchiveRow>`
    SELECT id, tenant_id, year, state, row_count, file_sha256, content_sha256 FROM archive
    WHERE tenant_id = ${tx.principal.tenantId} AND year = ${year} AND state = ANY (${[...states]}) AND deleted_at IS NULL
    ORDER BY id`.execute(tx.query);
  return rows;
}

/** Years up to `last` of which the tenant has bars in the table. */
export async function findYearsInTable(tx: Transaction, last: number): Promise<number[]> {
  // One probe a partition; counting the rows would read all of them.
  const { rows } = await sql<{ year: number }>`
    SELECT y.year FROM (
      SELECT substring(c.relname FROM '\\d+$')::int AS year FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'price_observation'::regclass) y
    WHERE y.year <= ${last} AND EXISTS (
      SELECT FROM price_observation o WHERE o.tenant_id = ${tx.principal.tenantId}
        AND o.day >= make_date(y.year, 1, 1) AND o.day <= make_date(y.year, 12, 31))
    ORDER BY 1`.execute(tx.query);
  return rows.map((row) => row.year);
}

/** All tenants of the installation. */
export async function findTenantIds(tx: Transaction): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`SELECT t AS id FROM touchstone_tenant_ids() t`.execute(tx.query);
  return rows.map((row) => row.id);
}

/** The tenants with archived bars of a year. */
export async function findTenantsArchived(tx: Transaction, year: number): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    SELECT t AS id FROM touchstone_tenants_archived(${year}::int) t`.execute(tx.query);
  return rows.map((row) => row.id);
}

export type NewArchive = {
  year: number;
  rowCount: number;
  instrumentCount: number;
  byteCount: number;
  fileSha256: string;
  contentSha256: string;
};

export async function insertArchive(tx: Transaction, made: NewArchive): Promise<number> {
  const { id } = await tx.query
    .insertInto('archive')
    .values({
      tenant_id: tx.principal.tenantId,
      year: made.year,
      row_count: made.rowCount,
      instrument_count: made.instrumentCount,
      byte_count: made.byteCount,
      file_sha256: made.fileSha256,
      content_sha256: made.contentSha256,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

export async function setState(tx: Transaction, id: number, state: ArchiveState): Promise<void> {
  await tx.query
    .updateTable('archive')
    .set({ state, ...(state === 'brought_back' ? { brought_back_at: sql<string>`clock_timestamp()` } : {}) })
    .where('id', '=', id)
    .where('tenant_id', '=', tx.principal.tenantId)
    .execute();
}

/** What an earlier try left before any row was removed. Its file stays in the store, where it harms nobody. */
export async function dropUnfinished(tx: Transaction, year: number): Promise<void> {
  await sql`UPDATE archive SET deleted_at = clock_timestamp() WHERE tenant_id = ${tx.principal.tenantId}
    AND year = ${year} AND state IN ('written', 'verified') AND deleted_at IS NULL`.execute(tx.query);
}

/** Removes the rows of a verified archive from the table, by the one function that may. */
export async function removeRows(tx: Transaction, id: number): Promise<void> {
  await sql`SELECT touchstone_archive_year(${id}::int)`.execute(tx.query);
}
