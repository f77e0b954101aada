import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type pg from 'pg';
import { type Cluster, createTestDatabase, startTestCluster, type TestDatabase } from '../../test/cluster.ts';
import { createImportHarness, type ImportHarness, priceFile } from '../../test/market-data/import-harness.ts';
import { hashPassword } from '../platform/auth/password-hash.ts';
import { MIGRATOR_ROLE } from '../platform/database/provision.ts';
import { createFolderStore } from '../platform/object-store/object-store.ts';
import { type BackupResult, writeBackup } from './backup.ts';
import { BackupError, checkBackup } from './backup-file.ts';
import { connectPlainly, makeTarget, withOwner } from './open-installation.ts';
import { resetPassword } from './reset-password.ts';
import { restoreBackup } from './restore.ts';
import { listSequences, listTables, rootOf, sumTables } from './tables.ts';
import { encodeEnd, encodeEntry, readEntries, TarError } from './tar.ts';
import { verifyInstallation } from './verify.ts';

const DAYS = ['2023-12-28', '2023-12-29', '2024-01-02', '2024-01-03', '2024-01-04', '2024-01-05', '2024-01-08'];
const PASSWORD = 'correct horse battery';

let cluster: (Cluster & { stop(): Promise<void> }) | undefined;
let harness: ImportHarness;
let folder: string;
let home: string;
let file: string;
let made: BackupResult;

before(async () => {
  if (process.env.TOUCHSTONE_TEST_CLUSTER === undefined) {
    // Two databases of one test would end each other's own cluster.
    cluster = await startTestCluster('embedded');
    process.env.TOUCHSTONE_TEST_CLUSTER = JSON.stringify(cluster);
  }
  harness = await createImportHarness();
  folder = await mkdtemp('/tmp/touchstone-backup-');
  await chmod(folder, 0o711);
  home = await mkdtemp(path.join(folder, 'home-'));
  await symlink(path.join(harness.objects.pathOf('0'.repeat(64)), '../..'), path.join(home, 'objects'));
  await writeFile(path.join(home, 'secret'), 'a secret that is long enough for everything\n', { mode: 0o600 });
  await harness.import(harness.seven, priceFile(['AAA', 'BBB'], DAYS));
  await harness.import(harness.eight, priceFile(['ÄÖ\u00a0Ü'], DAYS));
  await harness.db.migrator.query(`INSERT INTO app_user (tenant_id, role, password_hash) VALUES (7, 'owner', $1)`, [
    await hashPassword(PASSWORD),
  ]);
  // Texts that COPY has to escape.
  await harness.db.migrator.query(
    `INSERT INTO person (user_id, tenant_id, email, display_name) VALUES (1, 7, 'owner@example.org', E'tab\\tline\\nback\\\\slash \\\\N')`,
  );
  file = path.join(folder, 'one.backup');
  made = await backup(harness.db, file);
});
after(async () => {
  await harness.close();
  await rm(folder, { recursive: true, force: true });
  if (cluster !== undefined) {
    delete process.env.TOUCHSTONE_TEST_CLUSTER;
    await cluster.stop();
  }
});

const ownerOf = (db: TestDatabase): pg.ClientConfig => ({ ...db.connection, user: MIGRATOR_ROLE });

async function backup(db: TestDatabase, to: string, from = home): Promise<BackupResult> {
  const client = await connectPlainly(ownerOf(db));
  try {
    return await writeBackup({ client, home: from, file: to, createdAt: '2026-01-15T12:00:00.000Z' });
  } finally {
    await client.end();
  }
}

/** Restores into another database of the test's cluster. */
async function restoreInto(db: TestDatabase, from: string, into: string) {
  const client = await connectPlainly(ownerOf(db));
  try {
    return await restoreBackup({
      file: from,
      home: into,
      openTarget: async () => ({ client, discard: async () => {}, migrateForward: async () => [] }),
    });
  } finally {
    await client.end();
  }
}

async function rootIn(db: TestDatabase): Promise<string> {
  const client = await connectPlainly(ownerOf(db));
  try {
    return rootOf(await sumTables(client, await listTables(client)));
  } finally {
    await client.end();
  }
}

