/**
 * Fits the parameters of the market simulator to daily closes of the S&P 500 from 1950 to 1989, prints them and writes
 * `packages/quant/src/simulate/fitted-settings.ts`. Later years are never read, so that everything judged on them stays unseen.
 *
 *     node scripts/fit-simulator.ts [--print]
 *
 * Steps, each on what the one before left over: jumps are days beyond 4.5 times an exponentially weighted volatility;
 * regimes are a three-state Gaussian hidden Markov model of five-day returns without those days (Baum-Welch from one fixed
 * start); clustering, leverage and tails are a GJR(1,1) with t shocks on daily returns standardised by the likeliest regime.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const FIRST = '1950-01-01';
const LAST = '1989-12-31';
const DAYS_PER_YEAR = 252;
const DAYS_PER_WEEK = 5;
const JUMP_THRESHOLD = 4.5;
const STATES = 3;

type Hmm = { mean: number[]; sd: number[]; transition: number[][]; start: number[] };

const root = fileURLToPath(new URL('..', import.meta.url));
const file = join(
  process.env.TOUCHSTONE_DATA ?? join(root, '../shared/data'),
  'indices_etfs/sp500_index_daily_1950_2022.csv.gz',
);
const returns = readReturns(file);
const { kept, jumps } = splitJumps(returns);
const weeks = sumBy(kept, DAYS_PER_WEEK);
const hmm = fitHmm(weeks);
const states = likeliestStates(weeks, hmm);
const order = [0, 1, 2].sort((a, b) => hmm.sd[a]! - hmm.sd[b]!);
const standardised = kept.map((value, t) => {
  const state = states[Math.min(states.length - 1, Math.floor(t / DAYS_PER_WEEK))]!;
  return (value - hmm.mean[state]! / DAYS_PER_WEEK) / (hmm.sd[state]! / Math.sqrt(DAYS_PER_WEEK));
});
const clustering = fitClustering(standardised);

const fitted = {
  regimes: order.map((state, position) => ({
    name: ['bull', 'sideways', 'bear'][position],
    meanAnnual: round((hmm.mean[state]! / DAYS_PER_WEEK) * DAYS_PER_YEAR),
    volatilityAnnual: round(hmm.sd[state]! * Math.sqrt(DAYS_PER_YEAR / DAYS_PER_WEEK)),
    stayDays: Math.round(DAYS_PER_WEEK / (1 - hmm.transition[state]![state]!)),
  })),
  nextRegime: order.map((from) => {
    const leave = 1 - hmm.transition[from]![from]!;
    return order.map((to) => (from === to ? 0 : round(hmm.transition[from]![to]! / leave)));
  }),
  clustering,
  jumps: {
    rateAnnual: round((jumps.length / returns.length) * DAYS_PER_YEAR),
    downShare: round(jumps.filter((jump) => jump.size < 0).length / jumps.length),
    // 1987-10-19 alone would set a mean or a standard deviation, so the size is told by its threshold and its median.
    threshold: JUMP_THRESHOLD,
    medianSize: round(median(jumps.map((jump) => Math.abs(jump.size) / jump.volatility))),
  },
};
const text = `import type { FittedParameters } from './market-settings.ts';

/**
 * Written by \`scripts/fit-simulator.ts\` from daily S&P 500 closes of 1950–1989 (${returns.length} returns, ${jumps.length} of them jumps).
 * Frozen: what is judged by the simulator must not change it.
 */
export const FITTED: FittedParameters = ${JSON.stringify(fitted, null, 2)};
`;
console.log(JSON.stringify({ returns: returns.length, jumpDays: jumps.length, fitted }, null, 2));
if (!process.argv.includes('--print')) {
  const target = join(root, 'packages/quant/src/simulate/fitted-settings.ts');
  writeFileSync(target, text);
  console.log(`wrote ${target}; format it with \`npm run fix\``);
}

