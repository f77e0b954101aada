import path from 'node:path';
import { getDoctor, listBackups as listBackupsRoute, startBackup, startDrill } from '@touchstone/contracts/keeping';
import type pg from 'pg';
import { type NewAlert, raiseAlert, resolveAlert } from '../platform/alerts/alerts.ts';
import type { Clock } from '../platform/clock/clock.ts';
import type { Database, Principal } from '../platform/database/database.ts';
import { checkOwner, type ReachOwner } from '../platform/database/owner.ts';
import { appendEvidence } from '../platform/evidence/evidence.ts';
import type { Serve } from '../platform/http/serve.ts';
import { ProblemError } from '../platform/problem-error.ts';
import type { TaskContext, Tasks } from '../platform/tasks/tasks.ts';
import { BACKUP_TASK } from '../portfolio/index.ts';
import { BackupError } from './backup-file.ts';
import { backUpInto, KEEPS, listBackups } from './backup-folder.ts';
import { examineFromInside, WEB_FOLDER } from './doctor.ts';
import { findNewestBackup, runDrill } from './drill.ts';
import { diskOf, type MachineSettings, pingRedis } from './machine-checks.ts';
import { connectPlainly } from './open-installation.ts';

export const DRILL_TASK = 'operate.drill.run';
/** What a schedule of kind `backup` starts. */
export const BACKUP_WORK = { kind: BACKUP_TASK, title: 'Back up the installation', input: {} };
const DRILL_WORK = { kind: DRILL_TASK, title: 'Restore the newest backup beside and compare', input: {} };

export type KeepingParts = {
  database: Database;
  tasks: Tasks;
  clock: Clock;
  home: string;
  backupFolder: string;
  /** How the owner of the tables is reached. Null: the server was not told. */
  reachOwner: ReachOwner | null;
  /** Null: the doctor does not look at the machine. */
  config: MachineSettings | null;
};

/** Says how backups and drills are done in the background. Called once while wiring. */
export function registerKeepingTasks(parts: KeepingParts): void {
  const { tasks, home, backupFolder: folder, clock } = parts;
  tasks.register(BACKUP_TASK, (_input, { principal, signal, progress }) =>
    withAlert(parts, { principal, signal }, BACKUP_ALERT, () =>
      withOwner(parts, async (client) => {
        const made = await backUpInto({
          ...{ client, home, folder, signal, now: clock.now() },
          progress: (note) => progress(0, note),
        });
        await record(parts, principal, 'backup.made', made.name, { root: made.root, rowCount: made.rowCount });
        return made;
      }),
    ),
  );
  tasks.register(DRILL_TASK, (_input, { principal, signal, progress }) =>
    withAlert(parts, { principal, signal }, DRILL_ALERT, () =>
      withOwner(parts, async (live) => {
        const file = await findNewestBackup(folder);
        const result = await runDrill({ live, file, signal, progress: (note) => progress(0, note) });
        await record(parts, principal, 'backup.drilled', result.createdAt, { root: result.root, ok: result.ok });
        if (!result.ok) throw new BackupError(result.differences.join(' '));
        return result;
      }),
    ),
  );
}

export function registerKeepingRoutes(serve: Serve, parts: KeepingParts): void {
  const { database, tasks, backupFolder: folder } = parts;
  serve(listBackupsRoute, async () => ({ folder, keeps: KEEPS, items: await listBackups(folder) }));
  serve(startBackup, async ({ caller }) => {
    checkOwner(parts.reachOwner);
    return { task: await database.transaction(caller, (tx) => tasks.start(tx, BACKUP_WORK)) };
  });
  serve(startDrill, async ({ caller }) => {
    checkOwner(parts.reachOwner);
    return { task: await database.transaction(caller, (tx) => tasks.start(tx, DRILL_WORK)) };
  });
  const { clock, config } = parts;
  const objectsFolder = path.join(parts.home, 'objects');
  serve(getDoctor, ({ caller }) => {
    const machine = config && { config, now: clock.now(), webFolder: WEB_FOLDER, diskOf, pingRedis };
    return examineFromInside({ database, clock, objectsFolder, machine }, caller);
  });
}

async function withOwner<T>(parts: KeepingParts, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connectPlainly(await checkOwner(parts.reachOwner)());
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

type AlertWords = Pick<NewAlert, 'kind' | 'title' | 'severity'> & { todo: string };
const BACKUP_ALERT: AlertWords = {
  kind: 'backup.failed',
  severity: 'critical',
  title: 'The backup failed',
  todo: 'Until one succeeds the newest older backup is all there is. See: touchstone doctor.',
};
const DRILL_ALERT: AlertWords = {
  kind: 'backup.drill_failed',
  severity: 'critical',
  title: 'The newest backup could not be restored as it should',
  todo: 'Make another one and try again: touchstone backup start, then touchstone drill.',
};

/** Tells people when it fails, and takes that back when it succeeds. */
async function withAlert<T>(
  { database }: KeepingParts,
  { principal, signal }: Pick<TaskContext, 'principal' | 'signal'>,
  { todo, ...words }: AlertWords,
  work: () => Promise<T>,
): Promise<T> {
  try {
    const result = await work();
    await database.transaction(principal, (tx) => resolveAlert(tx, words.kind));
    return result;
  } catch (error) {
    // Somebody stopped it, or the server ends: nothing is wrong.
    if (signal.aborted) throw error;
    const isForPeople = error instanceof BackupError || error instanceof ProblemError;
    const sentence = isForPeople ? error.message : 'It failed unexpectedly. The log says why.';
    const alert = { ...words, detail: `${sentence} ${todo}`, subjectKind: 'backup', subjectId: 'newest' };
    await database.transaction(principal, (tx) => raiseAlert(tx, { ...alert, sameAs: words.kind }));
    // A sentence for people is an outcome: trying again at once would end the same.
    throw error instanceof BackupError ? new ProblemError('NOT_POSSIBLE_NOW', error.message, { cause: error }) : error;
  }
}

async function record(
  { database }: KeepingParts,
  principal: Principal,
  kind: string,
  subjectId: string,
  body: Record<string, unknown>,
): Promise<void> {
  await database.transaction(principal, (tx) => appendEvidence(tx, { kind, subjectKind: 'backup', subjectId, body }));
}
