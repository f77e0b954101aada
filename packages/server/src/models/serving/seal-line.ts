import type { Database, Principal } from '../../platform/database/database.ts';
import { insertMissingPredictions, type NewPrediction, type StoredPrediction } from './prediction.repository.ts';

/** A prediction as it is stored now. */
export type Written = { stored: StoredPrediction; isOld: boolean };
type Waiting = {
  prediction: NewPrediction;
  resolve: (written: Written) => void;
  reject: (error: unknown) => void;
};

/** Written in one transaction; beyond it the next one takes them. */
const BATCH_MAX = 250;
const WAITING_MAX = 20_000;

/**
 * Writes predictions before they are answered. Those that come while one transaction is on its way share the next: one
 * record of the evidence, one commit, so that the number of requests is not bounded by the disk's.
 */
export function createSealLine(database: Database) {
  const lines = new Map<string, Waiting[]>();

  async function drain(key: string, principal: Principal, line: Waiting[]): Promise<void> {
    while (line.length > 0) {
      const batch = line.splice(0, BATCH_MAX);
      try {
        await write(principal, batch);
      } catch (error) {
        if (batch.length === 1) batch[0]!.reject(error);
        // One that cannot be written must not take the others with it.
        else for (const one of batch) await write(principal, [one]).catch(one.reject);
      }
    }
    lines.delete(key);
  }

  async function write(principal: Principal, batch: readonly Waiting[]): Promise<void> {
    const written = await database.transaction(principal, (tx) =>
      insertMissingPredictions(
        tx,
        batch.map(({ prediction }) => prediction),
      ),
    );
    for (const [i, { resolve }] of batch.entries()) resolve(written[i]!);
  }

  return {
    /** Answers when it is committed. */
    write: ({ tenantId, actorId }: Principal, prediction: NewPrediction): Promise<Written> =>
      new Promise((resolve, reject) => {
        const key = `${tenantId} ${actorId}`;
        const line = lines.get(key);
        const waiting = { prediction, resolve, reject };
        if (line === undefined) {
          const begun = [waiting];
          lines.set(key, begun);
          // Those of the same turn of the event loop go together.
          setImmediate(() => void drain(key, { tenantId, actorId }, begun));
        } else if (line.length >= WAITING_MAX) reject(new Error(`${WAITING_MAX} predictions wait to be written`));
        else line.push(waiting);
      }),
  };
}