function readReturns(path: string): number[] {
  const closes: number[] = [];
  for (const line of gunzipSync(readFileSync(path)).toString('utf8').trim().split('\n').slice(1)) {
    const cells = line.split(',');
    if (cells[0]! >= FIRST && cells[0]! <= LAST) closes.push(Number(cells[4]));
  }
  return closes.slice(1).map((close, t) => Math.log(close / closes[t]!));
}

/** Takes jump days out of the returns (they become the mean, so that weeks keep their length). */
function splitJumps(values: readonly number[]): {
  kept: number[];
  jumps: { size: number; volatility: number }[];
} {
  const mean = average(values);
  const jumpsFound: { size: number; volatility: number }[] = [];
  let variance = average(values.slice(0, 60).map((value) => (value - mean) ** 2));
  const rest = values.map((value) => {
    const volatility = Math.sqrt(variance);
    const isJump = Math.abs(value - mean) > JUMP_THRESHOLD * volatility;
    if (isJump) jumpsFound.push({ size: value - mean, volatility });
    variance = 0.94 * variance + 0.06 * Math.min((value - mean) ** 2, (JUMP_THRESHOLD * volatility) ** 2);
    return isJump ? mean : value;
  });
  return { kept: rest, jumps: jumpsFound };
}

function fitHmm(values: readonly number[]): Hmm {
  const sd = Math.sqrt(average(values.map((value) => value ** 2)));
  let model: Hmm = {
    mean: [sd / 4, 0, -sd / 4],
    sd: [sd * 0.6, sd, sd * 1.6],
    transition: [0, 1, 2].map((i) => [0, 1, 2].map((j) => (i === j ? 0.96 : 0.02))),
    start: [1 / 3, 1 / 3, 1 / 3],
  };
  let before = Number.NEGATIVE_INFINITY;
  for (let iteration = 0; iteration < 2000; iteration++) {
    const step = baumWelchStep(values, model);
    model = step.model;
    if (step.logLikelihood - before < 1e-7) break;
    before = step.logLikelihood;
  }
  return model;
}

function baumWelchStep(values: readonly number[], model: Hmm): { model: Hmm; logLikelihood: number } {
  const { forward, backward, density, norm } = forwardBackward(values, model);
  const weight = zeros(STATES);
  const mean = zeros(STATES);
  const square = zeros(STATES);
  const moves = [zeros(STATES), zeros(STATES), zeros(STATES)];
  for (let t = 0; t < values.length; t++) {
    for (let j = 0; j < STATES; j++) {
      const gamma = forward[t]![j]! * backward[t]![j]!;
      weight[j]! += gamma;
      mean[j]! += gamma * values[t]!;
      square[j]! += gamma * values[t]! ** 2;
      if (t === 0) continue;
      for (let i = 0; i < STATES; i++) {
        moves[i]![j]! +=
          (forward[t - 1]![i]! * model.transition[i]![j]! * density[t]![j]! * backward[t]![j]!) / norm[t]!;
      }
    }
  }
  const newMean = mean.map((sum, j) => sum / weight[j]!);
  return {
    logLikelihood: norm.reduce((sum, value) => sum + Math.log(value), 0),
    model: {
      mean: newMean,
      sd: square.map((sum, j) => Math.sqrt(Math.max(1e-10, sum / weight[j]! - newMean[j]! ** 2))),
      transition: moves.map((row) => row.map((value) => value / row.reduce((a, b) => a + b, 0))),
      start: forward[0]!.map((value, j) => value * backward[0]![j]!),
    },
  };
}

