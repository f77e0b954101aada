import { sql } from 'kysely';
import { ProblemError } from '../problem-error.ts';
import type { Transaction } from './database.ts';

/**
 * What somebody is told whose change started from an old version: where the record is by now and who brought it there.
 * A record that is still at that version was not theirs to change.
 */
export async function changedMeanwhile(
  tx: Transaction,
  table: 'index_definition' | 'universe' | 'schedule' | 'source' | 'instrument',
  id: number,
  asked: { name: string; version: number },
): Promise<ProblemError> {
  const { rows } = await sql<{ version: number; updated_by: number | null }>`
    SELECT version, updated_by FROM ${sql.table(table)} WHERE id = ${id}`.execute(tx.query);
  const [current] = rows;
  if (current === undefined || current.version === asked.version) {
    return new ProblemError('FORBIDDEN', `${asked.name} is not yours to change.`);
  }
  const by = current.updated_by === null ? '' : `, changed by user ${current.updated_by}`;
  return new ProblemError(
    'CONFLICT',
    `${asked.name} is at version ${current.version} by now${by}; your change started from version ${asked.version}. Load it again.`,
  );
}
