import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { type Browser, chromium, type Page } from 'playwright-core';
import {
  type DoubleBar,
  startVendorDouble,
  type VendorDouble,
} from '../../packages/server/test/vendor-double/vendor-double.ts';
import { makeHome, type RealServer, ROOT, removeHome, startServer } from './real-server.ts';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const OWNER = 'owner@example.org';
const SECOND = 'second@example.org';
const PASSWORD = 'correct horse battery';
const SYMBOLS = ['OAK', 'ASH', 'ELM', 'FIR', 'YEW'];
const SICK = 'YEW';
const WAIT_MS = 20_000;
const TODAY = Math.floor(Date.now() / 86_400_000);
const SESSIONS = tradingDays('XNYS', TODAY - 6 * 365, TODAY - 1);

let home: string;
let folder: string;
let vendor: VendorDouble;
let server: RealServer;
let browser: Browser;
let isSick = true;

const isThere = existsSync(CHROMIUM);
const isRequired = (process.env.TOUCHSTONE_REQUIRE ?? '').includes('chromium');
if (!isThere && !isRequired) console.log(`skipped: no Chromium at ${CHROMIUM}; set CHROMIUM to its path`);
const skip = !isThere && !isRequired;

before(async () => {
  if (skip) return;
  assert.ok(isThere, `Chromium is required, but there is none at ${CHROMIUM}.`);
  home = await makeHome('living');
  folder = await makeHome('living-files');
  vendor = await startVendorDouble({
    ...{ seed: 7, symbols: SYMBOLS, minuteLimit: 800 },
    barsOf: (symbol) => (isSick && symbol === SICK ? [] : barsOf(symbol)),
  });
  const started = await startServer(home, { byNpmStart: true, env: { TWELVEDATA_URL: vendor.url } });
  assert.ok(started, 'the server must start');
  server = started;
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});
after(async () => {
  if (skip) return;
  await browser?.close();
  await server?.stop();
  await vendor?.close();
  for (const each of [home, folder]) await removeHome(each);
});

type Told = { input?: string; exitCode?: number; env?: Record<string, string> };

/** One `touchstone` command with --json, as a person's shell would start it. What it complained of, where it said nothing else. */
async function touchstone(args: string[], options: Told = {}) {
  const env = { ...process.env, TOUCHSTONE_HOME: home, TOUCHSTONE_URL: server.url, ...options.env };
  return new Promise<ReturnType<typeof JSON.parse>>((resolve, reject) => {
    const program = path.join(ROOT, 'packages/cli/bin/touchstone.mjs');
    const child = execFile(
      process.execPath,
      [program, ...args, '--json'],
      { env, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        if (code !== (options.exitCode ?? 0))
          reject(new Error(`touchstone ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`));
        else resolve(stdout === '' ? stderr : JSON.parse(stdout));
      },
    );
    child.stdin?.end(options.input ?? '');
  });
}

/** A browser of its own, as another person at another desk has. */
async function openBrowser(complaints: string[]): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  page.on('pageerror', (error) => complaints.push(error.message));
  return page;
}

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { level: 1, name }).waitFor();

/** Six years of sessions; prices move and never stand still. */
function barsOf(symbol: string): DoubleBar[] {
  const s = SYMBOLS.indexOf(symbol);
  return Array.from(SESSIONS, (day, i) => {
    const close = 100 * (1 + 0.1 * s) * (1 + 0.008 * Math.sin(i * 1.7 + s) + 0.0003 * i);
    const open = close * (1 + 0.002 * Math.cos(i * 2.3 + s));
    const [low, high] = [Math.min(open, close) * 0.997, Math.max(open, close) * 1.003];
    return { day, open, high, low, close, volume: 100_000 + 37 * ((i * 7919) % 1000) + s };
  });
}

/** The secret of a dialog that shows one once. */
async function readOnce(page: Page): Promise<string> {
  const dialog = page.getByRole('dialog').filter({ hasText: 'Shown this once' });
  const secret = (await dialog.locator('code').first().textContent()) ?? '';
  await dialog.getByRole('button', { name: 'I have it' }).click();
  await dialog.waitFor({ state: 'hidden' });
  assert.ok(!(await page.content()).includes(secret), 'a secret is gone with its dialog');
  return secret;
}

/** The code an authenticator shows (RFC 6238: SHA-1, 30 s, six digits), some steps from now. */
function codeOf(secret: string, steps = 0): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const hash = createHmac('sha1', key).update(counter).digest();
  const at = hash[hash.length - 1]! & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

