import { type RawBuilder, sql } from 'kysely';
import { ProblemError } from '../../platform/problem-error.ts';
import type { Comparison, Field, Operator, Order } from './filter.ts';

/** How a field is found in the database; undefined: there is no such field. A number is compared as one. */
export type Column = { value: RawBuilder<unknown>; isNumber: boolean };
export type Columns = (field: Field) => Column | undefined;

/** A condition that holds when every comparison does. @throws INVALID_REQUEST naming what cannot be compared. */
export function toCondition(comparisons: readonly Comparison[], columns: Columns): RawBuilder<boolean> {
  const all = comparisons.map((comparison) => toOne(comparison, columnOf(comparison, columns)));
  return all.length === 0 ? sql<boolean>`true` : sql<boolean>`${sql.join(all, sql` AND `)}`;
}

/** The terms of an ORDER BY; what is undefined comes last. */
export function toOrder(orders: readonly Order[], columns: Columns, last: RawBuilder<unknown>): RawBuilder<unknown> {
  const terms = orders.map((order) => {
    const { value } = columnOf(order, columns);
    return order.descending ? sql`${value} DESC NULLS LAST` : sql`${value} ASC NULLS LAST`;
  });
  return sql.join([...terms, last]);
}

function columnOf(field: Field, columns: Columns): Column {
  const column = columns(field);
  if (column !== undefined) return column;
  const name = field.entity === 'attribute' ? field.key : `${field.entity}s.${field.key}`;
  throw new ProblemError('INVALID_REQUEST', `"${name}" is nothing to search or order by here.`);
}

const PLAIN: Partial<Record<Operator, RawBuilder<unknown>>> = {
  ...{ '=': sql`=`, '!=': sql`<>`, '>': sql`>`, '>=': sql`>=`, '<': sql`<`, '<=': sql`<=` },
};

function toOne({ operator, value, key }: Comparison, column: Column): RawBuilder<boolean> {
  if (operator === 'IS NULL') return sql`${column.value} IS NULL`;
  if (operator === 'IS NOT NULL') return sql`${column.value} IS NOT NULL`;
  if (Array.isArray(value)) {
    if (column.isNumber) throw new ProblemError('INVALID_REQUEST', `${key} is a number: compare it with =, < or >.`);
    return operator === 'IN'
      ? sql`${column.value} = ANY(${value}::text[])`
      : sql`${column.value} <> ALL(${value}::text[])`;
  }
  const plain = PLAIN[operator];
  if (plain !== undefined && column.isNumber) {
    const number = Number(value);
    if (typeof value === 'string' && (value.trim() === '' || Number.isNaN(number)))
      throw new ProblemError('INVALID_REQUEST', `${key} is a number and cannot be compared with "${value}".`);
    return sql`${column.value} ${plain} ${number}::double precision`;
  }
  if (column.isNumber) throw new ProblemError('INVALID_REQUEST', `${key} is a number: compare it with =, < or >.`);
  if (plain !== undefined) return sql`${column.value} ${plain} ${String(value)}`;
  // Without an escape character, as MLflow has it: a backslash means itself.
  return operator === 'LIKE'
    ? sql`${column.value} LIKE ${String(value)} ESCAPE ''`
    : sql`${column.value} ILIKE ${String(value)} ESCAPE ''`;
}

/** Pages by how many rows were shown, as MLflow's own server does. */
export function offsetOf(token: string | undefined): number {
  if (token === undefined || token === '') return 0;
  const offset = Number(Buffer.from(token, 'base64url').toString('utf8'));
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new ProblemError('INVALID_REQUEST', 'This page token was not given out here.');
  return offset;
}

/** @param rows One more than asked for where there are more. */
export function pageOf<Row>(rows: readonly Row[], offset: number, limit: number): { items: Row[]; token?: string } {
  const items = rows.slice(0, limit);
  if (rows.length <= limit) return { items };
  return { items, token: Buffer.from(String(offset + limit)).toString('base64url') };
}
