import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type pg from 'pg';
import type { Clock } from '../platform/clock/clock.ts';
import { createDatabase, type Database, type Principal, SYSTEM_PRINCIPAL } from '../platform/database/database.ts';
import { createPool } from '../platform/database/pool.ts';
import { verifyEvidence } from '../platform/evidence/evidence.ts';
import { DATABASE_CHECKS, type DatabaseContext } from './database-checks.ts';
import { broken, type CheckTable, type Finding, fine, isOk, runChecks, skipped } from './finding.ts';
import {
  diskOf,
  MACHINE_CHECKS,
  type MachineContext,
  type MachineSettings,
  pingRedis,
  SHARED_CHECKS,
} from './machine-checks.ts';
import { connectPlainly, reachDatabase } from './open-installation.ts';

type Report = { ok: boolean; checkedAt: string; findings: Finding[] };

export const WEB_FOLDER = path.join(import.meta.dirname, '../../../web/dist');
/** Need rows of all tenants, which only the owner of the tables sees. */
const NEED_OWNER = ['schedules', 'alerts', 'evidence', 'objects'];

/**
 * Looks over an installation on its machine (or says why its settings cannot be read), whether its server runs or not. Changes nothing; an embedded database that
 * does not run is started for the time of looking.
 */
export async function examineMachine(
  settings: MachineSettings | { problem: string },
  options: { full: boolean; clock: Clock; parts?: Partial<MachineContext> },
): Promise<Report> {
  const now = options.clock.now();
  const report = (findings: Finding[]) => ({ ok: isOk(findings), checkedAt: new Date(now).toISOString(), findings });
  if ('problem' in settings) {
    const verdict = broken(
      settings.problem,
      'The server refuses to start with them.',
      'See docs/operate/configuration.md',
    );
    return report([{ check: 'settings', ...verdict }]);
  }
  const config = settings;
  const machine: MachineContext = { config, now, webFolder: WEB_FOLDER, diskOf, pingRedis, ...options.parts };
  const findings: Finding[] = [{ check: 'settings', ...fine('The settings can be read.') }];
  // First what starting the embedded database would change.
  findings.push(...(await runChecks(MACHINE_CHECKS, machine)));
  findings.push(...(await examineDatabase(config, options)));
  findings.push(...(await runChecks(SHARED_CHECKS, machine)));
  return report(findings);
}

async function examineDatabase(
  config: MachineSettings,
  { full, clock }: { full: boolean; clock: Clock },
): Promise<Finding[]> {
  if (config.databaseUrl === null && !(await hasEmbedded(config.home))) {
    return [
      {
        check: 'database',
        ...skipped(`There is no installation in ${config.home} yet. The first npm start makes one.`),
      },
    ];
  }
  try {
    const withoutOwner = config.databaseUrl !== null && config.databaseMigrationUrl === null;
    const reached = withoutOwner
      ? { app: { connectionString: config.databaseUrl! }, owner: null, close: async () => {} }
      : await reachDatabase(config, () => {});
    try {
      return await examineReached({ app: reached.app, owner: reached.owner }, config.home, { full, clock });
    } finally {
      await reached.close();
    }
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    const command = config.databaseUrl === null ? 'npm start' : 'pg_isready, then check DATABASE_URL';
    return [
      {
        check: 'database',
        ...broken(`The database cannot be reached: ${cause}`, 'Nothing works without it.', command),
      },
    ];
  }
}

async function hasEmbedded(home: string): Promise<boolean> {
  const location = path.join(home, 'database', 'location');
  const found = await readFile(location, 'utf8').catch(() => undefined);
  return found !== undefined || (await stat(path.join(home, 'database', 'data')).catch(() => undefined)) !== undefined;
}

async function examineReached(
  { app, owner }: { app: pg.ClientConfig; owner: pg.ClientConfig | null },
  home: string,
  { full, clock }: { full: boolean; clock: Clock },
): Promise<Finding[]> {
  const pool = createPool({ ...app, max: 2 }, () => {});
  const database = createDatabase(pool);
  const seer = owner === null ? null : await connectPlainly(owner);
  try {
    const context: DatabaseContext = {
      now: () => clock.now(),
      asApp: (work) => work({ query: pool.query.bind(pool) }),
      asSeer: (work) => work(seer ?? { query: pool.query.bind(pool) }),
      async walkChains() {
        const { rows } = await (seer ?? pool).query<{ id: number }>('SELECT id FROM tenant ORDER BY id');
        return walk(
          database,
          rows.map(({ id }) => ({ tenantId: id, actorId: null })),
        );
      },
      objectsFolder: path.join(home, 'objects'),
      full,
    };
    const [first, ...others] = DATABASE_CHECKS;
    const reachable = await runChecks([first!], context);
    if (!isOk(reachable)) return reachable;
    const may = others.filter((check) => seer !== null || !NEED_OWNER.includes(check.name));
    const findings = [...reachable, ...(await runChecks(may, context))];
    if (seer !== null) return findings;
    const sentence = 'Set DATABASE_MIGRATION_URL to the owner of the tables to have this looked at.';
    return [...findings, ...NEED_OWNER.map((check) => ({ check, ...skipped(sentence) }))];
  } finally {
    await seer?.end();
    await database.close();
  }
}

/** What an owner is told by the running server: its own tenant and the system, and the machine as the server sees it. */
export async function examineFromInside(
  parts: { database: Database; clock: Clock; objectsFolder: string; machine: MachineContext | null },
  principal: Principal,
): Promise<Report> {
  const { database, clock, machine } = parts;
  const context: DatabaseContext = {
    now: () => clock.now(),
    asApp: (work) => work({ query: database.pool.query.bind(database.pool) }),
    asSeer: (work) => database.transaction(principal, ({ client }) => work(client), { readOnly: true }),
    walkChains: () => walk(database, [SYSTEM_PRINCIPAL, principal]),
    objectsFolder: parts.objectsFolder,
    full: false,
  };
  const findings = await runChecks(DATABASE_CHECKS, context);
  const shared: CheckTable<MachineContext> = SHARED_CHECKS;
  if (machine !== null) findings.push(...(await runChecks(shared, machine)));
  return { ok: isOk(findings), checkedAt: new Date(clock.now()).toISOString(), findings };
}

async function walk(database: Database, principals: readonly Principal[]) {
  const chains: Awaited<ReturnType<DatabaseContext['walkChains']>> = [];
  for (const principal of principals) {
    const options = { readOnly: true, isolation: 'repeatable read' as const };
    const verdict = await database.transaction(principal, (tx) => verifyEvidence(tx), options);
    chains.push({ tenantId: principal.tenantId, verdict });
  }
  return chains;
}
