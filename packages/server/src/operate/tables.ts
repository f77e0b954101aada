import { createHash } from 'node:crypto';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { canonicalJson } from '../platform/evidence/canonical-json.ts';

/** A table as the catalogue knows it. */
export type TableShape = {
  schema: string;
  name: string;
  /** Those that are stored; generated ones are computed again. */
  columns: string[];
  /** Its rows in the one order that does not depend on where they lie: by primary key, text by code point. */
  order: string;
};

/** What a table held. */
export type TableSum = { name: string; rows: number; byteCount: number; sha256: string };
export type SequenceState = { schema: string; name: string; lastValue: string; isCalled: boolean };

/** Everything of the application lies in these two; `staging` holds deliveries that were never published. */
const SCHEMAS = `('public', 'pgboss')`;
/** The restored database has migrated itself. */
const OWN_TABLES = `('schema_migration', 'schema_migration_lock')`;

const NEWLINE = 0x0a;

/** All tables that hold data, those that others refer to first. Partitions belong to their table. */
export async function listTables(client: pg.ClientBase): Promise<TableShape[]> {
  const { rows } = await client.query<{ schema: string; name: string; columns: string[]; order: string }>(
    `SELECT n.nspname AS schema, c.relname AS name,
            (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
             WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns,
            coalesce(
              (SELECT string_agg(quote_ident(a.attname) || CASE WHEN a.attcollation <> 0 THEN ' COLLATE "C"' ELSE '' END, ', '
                                 ORDER BY array_position(i.indkey::int2[], a.attnum))
               FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int2[])
               WHERE i.indrelid = c.oid AND i.indisprimary), 't::text COLLATE "C"') AS order
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname IN ${SCHEMAS} AND c.relname NOT IN ${OWN_TABLES}
     ORDER BY 1, 2`,
  );
  const { rows: references } = await client.query<{ child: string; parent: string }>(
    `SELECT DISTINCT cn.nspname || '.' || c.relname AS child, pn.nspname || '.' || p.relname AS parent
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace
     JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
     WHERE k.contype = 'f' AND k.conrelid <> k.confrelid`,
  );
  return parentsFirst(rows, references);
}

function parentsFirst(tables: TableShape[], references: { child: string; parent: string }[]): TableShape[] {
  const sorted: TableShape[] = [];
  const done = new Set<string>();
  const names = new Set(tables.map(fullName));
  while (sorted.length < tables.length) {
    const ready = tables.filter(
      (table) =>
        !done.has(fullName(table)) &&
        references.every(({ child, parent }) => child !== fullName(table) || !names.has(parent) || done.has(parent)),
    );
    if (ready.length === 0) throw new Error('tables must not refer to each other in a circle');
    for (const table of ready) {
      sorted.push(table);
      done.add(fullName(table));
    }
  }
  return sorted;
}

export function fullName({ schema, name }: { schema: string; name: string }): string {
  return `${schema}.${name}`;
}

/** The name and columns of a table as SQL. */
export function quoted({ schema, name, columns }: TableShape): { table: string; columns: string } {
  return {
    table: `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`,
    columns: columns.map((column) => pg.escapeIdentifier(column)).join(', '),
  };
}

/** The rows of a table as text, one a line, as COPY writes them. Texts of floats give the very same float back. */
export function readTable(client: pg.ClientBase, shape: TableShape): AsyncIterable<Buffer> {
  const { table, columns } = quoted(shape);
  return client.query(copyTo(`COPY (SELECT ${columns} FROM ${table} t ORDER BY ${shape.order}) TO STDOUT`));
}

/** Counts and hashes what passes by. */
export function createSum(name: string) {
  const hash = createHash('sha256');
  let rows = 0;
  let byteCount = 0;
  return {
    add(chunk: Buffer): void {
      hash.update(chunk);
      byteCount += chunk.length;
      for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) rows++;
    },
    end: (): TableSum => ({ name, rows, byteCount, sha256: hash.digest('hex') }),
  };
}

/** Reads everything and sums it up, without keeping it. */
export async function sumTables(client: pg.ClientBase, tables: readonly TableShape[]): Promise<TableSum[]> {
  const sums: TableSum[] = [];
  for (const shape of tables) {
    const sum = createSum(fullName(shape));
    for await (const chunk of readTable(client, shape)) sum.add(chunk);
    sums.push(sum.end());
  }
  return sums;
}

/** One hash over the hashes of all tables: equal roots, equal data. */
export function rootOf(sums: readonly TableSum[]): string {
  const leaves = sums
    .map(({ name, rows, sha256 }) => ({ name, rows, sha256 }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return createHash('sha256').update(canonicalJson(leaves)).digest('hex');
}

/** Where the numbers of new rows go on. */
export async function listSequences(client: pg.ClientBase): Promise<SequenceState[]> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `SELECT schemaname AS schema, sequencename AS name FROM pg_sequences WHERE schemaname IN ${SCHEMAS} ORDER BY 1, 2`,
  );
  const states: SequenceState[] = [];
  for (const { schema, name } of rows) {
    const sequence = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
    const found = await client.query(
      `SELECT last_value::text AS "lastValue", is_called AS "isCalled" FROM ${sequence}`,
    );
    states.push({ schema, name, ...found.rows[0] });
  }
  return states;
}

export async function listMigrations(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>('SELECT name FROM schema_migration ORDER BY name');
  return rows.map((row) => row.name);
}

/** The years that price bars have partitions for. */
export async function listPriceYears(client: pg.ClientBase): Promise<number[]> {
  const { rows } = await client.query<{ year: number }>(
    `SELECT substring(c.relname FROM '\\d+$')::int AS year FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'price_observation'::regclass ORDER BY 1`,
  );
  return rows.map((row) => row.year);
}
