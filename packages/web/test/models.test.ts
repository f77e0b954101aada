import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { exampleOf } from '@touchstone/contracts/example';
import { registerForeignModel } from '@touchstone/contracts/foreign';
import type { Browser } from 'playwright-core';
import { type Fixture, startFixtureServer } from './fixture-server.ts';
import { buildPages, fresh, launchBrowser, serve, skipsBrowser } from './in-browser.ts';

/** What one does with models, in a real browser. */

describe('forecasts one can check, in a browser', { skip: skipsBrowser() }, () => {
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

  test('A training is started for a universe, followed, and shows what each model is worth.', async (t) => {
    const { page, errors } = await fresh(t, browser, `${owner.origin}/models`);
    await page.getByRole('button', { name: 'Train models' }).click();
    await page.getByLabel('Transformer').uncheck();
    await page.getByRole('button', { name: 'Start training' }).click();
    await page.waitForURL(/\/trainings\/2$/);
    await page.getByText('The models stand here when it is done.').waitFor();
    await page.goto(`${owner.origin}/trainings/1`);
    const row = page.getByRole('row', { name: /Ensemble/ });
    await row.getByText('65.2 % to 69.2 %').waitFor();
    await row.getByText('linear model: 66.1 %').waitFor();
    await row.getByText('simplest that holds').waitFor();
    assert.deepEqual(errors, []);
  });

  test('A search is started, and shows what it chose, on which days, and what is as good.', async (t) => {
    const { page, errors } = await fresh(t, browser, `${owner.origin}/searches`);
    await page.getByRole('button', { name: 'Search for a model' }).click();
    await page.getByLabel('Minutes').fill('5');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.waitForURL(/\/searches\/1$/);
    await page.getByText('on days the choice never saw 0.6210').waitFor();
    await page
      .getByRole('row', { name: /Boosted trees/ })
      .getByText('as good as the best')
      .waitFor();
    await page
      .getByRole('row', { name: /Transformer/ })
      .getByText('It grew beyond all bounds.')
      .waitFor();
    assert.deepEqual(errors, []);
  });

  test('A version is promoted only after every line of the check list is signed and a reason is given.', async (t) => {
    const { page, errors } = await fresh(t, browser, `${owner.origin}/models/volatility-direction/versions/2`);
    await page.getByRole('button', { name: 'Promote' }).click();
    const promote = page.getByRole('button', { name: 'Promote version 2' });
    assert.equal(await promote.isDisabled(), true);
    for (const box of await page.getByRole('group', { name: 'You sign' }).getByRole('checkbox').all())
      await box.check();
    assert.equal(await promote.isDisabled(), true, 'a reason is wanted');
    await page.getByLabel('Why').fill('The newer one fell back on a third of names.');
    await promote.click();
    await promote.waitFor({ state: 'detached' });
    assert.ok(owner.requests.includes('POST /api/v1/models/volatility-direction/promote'));
    assert.deepEqual(errors, []);
  });

  test('A foreign model is brought as two files, and what the gate says of it stands beside.', async (t) => {
    const { page, errors } = await fresh(t, browser, `${owner.origin}/models`);
    const panel = page.getByRole('region', { name: 'Bring a model' });
    await panel.getByLabel('Name of the model').fill('by-pytorch');
    const file = (name: string, text: string) => ({
      name,
      mimeType: 'application/octet-stream',
      buffer: Buffer.from(text),
    });
    await panel.getByLabel('Model (.onnx)').setInputFiles(file('model.onnx', 'a model'));
    await panel.getByLabel('Manifest (.json)').setInputFiles(file('manifest.json', '{}'));
    await panel.getByRole('button', { name: 'Register and judge it' }).click();
    await panel.getByText('The manifest is not whole').waitFor();
    const { manifest } = Object(exampleOf(registerForeignModel.body!));
    await panel.getByLabel('Manifest (.json)').setInputFiles(file('manifest.json', JSON.stringify(manifest)));
    await panel.getByRole('button', { name: 'Register and judge it' }).click();
    await panel.getByText('judged only on the days after 2022-12-30').waitFor();
    assert.ok(owner.requests.includes('POST /api/v1/models/by-pytorch/foreign'));
    if (process.env.TOUCHSTONE_PICTURES)
      await page.screenshot({ path: process.env.TOUCHSTONE_PICTURES, fullPage: true });
    await page.goto(`${owner.origin}/models/volatility-direction/versions/3`);
    await page
      .getByRole('button', { name: /^Save .* as ONNX$/ })
      .first()
      .waitFor();
    assert.deepEqual(errors, []);
  });

  test('A forecast says value, simple rule and when it is known; its page explains it and computes it again.', async (t) => {
    const { page, errors } = await fresh(t, browser, `${owner.origin}/models/volatility-direction`);
    const ask = page.getByRole('region', { name: 'Ask it' });
    await ask.getByLabel('Symbol').fill('ALDR');
    await ask.getByRole('button', { name: 'Forecast', exact: true }).click();
    await ask.getByText('5-day above 22-day mean: 50.0 %').waitFor();
    await ask.getByRole('link', { name: 'Why, and where it comes from' }).click();
    await page.waitForURL(/\/predictions\/18$/);
    await page.getByText('Volatility and leverage speak for it, momentum against it.').waitFor();
    await page.getByText('With natr_14 at 1.31 instead of 1.84').waitFor();
    await page.getByRole('button', { name: 'Replay' }).click();
    await page.getByText('The same inputs and the same model gave the same bytes.').waitFor();
    assert.deepEqual(errors, []);
  });

  test('Predictions are told with what happened, and abstentions with their reason.', async (t) => {
    const { page, errors } = await fresh(t, browser, `${owner.origin}/predictions`);
    await page.getByRole('cell', { name: /^yes/ }).first().waitFor();
    await page.getByRole('button', { name: 'Abstained' }).click();
    await page.waitForURL(/which=abstained/);
    await page.getByRole('row').filter({ hasText: 'abstains' }).getByRole('link').first().click();
    await page.getByText('Sure to 0.53; it speaks from 0.58 on.').waitFor();
    assert.deepEqual(errors, []);
  });

  test('Rolling back says what it does, asks why, and is one request.', async (t) => {
    const { page, errors } = await fresh(t, browser, `${owner.origin}/models/volatility-direction`);
    await page.getByRole('button', { name: 'Roll back' }).click();
    await page.getByText('within seconds on every server and without a failed request').waitFor();
    await page.getByLabel('Why').fill('It drifts.');
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(owner.requests.filter((line) => line.endsWith('/rollback')).length, 1);
    assert.deepEqual(errors, []);
  });

  test('Drift stands with its limit and its effect, alarms alone if wanted.', async (t) => {
    const { page, errors } = await fresh(t, browser, `${owner.origin}/models/volatility-direction/drift`);
    await page.getByRole('row', { name: /rsi_14/ }).waitFor();
    await page.getByLabel('Only alarms').check();
    await page.getByRole('row', { name: /rsi_14/ }).waitFor({ state: 'detached' });
    await page.getByText('3.4 standard deviations above its past').waitFor();
    assert.deepEqual(errors, []);
  });

  test('A question that would take too long says how long, and what to ask instead.', async (t) => {
    const { page, errors } = await fresh(t, browser, `${owner.origin}/models/volatility-direction/ab-tests`);
    await page.getByText('3,843 independent outcomes').waitFor();
    await page.getByText('not within ten years').waitFor();
    await page.getByText('Ask for the Brier score').waitFor();
    await page.getByRole('link', { name: 'version 3 against 2' }).click();
    await page.getByText('Looking every day is allowed.').waitFor();
    assert.deepEqual(errors, []);
  });

  test('A viewer sees models and learns why the rest is not for them; an empty installation says what to do.', async (t) => {
    const viewer = await serve(t, { pages, role: 'viewer' });
    const { page, errors } = await fresh(t, browser, `${viewer.origin}/models/volatility-direction`);
    await page.getByText('it needs model:promote').first().waitFor();
    await page.getByText('it needs model:write').first().waitFor();
    const empty = await serve(t, { pages, role: 'owner', isEmpty: true });
    await page.goto(`${empty.origin}/models`);
    await page.getByText('Train models for a universe').waitFor();
    await page.getByText('Nobody stands here yet').waitFor();
    assert.deepEqual(errors, []);
  });
});
