import type { Principal } from '../platform/database/database.ts';
import { ProblemError } from '../platform/problem-error.ts';

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

/** A place in a list that is ordered by a text or a number, as an opaque text. */
export function cursorOf(value: string | number): string {
  return Buffer.from(String(value)).toString('base64url');
}

/** @throws INVALID_REQUEST for a cursor that is none of ours. */
export function idOfCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const id = Number(textOfCursor(cursor));
  if (!Number.isSafeInteger(id)) throw new ProblemError('INVALID_REQUEST', 'The cursor is none this list has given.');
  return id;
}

export function textOfCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString('utf8');
}

/** Cuts one row more than asked for into a page. */
export function pageOf<T>(rows: readonly T[], limit: number, placeOf: (row: T) => string | number) {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? cursorOf(placeOf(last)) : null };
}

/** @throws FORBIDDEN when a row of the system tenant is to be changed on behalf of somebody else. */
export function checkOwn(principal: Principal, row: { tenant_id: number }, what: string): void {
  if (row.tenant_id !== principal.tenantId)
    throw new ProblemError(
      'FORBIDDEN',
      `${what} belongs to the system: everybody may read it, only the server changes it.`,
    );
}
