import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fitGarch, type GarchParameters, garchLikelihood } from '../src/volatility/garch.ts';
import { findDataFile } from './_daily-panel.ts';
import { readIndexBars } from './_index-bars.ts';
import { codeHash, type StudyResult } from './_volatility-study.ts';

type PeerFit = {
  leverage: boolean;
  distribution: 'normal' | 'student_t';
  parameters: GarchParameters;
  logLikelihood: number;
};
type Golden = { versions: Record<string, string>; index: { file: string; n: number; fits: PeerFit[] } };
type Benchmark = {
  published_FCP_1996_McCullough_Renfro_1999: Record<'mu' | 'omega' | 'alpha' | 'beta', number>;
  recomputed_here: { loglik: number };
};

const SETTINGS = {
  returns: '100 x percent change of adj_close, constant mean',
  presample: 'backcast as in arch: first 75 squared deviations, .94 a day',
  likelihoodTolerance: 1e-4,
  optimumSlack: 1e-3,
  coefficientTolerance: 1e-5,
} as const;

/** The same likelihood as `arch` at its parameters, an optimum no worse, and the benchmark of Fiorentini and others. */
export function runParityGarch(): StudyResult[] {
  const golden: Golden = JSON.parse(readFileSync(join(import.meta.dirname, '../golden/garch-golden.json'), 'utf8'));
  const bars = readIndexBars(golden.index.file);
  const close = bars.adjustedClose;
  const returns = Float64Array.from({ length: close.length - 1 }, (_, t) => 100 * (close[t + 1]! / close[t]! - 1));
  const rows = golden.index.fits.map(({ leverage, distribution, parameters, logLikelihood }) => {
    const start = performance.now();
    const own = fitGarch(returns, { leverage, distribution });
    const milliseconds = performance.now() - start;
    return {
      model: `${leverage ? 'GJR' : 'GARCH'} ${distribution}`,
      atPeer: garchLikelihood(returns, parameters).logLikelihood - logLikelihood,
      ownLessPeer: own.status === 'ok' ? own.logLikelihood - logLikelihood : Number.NaN,
      iterations: own.status === 'ok' ? own.iterations : 0,
      milliseconds: Math.round(milliseconds),
    };
  });
  console.table(rows);
  const input = { file: bars.file, sha256: bars.sha256, returns: returns.length, peer: `arch ${golden.versions.arch}` };
  const settings = { ...SETTINGS, codeHash: codeHash('_parity-garch') };
  const common = { input, settings, trials: 1, detail: { rows } };
  const apart = rows.reduce((most, { atPeer }) => Math.max(most, Math.abs(atPeer)), 0);
  const behind = rows.reduce((least, { ownLessPeer }) => Math.min(least, ownLessPeer), Number.POSITIVE_INFINITY);
  return [
    {
      ...common,
      ...exact(
        'parity GARCH and GJR: log-likelihood at arch’s parameters, largest difference',
        'log-likelihood',
        apart,
      ),
      target: SETTINGS.likelihoodTolerance,
      goal: `<= ${SETTINGS.likelihoodTolerance}`,
      ...judged(apart <= SETTINGS.likelihoodTolerance),
    },
    {
      ...common,
      ...exact('parity GARCH and GJR: own optimum less arch’s, the least of four', 'log-likelihood', behind),
      target: -SETTINGS.optimumSlack,
      goal: `>= ${-SETTINGS.optimumSlack}`,
      ...judged(behind >= -SETTINGS.optimumSlack),
    },
    fcpBenchmark(settings),
  ];
}

function fcpBenchmark(settings: Record<string, unknown>): StudyResult {
  const [facts, series] = ['golden/garch_fcp_benchmark_dev.json', 'golden/garch_dem2gbp_dev.csv'].map((file) => {
    const path = findDataFile(file);
    if (path === undefined) throw new Error(`${file} is not in the data folder; set TOUCHSTONE_DATA`);
    return readFileSync(path, 'utf8');
  });
  const benchmark: Benchmark = JSON.parse(facts!);
  const published = benchmark.published_FCP_1996_McCullough_Renfro_1999;
  const returns = Float64Array.from(series!.trim().split('\n').slice(1), Number);
  const fit = fitGarch(returns, { leverage: false, distribution: 'normal' }, 'mean_square');
  const parameters = fit.status === 'ok' ? fit.parameters : null;
  const apart = Object.entries(published).reduce((most, [name, value]) => {
    const own = parameters?.[name as keyof typeof published] ?? Number.NaN;
    return Math.max(most, Math.abs(own - value));
  }, 0);
  return {
    ...exact('parity GARCH: coefficients of the benchmark of Fiorentini, Calzolari and Panattoni', 'difference', apart),
    target: SETTINGS.coefficientTolerance,
    goal: `<= ${SETTINGS.coefficientTolerance}`,
    ...judged(apart <= SETTINGS.coefficientTolerance),
    input: {
      file: 'golden/garch_dem2gbp_dev.csv',
      sha256: createHash('sha256').update(series!).digest('hex'),
      returns: returns.length,
    },
    settings,
    trials: 1,
    detail: { published, fit: fit.status === 'ok' ? { ...fit.parameters, logLikelihood: fit.logLikelihood } : fit },
  };
}

/** Arithmetic, no sample: the interval is the figure itself. */
function exact(name: string, unit: string, figure: number) {
  const interval: [number, number] = [figure, figure];
  return { name, unit, figure, interval };
}

function judged(met: boolean): Pick<StudyResult, 'met' | 'verdict'> {
  return { met, verdict: met ? 'met' : 'not met' };
}
