import { mkdtemp, rm } from 'node:fs/promises';
import { startProduct } from './product.ts';

const PORT = 18_081;
const GOAL_SECONDS = 2.5;
const FIRST_GOAL_SECONDS = 15;
const RUNS = 5;

/**
 * `npm start` on existing data until the first page is answered; and the first start ever, simulated market included.
 *
 * @public
 */
export async function run() {
  const home = await mkdtemp('/tmp/touchstone-bench-');
  try {
    const first = await startProduct(home, PORT);
    await first.stop();
    const times: number[] = [];
    for (let k = 0; k < RUNS; k++) {
      const product = await startProduct(home, PORT);
      times.push(product.secondsToFirstAnswer);
      await product.stop();
    }
    const second = times.toSorted((a, b) => a - b)[RUNS >> 1]!;
    const shared = { unit: 's', peer: null, peerFigure: null, ratio: null };
    return [
      {
        ...shared,
        name: 'start-second',
        figure: second,
        goal: `< ${GOAL_SECONDS} s`,
        met: second < GOAL_SECONDS,
        input: `median of ${RUNS} starts on the simulated market's data, packages and pages in place`,
      },
      {
        ...shared,
        name: 'start-first',
        figure: first.secondsToFirstAnswer,
        goal: `< ${FIRST_GOAL_SECONDS} s`,
        met: first.secondsToFirstAnswer < FIRST_GOAL_SECONDS,
        input:
          'an empty data folder: database made, simulated market loaded, its index computed; packages and pages in place',
      },
    ];
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
