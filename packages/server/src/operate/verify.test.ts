import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { createImportHarness, type ImportHarness, priceFile } from '../../test/market-data/import-harness.ts';
import { fillModels } from '../../test/models/fill-models.ts';
import { insertMissingDataset } from '../features/dataset/dataset.repository.ts';
import { SYSTEM_PRINCIPAL } from '../platform/database/database.ts';
import { type Bundle, writeBundle } from '../platform/object-store/bundle.ts';
import { verifyInstallation } from './verify.ts';

const DAYS = ['2024-01-02', '2024-01-03', '2024-01-04', '2024-01-05', '2024-01-08', '2024-01-09', '2024-01-10'];

let harness: ImportHarness;
let bundle: Bundle;
before(async () => {
  harness = await createImportHarness();
  await harness.import(harness.seven, priceFile(['AAA', 'BBB'], DAYS));
  await harness.import(harness.seven, priceFile(['CCC'], DAYS), { code: 'other' });
  const values = new Float64Array([1, 2]);
  bundle = await writeBundle(
    harness.objects,
    {},
    { bars: { rowCount: 2, columns: { close: { type: 'float64', values } } } },
  );
  const time = { asOf: '2024-01-10', knownAt: '2024-01-11T00:00:00.000Z', recordedAt: '2024-01-11T00:00:00.000Z' };
  await harness.db.database.transaction(harness.seven, (tx) =>
    insertMissingDataset(tx, 'prices', {}, bundle, { ...time, reconstructed: true }),
  );
});
after(() => harness.close());

const verify = () => verifyInstallation(harness.db.database, harness.objects, [harness.seven]);

/** What nobody but the owner of the tables can do, and only with the guards switched off. */
async function tamper(table: string, statement: string): Promise<void> {
  await harness.db.migrator.query(
    `ALTER TABLE ${table} DISABLE TRIGGER USER; ${statement}; ALTER TABLE ${table} ENABLE TRIGGER USER`,
  );
}

async function faults(): Promise<Record<string, string>> {
  const { ok, checks } = await verify();
  const broken = checks.filter((check) => !check.ok);
  assert.equal(ok, broken.length === 0);
  return Object.fromEntries(broken.map((check) => [check.name, check.sentence]));
}

test('an untouched installation is found whole, and the progress reaches its end', async () => {
  const told: number[] = [];
  const { ok, checks } = await verifyInstallation(
    harness.db.database,
    harness.objects,
    [harness.seven, SYSTEM_PRINCIPAL],
    { progress: (fraction) => told.push(fraction) },
  );
  assert.equal(ok, true, JSON.stringify(checks));
  const counts = checks.slice(0, 5).map(({ name, count }) => [name, count]);
  assert.deepEqual(counts, [
    ['evidence chain of tenant 7', checks[0]?.count],
    ['publications of tenant 7', 2],
    ['row counts of tenant 7', 2],
    ['contents of tenant 7', 2],
    ['objects of tenant 7', 2],
  ]);
  assert.ok((checks[0]?.count ?? 0) >= 2);
  assert.deepEqual(
    told,
    told.toSorted((a, b) => a - b),
  );
  assert.equal(told.at(-1), 1);
});

test('one flipped byte in an evidence body is found, and its record named', async () => {
  const flip = `UPDATE evidence SET body = overlay(body placing chr(ascii(substr(body, 20, 1)) # 1) from 20 for 1)
    WHERE tenant_id = 7 AND sequence = 2`;
  await tamper('evidence', flip);
  assert.match((await faults())['evidence chain'] ?? '', /^Record 2 was changed: its hash differs/);
  await tamper('evidence', flip);
  assert.deepEqual(await faults(), {});
});

test('a record taken out of the chain is found', async () => {
  await tamper('evidence', `UPDATE evidence SET tenant_id = 8 WHERE tenant_id = 7 AND sequence = 1`);
  assert.match((await faults())['evidence chain'] ?? '', /Record 1 is missing/);
  await tamper('evidence', `UPDATE evidence SET tenant_id = 7 WHERE tenant_id = 8`);
});

test('a changed price is found, and its run named', async () => {
  const change = (to: string) =>
    tamper(
      'price_observation',
      `UPDATE price_observation SET close = close ${to} WHERE run_id = 2 AND day = '2024-01-04'`,
    );
  await change('+ 1');
  const found = await faults();
  assert.deepEqual(Object.keys(found), ['contents']);
  assert.match(found.contents ?? '', /^The rows of run 2 were changed/);
  await change('- 1');
});

test('a deleted fact row is found as missing', async () => {
  const keep = `CREATE TABLE kept AS SELECT * FROM price_observation WHERE run_id = 2 AND day = '2024-01-05'`;
  await harness.db.migrator.query(keep);
  await tamper('price_observation', `DELETE FROM price_observation WHERE run_id = 2 AND day = '2024-01-05'`);
  const found = await faults();
  assert.match(found['row counts'] ?? '', /^Run 2 was published with 7 rows and has 6: 1 are missing/);
  assert.match(found.contents ?? '', /^The rows of run 2 were changed/);
  await harness.db.migrator.query('INSERT INTO price_observation SELECT * FROM kept; DROP TABLE kept');
});

test('a publication that is made to fit changed rows still differs from its evidence', async () => {
  const set = (sha: string) =>
    tamper('publication', `UPDATE publication SET content_sha256 = ${sha} WHERE run_id = 1 AND kind = 'publish'`);
  const { rows } = await harness.db.migrator.query(
    `SELECT encode(content_sha256, 'hex') AS sha FROM publication WHERE run_id = 1`,
  );
  await set(`sha256('x')`);
  assert.match((await faults()).publications ?? '', /publication of run 1 has another content hash than its evidence/);
  await set(`decode('${rows[0].sha}', 'hex')`);
});

test('a damaged and a missing object are found, and what needs them is named', async () => {
  const part = bundle.parts[0]?.sha256 ?? '';
  const file = harness.objects.pathOf(part);
  const content = await readFile(file);
  const damaged = Buffer.from(content);
  damaged[damaged.length >> 1]! ^= 1;
  await writeFile(file, damaged);
  const needed = `needed by dataset ${bundle.sha256.slice(0, 12)}`;
  assert.equal(
    (await faults()).objects,
    `Object ${part.slice(0, 12)}, ${needed}, has other content than its hash says.`,
  );
  await rm(file);
  assert.equal((await faults()).objects, `Object ${part.slice(0, 12)}, ${needed}, is missing.`);
  await writeFile(file, content);
  assert.deepEqual(await faults(), {});
});

test('a version of a model that was changed behind the application is found, and so is its file', async () => {
  const parts = { database: harness.db.database, objects: harness.objects };
  const { artefactSha256 } = await fillModels(parts, harness.seven.tenantId, { model: 'judged', mark: 'judged' });
  const untouched = await faults();
  assert.equal(untouched['model versions'], undefined);
  const limits = (text: string) =>
    tamper(
      'model_version',
      `UPDATE model_version SET manifest = jsonb_set(manifest, '{limits}', '["${text}"]') WHERE number = 1`,
    );
  await limits('none');
  assert.match((await faults())['model versions'] ?? '', /Version 1 of judged is not what was registered/);
  await limits('judged');
  assert.equal((await faults())['model versions'], undefined);
  await writeFile(harness.objects.pathOf(artefactSha256), 'something else');
  assert.match(
    (await faults()).objects ?? '',
    new RegExp(`${artefactSha256.slice(0, 12)}, needed by version 1 of model`),
  );
});
