import type { Examples } from '../examples.ts';
import type { Link } from '../learner.ts';
import { exponential } from './exponential.ts';
import { gridFor, largestOf, onGrid, orderlessSum } from './gradient-grid.ts';
import { gainsOf, groupsOf, lambdaPairs, meanNdcg } from './lambda-rank.ts';
import type { TreeKernels, TreeRoom } from './tree-kernels.ts';

/** What boosting makes small. */
export type Objective = {
  link: Link;
  /** Margin before the first tree. */
  base: number;
  /** Gradient and hessian of every row at its margin, on their grids. */
  fillPairs(): void;
  /** Value of a leaf from its rows; null: the Newton step. */
  refit: ((rows: Int32Array) => number) | null;
};

/** Shares are held away from 0 and 1: the log odds of a class that never came are no number. */
const SHARE_MIN = 1e-6;

/** Log loss: g = p − y, h = p (1 − p). */
export function logLoss(kernels: TreeKernels, rowCount: number): Objective {
  const { target, weight } = kernels.room;
  const heaviest = largestOf(weight);
  const share = orderlessSum(target.map((y, i) => y * weight[i]!)) / orderlessSum(weight);
  const held = Math.min(Math.max(share, SHARE_MIN), 1 - SHARE_MIN);
  const [gridGradient, gridHessian] = [gridFor(heaviest, rowCount), gridFor(heaviest / 4, rowCount)];
  return {
    link: 'logistic',
    base: Math.fround(Math.log(held / (1 - held))),
    fillPairs: () => kernels.logisticPairs(rowCount, gridGradient, gridHessian),
    refit: null,
  };
}

/** Half the squared error: g = margin − y, h = 1. */
export function squaredLoss({ room }: TreeKernels): Objective {
  const { target, weight, margins } = room;
  return {
    link: 'identity',
    base: orderlessSum(target.map((y, i) => y * weight[i]!)) / orderlessSum(weight),
    fillPairs: () =>
      putPairs(
        room,
        (i) => (margins[i]! - target[i]!) * weight[i]!,
        (i) => weight[i]!,
      ),
    refit: null,
  };
}

/** Pinball loss: g = 1 − q above the target and −q below it, h = 1; leaves get the quantile of what is left over. */
export function pinballLoss({ room }: TreeKernels, quantile: number): Objective {
  const { target, weight, margins } = room;
  return {
    link: 'identity',
    base: weightedQuantile(target, weight, quantile),
    fillPairs: () =>
      putPairs(
        room,
        (i) => (margins[i]! >= target[i]! ? 1 - quantile : -quantile) * weight[i]!,
        (i) => weight[i]!,
      ),
    refit: (rows) => {
      const rest = Float64Array.from(rows, (row) => target[row]! - margins[row]!);
      return weightedQuantile(
        rest,
        Float64Array.from(rows, (row) => weight[row]!),
        quantile,
      );
    },
  };
}

/** LambdaMART: pairs of a group, weighted by what their exchange does to the NDCG. */
export function rankingLoss({ room }: TreeKernels, group: Int32Array, truncation: number): Objective {
  const { target, weight, margins } = room;
  const groups = groupsOf(group);
  const gains = gainsOf(groups, target);
  const gradients = new Float64Array(target.length);
  const hessians = new Float64Array(target.length);
  return {
    link: 'identity',
    base: 0,
    fillPairs: () => {
      lambdaPairs(groups, gains, margins, truncation, gradients, hessians);
      putPairs(
        room,
        (i) => gradients[i]! * weight[i]!,
        (i) => hessians[i]! * weight[i]!,
      );
    },
    refit: null,
  };
}

/** Mean loss of margins on rows that were not learned from: lower is better. */
export function lossOf(
  { target, weight, group }: Examples,
  margins: Float64Array,
  goal: 'binary' | 'regression' | 'quantile' | 'ranking',
  { quantile, rankTruncation }: { quantile: number; rankTruncation: number },
): number {
  if (goal === 'ranking') {
    const groups = groupsOf(group!);
    return 1 - meanNdcg(groups, gainsOf(groups, target), margins, rankTruncation);
  }
  let sum = 0;
  let whole = 0;
  for (const [i, y] of target.entries()) {
    const rest = y - margins[i]!;
    const share = weight === null ? 1 : weight[i]!;
    whole += share;
    if (goal === 'binary') sum += share * logLossOf(margins[i]!, y);
    else if (goal === 'regression') sum += share * rest * rest;
    else sum += share * Math.max(quantile * rest, (quantile - 1) * rest);
  }
  return sum / whole;
}

/**
 * Quantile of weighted values: each stands at the middle of its own weight, linear between, held at the ends (for equal weights the
 * definition of Hazen).
 */
export function weightedQuantile(values: Float64Array, weight: Float64Array, probability: number): number {
  const order = Int32Array.from(values, (_, i) => i)
    .filter((i) => weight[i]! > 0)
    .sort((a, b) => values[a]! - values[b]!);
  if (order.length === 0) return 0;
  let whole = 0;
  for (const i of order) whole += weight[i]!;
  const wanted = probability * whole;
  let below = 0;
  let [lastPlace, lastValue] = [Number.NEGATIVE_INFINITY, values[order[0]!]!];
  for (const i of order) {
    const place = below + weight[i]! / 2;
    const value = values[i]!;
    if (place >= wanted) {
      if (lastPlace === Number.NEGATIVE_INFINITY) return value;
      return lastValue + ((wanted - lastPlace) / (place - lastPlace)) * (value - lastValue);
    }
    below += weight[i]!;
    [lastPlace, lastValue] = [place, value];
  }
  return lastValue;
}

function putPairs(
  { pairs, margins }: TreeRoom,
  gradientOf: (row: number) => number,
  hessianOf: (row: number) => number,
): void {
  const count = margins.length;
  let [gradientMax, hessianMax] = [0, 0];
  for (let i = 0; i < count; i++) {
    gradientMax = Math.max(gradientMax, Math.abs(gradientOf(i)));
    hessianMax = Math.max(hessianMax, hessianOf(i));
  }
  const [gridGradient, gridHessian] = [gridFor(gradientMax, count), gridFor(hessianMax, count)];
  for (let i = 0; i < count; i++) {
    pairs[2 * i] = onGrid(gradientOf(i), gridGradient);
    pairs[2 * i + 1] = onGrid(hessianOf(i), gridHessian);
  }
}

/** log(1 + e^−margin) or log(1 + e^margin), without overflow. */
function logLossOf(margin: number, y: number): number {
  const away = y === 1 ? -margin : margin;
  return Math.max(away, 0) + Math.log1p(exponential(-Math.abs(away)));
}
