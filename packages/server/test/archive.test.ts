import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import fc from 'fast-check';
import pg from 'pg';
import { verifyInstallation } from '../src/operate/verify.ts';
import { systemClock } from '../src/platform/clock/clock.ts';
import { createDatabase, type Database } from '../src/platform/database/database.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { MIGRATOR_ROLE } from '../src/platform/database/provision.ts';
import { createFolderStore, type ObjectStore } from '../src/platform/object-store/object-store.ts';
import { createStages } from '../src/stages.ts';
import { createTestDatabase, type TestDatabase } from './cluster.ts';
import { inlineCompute } from './inline-compute.ts';
import { priceFile } from './market-data/import-harness.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2009-11-02'), dayNumber('2011-02-25')), dayText);
const SYMBOLS = ['ONE', 'TWO', 'SIX'];
const TENANT = 7;
const PRINCIPAL = { tenantId: TENANT, actorId: null };

let db: TestDatabase;
let database: Database;
let server: TestServer;
let folder: string;
let objects: ObjectStore;
let token: string;
/** The owner of the tables, as a server reaches it. */
let owner: pg.ClientConfig;

before(async () => {
  db = await createTestDatabase();
  owner = { ...db.connection, user: MIGRATOR_ROLE };
  folder = await mkdtemp('/tmp/touchstone-archive-');
  objects = createFolderStore(folder);
  // As the server makes it: with the folder that archived bars are read from.
  database = createDatabase(
    createPool({ ...db.connection, max: 6 }, () => {}),
    folder,
  );
  server = await startTestServer(db, {
    runTasks: true,
    database,
    wire: ({ serve, tasks, home, secretBox }) =>
      createStages({
        ...{ database, objects, tasks, home, connection: db.connection, compute: inlineCompute, clock: systemClock },
        ...{
          codeVersion: 'test',
          secretBox,
          keeping: { backupFolder: folder, reachOwner: async () => owner, config: null },
        },
      }).registerRoutes(serve),
  });
  token = await server.tokenFor('owner', TENANT);
  await importFile(priceFile(SYMBOLS, DAYS));
  // The vendor tells some days again, with other prices.
  await importFile(
    priceFile(['TWO'], DAYS.slice(20, 60), (row) => row.map((cell, i) => (i === 5 ? `${Number(cell) + 0.005}` : cell))),
  );
});
after(async () => {
  await server.close();
  await database.close();
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

async function must(method: string, at: string, body?: unknown): Promise<Record<string, unknown>> {
  const headers: Record<string, string> =
    typeof body === 'string' ? { 'content-type': 'application/octet-stream' } : {};
  const reply = await server.call(method, at, { token, body, headers });
  assert.ok(reply.status < 300, `${method} ${at}: ${reply.status} ${reply.text}`);
  return reply.json;
}

async function done(answer: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { id } = Object(answer.task);
  for (let attempt = 0; attempt < 2400; attempt++) {
    const task = await must('GET', `/tasks/${id}`);
    if (task.state === 'done') return Object(task.result);
    assert.ok(['queued', 'running'].includes(String(task.state)), JSON.stringify(task));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`task ${id} did not end in 120 s`);
}

async function importFile(file: string): Promise<void> {
  const upload = await must('POST', '/data/uploads?fileName=prices.csv', file);
  await done(
    await must('POST', '/data/imports', {
      ...{ uploadId: upload.uploadId, fileName: 'prices.csv', source: { code: 'mine' }, universeName: 'mine' },
      ...{ choices: { priceBasis: 'raw' }, onBadRow: 'keep-good' },
    }),
  );
}

const rowsIn = async (year: number) => {
  const { rows } = await db.migrator.query(`SELECT count(*)::int AS n FROM price_observation_${year}`);
  return Number(rows[0].n);
};

/** What was answered, in short: the text by its hash. */
async function ask(urls: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  for (const url of urls) {
    const { status, headers, text } = await server.call('GET', url, { token });
    const sha = createHash('sha256').update(text).digest('hex').slice(0, 16);
    answers.push(`${url} ${status} ${headers.get('etag')} ${sha}${text.includes('"revision":1') ? ' revised' : ''}`);
  }
  return answers;
}

/** Questions at random days and moments. */
async function questions(): Promise<string[]> {
  const { items } = await must('GET', '/data/instruments?limit=500');
  assert.ok(Array.isArray(items) && items.length === 3);
  const ids: number[] = items.map((item: { id: number }) => item.id);
  const { recordedAt } = await must('GET', '/data/timeline');
  const day = fc.constantFrom(...DAYS);
  const url = fc
    .tuple(fc.constantFrom(...ids), day, day, fc.option(fc.tuple(day, fc.nat(86_399))), fc.nat(3))
    .map(([id, one, two, known, kind]) => {
      if (kind === 0) return `/data/instruments/${id}/bars/${one}/versions`;
      const [from, to] = one < two ? [one, two] : [two, one];
      const times = new URLSearchParams({ from, to, recordedAt: String(recordedAt) });
      if (known !== null) {
        const instant = new Date(Date.parse(`${known[0]}T00:00:00Z`) + known[1] * 1000).toISOString();
        times.set('knownAt', instant);
      }
      if (kind === 1) times.delete('from');
      return `/data/instruments/${id}/bars?${times}`;
    });
  const urls = [
    ...['/data/instruments?limit=500', '/data/sources', '/universes', '/universes/1', '/benchmarks'],
    ...ids.map((id) => `/data/instruments/${id}`),
    ...fc.sample(url, { numRuns: 60, seed: 11 }),
  ];
  return [...new Set(urls)];
}

test('an answer is the same to the last byte before and after archiving, and again when the rows are back', async () => {
  const urls = await questions();
  const before = await ask(urls);
  assert.ok(
    before.some((answer) => answer.endsWith('revised')),
    'some questions meet a bar that was told twice',
  );
  const dataset = await must('POST', '/datasets', { universeId: 1 });
  const rows = [await rowsIn(2009), await rowsIn(2010), await rowsIn(2011)];
  assert.ok(rows.every((count) => count > 0));

  // 2009 and 2010 are over for ten years, whenever this runs.
  const result = await done(
    await must('POST', '/diagnostics/archives', { olderThanYears: new Date().getUTCFullYear() - 2011 }),
  );
  assert.ok(Array.isArray(result.archived));
  assert.deepEqual(
    result.archived.map(({ year, rowCount }) => [year, rowCount]),
    [
      [2009, rows[0]],
      [2010, rows[1]],
    ],
  );
  assert.deepEqual([await rowsIn(2009), await rowsIn(2010), await rowsIn(2011)], [0, 0, rows[2]]);
  assert.deepEqual(await ask(urls), before);
  assert.equal(
    (await must('POST', '/datasets', { universeId: 1 })).sha256,
    dataset.sha256,
    'it freezes to the same file',
  );
  const verdict = await verifyInstallation(database, objects, [PRINCIPAL]);
  assert.equal(verdict.ok, true, JSON.stringify(verdict.checks));
  const { items } = await must('GET', '/diagnostics/archives');
  assert.ok(Array.isArray(items));
  assert.deepEqual(
    items.map(({ year, state, instrumentCount }) => [year, state, instrumentCount]),
    [
      [2010, 'archived', 3],
      [2009, 'archived', 3],
    ],
  );

  const stranger = await server.tokenFor('owner', 8);
  // Archiving concerns the whole installation: the owner of another tenant is not its operator.
  assert.deepEqual((await server.call('GET', '/diagnostics/archives', { token: stranger })).json.items, []);
  const hidden = await server.call('POST', '/diagnostics/archives/2010/bring-back', { token: stranger });
  assert.equal(hidden.status, 403, "archives are the operator's alone");

  // Telling the same file again must find every bar known.
  await importFile(priceFile(['ONE'], DAYS));
  assert.deepEqual([await rowsIn(2009), await rowsIn(2010)], [0, 0], 'nothing that is known is stored twice');

  const back = await done(await must('POST', '/diagnostics/archives/2010/bring-back', undefined));
  assert.equal(back.rowCount, rows[1]);
  assert.equal(await rowsIn(2010), rows[1]);
  const lists = new Set(urls.filter((url) => url.includes('recordedAt') || url.includes('versions')));
  assert.deepEqual(
    await ask([...lists]),
    before.filter((answer) => lists.has(answer.split(' ')[0] ?? '')),
  );
  const gone = await server.call('POST', '/diagnostics/archives/2010/bring-back', { token });
  assert.equal(gone.status, 404, gone.text);
});

const CHILD = path.join(import.meta.dirname, 'archive-child.ts');

/** Archives in a process of its own, which may be killed at a fail point. */
async function archiveElsewhere(failPoint: string): Promise<string | null> {
  const input = JSON.stringify({ connection: db.connection, owner, folder, tenantId: TENANT });
  const child = spawn(process.execPath, [CHILD, input], {
    env: { ...process.env, TOUCHSTONE_FAIL_POINT: failPoint },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [, signal] = await once(child, 'exit');
  return signal;
}

const bars2010 = async () => {
  const { items } = await must('GET', `/data/instruments/1/bars?from=2010-01-01&to=2010-12-31`);
  return JSON.stringify(items);
};

test('killed at any moment it loses no bar, and started again it ends', async () => {
  const expected = await bars2010();
  for (const point of ['after-file', 'after-row', 'after-verify', 'before-commit']) {
    const rows = await rowsIn(2010);
    assert.ok(rows > 0);
    assert.equal(await archiveElsewhere(`archive.${point}`), 'SIGKILL');
    assert.equal(await rowsIn(2010), rows, `${point}: the rows stay`);
    assert.equal(await bars2010(), expected, point);
  }
  assert.equal(await archiveElsewhere('archive.after-commit'), 'SIGKILL');
  assert.equal(await rowsIn(2010), 0);
  assert.equal(await bars2010(), expected);
  const { rows } = await db.migrator.query(
    `SELECT state, count(*)::int AS n FROM archive WHERE year = 2010 AND deleted_at IS NULL GROUP BY 1 ORDER BY 1`,
  );
  assert.deepEqual(rows, [
    { state: 'archived', n: 1 },
    { state: 'brought_back', n: 1 },
  ]);
  const verdict = await verifyInstallation(database, objects, [PRINCIPAL]);
  assert.equal(verdict.ok, true, JSON.stringify(verdict.checks));
});

test('a correction to an archived year goes into the empty partition, is read, and is archived by the next run', async () => {
  const day = '2010-03-10';
  const body = {
    ...{ instrumentId: 1, sourceId: 1, day, open: 50, high: 52, low: 49, close: 51, volume: 5 },
    reason: 'Late',
  };
  await must('POST', '/data/corrections', body);
  assert.equal(await rowsIn(2010), 1);
  const read = async () => {
    const { items } = await must('GET', `/data/instruments/1/bars?from=${day}&to=${day}`);
    return items;
  };
  const corrected = await read();
  assert.ok(Array.isArray(corrected) && corrected.length === 1);
  assert.deepEqual(
    [corrected[0].close, corrected[0].revision],
    [51, 1],
    'the revision counts on from the archived bar',
  );
  const versions = await must('GET', `/data/instruments/1/bars/${day}/versions`);
  assert.ok(Array.isArray(versions.items) && versions.items.length === 2);
  assert.equal(await archiveElsewhere(''), null);
  assert.equal(await rowsIn(2010), 0);
  assert.deepEqual(await read(), corrected);
  const back = await done(await must('POST', '/diagnostics/archives/2010/bring-back'));
  assert.equal(back.files, 2, 'the year and its later correction come back together');
  assert.deepEqual(await read(), corrected);
});

test('a damaged file is told and gives no answer, and nothing is removed for it', async () => {
  const { rows } = await db.migrator.query(
    `SELECT file_sha256 AS sha FROM archive WHERE year = 2009 AND state = 'archived'`,
  );
  const file = objects.pathOf(rows[0].sha);
  const content = await readFile(file);
  const damaged = Buffer.from(content);
  damaged[damaged.length >> 1]! ^= 1;
  await writeFile(file, damaged);
  const url = '/data/instruments/1/bars?from=2009-11-01&to=2009-12-31';
  assert.equal((await server.call('GET', url, { token })).status, 500);
  assert.ok(
    server.lines.some((line) => line.includes('other content than its hash says')),
    'the log says which file',
  );
  await rm(file);
  assert.equal((await server.call('GET', url, { token })).status, 500);
  await writeFile(file, content);
  assert.equal((await server.call('GET', url, { token })).status, 200);
  const later = await server.call('GET', '/data/instruments/1/bars?from=2011-01-03', { token });
  assert.equal(later.status, 200, 'years that are not archived need no file');
});

test('rows leave the table only for a verified archive of the own tenant, and only when all of them are in it', async () => {
  const refuse = (who: number, id: number) =>
    assert.rejects(
      database.transaction({ tenantId: who, actorId: null }, ({ client }) =>
        client.query('SELECT touchstone_archive_year($1)', [id]),
      ),
      (error) => error instanceof pg.DatabaseError && ['42501', '40001'].includes(error.code ?? ''),
    );
  const rows = await rowsIn(2011);
  const make = (state: string, count: number) =>
    database.transaction(PRINCIPAL, async ({ client }) => {
      const sha = 'a'.repeat(64);
      const answer = await client.query(
        `INSERT INTO archive (tenant_id, year, state, row_count, instrument_count, byte_count, file_sha256, content_sha256)
         VALUES (7, 2011, $1, $2, 1, 1, $3, $3) RETURNING id`,
        [state, count, sha],
      );
      return Number(answer.rows[0].id);
    });
  await refuse(TENANT, await make('written', rows));
  await refuse(TENANT, await make('verified', rows - 1));
  await refuse(8, await make('verified', rows));
  assert.equal(await rowsIn(2011), rows);
  await assert.rejects(db.migrator.query('DELETE FROM price_observation_2011'), /append-only/, 'the guard is on again');
  await db.migrator.query(`UPDATE archive SET deleted_at = now() WHERE file_sha256 = $1`, ['a'.repeat(64)]);
});
