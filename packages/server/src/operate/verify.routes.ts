import { startVerify } from '@touchstone/contracts/diagnostics';
import { type Database, SYSTEM_PRINCIPAL, SYSTEM_TENANT_ID } from '../platform/database/database.ts';
import type { Serve } from '../platform/http/serve.ts';
import type { ObjectStore } from '../platform/object-store/object-store.ts';
import type { TaskEngine } from '../platform/tasks/task-engine.ts';
import { verifyInstallation } from './verify.ts';

const VERIFY_TASK = 'operate.verify.run';
const WORK = { kind: VERIFY_TASK, title: 'Verify the evidence and every content hash', input: {} };

export type VerifyParts = { database: Database; objects: ObjectStore; tasks: TaskEngine };

/** Says how verifying is done, by request and by schedule. Called once while wiring, before the tasks run. */
export function registerVerifyTask({ database, objects, tasks }: VerifyParts): void {
  tasks.register(VERIFY_TASK, async (_input, { principal, progress, signal }) => {
    // A tenant builds on the shared facts of the system, so these are looked at as well.
    const own = principal.tenantId === SYSTEM_TENANT_ID ? [] : [principal];
    return verifyInstallation(database, objects, [...own, SYSTEM_PRINCIPAL], { progress, signal });
  });
  tasks.registerSchedule('verify', () => WORK);
}

export function registerVerifyRoutes(serve: Serve, { database, tasks }: VerifyParts): void {
  serve(startVerify, async ({ caller }) => ({
    task: await database.transaction(caller, (tx) => tasks.start(tx, WORK)),
  }));
}
