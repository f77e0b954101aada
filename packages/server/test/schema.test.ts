import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import pg from 'pg';
import { SYSTEM_PRINCIPAL, type Transaction } from '../src/platform/database/database.ts';
import { createTestDatabase, type TestDatabase } from './cluster.ts';
import { describeSchema, describeTypes, tableNames } from './describe-schema.ts';

const AUDIT_COLUMNS = ['created_at', 'created_by', 'updated_at', 'updated_by', 'deleted_at', 'deleted_by', 'version'];
const FACT_TABLES = [
  // The keys of facts that lie in a file.
  'archived_days',
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
const RECORD_TABLES = [
  ...['dataset', 'evidence', 'feature_push', 'feature_skew_check', 'feature_view_version', 'index_run'],
  ...['ab_test', 'ab_test_end', 'drift_check', 'drift_finding'],
  ...['model_alias_event', 'model_version', 'model_version_choice'],
  ...['prediction', 'prediction_input', 'prediction_interval', 'prediction_outcome'],
  ...['outbox_event', 'publication', 'regime_record', 'run_artefact', 'run_metric', 'run_parameter', 'trial'],
];

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

/** Makes one row of a mutable table for tenant 7, as the application, and gives back its key. */
type Fixture = { key: string; make(tx: Transaction): Promise<number> };
const FIXTURES: Record<string, Fixture> = {
  archive: fixture(
    `INSERT INTO archive (tenant_id, year, row_count, instrument_count, byte_count, file_sha256, content_sha256)
     VALUES (7, 2009, 1, 1, 1, repeat('a', 64), repeat('b', 64)) RETURNING id`,
  ),
  api_key: fixture(
    `INSERT INTO api_key (tenant_id, user_id, name, prefix, key_hash, scopes, life_days, expires_at)
     VALUES (7, $2, 'Notebook', 'tsk_', sha256(convert_to('key ' || $1, 'UTF8')), '{market:read}', 90, now()) RETURNING id`,
    ['app_user'],
  ),
  alert: fixture(
    `INSERT INTO alert (tenant_id, kind, severity, title, subject_kind, subject_id, same_as)
     VALUES (7, 'data.stale', 'info', 'Old', 'universe', '1', 'same ' || $1) RETURNING id`,
  ),
  app_user: fixture(`INSERT INTO app_user (tenant_id, role) VALUES (7, 'viewer') RETURNING id`),
  data_case: fixture(
    `INSERT INTO data_case (tenant_id, run_id, source_id, kind, action, first_day, last_day, row_count, reason)
     VALUES (7, $2, $3, 'bad_tick', 'note', '2024-01-02', '2024-01-02', 1, 'far from its neighbours') RETURNING id`,
    ['ingest_run', 'source'],
  ),
  experiment: fixture(`INSERT INTO experiment (tenant_id, name) VALUES (7, 'experiment ' || $1) RETURNING id`),
  feature_view: fixture(
    `INSERT INTO feature_view (tenant_id, name, latest_version) VALUES (7, 'view_' || $1, 1) RETURNING id`,
  ),
  federated_identity: fixture(
    `INSERT INTO federated_identity (tenant_id, user_id, subject_hash)
     VALUES (7, $2, sha256(convert_to('subject ' || $1, 'UTF8'))) RETURNING id`,
    ['app_user'],
  ),
  guess_lock: fixture(
    `INSERT INTO guess_lock (tenant_id, bucket, tries, first_try_at) VALUES (7, $1::integer, 1, now()) RETURNING id`,
  ),
  index_definition: fixture(
    `INSERT INTO index_definition (tenant_id, name, universe_tenant_id, universe_id, method)
     VALUES (7, 'index ' || $1, 7, $2, 'equal_weight') RETURNING id`,
    ['universe'],
  ),
  ingest_run: fixture(`INSERT INTO ingest_run (tenant_id, source_id, kind) VALUES (7, $2, 'prices') RETURNING id`, [
    'source',
  ]),
  instrument: fixture(`INSERT INTO instrument (tenant_id, symbol) VALUES (7, 'SYM' || $1) RETURNING id`),
  invitation: fixture(
    `INSERT INTO invitation (tenant_id, email, role, token_hash, expires_at)
     VALUES (7, 'i' || $1 || '@example.org', 'viewer', sha256(convert_to('invitation ' || $1, 'UTF8')), now()) RETURNING id`,
  ),
  logged_model: fixture(
    `INSERT INTO logged_model (tenant_id, run_id, name) VALUES (7, $2, 'model ' || $1) RETURNING id`,
    ['training_run'],
  ),
  market_anomaly: fixture(
    `INSERT INTO market_anomaly (tenant_id, subject_kind, subject_id, detector, day, score, threshold, as_of, known_at, recorded_at, reconstructed)
     VALUES (7, 'instrument', $1::integer, 'return', '2026-01-15', 7.9, 6.2, '2026-01-15', now(), now(), true) RETURNING id`,
  ),
  model: fixture(`INSERT INTO model (tenant_id, name) VALUES (7, 'model-' || $1) RETURNING id`),
  password_reset: fixture(
    `INSERT INTO password_reset (tenant_id, user_id, token_hash, expires_at)
     VALUES (7, $2, sha256(convert_to('reset ' || $1, 'UTF8')), now()) RETURNING id`,
    ['app_user'],
  ),
  person: {
    key: 'user_id',
    make: fixture(
      `INSERT INTO person (user_id, tenant_id, email) VALUES ($2, 7, 'p' || $1 || '@example.org') RETURNING user_id AS id`,
      ['app_user'],
    ).make,
  },
  recovery_code: fixture(
    `INSERT INTO recovery_code (tenant_id, user_id, code_hash)
     VALUES (7, $2, sha256(convert_to('code ' || $1, 'UTF8'))) RETURNING id`,
    ['app_user'],
  ),
  query_log: fixture(
    `INSERT INTO query_log (tenant_id, fingerprint, text)
     VALUES (7, encode(sha256(convert_to($1, 'UTF8')), 'hex'), 'SELECT $1') RETURNING id`,
  ),
  refresh_token: fixture(
    `INSERT INTO refresh_token (tenant_id, user_id, family, token_hash, expires_at)
     VALUES (7, $2, gen_random_uuid(), convert_to('token ' || $1, 'UTF8'), now()) RETURNING id`,
    ['app_user'],
  ),
  schedule: fixture(
    `INSERT INTO schedule (tenant_id, kind, title, cron) VALUES (7, 'verify', 'Nightly', '0 3 * * *') RETURNING id`,
  ),
  schedule_timer: {
    key: 'schedule_id',
    make: fixture(
      `INSERT INTO schedule_timer (tenant_id, schedule_id, for_version, computed_at) VALUES (7, $2, 1, now())
       RETURNING schedule_id AS id`,
      ['schedule'],
    ).make,
  },
  server_process: fixture(
    `INSERT INTO server_process (name, tenant_id, kind, code_version)
     VALUES (gen_random_uuid(), 7, 'worker', '0.1.0') RETURNING id`,
  ),
  second_factor: fixture(
    `INSERT INTO second_factor (tenant_id, user_id, secret_encrypted) VALUES (7, $2, convert_to($1, 'UTF8')) RETURNING id`,
    ['app_user'],
  ),
  signing_key: fixture(
    `INSERT INTO signing_key (tenant_id, key_id, public_jwk, private_jwk_encrypted, not_after)
     VALUES (7, 'key ' || $1, '{}', '\\x00', now()) RETURNING id`,
  ),
  source: fixture(
    `INSERT INTO source (tenant_id, code, name, kind) VALUES (7, 'source-' || $1, 'Files', 'file') RETURNING id`,
  ),
  task: fixture(`INSERT INTO task (tenant_id, kind, title) VALUES (7, 'operate.verify', 'Verify') RETURNING id`),
  // A tenant is made by the owner of the tables; the application only ever changes its own.
  tenant: { key: 'id', make: async () => 7 },
  training_run: fixture(
    `INSERT INTO training_run (tenant_id, experiment_id, name, code_version) VALUES (7, $2, 'run', '0.1.0') RETURNING id`,
    ['experiment'],
  ),
  refresh: fixture(`INSERT INTO refresh (tenant_id, source_id) VALUES (7, $2) RETURNING id`, ['source']),
  refresh_gap: fixture(
    `INSERT INTO refresh_gap (tenant_id, source_id, refresh_id, symbol, kind, sentence, from_day, to_day)
     VALUES (7, $2, $3, 'GAP ' || $1, 'empty', 'nothing', '2026-01-02', '2026-01-05') RETURNING id`,
    ['source', 'refresh'],
  ),
  automl: fixture(
    `INSERT INTO automl (tenant_id, universe_tenant_id, universe_id, task_id, settings)
     VALUES (7, 7, $2, $3, '{}') RETURNING id`,
    ['universe', 'task'],
  ),
  training: fixture(
    `INSERT INTO training (tenant_id, universe_tenant_id, universe_id, task_id, settings)
     VALUES (7, 7, $2, $3, '{}') RETURNING id`,
    ['universe', 'task'],
  ),
  version_note: fixture(
    `, version AS (
       INSERT INTO model_version (tenant_id, model_id, number, manifest, manifest_sha256, artefact_sha256,
         artefact_byte_count, dataset_sha256, feature_sha256, code_version, seed)
       VALUES (7, $2, 1, '{}', repeat('0', 64), repeat('0', 64), 1, repeat('0', 64), repeat('0', 64), '0.1.0', 1))
     INSERT INTO version_note (tenant_id, model_id, version_number) VALUES (7, $2, 1) RETURNING id`,
    ['model'],
  ),
  universe: fixture(
    `INSERT INTO universe (tenant_id, name, rule, source_tenant_id, source_id)
     VALUES (7, 'universe ' || $1, 'list', 7, $2) RETURNING id`,
    ['source'],
  ),
  universe_member: fixture(
    `INSERT INTO universe_member (tenant_id, universe_id, instrument_tenant_id, instrument_id)
     VALUES (7, $2, 7, $3) RETURNING id`,
    ['universe', 'instrument'],
  ),
  vendor_credit: fixture(
    `INSERT INTO vendor_credit (tenant_id, vendor, key_sha256)
     VALUES (7, 'twelvedata', encode(sha256(convert_to($1, 'UTF8')), 'hex')) RETURNING id`,
  ),
};

let rowCount = 0;

/** @param statement With $1 a number no other row has, and $2, $3 … the keys of fresh rows of the named tables. */
function fixture(statement: string, needs: readonly string[] = []): Fixture {
  return {
    key: 'id',
    async make(tx) {
      const keys: number[] = [];
      for (const table of needs) keys.push(await FIXTURES[table]!.make(tx));
      rowCount += 1;
      // Naming $1 in every statement lets it be given to every statement.
      const rest = statement.startsWith('WITH ') ? statement.replace('WITH ', ', ') : statement;
      const { rows } = await tx.client.query(`WITH number AS (SELECT $1::text) ${rest}`, [String(rowCount), ...keys]);
      return Number(rows[0].id);
    },
  };
}

/** The tables with audit columns, from the catalogue: a new one without a fixture fails below. */
async function mutableTables(): Promise<string[]> {
  const { rows } = await db.migrator.query(
    `SELECT table_name FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name = 'deleted_at' ORDER BY table_name`,
  );
  return rows.map((row) => row.table_name);
}

const SOMEBODY = { tenantId: 7, actorId: 41 };
const SOMEBODY_ELSE = { tenantId: 7, actorId: 42 };
const ensureSeven = () => db.migrator.query(`INSERT INTO tenant (id, name) VALUES (7, 'seven') ON CONFLICT DO NOTHING`);

test('a row of every mutable table can be deleted and brought back, and the trigger keeps who and when', async () => {
  await ensureSeven();
  const tables = await mutableTables();
  assert.deepEqual(Object.keys(FIXTURES).sort(), tables, 'every mutable table has a fixture here');
  for (const table of tables) {
    const { key, make } = FIXTURES[table]!;
    const id = await db.database.transaction(SOMEBODY, make);
    const read = (includeDeleted: boolean) =>
      db.database.transaction(
        SOMEBODY,
        async ({ client }) => (await client.query(`SELECT * FROM ${table} WHERE ${key} = $1`, [id])).rows[0],
        { includeDeleted },
      );
    // Whatever a statement writes into the audit columns, the trigger has the last word.
    const change = (deletedAt: string) =>
      db.database.transaction(
        SOMEBODY_ELSE,
        async ({ client }) => {
          const forged = `created_by = 99, updated_by = 99, updated_at = '2001-01-01', version = 77`;
          const { rowCount: changed } = await client.query(
            `UPDATE ${table} SET deleted_at = ${deletedAt}, ${forged} WHERE ${key} = $1`,
            [id],
          );
          assert.equal(changed, 1, `${table}: one row is changed`);
        },
        { includeDeleted: true },
      );

    const fresh = await read(false);
    assert.ok(fresh, `${table}: a new row is seen`);
    await change('clock_timestamp()');
    assert.equal(await read(false), undefined, `${table}: a deleted row is hidden`);
    const deleted = await read(true);
    assert.ok(deleted?.deleted_at, `${table}: a deleted row is seen on request`);
    assert.equal(deleted.deleted_by, 42, `${table}: who deleted it`);
    assert.equal(deleted.updated_by, 42, `${table}: who changed it`);
    assert.equal(deleted.created_by, fresh.created_by, `${table}: who made it stays`);
    assert.equal(deleted.version, fresh.version + 1, `${table}: the version counts on`);
    assert.ok(deleted.updated_at > fresh.updated_at, `${table}: when it was changed`);

    await change('NULL');
    const back = await read(false);
    assert.ok(back, `${table}: a row brought back is seen`);
    assert.deepEqual([back.deleted_at, back.deleted_by, back.version], [null, null, fresh.version + 2], table);
  }
});

test('a name is free again once its row is deleted, and only then', async () => {
  await ensureSeven();
  const { rows } = await db.migrator.query(
    `SELECT tablename AS table, indexname AS name FROM pg_indexes
     WHERE schemaname = 'public' AND indexdef LIKE 'CREATE UNIQUE%' AND indexdef LIKE '%(deleted_at IS NULL)%' ORDER BY 1`,
  );
  const tables = rows.map((row) => row.table);
  assert.deepEqual(tables, [
    'alert',
    'experiment',
    'feature_view',
    'index_definition',
    'instrument',
    'market_anomaly',
    'model',
    'person',
    'refresh_gap',
    'source',
    'universe',
    'universe_member',
  ]);
  const unique: Record<string, readonly string[]> = {
    alert: ['same_as'],
    market_anomaly: ['subject_id'],
    refresh_gap: ['source_id', 'symbol'],
    ...{
      experiment: ['name'],
      feature_view: ['name'],
      index_definition: ['name'],
      instrument: ['symbol'],
      model: ['name'],
      person: ['email'],
      source: ['code'],
      universe: ['name'],
    },
    universe_member: ['universe_id', 'instrument_id'],
  };
  for (const { table, name } of rows) {
    const { key, make } = FIXTURES[table]!;
    const [first, second] = await db.database.transaction(SOMEBODY, async (tx) => [await make(tx), await make(tx)]);
    const run = (statement: string, values: unknown[]) =>
      db.database.transaction(SOMEBODY, ({ client }) => client.query(statement, values), { includeDeleted: true });
    const rename = () =>
      run(
        `UPDATE ${table} SET (${unique[table]!.join(', ')}) =
           (SELECT ${unique[table]!.map((column) => `first.${column}`).join(', ')} FROM ${table} first WHERE first.${key} = $1)
         WHERE ${key} = $2`,
        [first, second],
      );
    const isTaken = (error: unknown) => error instanceof pg.DatabaseError && error.constraint === name;
    await assert.rejects(rename(), isTaken, `${table}: taken`);
    await run(`UPDATE ${table} SET deleted_at = clock_timestamp() WHERE ${key} = $1`, [first]);
    await rename();
    await assert.rejects(
      run(`UPDATE ${table} SET deleted_at = NULL WHERE ${key} = $1`, [first]),
      isTaken,
      `${table}: back`,
    );
    await run(`UPDATE ${table} SET deleted_at = clock_timestamp() WHERE ${key} = $1`, [second]);
  }
});
