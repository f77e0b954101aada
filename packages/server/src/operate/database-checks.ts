import type pg from 'pg';
import { listMigrationNames } from '../platform/database/migrate.ts';
import { findRoleFault } from '../platform/database/role-rights.ts';
import type { ChainVerdict } from '../platform/evidence/evidence.ts';
import { hashFile } from '../platform/object-store/object-store.ts';
import { openObjects } from '../platform/object-store/open-objects.ts';
import { broken, type CheckTable, fine, type Verdict, warning } from './finding.ts';

type Asker = Pick<pg.ClientBase, 'query'>;

/** What checks of the database are given. */
export type DatabaseContext = {
  /** EpochMs, by this machine. */
  now(): number;
  /** Work as the application, on behalf of nobody. */
  asApp<T>(work: (client: Asker) => Promise<T>): Promise<T>;
  /** Work that sees the rows of those who asked: all of them, or those of one tenant and the system. */
  asSeer<T>(work: (client: Asker) => Promise<T>): Promise<T>;
  /** Walks the evidence chains in sight. */
  walkChains(): Promise<{ tenantId: number; verdict: ChainVerdict }[]>;
  objectsFolder: string;
  /** Read every object again, or a few that change from day to day. */
  full: boolean;
};

const SERVER_MAJOR_MIN = 15;
const SKEW_WARNING_MS = 2_000;
const SKEW_BROKEN_MS = 60_000;
const QUEUE_STUCK_SECONDS = 600;
const OBJECT_SAMPLE = 25;
const NAMED_MAX = 5;

export const DATABASE_CHECKS: CheckTable<DatabaseContext> = [
  { name: 'database', look: checkServer },
  { name: 'database-role', look: checkRole },
  { name: 'migrations', look: checkMigrations },
  { name: 'clock', look: checkClock },
  { name: 'queue', look: checkQueue },
  { name: 'schedules', look: checkSchedules },
  { name: 'alerts', look: checkAlerts },
  { name: 'evidence', look: checkEvidence },
  { name: 'objects', look: checkObjects },
];

async function checkServer({ asApp }: DatabaseContext): Promise<Verdict> {
  const { rows } = await asApp((client) => client.query('SHOW server_version'));
  const version = String(rows[0].server_version).split(' ')[0] ?? '';
  if (Number.parseInt(version, 10) >= SERVER_MAJOR_MIN) return fine(`PostgreSQL ${version} answers.`);
  return broken(
    `The database is PostgreSQL ${version}.`,
    `The tables need PostgreSQL ${SERVER_MAJOR_MIN} or newer.`,
    'pg_upgrade, or unset DATABASE_URL',
  );
}

async function checkRole({ asApp }: DatabaseContext): Promise<Verdict> {
  const fault = await asApp((client) => findRoleFault(client, null));
  if (fault === null) return fine('The application works as a role that cannot change facts.');
  return broken(
    `The application works as ${fault.role}, which ${fault.may}.`,
    'Nothing protects the facts and the tenants from a mistake; the server refuses to start.',
    'Let DATABASE_URL name touchstone_app, and DATABASE_MIGRATION_URL the owner',
  );
}

async function checkMigrations({ asApp }: DatabaseContext): Promise<Verdict> {
  const there = await asApp((client) => client.query(`SELECT to_regclass('schema_migration') IS NOT NULL AS there`));
  const here = await listMigrationNames();
  const why = 'The server refuses to start on another schema than its own.';
  if (!there.rows[0].there) return broken('The database has no tables yet.', why, 'npm start');
  const { rows } = await asApp((client) => client.query<{ name: string }>('SELECT name FROM schema_migration'));
  const present = rows.map((row) => row.name);
  const missing = here.filter((name) => !present.includes(name));
  if (missing.length > 0) {
    return broken(
      `The database lacks ${missing.length} migrations; the first is ${missing[0]}.`,
      why,
      'touchstone migrate --dry-run, then touchstone migrate',
    );
  }
  const unknown = present.filter((name) => !here.includes(name));
  if (unknown.length === 0) return fine(`All ${present.length} migrations are in force.`);
  return warning(
    `The database has ${unknown.length} migrations that this version does not know, like ${unknown.at(-1)}.`,
    'A newer version has been here. It promises to the version before it to work on; an older one than that may not.',
    'git pull && npm start',
  );
}

async function checkClock({ asApp, now }: DatabaseContext): Promise<Verdict> {
  const before = now();
  const { rows } = await asApp((client) =>
    client.query(`SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at`),
  );
  const after = now();
  // The answer was made somewhere between question and answer.
  const theirs = Number(rows[0].at);
  const skew = theirs < before ? before - theirs : theirs > after ? theirs - after : 0;
  if (skew < SKEW_WARNING_MS) return fine('The clocks of this machine and of the database agree.');
  const told = `The clock of the database differs by ${(skew / 1000).toFixed(1)} s from this machine's.`;
  const why = 'Knowledge times come from the database and sessions from this machine: answers and sign-ins go wrong.';
  const verdict = skew > SKEW_BROKEN_MS ? broken : warning;
  return verdict(told, why, 'sudo timedatectl set-ntp true');
}

