import { wilson } from '../src/stats/binomial-interval.ts';
import { mean } from '../src/stats/moments.ts';
import { ewmaVariance } from '../src/volatility/ewma-variance.ts';
import { GARCH_WALK, garchWalk } from '../src/volatility/garch-walk.ts';
import { HAR_WINDOW, harForecast } from '../src/volatility/har.ts';
import { garmanKlassOvernightVariance, logReturns, squaredReturnVariance } from '../src/volatility/range-variance.ts';
import {
  cornishFisherTail,
  filteredHistoricalTail,
  garchTTail,
  historicalTail,
  normalTail,
  TAIL_WINDOW,
  type Tail,
} from '../src/volatility/value-at-risk.ts';
import { breachTests, fisslerZiegelLosses, toldForTheDay } from '../src/volatility/value-at-risk-tests.ts';
import { readIndexBars } from './_index-bars.ts';
import {
  BOOTSTRAP,
  codeHash,
  meanDifference,
  pick,
  printResults,
  rowsBetween,
  type StudyResult,
} from './_volatility-study.ts';

/** Chosen on 1990-01-02 to 2003-12-31 of the same file, from eight methods; nothing was tuned in between. */
const SETTINGS = {
  file: 'indices_etfs/sp500_index_daily_1950_2022.csv.gz',
  /** Nothing before it is used: earlier bars have no range of their own. */
  firstKnownDay: '1982-04-20',
  firstDay: '2004-01-02',
  lastDay: '2018-12-31',
  method: 'filtered historical simulation in units of the blended log-HAR volatility',
  window: TAIL_WINDOW,
  har: HAR_WINDOW,
  garch: GARCH_WALK,
  baseline: 'normal EWMA(.94) of squared returns',
} as const;
const METHODS_TRIED = 8;

export async function run(): Promise<StudyResult[]> {
  const all = readIndexBars(SETTINGS.file);
  const known = rowsBetween(all.day, SETTINGS.firstKnownDay, SETTINGS.lastDay);
  const bars = {
    day: Int32Array.from(known, (t) => all.day[t]!),
    open: pick(all.open, known),
    high: pick(all.high, known),
    low: pick(all.low, known),
    close: pick(all.close, known),
  };
  const returns = logReturns(bars.close);
  const rows = rowsBetween(bars.day, SETTINGS.firstDay, SETTINGS.lastDay);
  const har = harForecast(garmanKlassOvernightVariance(bars), returns, { variant: 'log_har_blend', horizon: 1 });
  const harVolatility = har.forecast.map(Math.sqrt);
  const ewma = ewmaVariance(squaredReturnVariance(bars.close), 0.94).map(Math.sqrt);
  const gjr = garchWalk(returns, { model: { leverage: true, distribution: 'student_t' } });
  const gjrVolatility = gjr.nextVariance.map(Math.sqrt);
  const y = pick(returns, rows);
  const score = (tail: Tail, probability: number) => {
    const quantiles = pick(toldForTheDay(tail.quantile), rows);
    const shortfalls = pick(toldForTheDay(tail.shortfall), rows);
    return {
      tests: breachTests(y, quantiles, probability),
      losses: fisslerZiegelLosses(y, quantiles, shortfalls, probability),
    };
  };
  const results: StudyResult[] = [];
  const settings = { ...SETTINGS, bootstrap: BOOTSTRAP, codeHash: codeHash('var-es') };
  const input = { file: all.file, sha256: all.sha256, days: rows.length };
  for (const probability of [0.05, 0.01]) {
    const methods = {
      filtered_historical: filteredHistoricalTail(returns, harVolatility, probability),
      filtered_historical_gjr: filteredHistoricalTail(returns, gjrVolatility, probability),
      historical: historicalTail(returns, probability),
      cornish_fisher: cornishFisherTail(returns, harVolatility, probability),
      garch_t: garchTTail(gjr, probability),
      ewma_normal: normalTail(ewma, probability),
    };
    const scores = Object.entries(methods).map(([method, tail]) => ({ method, ...score(tail, probability) }));
    const table = scores.map(({ method, tests, losses }) => ({ method, ...tests, fisslerZiegel: mean(losses) }));
    console.table(table);
    const { tests, losses } = scores[0]!;
    const base = scores.at(-1)!;
    const level = `${100 * (1 - probability)} %`;
    const { low, high } = wilson(tests.breachCount, tests.dayCount);
    const share: [number, number] = [low, high];
    const common = { input, settings, trials: METHODS_TRIED, detail: { table } };
    if (probability === 0.05) {
      const lowest = Math.min(tests.kupiecP, tests.independenceP, tests.conditionalCoverageP);
      const met = lowest > 0.05 && tests.dayCount >= 3700;
      results.push({
        ...common,
        name: 'VaR 95 %: lowest p of Kupiec, Christoffersen independence and conditional coverage',
        figure: lowest,
        unit: `p value on ${tests.dayCount} days, rate ${tests.breachRate.toFixed(4)}; interval of the rate`,
        interval: share,
        target: 0.05,
        verdict: met ? 'met' : 'not met',
        goal: '> 0.05 on >= 3700 days',
        met,
      });
    } else {
      const met = tests.breachRate >= 0.006 && tests.breachRate <= 0.015;
      results.push({
        ...common,
        name: 'VaR 99 %: rate of breaches',
        figure: tests.breachRate,
        unit: 'share of days',
        interval: share,
        target: 0.015,
        verdict: met ? 'met' : 'not met',
        goal: 'in [0.006, 0.015]',
        met,
      });
    }
    const difference = meanDifference(losses, base.losses, `var-es ${probability}`);
    const met = difference.value < 0;
    results.push({
      ...common,
      name: `ES ${level}: mean Fissler-Ziegel loss less normal EWMA's`,
      figure: difference.value,
      unit: 'loss',
      interval: [difference.low, difference.high],
      target: 0,
      verdict: met ? 'met' : 'not met',
      goal: '< 0',
      met,
    });
  }
  printResults(results);
  return results;
}

if (import.meta.main) await run();
