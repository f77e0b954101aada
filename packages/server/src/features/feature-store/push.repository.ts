import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';

/** Values of one instrument that were pushed into a view. Instants are EpochMs, missing values NaN. */
export type PushedRow = {
  viewId: number;
  version: number;
  instrumentId: number;
  eventAt: number;
  pushedAt: number;
  values: number[];
};

/** Everything pushed into some views about some instruments, the oldest event first. */
export async function findPushed(
  tx: Transaction,
  views: readonly { viewId: number; version: number }[],
  instrumentIds: readonly number[],
): Promise<PushedRow[]> {
  const found: PushedRow[] = [];
  for (const { viewId, version } of views) {
    const { rows } = await sql<{ id: number; eventAt: string; pushedAt: string; told: (number | null)[] }>`
      SELECT instrument_id AS id, event_at AS "eventAt", pushed_at AS "pushedAt", feature_values AS told
      FROM feature_push
      WHERE view_id = ${viewId} AND view_version = ${version} AND instrument_id = ANY (${[...instrumentIds]}::int[])
      ORDER BY event_at, feature_push.id`.execute(tx.query);
    for (const { id, eventAt, pushedAt, told } of rows)
      found.push({
        ...{ viewId, version, instrumentId: id, eventAt: Date.parse(eventAt), pushedAt: Date.parse(pushedAt) },
        values: told.map((value) => value ?? Number.NaN),
      });
  }
  return found;
}

/** Keeps pushed values; what is kept is never changed. */
export async function insertPushed(
  tx: Transaction,
  view: { viewId: number; version: number },
  rows: readonly { instrumentId: number; eventAt: string; values: readonly (number | null)[] }[],
): Promise<void> {
  for (const { instrumentId, eventAt, values } of rows)
    await sql`
      INSERT INTO feature_push (tenant_id, view_id, view_version, instrument_tenant_id, instrument_id, event_at, feature_values)
      SELECT ${tx.principal.tenantId}, ${view.viewId}, ${view.version}, i.tenant_id, i.id, ${eventAt}::timestamptz, ${[...values]}::float8[]
      FROM instrument i WHERE i.id = ${instrumentId}`.execute(tx.query);
}
