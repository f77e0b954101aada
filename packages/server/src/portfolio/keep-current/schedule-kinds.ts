import type { ScheduleKind } from '@touchstone/contracts/tasks';
import { z } from 'zod';
import { ARCHIVE_TASK, COURT_TASK, findOwnSource, REFRESH_TASK } from '../../market-data/index.ts';
import { MARKET_RECORD_TASK } from '../../models/index.ts';
import type { Transaction } from '../../platform/database/database.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import type { TaskEngine } from '../../platform/tasks/task-engine.ts';
import type { TaskInput } from '../../platform/tasks/tasks.ts';
import { getIndexIn } from '../index/index.service.ts';
import { INDEX_RUN_TASK } from '../index-run/index-run.service.ts';
import { getUniverseIn } from '../universe/universe.service.ts';

/** Done by the stage after this one. A kind whose work nobody registered is refused when it is asked for. */
export const BACKUP_TASK = 'operate.backup.run';

const WORK: readonly { kind: ScheduleKind; task: string; title: string }[] = [
  { kind: 'refresh', task: REFRESH_TASK, title: 'Refresh prices on schedule' },
  { kind: 'court', task: COURT_TASK, title: 'Judge bars again on schedule' },
  { kind: 'index-run', task: INDEX_RUN_TASK, title: 'Compute an index on schedule' },
  { kind: 'market-record', task: MARKET_RECORD_TASK, title: 'Put regimes and anomalies on record on schedule' },
  { kind: 'backup', task: BACKUP_TASK, title: 'Back up on schedule' },
  { kind: 'archive', task: ARCHIVE_TASK, title: 'Archive old years on schedule' },
];

const universeInput = z.strictObject({ universeId: z.int() });
const refreshInput = z.strictObject({ universeId: z.int(), sourceId: z.int() });
const indexInput = z.strictObject({ indexId: z.int() });
const archiveInput = z.strictObject({ years: z.int().min(1).max(100) });
const noInput = z.strictObject({});

/** Says what each kind of schedule starts, and what it may be given. Called once while wiring. */
export function registerScheduleKinds(
  tasks: TaskEngine,
  checkCourt: (tx: Transaction, universeId: number) => Promise<void>,
): void {
  for (const { kind, task, title } of WORK) tasks.registerSchedule(kind, (input) => ({ kind: task, title, input }));

  tasks.registerScheduleCheck('refresh', async (tx, input) => {
    const given = parse(refreshInput, input, '{ universeId, sourceId }');
    await getUniverseIn(tx, given.universeId);
    await checkOwnSource(tx, given.sourceId);
    return given;
  });
  tasks.registerScheduleCheck('court', async (tx, input) => {
    const given = parse(universeInput, input, '{ universeId }');
    await checkCourt(tx, given.universeId);
    return given;
  });
  tasks.registerScheduleCheck('market-record', async (tx, input) => {
    const given = parse(universeInput, input, '{ universeId }');
    await getUniverseIn(tx, given.universeId);
    return given;
  });
  tasks.registerScheduleCheck('index-run', async (tx, input) => {
    const given = parse(indexInput, input, '{ indexId }');
    const index = await getIndexIn(tx, given.indexId);
    if (index.tenantId === tx.principal.tenantId) return given;
    throw new ProblemError(
      'NOT_POSSIBLE_NOW',
      `${index.name} belongs to the system. Make an index of your own over its universe.`,
    );
  });
  tasks.registerScheduleCheck('archive', async (_tx, input) => parse(archiveInput, input, '{ years }, from 1 to 100'));
  for (const kind of ['backup', 'verify'] as const)
    tasks.registerScheduleCheck(kind, async (_tx, input) => parse(noInput, input, '{}'));
}

/** @throws NOT_FOUND, NOT_POSSIBLE_NOW for a source of the system */
async function checkOwnSource(tx: Transaction, sourceId: number): Promise<void> {
  if ((await findOwnSource(tx, sourceId)) !== undefined) return;
  const shared = await tx.query.selectFrom('source').select('name').where('id', '=', sourceId).executeTakeFirst();
  if (shared === undefined) throw new ProblemError('NOT_FOUND', `There is no source ${sourceId}.`);
  throw new ProblemError('NOT_POSSIBLE_NOW', `${shared.name} belongs to the system and is not refreshed by you.`);
}

function parse<T extends TaskInput>(schema: z.ZodType<T>, input: TaskInput, expected: string): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new ProblemError('INVALID_REQUEST', `The input of this kind must be ${expected}.`, {
    details: parsed.error.issues.map(({ path, message }) => ({
      path: ['body.input', ...path].join('.'),
      rule: message,
    })),
  });
}
