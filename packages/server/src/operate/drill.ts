import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type pg from 'pg';
import { createDatabase } from '../platform/database/database.ts';
import { createPool } from '../platform/database/pool.ts';
import { createFolderStore } from '../platform/object-store/object-store.ts';
import { BackupError } from './backup-file.ts';
import { listBackups } from './backup-folder.ts';
import { makeTarget } from './open-installation.ts';
import { restoreBackup } from './restore.ts';
import { verifyInstallation } from './verify.ts';

export type DrillPlan = {
  /** The living installation, as the owner of its tables. */
  live: pg.ClientBase;
  file: string;
  progress?: (note: string) => void;
  signal?: AbortSignal;
};

export type DrillResult = {
  ok: boolean;
  file: string;
  createdAt: string;
  root: string;
  rowCount: number;
  migrated: string[];
  seconds: number;
  /** What was compared, and how many of each. */
  compared: { evidenceHeads: number; publications: number; checks: number };
  /** What the restored installation has otherwise than the living one, or found broken in itself. Empty when ok. */
  differences: string[];
};

const NAMED_MAX = 20;

/** The newest backup of a folder that was verified. @throws BackupError if there is none. */
export async function findNewestBackup(folder: string): Promise<string> {
  const newest = (await listBackups(folder)).find((backup) => backup.state === 'verified');
  if (newest === undefined) {
    throw new BackupError(`There is no verified backup in ${folder}. Make one first: touchstone backup start.`);
  }
  return path.join(folder, newest.name);
}

/**
 * Restores a backup into a database server of its own in a temporary folder and proves that it would have been enough:
 * all tables have the root of the backup, the restored installation verifies itself, and what never changes (evidence and
 * publications) is in the living one as it is in the backup. The living installation is only read.
 *
 * @throws BackupError if the file cannot be used.
 */
export async function runDrill({ live, file, progress, signal }: DrillPlan): Promise<DrillResult> {
  const started = performance.now();
  const home = await mkdtemp(path.join(tmpdir(), 'touchstone-drill-'));
  // As root the database runs as nobody, who must be able to walk to its data.
  await chmod(home, 0o711);
  let target: Awaited<ReturnType<typeof makeTarget>> | undefined;
  try {
    const restored = await restoreBackup({
      file,
      home,
      ...(progress && { progress }),
      ...(signal && { signal }),
      async openTarget(lastMigration) {
        const where = { home, databaseUrl: null, databaseMigrationUrl: null };
        target = await makeTarget(where, () => {}, lastMigration);
        return target;
      },
    });
    if (target === undefined) throw new Error('a restore must have opened its target');
    const heads = await compareHeads(live, target.client);
    const publications = await comparePublications(live, target.client);
    progress?.('Verify what was restored');
    const own = await verifyRestored(target.client, target.app, home, signal);
    const differences = [...heads.differences, ...publications.differences, ...own.differences].slice(0, NAMED_MAX);
    return {
      ok: differences.length === 0,
      file,
      createdAt: restored.createdAt,
      root: restored.root,
      rowCount: restored.rowCount,
      migrated: restored.migrated,
      seconds: Math.round(performance.now() - started) / 1000,
      compared: { evidenceHeads: heads.count, publications: publications.count, checks: own.count },
      differences,
    };
  } finally {
    await target?.close().catch(() => {});
    await rm(home, { recursive: true, force: true });
  }
}

type Comparison = { count: number; differences: string[] };

/** The last record of each chain of the backup is in the living chain, so the living one is its continuation. */
async function compareHeads(live: pg.ClientBase, restored: pg.ClientBase): Promise<Comparison> {
  type Head = { tenant: number; sequence: number; hash: string };
  const { rows: heads } = await restored.query<Head>(
    `SELECT DISTINCT ON (tenant_id) tenant_id AS tenant, sequence, encode(hash, 'hex') AS hash
     FROM evidence ORDER BY tenant_id, sequence DESC`,
  );
  const differences: string[] = [];
  for (const { tenant, sequence, hash } of heads) {
    const { rows } = await live.query<{ hash: string }>(
      `SELECT encode(hash, 'hex') AS hash FROM evidence WHERE tenant_id = $1 AND sequence = $2`,
      [tenant, sequence],
    );
    if (rows[0]?.hash !== hash) {
      const now = rows[0] === undefined ? 'gone' : `${rows[0].hash.slice(0, 12)}`;
      differences.push(
        `Evidence record ${sequence} of tenant ${tenant} is ${hash.slice(0, 12)} in the backup and ${now} in the installation.`,
      );
    }
  }
  return { count: heads.length, differences };
}

async function comparePublications(live: pg.ClientBase, restored: pg.ClientBase): Promise<Comparison> {
  type Told = { id: number; told: string };
  const query = `SELECT id::int, run_id || ' ' || kind || ' ' || row_count || ' rows ' || left(encode(content_sha256, 'hex'), 12) AS told
    FROM publication ORDER BY id`;
  const backup = (await restored.query<Told>(query)).rows;
  const now = new Map((await live.query<Told>(query)).rows.map(({ id, told }) => [id, told]));
  const differences = backup
    .filter(({ id, told }) => now.get(id) !== told)
    .map(
      ({ id, told }) =>
        `Publication ${id} is "${told}" in the backup and "${now.get(id) ?? 'gone'}" in the installation.`,
    );
  return { count: backup.length, differences };
}

/** As the application sees it, for every tenant. */
async function verifyRestored(
  owner: pg.ClientBase,
  app: pg.ClientConfig,
  home: string,
  signal: AbortSignal | undefined,
): Promise<Comparison> {
  const { rows } = await owner.query<{ id: number }>('SELECT id FROM tenant ORDER BY id');
  const objectsFolder = path.join(home, 'objects');
  const database = createDatabase(
    createPool({ ...app, max: 1 }, () => {}),
    objectsFolder,
  );
  try {
    const principals = rows.map(({ id }) => ({ tenantId: id, actorId: null }));
    const verdict = await verifyInstallation(database, createFolderStore(objectsFolder), principals, {
      ...(signal && { signal }),
    });
    const broken = verdict.checks.filter((check) => !check.ok);
    return { count: verdict.checks.length, differences: broken.map((check) => `${check.name}: ${check.sentence}`) };
  } finally {
    await database.close();
  }
}
