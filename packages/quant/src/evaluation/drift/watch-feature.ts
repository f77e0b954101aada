import { expect } from '../../checks/expect.ts';
import type { Random } from '../../random/random.ts';
import { limitWithinBudget } from './alarm-budget.ts';
import {
  SHIFT_RULES,
  SHIFT_WINDOW,
  type ShiftRule,
  type ShiftStatistics,
  shiftStatistics,
} from './shift-statistics.ts';

export type MonitorSettings = {
  /** False alarms a year that one feature may raise, all rules together. */
  alarmsPerYear: number;
  /** How the rules share it. What forgets fast is told by its level alone; what remembers, by its steps as well. */
  shares: { memoryless: Record<ShiftRule, number>; persistent: Record<ShiftRule, number> };
  /** From this correlation of neighbouring sessions on a feature counts as persistent. */
  persistenceMin: number;
  blockLength: number;
  resampleCount: number;
  caution: number;
};

/** Tuned on the S&P 500 of 1965 to 1989, before anything later was looked at. */
export const MONITOR_SETTINGS: MonitorSettings = {
  alarmsPerYear: 0.65,
  shares: {
    memoryless: { level: 0.7, step: 0.15, spread: 0.15 },
    persistent: { level: 0.34, step: 0.33, spread: 0.33 },
  },
  persistenceMin: 0.5,
  blockLength: 252,
  resampleCount: 60,
  caution: 0.5,
};

/** What is usual of a feature, from its past alone. */
export type FeatureMonitor = {
  /** Above it is an alarm; NaN: too little past. */
  limits: Record<ShiftRule, number>;
  /** False alarms a year each limit was set for. */
  alarmsPerYear: Record<ShiftRule, number>;
  isPersistent: boolean;
};

export type ShiftReading = { rule: ShiftRule; statistic: number; limit: number; alarm: boolean };

/**
 * Sets the limits of a feature from its own past, in which every alarm counts as false.
 *
 * @param values One a session, oldest first; all of them past.
 * @param statistics `shiftStatistics` of them; absent: computed.
 */
export function calibrateMonitor(
  values: Float64Array,
  settings: MonitorSettings,
  random: Random,
  statistics: ShiftStatistics = shiftStatistics(values),
): FeatureMonitor {
  expect(settings.alarmsPerYear > 0, `alarmsPerYear must be positive, was ${settings.alarmsPerYear}`);
  const isPersistent = neighbourCorrelation(values) >= settings.persistenceMin;
  const shares = settings.shares[isPersistent ? 'persistent' : 'memoryless'];
  const limits = { level: Number.NaN, step: Number.NaN, spread: Number.NaN };
  const alarmsPerYear = { level: 0, step: 0, spread: 0 };
  for (const rule of SHIFT_RULES) {
    alarmsPerYear[rule] = settings.alarmsPerYear * shares[rule];
    const budget = { ...settings, alarmsPerYear: alarmsPerYear[rule], quietRows: SHIFT_WINDOW };
    limits[rule] = limitWithinBudget(statistics[rule], budget, random.split(rule));
  }
  return { limits, alarmsPerYear, isPersistent };
}

/** What the rules say of one session; a rule without a limit or a value is left out. */
export function readShifts(statistics: ShiftStatistics, row: number, { limits }: FeatureMonitor): ShiftReading[] {
  const readings: ShiftReading[] = [];
  for (const rule of SHIFT_RULES) {
    const [statistic, limit] = [statistics[rule][row]!, limits[rule]];
    if (Number.isNaN(statistic) || Number.isNaN(limit)) continue;
    readings.push({ rule, statistic, limit, alarm: statistic > limit });
  }
  return readings;
}

/**
 * Splits a budget of false alarms over features. Expected counts add up whatever the features have to do with each other, so
 * that the sum keeps to the budget without any assumption.
 */
export function alarmsPerFeature(alarmsPerYear: number, featureCount: number): number {
  expect(Number.isInteger(featureCount) && featureCount >= 1, `featureCount must be >= 1, was ${featureCount}`);
  return alarmsPerYear / featureCount;
}

/** Correlation of a value with the one before; 0 where it cannot be told. */
function neighbourCorrelation(values: Float64Array): number {
  let [count, x, y, xx, yy, xy] = [0, 0, 0, 0, 0, 0];
  let origin = Number.NaN;
  for (let t = 1; t < values.length; t++) {
    if (Number.isNaN(values[t]!) || Number.isNaN(values[t - 1]!)) continue;
    // Around the first value: sums of squares of a far level lose their digits.
    if (Number.isNaN(origin)) origin = values[t]!;
    const [a, b] = [values[t - 1]! - origin, values[t]! - origin];
    count += 1;
    x += a;
    y += b;
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  const spread = (xx - (x * x) / count) * (yy - (y * y) / count);
  return spread > 0 ? (xy - (x * y) / count) / Math.sqrt(spread) : 0;
}
