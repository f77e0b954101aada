import type { Principal } from '../../platform/database/database.ts';
import { ProblemError } from '../../platform/problem-error.ts';

/** Audit columns of a row as the wire tells them. */
export function auditOf(row: {
  created_at: string;
  created_by: number | null;
  updated_at: string;
  updated_by: number | null;
  deleted_at: string | null;
  version: number;
}) {
  return {
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    updatedBy: row.updated_by,
    deletedAt: row.deleted_at,
    version: row.version,
  };
}

/** @throws FORBIDDEN when a row of the system tenant is to be changed on behalf of somebody else. */
export function checkOwn(principal: Principal, row: { tenant_id: number }, what: string): void {
  if (row.tenant_id !== principal.tenantId)
    throw new ProblemError(
      'FORBIDDEN',
      `${what} belongs to the system: everybody may read it, only the server changes it.`,
    );
}
