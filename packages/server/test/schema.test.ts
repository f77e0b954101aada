import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import pg from 'pg';
import { SYSTEM_PRINCIPAL } from '../src/platform/database/database.ts';
import { createTestDatabase, type TestDatabase } from './cluster.ts';
import { describeSchema, describeTypes, tableNames } from './describe-schema.ts';

const AUDIT_COLUMNS = ['created_at', 'created_by', 'updated_at', 'updated_by', 'deleted_at', 'deleted_by', 'version'];
const FACT_TABLES = [
  'corporate_action',
  'exchange_holiday',
  'exchange_rate',
  'fundamental',
  'listing_event',
  'macro_observation',
  'market_cap',
  'price_observation',
  'price_quarantine',
];
/** Append-only records that are not facts about the market. */
const RECORD_TABLES = ['dataset', 'evidence', 'index_run', 'outbox_event', 'publication', 'trial'];

let db: TestDatabase;
before(async () => {
  db = await createTestDatabase();
});
after(() => db.close());

test('the committed schema and table types are those of the migrations', async () => {
  const server = path.join(import.meta.dirname, '..');
  const { rows } = await db.migrator.query('SHOW server_version_num');
  // A later PostgreSQL prints some expressions differently; the committed text is the embedded server's.
  if (Number(rows[0].server_version_num) >= 180000) {
    assert.equal(await readFile(path.join(server, 'schema.sql'), 'utf8'), await describeSchema(db.migrator));
  }
  assert.equal(
    await readFile(path.join(server, 'src/platform/database/schema-types.ts'), 'utf8'),
    await describeTypes(db.migrator),
  );
});

test('every table is either mutable with audit columns or append-only, and row security holds on all', async () => {
  for (const table of await tableNames(db.migrator)) {
    const { rows } = await db.migrator.query(
      `SELECT relrowsecurity, array_agg(attname::text) AS columns FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
       WHERE pg_class.oid = $1::regclass GROUP BY relrowsecurity`,
      [table],
    );
    assert.equal(rows[0].relrowsecurity, true, `${table} has no row security`);
    const { rows: grants } = await db.migrator.query(
      `SELECT privilege_type FROM information_schema.role_table_grants WHERE table_schema = 'public' AND table_name = $1 AND grantee = 'touchstone_app'`,
      [table],
    );
    const privileges = grants.map((grant) => grant.privilege_type).sort();
    if ([...FACT_TABLES, ...RECORD_TABLES].includes(table)) {
      assert.deepEqual(privileges, ['INSERT', 'SELECT'], `${table} must be append-only`);
    } else {
      for (const column of AUDIT_COLUMNS) assert.ok(rows[0].columns.includes(column), `${table} lacks ${column}`);
      assert.ok(!privileges.includes('TRUNCATE'), `${table} may be truncated`);
      if (table !== 'person') assert.ok(!privileges.includes('DELETE'), `${table} may lose rows`);
    }
    assert.ok(rows[0].columns.includes('tenant_id'), `${table} belongs to nobody`);
  }
});

test('every reference is a foreign key, except out of fact tables, and none points into a fact table', async () => {
  const { rows } = await db.migrator.query(
    `SELECT conrelid::regclass::text AS child, confrelid::regclass::text AS parent, pg_get_constraintdef(oid) AS definition
     FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace`,
  );
  for (const key of rows) {
    assert.ok(!FACT_TABLES.includes(key.parent), `${key.child} refers into fact table ${key.parent}`);
    assert.ok(!FACT_TABLES.includes(key.child), `fact table ${key.child} has a foreign key`);
  }
  const exempt = ['task.queue_job_id', 'universe_member.instrument_tenant_id'];
  const { rows: columns } = await db.migrator.query(
    `SELECT table_name AS t, column_name AS c FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name LIKE '%\\_id' AND table_name IN (SELECT relname FROM pg_class WHERE relkind IN ('r', 'p'))`,
  );
  for (const { t, c } of columns) {
    if (FACT_TABLES.includes(t) || /^price_observation_\d/.test(t) || exempt.includes(`${t}.${c}`)) continue;
    // Actors, keys and free subjects are values of a record, not references.
    if (['actor_id', 'subject_id', 'key_id'].includes(c)) continue;
    if (t === 'tenant' && c === 'tenant_id') continue;
    const found = rows.some(
      (key) => key.child === t && new RegExp(`FOREIGN KEY \\([^)]*\\b${c}\\b`).test(key.definition),
    );
    assert.ok(found, `${t}.${c} is no foreign key`);
  }
});