function forwardBackward(values: readonly number[], model: Hmm) {
  const density = values.map((value) =>
    model.mean.map((mean, j) => Math.exp(-0.5 * ((value - mean) / model.sd[j]!) ** 2) / model.sd[j]! + 1e-300),
  );
  const forward: number[][] = [];
  const norm: number[] = [];
  for (let t = 0; t < values.length; t++) {
    const row = model.start.map((start, j) => {
      const prior = t === 0 ? start : forward[t - 1]!.reduce((sum, f, i) => sum + f * model.transition[i]![j]!, 0);
      return prior * density[t]![j]!;
    });
    norm.push(row.reduce((a, b) => a + b, 0));
    forward.push(row.map((value) => value / norm[t]!));
  }
  const backward: number[][] = new Array<number[]>(values.length);
  backward[values.length - 1] = [1, 1, 1];
  for (let t = values.length - 2; t >= 0; t--) {
    backward[t] = model.transition.map(
      (row) => row.reduce((sum, p, j) => sum + p * density[t + 1]![j]! * backward[t + 1]![j]!, 0) / norm[t + 1]!,
    );
  }
  return { forward, backward, density, norm };
}

function likeliestStates(values: readonly number[], model: Hmm): number[] {
  const { forward, backward } = forwardBackward(values, model);
  return forward.map((row, t) => {
    const gamma = row.map((value, j) => value * backward[t]![j]!);
    return gamma.indexOf(Math.max(...gamma));
  });
}

/** Maximum likelihood of h = w + (a + g·[z<0])·e² + b·h with t shocks, by shrinking coordinate steps. */
function fitClustering(values: readonly number[]) {
  const variance = average(values.map((value) => value ** 2));
  let best = { alpha: 0.04, gamma: 0.06, beta: 0.88, degreesOfFreedom: 8 };
  let bestLoss = clusteringLoss(values, variance, best);
  let step = 0.5;
  while (step > 0.01) {
    let improved = false;
    for (const key of ['alpha', 'gamma', 'beta', 'degreesOfFreedom'] as const) {
      for (const sign of [1, -1]) {
        // Beta is moved through its distance to one, where its effect is.
        const value = key === 'beta' ? 1 - (1 - best.beta) * (1 + sign * step) : best[key] * (1 + sign * step);
        const candidate = { ...best, [key]: value };
        const loss = clusteringLoss(values, variance, candidate);
        if (loss < bestLoss - 1e-9) {
          best = candidate;
          bestLoss = loss;
          improved = true;
        }
      }
    }
    if (!improved) step /= 2;
  }
  return {
    alpha: round(best.alpha),
    gamma: round(best.gamma),
    beta: round(best.beta),
    degreesOfFreedom: round(best.degreesOfFreedom),
  };
}

function clusteringLoss(
  values: readonly number[],
  variance: number,
  p: { alpha: number; gamma: number; beta: number; degreesOfFreedom: number },
): number {
  const persistence = p.alpha + p.gamma / 2 + p.beta;
  const nu = p.degreesOfFreedom;
  if (p.alpha < 0 || p.gamma < 0 || p.beta < 0 || persistence >= 0.999 || nu <= 4.1 || nu > 60) return Infinity;
  const constant = logGamma((nu + 1) / 2) - logGamma(nu / 2) - 0.5 * Math.log(Math.PI * (nu - 2));
  let h = variance;
  let loss = 0;
  for (const value of values) {
    loss -= constant - 0.5 * Math.log(h) - ((nu + 1) / 2) * Math.log1p(value ** 2 / (h * (nu - 2)));
    h = (1 - persistence) * variance + (p.alpha + (value < 0 ? p.gamma : 0)) * value ** 2 + p.beta * h;
  }
  return loss / values.length;
}

/** Stirling's series after lifting the argument above 8; good to 1e-10. */
function logGamma(x: number): number {
  let shift = 0;
  let y = x;
  while (y < 8) shift -= Math.log(y++);
  return shift + (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * y) - 1 / (360 * y ** 3);
}

function sumBy(values: readonly number[], size: number): number[] {
  const sums: number[] = [];
  for (let t = 0; t + size <= values.length; t += size) sums.push(values.slice(t, t + size).reduce((a, b) => a + b, 0));
  return sums;
}

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function round(value: number): number {
  return Number(value.toFixed(4));
}
