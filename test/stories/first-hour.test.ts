import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { type Browser, chromium } from 'playwright-core';
import { makeHome, type RealServer, ROOT, readDatabasePid, removeHome, startServer } from './real-server.ts';

const CHROMIUM = '/usr/bin/chromium';
const EMAIL = 'owner@example.org';
const PASSWORD = 'correct horse battery';
const SYMBOLS = ['OAK', 'ASH', 'ELM', 'FIR', 'YEW'];
const DAY_COUNT = 300;
const PROBE = { symbol: 'OAK', day: '2024-03-14' };

let home: string;
let newHome: string;
let folder: string;
let server: RealServer | undefined;
let browser: Browser | undefined;

before(async () => {
  home = await makeHome('story');
  newHome = await makeHome('story-again');
  folder = await makeHome('story-files');
});
after(async () => {
  await browser?.close();
  await server?.stop();
  for (const each of [home, newHome, folder]) await removeHome(each);
});

/** One `touchstone` command with --json, as a person's shell would start it. */
async function touchstone(args: string[], options: { input?: string; home?: string; exitCode?: number } = {}) {
  const env = { ...process.env, TOUCHSTONE_HOME: options.home ?? home, TOUCHSTONE_URL: server?.url ?? '' };
  return new Promise<ReturnType<typeof JSON.parse>>((resolve, reject) => {
    const program = path.join(ROOT, 'packages/cli/bin/touchstone.mjs');
    const child = execFile(
      process.execPath,
      [program, ...args, '--json'],
      { env, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        if (code !== (options.exitCode ?? 0))
          reject(new Error(`touchstone ${args.join(' ')} ended with ${code}: ${stderr}`));
        else resolve(stdout === '' ? stderr : JSON.parse(stdout));
      },
    );
    child.stdin?.end(options.input ?? '');
  });
}

/** A market of five companies on weekdays; prices move and never stand still. */
function priceFile(level: number): string {
  const lines = ['date,symbol,open,high,low,close,volume'];
  const first = Date.UTC(2023, 2, 6);
  for (const [s, symbol] of SYMBOLS.entries()) {
    for (let i = 0; i < DAY_COUNT; i++) {
      const day = new Date(first + (Math.floor(i / 5) * 7 + (i % 5)) * 86_400_000).toISOString().slice(0, 10);
      const close = level * (1 + 0.1 * s) * (1 + 0.004 * Math.sin(i * 1.7 + s) + 0.0004 * i);
      const prices = [close * 0.998, close * 1.003, close * 0.995, close].map((value) => value.toFixed(4));
      lines.push([day, symbol, ...prices, 100_000 + 37 * i + s].join(','));
    }
  }
  return `${lines.join('\n')}\n`;
}

async function closeOf(...options: string[]): Promise<number> {
  const { symbol, day } = PROBE;
  const { items } = await touchstone(['bars', symbol, '--from', day, '--to', day, ...options]);
  assert.equal(items.length, 1, JSON.stringify(options));
  return items[0].close;
}