async function sequencesIn(db: TestDatabase) {
  const client = await connectPlainly(ownerOf(db));
  try {
    return await listSequences(client);
  } finally {
    await client.end();
  }
}

test('a backup comes back with equal root, sequences, objects and secret, and verifies', async () => {
  const target = await createTestDatabase();
  const empty = await mkdtemp(path.join(folder, 'empty-'));
  try {
    const restored = await restoreInto(target, file, empty);
    assert.equal(restored.root, made.root);
    assert.equal(await rootIn(target), await rootIn(harness.db));
    assert.deepEqual(await sequencesIn(target), await sequencesIn(harness.db));
    assert.equal(await readFile(path.join(empty, 'secret'), 'utf8'), await readFile(path.join(home, 'secret'), 'utf8'));
    assert.equal((await stat(path.join(empty, 'secret'))).mode & 0o777, 0o600);
    const objects = createFolderStore(path.join(empty, 'objects'));
    const verdict = await verifyInstallation(target.database, objects, [harness.seven, harness.eight]);
    assert.equal(verdict.ok, true, JSON.stringify(verdict));
    assert.deepEqual(await readdir(empty), ['objects', 'secret']);
    // The next row gets the next number, and nothing may be changed there either.
    const { rows } = await target.migrator.query(`INSERT INTO tenant (name) VALUES ('next') RETURNING id`);
    assert.ok(rows[0].id > 0);
    await assert.rejects(target.migrator.query('DELETE FROM price_observation'), /append-only/);
    const again = path.join(folder, 'again.backup');
    await target.migrator.query(`DELETE FROM tenant WHERE name = 'next'`);
    assert.equal(
      (await backup(target, again, empty)).root,
      made.root,
      'a backup of the restored one has the same root',
    );
  } finally {
    await target.close();
  }
});

test('the file is for its owner only, is not overwritten, and any tar program can list it', async () => {
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await assert.rejects(backup(harness.db, file), /exists already/);
  const { about, manifest } = await checkBackup(file);
  assert.ok(about.migrations.length > 0);
  assert.equal(manifest.tables.find((table) => table.name === 'public.price_observation')?.rows, 21);
  assert.deepEqual(about.priceYears, [2023, 2024]);
});

test('a backup taken while an import publishes holds the run whole or not at all', async () => {
  const during = path.join(folder, 'during.backup');
  const [result] = await Promise.all([
    backup(harness.db, during),
    harness.import(harness.seven, priceFile(['DDD'], DAYS), { code: 'later' }),
  ]);
  const target = await createTestDatabase();
  const empty = await mkdtemp(path.join(folder, 'during-'));
  try {
    assert.equal((await restoreInto(target, during, empty)).root, result.root);
    const objects = createFolderStore(path.join(empty, 'objects'));
    assert.equal((await verifyInstallation(target.database, objects, [harness.seven])).ok, true);
  } finally {
    await target.close();
  }
});

test('a file cut off anywhere or changed anywhere is refused before anything is made', async () => {
  const whole = await readFile(file);
  const bad = path.join(folder, 'bad.backup');
  const empty = await mkdtemp(path.join(folder, 'untouched-'));
  const refuse = async (content: Buffer) => {
    await writeFile(bad, content);
    const openTarget = async () => assert.fail('nothing may be made');
    await assert.rejects(restoreBackup({ file: bad, home: empty, openTarget }), BackupError);
    assert.deepEqual(await readdir(empty), []);
  };
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async (at) => refuse(whole.subarray(0, at))),
    { numRuns: 15 },
  );
  // Past the gzip header: its time stamp and system byte are no content.
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 10, max: whole.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      async (at, by) => {
        const changed = Buffer.from(whole);
        changed[at]! ^= by;
        // Some bits of a deflate stream only fill up a byte: without them the content is the same.
        if (!hasSameContent(changed, whole)) await refuse(changed);
      },
    ),
    { numRuns: 25 },
  );
  // Packed anew, so that only the hashes of the manifest can tell.
  const plain = gunzipSync(whole);
  const at = plain.indexOf('AAA');
  assert.ok(at > 0);
  plain[at] = 'B'.charCodeAt(0);
  await refuse(gzipSync(plain));
  await refuse(Buffer.from('no backup at all'));
});

