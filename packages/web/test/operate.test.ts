import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type Fixture, startFixtureServer } from './fixture-server.ts';
import { OWN_ID } from './fixture-world.ts';
import { buildPages, fresh, LOOKS, launchBrowser, lookAt, serve, skipsBrowser } from './in-browser.ts';

/** Feeds, schedules, alerts and the operation side in a real browser. */

const PAGES: readonly (readonly [path: string, heading: string])[] = [
  ['/data', 'Data'],
  ['/data/connect', 'Add data'],
  ['/data/feeds/11', 'TwelveData'],
  ['/data/feeds/12', 'ALFRED vintages'],
  ['/data/feeds/99', 'No such feed'],
  ['/data/refreshes/12', 'Refresh 12'],
  ['/data/gaps', 'Gaps'],
  ['/data/runs/5', 'Delivery 5'],
  ['/universes/2', 'My universe'],
  ['/indexes/2', 'Simulated equal weight'],
  ['/tasks/schedules', 'Schedules'],
  ['/alerts', 'Alerts'],
  ['/operate', 'Health'],
  ['/operate/slow-queries', 'Slow queries'],
  ['/operate/slow-queries/1', 'Statement 1'],
  ['/operate/backups', 'Backups and archives'],
  ['/operate/doctor', 'Doctor'],
];

