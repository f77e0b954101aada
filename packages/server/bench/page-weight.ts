import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import { startProduct } from './product.ts';

const PORT = 18_082;
const CHROMIUM = '/usr/bin/chromium';
const KB_GOAL = 300;
const SECONDS_GOAL = 2;
const RUNS = 5;

/**
 * The first page in a real browser with an empty cache: bytes over the wire, and the time until its chart is drawn.
 *
 * @public
 */
export async function run() {
  if (!existsSync(CHROMIUM)) throw new Error(`page-weight needs Chromium at ${CHROMIUM}`);
  const home = await mkdtemp('/tmp/touchstone-bench-');
  const product = await startProduct(home, PORT);
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
  try {
    const times: number[] = [];
    let bytes = 0;
    let codeBytes = 0;
    for (let k = 0; k < RUNS; k++) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
      const page = await context.newPage();
      const session = await context.newCDPSession(page);
      await session.send('Network.enable');
      const typeOf = new Map<string, string>();
      bytes = 0;
      codeBytes = 0;
      session.on('Network.responseReceived', ({ requestId, type }) => typeOf.set(requestId, type));
      session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
        bytes += encodedDataLength;
        if (['Document', 'Script', 'Stylesheet'].includes(typeOf.get(requestId) ?? '')) codeBytes += encodedDataLength;
      });
      const startedAt = performance.now();
      await page.goto(product.url, { waitUntil: 'commit' });
      await page.locator('main svg, main canvas').first().waitFor();
      times.push((performance.now() - startedAt) / 1000);
      await page.waitForLoadState('networkidle');
      await context.close();
    }
    const seconds = times.toSorted((a, b) => a - b)[RUNS >> 1]!;
    const shared = { peer: null, peerFigure: null, ratio: null };
    const input = `overview of the simulated market at 1440 × 900, empty browser cache, median of ${RUNS}`;
    return [
      {
        ...shared,
        name: 'page-weight',
        figure: bytes / 1000,
        unit: 'kB',
        goal: `< ${KB_GOAL} kB`,
        met: bytes < KB_GOAL * 1000,
        input: `${input}; all that was sent, data included, of which pages, scripts and styles ${(codeBytes / 1000).toFixed(0)} kB`,
      },
      {
        ...shared,
        name: 'page-load',
        figure: seconds,
        unit: 's',
        goal: `< ${SECONDS_GOAL} s`,
        met: seconds < SECONDS_GOAL,
        input,
      },
    ];
  } finally {
    await browser.close();
    await product.stop();
    await rm(home, { recursive: true, force: true });
  }
}
