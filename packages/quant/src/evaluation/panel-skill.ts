import { expect } from '../checks/expect.ts';
import { createRandom } from '../random/random.ts';
import { BLOCK_LENGTH_DEFAULT, RESAMPLE_COUNT_DEFAULT } from '../stats/block-bootstrap.ts';
import { sortedQuantile } from '../stats/quantile.ts';
import { pearson, ranks } from '../stats/rank-correlation.ts';

/** Forecasts of some rows and what came. */
export type Judged = {
  /** Day number of each row. */
  day: Int32Array;
  /** Probability, number or score. */
  forecast: Float64Array;
  outcome: Float64Array;
  /** For metrics of decisions: 1 where it says yes. Absent: the forecast is above one half. */
  decision?: Float64Array;
};

/** Sums of each day, of which a metric of any days is made: days are what is resampled. */
export type DaySums = {
  day: Int32Array;
  width: number;
  /** Row-major days × width. */
  sums: Float64Array;
};

export type MetricName =
  | 'balanced_accuracy'
  | 'accuracy'
  | 'brier'
  | 'log_loss'
  | 'qlike'
  | 'rank_ic'
  | 'mean_squared_error'
  | 'mean';

type Metric = {
  higherIsBetter: boolean;
  width: number;
  /** Adds one row to the sums of its day. Absent: told by day. */
  add?: (sums: Float64Array, at: number, forecast: number, outcome: number, decision: number) => void;
  value(sums: Float64Array): number;
};

const PROBABILITY_LEAST = 1e-6;

const ratio = (sums: Float64Array) => sums[0]! / sums[1]!;
const meanOf = (loss: (forecast: number, outcome: number, decision: number) => number): Metric['add'] => {
  return (sums, at, forecast, outcome, decision) => {
    sums[at]! += loss(forecast, outcome, decision);
    sums[at + 1]! += 1;
  };
};

const METRICS: Readonly<Record<MetricName, Metric>> = {
  balanced_accuracy: {
    ...{ higherIsBetter: true, width: 4 },
    add(sums, at, _forecast, outcome, decision) {
      const side = outcome === 1 ? 0 : 2;
      sums[at + side]! += decision === outcome ? 1 : 0;
      sums[at + side + 1]! += 1;
    },
    value: (sums) => (sums[0]! / sums[1]! + sums[2]! / sums[3]!) / 2,
  },
  accuracy: {
    ...{ higherIsBetter: true, width: 2, value: ratio },
    add: meanOf((_forecast, outcome, decision) => (decision === outcome ? 1 : 0)),
  },
  brier: {
    ...{ higherIsBetter: false, width: 2, value: ratio },
    add: meanOf((forecast, outcome) => (forecast - outcome) ** 2),
  },
  log_loss: {
    ...{ higherIsBetter: false, width: 2, value: ratio },
    add: meanOf((forecast, outcome) => {
      const p = Math.min(1 - PROBABILITY_LEAST, Math.max(PROBABILITY_LEAST, forecast));
      return -Math.log(outcome === 1 ? p : 1 - p);
    }),
  },
  // Of volatilities: the loss is that of their squares.
  qlike: {
    ...{ higherIsBetter: false, width: 2, value: ratio },
    add: meanOf((forecast, outcome) => {
      const x = (outcome / forecast) ** 2;
      return x - Math.log(x) - 1;
    }),
  },
  mean_squared_error: {
    ...{ higherIsBetter: false, width: 2, value: ratio },
    add: meanOf((forecast, outcome) => (forecast - outcome) ** 2),
  },
  rank_ic: { higherIsBetter: true, width: 2, value: ratio },
  mean: { ...{ higherIsBetter: true, width: 2, value: ratio }, add: meanOf((forecast) => forecast) },
};

export function isHigherBetter(metric: MetricName): boolean {
  return METRICS[metric].higherIsBetter;
}

/**
 * Sums by day. Rows with a NaN on either side are left out.
 *
 * - `balanced_accuracy`, `accuracy`: of decisions. `qlike`: of the squares of volatilities.
 * - `rank_ic`: Spearman's correlation over the rows of a day, one value a day; days with fewer than three rows are left out.
 *
 * @throws RangeError if the lengths differ.
 */
export function daySums(metric: MetricName, { day, forecast, outcome, decision }: Judged): DaySums {
  const rowCount = day.length;
  for (const [name, values] of Object.entries({ forecast, outcome, decision: decision ?? forecast }))
    expect(values.length === rowCount, `${name} must have ${rowCount} rows, had ${values.length}`);
  const { width, add } = METRICS[metric];
  const usable = Int32Array.from(day.keys()).filter((row) => !Number.isNaN(forecast[row]! + outcome[row]!));
  const days = Int32Array.from(new Set(usable.map((row) => day[row]!))).sort();
  const sums = new Float64Array(days.length * width);
  if (add === undefined) {
    addRankCorrelations(sums, days, day, forecast, outcome, usable);
    return { day: days, width, sums };
  }
  const place = new Map(Array.from(days, (number, at) => [number, at]));
  for (const row of usable) {
    const said = decision === undefined ? (forecast[row]! > 0.5 ? 1 : 0) : decision[row]!;
    add(sums, place.get(day[row]!)! * width, forecast[row]!, outcome[row]!, said);
  }
  return { day: days, width, sums };
}

export type SkillInterval = {
  value: number;
  low: number;
  high: number;
};

