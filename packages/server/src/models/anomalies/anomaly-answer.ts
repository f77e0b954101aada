import type { Anomalies, Anomaly, AnomalyDetector } from '@touchstone/contracts/anomalies';
import type { Reason } from '@touchstone/contracts/market';
import { ANOMALY_SETTINGS, type DetectorReading } from '@touchstone/quant/anomaly/detect-anomalies';
import { dayText } from '@touchstone/quant/series/day';
import { orNull } from '../market/reading.ts';

export const NOTE =
  'Detects what was unusual against its own past, and says nothing about what comes next. On real data nobody knows which alarms are true, so every one counts as false until somebody judges it.';

/** Newest alarms told. */
const ITEMS_MAX = 500;
/** Sessions with a score before a detector says anything. */
const SCORES_MIN = ANOMALY_SETTINGS.tuning.rowsMin;

const LABELS: Record<AnomalyDetector, string> = {
  return: 'Return, robust z',
  volume: 'Volume, robust z',
  volatility: 'Five-day volatility, robust z',
  correlation: 'Correlation with its market',
  isolation_forest: 'Isolation forest',
  shock: 'Shock: a fall for its volatility',
};

/** One alarm without its case. */
export type Alarm = Omit<Anomaly, 'caseId' | 'state'>;
export type DetectorFigures = Omit<Anomalies['detectors'][number], 'judgedCount' | 'confirmedShare'>;
export type AnomalyReading = { detectors: DetectorFigures[]; alarms: Alarm[] };

/** The kernel's readings as they cross the wire, newest alarm first. @param why Why a detector has no input at all. */
export function anomalyReading(
  day: Int32Array,
  readings: readonly DetectorReading[],
  why: Partial<Record<AnomalyDetector, Reason>>,
): AnomalyReading {
  const alarms = readings.flatMap((reading) =>
    Array.from(reading.alarm.keys())
      .filter((row) => reading.alarm[row] === 1)
      .map((row) => ({ row, alarm: describeAlarm(day, reading, row) })),
  );
  alarms.sort((a, b) => b.row - a.row);
  return {
    detectors: readings.map((reading) => describeDetector(reading, why[reading.detector])),
    alarms: alarms.slice(0, ITEMS_MAX).map(({ alarm }) => alarm),
  };
}

function describeDetector(reading: DetectorReading, why: Reason | undefined): DetectorFigures {
  const { detector, score, threshold, perYear, years, alarm } = reading;
  const last = score.length - 1;
  const scoreCount = score.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0);
  const isMute = last < 0 || Number.isNaN(threshold[last]!);
  return {
    detector,
    label: LABELS[detector],
    reason: isMute ? (why ?? muteReason(scoreCount)) : null,
    threshold: last < 0 ? null : rounded(threshold[last]!),
    scoreToday: last < 0 ? null : rounded(score[last]!),
    alarmsPerYear: last < 0 ? null : rounded(perYear[last]!),
    alarmsPerYearMax: ANOMALY_SETTINGS.perYearPromised,
    measuredYears: isMute ? null : rounded(years),
    alarmCount: alarm.reduce((count, value) => count + value, 0),
  };
}

function muteReason(scoreCount: number): Reason {
  return {
    code: 'too_little_history',
    sentence: `Needs ${SCORES_MIN + 1} sessions that can be scored; ${scoreCount === 1 ? 'one was' : `${scoreCount} were`} by then.`,
  };
}

function describeAlarm(day: Int32Array, reading: DetectorReading, row: number): Alarm {
  const { detector, score, threshold, value, usual, perYear } = reading;
  return {
    detector,
    day: dayText(day[row]!),
    score: rounded(score[row]!) ?? 0,
    threshold: rounded(threshold[row]!) ?? 0,
    value: orNull(value[row]!),
    usual: orNull(usual[row]!),
    alarmsPerYear: rounded(perYear[row]!),
    sentence: sentenceOf(detector, score[row]!, value[row]!, usual[row]!),
  };
}

function sentenceOf(detector: AnomalyDetector, score: number, value: number, usual: number): string {
  const size = score.toFixed(1);
  const percent = (share: number) => `${share < 0 ? '−' : ''}${Math.abs(100 * share).toFixed(1)}\u202f%`;
  switch (detector) {
    case 'return':
      return `Return of ${percent(value)}: ${size} robust deviations from the median of the year before.`;
    case 'volume':
      return `Volume of ${Math.round(value)}, usually ${Math.round(usual)}: ${size} robust deviations on a log scale.`;
    case 'volatility':
      return `Daily volatility of five sessions ${percent(value)}, usually ${percent(usual)}: ${size} robust deviations on a log scale.`;
    case 'correlation':
      return `Correlation with its market over ${ANOMALY_SETTINGS.correlation.windowRows} sessions ${value.toFixed(2)}, usually ${usual.toFixed(2)}: ${size} deviations of what its past gives.`;
    case 'isolation_forest':
      return `An odd combination of return, volume and volatility: oddness ${score.toFixed(2)} on a scale from 0 to 1.`;
    case 'shock':
      return `Return of ${percent(value)}: a fall of ${size} times its recent volatility.`;
  }
}

function rounded(value: number): number | null {
  return orNull(Math.round(value * 1e6) / 1e6);
}
