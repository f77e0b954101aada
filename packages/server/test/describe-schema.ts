import type pg from 'pg';

type Column = {
  table: string;
  column: string;
  type: string;
  nullable: boolean;
  generated: boolean;
  defaulted: boolean;
};

/** The schema as text, from the catalogue: tables, constraints, indexes, policies, triggers, functions, grants. */
export async function describeSchema(pool: pg.Pool): Promise<string> {
  const lines: string[] = ['-- Written by scripts/generate-schema.ts from the migrated database. Do not edit.', ''];
  for (const table of await tableNames(pool)) {
    lines.push(`TABLE ${table}`);
    const columns = await pool.query(
      `SELECT attname, format_type(atttypid, atttypmod) AS type, attnotnull, attidentity, pg_get_expr(d.adbin, d.adrelid) AS value
       FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
       WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
      [table],
    );
    for (const c of columns.rows) {
      const identity = c.attidentity ? ' IDENTITY' : '';
      const value = c.value === null ? '' : ` DEFAULT ${c.value}`;
      lines.push(`  ${c.attname} ${c.type}${c.attnotnull ? ' NOT NULL' : ''}${identity}${value}`);
    }
    lines.push(
      ...(await texts(
        pool,
        `SELECT '  CONSTRAINT ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
         WHERE conrelid = $1::regclass AND contype <> 'n' ORDER BY conname`,
        table,
      )),
      ...(await texts(
        pool,
        `SELECT '  ' || indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = $1 ORDER BY indexname`,
        table,
      )),
      ...(await texts(
        pool,
        `SELECT '  POLICY ' || policyname || ' FOR ' || cmd || coalesce(' USING ' || qual, '') || coalesce(' CHECK ' || with_check, '')
         FROM pg_policies WHERE schemaname = 'public' AND tablename = $1 ORDER BY policyname`,
        table,
      )),
      ...(await texts(
        pool,
        `SELECT '  ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal ORDER BY tgname`,
        table,
      )),
      ...(await texts(
        pool,
        `SELECT '  GRANT ' || string_agg(privilege_type, ', ' ORDER BY privilege_type) || ' TO ' || grantee
         FROM information_schema.role_table_grants WHERE table_schema = 'public' AND table_name = $1 AND grantee <> 'touchstone_migrator'
         GROUP BY grantee ORDER BY grantee`,
        table,
      )),
      '',
    );
  }
  lines.push(
    ...(await texts(
      pool,
      `SELECT 'VIEW ' || viewname || ' AS' || definition FROM pg_views WHERE schemaname = $1 ORDER BY viewname`,
      'public',
    )),
    '',
    ...(await texts(
      pool,
      `SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = $1 ORDER BY proname`,
      'public',
    )),
  );
  return `${lines.join('\n')}\n`;
}

/** The TypeScript types of the tables, as kysely wants them. */
export async function describeTypes(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<Column>(
    `SELECT c.relname AS table, attname AS column, format_type(atttypid, NULL) AS type, NOT attnotnull AS nullable,
            (attgenerated <> '' OR attidentity = 'a') AS generated, (atthasdef OR attidentity = 'd') AS defaulted
     FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
     WHERE nspname = 'public' AND relkind IN ('r', 'p', 'v') AND NOT relispartition AND attnum > 0 AND NOT attisdropped
       AND c.relname NOT LIKE 'schema_migration%'
     ORDER BY c.relname, attnum`,
  );
  const tables = Map.groupBy(rows, (row) => row.table);
  const lines = [
    '// Written by scripts/generate-schema.ts from the migrated database. Do not edit.',
    "import type { ColumnType, GeneratedAlways } from 'kysely';",
    '',
    'type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];',
    '/** Read as a value; written as JSON text. */',
    'type JsonColumn = ColumnType<Json, string, string>;',
    '/** A column the database fills in when it is left out. */',
    'type Defaulted<T> = T extends ColumnType<infer S, infer I, infer U> ? ColumnType<S, I | undefined, U> : ColumnType<T, T | undefined, T>;',
    '',
  ];
  for (const [table, columns] of tables) {
    lines.push(`export interface ${pascal(table)}Table {`);
    for (const column of columns) lines.push(`  ${column.column}: ${typeOf(column)};`);
    lines.push('}', '');
  }
  lines.push('export interface DB {');
  for (const table of tables.keys()) lines.push(`  ${table}: ${pascal(table)}Table;`);
  lines.push('}', '');
  return lines.join('\n');
}

/** Tables of our own schema, partitions left out. */
export async function tableNames(pool: pg.Pool): Promise<string[]> {
  return texts(
    pool,
    `SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
     WHERE nspname = $1 AND relkind IN ('r', 'p') AND NOT relispartition AND relname NOT LIKE 'schema_migration%' ORDER BY 1`,
    'public',
  );
}

async function texts(pool: pg.Pool, query: string, parameter: string): Promise<string[]> {
  const { rows } = await pool.query({ text: query, values: [parameter], rowMode: 'array' });
  return rows.map((row: unknown[]) => String(row[0]));
}

function typeOf(column: Column): string {
  const base = BASE_TYPES[column.type] ?? 'string';
  const type = column.nullable ? `${base} | null` : base;
  if (column.generated) return `GeneratedAlways<${type}>`;
  if (!column.defaulted) return type;
  return `Defaulted<${type}>`;
}

const BASE_TYPES: Record<string, string> = {
  integer: 'number',
  bigint: 'number',
  'double precision': 'number',
  boolean: 'boolean',
  jsonb: 'JsonColumn',
  bytea: 'Buffer',
  'text[]': 'string[]',
};

function pascal(name: string): string {
  return name.replace(/(^|_)(\w)/g, (_match, _dash, letter: string) => letter.toUpperCase());
}