export type SkillSettings = {
  /** Of the resamples. */
  seed: number | string;
  /** Days a block. Default 63. */
  blockLength?: number;
  /** Default 1,000. */
  resampleCount?: number;
  /** Default 0.95. */
  level?: number;
};

/** A metric over all days with its circular-block-bootstrap interval, days drawn whole. NaN without days. */
export function metricInterval(metric: MetricName, judged: DaySums, settings: SkillSettings): SkillInterval {
  const { value } = METRICS[metric];
  return interval(judged.day.length, settings, [judged], ([sums]) => value(sums!));
}

/**
 * How much better one is than another on the days both told, positive is better; each resample draws the same days for both.
 *
 * Differences for metrics of which more is better; for losses 1 − loss / loss of the other.
 */
export function pairedSkill(
  metric: MetricName,
  model: DaySums,
  other: DaySums,
  settings: SkillSettings,
): SkillInterval {
  const { value, higherIsBetter } = METRICS[metric];
  const [a, b] = onCommonDays(model, other);
  return interval(a.day.length, settings, [a, b], ([x, y]) => {
    const [own, others] = [value(x!), value(y!)];
    return higherIsBetter ? own - others : 1 - own / others;
  });
}

/** Area under the curve of true against false positive rates: the chance that a 1 is told higher than a 0. NaN for one class. */
export function areaUnderCurve(forecast: Float64Array, outcome: Float64Array): number {
  const rank = ranks(forecast);
  let [ones, sum] = [0, 0];
  for (let row = 0; row < forecast.length; row++) {
    if (outcome[row] !== 1) continue;
    ones += 1;
    sum += rank[row]!;
  }
  const zeros = forecast.length - ones;
  return ones === 0 || zeros === 0 ? Number.NaN : (sum - (ones * (ones + 1)) / 2) / (ones * zeros);
}

function addRankCorrelations(
  sums: Float64Array,
  days: Int32Array,
  day: Int32Array,
  forecast: Float64Array,
  outcome: Float64Array,
  usable: Int32Array,
): void {
  const place = new Map(Array.from(days, (number, at) => [number, at]));
  const rowsOf: number[][] = Array.from(days, () => []);
  for (const row of usable) rowsOf[place.get(day[row]!)!]!.push(row);
  rowsOf.forEach((rows, at) => {
    if (rows.length < 3) return;
    const of = (values: Float64Array) => ranks(Float64Array.from(rows, (row) => values[row]!));
    const correlation = pearson(of(forecast), of(outcome));
    // Where one side is constant nothing was said: no correlation.
    sums[2 * at] = correlation.status === 'ok' ? correlation.coefficient : 0;
    sums[2 * at + 1] = 1;
  });
}

function onCommonDays(a: DaySums, b: DaySums): [DaySums, DaySums] {
  const inB = new Set(b.day);
  const common = a.day.filter((day) => inB.has(day));
  return [pick(a, common), pick(b, common)];
}

function pick({ day, width, sums }: DaySums, wanted: Int32Array): DaySums {
  const place = new Map(Array.from(day, (number, at) => [number, at]));
  const picked = new Float64Array(wanted.length * width);
  wanted.forEach((number, k) => {
    const at = place.get(number)! * width;
    picked.set(sums.subarray(at, at + width), k * width);
  });
  return { day: wanted, width, sums: picked };
}

/** Percentile interval by circular blocks. Sums over a block are differences of running sums, so a resample costs its blocks. */
function interval(
  n: number,
  settings: SkillSettings,
  tables: readonly DaySums[],
  statistic: (sums: readonly Float64Array[]) => number,
): SkillInterval {
  if (n === 0) return { value: Number.NaN, low: Number.NaN, high: Number.NaN };
  const random = createRandom(settings.seed);
  const blockLength = Math.min(n, settings.blockLength ?? BLOCK_LENGTH_DEFAULT);
  const resampleCount = settings.resampleCount ?? RESAMPLE_COUNT_DEFAULT;
  const level = settings.level ?? 0.95;
  const running = tables.map((table) => runningSums(table, blockLength));
  const sums = tables.map(({ width }) => new Float64Array(width));
  const draws = new Float64Array(resampleCount);
  for (let b = 0; b < resampleCount; b++) {
    for (const sum of sums) sum.fill(0);
    for (let filled = 0; filled < n; filled += blockLength) {
      const start = random.integer(n);
      const end = start + Math.min(blockLength, n - filled);
      running.forEach((table, k) => {
        const sum = sums[k]!;
        for (let j = 0; j < sum.length; j++) sum[j]! += table[end * sum.length + j]! - table[start * sum.length + j]!;
      });
    }
    draws[b] = statistic(sums);
  }
  const used = draws.filter((x) => Number.isFinite(x)).sort();
  const whole = tables.map(({ width }, k) => running[k]!.slice(n * width, (n + 1) * width));
  return {
    value: statistic(whole),
    low: sortedQuantile(used, (1 - level) / 2),
    high: sortedQuantile(used, (1 + level) / 2),
  };
}

/** Sums of the days before each place, running on past the end by one block. */
function runningSums({ day, width, sums }: DaySums, blockLength: number): Float64Array {
  const n = day.length;
  const running = new Float64Array((n + blockLength + 1) * width);
  for (let at = 0; at < n + blockLength; at++)
    for (let j = 0; j < width; j++)
      running[(at + 1) * width + j] = running[at * width + j]! + sums[(at % n) * width + j]!;
  return running;
}
