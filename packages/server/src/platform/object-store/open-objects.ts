import path from 'node:path';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { type BucketSettings, type BucketStore, createBucketStore } from './bucket-store.ts';
import { createFolderStore, type ObjectStore } from './object-store.ts';

/**
 * Says that the objects of a folder lie in a bucket. Threads made from now on know it as well, so that a folder's name is
 * all a worker needs.
 */
export function backWithBucket(folder: string, settings: BucketSettings | null): void {
  setEnvironmentData(nameOf(folder), settings === null ? '' : JSON.stringify(settings));
}

/** The objects below a folder, or in the bucket that backs it. */
export function openObjects(folder: string): ObjectStore {
  return openBucket(folder) ?? createFolderStore(folder);
}

/** Null for a folder without a bucket. */
export function openBucket(folder: string): BucketStore | null {
  const told = getEnvironmentData(nameOf(folder));
  if (typeof told !== 'string' || told === '') return null;
  const settings: BucketSettings = JSON.parse(told);
  return createBucketStore(folder, settings);
}

function nameOf(folder: string): string {
  return `objects of ${path.resolve(folder)}`;
}
