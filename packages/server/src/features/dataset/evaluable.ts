import type { Transaction } from '../../platform/database/database.ts';
import { ProblemError } from '../../platform/problem-error.ts';

/**
 * Whoever evaluates anything on a dataset asks here first; the trials ledger asks for everybody who forgot.
 *
 * @throws ProblemError SYNTHETIC_REFUSED when its rows were made up.
 */
export async function checkEvaluable(tx: Transaction, sha256: string): Promise<void> {
  const row = await tx.query
    .selectFrom('dataset')
    .select('synthetic')
    .where('sha256', '=', sha256)
    .where('tenant_id', '=', tx.principal.tenantId)
    .executeTakeFirst();
  if (row === undefined || row.synthetic === null) return;
  throw new ProblemError(
    'SYNTHETIC_REFUSED',
    `The rows of dataset ${sha256.slice(0, 12)} were made up by a generator. Evaluate on the dataset it was made from.`,
  );
}
