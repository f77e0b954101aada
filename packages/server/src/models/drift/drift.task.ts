import { z } from 'zod';
import type { Database, Principal } from '../../platform/database/database.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import type { TaskEngine } from '../../platform/tasks/task-engine.ts';
import { findModel } from '../registry/model.repository.ts';
import { listServedModels } from './drift.repository.ts';
import type { DriftService } from './drift.service.ts';

export const DRIFT_TASK = 'models.drift.run';

export type DriftTask = ReturnType<typeof registerDriftTask>;

/** Absent: every model with a champion. */
const input = z.object({ model: z.string().optional() });

/** Checks served models, one after the other. Safe to run twice: it is another check. */
export function registerDriftTask(database: Database, tasks: TaskEngine, drift: DriftService) {
  tasks.register(DRIFT_TASK, async (given, { principal, signal, progress }) => {
    const { model } = input.parse(given);
    const models =
      model === undefined ? await database.transaction(principal, listServedModels, { readOnly: true }) : [model];
    const told: Record<string, unknown>[] = [];
    for (const [k, name] of models.entries()) {
      signal.throwIfAborted();
      progress(k / models.length, `Model ${k + 1} of ${models.length}`);
      try {
        told.push({ model: name, ...(await drift.check(principal, name, signal)) });
      } catch (error) {
        // One that cannot be checked must not keep the others from it; asked for alone, it is told.
        if (!(error instanceof ProblemError) || model !== undefined) throw error;
        told.push({ model: name, problem: error.code, detail: error.message });
      }
    }
    return { models: told };
  });

  tasks.registerSchedule('drift', (given) => ({
    kind: DRIFT_TASK,
    title: 'Check served models for drift',
    input: given,
  }));
  tasks.registerScheduleCheck('drift', async (_tx, given) => {
    if (z.strictObject({}).safeParse(given).success) return {};
    throw new ProblemError('INVALID_REQUEST', 'The input of this kind must be {}: it checks every served model.');
  });

  return {
    start: (principal: Principal, model: string) =>
      database.transaction(principal, async (tx) => {
        found(await findModel(tx, model), `There is no model ${model}.`);
        const served = await listServedModels(tx);
        if (!served.includes(model))
          throw new ProblemError('NOT_POSSIBLE_NOW', `${model} has no champion, so that nothing is served.`);
        return tasks.start(tx, { kind: DRIFT_TASK, title: `Check ${model} for drift`, input: { model } });
      }),
  };
}
