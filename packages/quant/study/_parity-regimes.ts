import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRandom } from '../src/random/random.ts';
import { filterHmm, fitHmm } from '../src/regime/gaussian-hmm.ts';
import { filterSwitchingAutoregression } from '../src/regime/hamilton-autoregression.ts';
import { stationaryDistribution } from '../src/regime/stationary-distribution.ts';
import { findDataFile } from './_daily-panel.ts';
import { regimeCodeHash } from './_regime-code.ts';
import type { StudyResult } from './quality-court.ts';

const HMM_GOLDEN = 'golden/regime_hmm_sp500_weekly_dev.json';
const HAMILTON_GOLDEN = 'golden/regime_hamilton1989_gnp_dev.json';

type HmmGolden = {
  loglik: number;
  mean: number[];
  sigma: number[];
  transition_row_from_col_to: number[][];
  y: number[];
};
type HamiltonGolden = {
  rgnp: number[];
  loglik: number;
  params_stata: { p00: number; p10: number; mu0: number; mu1: number; sigma2: number; ar: number[] };
  filtered_prob_regime0: number[];
};

const FIT = { restarts: 20, tolerance: 1e-9, stepsMax: 5000, start: 'stationary' } as const;
/** A likelihood this near is the same optimum; only then do parameters have to agree. Better ones are another optimum. */
const TIE = 1e-4;

type ParityFigure = { name: string; figure: number; peerFigure: number; tolerance: number; isFloor: boolean };

/**
 * Hidden Markov models and Hamilton's filter for the study `parity`. The figure is ours less the reference's; of several
 * parameters the largest difference.
 *
 * @public Called by its name from the study.
 * @throws Error where the data folder is absent.
 */
export function runParityRegimes(): StudyResult[] {
  const [hmmPath, hamiltonPath] = [HMM_GOLDEN, HAMILTON_GOLDEN].map((file) => {
    const path = findDataFile(file);
    if (path === undefined) throw new Error(`${file} is not in the data folder; set TOUCHSTONE_DATA`);
    return path;
  }) as [string, string];
  const golden = JSON.parse(readFileSync(hmmPath, 'utf8')) as HmmGolden[];
  const hamilton = JSON.parse(readFileSync(hamiltonPath, 'utf8')) as HamiltonGolden;
  const figures = [...golden.flatMap(parityOfHmm), ...parityOfHamilton(hamilton)];
  const hash = createHash('sha256');
  for (const path of [hmmPath, hamiltonPath]) hash.update(readFileSync(path));
  const input = { files: `${HMM_GOLDEN}, ${HAMILTON_GOLDEN}`, sha256: hash.digest('hex') };
  const settings = { fit: FIT, tie: TIE, codeHash: regimeCodeHash('_parity-regimes', 'regime') };
  return figures.map(({ name, figure, peerFigure, tolerance, isFloor }) => {
    const difference = figure - peerFigure;
    const met = isFloor ? difference >= -tolerance : Math.abs(difference) <= tolerance;
    return {
      name: `parity ${name}`,
      figure: difference,
      unit: 'difference',
      interval: [difference, difference],
      target: isFloor ? -tolerance : tolerance,
      verdict: met ? 'met' : 'not met',
      goal: isFloor ? `>= -${tolerance}` : `|difference| <= ${tolerance}`,
      met,
      input,
      settings,
      trials: 1,
      detail: { ours: figure, reference: peerFigure },
    };
  });
}

function parityOfHmm(golden: HmmGolden): ParityFigure[] {
  const K = golden.mean.length;
  const values = Float64Array.from(golden.y);
  // The file's rows sum to one within its last digit only.
  const rows = golden.transition_row_from_col_to.map((row) => {
    const total = row.reduce((sum, value) => sum + value, 0);
    return row.map((value) => value / total);
  });
  const transition = Float64Array.from(rows.flat());
  const theirs = filterHmm(values, {
    stateCount: K,
    transition,
    start: stationaryDistribution(transition, K).distribution,
    mean: Float64Array.from(golden.mean),
    sd: Float64Array.from(golden.sigma),
    degreesOfFreedom: Number.POSITIVE_INFINITY,
  }).logLikelihood;
  const fit = fitHmm(values, createRandom(1), { ...FIT, stateCount: K });
  if (fit.status !== 'fitted') throw new Error(`no fit: ${fit.reason}`);
  const figures = [
    within(`hmm ${K} states, log-likelihood at the reference's parameters`, theirs, golden.loglik, 1e-4),
    atLeast(`hmm ${K} states, own optimum`, fit.logLikelihood, golden.loglik, 1e-4),
  ];
  if (Math.abs(fit.logLikelihood - golden.loglik) > TIE) return figures;
  const { mean, sd, transition: own } = fit.model;
  const distance = (a: Float64Array, b: readonly number[]) => Math.max(...b.map((value, k) => Math.abs(a[k]! - value)));
  const worst = Math.max(distance(mean, golden.mean), distance(sd, golden.sigma), distance(own, rows.flat()));
  return [...figures, within(`hmm ${K} states, largest difference of a parameter (likelihoods tie)`, worst, 0, 1e-3)];
}

function parityOfHamilton(golden: HamiltonGolden): ParityFigure[] {
  const { p00, p10, mu0, mu1, sigma2, ar } = golden.params_stata;
  const { filtered, logLikelihood } = filterSwitchingAutoregression(Float64Array.from(golden.rgnp), {
    stateCount: 2,
    transition: Float64Array.of(p00, 1 - p00, p10, 1 - p10),
    mean: Float64Array.of(mu0, mu1),
    autoregression: Float64Array.from(ar),
    variance: sigma2,
  });
  // The file gives both probabilities of the first filtered quarter.
  const reference = golden.filtered_prob_regime0;
  const worst = Math.max(...reference.map((value, k) => Math.abs(filtered[k]! - value)));
  return [
    within('hamilton 1989, log-likelihood', logLikelihood, golden.loglik, 1e-4),
    within('hamilton 1989, largest difference of a filtered probability', worst, 0, 1e-6),
  ];
}

function within(name: string, figure: number, peerFigure: number, tolerance: number): ParityFigure {
  return { name, figure, peerFigure, tolerance, isFloor: false };
}

function atLeast(name: string, figure: number, peerFigure: number, tolerance: number): ParityFigure {
  return { name, figure, peerFigure, tolerance, isFloor: true };
}
