import type { Measured, Reason } from '@touchstone/contracts/market';
import type { VolatilityReading } from '@touchstone/contracts/volatility';
import { createRandom } from '@touchstone/quant/random/random';
import { dayText } from '@touchstone/quant/series/day';
import { dieboldMariano } from '@touchstone/quant/volatility/diebold-mariano';
import { forecastCone } from '@touchstone/quant/volatility/forecast-cone';
import { qlikeLosses, trailingMean } from '@touchstone/quant/volatility/qlike';
import { chooseProxy, logReturns } from '@touchstone/quant/volatility/range-variance';
import {
  SERVED,
  SERVED_MODELS,
  type ServedForecast,
  servedForecasts,
} from '@touchstone/quant/volatility/served-forecast';
import { gainAt, meanAt, measure } from './measure.ts';
import { type RiskBars, type RiskInput, tooFewSessions, toRiskBars, unusable } from './risk-bars.ts';

/** What the reading was computed with; its hash is part of the lineage. */
export const VOLATILITY_SETTINGS = {
  /** Twelve years: longer pasts were made by other markets, and the answer must come while somebody waits. */
  sessionsMax: 3000,
  sessionsMin: 30,
  historySessions: 504,
  /** Horizons with a model of their own; those in between are interpolated. */
  horizons: [1, 5, 10, 21, 42, 63],
  forecastHorizons: [1, 5, 21],
  served: SERVED,
} as const;

const SESSIONS_A_YEAR = 252;
type Section = VolatilityReading['forecasts'][number];
type Comparison = VolatilityReading['comparison'][number];

export function readVolatility(input: RiskInput): VolatilityReading {
  const bars = toRiskBars(input, VOLATILITY_SETTINGS.sessionsMax);
  const chosen = chooseProxy(bars);
  const reason = unusable(input, bars, VOLATILITY_SETTINGS.sessionsMin);
  const proxy = {
    name: reason ? null : chosen.proxy,
    wholeBarShare: chosen.wholeBarShare,
    note: reason ? null : chosen.reason,
  };
  if (reason) return { proxy, history: [], forecasts: [], cone: [], comparison: [], reason };
  const served = servedForecasts(
    chosen.variance,
    logReturns(bars.close),
    VOLATILITY_SETTINGS.horizons,
    createRandom(input.seed),
  );
  const last = bars.day.length - 1;
  const told = served.filter(({ horizon }) => isTold(horizon));
  const cone = forecastCone(
    served.map(({ horizon, forecast, low, high }) => ({
      horizon,
      forecast: forecast[last]!,
      low: low[last]!,
      high: high[last]!,
    })),
    63,
  );
  return {
    proxy,
    history: history(bars, chosen.variance, served[0]!),
    forecasts: told.map((one) => forecastSection(one, bars, input.seed)),
    cone: cone.map(({ horizon, interpolated, ...point }) => ({
      ...{ horizon, interpolated },
      ...{ volatilityAnnual: annual(point.forecast), low: annual(point.low), high: annual(point.high) },
    })),
    comparison: told.flatMap((one) => comparison(one, bars)),
    reason: null,
  };
}

function isTold(horizon: number): boolean {
  return VOLATILITY_SETTINGS.forecastHorizons.some((h) => h === horizon);
}

function history(bars: RiskBars, variance: Float64Array, dayAhead: ServedForecast): VolatilityReading['history'] {
  const month = trailingMean(variance, 22);
  const first = Math.max(1, bars.day.length - VOLATILITY_SETTINGS.historySessions);
  return Array.from(bars.day.subarray(first), (day, k) => ({
    day: dayText(day),
    dayVolatility: annualOrNull(variance[first + k]!),
    monthVolatility: annualOrNull(month[first + k]!),
    forecast: annualOrNull(dayAhead.forecast[first + k - 1]!),
  }));
}

