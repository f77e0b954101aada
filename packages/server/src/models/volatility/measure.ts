import type { Measured, Reason } from '@touchstone/contracts/market';
import { createRandom } from '@touchstone/quant/random/random';
import { dayText } from '@touchstone/quant/series/day';
import { BLOCK_LENGTH_DEFAULT, blockBootstrap } from '@touchstone/quant/stats/block-bootstrap';

/** Fewer days than two blocks cannot be resampled by blocks. */
export const MEASURED_DAYS_MIN = 2 * BLOCK_LENGTH_DEFAULT;
const RESAMPLE_COUNT = 500;

export type Measurement = {
  /** Rows measured, ascending; `day` tells when they were. */
  rows: readonly number[];
  day: Int32Array;
  /** The figure on places 0 .. rows.length − 1, drawn with repetition for the interval. */
  statistic: (places: Uint32Array) => number;
  baseline: number;
  baselineName: string;
  trialCount: number;
  seed: number;
  label: string;
};

/** A figure with its 95 % circular block bootstrap interval, or null with the reason. */
export function measure(what: Measurement): Measured {
  const { rows, day, statistic, baseline, baselineName, trialCount } = what;
  const count = rows.length;
  const textAt = (place: number) => (count === 0 ? null : dayText(day[rows.at(place)!]!));
  const about = { baselineName, firstDay: textAt(0), lastDay: textAt(-1), sampleCount: count, trialCount };
  if (count < MEASURED_DAYS_MIN)
    return { value: null, low: null, high: null, baseline: null, ...about, reason: tooFewDays(count) };
  const { value, low, high } = blockBootstrap(count, statistic, {
    random: createRandom(what.seed).split(what.label),
    resampleCount: RESAMPLE_COUNT,
  });
  const figures = [value, low, high, baseline];
  if (!figures.every(Number.isFinite)) {
    const reason: Reason = { code: 'not_defined', sentence: 'The figure is not defined on these days.' };
    return { value: null, low: null, high: null, baseline: null, ...about, reason };
  }
  return { value, low, high, baseline, ...about, reason: null };
}

/** Mean over the places drawn. */
export function meanAt(values: Float64Array): (places: Uint32Array) => number {
  return (places) => {
    let sum = 0;
    for (let k = 0; k < places.length; k++) sum += values[places[k]!]!;
    return sum / places.length;
  };
}

/** 1 − mean(loss) / mean(baseline) over the places drawn. */
export function gainAt(loss: Float64Array, baseline: Float64Array): (places: Uint32Array) => number {
  return (places) => {
    let [ours, theirs] = [0, 0];
    for (let k = 0; k < places.length; k++) {
      ours += loss[places[k]!]!;
      theirs += baseline[places[k]!]!;
    }
    return 1 - ours / theirs;
  };
}

function tooFewDays(count: number): Reason {
  return {
    code: 'too_little_history',
    sentence: `Measured on ${MEASURED_DAYS_MIN} past days at least; there are ${count}.`,
  };
}
