import { expect } from '../checks/expect.ts';
import { CLUSTER_ROWS } from './alarm-clusters.ts';

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
      // A detector that has been louder than it was tuned to be is tuned to half until it has made up for it.
      const aim = clusters > (perYearMax * judged) / rowsPerYear ? perYearMax / 2 : perYearMax;
      current = lowestQuietThreshold(score.subarray(0, t), (aim * known) / rowsPerYear, floor);
      sinceTuning = 0;
    }
    threshold[t] = current;
    const isKnown = !Number.isNaN(score[t]!);
    if (isKnown) {
      known += 1;
      sinceTuning += 1;
    }
    if (isKnown && !Number.isNaN(current)) judged += 1;
    if (score[t]! > current) {
      alarm[t] = 1;
      if (t - lastAlarm > CLUSTER_ROWS) clusters += 1;
      lastAlarm = t;
    }
    if (judged >= rowsPerYear) perYear[t] = clusters / (judged / rowsPerYear);
  }
  return { threshold, alarm, perYear, years: judged / rowsPerYear };
}

/**
 * The lowest threshold, not below `floor`, down to which the scores are in at most so many clusters.
 *
 * Rows are marked from the highest score down. Neighbouring clusters grow together on the way, so their number may fall
 * again further down; what counts is where it first exceeds the bound.
 */
export function lowestQuietThreshold(score: Float64Array, clustersMax: number, floor: number): number {
  const order = Array.from(score.keys()).filter((row) => score[row]! > floor);
  order.sort((a, b) => score[b]! - score[a]!);
  const isMarked = new Uint8Array(score.length);
  let clusters = 0;
  for (let k = 0; k < order.length; k++) {
    const row = order[k]!;
    clusters += clustersGained(isMarked, row);
    isMarked[row] = 1;
    const isLastOfItsValue = k + 1 === order.length || score[order[k + 1]!] !== score[row];
    if (isLastOfItsValue && clusters > clustersMax) return score[row]!;
  }
  return floor;
}

/** By how many the clusters grow when a row is marked: 1 alone, 0 beside one, −1 between two that were apart. */
function clustersGained(isMarked: Uint8Array, row: number): number {
  let before = row - 1;
  while (before >= row - CLUSTER_ROWS && isMarked[before] !== 1) before--;
  let after = row + 1;
  while (after <= row + CLUSTER_ROWS && isMarked[after] !== 1) after++;
  const hasBefore = before >= Math.max(0, row - CLUSTER_ROWS);
  const hasAfter = after <= Math.min(isMarked.length - 1, row + CLUSTER_ROWS);
  if (hasBefore && hasAfter) return after - before <= CLUSTER_ROWS ? 0 : -1;
  return hasBefore || hasAfter ? 0 : 1;
}
