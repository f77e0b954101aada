import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { connectPlainly } from '../src/operate/open-installation.ts';
import { fullName, listTables, sumTables } from '../src/operate/tables.ts';
import { migrate } from '../src/platform/database/migrate.ts';
import { inspectMigration, planMigrations } from '../src/platform/database/plan-migrations.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { APP_ROLE, ARCHIVER_ROLE } from '../src/platform/database/provision.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from './cluster.ts';
import { describeSchema } from './describe-schema.ts';

// What a release promised to its database: the code before may run on the schema of today, and its data come along.
// Each folder of test/releases was made by scripts/record-release.ts.

const RELEASES = path.join(import.meta.dirname, 'releases');
const MIGRATIONS = path.join(import.meta.dirname, '../migrations');
const ROLES = { app: APP_ROLE, archiver: ARCHIVER_ROLE };
const releases = readdirSync(RELEASES).sort();
const textOf = (release: string, file: string) => readFileSync(path.join(RELEASES, release, file), 'utf8');

let db: TestDatabase;
before(async () => {
  db = await createTestDatabase();
});
after(() => db.close());

type Release = { migrations: Record<string, string> };
function migrationsOf(release: string): Record<string, string> {
  const told: Release = JSON.parse(textOf(release, 'release.json'));
  return told.migrations;
}
function lastOf(release: string): string {
  return Object.keys(migrationsOf(release))
    .sort()
    .at(-1)!
    .replace(/\.sql$/, '');
}

type Table = { columns: Map<string, string>; checks: Map<string, string>; grants: string[] };

/** The tables of a described schema: their columns by name and their checks. */
function parseSchema(text: string) {
  const tables = new Map<string, Table>();
  for (const block of text.split('\n\n')) {
    const [head = '', ...lines] = block.trim().split('\n');
    const name = /^TABLE (\S+)/.exec(head)?.[1];
    if (name === undefined) continue;
    const table: Table = { columns: new Map(), checks: new Map(), grants: [] };
    tables.set(name, table);
    for (const line of lines.map((each) => each.trim())) {
      const check = /^CONSTRAINT (\S+) (CHECK .*)$/.exec(line);
      const column = /^([a-z_0-9]+) (.+)$/.exec(line);
      if (check !== null) table.checks.set(check[1]!, check[2]!);
      else if (/^GRANT /.test(line)) table.grants.push(line);
      else if (column !== null) table.columns.set(column[1]!, column[2]!);
    }
  }
  return tables;
}

/** The texts a check names: 'equity', 'fund' … */
const valuesIn = (check: string) => [...check.matchAll(/'([^']*)'/g)].map((found) => found[1]!);

/** Old checks may only admit more; new ones must be about columns the release does not know. */
function compareChecks(name: string, before: Table, now: Table): void {
  for (const [check, text] of now.checks) {
    const told = before.checks.get(check);
    if (told === text) continue;
    if (told === undefined) {
      const mentionsNew = [...now.columns.keys()].some(
        (column) => !before.columns.has(column) && text.includes(column),
      );
      assert.ok(mentionsNew, `${name}: check ${check} is new and is about columns the release fills: ${text}`);
      continue;
    }
    const missing = valuesIn(told).filter((value) => !valuesIn(text).includes(value));
    assert.ok(valuesIn(told).length > 0 && missing.length === 0, `${name}: check ${check} became narrower: ${text}`);
  }
}

