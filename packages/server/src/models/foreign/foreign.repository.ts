import type { Transaction } from '../../platform/database/database.ts';

export const FILE_SUBJECT = 'foreign_file';

/** Whether this tenant sent a file: its evidence says so. */
export async function hasFile(tx: Transaction, sha256: string): Promise<boolean> {
  const row = await tx.query
    .selectFrom('evidence')
    .select('sequence')
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('subject_kind', '=', FILE_SUBJECT)
    .where('subject_id', '=', sha256)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Whether this tenant froze a dataset of that hash. */
export async function hasDataset(tx: Transaction, sha256: string): Promise<boolean> {
  const row = await tx.query
    .selectFrom('dataset')
    .select('sha256')
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('sha256', '=', sha256)
    .executeTakeFirst();
  return row !== undefined;
}
