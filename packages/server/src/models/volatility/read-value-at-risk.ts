import type { Reason } from '@touchstone/contracts/market';
import type { ValueAtRiskReading } from '@touchstone/contracts/volatility';
import { dayText } from '@touchstone/quant/series/day';
import { ewmaVariance } from '@touchstone/quant/volatility/ewma-variance';
import { garchWalk } from '@touchstone/quant/volatility/garch-walk';
import { HAR_WINDOW, harForecast } from '@touchstone/quant/volatility/har';
import { chooseProxy, logReturns } from '@touchstone/quant/volatility/range-variance';
import {
  cornishFisherTail,
  filteredHistoricalTail,
  garchTTail,
  historicalTail,
  normalTail,
  TAIL_WINDOW,
  type Tail,
} from '@touchstone/quant/volatility/value-at-risk';
import { breachTests, fisslerZiegelLosses, toldForTheDay } from '@touchstone/quant/volatility/value-at-risk-tests';
import { meanAt, measure } from './measure.ts';
import { type RiskBars, type RiskInput, tooFewSessions, toRiskBars, unusable } from './risk-bars.ts';

type Method = ValueAtRiskReading['served'];
type Measure = ValueAtRiskReading['measures'][number];

/** In the order they are shown: the first that can be told is served. */
const METHODS = ['filtered_historical', 'historical', 'cornish_fisher', 'garch_t', 'ewma_normal'] as const;
const LEVELS = [0.95, 0.99] as const;

export const VALUE_AT_RISK_SETTINGS = {
  sessionsMax: 3000,
  methods: METHODS,
  levels: LEVELS,
  tail: TAIL_WINDOW,
  har: HAR_WINDOW,
  garch: { windowMax: 1500, windowMin: 500, refitEvery: 252 },
  ewma: 0.94,
} as const;

/** Sessions each method needs before it tells anything; two fits of 500 follow each other where it filters. */
const SESSIONS_NEEDED: Record<Method, number> = {
  filtered_historical: TAIL_WINDOW.windowMin + HAR_WINDOW.windowMin + 66,
  historical: TAIL_WINDOW.windowMin + 1,
  cornish_fisher: TAIL_WINDOW.windowMin + HAR_WINDOW.windowMin + 66,
  garch_t: VALUE_AT_RISK_SETTINGS.garch.windowMin + 1,
  ewma_normal: 23,
};

export function readValueAtRisk(input: RiskInput): ValueAtRiskReading {
  const bars = toRiskBars(input, VALUE_AT_RISK_SETTINGS.sessionsMax);
  const reason = unusable(input, bars, SESSIONS_NEEDED.ewma_normal);
  if (reason) return { served: METHODS[0], measures: [], reason };
  const logs = logReturns(bars.close);
  // What is lost is a fraction of the value, so the tails are those of simple returns.
  const returns = logs.map(Math.expm1);
  const har = harForecast(chooseProxy(bars).variance, logs, { variant: 'log_har_blend', horizon: 1 });
  const volatility = har.forecast.map(Math.sqrt);
  const ewma = ewmaVariance(
    returns.map((r) => r * r),
    VALUE_AT_RISK_SETTINGS.ewma,
  ).map(Math.sqrt);
  const model = { leverage: true, distribution: 'student_t' } as const;
  const walk = garchWalk(returns, { model, ...VALUE_AT_RISK_SETTINGS.garch });
  const measures = LEVELS.flatMap((level) => {
    const probability = 1 - level;
    const tails: Record<Method, Tail> = {
      filtered_historical: filteredHistoricalTail(returns, volatility, probability),
      historical: historicalTail(returns, probability),
      cornish_fisher: cornishFisherTail(returns, volatility, probability),
      garch_t: garchTTail(walk, probability),
      ewma_normal: normalTail(ewma, probability),
    };
    return METHODS.map((method) =>
      measureOf(method, level, tails[method], tails.ewma_normal, returns, bars, input.seed),
    );
  });
  const served = measures.find(({ valueAtRisk }) => valueAtRisk !== null)?.method ?? METHODS[0];
  return { served, measures, reason: null };
}

function measureOf(
  method: Method,
  level: Measure['level'],
  tail: Tail,
  baseline: Tail,
  returns: Float64Array,
  { day }: RiskBars,
  seed: number,
): Measure {
  const probability = 1 - level;
  const last = day.length - 1;
  const [quantiles, shortfalls] = [toldForTheDay(tail.quantile), toldForTheDay(tail.shortfall)];
  const tests = breachTests(returns, quantiles, probability);
  const losses = fisslerZiegelLosses(returns, quantiles, shortfalls, probability);
  const baseLosses = fisslerZiegelLosses(
    returns,
    toldForTheDay(baseline.quantile),
    toldForTheDay(baseline.shortfall),
    probability,
  );
  const rows: number[] = [];
  for (let t = 0; t <= last; t++) if (Number.isFinite(losses[t]!) && Number.isFinite(baseLosses[t]!)) rows.push(t);
  const difference = Float64Array.from(rows, (t) => losses[t]! - baseLosses[t]!);
  const first = quantiles.findIndex(Number.isFinite);
  const value = -tail.quantile[last]!;
  return {
    ...{ method, level },
    valueAtRisk: orNull(value),
    expectedShortfall: orNull(-tail.shortfall[last]!),
    backtest: {
      dayCount: tests.dayCount,
      firstDay: first < 0 ? null : dayText(day[first]!),
      lastDay: first < 0 ? null : dayText(day[last]!),
      breachCount: tests.breachCount,
      breachRate: orNull(tests.breachRate),
      kupiecP: orNull(tests.kupiecP),
      independenceP: orNull(tests.independenceP),
      conditionalCoverageP: orNull(tests.conditionalCoverageP),
      fisslerZiegel: measure({
        ...{ rows, day, statistic: meanAt(difference), baseline: 0, baselineName: 'EWMA(.94) with a normal tail' },
        ...{ trialCount: METHODS.length, seed, label: `fissler-ziegel ${method} ${level}` },
      }),
    },
    reason: Number.isFinite(value) ? null : whyUntold(method, day.length),
  };
}

function whyUntold(method: Method, known: number): Reason {
  if (known < SESSIONS_NEEDED[method]) return tooFewSessions(SESSIONS_NEEDED[method], known);
  if (method === 'cornish_fisher')
    return {
      code: 'not_defined',
      sentence: 'The moments of the past are so large that the bent quantile is no longer monotone.',
    };
  if (method === 'garch_t') return { code: 'did_not_converge', sentence: 'No search for the parameters settled.' };
  return { code: 'not_defined', sentence: 'Too many of the last sessions have no measured variance.' };
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
