import { expect } from '../checks/expect.ts';
import { CLUSTER_ROWS, clusterRows } from './alarm-clusters.ts';

export type TuningSettings = {
  /** Alarm clusters a year the past may hold above a threshold. */
  perYearMax: number;
  rowsPerYear: number;
  /** Rows with a score before the first threshold. */
  rowsMin: number;
  /** Rows between two tunings, counted from the first. */
  everyRows: number;
  /** No threshold is lower: what is usual is no alarm, however calm the past was. */
  floor: number;
};

export type TunedAlarms = {
  /** Threshold of each row, from rows before it; NaN before the first tuning. */
  threshold: Float64Array;
  /** 1 where the score is above its row's threshold. */
  alarm: Uint8Array;
  /** Clusters a year from the first row with a threshold up to and including each row; NaN before one year of them. */
  perYear: Float64Array;
  /** Rows with a score and a threshold, in years. */
  years: number;
};

/**
 * Alarms of a score whose threshold was tuned on its own past: the lowest that the past exceeded in at most `perYearMax`
 * clusters a year. On real data nobody knows which alarms are true, so every one counts against the detector.
 *
 * Alarms at most `CLUSTER_ROWS` rows apart are one. Appending rows changes no earlier row. Time O(T² / everyRows · log T).
 *
 * @param score One a row, larger is odder; NaN: nothing can be said.
 */
export function tuneAlarms(score: Float64Array, settings: TuningSettings): TunedAlarms {
  const { perYearMax, rowsPerYear, rowsMin, everyRows, floor } = settings;
  expect(perYearMax > 0 && rowsPerYear > 0, 'perYearMax and rowsPerYear must be positive');
  expect(Number.isInteger(everyRows) && everyRows >= 1, `everyRows must be a whole number >= 1, was ${everyRows}`);
  const threshold = new Float64Array(score.length).fill(Number.NaN);
  const alarm = new Uint8Array(score.length);
  const perYear = new Float64Array(score.length).fill(Number.NaN);
  let [known, sinceTuning, judged, clusters, lastAlarm] = [0, 0, 0, 0, Number.NEGATIVE_INFINITY];
  let current = Number.NaN;
  for (let t = 0; t < score.length; t++) {
    if (known >= rowsMin && (Number.isNaN(current) || sinceTuning >= everyRows)) {
      current = lowestQuietThreshold(score.subarray(0, t), (perYearMax * known) / rowsPerYear, floor);
      sinceTuning = 0;
    }
    threshold[t] = current;
    if (!Number.isNaN(score[t]!)) {
      known += 1;
      sinceTuning += 1;
      if (!Number.isNaN(current)) {
        judged += 1;
        if (score[t]! > current) {
          alarm[t] = 1;
          if (t - lastAlarm > CLUSTER_ROWS) clusters += 1;
          lastAlarm = t;
        }
      }
    }
    if (judged >= rowsPerYear) perYear[t] = clusters / (judged / rowsPerYear);
  }
  return { threshold, alarm, perYear, years: judged / rowsPerYear };
}

/** The lowest threshold, not below `floor`, that the scores exceed in at most so many clusters. */
export function lowestQuietThreshold(score: Float64Array, clustersMax: number, floor: number): number {
  const countAbove = (limit: number): number => clusterRows((row) => score[row]! > limit, score.length).length;
  if (countAbove(floor) <= clustersMax) return floor;
  const sorted = score.filter((value) => value > floor).sort();
  // Clusters grow together as a threshold falls, so their number may fall too: the search keeps to the upper branch, where
  // the highest scores stand alone.
  let [low, high] = [-1, sorted.length - 1];
  while (high - low > 1) {
    const half = (low + high) >> 1;
    if (countAbove(sorted[half]!) <= clustersMax) high = half;
    else low = half;
  }
  return sorted[high]!;
}