function forecastSection(one: ServedForecast, bars: RiskBars, seed: number): Section {
  const { horizon, forecast, low, high, baseline, selection } = one;
  const last = bars.day.length - 1;
  const members = selection?.models.filter(({ isMember }) => isMember).map(({ model }) => model);
  return {
    horizon,
    volatilityAnnual: annualOrNull(forecast[last]!),
    low: annualOrNull(low[last]!),
    high: annualOrNull(high[last]!),
    baseline: annualOrNull(baseline[last]!),
    models: members ?? ['ewma_94'],
    coverage: coverage(one, bars.day, seed),
    gain: gain(one, bars.day, seed),
    reason: sectionReason(one, last),
  };
}

function sectionReason({ forecast, low, horizon }: ServedForecast, last: number): Reason | null {
  if (!Number.isFinite(forecast[last]!))
    return { code: 'not_defined', sentence: 'Too many of the last sessions have no measured variance.' };
  if (Number.isFinite(low[last]!)) return null;
  const needed = SERVED.errorsMin + horizon + 22;
  return {
    ...tooFewSessions(needed, last + 1),
    sentence: `The interval needs ${needed} sessions; ${last + 1} are known.`,
  };
}

/** How often the interval told then held what came. */
function coverage({ target, low, high, horizon }: ServedForecast, day: Int32Array, seed: number): Measured {
  const rows = rowsWhere(day.length, (t) => target[t]! >= 0 && low[t]! > 0 && high[t]! > 0);
  const hits = Float64Array.from(rows, (t) => (target[t]! >= low[t]! && target[t]! <= high[t]! ? 1 : 0));
  return measure({
    ...{ rows, day, statistic: meanAt(hits), baseline: SERVED.coverage, baselineName: 'nominal coverage' },
    ...{ trialCount: 1, seed, label: `coverage ${horizon}` },
  });
}

/** From the first choice of models on: before it the baseline itself was told. */
function gain(one: ServedForecast, day: Int32Array, seed: number): Measured {
  const { target, forecast, baseline, horizon, firstSelectedRow } = one;
  const [ours, theirs] = [qlikeLosses(target, forecast), qlikeLosses(target, baseline)];
  const first = firstSelectedRow ?? day.length;
  const rows = rowsWhere(day.length, (t) => t >= first && ours[t]! >= 0 && theirs[t]! >= 0);
  const at = (values: Float64Array) => Float64Array.from(rows, (t) => values[t]!);
  return measure({
    ...{ rows, day, statistic: gainAt(at(ours), at(theirs)), baseline: 0, baselineName: 'EWMA(.94)' },
    ...{ trialCount: SERVED_MODELS.length, seed, label: `gain ${horizon}` },
  });
}

function comparison({ horizon, selection, losses }: ServedForecast, { day }: RiskBars): Comparison[] {
  if (!selection) {
    const reason: Reason = {
      code: 'too_little_history',
      sentence: `Models are compared on ${SERVED.lossesMin} past forecasts at least; EWMA is told until then.`,
    };
    const nothing = { meanLoss: null, inConfidenceSet: false, confidenceSetP: null, dieboldMarianoP: null };
    return SERVED_MODELS.map((model) => ({
      ...{ model, horizon, ...nothing, dayCount: 0, firstDay: null, lastDay: null, reason },
    }));
  }
  const until = selection.lastRow + 1;
  const from = selection.firstRow;
  const ewma = losses.ewma_94!.subarray(from, until);
  return selection.models.map(({ model, meanLoss, isMember, pValue }) => {
    const against = dieboldMariano(losses[model]!.subarray(from, until), ewma, horizon);
    return {
      ...{ model, horizon, meanLoss, inConfidenceSet: isMember, confidenceSetP: pValue },
      dieboldMarianoP: against.status === 'ok' ? against.pValue : null,
      dayCount: selection.dayCount,
      firstDay: dayText(day[from]!),
      lastDay: dayText(day[selection.lastRow]!),
      reason: null,
    };
  });
}

function rowsWhere(count: number, holds: (row: number) => boolean): number[] {
  const rows: number[] = [];
  for (let t = 0; t < count; t++) if (holds(t)) rows.push(t);
  return rows;
}

function annual(variance: number): number {
  return Math.sqrt(SESSIONS_A_YEAR * variance);
}

function annualOrNull(variance: number): number | null {
  return variance >= 0 && Number.isFinite(variance) ? annual(variance) : null;
}
