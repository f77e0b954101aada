import type { TargetName } from '@touchstone/contracts/model-manifest';
import { z } from 'zod';
import type { Database, Principal } from '../../platform/database/database.ts';
import { readBundle } from '../../platform/object-store/bundle.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { hasDataset } from './foreign.repository.ts';

/** The rows of one target in a frozen dataset. */
export type FrozenTable = {
  datasetSha256: string;
  tableSha256: string;
  universeId: number | null;
  bytes: Uint8Array;
};

const about = z.object({
  question: z.object({
    universe: z.int().nullable().optional(),
    tables: z.array(z.object({ target: z.string(), sha256: z.string() })).optional(),
  }),
});

/** @throws NOT_FOUND naming what is gone or was never there; ARTEFACT_DAMAGED. */
export async function readFrozenTable(
  { database, objects }: { database: Database; objects: ObjectStore },
  principal: Principal,
  datasetSha256: string,
  target: TargetName,
): Promise<FrozenTable> {
  const short = datasetSha256.slice(0, 12);
  const isKnown = await database.transaction(principal, (tx) => hasDataset(tx, datasetSha256), { readOnly: true });
  found(
    isKnown || null,
    `The dataset ${short} is gone or was never frozen here. Freeze one, or name one that is here.`,
  );
  const { question } = about.parse((await readable(readBundle(objects, datasetSha256), short)).about);
  const table = question.tables?.find((candidate) => candidate.target === target);
  const { sha256: tableSha256 } = found(table, `The dataset ${short} holds no rows of ${target}.`);
  const bytes = await readable(objects.get(tableSha256), short);
  return { datasetSha256, tableSha256, universeId: question.universe ?? null, bytes };
}

async function readable<T>(reading: Promise<T>, short: string): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw new ProblemError(
      'ARTEFACT_DAMAGED',
      `A file of the dataset ${short} is gone or is not what was stored. Restore it from a backup, or freeze it again.`,
      { cause: error },
    );
  }
}
