import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkNoLookAhead } from '../evaluation/look-ahead-canary.ts';
import { createRandom } from '../random/random.ts';
import type { Bars } from '../series/bars.ts';
import { clusterRows } from './alarm-clusters.ts';
import { correlationBreaks } from './correlation-break.ts';
import { ANOMALY_SETTINGS, DETECTORS, detectAnomalies } from './detect-anomalies.ts';
import { growIsolationForest, isolationScores, usualDepth } from './isolation-forest.ts';
import { MAD_TO_SD, robustZ } from './robust-z.ts';
import { eventDays, SHOCK_WARM_UP, shockAlarms, shockZ } from './shock-rules.ts';
import { lowestQuietThreshold, tuneAlarms } from './tuned-alarms.ts';

type Golden = {
  forest: {
    rows: number[];
    outliers: number;
    sampleCount: number;
    trees: { feature: number[]; threshold: number[]; left: number[]; right: number[]; rowCount: number[] }[];
    scores: number[];
    scoresOfHundredTrees: number[];
  };
};
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../golden/regimes-golden.json'), 'utf8'),
) as Golden;

const NONE = new Int32Array(0);

function medianOf(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Share of pairs of one outlier and one other that the scores put in the right order. */
function areaUnderCurve(score: ArrayLike<number>, outliers: number): number {
  let right = 0;
  for (let a = 0; a < outliers; a++)
    for (let b = outliers; b < score.length; b++) right += score[a]! > score[b]! ? 1 : score[a] === score[b] ? 0.5 : 0;
  return right / outliers / (score.length - outliers);
}

function market(rowCount: number, seed: number): Bars & { partner: Float64Array } {
  const random = createRandom(seed);
  const common = Float64Array.from({ length: rowCount }, () => 0.008 * random.normal());
  let level = 100;
  const close = common.map((value) => {
    level *= Math.exp(value + 0.006 * random.normal());
    return level;
  });
  return {
    day: Int32Array.from({ length: rowCount }, (_, t) => t),
    ...{ open: close.slice(), high: close.slice(), low: close.slice(), close },
    volume: close.map(() => Math.exp(12 + 0.3 * random.normal())),
    partner: common.map((value) => value + 0.003 * random.normal()),
  };
}

test('a robust z is the distance from the median of the past in its median deviations, the row itself left out', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 8, maxLength: 30 }), (numbers) => {
      const values = Float64Array.from(numbers, (value, k) => value + k / 1000);
      const { z, usual } = robustZ(values, 7, 5);
      for (let t = 0; t < values.length; t++) {
        const past = [...values.slice(Math.max(0, t - 7), t)];
        if (past.length < 5) assert.ok(Number.isNaN(z[t]!));
        else {
          const median = medianOf(past);
          const mad = medianOf(past.map((value) => Math.abs(value - median)));
          assert.ok(Math.abs(usual[t]! - median) < 1e-12);
          assert.ok(Math.abs(z[t]! - (values[t]! - median) / (MAD_TO_SD * mad)) < 1e-9);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('a constant past has no z, and a missing value is neither judged nor remembered', () => {
  assert.ok(robustZ(new Float64Array(30).fill(3), 10).z.every(Number.isNaN));
  const values = Float64Array.from({ length: 20 }, (_, t) => Math.sin(t));
  const holed = Float64Array.of(...values.slice(0, 12), Number.NaN, ...values.slice(12));
  const [whole, other] = [robustZ(values, 8).z, robustZ(holed, 8).z];
  assert.ok(Number.isNaN(other[12]!));
  for (let t = 12; t < 20; t++) assert.equal(other[t + 1], whole[t]);
  assert.throws(() => robustZ(values, 1), /window must be a whole number >= 2/);
});

test('alarms at most ten rows apart are one', () => {
  const marks = new Set([3, 13, 24, 26]);
  assert.deepEqual(
    clusterRows((row) => marks.has(row), 40),
    [
      { first: 3, last: 13 },
      { first: 24, last: 26 },
    ],
  );
});

test('a tuned threshold is quiet on its past, no higher than needed, and never below its floor', () => {
  const random = createRandom(4);
  const score = Float64Array.from({ length: 1500 }, () => Math.abs(random.studentT(3)));
  const limit = lowestQuietThreshold(score, 12, 0.5);
  const clustersAbove = (h: number) => clusterRows((row) => score[row]! > h, score.length).length;
  assert.ok(clustersAbove(limit) <= 12);
  const next = Math.max(...score.filter((value) => value < limit));
  assert.ok(clustersAbove(next) > 12);
  assert.equal(lowestQuietThreshold(score, 12, 1000), 1000);
});

test('the rate that is shown is the rate that was: thresholds of then, clusters so far, years so far', () => {
  const random = createRandom(5);
  const score = Float64Array.from({ length: 2520 }, () => Math.abs(random.studentT(4)));
  const tuning = { perYearMax: 2, rowsPerYear: 252, rowsMin: 252, everyRows: 21, floor: 1 };
  const { threshold, alarm, perYear, years } = tuneAlarms(score, tuning);
  assert.ok(threshold.subarray(0, 252).every(Number.isNaN));
  assert.ok(Math.abs(years - (2520 - 252) / 252) < 1e-12);
  const clusters = clusterRows((row) => alarm[row] === 1, 2520).length;
  assert.ok(Math.abs(perYear.at(-1)! - clusters / years) < 1e-12);
  assert.ok(perYear.at(-1)! <= 3, String(perYear.at(-1)));
  score.forEach((value, t) => {
    assert.equal(alarm[t], value > threshold[t]! ? 1 : 0);
  });
});

test('a shock is held against the volatility before it', () => {
  const random = createRandom(2);
  const logReturn = Float64Array.from({ length: 200 }, () => 0.01 * random.normal());
  logReturn[150] = -0.06;
  const z = shockZ(logReturn);
  let variance = logReturn[0]! ** 2;
  for (let t = 1; t < 150; t++) variance = 0.94 * variance + 0.06 * logReturn[t]! ** 2;
  assert.ok(Math.abs(z[150]! - -0.06 / Math.sqrt(variance)) < 1e-12);
  assert.ok(z.subarray(0, SHOCK_WARM_UP).every(Number.isNaN));
  assert.equal(shockAlarms(logReturn, 'z < -3')[150], 1);
  assert.ok(shockZ(new Float64Array(200)).every(Number.isNaN));
});

test('a day of -4 % and five days of -8 % are events by rule, and the hybrid alarms on both', () => {
  const logReturn = new Float64Array(100);
  logReturn[70] = Math.log(0.96) - 1e-12;
  for (let t = 80; t < 85; t++) logReturn[t] = Math.log(0.92) / 5 - 1e-12;
  const isEvent = eventDays(logReturn);
  assert.deepEqual(
    Array.from(isEvent.keys()).filter((t) => isEvent[t] === 1),
    [70, 84],
  );
  assert.deepEqual(shockAlarms(logReturn, 'hybrid'), isEvent);
  assert.deepEqual(shockAlarms(logReturn, 'event rule'), isEvent);
});

test("on scikit-learn's own trees the scores are scikit-learn's", () => {
  const { rows, trees, sampleCount, scores } = golden.forest;
  const forest = {
    featureCount: 3,
    sampleCount,
    trees: trees.map(({ feature, threshold, left, right, rowCount }) => ({
      feature: Int32Array.from(feature),
      threshold: Float64Array.from(threshold),
      left: Int32Array.from(left),
      right: Int32Array.from(right),
      rowCount: Int32Array.from(rowCount),
    })),
  };
  const own = isolationScores(Float64Array.from(rows), forest);
  scores.forEach((value, row) => {
    assert.ok(Math.abs(own[row]! - value) < 1e-12, `row ${row}: ${own[row]} for ${value}`);
  });
});

test('our own trees tell outliers as well as scikit-learn does, and a seed is a forest', () => {
  const rows = Float64Array.from(golden.forest.rows);
  const forest = growIsolationForest(rows, 3, createRandom(1));
  const own = areaUnderCurve(isolationScores(rows, forest), golden.forest.outliers);
  const theirs = areaUnderCurve(golden.forest.scoresOfHundredTrees, golden.forest.outliers);
  assert.ok(own > theirs - 0.005 && own > 0.99, `${own} beside ${theirs}`);
  assert.deepEqual(growIsolationForest(rows, 3, createRandom(1)), forest);
  const fewer = growIsolationForest(rows, 3, createRandom(1), { treeCount: 5 });
  assert.deepEqual(fewer.trees, forest.trees.slice(0, 5));
  for (const tree of forest.trees) {
    assert.equal(tree.rowCount[0], 256);
    tree.feature.forEach((feature, node) => {
      if (feature < 0) return;
      const [left, right] = [tree.rowCount[tree.left[node]!]!, tree.rowCount[tree.right[node]!]!];
      assert.ok(left > 0 && right > 0 && left + right === tree.rowCount[node]);
    });
  }
});

test('rows that are all alike are one leaf, and what is no forest is refused', () => {
  const alike = growIsolationForest(new Float64Array(20).fill(1), 2, createRandom(1), { treeCount: 3 });
  assert.deepEqual(alike.trees[0]!.feature, Int32Array.of(-1));
  assert.ok(Math.abs(isolationScores(Float64Array.of(5, 5), alike)[0]! - 0.5) < 1e-12);
  assert.ok(Number.isNaN(isolationScores(Float64Array.of(5, Number.NaN), alike)[0]!));
  assert.deepEqual([usualDepth(0), usualDepth(1), usualDepth(2)], [0, 0, 1]);
  assert.throws(() => growIsolationForest(Float64Array.of(1, 2), 2, createRandom(1)), /at least 2 rows/);
  assert.throws(() => growIsolationForest(Float64Array.of(1, Number.NaN), 1, createRandom(1)), /finite/);
});

test('a pair that parts is seen, one that holds together is not', () => {
  const random = createRandom(7);
  const pair = new Float64Array(2 * 800);
  for (let t = 0; t < 800; t++) {
    const common = random.normal();
    pair[2 * t] = common + 0.4 * random.normal();
    pair[2 * t + 1] = (t < 700 ? common : random.normal()) + 0.4 * random.normal();
  }
  const { score, correlation, usual } = correlationBreaks(pair, 2, createRandom(1));
  assert.ok(Math.max(...score.subarray(720, 760)) > 4);
  assert.ok(Math.max(...score.subarray(560, 690)) < 5);
  assert.ok(Math.abs(usual[650]! - 0.86) < 0.06, String(usual[650]));
  assert.ok(Math.abs(correlation[735]!) < 0.6);
  assert.ok(Number.isNaN(score[523]!) && !Number.isNaN(score[524]!));
});

test('a column without movement or with too many holes has no correlation', () => {
  const flat = Float64Array.from({ length: 1200 }, (_, at) => (at % 2 === 0 ? Math.sin(at) : 0));
  assert.ok(correlationBreaks(flat, 2, createRandom(1)).score.every(Number.isNaN));
  const holes = Float64Array.from({ length: 1200 }, (_, at) => (at % 4 === 0 ? Number.NaN : Math.sin(at * at)));
  assert.ok(correlationBreaks(holes, 2, createRandom(1)).correlation.every(Number.isNaN));
  assert.throws(() => correlationBreaks(flat, 1, createRandom(1)), /at least 2 columns/);
});

test('planted anomalies are alarmed by their detector, and each detector keeps to its rate on its past', () => {
  const bars = market(1200, 3);
  const at = 1100;
  for (let t = at; t < 1200; t++) bars.close[t]! *= Math.exp(-0.12);
  bars.volume[at]! *= 40;
  const readings = detectAnomalies(bars, NONE, bars.partner, createRandom(1));
  assert.deepEqual(
    readings.map(({ detector }) => detector),
    [...DETECTORS],
  );
  for (const { detector, alarm, perYear, threshold } of readings) {
    if (detector !== 'correlation') assert.equal(alarm[at], 1, detector);
    assert.ok(perYear[at - 1]! <= ANOMALY_SETTINGS.perYearPromised, `${detector}: ${perYear[at - 1]} a year`);
    assert.ok(threshold[at]! >= ANOMALY_SETTINGS.floor[detector]);
  }
});

test('no detector looks ahead', () => {
  const bars = market(620, 8);
  const { close, volume, partner } = bars;
  const settings = {
    ...ANOMALY_SETTINGS,
    forest: { ...ANOMALY_SETTINGS.forest, treeCount: 10 },
    correlation: { ...ANOMALY_SETTINGS.correlation, pastRows: 252, resampleCount: 20 },
  };
  const verdict = checkNoLookAhead({
    name: 'anomalies',
    input: { close, volume, partner },
    rowCount: 620,
    random: createRandom(4),
    probeRows: [450, 600],
    compute: (columns) => {
      const rowCount = columns.close.length;
      const missing = new Float64Array(rowCount).fill(Number.NaN);
      const input = { day: new Int32Array(rowCount), open: missing, high: missing, low: missing };
      const readings = detectAnomalies({ ...input, ...columns }, NONE, columns.partner, createRandom(1), settings);
      const all = Float64Array.from({ length: rowCount * readings.length * 3 });
      readings.forEach(({ score, threshold, alarm }, k) => {
        for (let t = 0; t < rowCount; t++)
          all.set([score[t]!, threshold[t]!, alarm[t]!], (t * readings.length + k) * 3);
      });
      return all;
    },
  });
  assert.ok(verdict.ok, verdict.ok ? '' : verdict.sentence);
  assert.ok(verdict.isSensitive);
});

test('one bar, no bar, all missing and constant prices say nothing and throw nothing', () => {
  for (const close of [[], [100], new Array<number>(900).fill(100), new Array<number>(900).fill(Number.NaN)]) {
    const column = Float64Array.from(close);
    const missing = column.map(() => Number.NaN);
    const bars = { day: new Int32Array(column.length), open: missing, high: missing, low: missing };
    for (const { alarm, score, detector } of detectAnomalies(
      { ...bars, close: column, volume: missing },
      NONE,
      null,
      createRandom(1),
    )) {
      assert.ok(
        alarm.every((value) => value === 0),
        detector,
      );
      assert.ok(
        score.every((value) => Number.isNaN(value)),
        detector,
      );
    }
  }
});