async function checkQueue({ asApp }: DatabaseContext): Promise<Verdict> {
  const { rows } = await asApp((client) =>
    client.query(
      `SELECT count(*)::int AS due, coalesce(extract(epoch FROM clock_timestamp() - min(start_after)), 0)::float8 AS seconds
       FROM pgboss.job WHERE name LIKE 'touchstone%' AND state IN ('created', 'retry') AND start_after <= clock_timestamp()`,
    ),
  );
  const { due, seconds } = rows[0];
  if (seconds < QUEUE_STUCK_SECONDS) return fine(`${due} pieces of work are due, none for long.`);
  return broken(
    `${due} pieces of work are due, the first for ${Math.round(seconds / 60)} minutes.`,
    'Imports, schedules and backups do not happen: no server takes work, or all are busy with something that hangs.',
    'touchstone tasks, then npm start',
  );
}

async function checkSchedules({ asSeer }: DatabaseContext): Promise<Verdict> {
  // A cron that names a day of the month or a month may be right not to have come yet.
  const { rows } = await asSeer((client) =>
    client.query<{ id: number; title: string }>(
      `SELECT id, title FROM schedule
       WHERE enabled AND deleted_at IS NULL AND last_started_at IS NULL
         AND created_at < clock_timestamp() - CASE WHEN cron ~ '^\\S+ \\S+ \\* \\* ' THEN interval '8 days' ELSE interval '32 days' END
       ORDER BY id LIMIT 100`,
    ),
  );
  if (rows.length === 0) return fine('No schedule was passed over.');
  const named = rows.slice(0, NAMED_MAX).map((row) => `"${row.title}" (${row.id})`);
  return warning(
    `${rows.length} schedules have never run: ${named.join(', ')}.`,
    'Their time came while no server ran, or their cron never comes.',
    'touchstone schedules',
  );
}

async function checkAlerts({ asSeer }: DatabaseContext): Promise<Verdict> {
  const { rows } = await asSeer((client) =>
    client.query<{ title: string }>(
      `SELECT title FROM alert WHERE severity = 'critical' AND resolved_at IS NULL AND acknowledged_at IS NULL
       AND deleted_at IS NULL ORDER BY last_raised_at DESC LIMIT 100`,
    ),
  );
  if (rows.length === 0) return fine('No critical alert is open.');
  const named = rows.slice(0, NAMED_MAX).map((row) => `"${row.title}"`);
  return warning(`${rows.length} critical alerts are open: ${named.join(', ')}.`, 'Nobody has looked at them yet.');
}

async function checkEvidence({ walkChains }: DatabaseContext): Promise<Verdict> {
  const chains = await walkChains();
  const bad = chains.flatMap(({ tenantId, verdict }) =>
    verdict.ok ? [] : [`Tenant ${tenantId}: ${verdict.sentence}`],
  );
  if (bad.length === 0) {
    const records = chains.reduce((sum, { verdict }) => sum + (verdict.ok ? verdict.records : 0), 0);
    return fine(`${chains.length} evidence chains with ${records} records fit.`);
  }
  return broken(
    bad.slice(0, NAMED_MAX).join(' '),
    'Something was changed behind the back of the application, by hand or by a failing disk.',
    'touchstone verify, then touchstone restore FILE into another folder and compare',
  );
}

async function checkObjects({ asSeer, objectsFolder, full }: DatabaseContext): Promise<Verdict> {
  // The sample changes every day, so that each file has its turn.
  const { rows } = await asSeer((client) =>
    client.query<{ sha256: string; what: string; total: number }>(
      `SELECT sha256, min(what) AS what, count(*) OVER ()::int AS total FROM (
         SELECT sha256, 'a dataset' AS what FROM dataset
         UNION ALL SELECT result_sha256, 'an index run' FROM index_run
         UNION ALL SELECT artefact_sha256, 'a model' FROM model_version
         UNION ALL SELECT sha256, 'a file of a training run' FROM run_artefact
         UNION ALL SELECT file_sha256, 'archived bars of ' || year FROM archive WHERE state = 'archived' AND deleted_at IS NULL) o
       GROUP BY sha256 ORDER BY md5(sha256 || current_date), sha256 LIMIT $1`,
      [full ? null : OBJECT_SAMPLE],
    ),
  );
  const objects = openObjects(objectsFolder);
  const bad: string[] = [];
  for (const { sha256, what } of rows) {
    const file = await objects.fetch(sha256).catch(() => undefined);
    if (file === undefined) {
      bad.push(`${sha256.slice(0, 12)} (${what}) is missing.`);
    } else if ((await hashFile(file)) !== sha256) bad.push(`${sha256.slice(0, 12)} (${what}) is damaged.`);
  }
  const total = rows[0]?.total ?? 0;
  if (bad.length === 0) return fine(`${rows.length} of ${total} stored files were read again and have their hash.`);
  return broken(
    `${bad.length} stored files are not as they were written: ${bad.slice(0, NAMED_MAX).join(' ')}`,
    'What needs them cannot be shown any more.',
    `touchstone restore FILE into another folder, and copy its objects over ${objectsFolder}`,
  );
}
