import { expect } from '../../checks/expect.ts';

/**
 * plain: past errors as they are. normalised: past errors in units of the scale told with them. adaptive: normalised, and
 * the level follows how often it held.
 */
export type ConformalMethod = 'plain' | 'normalised' | 'adaptive';

export type ConformalSettings = {
  method: ConformalMethod;
  /** Share of outcomes an interval shall hold, 0..1 exclusive. */
  level: number;
  /** Steps until the outcome of a step is due, >= 1. */
  horizon: number;
  /** Past scores the quantiles are taken from. */
  window: number;
  /** Fewest scores for an interval; before, none is told. */
  scoresMin: number;
  /** γ: how far one miss moves the level of its side. Used by `adaptive`. */
  rate: number;
};

export const CONFORMAL: ConformalSettings = {
  method: 'adaptive',
  level: 0.9,
  horizon: 1,
  window: 1000,
  scoresMin: 250,
  rate: 0.005,
};

/** One forecast: what the outcome is expected at, and how far it usually falls from there (> 0). */
export type Told = { center: number; scale: number };

export type PredictionInterval = { low: number; high: number };

type Pending = (Told & { interval: PredictionInterval | null }) | null;

/** Plain data: JSON writes and reads it without loss. */
export type ConformalState = {
  /** Signed scores, oldest first. */
  scores: number[];
  /** Share of outcomes each side is to miss now: moved by what was missed. */
  missLow: number;
  missHigh: number;
  /** Forecasts whose outcome is not due yet, oldest first; null for a step without one. */
  pending: Pending[];
};

/**
 * Intervals that hold a stated share of outcomes, from the errors of past forecasts whose outcome is known.
 *
 * A score is (outcome − center) / scale. An interval reaches from the lower to the upper quantile of past scores, times the
 * scale of today. Each side has its own level; `adaptive` raises the share a side is to miss by γ × (1 − level) / 2 for each
 * outcome it did not miss and lowers it by γ × (1 − that) for each it did, so that over time each side misses what it
 * should, however the market changes. A score counts, and moves the levels, only when its outcome is due.
 *
 * Quantiles are those of split conformal prediction, the ⌈(n + 1)(1 − miss)⌉-th smallest score. Where that lies beyond the
 * sample the largest score is taken: with `window` scores no interval is wider than what was seen.
 *
 * @param state Of a former run, to go on with.
 * @throws RangeError on settings out of their range.
 * @see Gibbs and Candès 2021, Adaptive conformal inference under distribution shift, NeurIPS 34, arXiv:2106.00170;
 * Lei et al. 2018, doi:10.1080/01621459.2017.1307116 (scores in units of a scale).
 */
export function createConformal(settings: ConformalSettings = CONFORMAL, state?: ConformalState) {
  const { method, level, horizon, window, scoresMin, rate } = settings;
  expect(level > 0 && level < 1, `level must be between 0 and 1, was ${level}`);
  expect(Number.isInteger(horizon) && horizon >= 1, `horizon must be a whole number >= 1, was ${horizon}`);
  expect(
    Number.isInteger(window) && Number.isInteger(scoresMin) && scoresMin >= 1 && window >= scoresMin,
    `window must be whole and at least scoresMin, were ${window} and ${scoresMin}`,
  );
  expect(rate >= 0 && rate < 1, `rate must be in 0..1, was ${rate}`);
  const target = (1 - level) / 2;
  let { missLow, missHigh } = state ?? { missLow: target, missHigh: target };
  const pending: Pending[] = state ? structuredClone(state.pending) : [];
  const scores = createScores(window, state?.scores ?? []);

  function reveal(told: Pending, outcome: number): void {
    if (told === null || !Number.isFinite(outcome)) return;
    scores.add((outcome - told.center) / (method === 'plain' ? 1 : told.scale));
    if (method !== 'adaptive' || told.interval === null) return;
    missLow = moved(missLow, outcome < told.interval.low);
    missHigh = moved(missHigh, outcome > told.interval.high);
  }

  /** Kept where a quantile exists: a level below zero would ask for an interval without end. */
  function moved(miss: number, missed: boolean): number {
    return Math.min(0.5, Math.max(0, miss + rate * (target - Number(missed))));
  }

  return {
    /**
     * One step of time.
     *
     * @param outcome Of the forecast told `horizon` steps ago, now due; NaN where there is none.
     * @param told Today's forecast; NaN or a scale not above zero: none.
     * @returns Its interval, or null without a forecast or with too few scores.
     */
    step(outcome: number, told: Told): PredictionInterval | null {
      if (pending.length === horizon) reveal(pending.shift()!, outcome);
      const isTold = Number.isFinite(told.center) && told.scale > 0 && Number.isFinite(told.scale);
      if (!isTold) {
        pending.push(null);
        return null;
      }
      let interval: PredictionInterval | null = null;
      if (scores.count() >= scoresMin) {
        const scale = method === 'plain' ? 1 : told.scale;
        interval = {
          low: told.center + scale * scores.lower(missLow),
          high: told.center + scale * scores.upper(missHigh),
        };
      }
      pending.push({ ...told, interval });
      return interval;
    },
    state: (): ConformalState => ({
      scores: scores.inOrder(),
      missLow,
      missHigh,
      pending: structuredClone(pending),
    }),
  };
}

