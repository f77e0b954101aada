import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { type Fixture, type FixtureOptions, startFixtureServer } from './fixture-server.ts';

/** What tests in a real browser share: the browser, the built pages, and a look at what a page should not have. */

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const isRequired = (process.env.TOUCHSTONE_REQUIRE ?? '').split(/[\s,]+/).includes('chromium');
const isThere = existsSync(CHROMIUM);
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
];
const WAIT_MS = 15_000;

/** True where there is no Chromium and none is required; says so. */
export function skipsBrowser(): boolean {
  if (isThere || isRequired) return false;
  console.log(`skipped: no Chromium at ${CHROMIUM}; set CHROMIUM to its path`);
  return true;
}

/** The pages, built into a folder of their own; the caller removes it. */
export async function buildPages(): Promise<string> {
  assert.ok(isThere, `Chromium is required, but there is none at ${CHROMIUM}.`);
  const pages = await mkdtemp(join(tmpdir(), 'touchstone-web-'));
  await build({
    root: join(import.meta.dirname, '..'),
    logLevel: 'error',
    build: { outDir: pages, emptyOutDir: true },
  });
  return pages;
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ARGS });
}

export async function serve(t: TestContext, options: FixtureOptions): Promise<Fixture> {
  const server = await startFixtureServer(options);
  t.after(() => server.stop());
  return server;
}

/** A page of its own; closed after the test, also when it fails. */
export async function fresh(t: TestContext, browser: Browser, address: string) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 860 } });
  t.after(() => context.close());
  const opened = await openPage(context);
  await opened.page.goto(address);
  return opened;
}

export async function openPage(context: BrowserContext): Promise<{ page: Page; errors: string[] }> {
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  return { page, errors };
}

/**
 * Looks at every page at both widths and in both schemes: one heading, labelled controls, no error, nothing wider than
 * the screen. All four pairs of each page would only take longer, so each is seen in two of them.
 */
export async function lookAt(
  browser: Browser,
  origin: string,
  pages: readonly (readonly [path: string, heading: string])[],
  width: number,
  scheme: 'light' | 'dark',
): Promise<void> {
  const context = await browser.newContext({ viewport: { width, height: 860 }, colorScheme: scheme });
  try {
    const { page, errors } = await openPage(context);
    const shown = pages.filter((_, at) => (at % 2 === 0) === ((width === 1440) === (scheme === 'light')));
    for (const [path, heading] of shown) {
      await page.goto(origin + path);
      await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
      await page.waitForFunction(() => document.querySelector('[aria-label=Loading]') === null);
      const found = await page.evaluate(inspect);
      assert.deepEqual(found, { headings: 1, unlabelled: [], overflow: 0 }, `${path} at ${width} px`);
      assert.deepEqual(errors, [], path);
    }
  } finally {
    await context.close();
  }
}

/** Both widths in both schemes. */
export const LOOKS = [
  [1440, 'light'],
  [390, 'dark'],
  [390, 'light'],
  [1440, 'dark'],
] as const;

/** Runs in the page: what a person with a keyboard, a reader or a phone would stumble over. */
function inspect() {
  const unlabelled = [...document.querySelectorAll('input, select, textarea, button, a')]
    .filter((element) => {
      const labels = 'labels' in element && element.labels instanceof NodeList ? element.labels.length : 0;
      const own = element.getAttribute('aria-label') ?? element.textContent?.trim() ?? '';
      const isField = /^(INPUT|SELECT|TEXTAREA)$/.test(element.tagName);
      return isField ? labels === 0 && !element.getAttribute('aria-label') : own === '';
    })
    .map((element) => element.outerHTML.slice(0, 120));
  return {
    headings: document.querySelectorAll('h1').length,
    unlabelled,
    overflow: Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth),
  };
}
