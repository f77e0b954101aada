import { estimateCovariance } from '@touchstone/quant/dependence/covariance';
import { explainByFactors, type MakeUp, wholeRows } from '@touchstone/quant/factors/explain-by-factors';
import { type OutOfSampleFit, outOfSampleFit } from '@touchstone/quant/factors/out-of-sample-fit';
import { principalFactors } from '@touchstone/quant/factors/principal-factors';
import { type RiskContributions, riskContributions } from '@touchstone/quant/factors/risk-contributions';
import { STYLE_FACTORS, styleFactors } from '@touchstone/quant/factors/style-factors';
import { createRandom } from '@touchstone/quant/random/random';

/** What factors are made from; the last rows are those of the returns. */
export type FactorSource =
  /** Row-major T × N whole returns. */
  | { kind: 'statistical'; returns: Float64Array; count: number }
  /** Row-major H × N closes and capitalisations as known, H >= T. */
  | { kind: 'style'; close: Float64Array; cap: Float64Array | null; count: number }
  /** Row-major T × names. */
  | { kind: 'ready'; names: string[]; series: Float64Array };

export type FactorsJob = {
  /** T returns of what is looked at, NaN where missing. */
  returns: Float64Array;
  source: FactorSource;
  exclude: string[];
  seed: number;
  /** Whole returns and weights of what an index holds; null: nothing to tell. */
  holdings: { returns: Float64Array; rowCount: number; weights: Float64Array } | null;
};

export type FactorsOutcome = {
  /** Every factor of the set that was not excluded; false: nothing is known of it. */
  names: { name: string; isKnown: boolean }[];
  excluded: string[];
  /** Of the known ones, in their order. */
  makeUp: MakeUp;
  /** Why there is none. */
  why: 'too_little_history' | 'constant_prices' | 'not_defined' | null;
  /** First and last row used. */
  rows: { first: number; last: number; count: number } | null;
  fit: OutOfSampleFit;
  holdings: RiskContributions | null;
};

type Built = { names: string[]; series: Float64Array };

/** @public Called by its name from another thread. */
export function computeFactors({ returns, source, exclude, seed, holdings }: FactorsJob): FactorsOutcome {
  const rowCount = returns.length;
  const trainCount = Math.floor((2 * rowCount) / 3);
  const all = build(source, rowCount, rowCount);
  const kept = all.names.filter((name) => !exclude.includes(name));
  const isKnown = (name: string) => columnOf(all, name, rowCount).some(Number.isFinite);
  const known = kept.filter(isKnown);
  const chosen = pick(all, known, rowCount);
  const makeUp = explainByFactors(returns, chosen, known.length);
  const whole = wholeRows(returns, chosen, known.length);
  // Weights of statistical factors must not know the rows that are judged; there may be fewer of them then.
  const early = source.kind === 'statistical' ? build(source, rowCount, trainCount) : all;
  const judged = known.filter((name) => early.names.includes(name));
  const fit = outOfSampleFit(
    ...([returns, pick(early, judged, rowCount), judged.length, trainCount] as const),
    createRandom(seed).split('fit'),
  );
  return {
    names: kept.map((name) => ({ name, isKnown: known.includes(name) })),
    excluded: all.names.filter((name) => exclude.includes(name)),
    ...{ makeUp, why: whyNot(makeUp, whole.y, known.length), fit },
    rows:
      whole.rows.length === 0 ? null : { first: whole.rows[0]!, last: whole.rows.at(-1)!, count: whole.rows.length },
    holdings: holdings === null ? null : risksOf(holdings),
  };
}

function whyNot(makeUp: MakeUp, y: Float64Array, count: number): FactorsOutcome['why'] {
  if (makeUp.status === 'ok') return null;
  if (y.length < 10 + 2 * count) return 'too_little_history';
  return y.every((value) => value === y[0]) ? 'constant_prices' : 'not_defined';
}

/** The last `rowCount` rows of every factor; those of `statistical` have weights from the first `fitCount`. */
function build(source: FactorSource, rowCount: number, fitCount: number): Built {
  if (source.kind === 'ready') return source;
  if (source.kind === 'statistical') {
    const columns = varying(source.returns, fitCount, source.count);
    if (columns.length < 2 || fitCount < 2) return { names: [], series: new Float64Array(0) };
    const returns = pickColumns(source.returns, source.count, columns);
    const { count, series } = principalFactors(returns, rowCount, columns.length, { fitRowCount: fitCount });
    return { names: Array.from({ length: count }, (_, k) => `component ${k + 1}`), series };
  }
  const styles = styleFactors(source, source.count);
  const first = source.close.length / source.count - rowCount;
  const names = [...STYLE_FACTORS];
  const series = new Float64Array(rowCount * names.length);
  for (const [k, name] of names.entries())
    for (let t = 0; t < rowCount; t++) series[t * names.length + k] = styles[name][first + t]!;
  return { names, series };
}

/** Columns that do not stand still in the first rows. */
function varying(returns: Float64Array, rowCount: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => i).filter((i) => {
    for (let t = 1; t < rowCount; t++) if (returns[t * count + i] !== returns[i]) return true;
    return false;
  });
}

function pickColumns(values: Float64Array, count: number, columns: readonly number[]): Float64Array {
  return Float64Array.from(
    { length: (values.length / count) * columns.length },
    (_, k) => values[Math.floor(k / columns.length) * count + columns[k % columns.length]!]!,
  );
}

function columnOf({ names, series }: Built, name: string, rowCount: number): Float64Array {
  const at = names.indexOf(name);
  return Float64Array.from({ length: rowCount }, (_, t) => series[t * names.length + at]!);
}

function pick(built: Built, names: readonly string[], rowCount: number): Float64Array {
  if (names.length === 0) return new Float64Array(0);
  const columns = names.map((name) => built.names.indexOf(name));
  return pickColumns(built.series.subarray(0, rowCount * built.names.length), built.names.length, columns);
}

function risksOf({ returns, rowCount, weights }: NonNullable<FactorsJob['holdings']>): RiskContributions | null {
  return riskContributions(estimateCovariance('denoised', returns, rowCount, weights.length), weights);
}
