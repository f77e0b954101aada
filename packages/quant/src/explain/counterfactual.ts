import { expect } from '../checks/expect.ts';
import { type Unanswered, unanswered } from '../checks/unanswered.ts';
import type { Inputs } from '../learn/examples.ts';
import type { FittedModel } from '../learn/learner.ts';
import { below32, below64, firstRight32 } from '../learn/trees/neighbours.ts';
import type { TreeEnsemble } from '../learn/trees/tree-ensemble.ts';
import { columnMoments } from './column-moments.ts';
import { checkSameColumns } from './linear-shap.ts';

export type CounterfactualOptions = {
  /** The answer to cross: of a probability the threshold of the decision. */
  crosses: number;
  /** Features nothing can be done about, or that are no numbers: left alone. */
  fixed?: readonly number[];
  /** Values tried between the least and the most of training, 4..1,000; between the last two the crossing is then halved out. */
  gridCount?: number;
};

/** One feature, moved no further than it has to be. */
export type Counterfactual =
  | {
      status: 'ok';
      feature: number;
      from: number;
      to: number;
      /** Answers. */
      before: number;
      after: number;
      crosses: number;
      /** Standard deviations of the feature in training between `from` and `to`. */
      distance: number;
    }
  | Unanswered;

const GRID_DEFAULT = 64;
const GRID = [4, 1000] as const;
const HALVINGS = 30;

/**
 * The smallest change of one feature, in its standard deviations and within its range in training, with which the answer
 * crosses a value. Of a window, the last day changes.
 *
 * Trees change at their thresholds only, so these are tried and the smallest change is exact. For other models a grid is
 * tried and the first crossing halved: a crossing and back between two values of the grid is missed.
 *
 * @param row One row. A feature that is missing in it is left alone.
 * @param background Training rows: the range and the standard deviation of every feature.
 * @returns `undefined` if no feature can do it alone.
 * @throws RangeError if shapes differ or a setting is out of range.
 * @see Wachter, S., Mittelstadt, B. and Russell, C. (2018), Counterfactual explanations without opening the black box,
 * arXiv 1711.00399.
 */
export function findCounterfactual(
  model: Pick<FittedModel, 'predict' | 'body'>,
  row: Inputs,
  background: Inputs,
  options: CounterfactualOptions,
): Counterfactual {
  const { crosses, fixed = [], gridCount = GRID_DEFAULT } = options;
  checkSameColumns(row, background);
  expect(row.rowCount === 1, `one row is explained at a time, were ${row.rowCount}`);
  expect(Number.isFinite(crosses), `crosses must be a number, was ${crosses}`);
  expect(
    Number.isInteger(gridCount) && gridCount >= GRID[0] && gridCount <= GRID[1],
    `gridCount must be in ${GRID[0]}..${GRID[1]}, was ${gridCount}`,
  );
  const before = model.predict(row)[0]!;
  if (Number.isNaN(before)) return unanswered('the model has no answer to this row');
  const { deviations, lows, highs } = columnMoments(background);
  const last = (row.stepCount - 1) * row.featureCount;
  let best: Counterfactual | null = null;
  for (let feature = 0; feature < row.featureCount; feature++) {
    const k = last + feature;
    const from = row.values[k]!;
    const deviation = deviations[k]!;
    if (fixed.includes(feature) || Number.isNaN(from) || !(deviation > 0)) continue;
    const range: Range = { low: lows[k]!, high: highs[k]! };
    const candidates = model.body.kind === 'trees' ? edges(model.body.trees, feature, range) : grid(range, gridCount);
    const crossing = nearestCrossing(model, row, k, candidates, before, crosses);
    if (crossing === null) continue;
    const distance = Math.abs(crossing.to - from) / deviation;
    if (best?.status !== 'ok' || distance < best.distance)
      best = { status: 'ok', feature, from, before, crosses, distance, ...crossing };
  }
  return best ?? unanswered(`no single feature within its training range brings the answer across ${crosses}`);
}

type Range = { low: number; high: number };

/** Values on both sides of every threshold of a feature: all answers it can give, at the ends that are nearest to others. */
function edges(trees: TreeEnsemble, feature: number, { low, high }: Range): Float64Array {
  const values = new Set<number>([low, high]);
  trees.feature.forEach((splits, node) => {
    if (splits !== feature) return;
    const start = trees.categoryStart[node]!;
    const end = trees.categoryStart[node + 1]!;
    for (const category of trees.categories.subarray(start, end)) values.add(category);
    if (end === start) for (const value of sides(trees, trees.threshold[node]!)) values.add(value);
  });
  return Float64Array.from(values)
    .filter((value) => value >= low && value <= high)
    .sort();
}

