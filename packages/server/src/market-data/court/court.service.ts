import type { Task } from '@touchstone/contracts/tasks';
import { CALENDAR_CODES } from '@touchstone/quant/series/trading-calendar';
import type { PoolConfig } from 'pg';
import { z } from 'zod';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import type { TaskContext, TaskInput, Tasks } from '../../platform/tasks/tasks.ts';
import { publishInTransaction } from '../facts/publish-run.ts';
import { findOwnSource, insertRun } from '../price-import/price-import.repository.ts';
import type { CourtJob, CourtOutcome } from './court.worker.ts';

export const COURT_TASK = 'market-data.court.run';

/** What a universe stands for. Universes belong to a later stage, so this comes from the wiring. */
export type UniverseBars = (
  tx: Transaction,
  universeId: number,
) => Promise<{ name: string; sourceId: number; instrumentIds: number[] }>;

export type CourtParts = {
  database: Database;
  /** How a worker reaches the database as the application. */
  connection: PoolConfig;
  compute: Compute;
  tasks: Tasks;
  universeBars: UniverseBars;
};

export type CourtService = ReturnType<typeof createCourtService>;

const WORKER = new URL('./court.worker.ts', import.meta.url);
const input = z.object({ universeId: z.int() });

/** Lets the quality court look at bars that are out already. It opens cases; it changes no fact. */
export function createCourtService(parts: CourtParts) {
  const { database, compute, tasks } = parts;

  /** @throws NOT_FOUND, NOT_POSSIBLE_NOW for bars of the system */
  async function check(tx: Transaction, universeId: number) {
    const bars = await parts.universeBars(tx, universeId);
    const source = await findOwnSource(tx, bars.sourceId);
    if (source === undefined) {
      throw new ProblemError(
        'NOT_POSSIBLE_NOW',
        `The prices of ${bars.name} belong to the system, which judges them itself.`,
      );
    }
    return { ...bars, source };
  }

  async function run(given: TaskInput, context: TaskContext): Promise<Record<string, unknown>> {
    const { principal, signal, progress } = context;
    const { universeId } = input.parse(given);
    const { job, name } = await database.transaction(principal, async (tx) => {
      const { name, source, instrumentIds } = await check(tx, universeId);
      return { name, job: jobOf(parts, principal, source, instrumentIds) };
    });
    const { length } = job.instrumentIds;
    progress(0.05, `Judging the bars of ${length} instruments`);
    const outcome =
      length === 0
        ? { barCount: 0, findingCount: 0, cases: [] }
        : await compute.run<CourtOutcome>(WORKER, 'judgeAgain', job, { signal });
    const told = { universeId, barCount: outcome.barCount, findingCount: outcome.findingCount };
    if (outcome.cases.length === 0) return { ...told, newCaseCount: 0, runId: null };
    progress(0.9, `Opening ${outcome.cases.length} cases`);
    const runId = await database.transaction(principal, (tx) => openCases(tx, job, outcome, name));
    return { ...told, newCaseCount: outcome.cases.length, runId };
  }
  tasks.register(COURT_TASK, run);

  return {
    check: async (tx: Transaction, universeId: number): Promise<void> => void (await check(tx, universeId)),
    start: (principal: Principal, universeId: number): Promise<Task> =>
      database.transaction(principal, async (tx) => {
        const { name } = await check(tx, universeId);
        return tasks.start(tx, { kind: COURT_TASK, title: `Judge ${name} again`, input: { universeId } });
      }),
  };
}

function jobOf(
  { connection, database: { objectsFolder } }: Pick<CourtParts, 'connection' | 'database'>,
  principal: Principal,
  source: { id: number; name: string; calendar: string; price_basis: string | null },
  instrumentIds: number[],
): CourtJob {
  const calendar = found(
    CALENDAR_CODES.find((known) => known === source.calendar),
    `There is no calendar ${source.calendar}.`,
  );
  const priceBasis = z.enum(['raw', 'split_adjusted', 'total_return']).catch('raw').parse(source.price_basis);
  return { connection, objectsFolder, principal, source: { id: source.id, calendar, priceBasis }, instrumentIds };
}

/** A publication without a row: from then on the cases are in sight, and answers told before stay as they were. */
async function openCases(tx: Transaction, job: CourtJob, { cases }: CourtOutcome, name: string): Promise<number> {
  const note = `The court looked at ${name} again.`;
  const runId = await insertRun(tx, {
    ...{ sourceId: job.source.id, kind: 'prices', fileName: null, note },
    options: { court: true },
  });
  const days = cases.flatMap(({ firstDay, lastDay }) => [firstDay, lastDay]).sort();
  await publishInTransaction(tx, {
    ...{ runId, tables: [], held: null, cases, contentSha256: null, errors: [] },
    instrumentIds: [...new Set(cases.flatMap(({ instrumentId }) => instrumentId ?? []))],
    counts: {
      ...{ rowCount: 0, acceptedCount: 0, unchangedCount: 0, revisedCount: 0, quarantinedCount: 0, errorCount: 0 },
    },
    ...{ firstDay: days[0] ?? null, lastDay: days.at(-1) ?? null },
    ...{ priceBasis: null, fileSha256: null, note, reason: note },
  });
  return runId;
}
