import type { Task } from '@touchstone/contracts/tasks';
import type { Target } from '@touchstone/quant/evaluation/targets/targets';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { z } from 'zod';
import type { SeriesService } from '../../features/index.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database, Principal } from '../../platform/database/database.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import type { TaskEngine } from '../../platform/tasks/task-engine.ts';
import type { TaskContext, TaskInput } from '../../platform/tasks/tasks.ts';
import { insertOutcomes, listPending, type NewOutcome, type PendingPrediction } from './outcome.repository.ts';
import {
  isInside,
  lossOf,
  rankedOutcome,
  type SettledOutcome,
  settledOutcomes,
  targetOf,
  volatilityAt,
} from './outcome-of.ts';

export const OUTCOMES_TASK = 'models.serving.outcomes';

const DAY_MS = 86_400_000;
const PAGE = 2_000;
/** Outcomes of one transaction: one record of the evidence names them. */
const PART = 500;

export type OutcomeTasks = ReturnType<typeof registerOutcomes>;

type Series = Awaited<ReturnType<SeriesService['read']>>;

/** Joins what happened to predictions that are due, as known by now. Safe to run twice and to stop halfway. */
export function registerOutcomes(parts: {
  database: Database;
  tasks: TaskEngine;
  series: SeriesService;
  clock: Clock;
}) {
  const { database, tasks, series, clock } = parts;

  async function run(_input: TaskInput, { principal, signal, progress }: TaskContext) {
    const told = { due: 0, joined: 0, notSettled: 0, withoutTarget: 0 };
    const today = dayText(Math.floor(clock.now() / DAY_MS));
    let after = 0;
    for (;;) {
      signal.throwIfAborted();
      const pending = await database.transaction(principal, (tx) => listPending(tx, { today, after, limit: PAGE }), {
        readOnly: true,
      });
      if (pending.length === 0) return told;
      after = pending.at(-1)!.id;
      told.due += pending.length;
      progress(0.5, `Join ${told.due} outcomes`);
      const found = await findOutcomes(principal, pending, signal);
      told.withoutTarget += found.withoutTarget;
      told.notSettled += pending.length - found.outcomes.length - found.withoutTarget;
      for (let from = 0; from < found.outcomes.length; from += PART) {
        const part = found.outcomes.slice(from, from + PART);
        const { joined } = await database.transaction(principal, (tx) => insertOutcomes(tx, part, found.knownAt));
        told.joined += joined;
      }
    }
  }

  async function findOutcomes(principal: Principal, pending: readonly PendingPrediction[], signal: AbortSignal) {
    const outcomes: NewOutcome[] = [];
    let withoutTarget = 0;
    let knownAt = new Date(clock.now()).toISOString();
    const bySubject = Map.groupBy(pending, ({ subjectKind, subjectId }) => `${subjectKind} ${subjectId}`);
    const ranks = createRanks(principal);
    for (const group of bySubject.values()) {
      signal.throwIfAborted();
      const { subjectKind, subjectId } = group[0]!;
      const known = await readOrNothing(principal, subjectKind, subjectId);
      if (known === null) continue;
      knownAt = known.time.knownAt;
      const settled = new Map<string, Map<number, SettledOutcome>>();
      for (const prediction of group) {
        const target = targetOf(prediction.target);
        if (target === null) {
          withoutTarget += 1;
          continue;
        }
        const own = settled.get(target.name) ?? settledOutcomes(target, known.bars);
        settled.set(target.name, own);
        const outcome = target.acrossPanel
          ? await ranks.find(target, prediction)
          : (own.get(dayNumber(prediction.eventDay)) ?? null);
        if (outcome !== null) outcomes.push(judge(target, prediction, outcome, known));
      }
    }
    return { outcomes, withoutTarget, knownAt };
  }

  async function readOrNothing(principal: Principal, kind: 'instrument' | 'index', id: number): Promise<Series | null> {
    try {
      return await series.read(principal, { kind, id }, {});
    } catch (error) {
      // An index that was deleted has no outcome any more; the others still have theirs.
      if (error instanceof ProblemError) return null;
      throw error;
    }
  }

  /** Outcomes that are places in a universe: each universe is read once. */
  function createRanks(principal: Principal) {
    const kept = new Map<number, Promise<Map<number, Map<number, SettledOutcome>>>>();
    async function read(universeId: number, target: Target) {
      const { members } = await series.readUniverse(principal, universeId, {});
      return new Map(members.map(({ subject, bars }) => [subject.id, settledOutcomes(target, bars)]));
    }
    return {
      async find(
        target: Target,
        { universeId, subjectId, eventDay }: PendingPrediction,
      ): Promise<SettledOutcome | null> {
        if (universeId === null) return null;
        const members = kept.get(universeId) ?? read(universeId, target);
        kept.set(universeId, members);
        return rankedOutcome(await members, subjectId, eventDay);
      },
    };
  }

  tasks.register(OUTCOMES_TASK, run);
  tasks.registerSchedule('outcomes', () => ({ kind: OUTCOMES_TASK, title: 'Join outcomes on schedule', input: {} }));
  tasks.registerScheduleCheck('outcomes', async (_tx, input) => {
    if (z.strictObject({}).safeParse(input).success) return {};
    throw new ProblemError('INVALID_REQUEST', 'The input of this kind must be {}.');
  });

  return {
    start: (principal: Principal): Promise<Task> =>
      database.transaction(principal, (tx) =>
        tasks.start(tx, { kind: OUTCOMES_TASK, title: 'Join the outcomes of predictions', input: {} }),
      ),
    run,
  };
}

function judge(target: Target, prediction: PendingPrediction, outcome: SettledOutcome, { bars }: Series): NewOutcome {
  const { value, baseline, lower, upper, eventDay } = prediction;
  return {
    ...{ prediction, value: outcome.value, day: outcome.day },
    ...{ loss: lossOf(target, value, outcome.value), baselineLoss: lossOf(target, baseline, outcome.value) },
    inside: isInside(target, lower, upper, outcome.value),
    volatility: volatilityAt(bars, eventDay),
  };
}
