import type { Random } from '../random/random.ts';
import type { Bars } from '../series/bars.ts';
import { logReturns } from '../series/log-returns.ts';
import { CORRELATION_BREAK_DEFAULTS, type CorrelationBreakSettings, correlationBreaks } from './correlation-break.ts';
import { growIsolationForest, type IsolationSettings, isolationScores } from './isolation-forest.ts';
import { robustZ } from './robust-z.ts';
import { shockZ } from './shock-rules.ts';
import { type TunedAlarms, type TuningSettings, tuneAlarms } from './tuned-alarms.ts';

export const DETECTORS = ['return', 'volume', 'volatility', 'correlation', 'isolation_forest', 'shock'] as const;
export type Detector = (typeof DETECTORS)[number];

export type AnomalySettings = {
  /** Past values a robust z is held against, and the fewest for one. */
  pastRows: number;
  pastRowsMin: number;
  /** Rows of the volatility that is judged. */
  volatilityRows: number;
  /** The tuning aims below what is promised, because the next year is not the past. */
  tuning: Omit<TuningSettings, 'floor'>;
  /** What is promised a year and shown beside the measured rate. */
  perYearPromised: number;
  /** No threshold is lower, per detector. */
  floor: Record<Detector, number>;
  forest: IsolationSettings & { pastRowsMax: number; rowsMin: number; everyRows: number };
  correlation: CorrelationBreakSettings;
};

/** What detectors are run with. A year has 252 rows. */
export const ANOMALY_SETTINGS: AnomalySettings = {
  pastRows: 252,
  pastRowsMin: 126,
  volatilityRows: 5,
  tuning: { perYearMax: 2, rowsPerYear: 252, rowsMin: 252, everyRows: 21 },
  perYearPromised: 3,
  floor: { return: 4, volume: 4, volatility: 2.5, correlation: 3, isolation_forest: 0.6, shock: 3 },
  forest: { treeCount: 100, sampleCount: 256, pastRowsMax: 1260, rowsMin: 252, everyRows: 126 },
  correlation: CORRELATION_BREAK_DEFAULTS,
};

export type DetectorReading = TunedAlarms & {
  detector: Detector;
  score: Float64Array;
  /** What was measured, and its median or mean over the past; NaN where there is none. */
  value: Float64Array;
  usual: Float64Array;
};

/**
 * Scores, thresholds and alarms of every detector over a subject's bars. Row t of each depends on rows up to t only.
 *
 * @param bars Ascending days; missing columns NaN.
 * @param unpaidDays Days whose step is not the market's: their return is missing.
 * @param partnerReturn Log return a row of what the subject is held against; null: no correlation is judged.
 * @param random Draws forests and resamples.
 */
export function detectAnomalies(
  bars: Bars,
  unpaidDays: Int32Array,
  partnerReturn: Float64Array | null,
  random: Random,
  settings: AnomalySettings = ANOMALY_SETTINGS,
): DetectorReading[] {
  const logReturn = logReturns(bars.close, bars.day, unpaidDays);
  const logVolume = bars.volume.map((value) => (value > 0 ? Math.log(value) : Number.NaN));
  const volatility = recentVolatility(logReturn, settings.volatilityRows);
  const { pastRows, pastRowsMin } = settings;
  const ofReturn = robustZ(logReturn, pastRows, pastRowsMin);
  const ofVolume = robustZ(logVolume, pastRows, pastRowsMin);
  const ofVolatility = robustZ(volatility.map(Math.log), pastRows, pastRowsMin);
  const shock = shockZ(logReturn);
  const nothing = new Float64Array(logReturn.length).fill(Number.NaN);
  const reading = (detector: Detector, score: Float64Array, value: Float64Array, usual: Float64Array) => ({
    detector,
    score,
    value,
    usual,
    ...tuneAlarms(score, { ...settings.tuning, floor: settings.floor[detector] }),
  });
  const pair = partnerReturn === null ? null : interleave(logReturn, partnerReturn);
  const breaks =
    pair === null
      ? { score: nothing, correlation: nothing, usual: nothing }
      : correlationBreaks(pair, 2, random.split('correlation'), settings.correlation);
  const forest = forestScores([ofReturn.z, ofVolume.z, ofVolatility.z, shock], random.split('forest'), settings);
  return [
    reading('return', ofReturn.z.map(Math.abs), logReturn, ofReturn.usual),
    reading('volume', ofVolume.z.map(Math.abs), bars.volume, ofVolume.usual.map(Math.exp)),
    reading('volatility', ofVolatility.z, volatility, ofVolatility.usual.map(Math.exp)),
    reading('correlation', breaks.score, breaks.correlation, breaks.usual),
    reading('isolation_forest', forest, logReturn, ofReturn.usual),
    reading(
      'shock',
      shock.map((value) => -value),
      logReturn,
      nothing,
    ),
  ];
}

/** Root mean square of the last `rows` returns; NaN where one is missing or all are zero. */
function recentVolatility(logReturn: Float64Array, rows: number): Float64Array {
  return logReturn.map((_, t) => {
    if (t + 1 < rows) return Number.NaN;
    let square = 0;
    for (let k = t - rows + 1; k <= t; k++) square += logReturn[k]! ** 2;
    return square > 0 ? Math.sqrt(square / rows) : Number.NaN;
  });
}

function interleave(a: Float64Array, b: Float64Array): Float64Array {
  return Float64Array.from({ length: 2 * a.length }, (_, at) => (at % 2 === 0 ? a[at / 2]! : b[(at - 1) / 2]!));
}

/**
 * Oddness by forests grown from the past only, anew every so many rows. A column without any value yet, such as the volume of
 * an index, is left out of the forests; a missing value counts as usual.
 */
function forestScores(columns: readonly Float64Array[], random: Random, { forest }: AnomalySettings): Float64Array {
  const rowCount = columns[0]!.length;
  const score = new Float64Array(rowCount).fill(Number.NaN);
  const isKnown = (t: number): boolean => !Number.isNaN(columns[0]![t]!);
  let known = 0;
  let t = 0;
  while (t < rowCount && known < forest.rowsMin) if (isKnown(t++)) known += 1;
  for (let from = t; from < rowCount; from += forest.everyRows) {
    const to = Math.min(rowCount, from + forest.everyRows);
    const used = columns.filter((column) => column.subarray(0, from).some((value) => !Number.isNaN(value)));
    const rowsOf = (first: number, end: number): Float64Array => {
      const rows: number[] = [];
      for (let row = first; row < end; row++)
        if (isKnown(row)) for (const column of used) rows.push(Number.isNaN(column[row]!) ? 0 : column[row]!);
      return Float64Array.from(rows);
    };
    const past = rowsOf(Math.max(0, from - forest.pastRowsMax), from);
    if (used.length === 0 || past.length < 2 * used.length) continue;
    const grown = growIsolationForest(past, used.length, random.split(from), forest);
    const scores = isolationScores(rowsOf(from, to), grown);
    let next = 0;
    for (let row = from; row < to; row++) if (isKnown(row)) score[row] = scores[next++]!;
  }
  return score;
}
