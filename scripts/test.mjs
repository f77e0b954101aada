// `npm test [-- PATH …] [-- --test-name-pattern=…]`: all tests, or those whose path contains one of the words.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { bootstrap, listFiles, listPackages, root, runNode } from './bootstrap.mjs';

// Two files at a time: each may start a database and a browser of its own.
const CONCURRENCY = 2;
// A file counts as one test too, so this bounds the slowest file.
const TIMEOUT_MS = 300_000;

await bootstrap();

const words = process.argv.slice(2);
const options = words.filter((word) => word.startsWith('-'));
const filters = words.filter((word) => !word.startsWith('-')).map((word) => word.replace(/^\.\//, ''));
const files = listTests().filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
if (files.length === 0) {
  console.error(`No test file matches ${filters.join(' or ') || 'the patterns'}.`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'touchstone-tests-'));
const summary = join(folder, 'summary.txt');
const env = process.env.CI ? { TOUCHSTONE_REQUIRE: process.env.TOUCHSTONE_REQUIRE ?? 'postgres15,chromium' } : {};
const code = await runNode(
  [
    '--test',
    `--test-concurrency=${CONCURRENCY}`,
    `--test-timeout=${TIMEOUT_MS}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${new URL('./test-summary.mjs', import.meta.url).href}`,
    `--test-reporter-destination=${summary}`,
    ...options,
    ...files,
  ],
  { env },
);
if (existsSync(summary)) console.log(`\n${readFileSync(summary, 'utf8').trim()}`);
rmSync(folder, { recursive: true, force: true });
process.exitCode = code;

function listTests() {
  const folders = [
    ...listPackages().map((path) => join(path, 'src')),
    join(root, 'packages', 'web', 'test'),
    join(root, 'test'),
  ];
  return folders
    .flatMap(listFiles)
    .filter((file) => /\.test\.ts$/.test(file))
    .map((file) => relative(root, file).split(sep).join('/'));
}
