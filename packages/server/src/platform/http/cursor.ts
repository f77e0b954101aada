import { ProblemError } from '../problem-error.ts';

/** Where a page ended: the values of the sort key of its last row. */
export type Keyset = readonly (string | number)[];

/** `number` is a whole number as a key column holds it; `instant` is an ISO text. */
export type KeyKind = 'string' | 'number' | 'instant';

const KEY_MAX = 2_147_483_647;

/** An opaque text for `nextCursor`. */
export function encodeCursor(keyset: Keyset): string {
  return Buffer.from(JSON.stringify(keyset)).toString('base64url');
}

/**
 * Reads a cursor that encodeCursor wrote.
 *
 * @param kinds The types of the key's parts, in order.
 * @returns null without a cursor: the first page.
 * @throws ProblemError INVALID_REQUEST for a text we did not write.
 */
export function decodeCursor(cursor: string | undefined, kinds: readonly KeyKind[]): Keyset | null {
  if (cursor === undefined) return null;
  const parts = parse(cursor);
  const fits = Array.isArray(parts) && parts.length === kinds.length && parts.every((part, i) => isOf(kinds[i]!, part));
  if (!fits) throw new ProblemError('INVALID_REQUEST', 'This cursor is not one of ours. Start again without it.');
  return parts;
}

/** The same for the most common key: one number. */
export function decodeIdCursor(cursor: string | undefined): number | null {
  const keyset = decodeCursor(cursor, ['number']);
  return keyset === null ? null : Number(keyset[0]);
}

/**
 * Makes a page of rows that were asked for with `limit + 1`: the one too many tells that there is a next page.
 *
 * @param keyOf The sort key of a row, as decodeCursor will give it back.
 */
export function toPage<T>(rows: readonly T[], limit: number, keyOf: (row: T) => Keyset) {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const nextCursor = rows.length > limit && last !== undefined ? encodeCursor(keyOf(last)) : null;
  return { items, nextCursor };
}

function isOf(kind: KeyKind, part: unknown): boolean {
  if (kind === 'number') return typeof part === 'number' && Number.isInteger(part) && Math.abs(part) <= KEY_MAX;
  if (typeof part !== 'string' || part.includes('\0') || !part.isWellFormed()) return false;
  return kind === 'string' || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(part);
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}
