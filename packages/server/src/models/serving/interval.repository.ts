import type { Transaction } from '../../platform/database/database.ts';

/** Where an adaptive interval stood after some outcomes. */
export type IntervalState = { sequence: number; level: number; observed: number; throughDay: string };
export type IntervalKey = { modelId: number; version: number; group: string };

/** All states, oldest first. */
export async function findLevels(tx: Transaction, key: IntervalKey): Promise<IntervalState[]> {
  const rows = await tx.query
    .selectFrom('prediction_interval')
    .select(['sequence', 'level', 'observed', 'through_day'])
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('model_id', '=', key.modelId)
    .where('version_number', '=', key.version)
    .where('subject_group', '=', key.group)
    .orderBy('sequence')
    .execute();
  return rows.map((row) => ({
    ...{ sequence: row.sequence, level: row.level, observed: row.observed, throughDay: row.through_day },
  }));
}

export async function insertLevel(tx: Transaction, key: IntervalKey, state: IntervalState): Promise<void> {
  await tx.query
    .insertInto('prediction_interval')
    .values({
      tenant_id: tx.principal.tenantId,
      ...{ model_id: key.modelId, version_number: key.version, subject_group: key.group },
      ...{ sequence: state.sequence, level: state.level, observed: state.observed, through_day: state.throughDay },
    })
    .execute();
}
