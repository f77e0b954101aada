import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { type Fixture, startFixtureServer } from './fixture-server.ts';
import { buildPages, fresh, launchBrowser, serve, skipsBrowser } from './in-browser.ts';

/** What one does on the pages of the market, in a real browser. */

describe('seeing the market, in a browser', { skip: skipsBrowser() }, () => {
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

  /** The market is asked at the moment the time machine shows. */
  async function assertAskedAgain(from: number, paths: readonly string[]): Promise<void> {
    const asked = owner.requests.slice(from).map((line) => new URL(line.split(' ')[1] ?? '', owner.origin));
    for (const path of paths) {
      const last = asked.findLast(({ pathname }) => pathname === `/api/v1/market/${path}`);
      assert.equal(last?.searchParams.get('knownAt'), '2025-12-04T23:59:59.000Z', `${path} was asked again`);
    }
  }

  test('The first page tells the state of the market after the index itself, moves with the time machine, and leads on.', async (t) => {
    const { page, errors } = await fresh(t, browser, owner.origin);
    const market = page.getByRole('region', { name: 'Market', exact: true });
    await market.getByText('nine of ten within 33').waitFor();
    await market.getByText('EWMA 19.0 %').waitFor();
    await market.getByText('base rate 31 %').waitFor();
    await market.getByText('7.9 robust deviations').waitFor();
    const order = owner.requests.map((line) => line.split('?')[0]);
    const holdingsAt = order.indexOf('GET /api/v1/indexes/1/holdings');
    assert.ok(holdingsAt >= 0 && order.indexOf('GET /api/v1/market/index/1/regimes') > holdingsAt);
    const from = owner.requests.length;
    await page.getByRole('slider', { name: 'Known at' }).focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('PageDown');
    await market.getByText('as of 4 Dec 2025').nth(3).waitFor();
    await assertAskedAgain(
      from,
      ['regimes', 'volatility', 'drawdown', 'anomalies'].map((part) => `index/1/${part}`),
    );
    await market.getByRole('link', { name: 'Look closer: 5 % fall' }).click();
    await page.waitForURL(/\/market\/index\/1\/risk\?.*knownAt=2025-12-04/);
    await page.getByRole('heading', { level: 1, name: 'Simulated three pillars' }).waitFor();
    assert.deepEqual(errors, []);
  });

  test('An index, an instrument and a universe lead to their market.', async (t) => {
    const { page } = await fresh(t, browser, `${owner.origin}/indexes/1`);
    await page.getByRole('link', { name: 'Look at the market' }).click();
    await page.waitForURL(/\/market\/index\/1$/);
    await page.goto(`${owner.origin}/data/instruments/2`);
    await page.getByRole('link', { name: 'Look at the market' }).click();
    await page.waitForURL(/\/market\/instrument\/2$/);
    await page.goto(`${owner.origin}/universes/2`);
    await page.getByRole('link', { name: 'Relations' }).click();
    await page.waitForURL(/\/market\/relations\?universe=2$/);
    await page.getByRole('slider', { name: /^Correlations of the universe/ }).waitFor();
    assert.equal(await page.getByLabel('Universe', { exact: true }).inputValue(), '2');
  });

  test('A page of the market moves with the time machine.', async (t) => {
    const { page, errors } = await fresh(t, browser, `${owner.origin}/market/instrument/1/volatility`);
    await page.getByRole('region', { name: 'Cone' }).waitFor();
    const from = owner.requests.length;
    await page.getByRole('slider', { name: 'Known at' }).focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('PageDown');
    await page.getByRole('region', { name: 'Cone' }).getByText('as of 4 Dec 2025').waitFor();
    await assertAskedAgain(from, ['instrument/1/volatility']);
    assert.deepEqual(errors, []);
  });

  test('The summary tells four figures, each the door to its page.', async (t) => {
    const { page, errors } = await fresh(t, browser, `${owner.origin}/market/instrument/1`);
    for (const text of ['Bull', '13.3 % to 20.7 %; EWMA 19.0 %', '17 % to 28 %', '7.9 robust deviations'])
      await page.getByText(text).first().waitFor();
    assert.equal(await page.getByRole('link', { name: 'Look closer' }).count(), 5);
    assert.deepEqual(errors, []);
  });

  test('A day is put on record, and a viewer is told why he cannot.', async (t) => {
    const server = await serve(t, { pages, role: 'owner' });
    const { page, errors } = await fresh(t, browser, `${server.origin}/market/instrument/1/regimes`);
    const asked = page.waitForRequest(
      (request) => request.method() === 'POST' && request.url().endsWith('/market/instrument/1/regimes/records'),
    );
    await page.getByRole('button', { name: /^Put .* on record$/ }).click();
    await asked;
    assert.deepEqual(errors, []);
    const viewer = await serve(t, { pages, role: 'viewer' });
    const watched = await fresh(t, browser, `${viewer.origin}/market/instrument/1/regimes`);
    const button = watched.page.getByRole('button', { name: /^Put .* on record$/ });
    await button.waitFor();
    assert.equal(await button.isDisabled(), true);
    await watched.page
      .getByText(/viewer/)
      .first()
      .waitFor();
  });

  test('An anomaly is judged.', async (t) => {
    const server = await serve(t, { pages, role: 'owner' });
    const { page, errors } = await fresh(t, browser, `${server.origin}/market/instrument/1/anomalies`);
    const cases = page.getByRole('region', { name: 'On record' });
    await cases.getByText('open', { exact: true }).waitFor();
    await cases.getByRole('button', { name: 'Real' }).click();
    await cases.getByText('confirmed', { exact: true }).waitFor();
    assert.equal(await cases.getByRole('button', { name: 'Real' }).isDisabled(), true);
    assert.ok(server.requests.includes('POST /api/v1/anomaly-cases/1/judgement'));
    assert.deepEqual(errors, []);
  });

  test('An expression that looks ahead is refused naming its part; a good one is checked and saved.', async (t) => {
    const server = await serve(t, { pages, role: 'owner' });
    const { page, errors } = await fresh(t, browser, `${server.origin}/market/views`);
    const panel = page.getByRole('region', { name: 'A feature of your own' });
    const save = panel.getByRole('button', { name: 'Save' });
    await panel.getByLabel('Name of the view').fill('mine');
    await panel.getByLabel('Name of the feature').fill('peek');
    await panel.getByLabel('Expression').fill('close / lead(close, 1)');
    await panel.getByRole('button', { name: 'Check' }).click();
    await panel.getByText('lead looks 1 bar ahead').waitFor();
    await panel.getByText('lead(close, 1)', { exact: true }).waitFor();
    assert.equal(await save.isDisabled(), true);
    await panel.getByLabel('Expression').fill('close / mean(close, 20)');
    assert.equal(await panel.getByText('lead looks 1 bar ahead').count(), 0, 'it was said of another expression');
    assert.equal(await save.isDisabled(), true, 'what was typed is not checked yet');
    await panel.getByRole('button', { name: 'Check' }).click();
    await panel.getByText('first value after 19 bars').waitFor();
    await save.click();
    await panel.getByText('mine is saved as version 1.').waitFor();
    assert.deepEqual(errors, []);
  });

  test('A factor that is left out is asked without.', async (t) => {
    const { page, errors } = await fresh(t, browser, `${owner.origin}/market/instrument/1/factors`);
    await page.getByRole('checkbox', { name: /^momentum$/i }).uncheck();
    await page.getByRole('row', { name: /^Momentum/i }).waitFor({ state: 'detached' });
    assert.ok(owner.requests.some((line) => line.includes('/factors?') && line.includes('exclude=momentum')));
    await page.getByRole('checkbox', { name: /^momentum$/i }).check();
    await page.getByRole('row', { name: /^Momentum/i }).waitFor();
    assert.deepEqual(errors, []);
  });

  test('Arrow keys move what is read on the heat map.', async (t) => {
    const { page } = await fresh(t, browser, `${owner.origin}/market/relations`);
    const map = page.getByRole('slider', { name: /^Correlations of the universe/ });
    await map.focus();
    const before = await map.getAttribute('aria-valuetext');
    await page.keyboard.press('ArrowRight');
    const right = await map.getAttribute('aria-valuetext');
    await page.keyboard.press('ArrowDown');
    const down = await map.getAttribute('aria-valuetext');
    assert.equal(new Set([before, right, down]).size, 3);
    assert.match(down ?? '', /^\w+ and \w+ [−\d.]+$/);
    await page.getByText(down ?? '', { exact: true }).waitFor();
  });

  test('A reading that cannot be made says why.', async (t) => {
    const { page, errors } = await fresh(t, browser, `${owner.origin}/market/instrument/2/volatility`);
    await page.getByText('Needs 500 sessions; 41 are known by then.').waitFor();
    await page.getByRole('link', { name: 'Summary' }).click();
    await page
      .getByRole('region', { name: 'Volatility, next 21 sessions' })
      .getByText('Needs 500 sessions; 41 are known by then.')
      .waitFor();
    assert.deepEqual(errors, []);
  });
});
