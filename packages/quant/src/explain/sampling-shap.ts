import { expect } from '../checks/expect.ts';
import { type Unanswered, unanswered } from '../checks/unanswered.ts';
import { type Inputs, takeInputs } from '../learn/examples.ts';
import { createRandom, type Random } from '../random/random.ts';
import { checkSameColumns } from './linear-shap.ts';

/** Answers to rows, as `FittedModel.predict`. */
export type Predict = (inputs: Inputs) => Float64Array;

export type SamplingOptions = {
  seed: number;
  /** Orders drawn, each walked forth and back, 2..100,000. */
  pairCount?: number;
};

export type SamplingShap =
  | {
      status: 'ok';
      /** Mean answer to the background rows that were drawn. */
      base: number;
      /** One a feature; their sum and `base` are the answer. */
      contributions: Float64Array;
      /** One a feature: of the mean over the orders drawn. */
      standardError: Float64Array;
      /** What the model answers to the row. */
      value: number;
    }
  | Unanswered;

const PAIRS_DEFAULT = 64;
const PAIRS_MAX = 100_000;
/** Rows asked at once: large enough for models that like batches, small enough to stay in memory. */
const BATCH_VALUES = 1 << 20;

/**
 * Shapley values of any model's answer by drawing orders of features. Along an order a background row becomes the row asked
 * about, one feature at a time (of a window: all its days); what the answer changes by is the feature's. Every order is walked
 * forth and back (antithetic), and background rows are drawn in shuffled rounds, both against chance.
 *
 * Costs pairs × (2 · features − 1) answers.
 *
 * @param row One row.
 * @param background At least one row that the model answers to.
 * @throws RangeError if shapes differ or a setting is out of range.
 * @see Štrumbelj, E. and Kononenko, I. (2014), DOI 10.1007/s10115-013-0679-x; Mitchell, R. et al. (2022), Sampling permutations
 * for Shapley value estimation, arXiv 2104.12199, for antithetic orders.
 */
export function samplingShap(
  predict: Predict,
  row: Inputs,
  background: Inputs,
  options: SamplingOptions,
): SamplingShap {
  const { seed, pairCount = PAIRS_DEFAULT } = options;
  checkSameColumns(row, background);
  expect(row.rowCount === 1, `one row is explained at a time, were ${row.rowCount}`);
  expect(
    Number.isInteger(pairCount) && pairCount >= 2 && pairCount <= PAIRS_MAX,
    `pairCount must be in 2..${PAIRS_MAX}, was ${pairCount}`,
  );
  const value = predict(row)[0]!;
  if (Number.isNaN(value)) return unanswered('the model has no answer to this row');
  const known = answeredRows(predict, background);
  if (known.rows.rowCount === 0) return unanswered('the model has no answer to any background row');
  const { featureCount } = row;
  const random = createRandom(seed).split('shapley');
  const rounds = createRounds(known.rows.rowCount, random);
  const sums = new Float64Array(featureCount);
  const squares = new Float64Array(featureCount);
  let base = 0;
  const width = row.stepCount * featureCount;
  const stepsOfPair = Math.max(1, 2 * (featureCount - 1));
  const pairsAtOnce = Math.max(1, Math.floor(BATCH_VALUES / (stepsOfPair * width)));
  for (let done = 0; done < pairCount; done += pairsAtOnce) {
    const count = Math.min(pairsAtOnce, pairCount - done);
    const draws = Array.from({ length: count }, () => ({ from: rounds(), order: shuffled(featureCount, random) }));
    const answers = featureCount > 1 ? predict(walkRows(row, known.rows, draws)) : new Float64Array(0);
    if (answers.some(Number.isNaN))
      return unanswered('the model has no answer to a mix of this row and the background');
    draws.forEach(({ from, order }, draw) => {
      const start = known.answers[from]!;
      base += start;
      const changes = new Float64Array(featureCount);
      const at = draw * 2 * (featureCount - 1);
      addWalk(changes, order, start, answers.subarray(at, at + featureCount - 1), value);
      const back = answers.subarray(at + featureCount - 1, at + 2 * (featureCount - 1));
      addWalk(changes, order.toReversed(), start, back, value);
      changes.forEach((change, feature) => {
        sums[feature] = sums[feature]! + change;
        squares[feature] = squares[feature]! + change * change;
      });
    });
  }
  const contributions = sums.map((sum) => sum / pairCount);
  const standardError = squares.map((square, feature) => {
    const variance = Math.max(0, square / pairCount - contributions[feature]! ** 2);
    return Math.sqrt(variance / (pairCount - 1));
  });
  return { status: 'ok', base: base / pairCount, contributions, standardError, value };
}

/** Half of what each feature changed on a way from the background row to the row. */
function addWalk(changes: Float64Array, order: Int32Array, start: number, between: Float64Array, end: number): void {
  let before = start;
  order.forEach((feature, k) => {
    const after = k < between.length ? between[k]! : end;
    changes[feature] = changes[feature]! + (after - before) / 2;
    before = after;
  });
}

/** For every draw the rows between its ends: forth, then back. */
function walkRows(row: Inputs, background: Inputs, draws: readonly { from: number; order: Int32Array }[]): Inputs {
  const { stepCount, featureCount } = row;
  const width = stepCount * featureCount;
  const rowCount = draws.length * 2 * (featureCount - 1);
  const values = new Float64Array(rowCount * width);
  let at = 0;
  for (const { from, order } of draws)
    for (const way of [order, order.toReversed()]) {
      const mixed = background.values.slice(from * width, (from + 1) * width);
      for (let k = 0; k < featureCount - 1; k++) {
        for (let step = 0; step < stepCount; step++) {
          const place = step * featureCount + way[k]!;
          mixed[place] = row.values[place]!;
        }
        values.set(mixed, at);
        at += width;
      }
    }
  return { rowCount, stepCount, featureCount, values };
}

/** Background rows the model answers to, and its answers. */
function answeredRows(predict: Predict, background: Inputs): { rows: Inputs; answers: Float64Array } {
  const answers = predict(background);
  const kept = Int32Array.from({ length: background.rowCount }, (_, i) => i).filter((i) => !Number.isNaN(answers[i]!));
  return { rows: takeInputs(background, kept), answers: Float64Array.from(kept, (i) => answers[i]!) };
}

/** Numbers below `count` in rounds: each once, in a new order every round. */
function createRounds(count: number, random: Random): () => number {
  let round = new Int32Array(0);
  let at = 0;
  return () => {
    if (at === round.length) {
      round = shuffled(count, random);
      at = 0;
    }
    at += 1;
    return round[at - 1]!;
  };
}

function shuffled(count: number, random: Random): Int32Array<ArrayBuffer> {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
