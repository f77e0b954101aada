import { z } from 'zod';
import type { Database, Transaction } from '../../platform/database/database.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import type { TaskContext, TaskInput, Tasks } from '../../platform/tasks/tasks.ts';
import type { AnomalyService } from '../anomalies/anomalies.service.ts';
import type { RegimeService } from '../regimes/regimes.service.ts';

export const MARKET_RECORD_TASK = 'models.market-record.run';

const input = z.object({ universeId: z.int() });

/** What a universe stands for. Universes belong to a later stage, so this comes from the wiring. */
type UniverseBars = (tx: Transaction, universeId: number) => Promise<{ instrumentIds: readonly number[] }>;

/**
 * Puts on record what is said today of every member of a universe: its regime, and a case for each new anomaly.
 *
 * Safe to run twice: what is on record already is counted and left. A member with too little history is counted with it.
 */
export function registerMarketRecordTask(parts: {
  database: Database;
  tasks: Tasks;
  regimes: RegimeService;
  anomalies: AnomalyService;
  universeBars: UniverseBars;
}): void {
  const { database, tasks, regimes, anomalies } = parts;

  async function run(given: TaskInput, { principal, signal, progress }: TaskContext) {
    const { universeId } = input.parse(given);
    const { instrumentIds } = await database.transaction(principal, (tx) => parts.universeBars(tx, universeId), {
      readOnly: true,
    });
    const told = { regimesSealed: 0, regimesKnown: 0, casesOpened: 0, withoutHistory: 0 };
    for (const [k, id] of instrumentIds.entries()) {
      signal.throwIfAborted();
      progress(k / instrumentIds.length, `Member ${k + 1} of ${instrumentIds.length}`);
      const subject = { kind: 'instrument', id } as const;
      const regime = await outcomeOf(regimes.seal(principal, subject, {}));
      if (regime.problem === 'ALREADY_EXISTS') told.regimesKnown += 1;
      else if (regime.problem === null) told.regimesSealed += 1;
      const anomaly = await outcomeOf(anomalies.seal(principal, subject, { sessions: 1 }));
      told.casesOpened += anomaly.value?.opened.length ?? 0;
      if (regime.problem === 'NOT_ENOUGH_HISTORY') told.withoutHistory += 1;
    }
    return { universeId, memberCount: instrumentIds.length, ...told };
  }
  tasks.register(MARKET_RECORD_TASK, run);
}

const EXPECTED = ['ALREADY_EXISTS', 'NOT_ENOUGH_HISTORY', 'NOT_FOUND'] as const;
type Expected = (typeof EXPECTED)[number];

/** One member that has nothing to tell must not stop the others. Anything unexpected still does. */
async function outcomeOf<T>(work: Promise<T>): Promise<{ value: T | null; problem: Expected | null }> {
  try {
    return { value: await work, problem: null };
  } catch (error) {
    const problem = EXPECTED.find((code) => error instanceof ProblemError && error.code === code);
    if (problem === undefined) throw error;
    return { value: null, problem };
  }
}
