import { checkScored } from './platt.ts';

/** A curve that never falls: straight between its points, level beyond them. */
export type IsotonicCalibrator = {
  kind: 'isotonic';
  /** Scores, ascending. */
  at: number[];
  /** Probabilities at them, not falling, 0..1. */
  value: number[];
};

/**
 * The curve that never falls and has the least squared error, by pooling neighbours that fall. Equal scores count as one
 * example of their mean. Few examples give few steps, and the ends are mostly 0 and 1.
 *
 * @param scores n finite values. @param labels n values, 0 or 1. @param weight n values >= 0; absent or null: all 1.
 * @throws RangeError on other values, no rows, no weight or different lengths.
 * @see Ayer et al. 1955, doi:10.1214/aoms/1177728423; Zadrozny and Elkan 2002, doi:10.1145/775047.775151.
 */
export function fitIsotonic(
  scores: Float64Array,
  labels: Float64Array,
  { weight = null }: { weight?: Float64Array | null } = {},
): IsotonicCalibrator {
  checkScored(scores, labels, weight);
  const points = joinTies(scores, labels, weight);
  type Pool = { from: number; to: number; weight: number; sum: number };
  const pools: Pool[] = [];
  points.forEach(({ weight: own, sum }, i) => {
    let pool: Pool = { from: i, to: i, weight: own, sum };
    for (;;) {
      const before = pools.at(-1);
      if (before === undefined || before.sum / before.weight < pool.sum / pool.weight) break;
      pools.pop();
      pool = { from: before.from, to: pool.to, weight: before.weight + pool.weight, sum: before.sum + pool.sum };
    }
    pools.push(pool);
  });
  const at: number[] = [];
  const value: number[] = [];
  for (const { from, to, weight: own, sum } of pools)
    for (const i of from === to ? [from] : [from, to]) {
      at.push(points[i]!.score);
      value.push(sum / own);
    }
  return { kind: 'isotonic', at, value };
}

export function isotonicProbability({ at, value }: IsotonicCalibrator, score: number): number {
  if (Number.isNaN(score)) return Number.NaN;
  const last = at.length - 1;
  if (score <= at[0]!) return value[0]!;
  if (score >= at[last]!) return value[last]!;
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (at[middle]! <= score) low = middle;
    else high = middle;
  }
  const share = (score - at[low]!) / (at[high]! - at[low]!);
  return value[low]! + share * (value[high]! - value[low]!);
}

function joinTies(
  scores: Float64Array,
  labels: Float64Array,
  weight: Float64Array | null,
): { score: number; weight: number; sum: number }[] {
  const order = Array.from(scores.keys())
    .filter((row) => weight === null || weight[row]! > 0)
    .sort((a, b) => scores[a]! - scores[b]! || a - b);
  const points: { score: number; weight: number; sum: number }[] = [];
  for (const row of order) {
    const own = weight === null ? 1 : weight[row]!;
    const last = points.at(-1);
    if (last?.score === scores[row]) {
      last.weight += own;
      last.sum += own * labels[row]!;
    } else points.push({ score: scores[row]!, weight: own, sum: own * labels[row]! });
  }
  return points;
}
