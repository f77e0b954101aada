import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Client } from 'pg';
import { type EmbeddedPostgres, EmbeddedPostgresError, startEmbeddedPostgres } from './embedded-postgres.ts';
import { findProcessStartTime } from './process-identity.ts';

const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? {} : { skip: 'needs root: it is about root lending the database to another user' };
const moduleUrl = new URL('./embedded-postgres.ts', import.meta.url).href;

let folder: string;
let lines: string[];
let running: EmbeddedPostgres[];
let children: ChildProcess[];

beforeEach(() => {
  folder = realpathSync(mkdtempSync('/tmp/touchstone-test-'));
  chmodSync(folder, 0o755);
  lines = [];
  running = [];
  children = [];
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const server of running) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('The embedded database', { timeout: 240_000 }, () => {
  test('makes a cluster on the first start, keeps it on the second, and leaves no process behind', async () => {
    const first = await start();
    assert.equal(first.adopted, false);
    assert.match(first.version, /^18\./);
    assert.equal(first.dataFolder, join(folder, 'home', 'database', 'data'));
    await query(first, 'create table note (text text)');
    await query(first, "insert into note values ('Übertrag ≥ 1')");
    await first.stop();
    await first.stop();
    assert.equal(findProcessStartTime(first.pid), undefined);
    assert.equal(existsSync(join(folder, 'home', 'database', 'server.lock')), false);

    const second = await start();
    assert.equal(second.adopted, false);
    assert.deepEqual(await query(second, 'select text, upper(text) as loud from note'), [
      { text: 'Übertrag ≥ 1', loud: 'ÜBERTRAG ≥ 1' },
    ]);
  });

  test('is durable, sorts the same everywhere, and listens on no network', async () => {
    const server = await start({ settings: { work_mem: '8MB' } });
    const names = ['fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums', 'listen_addresses'];
    const rows = await query(
      server,
      `select name, setting from pg_settings
       where name in (${[...names, 'work_mem', 'server_encoding', 'TimeZone'].map((name) => `'${name}'`).join()})`,
    );
    assert.deepEqual(Object.fromEntries(rows.map((row) => [row.name, row.setting])), {
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      data_checksums: 'on',
      listen_addresses: '',
      work_mem: '8192',
      server_encoding: 'UTF8',
      TimeZone: 'UTC',
    });
    assert.deepEqual(
      await query(server, "select string_agg(x, '' order by x) as s from unnest(array['b','B','a','ä']) x"),
      [{ s: 'Babä' }],
    );
    assert.equal(statSync(server.host).mode & 0o777, 0o700);
  });

  test('goes on when its server is killed, and the next start takes it over with the data', async () => {
    const child = await startInChild();
    await queryAt(child.host, 'create table kept as select 1 as id');
    await kill(child.process);
    assert.notEqual(findProcessStartTime(child.pid), undefined, 'the orphan lives');

    const next = await start();
    assert.equal(next.adopted, true);
    assert.equal(next.pid, child.pid);
    assert.match(lines.join(), /Took over the running database/);
    assert.deepEqual(await query(next, 'select id from kept'), [{ id: 1 }]);
    await next.stop();
    assert.equal(findProcessStartTime(child.pid), undefined);
  });

  test('starts an orphan anew when the settings have changed', async () => {
    const child = await startInChild();
    await queryAt(child.host, 'create table kept as select 1 as id');
    await kill(child.process);

    const next = await start({ settings: { work_mem: '9MB' } });
    assert.equal(next.adopted, false);
    assert.equal(findProcessStartTime(child.pid), undefined);
    assert.deepEqual(await query(next, 'show work_mem'), [{ work_mem: '9MB' }]);
    assert.deepEqual(await query(next, 'select id from kept'), [{ id: 1 }]);
  });

  test('ends an orphan that does not answer, and starts it anew with the data', async () => {
    const child = await startInChild();
    await queryAt(child.host, 'create table kept as select 1 as id');
    await kill(child.process);
    process.kill(child.pid, 'SIGSTOP');

    const next = await start();
    assert.equal(next.adopted, false);
    assert.notEqual(next.pid, child.pid);
    assert.match(lines.join(), /does not answer; starting it anew/);
    assert.deepEqual(await query(next, 'select id from kept'), [{ id: 1 }]);
  });

  test('recovers every committed row when the database itself was killed as well', async () => {
    const child = await startInChild();
    await queryAt(child.host, 'create table kept as select generate_series(1, 1000) as id');
    await kill(child.process);
    process.kill(child.pid, 'SIGKILL');

    const next = await start();
    assert.equal(next.adopted, false);
    assert.deepEqual(await query(next, 'select count(*)::int as rows from kept'), [{ rows: 1000 }]);
  });

  test('refuses a second server on the same home and names the first', async () => {
    const child = await startInChild();
    await assert.rejects(start(), (error) => {
      assert.ok(error instanceof EmbeddedPostgresError);
      assert.equal(
        error.message,
        `The data folder ${join(folder, 'home')} is in use by process ${child.process.pid}. Stop it, or set TOUCHSTONE_HOME to another folder.`,
      );
      return true;
    });
    await queryAt(child.host, 'select 1');
    await kill(child.process);
    await start();
  });

  test('is not misled by a stale process file that names a living stranger', async () => {
    const first = await start();
    const { dataFolder } = first;
    const text = readFileSync(join(dataFolder, 'postmaster.pid'), 'utf8');
    await first.stop();
    writeFileSync(join(dataFolder, 'postmaster.pid'), text.replace(String(first.pid), String(process.ppid)));
    const next = await start();
    assert.equal(next.adopted, false);
    assert.notEqual(findProcessStartTime(process.ppid), undefined, 'the stranger was left alone');
  });

  test('makes the missing links of the package', async () => {
    const nativeFolder = copyPackage();
    const library = join(nativeFolder, 'lib');
    for (const name of readdirSync(library)) {
      if (lstatSync(join(library, name)).isSymbolicLink()) unlinkSync(join(library, name));
    }
    await start({ nativeFolder });
    assert.ok(readdirSync(library).some((name) => lstatSync(join(library, name)).isSymbolicLink()));
  });

  test('works in a home whose path is too long for a socket', async () => {
    const server = await start({ home: join(folder, 'x'.repeat(100), 'with, comma and blank') });
    assert.ok(server.host.length < 90, server.host);
    assert.equal(statSync(server.host).mode & 0o777, 0o700);
    await query(server, 'select 1');
    await server.stop();
    assert.equal(existsSync(server.host), false);
  });

  test('takes over an orphan whose socket lies outside the home', async () => {
    const home = join(folder, 'y'.repeat(120));
    const child = await startInChild(home);
    await kill(child.process);
    const next = await start({ home });
    assert.equal(next.adopted, true);
    assert.equal(next.host, child.host);
  });

  test('tells when the database ends by itself, also an adopted one', async () => {
    const own = await start();
    const told = new Promise<string>((resolve) => own.onExit(resolve));
    process.kill(own.pid, 'SIGINT');
    assert.match(await told, /^The database ended by itself/);
    await own.stop();

    const child = await startInChild();
    await kill(child.process);
    const adopted = await start();
    const toldAgain = new Promise<string>((resolve) => adopted.onExit(resolve));
    process.kill(adopted.pid, 'SIGINT');
    assert.match(await toldAgain, /shut down/);
  });

  test('says what to do when the disk is full, and leaves no half-made database', async () => {
    const nativeFolder = copyPackage();
    rmSync(join(nativeFolder, 'bin', 'initdb'));
    const script = '#!/bin/sh\necho "could not write: No space left on device" >&2\nexit 1\n';
    writeFileSync(join(nativeFolder, 'bin', 'initdb'), script, { mode: 0o755 });
    await assert.rejects(start({ nativeFolder }), /is full\. Free at least 200 MB, or set TOUCHSTONE_HOME/);
    assert.deepEqual(
      readdirSync(join(folder, 'home', 'database')).filter((name) => name.startsWith('data')),
      [],
    );
    await start();
  });

  test('says what to do when a setting is refused', async () => {
    await assert.rejects(start({ settings: { shared_buffers: 'lots' } }), /does not start.*shared_buffers/s);
    await start();
  });

  test('does not make an empty database when the remembered data is missing', async () => {
    const first = await start();
    await first.stop();
    rmSync(first.dataFolder, { recursive: true });
    await assert.rejects(start(), /that folder is missing/);
  });

  test('refuses data of another major version', async () => {
    const first = await start();
    await first.stop();
    writeFileSync(join(first.dataFolder, 'PG_VERSION'), '17\n');
    await assert.rejects(start(), /was made by PostgreSQL 17, and PostgreSQL 18 is installed/);
  });

  test('puts data and programs aside when root keeps the home private, and says where', needsRoot, async () => {
    const home = join(folder, 'private', 'home');
    mkdirSync(dirname(home), { mode: 0o700 });
    const nativeFolder = copyPackage('private');
    const systemFolder = join(folder, 'system');
    const first = await start({ home, nativeFolder, systemFolder });
    assert.equal(dirname(first.dataFolder), systemFolder);
    assert.match(lines.join('\n'), /its data goes to/);
    assert.match(lines.join('\n'), /copying them to/);
    assert.equal(statSync(dirname(home)).mode & 0o777, 0o700, 'the private folder stays private');
    await query(first, 'create table kept as select 1 as id');
    await first.stop();

    // Even if the home is opened later, the data stays where it is.
    chmodSync(dirname(home), 0o755);
    const second = await start({ home, nativeFolder, systemFolder });
    assert.equal(second.dataFolder, first.dataFolder);
    assert.deepEqual(await query(second, 'select id from kept'), [{ id: 1 }]);
  });

  test('works without root, and root afterwards leaves the data with its owner', needsRoot, async () => {
    const home = join(folder, 'home');
    mkdirSync(home, { mode: 0o700 });
    chownSync(home, 65534, 65534);
    const child = await startInChild(home, 65534);
    child.process.send('stop');
    await once(child.process, 'exit');
    assert.equal(findProcessStartTime(child.pid), undefined);
    const asRoot = await start({ home });
    assert.equal(statSync(asRoot.dataFolder).uid, 65534);
  });

  test("lets nobody else in, not even another program of the database's own user", needsRoot, async () => {
    const server = await start();
    const pg = createRequire(import.meta.url).resolve('pg');
    const script = `
      const { Client } = require(${JSON.stringify(pg)});
      new Client({ host: ${JSON.stringify(server.host)}, user: 'postgres', database: 'postgres' }).connect()
        .then(() => { console.log('in'); process.exit(); }, (error) => console.log(error.message));`;
    const stranger = spawn(process.execPath, ['-e', script], { uid: 65534, gid: 65534, cwd: '/' });
    children.push(stranger);
    let said = '';
    stranger.stdout.on('data', (text) => {
      said += text;
    });
    await once(stranger, 'close');
    assert.match(said, /Peer authentication failed/);
  });
});

async function start(options: Partial<Parameters<typeof startEmbeddedPostgres>[0]> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({
    home: join(folder, 'home'),
    log: (line) => lines.push(line),
    systemFolder: join(folder, 'system'),
    ...options,
  });
  running.push(server);
  return server;
}

/** Starts a database in a process of its own, which can then be killed. It stops the database when told so. */
async function startInChild(home = join(folder, 'home'), uid?: number) {
  const options = JSON.stringify({ home, systemFolder: join(folder, 'system') });
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(moduleUrl)});
    const server = await startEmbeddedPostgres({ ...${options}, log() {} });
    process.on('message', async () => { await server.stop(); process.exit(); });
    process.send({ host: server.host, pid: server.pid });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  children.push(child);
  const [message] = await once(child, 'message');
  const { host, pid } = message as { host: string; pid: number };
  return { process: child, host, pid };
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** A copy of the installed package's programs that a test may spoil. */
function copyPackage(...under: string[]): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const source = join(dirname(createRequire(import.meta.url).resolve(name)), '..');
  const target = join(folder, ...under, 'package');
  mkdirSync(target, { recursive: true });
  cpSync(join(source, 'package.json'), join(target, 'package.json'));
  cpSync(join(source, 'native'), join(target, 'native'), { recursive: true, verbatimSymlinks: true });
  return join(target, 'native');
}

function query(server: EmbeddedPostgres, sql: string): Promise<Record<string, unknown>[]> {
  return queryAt(server.host, sql);
}

async function queryAt(host: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ host, user: 'postgres', database: 'postgres' });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
