import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ConfigError, readConfig } from '../src/config.ts';
import { DATABASE_CHECKS, type DatabaseContext } from '../src/operate/database-checks.ts';
import { examineMachine } from '../src/operate/doctor.ts';
import { runChecks } from '../src/operate/finding.ts';
import {
  diskOf,
  MACHINE_CHECKS,
  type MachineContext,
  pingRedis,
  SHARED_CHECKS,
} from '../src/operate/machine-checks.ts';
import { connectPlainly } from '../src/operate/open-installation.ts';
import { systemClock } from '../src/platform/clock/clock.ts';
import { identifyProcess } from '../src/platform/database/embedded/process-identity.ts';
import { MIGRATOR_ROLE } from '../src/platform/database/provision.ts';
import { verifyEvidence } from '../src/platform/evidence/evidence.ts';
import { createStages } from '../src/stages.ts';
import { inlineCompute } from './inline-compute.ts';
import { createImportHarness, type ImportHarness, priceFile } from './market-data/import-harness.ts';
import { startTestServer } from './test-server.ts';

const NOW = Date.UTC(2026, 0, 15, 12);
const DAY_MS = 86_400_000;
const SECRET = 'a secret that is long enough for everything';

let folder: string;
before(async () => {
  folder = await mkdtemp('/tmp/touchstone-doctor-');
});
after(() => rm(folder, { recursive: true, force: true }));

// ---- the machine -----------------------------------------------------------------------------------------------------

let homes = 0;