test('the application cannot update, delete or truncate a fact: SQLSTATE 42501', async () => {
  for (const table of [...FACT_TABLES, ...RECORD_TABLES]) {
    for (const statement of [
      `UPDATE ${table} SET tenant_id = tenant_id`,
      `DELETE FROM ${table}`,
      `TRUNCATE ${table}`,
    ]) {
      await assert.rejects(
        db.database.transaction(SYSTEM_PRINCIPAL, ({ client }) => client.query(statement)),
        (error) => error instanceof pg.DatabaseError && error.code === '42501',
        statement,
      );
    }
  }
});

test('even the owner of a fact table is refused by its trigger', async () => {
  await db.database.transaction(SYSTEM_PRINCIPAL, async ({ query, client }) => {
    await client.query('SELECT touchstone_ensure_price_years(2020, 2020)');
    await query
      .insertInto('price_observation')
      .values({ tenant_id: 0, instrument_id: 1, day: '2020-01-02', run_id: 1, source_id: 1, close: 1 })
      .execute();
  });
  await assert.rejects(db.migrator.query('UPDATE price_observation SET close = 2'), /append-only/);
  await assert.rejects(db.migrator.query('DELETE FROM price_observation_2020'), /append-only/);
});

test('a tenant sees its own rows and the system tenant, and writes only its own', async () => {
  await db.migrator.query(`INSERT INTO tenant (id, name) VALUES (7, 'seven'), (8, 'eight')`);
  for (const tenantId of [0, 7, 8]) {
    await db.database.transaction({ tenantId, actorId: null }, ({ query }) =>
      query
        .insertInto('instrument')
        .values({ tenant_id: tenantId, symbol: `OF${tenantId}` })
        .execute(),
    );
  }
  const seen = await db.database.transaction({ tenantId: 7, actorId: null }, ({ query }) =>
    query.selectFrom('instrument').select('symbol').orderBy('symbol').execute(),
  );
  assert.deepEqual(
    seen.map((row) => row.symbol),
    ['OF0', 'OF7'],
  );
  await assert.rejects(
    db.database.transaction({ tenantId: 7, actorId: null }, ({ query }) =>
      query.insertInto('instrument').values({ tenant_id: 8, symbol: 'THEFT' }).execute(),
    ),
    /row-level security/,
  );
  const changed = await db.database.transaction({ tenantId: 7, actorId: null }, ({ query }) =>
    query.updateTable('instrument').set({ name: 'mine now' }).where('symbol', 'in', ['OF0', 'OF8']).executeTakeFirst(),
  );
  assert.equal(changed.numUpdatedRows, 0n);
});

test('a deleted row is hidden, can be seen on request, and comes back', async () => {
  const who = { tenantId: 7, actorId: null };
  const count = (includeDeleted: boolean) =>
    db.database.transaction(
      who,
      async ({ query }) =>
        (await query.selectFrom('instrument').where('symbol', '=', 'OF7').selectAll().execute()).length,
      { includeDeleted },
    );
  const setDeleted = (at: string | null) =>
    db.database.transaction(
      who,
      ({ query }) => query.updateTable('instrument').set({ deleted_at: at }).where('symbol', '=', 'OF7').execute(),
      { includeDeleted: true },
    );
  await setDeleted(new Date().toISOString());
  assert.equal(await count(false), 0);
  assert.equal(await count(true), 1);
  await db.database.transaction(who, ({ query }) =>
    query.insertInto('instrument').values({ tenant_id: 7, symbol: 'OF7', name: 'the second' }).execute(),
  );
  await assert.rejects(setDeleted(null), /duplicate key/);
  await db.database.transaction(
    who,
    ({ query }) =>
      query
        .updateTable('instrument')
        .set({ symbol: 'OLD7', deleted_at: null })
        .where('name', '=', '')
        .where('symbol', '=', 'OF7')
        .execute(),
    { includeDeleted: true },
  );
  assert.equal(await count(false), 1);
});

test('publication stamps follow commit order, also between tenants', async () => {
  const stamp = () =>
    db.database.transaction({ tenantId: 7, actorId: null }, async ({ query }) => {
      const { rows } = await sql<{ stamp: string }>`SELECT touchstone_stamp() AS stamp`.execute(query);
      return rows[0]!.stamp;
    });
  const stamps = await Promise.all(Array.from({ length: 8 }, stamp));
  assert.equal(stamps.length, 8);
});
