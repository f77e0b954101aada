// Runs the tests: all on one embedded PostgreSQL, then those that use a database again on a separately installed
// PostgreSQL 15, so that the older dialect is really tested.
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ClusterKind, hasPostgres15, startTestCluster } from '../packages/server/test/cluster.ts';

// Two files at a time: each may start a server and a browser of its own.
const CONCURRENCY = 2;
// A file counts as one test too, so this bounds the slowest file.
const TIMEOUT_MS = 480_000;
const PATTERNS = ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'test/**/*.test.ts'];

const root = path.dirname(import.meta.dirname);
const words = process.argv.slice(2);
const options = words.filter((word) => word.startsWith('-'));
const filters = words.filter((word) => !word.startsWith('-')).map((word) => word.replace(/^\.\//, ''));
const files = globSync(PATTERNS, { cwd: root })
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
  .sort();
if (files.length === 0) {
  console.error(`No test file matches ${filters.join(' or ') || 'the patterns'}.`);
  process.exit(1);
}

const counts = { passed: 0, failed: 0, skipped: 0 };
let failed = !(await runOn('embedded', files));
const harnesses = globSync('packages/server/test/**/*.ts', { cwd: root }).filter(
  (file) => !file.endsWith('.test.ts') && textOf(file).includes('createTestDatabase'),
);
const onDatabase = files.filter(
  (file) =>
    file.startsWith('packages/server/') && harnesses.some((harness) => textOf(file).includes(path.basename(harness))),
);
if (hasPostgres15 && onDatabase.length > 0) {
  console.log(`\nThe ${onDatabase.length} files that use a database, again on PostgreSQL 15:`);
  failed = !(await runOn('postgres15', onDatabase)) || failed;
} else if (onDatabase.length > 0) {
  console.log('\nSkipped: the second run on PostgreSQL 15, because /usr/lib/postgresql/15/bin is not there.');
  if (process.env.TOUCHSTONE_REQUIRE?.includes('postgres15')) {
    console.error('PostgreSQL 15 is required here (TOUCHSTONE_REQUIRE), so this counts as a failure.');
    failed = true;
  }
}
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = failed ? 1 : 0;

function textOf(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

/** Runs test files with one database cluster for all of them. True when all passed. */
async function runOn(kind: ClusterKind, some: readonly string[]): Promise<boolean> {
  const folder = mkdtempSync(path.join(tmpdir(), 'touchstone-tests-'));
  const summary = path.join(folder, 'summary.json');
  const { stop, ...cluster } = await startTestCluster(kind);
  const code = await new Promise<number>((resolve) => {
    const child = spawn(
      process.execPath,
      [
        '--test',
        // Under CI random tests draw the same numbers every time, so that a red run tells of the change and not of luck.
        ...(process.env.CI ? ['--import', new URL('./fixed-seed.ts', import.meta.url).href] : []),
        `--test-concurrency=${CONCURRENCY}`,
        `--test-timeout=${TIMEOUT_MS}`,
        '--test-reporter=spec',
        '--test-reporter-destination=stdout',
        `--test-reporter=${new URL('./test-summary.mjs', import.meta.url).href}`,
        `--test-reporter-destination=${summary}`,
        ...options,
        ...some,
      ],
      { cwd: root, stdio: 'inherit', env: { ...process.env, TOUCHSTONE_TEST_CLUSTER: JSON.stringify(cluster) } },
    );
    const forward = (signal: NodeJS.Signals) => child.kill(signal);
    process.once('SIGINT', forward).once('SIGTERM', forward);
    child.once('exit', (exitCode) => resolve(exitCode ?? 1));
  });
  await stop();
  if (existsSync(summary)) {
    const told: typeof counts & { lines: string[] } = JSON.parse(readFileSync(summary, 'utf8'));
    counts.passed += told.passed;
    counts.failed += told.failed;
    counts.skipped += told.skipped;
    for (const line of told.lines) console.log(line);
  }
  rmSync(folder, { recursive: true, force: true });
  return code === 0;
}
