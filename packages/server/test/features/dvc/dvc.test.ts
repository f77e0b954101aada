import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type DvcPointer, pointerTo } from '../../../src/features/dataset/dvc-pointer.ts';
import { createTestDatabase, type TestDatabase } from '../../cluster.ts';
import { fillTenant, must, startWholeServer } from '../../edges/whole-server.ts';
import type { TestServer } from '../../test-server.ts';

const OTHER = path.join(import.meta.dirname, '../../../../../.peers-dvc/bin/python');
const run = promisify(execFile);

let db: TestDatabase;
let server: TestServer;
let token: string;
let folder: string;
let sha256: string;
before(async () => {
  folder = await mkdtemp('/tmp/touchstone-dvc-');
  db = await createTestDatabase();
  server = await startWholeServer(db, { runTasks: true });
  token = await server.tokenFor('owner', 5);
  sha256 = (await fillTenant(server, token, 'pointed')).datasetSha256;
});
after(async () => {
  await server.close();
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

test('the pointer of a folder is the one dvc wrote for it', async () => {
  const text = await readFile(path.join(import.meta.dirname, 'dvc-pointer.json'), 'utf8');
  const recorded: { files: Record<string, string>; pointer: string; cache: Record<string, string> } = JSON.parse(text);
  const files = Object.entries(recorded.files).map(([name, content]) => ({
    ...{ part: name, path: name, byteCount: content.length },
    md5: createHash('md5').update(content).digest('hex'),
  }));
  const { pointer, directory } = pointerTo('dataset', files, {});
  assert.equal(pointer, recorded.pointer);
  assert.equal(recorded.cache[`${directory.md5.slice(0, 2)}/${directory.md5.slice(2)}.dir`], directory.text);
});

test('every file of the pointer can be downloaded and has the md5 it says', async () => {
  const pointer = (await must(server, token, 'GET', `/datasets/${sha256}/dvc`)) as DvcPointer;
  assert.deepEqual(
    pointer.files.map((file) => file.path),
    ['bars.arrow', 'manifest.json'],
  );
  for (const file of pointer.files)
    assert.equal(
      createHash('md5')
        .update(await download(file.part))
        .digest('hex'),
      file.md5,
    );
});

async function download(part: string): Promise<Buffer> {
  const headers = { authorization: `Bearer ${token}` };
  const reply = await fetch(`${server.url}/api/v1/datasets/${sha256}/file?part=${part}`, { headers });
  assert.equal(reply.status, 200);
  return Buffer.from(await reply.arrayBuffer());
}

test('dvc itself pulls a dataset from a remote that we wrote, and finds nothing changed', async (t) => {
  const python = [process.env.TOUCHSTONE_DVC_PYTHON ?? '', OTHER].find((file) => file !== '' && existsSync(file));
  if (python === undefined) {
    t.skip('dvc is not installed here: npm run peers, or TOUCHSTONE_DVC_PYTHON');
    return;
  }
  const { name, pointer, directory, files } = (await must(
    server,
    token,
    'GET',
    `/datasets/${sha256}/dvc`,
  )) as DvcPointer;
  const [repository, remote] = [path.join(folder, 'repository'), path.join(folder, 'remote')];
  const keep = async (md5: string, content: Buffer | string) => {
    const file = path.join(remote, 'files/md5', md5.slice(0, 2), md5.slice(2));
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  };
  await mkdir(repository);
  for (const file of files) await keep(file.md5, await download(file.part));
  await keep(`${directory.md5}.dir`, directory.text);
  await writeFile(path.join(repository, `${name}.dvc`), pointer);
  const dvc = async (...words: string[]) =>
    (await run(path.join(path.dirname(python), 'dvc'), words, { cwd: repository, timeout: 60_000 })).stdout;
  t.diagnostic(`dvc ${(await dvc('--version')).trim()}`);
  await dvc('init', '--no-scm', '--quiet');
  await dvc('remote', 'add', '--default', 'ours', remote);
  await dvc('pull');
  assert.match(await dvc('status'), /up to date/);
  assert.deepEqual((await readdir(path.join(repository, name))).sort(), ['bars.arrow', 'manifest.json']);
  assert.deepEqual(await readFile(path.join(repository, name, 'bars.arrow')), await download('bars'));
  await rm(path.join(repository, name), { recursive: true });
  await dvc('checkout');
  assert.match(await dvc('status'), /up to date/);
});
