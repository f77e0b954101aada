import { chmod, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { writeBackup } from '../src/operate/backup.ts';
import { connectPlainly, makeTarget } from '../src/operate/open-installation.ts';
import { restoreBackup } from '../src/operate/restore.ts';
import { listTables, rootOf, sumTables } from '../src/operate/tables.ts';
import { MIGRATOR_ROLE } from '../src/platform/database/provision.ts';
import { type BenchResult, importFile, priceFile, startBenchServer } from './bench-server.ts';

const ROWS = 1_000_000;
const GOAL_SECONDS = 60;

/**
 * A whole installation into one file, gone, and back: backup, wipe and restore of a million bars in an embedded database
 * with the product's settings. The restored tables are read again and must have the root of the original.
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  return measure(ROWS);
}

/** The same with fewer rows, to try it. */
export async function measure(rowCount: number): Promise<BenchResult[]> {
  const folder = await mkdtemp('/tmp/touchstone-drill-bench-');
  await chmod(folder, 0o711);
  try {
    const file = path.join(folder, 'one.backup');
    const server = await startBenchServer();
    let made: Awaited<ReturnType<typeof writeBackup>>;
    let input: string;
    let started: number;
    try {
      const prices = await priceFile(server.folder, rowCount);
      input = prices.input;
      await importFile(server, prices.file, 'bench');
      const { host, port } = server.migrator.options;
      started = performance.now();
      const client = await connectPlainly({ host, port, database: 'bench', user: MIGRATOR_ROLE });
      const createdAt = new Date().toISOString();
      made = await writeBackup({ client, home: server.folder, file, createdAt });
      await client.end();
    } finally {
      // The wipe: database and objects are gone.
      await server.close();
    }
    const backupSeconds = (performance.now() - started) / 1000;
    const home = await mkdtemp(path.join(folder, 'home-'));
    await chmod(home, 0o711);
    let target: Awaited<ReturnType<typeof makeTarget>> | undefined;
    await restoreBackup({
      file,
      home,
      async openTarget(lastMigration) {
        const where = { home, databaseUrl: null, databaseMigrationUrl: null };
        target = await makeTarget(where, () => {}, lastMigration);
        return target;
      },
    });
    const seconds = (performance.now() - started) / 1000;
    const { client, close } = target!;
    const root = rootOf(await sumTables(client, await listTables(client)));
    await close();
    if (root !== made.root) throw new Error(`the restored root must be ${made.root}, was ${root}`);
    return [
      {
        name: 'restore-drill',
        figure: seconds,
        unit: 's',
        peer: null,
        peerFigure: null,
        ratio: null,
        goal: `< ${GOAL_SECONDS} s, equal roots`,
        met: seconds < GOAL_SECONDS,
        input: `${input}; backup and wipe ${backupSeconds.toFixed(1)} s, ${(made.byteCount / 1e6).toFixed(0)} MB`,
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