for (const release of releases) {
  test(`the migrations of ${release} are what they were`, () => {
    for (const [name, sha] of Object.entries(migrationsOf(release))) {
      const found = createHash('sha256')
        .update(readFileSync(path.join(MIGRATIONS, name)))
        .digest('hex');
      assert.equal(found, sha, `${name} was released and must not change: write a new migration`);
    }
  });

  test(`since ${release} the schema was only added to`, async () => {
    const old = parseSchema(textOf(release, 'schema.sql'));
    const now = parseSchema(await describeSchema(db.migrator));
    assert.ok(old.size > 20);
    for (const [name, before] of old) {
      const table = now.get(name);
      assert.ok(table, `table ${name} is gone`);
      for (const [column, shape] of before.columns) {
        const loosened = shape.replace(' NOT NULL', '');
        const found = table.columns.get(column);
        assert.ok(found === shape || found === loosened, `${name}.${column} was ${shape}, is ${found ?? 'gone'}`);
      }
      for (const [column, shape] of table.columns) {
        if (before.columns.has(column)) continue;
        const isFilled = !shape.includes('NOT NULL') || /DEFAULT|IDENTITY/.test(shape);
        assert.ok(
          isFilled,
          `${name}.${column} is new and the release does not fill it: make it nullable or give a default`,
        );
      }
      compareChecks(name, before, table);
      for (const grant of before.grants) {
        const rights = /^GRANT (.*) TO (\S+)$/.exec(grant)!;
        const has = table.grants.find((each) => each.endsWith(` TO ${rights[2]}`)) ?? '';
        for (const right of rights[1]!.split(', ')) assert.ok(has.includes(right), `${name}: ${grant} is gone`);
      }
    }
  });

  test(`every statement of ${release} still works on this schema, as the application`, async () => {
    const statements: string[] = JSON.parse(textOf(release, 'statements.json'));
    assert.ok(statements.length > 100, `only ${statements.length} statements`);
    const client = new pg.Client(db.connection);
    await client.connect();
    const broken: string[] = [];
    try {
      for (const statement of statements) {
        try {
          await client.query(`PREPARE tried AS ${statement}`);
          await client.query('DEALLOCATE tried');
        } catch (error) {
          broken.push(`${error instanceof Error ? error.message : String(error)}: ${statement.slice(0, 200)}`);
        }
      }
    } finally {
      await client.end();
    }
    assert.deepEqual(broken, []);
  });

  test(`a database of ${release} with data in every table migrates forward and loses nothing`, async () => {
    const empty = await createEmptyDatabase();
    const pool = createPool({ ...empty.owner, max: 2 }, () => {});
    try {
      await migrate(pool, ROLES, { to: lastOf(release) });
      await pool.query(textOf(release, 'seed.sql'));
      const client = await connectPlainly(empty.owner);
      try {
        const tables = (await listTables(client)).filter((table) => table.schema === 'public');
        const before = await sumTables(client, tables);
        for (const { name, rows } of before)
          assert.ok(rows > 0 || name === 'public.exchange_holiday', `${name} is not seeded`);
        const plans = await planMigrations(client);
        const ran = await migrate(pool, ROLES);
        assert.deepEqual(
          plans.map((plan) => plan.name),
          ran,
          'what the dry run said is what ran',
        );
        // The columns of the release, from today's tables.
        assert.deepEqual(await sumTables(client, tables), before);
        const after = await listTables(client);
        for (const table of tables) assert.ok(after.some((each) => fullName(each) === fullName(table)));
      } finally {
        await client.end();
      }
    } finally {
      await pool.end();
      await empty.close();
    }
  });
}

test('of three servers that start at once on an empty database one migrates, the others wait, and all go on', async () => {
  const empty = await createEmptyDatabase();
  try {
    const child = path.join(import.meta.dirname, 'migrate-child.ts');
    const answers = await Promise.all(
      [1, 2, 3].map(
        () =>
          new Promise<string[]>((resolve, reject) => {
            const process_ = spawn(process.execPath, [child, JSON.stringify(empty.owner)], {
              stdio: ['ignore', 'pipe', 'inherit'],
            });
            let text = '';
            process_.stdout.on('data', (chunk) => {
              text += String(chunk);
            });
            process_.once('close', (code) =>
              code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`ended with ${code}`)),
            );
          }),
      ),
    );
    const counts = answers.map((ran) => ran.length).sort((a, b) => a - b);
    const all = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql')).length;
    assert.deepEqual(counts, [0, 0, all]);
  } finally {
    await empty.close();
  }
});

test('a dry run names locks on tables in use and leaves the database as it was', async () => {
  const text = `-- Adds a colour to every bar.
-- Locks price_observation for a moment.
CREATE TABLE colour (id integer PRIMARY KEY, tenant_id integer REFERENCES tenant);
SELECT touchstone_secure_mutable('colour', false);
ALTER TABLE price_observation ADD colour_id integer; -- ALTER TABLE tenant
CREATE INDEX colour_of ON price_observation (colour_id);
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE tenant SET name = 'x'; END $$;
UPDATE instrument SET name = 'a; b';`;
  const plan = inspectMigration('one', text, new Map([['price_observation', 5_000_000]]));
  assert.deepEqual(plan.newTables, ['colour']);
  assert.equal(plan.header, 'Adds a colour to every bar. Locks price_observation for a moment.');
  assert.equal(plan.blocks, true);
  assert.deepEqual(
    plan.locks.map(({ table, mode, rowsAbout }) => [table, mode, rowsAbout]),
    [
      ['instrument', 'ROW EXCLUSIVE', 0],
      ['price_observation', 'ACCESS EXCLUSIVE', 5_000_000],
      ['price_observation', 'SHARE', 5_000_000],
      ['tenant', 'SHARE ROW EXCLUSIVE', 0],
    ],
  );
  const empty = await createEmptyDatabase();
  const pool = createPool({ ...empty.owner, max: 1 }, () => {});
  try {
    const plans = await planMigrations(pool);
    assert.ok(plans.length >= 6);
    const { rows } = await pool.query(
      `SELECT count(*)::int AS n FROM pg_class WHERE relnamespace = 'public'::regnamespace`,
    );
    assert.equal(rows[0].n, 0);
  } finally {
    await pool.end();
    await empty.close();
  }
  assert.deepEqual(await planMigrations(db.migrator), []);
});
