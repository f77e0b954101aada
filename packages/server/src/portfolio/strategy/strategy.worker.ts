import type { IndexMethod } from '@touchstone/contracts/indexes';
import { buyAndHoldTargets } from '@touchstone/quant/backtest/buy-and-hold';
import { capsAsKnown } from '@touchstone/quant/backtest/caps-as-known';
import { equalWeightTargets } from '@touchstone/quant/backtest/equal-weight';
import { runWeights } from '@touchstone/quant/backtest/run-weights';
import type { TargetWeights } from '@touchstone/quant/backtest/target-weights';
import { threePillarTargets } from '@touchstone/quant/backtest/three-pillar';
import { checkStrategyNoLookAhead } from '@touchstone/quant/evaluation/strategy-canary';
import { createRandom } from '@touchstone/quant/random/random';

const ROW_COUNT = 160;
const COLUMN_COUNT = 8;
const SEED = 7;

type CanaryPanel = { day: Int32Array; close: Float64Array };

export type CanaryAnswer = { passed: boolean; sentence: string };

/**
 * Puts a method through the look-ahead canary on a small seeded panel, with capitalisations and gaps.
 *
 * @public Called by its name from another thread.
 */
export function runStrategyCanary(method: IndexMethod): CanaryAnswer {
  const input = createPanel();
  const verdict = checkStrategyNoLookAhead<CanaryPanel>({
    name: method,
    input,
    rowCount: ROW_COUNT,
    columnCount: COLUMN_COUNT,
    day: input.day,
    random: createRandom(SEED).split('canary'),
    run: ({ day, close }) => {
      const shape = { close, rowCount: day.length, columnCount: COLUMN_COUNT };
      const run = runWeights({
        ...shape,
        targets: targetsOf(method, day, close),
        costBasisPoints: 0,
        fill: 'close',
        recordHeldWeights: true,
      });
      return { heldWeights: run.heldWeights ?? new Float64Array(0), returnsGross: run.returnsGross };
    },
  });
  if (!verdict.ok) return { passed: false, sentence: verdict.sentence };
  return {
    passed: verdict.isSensitive,
    sentence: verdict.isSensitive
      ? `Rewriting the future after ${verdict.probeCount} days changed none of ${verdict.comparedCount} values, to the last bit.`
      : 'The method ignored its prices, so the canary proves nothing.',
  };
}

function targetsOf(method: IndexMethod, day: Int32Array, close: Float64Array): TargetWeights {
  const shape = { close, rowCount: day.length, columnCount: COLUMN_COUNT };
  if (method === 'equal_weight') return equalWeightTargets(shape);
  if (method === 'buy_and_hold') return buyAndHoldTargets(shape);
  const caps = capsAsKnown(day, close, COLUMN_COUNT, 'split_adjusted', {
    day: Int32Array.from({ length: COLUMN_COUNT }, (_, column) => (day[0] ?? 0) + 10 * column),
    column: Int32Array.from({ length: COLUMN_COUNT }, (_, column) => column),
    cap: Float64Array.from({ length: COLUMN_COUNT }, (_, column) => 1e9 * (1 + column)),
    origin: 'reported',
  });
  return threePillarTargets({ day, close, columnCount: COLUMN_COUNT, caps }).targets;
}

function createPanel(): CanaryPanel {
  const random = createRandom(SEED);
  const close = new Float64Array(ROW_COUNT * COLUMN_COUNT);
  for (let column = 0; column < COLUMN_COUNT; column++) {
    let price = 20 + 80 * random.uniform();
    for (let t = 0; t < ROW_COUNT; t++) {
      price *= 1 + 0.015 * random.normal();
      close[t * COLUMN_COUNT + column] = random.uniform() < 0.02 ? Number.NaN : price;
    }
  }
  return { day: Int32Array.from({ length: ROW_COUNT }, (_, t) => 16_000 + t), close };
}
