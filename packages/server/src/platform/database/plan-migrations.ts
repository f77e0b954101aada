import type pg from 'pg';
import { listMigrationNames, readMigrationText } from './migrate.ts';

/** A lock on a table that is there already, and about how much lies behind it. */
export type PlannedLock = { table: string; mode: string; why: string; rowsAbout: number };
export type PlannedMigration = {
  name: string;
  /** What its header says. */
  header: string;
  /** Tables it makes; nobody waits for those. */
  newTables: string[];
  locks: PlannedLock[];
  /** True when a lock holds up readers, or rows are rewritten. */
  blocks: boolean;
};

const ACCESS_EXCLUSIVE = 'ACCESS EXCLUSIVE';
/** What statements take; the first that fits. Weaker ones let readers go on. */
const RULES: readonly { pattern: RegExp; mode: string; why: string }[] = [
  { pattern: /^ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(\S+)/i, mode: ACCESS_EXCLUSIVE, why: 'ALTER TABLE' },
  { pattern: /^DROP TABLE (?:IF EXISTS )?(\S+)/i, mode: ACCESS_EXCLUSIVE, why: 'DROP TABLE' },
  {
    pattern: /^CREATE (?:UNIQUE )?INDEX CONCURRENTLY [\s\S]*? ON (\S+)/i,
    mode: 'SHARE UPDATE EXCLUSIVE',
    why: 'CREATE INDEX',
  },
  { pattern: /^CREATE (?:UNIQUE )?INDEX [\s\S]*? ON (\S+)/i, mode: 'SHARE', why: 'CREATE INDEX reads all rows' },
  {
    pattern: /^CREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER [\s\S]*? ON (\S+)/i,
    mode: 'SHARE ROW EXCLUSIVE',
    why: 'CREATE TRIGGER',
  },
  { pattern: /^(?:CREATE|DROP|ALTER) POLICY [\s\S]*? ON (\S+)/i, mode: ACCESS_EXCLUSIVE, why: 'POLICY' },
  { pattern: /^UPDATE (?:ONLY )?(\S+)/i, mode: 'ROW EXCLUSIVE', why: 'UPDATE rewrites rows' },
  { pattern: /^DELETE FROM (?:ONLY )?(\S+)/i, mode: 'ROW EXCLUSIVE', why: 'DELETE' },
  { pattern: /^INSERT INTO (\S+)/i, mode: 'ROW EXCLUSIVE', why: 'INSERT' },
  { pattern: /^SELECT touchstone_secure_\w+\('(\w+)'/i, mode: ACCESS_EXCLUSIVE, why: 'adds columns and row security' },
];

/**
 * What migrating would do, without doing it: which migrations are missing, and which tables in use each would hold up.
 *
 * Read from the text of the migrations. A new foreign key also takes SHARE ROW EXCLUSIVE on the table it refers to for a
 * moment; that is listed as well. Row counts are the database's own estimates.
 */
export async function planMigrations(client: pg.ClientBase | pg.Pool): Promise<PlannedMigration[]> {
  const { rows } = await client.query<{ there: boolean }>(
    `SELECT to_regclass('schema_migration') IS NOT NULL AS there`,
  );
  const done = rows[0]!.there
    ? (await client.query<{ name: string }>('SELECT name FROM schema_migration')).rows.map((row) => row.name)
    : [];
  const pending = (await listMigrationNames()).filter((name) => !done.includes(name));
  const sizes = await estimateRows(client);
  const made = new Set<string>();
  const plans: PlannedMigration[] = [];
  for (const name of pending) {
    const plan = inspectMigration(name, await readMigrationText(name), sizes, made);
    for (const table of plan.newTables) made.add(table);
    plans.push(plan);
  }
  return plans;
}

/** @param made Tables that earlier pending migrations make; their locks hold up nobody. */
export function inspectMigration(
  name: string,
  text: string,
  sizes: ReadonlyMap<string, number>,
  made: ReadonlySet<string> = new Set(),
): PlannedMigration {
  const statements = splitStatements(text);
  const newTables = statements.flatMap((statement) => {
    const found = /^CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?([\w.]+)/i.exec(statement);
    return found === null ? [] : [plain(found[1]!)];
  });
  const isNew = (table: string) => made.has(table) || newTables.includes(table);
  const locks = new Map<string, PlannedLock>();
  const add = (table: string, mode: string, why: string) => {
    if (!isNew(table)) locks.set(`${table} ${mode}`, { table, mode, why, rowsAbout: sizes.get(table) ?? 0 });
  };
  for (const statement of statements) {
    for (const { pattern, mode, why } of RULES) {
      const table = pattern.exec(statement)?.[1];
      if (table === undefined) continue;
      add(plain(table), mode, why);
      break;
    }
    if (/^(CREATE TABLE|ALTER TABLE)/i.test(statement)) {
      for (const [, parent = ''] of statement.matchAll(/\bREFERENCES (\w+)/gi)) {
        add(plain(parent), 'SHARE ROW EXCLUSIVE', 'a foreign key refers to it');
      }
    }
  }
  const found = [...locks.values()].toSorted((a, b) => (a.table < b.table ? -1 : a.table > b.table ? 1 : 0));
  return {
    name,
    header: headerOf(text),
    newTables,
    locks: found,
    blocks: found.some((lock) => lock.mode === ACCESS_EXCLUSIVE || lock.why.startsWith('UPDATE')),
  };
}

async function estimateRows(client: pg.ClientBase | pg.Pool): Promise<Map<string, number>> {
  const { rows } = await client.query<{ name: string; estimate: number }>(
    `SELECT c.relname AS name, greatest(0, CASE c.relkind WHEN 'p' THEN
              (SELECT coalesce(sum(greatest(0, p.reltuples)), 0) FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid
               WHERE i.inhparent = c.oid) ELSE c.reltuples END)::float8 AS estimate
     FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')`,
  );
  return new Map(rows.map((row) => [row.name, Math.round(row.estimate)]));
}

/** The comment lines a migration begins with, as one text. */
function headerOf(text: string): string {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (!line.startsWith('--')) break;
    lines.push(line.replace(/^--\s?/, ''));
  }
  return lines.join(' ').trim();
}

/** Statements of a migration without comments; the bodies of functions stay whole. */
function splitStatements(text: string): string[] {
  const bodies: string[] = [];
  const kept = text
    .replace(/\$(\w*)\$[\s\S]*?\$\1\$/g, () => `$body${bodies.push('') - 1}$`)
    .replace(/--[^\n]*/g, '')
    .replace(/BEGIN ATOMIC[\s\S]*?\bEND;/g, ';');
  return kept
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

function plain(name: string): string {
  return name.replace(/^public\./, '').replace(/["(,;]/g, '');
}
