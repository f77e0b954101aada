import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type pg from 'pg';
import { writeBackup } from '../src/operate/backup.ts';
import { checkBackup } from '../src/operate/backup-file.ts';
import { backUpInto, chooseKept, KEEPS, listBackups } from '../src/operate/backup-folder.ts';
import { runDrill } from '../src/operate/drill.ts';
import { connectPlainly, makeTarget } from '../src/operate/open-installation.ts';
import { restoreBackup } from '../src/operate/restore.ts';
import { systemClock } from '../src/platform/clock/clock.ts';
import { migrate } from '../src/platform/database/migrate.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { APP_ROLE, ARCHIVER_ROLE, MIGRATOR_ROLE } from '../src/platform/database/provision.ts';
import { createStages } from '../src/stages.ts';
import { type Cluster, createEmptyDatabase, startTestCluster } from './cluster.ts';
import { inlineCompute } from './inline-compute.ts';
import { createImportHarness, type ImportHarness, priceFile } from './market-data/import-harness.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const DAYS = ['2023-12-28', '2023-12-29', '2024-01-02', '2024-01-03'];
const NOON = Date.UTC(2026, 0, 15, 12);
const DAY_MS = 86_400_000;

let cluster: (Cluster & { stop(): Promise<void> }) | undefined;
let harness: ImportHarness;
let folder: string;
let home: string;
let backups: string;

before(async () => {
  if (process.env.TOUCHSTONE_TEST_CLUSTER === undefined) {
    cluster = await startTestCluster('embedded');
    process.env.TOUCHSTONE_TEST_CLUSTER = JSON.stringify(cluster);
  }
  harness = await createImportHarness();
  folder = await mkdtemp('/tmp/touchstone-keeping-');
  await chmod(folder, 0o711);
  home = await mkdtemp(path.join(folder, 'home-'));
  backups = path.join(folder, 'backups');
  await symlink(harness.folder, path.join(home, 'objects'));
  await writeFile(path.join(home, 'secret'), 'a secret that is long enough for everything\n', { mode: 0o600 });
  await harness.import(harness.seven, priceFile(['AAA', 'BBB'], DAYS));
});
after(async () => {
  await harness.close();
  await rm(folder, { recursive: true, force: true });
  if (cluster !== undefined) {
    delete process.env.TOUCHSTONE_TEST_CLUSTER;
    await cluster.stop();
  }
});

const reachOwner = async () => ({ ...harness.db.connection, user: MIGRATOR_ROLE });
const openOwner = async () => connectPlainly(await reachOwner());

async function asOwner<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await openOwner();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const backUp = (now: number) => asOwner((client) => backUpInto({ client, home, folder: backups, now }));

test('the rotation keeps the newest of 7 days, 4 weeks and 12 months', () => {
  // One every six hours for two years.
  const all = Array.from({ length: 4 * 730 }, (_, i) => new Date(NOON - i * (DAY_MS / 4)).toISOString());
  const kept = chooseKept(all);
  const count = (why: string) =>
    [...kept.values()].filter((reasons) => reasons.some((reason) => reason === why)).length;
  assert.deepEqual(
    [count('newest'), count('daily'), count('weekly'), count('monthly')],
    [1, KEEPS.daily, KEEPS.weekly, KEEPS.monthly],
  );
  assert.deepEqual(kept.get(all[0]!), ['newest', 'daily', 'weekly', 'monthly']);
  assert.equal([...kept.keys()].at(-1)?.slice(0, 7), '2025-02');
});

test('rotating after every backup ends with what choosing once from all of them keeps', () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(gaps, (hours) => {
      let at = Date.UTC(2025, 0, 1);
      const all: string[] = [];
      let kept: string[] = [];
      for (const gap of hours) {
        at += gap * 3_600_000;
        const made = new Date(at).toISOString();
        all.unshift(made);
        kept = [...chooseKept([made, ...kept]).keys()].sort().reverse();
      }
      assert.deepEqual(kept, [...chooseKept(all).keys()].sort().reverse());
    }),
    { numRuns: 200 },
  );
});