test('living with it: a vendor, a gap, its healing, people, keys, two owners, backups, an archived year', {
  skip,
  timeout: 280_000,
}, async (t) => {
  const since = performance.now();
  try {
    await live((step) => t.diagnostic(`${((performance.now() - since) / 1000).toFixed(1)} s  ${step}`));
  } catch (error) {
    // Of a story that stops halfway one wants to see the pages.
    for (const page of browser.contexts().flatMap((context) => context.pages()))
      t.diagnostic(`${page.url()}\n${await page.locator('main').ariaSnapshot()}`);
    throw error;
  }
});

async function live(tell: (step: string) => void): Promise<void> {
  const complaints: string[] = [];
  const owner = await openBrowser(complaints);

  await becomeOwner(owner);
  await touchstone(['login', OWNER, '--password-stdin'], { input: PASSWORD });
  tell('owner made');

  const feedPage = await connectVendor(owner);
  tell('key connected');
  await refresh(owner, feedPage, { symbols: SYMBOLS, universe: 'Five', outcome: 'degraded' });
  await seeTheGap(owner);
  tell('degraded, gap and alert seen');
  isSick = false;
  await refresh(owner, feedPage, { symbols: [SICK], outcome: 'complete' });
  await seeItHealed(owner);
  tell('healed');

  await touchstone(['index', 'create', 'Mine', '--universe', 'Five', '--method', 'equal_weight']);
  assert.equal((await touchstone(['index', 'run', 'Mine'])).run.runNumber, 1);
  await keepCurrent(owner);
  tell('kept current');

  const analyst = await openBrowser(complaints);
  const userId = await invite(owner, analyst);
  tell('analyst joined');
  await losesTheRight(owner, analyst, userId);
  tell('a viewer is refused');
  await changeRole(owner, userId, 'owner');
  await editAtOnce(owner, analyst);
  tell('two owners edited one index');

  const key = await makeKey(owner);
  await useKey(key);
  tell('key used and refused');
  await secondFactor(owner);
  tell('signed in with a code');

  await keepSafe(tell);
  await archiveYear();
  tell('year archived');
  assert.deepEqual(complaints, []);
  assert.ok(vendor.used().minuteMax <= 800);
  assert.ok(!server.output().includes(vendor.key), 'the key of the vendor is in no log');
}

async function becomeOwner(page: Page): Promise<void> {
  await page.goto(`${server.url}/owner`);
  await page.getByLabel('Your name').fill('Olga');
  await page.getByLabel('Name of your house').fill('Home');
  await page.getByLabel('E-mail').fill(OWNER);
  await page.getByLabel('Password').fill(PASSWORD);
  await press(page, 'Make the owner account');
  await page.waitForURL('**/data/import');
}

/** @returns the address of the feed's page. */
async function connectVendor(page: Page): Promise<string> {
  await page.goto(`${server.url}/data`);
  await page.getByRole('link', { name: 'Add data' }).click();
  await press(page, 'Connect a key');
  await page.getByLabel('Key', { exact: true }).fill(vendor.key);
  await page.getByLabel('Credits a minute').fill('800');
  await press(page, 'Connect and test');
  await heading(page, 'TwelveData');
  await page.getByText('It works').waitFor();
  assert.ok(!(await page.content()).includes(vendor.key), 'the key is not shown again');
  return page.url();
}

type Wanted = { symbols: string[]; universe?: string; outcome: string };

/** Plans, starts, waits, and reads the report. */
async function refresh(page: Page, feedPage: string, { symbols, universe, outcome }: Wanted): Promise<void> {
  await page.goto(feedPage);
  await page.getByRole('radio', { name: 'These symbols' }).check();
  const form = page.getByRole('region', { name: 'Refresh', exact: true });
  await form.getByLabel('Symbols', { exact: true }).fill(symbols.join(', '));
  if (universe !== undefined) await page.getByLabel('Also make a universe of it').fill(universe);
  await press(page, 'Plan the refresh');
  const plan = page.getByRole('region', { name: 'The plan' });
  await plan.getByText(new RegExp(`^${symbols.length} symbols? = ${symbols.length} credit`)).waitFor();
  await press(page, 'Start the refresh');
  await page.getByRole('link', { name: 'Read the report' }).click();
  await heading(page, /^Refresh \d+$/);
  await page.getByText(outcome, { exact: true }).first().waitFor();
}

