// Keeps what a release promised to its database: `node scripts/record-release.ts v0.1.0`.
//
// Writes packages/server/test/releases/VERSION with the schema the release was made with, its migrations by hash, and
// every kind of statement its server sends. test/compat.test.ts holds all later schemas against it.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, symlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createPool } from '../packages/server/src/platform/database/pool.ts';
import { startTestCluster } from '../packages/server/test/cluster.ts';
import { shapeOf, toPreparable } from '../packages/server/test/statements.ts';

const root = path.dirname(import.meta.dirname);
/** Loaded into every process of the release's tests. */
const HOOK = `
import { appendFileSync } from 'node:fs';
import pg from 'pg';
const query = pg.Client.prototype.query;
pg.Client.prototype.query = function (...args) {
  const text = typeof args[0] === 'string' ? args[0] : args[0]?.text;
  if (this.user === 'touchstone_app' && typeof text === 'string' && text.length < 20000) {
    appendFileSync(process.env.STATEMENTS_LOG, JSON.stringify(text) + '\\n');
  }
  return query.apply(this, args);
};
`;
const [tag = ''] = process.argv.slice(2);
if (!/^v\d+\.\d+\.\d+$/.test(tag)) {
  console.error('Name a tag: node scripts/record-release.ts v0.1.0');
  process.exit(1);
}
const scratch = await mkdtemp(path.join(tmpdir(), 'touchstone-release-'));
const checkout = path.join(scratch, 'checkout');
try {
  await run('git', ['worktree', 'add', '--detach', checkout, tag], root);
  await linkPackages(checkout);
  const folder = path.join(root, 'packages/server/test/releases', tag.slice(1));
  await mkdir(folder, { recursive: true });
  await writeFile(
    path.join(folder, 'schema.sql'),
    await readFile(path.join(checkout, 'packages/server/schema.sql'), 'utf8'),
  );
  const release = { tag, migrations: await hashMigrations(path.join(checkout, 'packages/server/migrations')) };
  await writeFile(path.join(folder, 'release.json'), `${JSON.stringify(release, null, 2)}\n`);
  const statements = await collectStatements(checkout);
  await writeFile(path.join(folder, 'statements.json'), `${JSON.stringify(statements, null, 2)}\n`);
  console.log(`${folder}: ${Object.keys(release.migrations).length} migrations, ${statements.length} statements`);
} finally {
  await run('git', ['worktree', 'remove', '--force', checkout], root).catch(() => {});
  await rm(scratch, { recursive: true, force: true });
}

/** The parts the release was installed with, next to its own packages. */
async function linkPackages(into: string): Promise<void> {
  const modules = path.join(into, 'node_modules');
  await mkdir(path.join(modules, '@touchstone'), { recursive: true });
  for (const name of await readdir(path.join(root, 'node_modules'))) {
    if (name !== '@touchstone') symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
  }
  for (const name of await readdir(path.join(into, 'packages'))) {
    symlinkSync(path.join(into, 'packages', name), path.join(modules, '@touchstone', name));
  }
}

async function hashMigrations(folder: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const name of (await readdir(folder)).toSorted()) {
    hashes[name] = createHash('sha256')
      .update(await readFile(path.join(folder, name)))
      .digest('hex');
  }
  return hashes;
}

/** Runs the tests of the release and notes what its application role sends. */
async function collectStatements(checkout: string): Promise<string[]> {
  const log = path.join(scratch, 'statements.log');
  const hook = path.join(checkout, 'note-statements.mjs');
  await writeFile(hook, HOOK);
  const { stop, ...cluster } = await startTestCluster('embedded');
  try {
    const files = globSync('packages/server/{src,test}/**/*.test.ts', { cwd: checkout });
    await run(process.execPath, ['--test', '--test-concurrency=2', '--test-reporter=dot', ...files], checkout, {
      NODE_OPTIONS: `--import ${hook}`,
      STATEMENTS_LOG: log,
      TOUCHSTONE_TEST_CLUSTER: JSON.stringify(cluster),
    });
    const seen = new Map<string, string>();
    for (const line of (await readFile(log, 'utf8')).split('\n')) {
      if (line === '') continue;
      const text: string = JSON.parse(line);
      const statement = toPreparable(text);
      if (statement !== null && !seen.has(shapeOf(statement))) seen.set(shapeOf(statement), statement);
    }
    return await keepWorking(checkout, cluster, [...seen.values()].toSorted());
  } finally {
    await stop();
  }
}

/** Tests also send nonsense on purpose: what the release's own schema does not take is no promise. */
async function keepWorking(
  checkout: string,
  cluster: { host: string; port: number; superuser: string },
  statements: string[],
): Promise<string[]> {
  const from = path.join(checkout, 'packages/server/src/platform/database');
  const { provisionDatabase } = await import(path.join(from, 'provision.ts'));
  const { migrate } = await import(path.join(from, 'migrate.ts'));
  await provisionDatabase({ host: cluster.host, port: cluster.port, user: cluster.superuser }, 'release');
  const base = { host: cluster.host, port: cluster.port, database: 'release' };
  const pool = createPool({ ...base, user: 'touchstone_migrator', max: 2 }, () => {});
  await migrate(pool, { app: 'touchstone_app', archiver: 'touchstone_archiver' });
  await pool.end();
  const app = createPool({ ...base, user: 'touchstone_app', max: 1 }, () => {});
  const client = await app.connect();
  const kept: string[] = [];
  for (const statement of statements) {
    try {
      await client.query(`PREPARE tried AS ${statement}`);
      await client.query('DEALLOCATE tried');
      kept.push(statement);
    } catch {
      // Not the release's.
    }
  }
  client.release();
  await app.end();
  return kept;
}

async function run(command: string, args: string[], cwd: string, env: Record<string, string> = {}): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } });
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  // A test of the release that fails here has sent its statements all the same.
  if (code !== 0 && command === 'git') throw new Error(`git ${args.join(' ')} ended with ${code}`);
}