export type ConformalPath = { low: Float64Array; high: Float64Array };

/**
 * `createConformal` over a whole history.
 *
 * @param center T values. @param scale T values, > 0; NaN in either: no forecast.
 * @param outcome T values: row t is what came of the forecast of row t, at t + horizon.
 * @returns T bounds; NaN where none is told.
 * @throws RangeError if the lengths differ.
 */
export function conformalIntervals(
  center: Float64Array,
  scale: Float64Array,
  outcome: Float64Array,
  settings: ConformalSettings = CONFORMAL,
): ConformalPath {
  const n = center.length;
  expect(
    scale.length === n && outcome.length === n,
    `center, scale and outcome need one length, had ${n}, ${scale.length} and ${outcome.length}`,
  );
  const conformal = createConformal(settings);
  const low = new Float64Array(n).fill(Number.NaN);
  const high = new Float64Array(n).fill(Number.NaN);
  for (let t = 0; t < n; t++) {
    const due = t - settings.horizon;
    const interval = conformal.step(due >= 0 ? outcome[due]! : Number.NaN, { center: center[t]!, scale: scale[t]! });
    if (interval) [low[t], high[t]] = [interval.low, interval.high];
  }
  return { low, high };
}

/**
 * Loss of an interval: its width, and 2 / (1 − level) times what the outcome lies outside. The less the better. NaN where a
 * bound or the outcome is missing.
 *
 * @see Winkler 1972, doi:10.1080/01621459.1972.10481224; Gneiting and Raftery 2007, doi:10.1198/016214506000001437.
 */
export function winklerScores({ low, high }: ConformalPath, outcome: Float64Array, level: number): Float64Array {
  return outcome.map((y, t) => {
    const outside = Math.max(low[t]! - y, 0) + Math.max(y - high[t]!, 0);
    return high[t]! - low[t]! + (2 / (1 - level)) * outside;
  });
}

/** The last `window` scores, in the order they came and sorted. */
function createScores(window: number, past: readonly number[]) {
  const order = past.slice(-window);
  const sorted = Float64Array.from(order).sort();
  const held = new Float64Array(window);
  held.set(sorted);
  let count = sorted.length;

  function place(score: number): number {
    let [from, to] = [0, count];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (held[middle]! < score) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  return {
    count: () => count,
    inOrder: () => order.slice(),
    add(score: number): void {
      if (count === window) {
        const leaving = place(order.shift()!);
        held.copyWithin(leaving, leaving + 1, count);
        count--;
      }
      const at = place(score);
      held.copyWithin(at + 1, at, count);
      held[at] = score;
      order.push(score);
      count++;
    },
    upper(miss: number): number {
      return held[rankOf(count, miss) - 1]!;
    },
    /** As `upper` of the scores with their sign turned. */
    lower(miss: number): number {
      return held[count - rankOf(count, miss)]!;
    },
  };
}

/** ⌈(count + 1)(1 − miss)⌉, within 1..count; a product that rounding lifted over a whole number is that number. */
function rankOf(count: number, miss: number): number {
  return Math.min(count, Math.max(1, Math.ceil((count + 1) * (1 - miss) - 1e-9)));
}