/** The last value that goes left and the first that goes right. */
function sides({ comparison, roundsInputs }: TreeEnsemble, threshold: number): [number, number] {
  if (roundsInputs) {
    const first = firstRight32(threshold, comparison);
    return [below32(first), first];
  }
  return comparison === 'less' ? [below64(threshold), threshold] : [threshold, -below64(-threshold)];
}

function grid({ low, high }: Range, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
}

/** The value of column k nearest to the row's at which the answer is on the other side; null: at none. */
function nearestCrossing(
  { predict, body }: Pick<FittedModel, 'predict' | 'body'>,
  row: Inputs,
  k: number,
  candidates: Float64Array,
  before: number,
  crosses: number,
): { to: number; after: number } | null {
  const from = row.values[k]!;
  const isAcross = (answer: number) => (before >= crosses ? answer < crosses : answer >= crosses);
  const answers = predict(withColumn(row, k, candidates));
  let best = -1;
  candidates.forEach((value, i) => {
    if (!isAcross(answers[i]!)) return;
    if (best < 0 || Math.abs(value - from) < Math.abs(candidates[best]! - from)) best = i;
  });
  if (best < 0) return null;
  if (body.kind === 'trees') return { to: candidates[best]!, after: answers[best]! };
  // Between the nearest value tried on the way that does not cross, or the row's own, and the one that does.
  let [near, far, after] = [from, candidates[best]!, answers[best]!];
  candidates.forEach((value) => {
    const isOnTheWay = value > Math.min(from, far) && value < Math.max(from, far);
    if (isOnTheWay && Math.abs(value - from) > Math.abs(near - from)) near = value;
  });
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (near + far) / 2;
    const answer = predict(withColumn(row, k, Float64Array.of(middle)))[0]!;
    if (isAcross(answer)) [far, after] = [middle, answer];
    else near = middle;
  }
  return { to: far, after };
}

function withColumn(row: Inputs, k: number, column: Float64Array): Inputs {
  const width = row.stepCount * row.featureCount;
  const values = new Float64Array(column.length * width);
  column.forEach((value, i) => {
    values.set(row.values, i * width);
    values[i * width + k] = value;
  });
  return { ...row, rowCount: column.length, values };
}

export type SentenceWords = {
  /** One a feature. */
  names: readonly string[];
  /** How the answer is called, as `the detected probability of a rise in volatility`. */
  answer: string;
  /** Writes a value of a feature; default: four significant digits, or more to tell two apart. */
  formatFeature?: (value: number, feature: number) => string;
  /** Writes an answer; default: three decimals. */
  formatAnswer?: (value: number) => string;
};

/**
 * `If vol21 were 0.031 instead of 0.012, the detected probability would be 0.512 instead of 0.431, at or above 0.500.`
 *
 * The two values are written with as many digits as it takes to tell them apart.
 */
export function counterfactualSentence(found: Counterfactual, words: SentenceWords): string {
  if (found.status === 'undefined') return `No counterfactual: ${found.reason}.`;
  const { feature, from, to, before, after, crosses } = found;
  const { names, answer, formatFeature, formatAnswer = (value) => value.toFixed(3) } = words;
  const [toText, fromText] = formatFeature
    ? [formatFeature(to, feature), formatFeature(from, feature)]
    : writeApart(to, from);
  const change = `If ${names[feature] ?? `feature ${feature}`} were ${toText} instead of ${fromText}`;
  const side = after >= crosses ? 'at or above' : 'below';
  return `${change}, ${answer} would be ${formatAnswer(after)} instead of ${formatAnswer(before)}, ${side} ${formatAnswer(crosses)}.`;
}

const DIGITS = [4, 17] as const;

function writeApart(a: number, b: number): [string, string] {
  for (let digits: number = DIGITS[0]; digits < DIGITS[1]; digits++) {
    const texts: [string, string] = [String(Number(a.toPrecision(digits))), String(Number(b.toPrecision(digits)))];
    if (texts[0] !== texts[1]) return texts;
  }
  return [String(a), String(b)];
}
