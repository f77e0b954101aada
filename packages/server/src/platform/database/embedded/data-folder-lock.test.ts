import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { acquireDataFolderLock } from './data-folder-lock.ts';
import { findProcessStartTime, identifyProcess, judgeLiveness } from './process-identity.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync('/tmp/touchstone-lock-');
  path = join(folder, 'server.lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('one of many simultaneous takers gets the lock, and it is free again after release', async () => {
  const takers = await Promise.allSettled(Array.from({ length: 8 }, () => acquireDataFolderLock(path, folder)));
  const winners = takers.filter((taker) => taker.status === 'fulfilled');
  assert.equal(winners.length, 1);
  winners[0]?.value.release();
  assert.deepEqual(readdirSync(folder), []);
  (await acquireDataFolderLock(path, folder)).release();
});

test('replaces a lock whose process number was given to another program', async () => {
  leave({ ...identifyProcess(process.ppid), startTime: '1' });
  (await acquireDataFolderLock(path, folder)).release();
});

test('replaces a lock from before the machine was started again, and one that cannot be read', async () => {
  leave({ ...identifyProcess(process.pid), bootId: 'another boot' });
  (await acquireDataFolderLock(path, folder)).release();
  writeFileSync(path, '{"pid":');
  (await acquireDataFolderLock(path, folder)).release();
});

test('replaces a lock of another container that is not renewed any more', async () => {
  leave({ ...identifyProcess(process.pid), pidNamespace: 'pid:[1]' });
  (await acquireDataFolderLock(path, folder)).release();
  assert.equal(existsSync(path), false);
});

test('refuses a lock of another container that is still renewed', async () => {
  leave({ ...identifyProcess(process.pid), pidNamespace: 'pid:[1]', pid: 4711 });
  const renewal = setInterval(() => utimesSync(path, new Date(), new Date()), 500);
  try {
    await assert.rejects(acquireDataFolderLock(path, folder), /is in use by process 4711\./);
  } finally {
    clearInterval(renewal);
  }
});

test('a process is told from a later one with its number, and an ended one counts as dead', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const identity = identifyProcess(child.pid ?? 0);
  assert.equal(judgeLiveness(identity), 'alive');
  assert.equal(judgeLiveness({ ...identity, startTime: `${identity.startTime}0` }), 'dead');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(judgeLiveness(identity), 'dead');
  assert.equal(findProcessStartTime(-1), undefined);
});

function leave(lock: object): void {
  writeFileSync(path, JSON.stringify(lock));
}