test('a backup of the folder is read back, old ones go, and files of others stay', async () => {
  for (const days of [40, 39, 38, 20, 9]) await backUp(NOON - days * DAY_MS);
  const foreign = ['notes.txt', 'touchstone-20200101T000000Z.backup', 'mine.backup'];
  for (const name of foreign) await writeFile(path.join(backups, name), 'not made by the server');
  for (let hour = 9; hour >= 0; hour--) await backUp(NOON - hour * 3_600_000);
  const listed = await listBackups(backups);
  assert.ok(listed.every((backup) => backup.state === 'verified' && backup.root !== null && backup.keptAs.length > 0));
  assert.equal(listed[0]?.createdAt, new Date(NOON).toISOString());
  assert.equal(
    listed.filter((backup) => backup.createdAt.startsWith('2026-01-15')).length,
    1,
    'one of that day is left',
  );
  const names = await readdir(backups);
  for (const name of foreign) assert.ok(names.includes(name), `${name} is still there`);
  assert.equal((await stat(path.join(backups, listed[0]!.name))).mode & 0o777, 0o600);
  assert.equal(names.filter((name) => name.endsWith('.part')).length, 0);
});

test('a backup that fails leaves no file, and no older one goes for it', async () => {
  const before = await readdir(backups);
  const abort = new AbortController();
  abort.abort();
  await assert.rejects(
    asOwner((client) => backUpInto({ client, home, folder: backups, now: NOON + 60_000, signal: abort.signal })),
  );
  assert.deepEqual(await readdir(backups), before);
  const blocked = path.join(folder, 'a file');
  await writeFile(blocked, '');
  await assert.rejects(
    asOwner((client) => backUpInto({ client, home, folder: path.join(blocked, 'below'), now: NOON })),
    /cannot be made .* Set BACKUP_FOLDER/,
  );
});

test('two backups that begin in one second both end, each in a file of its own', async () => {
  const twice = path.join(folder, 'twice');
  const begin = () => asOwner((client) => backUpInto({ client, home, folder: twice, now: NOON }));
  const [one, other] = await Promise.all([begin(), begin()]);
  assert.deepEqual([one.name, other.name].sort(), [
    'touchstone-20260115T120000Z.backup',
    'touchstone-20260115T120001Z.backup',
  ]);
  assert.deepEqual(
    (await listBackups(twice)).map(({ state }) => state),
    ['verified', 'verified'],
  );
});

test('a drill restores the newest backup beside, compares it, and says what differs', async () => {
  const { name, root } = await backUp(NOON + DAY_MS);
  const file = path.join(backups, name);
  await harness.import(harness.seven, priceFile(['LATER'], DAYS), { code: 'later' });
  const result = await asOwner((live) => runDrill({ live, file }));
  assert.equal(result.ok, true, result.differences.join(' '));
  assert.equal(result.root, root);
  assert.deepEqual(result.migrated, []);
  assert.ok(result.compared.publications >= 1 && result.compared.evidenceHeads >= 1 && result.compared.checks >= 5);
  // The living installation loses a publication behind the back of the application.
  const set = (count: number) =>
    harness.db.migrator.query(
      `ALTER TABLE publication DISABLE TRIGGER USER; UPDATE publication SET row_count = ${count} WHERE run_id = 1;
       ALTER TABLE publication ENABLE TRIGGER USER`,
    );
  await set(7);
  const differs = await asOwner((live) => runDrill({ live, file }));
  await set(8);
  assert.equal(differs.ok, false);
  assert.match(
    differs.differences.join(' '),
    /Publication 1 is "1 publish 8 rows .*" in the backup and "1 publish 7 rows/,
  );
});

test('a backup made by the first release restores into its own schema and is migrated forward', async () => {
  const release = path.join(import.meta.dirname, 'releases/0.1.0');
  const told: { migrations: Record<string, string> } = JSON.parse(
    await readFile(path.join(release, 'release.json'), 'utf8'),
  );
  const last = Object.keys(told.migrations)
    .sort()
    .at(-1)!
    .replace(/\.sql$/, '');
  const old = await createEmptyDatabase();
  const file = path.join(folder, 'old.backup');
  const oldHome = await mkdtemp(path.join(folder, 'old-'));
  const pool = createPool({ ...old.owner, max: 2 }, () => {});
  await migrate(pool, { app: APP_ROLE, archiver: ARCHIVER_ROLE }, { to: last });
  await pool.query(await readFile(path.join(release, 'seed.sql'), 'utf8'));
  await pool.end();
  const client = await connectPlainly(old.owner);
  const made = await writeBackup({ client, home: oldHome, file, createdAt: new Date(NOON).toISOString() });
  await client.end();
  await old.close();
  assert.equal((await checkBackup(file)).about.migrations.at(-1), last);

  const fresh = await mkdtemp(path.join(folder, 'fresh-'));
  await chmod(fresh, 0o711);
  let target: Awaited<ReturnType<typeof makeTarget>> | undefined;
  const restored = await restoreBackup({
    file,
    home: fresh,
    async openTarget(lastMigration) {
      target = await makeTarget(
        { home: fresh, databaseUrl: null, databaseMigrationUrl: null },
        () => {},
        lastMigration,
      );
      return target;
    },
  });
  try {
    assert.equal(restored.root, made.root);
    assert.ok(restored.migrated.length > 0);
    const { rows } = await target!.client.query(
      `SELECT (SELECT count(*)::int FROM price_observation) AS bars, (SELECT count(*)::int FROM archive) AS archives`,
    );
    assert.deepEqual(rows[0], { bars: 4, archives: 0 });
  } finally {
    await target?.close();
  }
});