describe('living with it, in a browser', { skip: skipsBrowser() }, () => {
  let pages: string;
  let browser: Browser;
  let owner: Fixture;

  before(async () => {
    pages = await buildPages();
    owner = await startFixtureServer({ pages, role: 'owner' });
    browser = await launchBrowser();
  });

  after(async () => {
    await browser?.close();
    await owner?.stop();
    if (pages) await rm(pages, { recursive: true, force: true });
  });

  for (const [width, scheme] of LOOKS) {
    test(`Every page of data and operation stands at ${width} px in ${scheme}.`, () =>
      lookAt(browser, owner.origin, PAGES, width, scheme));
  }

  test('A key is connected, tested and never shown; a refresh is planned, priced and followed to its report.', async (t) => {
    const server = await serve(t, { pages, role: 'owner' });
    const { page, errors } = await fresh(t, browser, `${server.origin}/data`);
    await page.getByRole('link', { name: 'Add data' }).click();
    await page.getByRole('button', { name: 'Connect a key' }).click();
    await page.getByLabel('Key', { exact: true }).fill('secret-key-of-mine');
    await page.getByLabel('Name').fill('My vendor');
    await page.getByRole('button', { name: 'Connect and test' }).click();
    await page.getByRole('heading', { level: 1, name: 'My vendor' }).waitFor();
    await page.getByText('It works').waitFor();
    await page.getByText('8 of 8 left').waitFor();
    assert.equal(await page.getByText('secret-key-of-mine').count(), 0);
    await page.getByRole('button', { name: 'Plan the refresh' }).click();
    const plan = page.getByRole('region', { name: 'The plan' });
    await plan.getByText('13 symbols = 13 credits, 2 minutes').waitFor();
    await page.getByRole('radio', { name: 'These symbols' }).check();
    assert.equal(await plan.count(), 0, 'a plan for something else is not shown');
    await page.getByRole('radio', { name: 'Everything of a universe' }).check();
    await page.getByRole('button', { name: 'Start the refresh' }).click();
    await page.getByRole('link', { name: 'Read the report' }).click();
    await page.getByRole('heading', { level: 1, name: /^Refresh \d+$/ }).waitFor();
    await page.getByText('13 of 13 symbols refreshed.').waitFor();
    assert.ok(server.requests.includes('POST /api/v1/data/feeds/22/refreshes'));
    assert.deepEqual(errors, []);
  });

  test('A key is changed, and a settings change that somebody overtook keeps what was typed.', async (t) => {
    const server = await serve(t, { pages, role: 'owner' });
    const { page } = await fresh(t, browser, `${server.origin}/data/feeds/11`);
    await page.getByRole('button', { name: 'Change the key' }).click();
    await page.getByLabel('New key').fill('another-secret-key');
    await page.getByRole('dialog').getByRole('button', { name: 'Change the key' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByLabel('Name').fill('Mine');
    await send(server, 'PATCH', '/data/feeds/11', { name: 'Theirs', version: 2 });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Somebody changed this feed while you were editing it.').waitFor();
    assert.equal(await page.getByLabel('Name').inputValue(), 'Mine');
    await page.getByRole('button', { name: 'Keep mine' }).click();
    await page.getByText('Yours is kept').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { level: 1, name: 'Mine' }).waitFor();
  });

  test('Prices of this moment are looked at, watched live and said not to be stored.', async (t) => {
    const { page, errors } = await fresh(t, browser, `${owner.origin}/data/feeds/11`);
    const panel = page.getByRole('region', { name: 'Look at prices now' });
    await panel.getByText('Quotes are looked at and not stored').waitFor();
    await panel.getByLabel('Symbols').fill('aaa, none BBB');
    await panel.getByRole('button', { name: 'Look' }).click();
    await panel
      .getByRole('cell', { name: /101\.00/ })
      .first()
      .waitFor();
    await panel.getByText('TwelveData does not know “NONE”.').waitFor();
    await panel.getByRole('button', { name: 'Watch live' }).click();
    await panel.getByText('Live', { exact: true }).waitFor();
    await panel
      .getByRole('cell', { name: /104\.50/ })
      .nth(1)
      .waitFor();
    assert.equal(await panel.locator('[aria-live=off]').count(), 1);
    await panel.getByRole('button', { name: 'Stop watching' }).click();
    await panel.getByText('Live', { exact: true }).waitFor({ state: 'hidden' });
    await panel.getByLabel('Symbols').fill('a b c d e f g h i');
    await panel.getByText('9 symbols are too many.').waitFor();
    assert.equal(await panel.getByRole('button', { name: 'Look' }).isDisabled(), true);
    assert.deepEqual(errors, []);
  });

  test('A degraded refresh says what is missing, why, and when it is asked again.', async (t) => {
    const { page, errors } = await fresh(t, browser, `${owner.origin}/data/refreshes/12`);
    await page.getByText('It ended, and something asked for is missing').waitFor();
    await page.getByText('Answer cannot be true: 1').waitFor();
    await page.getByRole('cell', { name: 'when its symbol or the key is changed' }).waitFor();
    await page.getByRole('link', { name: 'findings of delivery 4' }).click();
    await page.getByRole('heading', { level: 1, name: 'Findings' }).waitFor();
    assert.match(page.url(), /run=4/);
    await page.goto(`${owner.origin}/data/gaps?source=11`);
    await page.getByLabel('Universe').selectOption({ label: 'All simulated companies' });
    await page.getByText('Nothing is missing').waitFor();
    assert.deepEqual(errors, []);
  });

  test('One dialog keeps a universe current, and its next runs are shown.', async (t) => {
    const server = await serve(t, { pages, role: 'owner' });
    const { page, errors } = await fresh(t, browser, `${server.origin}/universes/2`);
    await page.getByText('75 min after the close of XNYS').waitFor();
    await page.getByRole('button', { name: 'Change' }).click();
    await page.getByLabel('Minutes after the close').fill('90');
    await page.getByRole('button', { name: 'Keep it current' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('It is kept current from now on.').waitFor();
    await dialog.getByRole('button', { name: 'Good' }).click();
    await page.getByText('Judge My universe').waitFor();
    await page.getByText('90 min after the close of XNYS').waitFor();
    assert.deepEqual(errors, []);
  });

  test('A schedule follows a close, and one that somebody changed meanwhile keeps what was typed.', async (t) => {
    const server = await serve(t, { pages, role: 'owner' });
    const { page } = await fresh(t, browser, `${server.origin}/tasks/schedules`);
    await page.getByRole('button', { name: 'New schedule' }).click();
    await page.getByLabel('What', { exact: true }).selectOption('backup');
    await page.getByLabel('Name').fill('Back up after the close');
    await page.getByLabel('Minutes after the close').fill('200');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('200 min after the close of XNYS').waitFor();
    await page
      .getByRole('listitem')
      .filter({ hasText: 'Verify every night' })
      .getByRole('button', { name: 'Edit' })
      .click();
    await page.getByLabel('Cron (UTC)').fill('15 4 * * *');
    await send(server, 'PATCH', '/schedules/1', { title: 'Theirs', version: 1 });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Somebody changed this schedule while you were editing it.').waitFor();
    assert.equal(await page.getByLabel('Cron (UTC)').inputValue(), '15 4 * * *');
    await page.getByRole('button', { name: 'Keep mine' }).click();
    await page.getByText('Yours is kept').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Every day 04:15 UTC').waitFor();
  });

  test('A delivery shows what it touches, and a stale index is computed again from there.', async (t) => {
    const server = await serve(t, { pages, role: 'owner' });
    const { page, errors } = await fresh(t, browser, `${server.origin}/data/runs/5`);
    const picture = page.getByRole('list', { name: 'From the change to what rests on it' });
    await picture.getByText('stale index').waitFor();
    await page.getByText('2 datasets').click();
    await page.getByRole('link', { name: 'prices of 2026-01-01' }).waitFor();
    await page.getByRole('button', { name: 'Recompute' }).click();
    await page.getByText('Compute Simulated three pillars').waitFor();
    assert.ok(server.requests.includes('POST /api/v1/indexes/1/runs'));
    assert.deepEqual(errors, []);
  });

  test('An index whose facts changed since its last version says so, in the list and on its page.', async (t) => {
    const { page } = await fresh(t, browser, `${owner.origin}/indexes`);
    await page
      .getByRole('row', { name: /Simulated equal weight/ })
      .getByText('stale')
      .waitFor();
    await page.getByRole('link', { name: 'Simulated equal weight' }).click();
    await page.getByText('Stale: facts changed since its last version').waitFor();
    await page.getByText('2 changes touched its data, from 5 May 2016 on').waitFor();
  });

  test('After a correction the way to what it touches is shown.', async (t) => {
    const server = await serve(t, { pages, role: 'owner' });
    const { page } = await fresh(t, browser, `${server.origin}/data/instruments/${OWN_ID}`);
    await page
      .getByRole('button', { name: /\d Dec 2025/ })
      .first()
      .click();
    await page.getByRole('button', { name: 'Correct this bar' }).click();
    await page.getByLabel('Why').fill('Vendor notice');
    await page.getByRole('button', { name: 'Tell it again' }).click();
    await page.getByRole('link', { name: 'See what this touches' }).click();
    await page.getByRole('heading', { level: 1, name: /^Delivery/ }).waitFor();
  });

  test('A critical alert stands over every page until it is acknowledged; a new one is told without a reload.', async (t) => {
    const server = await serve(t, { pages, role: 'owner' });
    const { page, errors } = await fresh(t, browser, `${server.origin}/universes/2`);
    const banner = page.getByRole('alert').filter({ hasText: 'Critical: The disk is almost full' });
    await banner.waitFor();
    await page.getByRole('link', { name: 'Alerts: 1 critical, 1 warning, 1 info' }).waitFor();
    await banner.getByRole('button', { name: 'Acknowledge' }).click();
    await banner.waitFor({ state: 'hidden' });
    await page.getByRole('link', { name: 'Alerts: 1 warning, 1 info' }).waitFor();
    await page.getByRole('button', { name: 'Judge it again now' }).click();
    const toasts = page.getByRole('region', { name: 'New alerts' });
    await toasts.getByText('The court opened 2 findings').waitFor();
    assert.equal(await toasts.getAttribute('aria-live'), 'polite');
    await page.getByRole('link', { name: 'Alerts: 2 warning, 1 info' }).waitFor();
    await toasts.getByRole('link', { name: 'See it' }).click();
    await page.getByRole('heading', { level: 1, name: 'Alerts' }).waitFor();
    await page.getByRole('button', { name: 'Acknowledged' }).click();
    await page.getByText('The disk is almost full').waitFor();
    assert.deepEqual(errors, []);
  });

  test('Two tabs of one browser share one stream of alerts.', async (t) => {
    const server = await serve(t, { pages, role: 'owner' });
    const { page } = await fresh(t, browser, `${server.origin}/operate`);
    await page.getByRole('link', { name: /^Alerts: 1 critical/ }).waitFor();
    const other = await page.context().newPage();
    await other.goto(`${server.origin}/universes/2`);
    await other.getByRole('link', { name: /^Alerts: 1 critical/ }).waitFor();
    await other.getByRole('button', { name: 'Judge it again now' }).click();
    await page.getByText('The court opened 2 findings').waitFor();
    await other.getByText('The court opened 2 findings').waitFor();
    const streams = server.requests.filter((line) => line.endsWith('/alerts/events'));
    assert.equal(streams.length, 1);
  });

  test('Backups, the drill and archives are started and followed; the doctor says what to do.', async (t) => {
    const server = await serve(t, { pages, role: 'owner' });
    const { page, errors } = await fresh(t, browser, `${server.origin}/operate/backups`);
    await page.getByRole('button', { name: 'Back up now' }).click();
    await finished(page, 'Back up the installation');
    await page.getByRole('button', { name: 'Restore drill' }).click();
    await finished(page, 'Restore the newest backup beside');
    await page.getByText('61,401 rows restored beside and compared in 4.2 s: equal.').waitFor();
    await page.getByRole('button', { name: 'Bring back' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Bring back' }).click();
    await finished(page, 'Bring 2010 back');
    await page.getByRole('link', { name: 'Doctor' }).click();
    await page.getByText('touchstone archive start 10').waitFor();
    await page.getByRole('link', { name: 'Health' }).click();
    await page.getByText('2 things need you').waitFor();
    await page.getByText('Caches and limits live in this process and in the database.').waitFor();
    assert.deepEqual(errors, []);
  });

  test('A viewer may look at health, and learns why not where only an owner may.', async (t) => {
    const server = await serve(t, { pages, role: 'viewer' });
    const { page, errors } = await fresh(t, browser, `${server.origin}/operate`);
    await page.getByRole('heading', { name: 'Parts and fall-backs' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'Doctor' }).count(), 0);
    for (const path of ['/operate/doctor', '/operate/backups', '/data/connect']) {
      await page.goto(server.origin + path);
      await page.getByText(/^Your role \(viewer\) may not do this; it needs (system|market):write\.$/).waitFor();
      await page.getByText(/^(It is for owners of the first tenant|Roles that may: owner, manager\.)/).waitFor();
    }
    assert.ok(!server.requests.some((line) => /doctor|backups/.test(line)), 'what is forbidden is not asked for');
    await page.goto(`${server.origin}/data/feeds/11`);
    await page.getByRole('button', { name: 'Plan the refresh' }).click();
    assert.equal(await page.getByRole('button', { name: 'Start the refresh' }).isDisabled(), true);
    assert.deepEqual(errors, []);
  });

  test('An installation with nothing in it says what to do on every page.', async (t) => {
    const server = await serve(t, { pages, role: 'owner', isEmpty: true });
    const { page, errors } = await fresh(t, browser, server.origin);
    for (const [path, words] of [
      ['/data', 'No source yet'],
      ['/data/gaps', 'There is no feed yet.'],
      ['/tasks/schedules', 'Nothing comes again by itself yet'],
      ['/alerts', 'Nothing needs you.'],
      ['/operate', 'All is well.'],
      ['/operate/slow-queries', 'Nothing was slow'],
      ['/operate/backups', 'There is no backup yet'],
      ['/operate/doctor', 'Nothing is wrong.'],
    ] as const) {
      await page.goto(server.origin + path);
      await page.getByText(words).first().waitFor();
    }
    assert.deepEqual(errors, []);
  });

  test('A part that fails says so, and the rest of the page stands.', async (t) => {
    const server = await serve(t, { pages, role: 'owner', failing: new Map([['listProcesses', 'NOT_FOUND']]) });
    const { page } = await fresh(t, browser, `${server.origin}/operate`);
    await page.getByText('The fixture was told to fail listProcesses.').waitFor();
    await page.getByRole('heading', { name: 'Request limits' }).waitFor();
  });
});

async function finished(page: Page, title: string): Promise<void> {
  const box = page.locator('[aria-live=polite]').filter({ hasText: title });
  await box.getByText('done', { exact: true }).waitFor();
}

/** What somebody else does meanwhile. */
async function send(server: Fixture, method: string, path: string, body: object): Promise<void> {
  const response = await fetch(`${server.origin}/api/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 200);
}
