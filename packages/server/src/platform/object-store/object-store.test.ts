import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, type TestContext, test } from 'node:test';
import { type S3Server, skipsS3, startS3 } from '../../../test/object-store/s3-server.ts';
import { ProblemError } from '../problem-error.ts';
import { createBucketStore } from './bucket-store.ts';
import { createFolderStore, type ObjectStore } from './object-store.ts';
import { backWithBucket, openBucket, openObjects } from './open-objects.ts';

// The same tests for objects in a folder and in a bucket of a real server.

const folders: string[] = [];
let server: Promise<S3Server> | undefined;
after(async () => {
  await (await server)?.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp('/tmp/touchstone-objects-');
  folders.push(folder);
  return folder;
}

/** A store of one kind. */
type Kind = {
  name: string;
  /** Null: it cannot be had here. */
  open(t: TestContext): Promise<{
    objects: ObjectStore;
    damage(sha256: string): Promise<void>;
    lose(sha256: string): Promise<void>;
  } | null>;
};

const KINDS: Kind[] = [
  {
    name: 'a folder',
    async open() {
      const objects = createFolderStore(await newFolder());
      return {
        objects,
        damage: (sha256) => writeFile(objects.pathOf(sha256), 'something else'),
        lose: (sha256) => rm(objects.pathOf(sha256)),
      };
    },
  },
  {
    name: 'a bucket',
    async open(t) {
      if (skipsS3(t)) return null;
      server ??= startS3();
      const { settings, s3 } = await server;
      const objects = createBucketStore(await newFolder(), settings);
      const forget = (sha256: string) => rm(objects.pathOf(sha256), { force: true });
      return {
        objects,
        async damage(sha256) {
          await s3.putObject(`${sha256.slice(0, 2)}/${sha256}`, 'something else');
          await forget(sha256);
        },
        async lose(sha256) {
          await s3.deleteObject(`${sha256.slice(0, 2)}/${sha256}`);
          await forget(sha256);
        },
      };
    },
  },
];

const sha256Of = (content: Buffer) => createHash('sha256').update(content).digest('hex');

for (const { name, open } of KINDS) {
  test(`${name}: what is put under its hash is found, read, streamed and there as a file`, async (t) => {
    const store = await open(t);
    if (store === null) return;
    const content = randomBytes(100_000);
    const stored = await store.objects.put(content);
    assert.deepEqual(stored, { sha256: sha256Of(content), byteCount: content.length });
    assert.deepEqual(await store.objects.put(Readable.from([content])), stored);
    assert.deepEqual(await store.objects.find(stored.sha256), stored);
    assert.deepEqual(await store.objects.get(stored.sha256), content);
    assert.deepEqual(await buffer(store.objects.stream(stored.sha256)), content);
    assert.deepEqual(await readFile(await store.objects.fetch(stored.sha256)), content);
    const empty = await store.objects.put(Buffer.alloc(0));
    assert.equal((await store.objects.get(empty.sha256)).length, 0);
  });

  test(`${name}: damaged content is refused by its hash, and what is lost is named`, async (t) => {
    const store = await open(t);
    if (store === null) return;
    const { sha256 } = await store.objects.put(randomBytes(1_000));
    await store.damage(sha256);
    await assert.rejects(store.objects.get(sha256), new RegExp(`${sha256} has other content`));
    await store.lose(sha256);
    assert.equal(await store.objects.find(sha256), undefined);
    await assert.rejects(store.objects.get(sha256));
    await assert.rejects(store.objects.fetch(sha256), new RegExp(sha256));
    await assert.rejects(buffer(store.objects.stream(sha256)));
  });

  test(`${name}: too much is refused before it is kept, and a name that is no hash is a mistake`, async (t) => {
    const store = await open(t);
    if (store === null) return;
    await assert.rejects(
      store.objects.put(Readable.from([randomBytes(600), randomBytes(600)]), { byteCountMax: 1_000 }),
      (error) => error instanceof ProblemError && error.code === 'TOO_LARGE',
    );
    await assert.rejects(async () => store.objects.find('../../etc/passwd'), RangeError);
    await assert.rejects(async () => store.objects.get('../../etc/passwd'), RangeError);
  });
}

test('what one machine puts into a bucket another reads, and a file damaged on its disk is brought again', async (t) => {
  if (skipsS3(t)) return;
  server ??= startS3();
  const { settings } = await server;
  const [one, other] = [createBucketStore(await newFolder(), settings), createBucketStore(await newFolder(), settings)];
  const content = randomBytes(50_000);
  const { sha256, byteCount } = await one.put(content);
  assert.deepEqual(await other.find(sha256), { sha256, byteCount });
  assert.deepEqual(await buffer(other.stream(sha256)), content);
  await writeFile(other.pathOf(sha256), 'something else');
  assert.deepEqual(await other.get(sha256), content);
  assert.deepEqual(await readFile(other.pathOf(sha256)), content);
});

test('an object larger than a part goes to the bucket in parts and comes back whole', async (t) => {
  if (skipsS3(t)) return;
  server ??= startS3();
  const { settings } = await server;
  const partBytes = 5 * 1024 * 1024;
  const content = randomBytes(2 * partBytes + 123);
  const { sha256 } = await createBucketStore(await newFolder(), settings, partBytes).put(content);
  assert.ok((await createBucketStore(await newFolder(), settings).get(sha256)).equals(content));
});

test('objects from before the bucket go there, and a backup finds in the folder all that the bucket has', async (t) => {
  if (skipsS3(t)) return;
  server ??= startS3();
  const { settings } = await server;
  const [before, another] = [await newFolder(), await newFolder()];
  const { sha256 } = await createFolderStore(before).put(randomBytes(2_000));
  backWithBucket(before, settings);
  assert.equal(await openBucket(before)?.sendMissing(), 1);
  assert.equal(await openBucket(before)?.sendMissing(), 0);
  backWithBucket(another, settings);
  assert.ok(((await openBucket(another)?.fetchAll()) ?? 0) >= 1);
  assert.ok((await createFolderStore(another).find(sha256)) !== undefined);
  backWithBucket(another, null);
  assert.equal(openBucket(another), null);
  assert.deepEqual(await openObjects(another).find(sha256), { sha256, byteCount: 2_000 });
});

test('a bucket that is away or refuses the key is told as such; what lies here is still read', async (t) => {
  if (skipsS3(t)) return;
  const own = await startS3();
  const folder = await newFolder();
  const objects = createBucketStore(folder, own.settings);
  const { sha256 } = await objects.put(randomBytes(1_000));
  const wrong = createBucketStore(folder, { ...own.settings, secretKey: 'guessed' });
  const isAway = (error: unknown) => error instanceof ProblemError && error.code === 'OBJECTS_AWAY';
  await assert.rejects(wrong.put(randomBytes(1_000)), isAway);
  await own.stop();
  await assert.rejects(objects.put(randomBytes(1_000)), isAway);
  assert.equal((await objects.get(sha256)).length, 1_000);
});