// ---- through the door ------------------------------------------------------------------------------------------------

async function withServer(work: (server: TestServer, token: string) => Promise<void>, open: boolean): Promise<void> {
  const server = await startTestServer(harness.db, {
    runTasks: true,
    wire: ({ serve, ...parts }) =>
      createStages({
        ...parts,
        ...{ connection: harness.db.connection, compute: inlineCompute, clock: systemClock, codeVersion: 'test' },
        ...{ home, keeping: { backupFolder: backups, reachOwner: open ? reachOwner : null, config: null } },
      }).registerRoutes(serve),
  });
  try {
    await work(server, await server.tokenFor('owner', 7));
  } finally {
    await server.close();
  }
}

async function untilEnded(server: TestServer, token: string, answer: Record<string, unknown>) {
  const { id } = Object(answer.task);
  for (let attempt = 0; attempt < 2400; attempt++) {
    const { json } = await server.call('GET', `/tasks/${id}`, { token });
    if (!['queued', 'running'].includes(String(json.state))) return json;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`task ${id} did not end in 120 s`);
}

const openAlerts = async () =>
  (await harness.db.migrator.query('SELECT kind, detail FROM alert WHERE resolved_at IS NULL')).rows;

test('an owner starts backups and drills, sees them, and a failing one raises an alert until one succeeds', async () => {
  await withServer(async (server, token) => {
    const started = await server.call('POST', '/diagnostics/backups', { token });
    assert.equal(started.status, 202, started.text);
    const backup = await untilEnded(server, token, started.json);
    assert.equal(backup.state, 'done', JSON.stringify(backup.problem));
    const { json } = await server.call('GET', '/diagnostics/backups', { token });
    assert.ok(Array.isArray(json.items));
    assert.equal(json.items[0].name, Object(backup.result).name);
    const drill = await untilEnded(server, token, (await server.call('POST', '/diagnostics/drills', { token })).json);
    assert.equal(drill.state, 'done', JSON.stringify(drill.problem));
    assert.deepEqual(await openAlerts(), []);

    // The newest is damaged on the disk.
    const file = path.join(backups, json.items[0].name);
    const content = await readFile(file);
    await writeFile(file, content.subarray(0, content.length - 100));
    const failed = await untilEnded(server, token, (await server.call('POST', '/diagnostics/drills', { token })).json);
    assert.equal(failed.state, 'failed');
    const [alert] = await openAlerts();
    assert.equal(alert.kind, 'backup.drill_failed');
    assert.match(alert.detail, /is cut off|no backup, or was changed/);
    await writeFile(file, content);
    await untilEnded(server, token, (await server.call('POST', '/diagnostics/drills', { token })).json);
    assert.deepEqual(await openAlerts(), []);

    for (const role of ['viewer', 'auditor', 'analyst'] as const) {
      const other = await server.tokenFor(role, 7);
      assert.equal((await server.call('GET', '/diagnostics/backups', { token: other })).status, 403);
      assert.equal((await server.call('POST', '/diagnostics/backups', { token: other })).status, 403);
    }
  }, true);
});

test('a server that does not know the owner of the tables says what to set', async () => {
  await withServer(async (server, token) => {
    const refused = await server.call('POST', '/diagnostics/backups', { token });
    assert.equal(refused.status, 409);
    assert.match(refused.text, /Set DATABASE_MIGRATION_URL/);
  }, false);
});
