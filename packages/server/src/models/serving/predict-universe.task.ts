import type { Task } from '@touchstone/contracts/tasks';
import { z } from 'zod';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import type { TaskEngine } from '../../platform/tasks/task-engine.ts';
import type { TaskContext, TaskInput } from '../../platform/tasks/tasks.ts';
import type { Registry } from '../registry/registry.types.ts';
import type { ServingService } from './serving.service.ts';

export const PREDICT_TASK = 'models.serving.predict';

const input = z.strictObject({
  model: z.string(),
  universeId: z.int(),
  asOf: z.string().optional(),
  knownAt: z.string().optional(),
  recordedAt: z.string().optional(),
  alias: z.string().optional(),
  version: z.int().optional(),
});
type Input = z.infer<typeof input>;

export type UniversePredictions = ReturnType<typeof registerUniversePredictions>;

type ResolveUniverse = (
  tx: Transaction,
  universeId: number,
) => Promise<{ name: string; instrumentIds: readonly number[] }>;

/** Members asked at once: between them the task can be stopped. */
const PART = 100;

/** Forecasts of a whole universe, by request and by schedule. Safe to run twice: what was said stays said. */
export function registerUniversePredictions(parts: {
  database: Database;
  tasks: TaskEngine;
  registry: Registry;
  serving: ServingService;
  universeBars: ResolveUniverse;
}) {
  const { database, tasks, registry, serving, universeBars } = parts;

  async function run(given: TaskInput, { principal, signal, progress }: TaskContext) {
    const { universeId, model, ...question } = input.parse(given);
    const { instrumentIds } = await database.transaction(principal, (tx) => universeBars(tx, universeId), {
      readOnly: true,
    });
    const told = { predicted: 0, abstained: 0, fromStore: 0, problems: 0 };
    const problems: string[] = [];
    for (let from = 0; from < instrumentIds.length; from += PART) {
      signal.throwIfAborted();
      progress(from / instrumentIds.length, `Member ${from + 1} of ${instrumentIds.length}`);
      const subjects = instrumentIds.slice(from, from + PART).map((id) => ({ kind: 'instrument' as const, id }));
      const { items } = await serving.predictMany(principal, model, { ...question, subjects });
      for (const { prediction, problem } of items) {
        if (problem !== null) {
          told.problems += 1;
          if (problems.length < 20) problems.push(problem.detail);
        } else if (prediction?.fromStore) told.fromStore += 1;
        else if (prediction?.forecast.value === null) told.abstained += 1;
        else told.predicted += 1;
      }
    }
    return { model, universeId, memberCount: instrumentIds.length, ...told, firstProblems: problems };
  }

  /** @throws NOT_FOUND, INVALID_REQUEST */
  async function check(tx: Transaction, given: TaskInput): Promise<Input> {
    const parsed = input.safeParse(given);
    if (!parsed.success)
      throw new ProblemError('INVALID_REQUEST', 'The input of this kind must be { model, universeId }.', {
        details: parsed.error.issues.map(({ path, message }) => ({
          path: ['body.input', ...path].join('.'),
          rule: message,
        })),
      });
    await universeBars(tx, parsed.data.universeId);
    await registry.listAliases(tx, parsed.data.model);
    return parsed.data;
  }

  tasks.register(PREDICT_TASK, run);
  tasks.registerSchedule('predict', (given) => ({ kind: PREDICT_TASK, title: 'Predict on schedule', input: given }));
  tasks.registerScheduleCheck('predict', check);

  return {
    /** @throws NOT_FOUND */
    start: (principal: Principal, given: Input): Promise<Task> =>
      database.transaction(principal, async (tx) => {
        const checked = await check(tx, given);
        const { name } = await universeBars(tx, checked.universeId);
        return tasks.start(tx, { kind: PREDICT_TASK, title: `Predict ${checked.model} of ${name}`, input: checked });
      }),
  };
}
