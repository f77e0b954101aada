import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { S3mini } from 's3mini';
import type { BucketSettings } from '../../src/platform/object-store/bucket-store.ts';

const PYTHON = '/usr/bin/python3';
const isRequired = (process.env.TOUCHSTONE_REQUIRE ?? '').split(/[\s,]+/).includes('s3');
let isInstalled: boolean | undefined;

/** Says why a test cannot run here; under CI that is a failure. */
export function skipsS3(t: TestContext): boolean {
  isInstalled ??= spawnSync(PYTHON, ['-c', 'import swift, eventlet']).status === 0;
  if (isInstalled) return false;
  if (isRequired)
    throw new Error('A server that speaks S3 is required here (TOUCHSTONE_REQUIRE): install python3-swift.');
  t.skip('OpenStack Swift (python3-swift) is not installed here');
  return true;
}

/** A real S3 API with signatures of version 4: OpenStack Swift on a free port, with an empty bucket. */
export type S3Server = { settings: BucketSettings; s3: S3mini; kill(): Promise<void>; stop(): Promise<void> };

export async function startS3(): Promise<S3Server> {
  const folder = await mkdtemp('/tmp/touchstone-s3-');
  const key = { accessKey: 'test:tester', secretKey: 'testing' };
  const child = spawn(
    PYTHON,
    [path.join(import.meta.dirname, 'swift-server.py'), folder, key.accessKey, key.secretKey],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const port = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`Swift ended with ${code} before it answered.`)));
  });
  const settings = { endpoint: `http://127.0.0.1:${port}`, bucket: 'objects', region: 'us-east-1', ...key };
  const s3 = new S3mini({
    endpoint: `${settings.endpoint}/${settings.bucket}`,
    ...{ accessKeyId: key.accessKey, secretAccessKey: key.secretKey, region: settings.region },
  });
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };
  const stop = async () => {
    await kill();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    if (!(await s3.createBucket())) throw new Error('The bucket was not made.');
  } catch (error) {
    await stop();
    throw error;
  }
  return { settings, s3, kill, stop };
}