function hasSameContent(packed: Buffer, other: Buffer): boolean {
  try {
    return gunzipSync(packed).equals(gunzipSync(other));
  } catch {
    return false;
  }
}

test('what goes wrong halfway leaves nothing behind', async () => {
  const target = await createTestDatabase();
  const empty = await mkdtemp(path.join(folder, 'halfway-'));
  const client = await connectPlainly(ownerOf(target));
  let discarded = 0;
  const abort = new AbortController();
  try {
    await assert.rejects(
      restoreBackup({
        file,
        home: empty,
        signal: abort.signal,
        progress: (note) => note.startsWith('Write objects/') && abort.abort(),
        openTarget: async () => ({ client, discard: async () => void discarded++, migrateForward: async () => [] }),
      }),
      { name: 'AbortError' },
    );
    assert.equal(discarded, 1);
    assert.deepEqual(await readdir(empty), []);
    const { rows } = await target.migrator.query('SELECT count(*)::int AS n FROM publication');
    assert.equal(rows[0].n, 0);
  } finally {
    await client.end();
    await target.close();
  }
});

test('a home or a database that holds something is refused with a sentence', async () => {
  const openTarget = async () => assert.fail('nothing may be made');
  await assert.rejects(restoreBackup({ file, home, openTarget }), /is not empty: it holds objects, secret/);
  const empty = await mkdtemp(path.join(folder, 'full-'));
  await assert.rejects(restoreInto(harness.db, file, empty), /The database is not empty/);
  assert.deepEqual(await readdir(empty), []);
  await assert.rejects(
    withOwner(
      { home: empty, databaseUrl: null, databaseMigrationUrl: null },
      () => {},
      async () => {},
    ),
    /There is no installation in/,
  );
});

test('the embedded database is made for a restore, and a lost password can be set anew there', async () => {
  const fresh = path.join(folder, 'fresh');
  const where = { home: fresh, databaseUrl: null, databaseMigrationUrl: null };
  const close = { call: async () => {} };
  const restored = await restoreBackup({
    file,
    home: fresh,
    async openTarget() {
      const target = await makeTarget(where, () => {});
      close.call = target.close;
      return target;
    },
  });
  await close.call();
  assert.equal(restored.root, made.root);
  // Not running: it is started for the question and stopped again.
  const root = await withOwner(
    where,
    () => {},
    async (client) => {
      const app = { host: client.host, port: client.port, database: client.database, user: 'touchstone_app' };
      await assert.rejects(resetPassword(app, 'owner@example.org', 'short'), /12 to 200 characters/);
      await assert.rejects(resetPassword(app, 'nobody@example.org', PASSWORD), /Nobody has this e-mail address/);
      const before = rootOf(await sumTables(client, await listTables(client)));
      await resetPassword(app, 'owner@example.org', 'another long password');
      return before;
    },
  );
  assert.equal(root, made.root);
});

test('tar entries come back as they were, and a header with another sum is refused', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 5 }),
      fc.integer({ min: 1, max: 700 }),
      async (contents, step) => {
        const sent = contents.map((content, i) => ({ name: `part/${i}`, content: Buffer.from(content) }));
        const bytes = Buffer.concat([...sent.flatMap((entry) => [...encodeEntry(entry)]), encodeEnd()]);
        const read = [];
        for await (const entry of readEntries(chunks(bytes, step))) read.push(entry);
        assert.deepEqual(read, sent);
      },
    ),
    { numRuns: 50 },
  );
  const bytes = Buffer.concat([...encodeEntry({ name: 'a', content: Buffer.from('x') }), encodeEnd()]);
  bytes[0] = 'b'.charCodeAt(0);
  await assert.rejects(async () => {
    for await (const _entry of readEntries(chunks(bytes, 512)));
  }, TarError);
});

async function* chunks(bytes: Buffer, step: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}