const LEFT_GAPS = 'A refresh from TwelveData left gaps';

async function seeTheGap(page: Page): Promise<void> {
  const row = page.getByRole('row').filter({ hasText: SICK });
  await row.waitFor();
  await page.getByRole('link', { name: /^Alerts: .*1 warning/ }).waitFor();
  await page.goto(`${server.url}/data/gaps`);
  await row.waitFor();
  await page.getByText('1 open gap in all').waitFor();
  await page.getByRole('link', { name: /^Alerts: .*1 warning/ }).click();
  await page.getByRole('listitem').filter({ hasText: LEFT_GAPS }).first().waitFor();
  const { items } = await touchstone(['bars', 'OAK']);
  assert.ok(items.length > 1000, 'four of the five are there whole');
  const report = await touchstone(['refresh', 'report', '1']);
  assert.deepEqual([report.quarantinedCount, report.caseCount], [0, 0], 'the court finds nothing in good prices');
}

async function seeItHealed(page: Page): Promise<void> {
  await page.goto(`${server.url}/data/gaps`);
  await page.getByText('Nothing is missing').waitFor();
  await page.goto(`${server.url}/alerts?show=resolved`);
  await page.getByRole('main').getByRole('listitem').filter({ hasText: LEFT_GAPS }).waitFor();
  const { items } = await touchstone(['alerts', '--state', 'open']);
  assert.ok(!JSON.stringify(items).includes(LEFT_GAPS), 'healed: nobody need look any more');
}

async function keepCurrent(page: Page): Promise<void> {
  await page.goto(`${server.url}/universes`);
  await page.getByRole('link', { name: 'Five', exact: true }).click();
  await heading(page, 'Five');
  await press(page, 'Keep it current');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Keep it current' }).click();
  await dialog.getByText('It is kept current from now on.').waitFor();
  await dialog.getByRole('button', { name: 'Good' }).click();
  const { items } = await touchstone(['schedules']);
  const kinds = items.map(({ kind }: { kind: string }) => kind).sort();
  assert.deepEqual(kinds, ['court', 'index-run', 'refresh']);
}

/** @returns the new person's number. */
async function invite(ownerPage: Page, analystPage: Page): Promise<number> {
  await ownerPage.goto(`${server.url}/settings/people`);
  await press(ownerPage, 'Invite somebody');
  const dialog = ownerPage.getByRole('dialog');
  await dialog.getByLabel('E-mail').fill(SECOND);
  await dialog.getByLabel('Role').selectOption('analyst');
  await dialog.getByRole('button', { name: 'Make the link' }).click();
  const link = new URL(await readOnce(ownerPage));
  await analystPage.goto(`${server.url}${link.pathname}${link.hash}`);
  await analystPage.getByText(SECOND).waitFor();
  await analystPage.getByLabel('Your name').fill('Anna');
  await analystPage.getByLabel('Password').fill(PASSWORD);
  await press(analystPage, 'Join');
  await analystPage.getByText('(analyst)').waitFor();
  await analystPage.goto(`${server.url}/settings/people`);
  await analystPage.getByText('Your role (analyst) may not do this; it needs people:read.').waitFor();
  assert.equal(await analystPage.getByRole('button', { name: 'Invite somebody' }).count(), 0);
  const again = await openBrowser([]);
  await again.goto(`${server.url}${link.pathname}${link.hash}`);
  await again
    .getByText(/used|ended|works once/i)
    .first()
    .waitFor();
  await again.context().close();
  const { items } = await touchstone(['people', 'list']);
  return items.find(({ email }: { email: string }) => email === SECOND).userId;
}

async function changeRole(page: Page, userId: number, role: string): Promise<void> {
  await page.goto(`${server.url}/settings/people/${userId}`);
  await page.getByRole('combobox', { name: 'Role' }).selectOption(role);
  const changed = page.waitForResponse((response) => response.url().endsWith('/role'));
  await press(page, 'Change it');
  assert.equal((await changed).status(), 200);
}

/** The page of the one who lost the right still shows its form; what it sends is refused. */
async function losesTheRight(ownerPage: Page, page: Page, userId: number): Promise<void> {
  await page.goto(`${server.url}/indexes/new`);
  await page.getByLabel('Name', { exact: true }).fill('Typed before');
  await page.getByLabel('Universe', { exact: true }).selectOption({ label: 'Five (5)' });
  await changeRole(ownerPage, userId, 'viewer');
  await sleep(5000);
  await press(page, 'Make the index');
  await page
    .getByText(/may not|not allowed|needs portfolio:write/)
    .first()
    .waitFor();
  const { items } = await touchstone(['index', 'list']);
  assert.ok(!items.some(({ name }: { name: string }) => name === 'Typed before'), 'refused is not done');
}

