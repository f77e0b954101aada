import {
  CONFORMAL,
  type ConformalMethod,
  type ConformalPath,
  conformalIntervals,
  winklerScores,
} from '../src/learn/conformal/conformal-intervals.ts';
import { createRandom } from '../src/random/random.ts';
import { wilson } from '../src/stats/binomial-interval.ts';
import { blockBootstrap, meanInterval } from '../src/stats/block-bootstrap.ts';
import { ewmaVariance } from '../src/volatility/ewma-variance.ts';
import { harForecast } from '../src/volatility/har.ts';
import { garmanKlassOvernightVariance, logReturns } from '../src/volatility/range-variance.ts';
import { readIndexBars } from './_index-bars.ts';
import { learnCodeHash, meanByYear, verdictOf } from './_learn-study.ts';
import { BOOTSTRAP, pick, printResults, rowsBetween, type StudyResult } from './_volatility-study.ts';

/**
 * Window and rates were chosen on 1975–1999 of the same file; the study reads it from 1990 on. The rate falls with the
 * horizon, because outcomes that overlap tell the same miss several times.
 */
const SETTINGS = {
  file: 'indices_etfs/sp500_index_daily_1950_2022.csv.gz',
  firstKnownDay: '1990-01-02',
  firstDay: '2000-01-03',
  lastDay: '2021-12-31',
  level: 0.9,
  horizons: [1, 5, 21],
  /** Of `adaptive`, by horizon. */
  rates: { 1: 0.005, 5: 0.002, 21: 0.001 } as Record<number, number>,
  window: CONFORMAL.window,
  scoresMin: CONFORMAL.scoresMin,
  ewmaDecay: 0.94,
} as const;

/** Four windows, each without adaptation and with four rates, at two horizons and on two spans; two plain ones beside. */
const FORMS_TRIED = 22;
const COVERAGE_SLACK = 0.015;
const WORST_YEAR: Record<number, number> = { 1: 0.85, 5: 0.8 };
const TERCILES = [0.86, 0.93] as const;
const WINKLER = { plain: 0.85, normalised: 1.02 } as const;

