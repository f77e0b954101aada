import { randomUUID } from 'node:crypto';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database, Principal } from '../../platform/database/database.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import { createThreadRunner, type PartRunner } from './part-runner.ts';
import {
  type ClaimedPart,
  claimPart,
  countParts,
  failPart,
  finishPart,
  type PartCounts,
  releaseParts,
  renewLeases,
} from './training.repository.ts';
import type { PartJob } from './training.worker.ts';

export type PartLoopParts = {
  database: Database;
  objects: ObjectStore;
  compute: Compute;
  /** Parts at a time. */
  lanes: number;
  /** A worker that says nothing for so long is gone. */
  leaseMs: number;
  /** How a part is done; for tests another module. */
  worker?: URL;
  /** Where parts are done; default: on own threads. */
  runner?: PartRunner;
};

export type PartLoopOptions = {
  signal: AbortSignal;
  onProgress(counts: PartCounts, part: ClaimedPart | null): void;
};

/** A part that fails unexpectedly is tried so often in all. */
const FAILURES_MAX = 2;
const POLL_MS = 250;
/** Parts are short; one that takes longer hangs. */
const PART_LIMIT_MS = 20 * 60_000;

/**
 * Does parts of a training until none is left to take, together with every other process that does the same: parts are claimed in
 * the database, and results lie in the object store under the hash of their content.
 *
 * @returns how many this worker did.
 * @throws the signal's reason; what it had claimed is let go.
 */
export async function runParts(
  parts: PartLoopParts,
  principal: Principal,
  trainingId: number,
  { signal, onProgress }: PartLoopOptions,
): Promise<number> {
  const { database, objects, compute, leaseMs } = parts;
  const runner = parts.runner ?? createThreadRunner(compute, parts.worker);
  const lanes = runner.lanes ?? parts.lanes;
  const me = randomUUID();
  const tables = new Map<string, Promise<Uint8Array>>();
  let done = 0;
  const renew = setInterval(() => {
    // The next renewal tells as well; at worst another worker does the same part, with the same result.
    database.transaction(principal, (tx) => renewLeases(tx, trainingId, me, leaseMs)).catch(() => {});
  }, leaseMs / 3);

  async function doPart(part: ClaimedPart): Promise<void> {
    const over = AbortSignal.timeout(PART_LIMIT_MS);
    try {
      const tableBytes = await tableOf(part.tableSha256);
      const job: PartJob = { tableSha256: part.tableSha256, tableBytes, spec: part.spec };
      const { bytes, seconds } = await runner.run(job, AbortSignal.any([signal, over]));
      const { sha256 } = await objects.put(Buffer.from(bytes));
      await database.transaction(principal, (tx) =>
        finishPart(tx, trainingId, { ordinal: part.ordinal, resultSha256: sha256, seconds }),
      );
      done += 1;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ProblemError) throw error;
      const problem = error instanceof Error ? error.message : String(error);
      await database.transaction(principal, (tx) =>
        failPart(tx, trainingId, { ordinal: part.ordinal, problem, failuresMax: FAILURES_MAX }),
      );
    }
  }

  function tableOf(sha256: string): Promise<Uint8Array> {
    const known = tables.get(sha256);
    if (known !== undefined) return known;
    // Only the table in use is kept: parts of one table come after each other.
    tables.clear();
    const loading = getKept(objects, sha256).then(share);
    tables.set(sha256, loading);
    return loading;
  }

  async function lane(): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const part = await database.transaction(principal, (tx) => claimPart(tx, trainingId, me, leaseMs));
      if (part === undefined) return;
      await doPart(part);
      onProgress(await counts(), part);
    }
  }

  const counts = () => database.transaction(principal, (tx) => countParts(tx, trainingId), { readOnly: true });

  try {
    // All lanes end before anything is let go, whichever of them failed.
    const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return done;
  } finally {
    clearInterval(renew);
    await database.transaction(principal, (tx) => releaseParts(tx, trainingId, me)).catch(() => {});
  }
}

/** Something a training keeps in the object store. @throws ProblemError NOT_POSSIBLE_NOW when it is gone or damaged. */
export async function getKept(objects: ObjectStore, sha256: string): Promise<Buffer> {
  try {
    return await objects.get(sha256);
  } catch (error) {
    throw new ProblemError(
      'NOT_POSSIBLE_NOW',
      `Rows or results of this training (${sha256.slice(0, 12)}) are gone. Run it again: they are made anew.`,
      { cause: error },
    );
  }
}

/** The same bytes in memory that threads share: they are handed over with every part. */
function share(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

/** The same, and waits for parts that others do: whoever dies, its parts come back. */
export async function runAllParts(
  parts: PartLoopParts,
  principal: Principal,
  trainingId: number,
  options: PartLoopOptions,
): Promise<void> {
  for (;;) {
    await runParts(parts, principal, trainingId, options);
    const counts = await parts.database.transaction(principal, (tx) => countParts(tx, trainingId), { readOnly: true });
    options.onProgress(counts, null);
    if (counts.partsDone + counts.partsFailed >= counts.partCount) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    options.signal.throwIfAborted();
  }
}
