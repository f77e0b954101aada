import { automl, automlTrial } from '@touchstone/contracts/automl';
import { type Selectable, sql } from 'kysely';
import { z } from 'zod';
import type { Transaction } from '../../platform/database/database.ts';
import type { AutomlTable } from '../../platform/database/schema-types.ts';

export type AutomlRow = Selectable<AutomlTable>;

const toldSchema = automl
  .pick({ outerFrom: true, unitsDone: true, ended: true, ranOn: true, runNote: true, chosen: true, bias: true })
  .extend({
    trials: z.array(automlTrial),
    /** Batches done, and the seconds they took: where a search goes on. */
    batches: z.int(),
    spentSeconds: z.number(),
  });
/** What a search has come to. */
export type Told = z.infer<typeof toldSchema>;

export const NOTHING_TOLD: Told = {
  ...{ trials: [], batches: 0, spentSeconds: 0, outerFrom: null, unitsDone: 0, ended: null },
  ...{ ranOn: null, runNote: null, chosen: null, bias: null },
};

export async function insertAutoml(
  tx: Transaction,
  search: { universeTenantId: number; universeId: number; taskId: number; settings: object },
): Promise<number> {
  const { id } = await tx.query
    .insertInto('automl')
    .values({
      tenant_id: tx.principal.tenantId,
      universe_tenant_id: search.universeTenantId,
      universe_id: search.universeId,
      task_id: search.taskId,
      settings: JSON.stringify(search.settings),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

export function findAutoml(tx: Transaction, id: number): Promise<AutomlRow | undefined> {
  return tx.query.selectFrom('automl').selectAll().where('id', '=', id).executeTakeFirst();
}

export function findAutomlOfTask(tx: Transaction, taskId: number): Promise<AutomlRow | undefined> {
  return tx.query.selectFrom('automl').selectAll().where('task_id', '=', taskId).executeTakeFirst();
}

/** Newest first, below the given number. */
export function listAutomlRows(tx: Transaction, page: { before: number | undefined; limit: number }) {
  let query = tx.query.selectFrom('automl').selectAll();
  if (page.before !== undefined) query = query.where('id', '<', page.before);
  return query.orderBy('id', 'desc').limit(page.limit).execute();
}

/** Where the tasks of searches stand, by their number. */
export async function tasksOf(tx: Transaction, ids: readonly number[]) {
  if (ids.length === 0) return new Map<number, { state: string; progress: number; progress_note: string }>();
  const rows = await tx.query
    .selectFrom('task')
    .select(['id', 'state', 'progress', 'progress_note'])
    .where('id', 'in', [...ids])
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

export async function setDataset(tx: Transaction, id: number, datasetSha256: string): Promise<void> {
  await tx.query.updateTable('automl').set({ dataset_sha256: datasetSha256 }).where('id', '=', id).execute();
}

export async function setTold(tx: Transaction, id: number, told: Told): Promise<void> {
  await tx.query
    .updateTable('automl')
    .set({ told: JSON.stringify(told) })
    .where('id', '=', id)
    .execute();
}

export function readTold(row: Pick<AutomlRow, 'told'>): Told {
  return row.told === null ? NOTHING_TOLD : toldSchema.parse(row.told);
}

export type DoneFit = { resultSha256: string; seconds: number };

/** A fit that was done before. */
export async function findFit(tx: Transaction, key: string): Promise<DoneFit | undefined> {
  const { rows } = await sql<DoneFit>`
    SELECT result_sha256 AS "resultSha256", seconds FROM work.automl_part
    WHERE tenant_id = ${tx.principal.tenantId} AND key = ${key}`.execute(tx.query);
  return rows[0];
}

export async function keepFit(tx: Transaction, key: string, { resultSha256, seconds }: DoneFit): Promise<void> {
  await sql`
    INSERT INTO work.automl_part (tenant_id, key, result_sha256, seconds)
    VALUES (${tx.principal.tenantId}, ${key}, ${resultSha256}, ${seconds})
    ON CONFLICT (tenant_id, key) DO UPDATE SET result_sha256 = excluded.result_sha256, seconds = excluded.seconds`.execute(
    tx.query,
  );
}