test('the first hour: look, become the owner, import, compute, correct, retract, look back, back up, restore', {
  timeout: 280_000,
}, async (t) => {
  const since = performance.now();
  const tell = (step: string) => t.diagnostic(`${((performance.now() - since) / 1000).toFixed(1)} s  ${step}`);

  server = await startServer(home, { byNpmStart: true });
  assert.ok(server, 'the server must start');
  tell('ready');
  const visitor = await touchstone(['whoami']);
  assert.equal(visitor.hasOwner, false);
  assert.equal(visitor.signedIn.role, 'visitor');
  const { items: indexes } = await touchstone(['index', 'list']);
  const shown = await touchstone(['index', 'levels', String(indexes[0].id)]);
  assert.ok(shown.days.length > 200);
  assert.match(shown.hypothetical, /[Hh]ypothetical/);
  await touchstone(['import', 'prices', path.join(ROOT, 'package.json')], { exitCode: 1 });

  if (existsSync(CHROMIUM)) await makeOwnerOnScreen(server.url);
  else {
    assert.ok(!process.env.TOUCHSTONE_REQUIRE?.includes('chromium'), `${CHROMIUM} is required and not there`);
    t.diagnostic(`${CHROMIUM} is not there: the owner is made by the command line, and no page is looked at`);
    await touchstone(['owner', 'create', EMAIL, '--password-stdin'], { input: PASSWORD });
  }
  tell('owner made');
  await touchstone(['login', EMAIL, '--password-stdin'], { input: PASSWORD });
  assert.equal((await stat(path.join(home, 'cli-session.json'))).mode & 0o777, 0o600);
  assert.equal((await touchstone(['whoami'])).signedIn.role, 'owner');

  const demo = path.join(folder, 'demo.csv');
  await writeFile(demo, priceFile(100));
  const preview = await touchstone(['import', 'prices', demo, '--preview']);
  assert.equal(preview.separator.value, ',');
  const imported = await touchstone([
    'import',
    'prices',
    demo,
    '--source',
    'demo',
    '--universe',
    'Demo',
    '--basis',
    'total-return',
  ]);
  const { run } = imported;
  assert.equal(run.state, 'published');
  assert.equal(run.acceptedCount + run.quarantinedCount, SYMBOLS.length * DAY_COUNT);
  tell(`imported ${run.acceptedCount} bars`);

  const words = ['--universe', 'Demo', '--method', 'equal_weight'];
  await touchstone(['index', 'create', 'Mine', ...words]);
  const first = await touchstone(['index', 'run', 'Mine']);
  assert.equal(first.run.runNumber, 1);
  tell('index computed');

  const told = await closeOf();
  const beforeCorrection = new Date().toISOString();
  const corrected = Number((told * 1.01).toFixed(4));
  await touchstone([
    'correct',
    PROBE.symbol,
    PROBE.day,
    '--close',
    String(corrected),
    '--high',
    '200',
    '--reason',
    'Vendor notice',
  ]);
  assert.equal(await closeOf(), corrected);
  assert.equal(await closeOf('--known-at', beforeCorrection), told, 'the time machine shows what was known before');
  assert.equal(await closeOf('--recorded-at', beforeCorrection), told);
  assert.ok((await touchstone(['versions', PROBE.symbol, PROBE.day])).items.length >= 2);

  const wrong = path.join(folder, 'wrong.csv');
  await writeFile(wrong, priceFile(101));
  const mistake = await touchstone(['import', 'prices', wrong, '--source', 'demo', '--basis', 'total-return']);
  const beforeRetraction = new Date().toISOString();
  const mistaken = await closeOf();
  await touchstone(['run', 'retract', String(mistake.run.id), '--reason', 'Wrong file']);
  assert.equal(await closeOf(), corrected);
  assert.equal(await closeOf('--recorded-at', beforeRetraction), mistaken, 'a retraction hides nothing of the past');
  tell('corrected, retracted, looked back');

  const csv = path.join(folder, 'levels.csv');
  await touchstone(['index', 'export', 'Mine', csv]);
  const lines = (await readFile(csv, 'utf8')).trim().split('\n');
  assert.ok(lines.length > 200, lines[0]);
  const levels = await touchstone(['index', 'levels', 'Mine']);
  assert.equal(levels.run.runNumber, 1);
  const verdict = await touchstone(['verify']);
  assert.equal(verdict.ok, true, JSON.stringify(verdict));

  const file = path.join(folder, 'all.backup');
  const backup = await touchstone(['backup', file]);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  tell(`backed up ${backup.rowCount} rows in ${backup.byteCount} bytes`);
  await touchstone(['restore', file], { exitCode: 1 });
  await server.stop();
  server = undefined;
  assert.equal(await readDatabasePid(home), undefined, 'the database stops with the server');

  await mkdir(newHome, { recursive: true });
  const restored = await touchstone(['restore', file], { home: newHome });
  assert.equal(restored.root, backup.root);
  await touchstone(['user', 'reset', EMAIL, '--password-stdin'], { home: newHome, input: 'another long password' });
  tell('restored');

  server = await startServer(newHome);
  assert.ok(server, 'the restored installation must start');
  await touchstone(['login', EMAIL, '--password-stdin'], { home: newHome, input: PASSWORD, exitCode: 1 });
  await touchstone(['login', EMAIL, '--password-stdin'], { home: newHome, input: 'another long password' });
  const again = await touchstone(['index', 'levels', 'Mine'], { home: newHome });
  assert.deepEqual(again.level, levels.level);
  assert.equal((await touchstone(['verify'], { home: newHome })).ok, true);
  tell('verified where it was restored');
});

/** The first page, then the owner by the form: what a person does first. */
async function makeOwnerOnScreen(url: string): Promise<void> {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  await page.getByRole('heading', { name: 'Simulated market' }).first().waitFor();
  await page.getByText('Make the owner account').first().click();
  await page.getByLabel('Your name').fill('Owner');
  await page.getByLabel('Name of your house').fill('Home');
  await page.getByLabel('E-mail').fill(EMAIL);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Make the owner account' }).click();
  await page.waitForURL('**/data/import');
  assert.deepEqual(complaints, []);
  await browser.close();
  browser = undefined;
}