async function editAtOnce(one: Page, other: Page): Promise<void> {
  const { items } = await touchstone(['index', 'list']);
  const { id } = items.find(({ name }: { name: string }) => name === 'Mine');
  for (const page of [one, other]) {
    await page.goto(`${server.url}/indexes/${id}/edit`);
    await heading(page, 'Edit Mine');
  }
  await one.getByLabel('Description').fill('Words of one');
  await other.getByLabel('Description').fill('Words of the other');
  await press(one, 'Save');
  await heading(one, 'Mine');
  const refused = other.waitForResponse((response) => response.request().method() === 'PATCH');
  await press(other, 'Save');
  assert.equal((await refused).status(), 409);
  await other.getByText('Somebody changed this index while you were editing it.').waitFor();
  assert.equal(await other.getByLabel('Description').inputValue(), 'Words of the other');
  await press(other, 'Keep mine');
  await other.getByText('Yours is kept').waitFor();
  await press(other, 'Save');
  await heading(other, 'Mine');
  assert.equal((await touchstone(['index', 'show', 'Mine'])).description, 'Words of the other');
}

async function makeKey(page: Page): Promise<string> {
  await page.goto(`${server.url}/settings/keys`);
  await press(page, 'New key');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Notebook');
  await dialog.getByRole('button', { name: 'Make it' }).click();
  return readOnce(page);
}

async function useKey(key: string): Promise<void> {
  const env = { TOUCHSTONE_API_KEY: key };
  const { items } = await touchstone(['bars', SICK], { env });
  assert.ok(items.length > 1000);
  const refused = await touchstone(['universe', 'delete', 'Five'], { env, exitCode: 1 });
  assert.match(JSON.stringify(refused), /portfolio:write/);
}

async function secondFactor(page: Page): Promise<void> {
  await page.goto(`${server.url}/settings`);
  await press(page, 'Set it up');
  const dialog = page.getByRole('dialog', { name: 'Set up a second factor' });
  const secret = (await dialog.locator('code').textContent()) ?? '';
  await dialog.getByLabel('Code').fill(codeOf(secret));
  await dialog.getByRole('button', { name: 'Turn it on' }).click();
  assert.equal((await readOnce(page)).split('\n').length, 10);
  await press(page, 'Sign out');
  await page.getByRole('link', { name: 'Sign in', exact: true }).click();
  await heading(page, 'Sign in');
  await page.getByLabel('E-mail').fill(OWNER);
  await page.getByLabel('Password').fill(PASSWORD);
  await press(page, 'Sign in');
  await heading(page, 'One more step');
  // A code works once, and the clock of a phone may be a step ahead.
  await page.getByLabel('Code').fill(codeOf(secret, 1));
  await press(page, 'Sign in');
  await page.getByText('(owner)').waitFor();
}

async function keepSafe(tell: (step: string) => void): Promise<void> {
  const file = path.join(folder, 'all.backup');
  const backup = await touchstone(['backup', file]);
  tell(`backed up ${backup.rowCount} rows`);
  const drill = await touchstone(['drill', file]);
  assert.equal(drill.ok, true, JSON.stringify(drill.differences));
  assert.equal(drill.root, backup.root);
  tell('drilled');
  const { ok, findings } = await touchstone(['doctor']);
  assert.equal(ok, true, JSON.stringify(findings));
  tell('doctor asked');
}

/** Bars of a year read the same after its rows went into a file. */
async function archiveYear(): Promise<void> {
  const year = new Date().getUTCFullYear() - 3;
  const question = ['bars', 'OAK', '--from', `${year}-01-01`, '--to', `${year}-12-31`];
  const { items } = await touchstone(question);
  assert.ok(items.length > 200);
  await touchstone(['archive', 'start', '2']);
  const archived = await touchstone(['archive', 'list']);
  assert.ok(
    archived.items.some((row: { year: number }) => row.year === year),
    JSON.stringify(archived),
  );
  assert.deepEqual((await touchstone(question)).items, items);
  assert.equal((await touchstone(['verify'])).ok, true);
}
