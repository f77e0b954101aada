import type { Reason } from '@touchstone/contracts/market';
import type { DrawdownReading } from '@touchstone/contracts/volatility';
import { drawdownTouch } from '@touchstone/quant/labels/drawdown-touch';
import { createRandom } from '@touchstone/quant/random/random';
import { dayText } from '@touchstone/quant/series/day';
import { meanInterval } from '@touchstone/quant/stats/block-bootstrap';
import { chooseProxy } from '@touchstone/quant/volatility/range-variance';
import { TOUCH_EVENT, TOUCH_FEATURES, TOUCH_FIT, touchForecast } from '@touchstone/quant/volatility/touch-probability';
import { gainAt, MEASURED_DAYS_MIN, measure } from './measure.ts';
import { type RiskInput, tooFewSessions, toRiskBars, unusable } from './risk-bars.ts';

export const DRAWDOWN_SETTINGS = {
  sessionsMax: 5000,
  historySessions: 504,
  event: TOUCH_EVENT,
  features: TOUCH_FEATURES,
  fit: TOUCH_FIT,
  bands: 5,
  resampleCount: 500,
} as const;

/** Forms compared before the features were frozen; see the study. */
const TRIAL_COUNT = 40;
/** The slowest feature needs 500 targets of five sessions behind 65, the fit its rows, and those a label. */
const SESSIONS_NEEDED = TOUCH_FIT.rowsMin + TOUCH_EVENT.sessions + 569;

export function readDrawdown(input: RiskInput): DrawdownReading {
  const bars = toRiskBars(input, DRAWDOWN_SETTINGS.sessionsMax);
  const chosen = chooseProxy(bars);
  // Lows are watched where the range is used; with some of them only, a label could miss a touch.
  const hasLows = chosen.proxy === 'garman_klass_overnight';
  const watched = hasLows ? bars : { ...bars, low: bars.close };
  const event: DrawdownReading['event'] = { ...TOUCH_EVENT, watches: hasLows ? 'low' : 'close' };
  const reason = unusable(input, bars, 2);
  const model = touchForecast(watched, chosen.variance, { ...TOUCH_EVENT, features: TOUCH_FEATURES });
  const ewma = touchForecast(watched, chosen.variance, { ...TOUCH_EVENT, features: ['ewma_volatility'] });
  const labels = drawdownTouch(watched, TOUCH_EVENT.sessions, TOUCH_EVENT.fall).value;
  const last = bars.day.length - 1;
  const { day } = bars;
  const rows: number[] = [];
  for (let t = 0; t <= last; t++) if (!Number.isNaN(labels[t]!) && !Number.isNaN(model.probability[t]!)) rows.push(t);
  const at = (values: Float64Array) => Float64Array.from(rows, (t) => values[t]!);
  const loss = (values: Float64Array) => at(values).map((p, k) => (p - labels[rows[k]!]!) ** 2);
  const [ours, ewmas, bases] = [loss(model.probability), loss(ewma.probability), loss(model.baseRate)];
  const bands = reliability(at(model.probability), at(labels), input.seed);
  const told = model.probability[last] ?? Number.NaN;
  const band = bands.find(({ upTo }) => told <= upTo) ?? bands.at(-1);
  const common = { rows, day, baseline: 0, trialCount: TRIAL_COUNT, seed: input.seed };
  return {
    event,
    probability: orNull(told),
    low: Number.isFinite(told) && band ? band.low : null,
    high: Number.isFinite(told) && band ? band.high : null,
    baseRate: orNull(model.baseRate[last] ?? Number.NaN),
    ewmaProbability: orNull(ewma.probability[last] ?? Number.NaN),
    reliability: bands.map(({ upTo: _, ...rest }) => rest),
    skill: measure({
      ...common,
      ...{ statistic: gainAt(ours, bases), baselineName: 'expanding base rate', label: 'touch skill' },
    }),
    gainOverEwma: measure({
      ...common,
      ...{ statistic: gainAt(ours, ewmas), baselineName: 'the same with EWMA volatility alone', label: 'touch ewma' },
    }),
    history: history(bars.day, model.probability, labels),
    reason: reason ?? whyUntold(told, last + 1),
  };
}

function history(day: Int32Array, told: Float64Array, labels: Float64Array): DrawdownReading['history'] {
  const first = Math.max(0, day.length - DRAWDOWN_SETTINGS.historySessions);
  return Array.from(day.subarray(first), (number, k) => ({
    day: dayText(number),
    probability: orNull(told[first + k]!),
    touched: Number.isNaN(labels[first + k]!) ? null : labels[first + k] === 1,
  }));
}

function whyUntold(told: number, known: number): Reason | null {
  if (Number.isFinite(told)) return null;
  if (known < SESSIONS_NEEDED) return tooFewSessions(SESSIONS_NEEDED, known);
  return { code: 'not_defined', sentence: 'Too many of the last sessions have no measured variance.' };
}

type Band = DrawdownReading['reliability'][number] & { upTo: number };

/** Bands of equal size from the lowest forecast to the highest; within each, days keep their order for the blocks. */
function reliability(told: Float64Array, came: Float64Array, seed: number): Band[] {
  const count = told.length;
  if (count < DRAWDOWN_SETTINGS.bands * MEASURED_DAYS_MIN) return [];
  const order = Array.from(told.keys()).sort((a, b) => told[a]! - told[b]! || a - b);
  return Array.from({ length: DRAWDOWN_SETTINGS.bands }, (_, q) => {
    const [from, to] = [q, q + 1].map((edge) => Math.floor((edge * count) / DRAWDOWN_SETTINGS.bands));
    const members = order.slice(from, to).sort((a, b) => a - b);
    const outcomes = Float64Array.from(members, (k) => came[k]!);
    const { value, low, high } = meanInterval(outcomes, {
      random: createRandom(seed).split(`band ${q}`),
      resampleCount: DRAWDOWN_SETTINGS.resampleCount,
    });
    const forecastMean = members.reduce((sum, k) => sum + told[k]!, 0) / members.length;
    return { forecastMean, realised: value, low, high, count: members.length, upTo: told[order[to! - 1]!]! };
  });
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