export async function run(): Promise<StudyResult[]> {
  const all = readIndexBars(SETTINGS.file);
  // Outcomes of December 2021 lie in January 2022; no interval sees them.
  const known = rowsBetween(all.day, SETTINGS.firstKnownDay, '2022-03-31');
  const day = Int32Array.from(known, (t) => all.day[t]!);
  const bars = {
    open: pick(all.open, known),
    high: pick(all.high, known),
    low: pick(all.low, known),
    close: pick(all.close, known),
  };
  const variance = garmanKlassOvernightVariance(bars);
  const returns = logReturns(bars.close);
  const tercile = pastTerciles(ewmaVariance(variance, SETTINGS.ewmaDecay));
  const results: StudyResult[] = [];
  for (const horizon of SETTINGS.horizons) {
    const outcome = bars.close.map((c, t) => Math.log((bars.close[t + horizon] ?? Number.NaN) / c));
    const forecast = harForecast(variance, returns, { variant: 'log_har_blend', horizon }).forecast;
    const scale = forecast.map((v) => Math.sqrt(horizon * v));
    const center = new Float64Array(scale.length);
    const path = (method: ConformalMethod, window: number = SETTINGS.window) =>
      conformalIntervals(center, scale, outcome, {
        ...CONFORMAL,
        method,
        horizon,
        window,
        rate: SETTINGS.rates[horizon]!,
      });
    const rows = rowsBetween(day, SETTINGS.firstDay, SETTINGS.lastDay);
    const days = Int32Array.from(rows, (t) => day[t]!);
    const hits = (told: ConformalPath) =>
      Float64Array.from(rows, (t) => Number(outcome[t]! >= told.low[t]! && outcome[t]! <= told.high[t]!));
    const losses = (told: ConformalPath) => pick(winklerScores(told, outcome, SETTINGS.level), rows);
    const adaptive = path('adaptive');
    const hit = hits(adaptive);
    const loss = losses(adaptive);
    if (loss.some(Number.isNaN)) throw new Error(`an interval or an outcome is missing at ${horizon} days`);
    const expanding = losses(path('plain', rows.length + known.length));
    const coverage = meanInterval(hit, bootstrap(`coverage ${horizon}`));
    const years = meanByYear(hit, days);
    const groups = [0, 1, 2].map((group) => {
      const members = hit.filter((_, i) => tercile[rows[i]!] === group);
      return { coverage: mean(members), days: members.length };
    });
    const ratios = {
      plain: ratio(loss, losses(path('plain')), `plain ${horizon}`),
      normalised: ratio(loss, losses(path('normalised')), `normalised ${horizon}`),
    };
    const common = {
      input: { file: all.file, sha256: all.sha256, days: rows.length },
      settings: { ...SETTINGS, bootstrap: BOOTSTRAP, codeHash: learnCodeHash('intervals') },
      trials: FORMS_TRIED,
      detail: {
        years: Object.fromEntries([...years].map(([year, told]) => [year, told.mean])),
        terciles: groups,
        meanWinkler: mean(loss),
        overExpandingPlain: mean(loss) / mean(expanding),
        coverageOfOthers: { plain: mean(hits(path('plain'))), normalised: mean(hits(path('normalised'))) },
      },
    };
    console.table(groups);
    console.log(
      `h=${horizon} years`,
      common.detail.years,
      common.detail.coverageOfOthers,
      common.detail.overExpandingPlain,
    );
    const isNear = Math.abs(coverage.value - SETTINGS.level) <= COVERAGE_SLACK;
    const isJudged = horizon !== 21;
    const add = (part: Pick<StudyResult, 'name' | 'figure' | 'unit' | 'interval' | 'target' | 'goal' | 'met'>) =>
      results.push({
        ...common,
        ...part,
        name: `intervals ${part.name}, ${horizon} ${horizon === 1 ? 'day' : 'days'}`,
        goal: isJudged ? part.goal : `reported only; at 1 and 5 days ${part.goal}`,
        verdict: verdictOf(part.met ?? false, true),
      });
    add({
      name: 'coverage',
      figure: coverage.value,
      unit: 'share',
      interval: [coverage.low, coverage.high],
      target: SETTINGS.level,
      goal: `${SETTINGS.level} ± ${COVERAGE_SLACK}`,
      met: isNear,
    });
    const worst = [...years].reduce((least, year) => (year[1].mean < least[1].mean ? year : least));
    // As if its days were independent; five-day outcomes that overlap are not, and theirs is wider.
    const worstRange = wilson(Math.round(worst[1].mean * worst[1].count), worst[1].count);
    const yearMin = WORST_YEAR[horizon] ?? WORST_YEAR[5]!;
    add({
      name: `coverage of the worst year (${worst[0]})`,
      figure: worst[1].mean,
      unit: 'share',
      interval: [worstRange.low, worstRange.high],
      target: yearMin,
      goal: `>= ${yearMin}`,
      met: worst[1].mean >= yearMin,
    });
    groups.forEach((group, k) => {
      const told = meanInterval(
        hit.filter((_, i) => tercile[rows[i]!] === k),
        bootstrap(`tercile ${k} ${horizon}`),
      );
      add({
        name: `coverage in the ${['calm', 'middle', 'wild'][k]} third (${group.days} days)`,
        figure: group.coverage,
        unit: 'share',
        interval: [told.low, told.high],
        target: TERCILES[0],
        goal: `in ${TERCILES[0]}..${TERCILES[1]}`,
        met: group.coverage >= TERCILES[0] && group.coverage <= TERCILES[1],
      });
    });
    for (const peer of ['plain', 'normalised'] as const)
      add({
        name: `mean Winkler score over ${peer} conformal`,
        figure: ratios[peer].value,
        unit: 'times',
        interval: [ratios[peer].low, ratios[peer].high],
        target: WINKLER[peer],
        goal: `<= ${WINKLER[peer]}`,
        met: ratios[peer].value <= WINKLER[peer],
      });
  }
  printResults(results);
  return results;
}

function bootstrap(label: string) {
  const { seed, ...rest } = BOOTSTRAP;
  return { random: createRandom(seed).split(label), ...rest };
}

function ratio(loss: Float64Array, peer: Float64Array, label: string) {
  return blockBootstrap(
    loss.length,
    (indices) => {
      let [ours, theirs] = [0, 0];
      for (const i of indices) {
        ours += loss[i]!;
        theirs += peer[i]!;
      }
      return ours / theirs;
    },
    bootstrap(label),
  );
}

function mean(values: Float64Array): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

/** Third of the past that a value falls in: 0 calm, 1, 2 wild; by the quantiles of all values before it. */
function pastTerciles(values: Float64Array): Int32Array {
  return values.reduce((thirds, value, t) => {
    let [below, count] = [0, 0];
    for (let s = 0; s < t; s++) {
      if (Number.isNaN(values[s]!)) continue;
      count++;
      if (values[s]! < value) below++;
    }
    thirds[t] = count === 0 || Number.isNaN(value) ? -1 : Math.min(2, Math.floor((3 * below) / count));
    return thirds;
  }, new Int32Array(values.length));
}

if (import.meta.main) await run();
