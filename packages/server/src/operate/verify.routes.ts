import { startVerify } from '@touchstone/contracts/diagnostics';
import { raiseAlert, resolveAlert } from '../platform/alerts/alerts.ts';
import { type Database, SYSTEM_PRINCIPAL, SYSTEM_TENANT_ID, type Transaction } from '../platform/database/database.ts';
import type { Serve } from '../platform/http/serve.ts';
import type { ObjectStore } from '../platform/object-store/object-store.ts';
import type { TaskEngine } from '../platform/tasks/task-engine.ts';
import { type Verdict, verifyInstallation } from './verify.ts';

const VERIFY_TASK = 'operate.verify.run';
const VERIFY_ALERT = 'operate.verify-differs';
const WORK = { kind: VERIFY_TASK, title: 'Verify the evidence and every content hash', input: {} };

export type VerifyParts = { database: Database; objects: ObjectStore; tasks: TaskEngine };

/** Says how verifying is done, by request and by schedule. Called once while wiring, before the tasks run. */
export function registerVerifyTask({ database, objects, tasks }: VerifyParts): void {
  tasks.register(VERIFY_TASK, async (_input, { principal, progress, signal }) => {
    // A tenant builds on the shared facts of the system, so these are looked at as well.
    const own = principal.tenantId === SYSTEM_TENANT_ID ? [] : [principal];
    const verdict = await verifyInstallation(database, objects, [...own, SYSTEM_PRINCIPAL], { progress, signal });
    await database.transaction(principal, (tx) => tellVerdict(tx, verdict));
    return verdict;
  });
  tasks.registerSchedule('verify', () => WORK);
}

/** A difference is the gravest thing there is to tell; a later walk without one heals it. */
async function tellVerdict(tx: Transaction, { ok, checks }: Verdict): Promise<void> {
  if (ok) return resolveAlert(tx, VERIFY_ALERT);
  const broken = checks.filter((check) => !check.ok);
  await raiseAlert(tx, {
    ...{ kind: VERIFY_ALERT, severity: 'critical', title: 'What is stored is not what was recorded' },
    detail: `${broken.map((check) => check.sentence).join(' ')} Keep the database as it is, and compare it with a backup.`,
    ...{ subjectKind: 'check', subjectId: broken.map((check) => check.name).join(' '), sameAs: VERIFY_ALERT },
  });
}

export function registerVerifyRoutes(serve: Serve, { database, tasks }: VerifyParts): void {
  serve(startVerify, async ({ caller }) => ({
    task: await database.transaction(caller, (tx) => tasks.start(tx, WORK)),
  }));
}