/** An installation as it should be, for a fault to be made in. */
async function healthy(env: Record<string, string> = {}, parts: Partial<MachineContext> = {}): Promise<MachineContext> {
  homes += 1;
  const home = path.join(folder, `home-${homes}`);
  const backups = path.join(folder, `backups-${homes}`);
  await mkdir(path.join(home, 'objects'), { recursive: true, mode: 0o700 });
  await mkdir(path.join(home, 'database'), { recursive: true, mode: 0o700 });
  await mkdir(backups);
  await writeFile(path.join(home, 'secret'), `${SECRET}\n`, { mode: 0o600 });
  await keepBackup(backups, NOW - DAY_MS / 2);
  const webFolder = path.join(home, 'pages');
  await mkdir(webFolder);
  await writeFile(path.join(webFolder, 'index.html'), '');
  const port = String(await freePort());
  const config = readConfig({ TOUCHSTONE_HOME: home, BACKUP_FOLDER: backups, PORT: port, ...env });
  return { config, now: NOW, webFolder, diskOf: async () => ({ free: 50e9, size: 100e9 }), pingRedis, ...parts };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function keepBackup(backups: string, at: number): Promise<void> {
  const createdAt = new Date(at).toISOString();
  const name = `touchstone-${createdAt.slice(0, 19).replace(/[-:]/g, '')}Z.backup`;
  await writeFile(path.join(backups, name), 'x');
  const note = { name, createdAt, root: 'a'.repeat(64), verifiedAt: createdAt };
  await writeFile(path.join(backups, `${name}.json`), JSON.stringify(note));
}

/** What is not fine, by check. Every finding that is bad says why it matters. */
async function faultsOf(context: MachineContext): Promise<Record<string, string>> {
  const findings = await runChecks([...MACHINE_CHECKS, ...SHARED_CHECKS], context);
  const bad = findings.filter((finding) => finding.state === 'broken' || finding.state === 'warning');
  for (const finding of bad) assert.ok(finding.why.length > 10, `${finding.check} says why: ${finding.what}`);
  return Object.fromEntries(bad.map((finding) => [finding.check, `${finding.state}: ${finding.what}`]));
}

test('an installation as it should be has no findings', async () => {
  assert.deepEqual(await faultsOf(await healthy()), {});
});

/** Each fault is made on purpose; the doctor must name it and nothing else. */
const FAULTS: Record<string, { check: string; says: RegExp; make(): Promise<MachineContext> }> = {
  'a home that others may write': {
    check: 'home-folder',
    says: /broken: .* may be written by others/,
    async make() {
      const context = await healthy();
      await chmod(context.config.home, 0o777);
      return context;
    },
  },
  'a secret that is too short': {
    check: 'secret',
    says: /broken: .* has 5 characters, at least 32/,
    async make() {
      const context = await healthy();
      await writeFile(path.join(context.config.home, 'secret'), 'short');
      return context;
    },
  },
  'a secret that others may read': {
    check: 'secret',
    says: /broken: .* can be read by others/,
    async make() {
      const context = await healthy();
      await chmod(path.join(context.config.home, 'secret'), 0o644);
      return context;
    },
  },
  'a secret that is gone': {
    check: 'secret',
    says: /broken: .* is missing/,
    async make() {
      const context = await healthy();
      await rm(path.join(context.config.home, 'secret'));
      return context;
    },
  },
  'a lock of a process that was killed': {
    check: 'server-lock',
    says: /warning: The lock of process \d+ is stale/,
    async make() {
      const context = await healthy();
      const dead = { ...identifyProcess(process.pid), startTime: '1' };
      await writeFile(path.join(context.config.home, 'database', 'server.lock'), JSON.stringify(dead));
      return context;
    },
  },
  'a database that runs without its server': {
    check: 'orphan-database',
    says: /warning: The embedded database runs as process \d+, and its server does not/,
    async make() {
      const context = await healthy();
      const { pid, startTime, bootId } = identifyProcess(process.pid);
      const record = { fingerprint: '', socketFolder: '/nowhere', pid, startTime, bootId };
      await writeFile(path.join(context.config.home, 'database', 'postmaster.json'), JSON.stringify(record));
      return context;
    },
  },
  'a disk that is nearly full': {
    check: 'disk-space',
    says: /broken: .* has 0.1 GB of 100.0 GB free/,
    make: () => healthy({}, { diskOf: async () => ({ free: 0.1e9, size: 100e9 }) }),
  },
  'a disk that gets low': {
    check: 'disk-space',
    says: /warning: .* has 2.0 GB/,
    make: () => healthy({}, { diskOf: async () => ({ free: 2e9, size: 100e9 }) }),
  },
  'a backup that is three days old': {
    check: 'backups',
    says: /warning: The newest backup is 3.5 days old/,
    make: async () => ({ ...(await healthy()), now: NOW + 3 * DAY_MS }),
  },
  'no backup since two weeks': {
    check: 'backups',
    says: /broken: The newest backup is 14.5 days old/,
    make: async () => ({ ...(await healthy()), now: NOW + 14 * DAY_MS }),
  },
  'no backup at all': {
    check: 'backups',
    says: /warning: There is no verified backup/,
    async make() {
      const context = await healthy();
      await rm(context.config.backupFolder, { recursive: true });
      return context;
    },
  },
  'a backup folder that is a file': {
    check: 'backups',
    says: /broken: .* is a file/,
    async make() {
      const context = await healthy();
      await rm(context.config.backupFolder, { recursive: true });
      await writeFile(context.config.backupFolder, '');
      return context;
    },
  },
  'a Redis that is away': {
    check: 'redis',
    says: /broken: Redis at 127.0.0.1:1 does not answer/,
    make: () => healthy({ REDIS_URL: 'redis://:hidden@127.0.0.1:1' }),
  },
  'a bucket that is away': {
    check: 'bucket',
    says: /broken: The bucket objects does not answer/,
    make: () =>
      healthy({
        ...{ S3_ENDPOINT: 'http://127.0.0.1:1', S3_BUCKET: 'objects', S3_ACCESS_KEY: 'somebody' },
        S3_SECRET_KEY: 'hidden',
      }),
  },
  'pages that were never built': {
    check: 'pages',
    says: /warning: The pages are not built/,
    make: () => healthy({}, { webFolder: path.join(folder, 'nowhere') }),
  },
};

for (const [fault, { check, says, make }] of Object.entries(FAULTS)) {
  test(`the doctor finds ${fault}, and nothing else`, async () => {
    const faults = await faultsOf(await make());
    assert.deepEqual(Object.keys(faults), [check]);
    assert.match(faults[check] ?? '', says);
    assert.doesNotMatch(JSON.stringify(faults), /hidden|long enough for everything/, 'no secret is told');
  });
}

test('the doctor finds a port that another program has, and knows our own', async () => {
  const context = await healthy();
  const { port, host } = context.config;
  const answering = async (text: string, look: () => Promise<void>) => {
    const server = createHttpServer((_request, reply) => reply.end(text)).listen(port, host);
    await once(server, 'listening');
    await look();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  await answering('hi', async () => {
    assert.match((await faultsOf(context)).port ?? '', new RegExp(`broken: Port ${port} is taken by another program`));
  });
  await answering('{"ok":true}', async () => assert.deepEqual(await faultsOf(context), {}));
});

test('settings that cannot be read are a finding, with every problem and no secret', async () => {
  let problem = '';
  try {
    readConfig({ PORT: 'eighty', DATABASE_URL: 'mysql://user:hidden@host/db' });
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    problem = error.message;
  }
  const report = await examineMachine({ problem }, { full: false, clock: systemClock });
  assert.equal(report.ok, false);
  assert.deepEqual(
    report.findings.map((finding) => finding.check),
    ['settings'],
  );
  assert.match(report.findings[0]?.what ?? '', /PORT must be[\s\S]*DATABASE_URL must begin with postgres/);
  assert.doesNotMatch(JSON.stringify(report), /hidden/);
});

test('a database that does not answer is a finding, and the rest is looked at all the same', async () => {
  const { config } = await healthy();
  const url = 'postgres://touchstone_app:hidden@127.0.0.1:1/touchstone';
  const report = await examineMachine(
    readConfig({ TOUCHSTONE_HOME: config.home, BACKUP_FOLDER: config.backupFolder, DATABASE_URL: url }),
    { full: false, clock: systemClock },
  );
  const database = report.findings.find((finding) => finding.check === 'database');
  assert.equal(database?.state, 'broken');
  assert.ok(report.findings.some((finding) => finding.check === 'backups'));
  assert.doesNotMatch(JSON.stringify(report), /hidden/);
});

test('the disk of a folder that is not there yet is that of its parent', async () => {
  const { free, size } = await diskOf(path.join(folder, 'not', 'there'));
  assert.ok(free > 0 && size >= free);
});

// ---- the database ----------------------------------------------------------------------------------------------------

let harness: ImportHarness;

async function findFaults(change: Partial<DatabaseContext> = {}): Promise<Record<string, string>> {
  harness ??= await createImportHarness();
  const { database } = harness.db;
  const owner = await connectPlainly({ ...harness.db.connection, user: MIGRATOR_ROLE });
  try {
    const context: DatabaseContext = {
      now: () => Date.now(),
      asApp: (work) => work({ query: database.pool.query.bind(database.pool) }),
      asSeer: (work) => work(owner),
      walkChains: async () => [
        { tenantId: 7, verdict: await database.transaction(harness.seven, (tx) => verifyEvidence(tx)) },
      ],
      objectsFolder: harness.folder,
      full: true,
      ...change,
    };
    const findings = await runChecks(DATABASE_CHECKS, context);
    const bad = findings.filter((finding) => finding.state !== 'fine');
    for (const finding of bad) assert.ok(finding.why.length > 10, `${finding.check} says why: ${finding.what}`);
    return Object.fromEntries(bad.map((finding) => [finding.check, `${finding.state}: ${finding.what}`]));
  } finally {
    await owner.end();
  }
}

const sql = (text: string) => harness.db.migrator.query(text);

test('a database as it should be has no findings', async () => {
  harness = await createImportHarness();
  await harness.db.migrator.query('GRANT SELECT ON schema_migration TO touchstone_app');
  await harness.import(harness.seven, priceFile(['AAA'], ['2024-01-02', '2024-01-03']));
  assert.deepEqual(await findFaults(), {});
});

test('faults in the database are found one by one', async () => {
  const only = async (check: string, says: RegExp, change: Partial<DatabaseContext> = {}) => {
    const faults = await findFaults(change);
    assert.deepEqual(Object.keys(faults), [check], JSON.stringify(faults));
    assert.match(faults[check] ?? '', says);
  };
  const { migrator } = harness.db;
  await only('database-role', /broken: The application works as touchstone_migrator, which owns tables/, {
    asApp: (work) => work({ query: migrator.query.bind(migrator) }),
  });
  await only('clock', /warning: The clock of the database differs by 30\.\d s/, { now: () => Date.now() + 30_000 });
  await only('clock', /broken: The clock of the database differs by 3600\.\d s/, { now: () => Date.now() - 3_600_000 });

  await sql(`INSERT INTO schema_migration (name, timestamp) VALUES ('999912312359_of_the_future', '')`);
  await only('migrations', /warning: The database has 1 migrations that this version does not know/);
  await sql(`DELETE FROM schema_migration WHERE name LIKE '9999%'`);
  const { rows } = await sql(
    `DELETE FROM schema_migration WHERE name = '202611221300_create_alerts' RETURNING name, timestamp`,
  );
  await only('migrations', /broken: The database lacks 1 migrations; the first is 202611221300_create_alerts/);
  await harness.db.migrator.query('INSERT INTO schema_migration (name, timestamp) VALUES ($1, $2)', [
    rows[0].name,
    rows[0].timestamp,
  ]);

  await sql(`SELECT pgboss.create_queue('touchstone-tasks', '{"policy":"standard","retryLimit":2,"retryDelay":0,
    "expireInSeconds":900,"retentionSeconds":1000,"deleteAfterSeconds":1000,"partition":false}')`);
  await sql(`INSERT INTO pgboss.job (name, start_after) VALUES ('touchstone-tasks', now() - interval '20 minutes')`);
  await only('queue', /broken: 1 pieces of work are due, the first for 20 minutes/);
  await sql('DELETE FROM pgboss.job');

  await sql(`INSERT INTO schedule (tenant_id, kind, title, cron, created_at) VALUES
    (7, 'verify', 'Nightly', '0 3 * * *', now() - interval '9 days'), (7, 'verify', 'Yearly', '0 3 1 1 *', now() - interval '9 days')`);
  await only('schedules', /warning: 1 schedules have never run: "Nightly"/);
  await sql('UPDATE schedule SET enabled = false');

  await sql(`INSERT INTO alert (tenant_id, kind, severity, title, subject_kind, subject_id, same_as)
    VALUES (7, 'backup.failed', 'critical', 'The backup failed', 'backup', '1', 'x')`);
  await only('alerts', /warning: 1 critical alerts are open: "The backup failed"/);
  await sql('UPDATE alert SET resolved_at = now()');

  const flip = `ALTER TABLE evidence DISABLE TRIGGER USER;
    UPDATE evidence SET body = overlay(body placing chr(ascii(substr(body, 20, 1)) # 1) from 20 for 1) WHERE sequence = 1;
    ALTER TABLE evidence ENABLE TRIGGER USER`;
  await sql(flip);
  await only('evidence', /broken: Tenant 7: Record 1 was changed/);
  await sql(flip);

  const stored = await harness.objects.put(Buffer.from('the rows of a dataset'));
  await sql(`INSERT INTO dataset (tenant_id, sha256, kind, query, as_of, known_at, recorded_at, row_count, byte_count, columns)
    VALUES (7, '${stored.sha256}', 'prices', '{}', '2024-01-02', '2024-01-03', '2024-01-03', 4, 100, '[]')`);
  assert.deepEqual(await findFaults(), {});
  const file = harness.objects.pathOf(stored.sha256);
  const content = await readFile(file);
  await writeFile(file, 'something else');
  await only('objects', /broken: 1 stored files .* \(a dataset\) is damaged/);
  await rm(file);
  await only('objects', /broken: 1 stored files .* \(a dataset\) is missing/);
  await writeFile(file, content);
});

test('a check that fails itself is a finding, not the end of the examination', async () => {
  const faults = await findFaults({ walkChains: () => Promise.reject(new Error('no such luck')) });
  assert.deepEqual(faults, { evidence: 'broken: This could not be looked at: no such luck.' });
});

test('an owner asks the running server; others may not', async () => {
  const server = await startTestServer(harness.db, {
    wire: ({ serve, ...parts }) =>
      createStages({
        ...parts,
        ...{ connection: harness.db.connection, compute: inlineCompute, clock: systemClock, codeVersion: 'test' },
        keeping: { backupFolder: folder, reachOwner: null, config: readConfig({ TOUCHSTONE_HOME: harness.folder }) },
      }).registerRoutes(serve),
  });
  try {
    const reply = await server.call('GET', '/diagnostics/doctor', { token: await server.tokenFor('owner', 7) });
    assert.equal(reply.status, 200, reply.text);
    assert.ok(Array.isArray(reply.json.findings));
    const checks = reply.json.findings.map((finding) => finding.check);
    for (const name of ['database', 'evidence', 'objects', 'disk-space', 'backups', 'pages']) {
      assert.ok(checks.includes(name), `${name} is looked at`);
    }
    const denied = await server.call('GET', '/diagnostics/doctor', { token: await server.tokenFor('manager', 7) });
    assert.equal(denied.status, 403);
  } finally {
    await server.close();
    await harness.close();
  }
});
