import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { countAlarms, SESSIONS_PER_YEAR } from '../src/evaluation/drift/alarm-budget.ts';
import {
  injectFault,
  injectShift,
  PIPELINE_FAULTS,
  type PipelineFault,
  SHIFT_SIZES,
  WINDOW_ROWS,
} from '../src/evaluation/drift/drift-injector.ts';
import { findPlainFaults, findWitnessedFault } from '../src/evaluation/drift/pipeline-faults.ts';
import { SHIFT_RULES, type ShiftRule, shiftStatistics } from '../src/evaluation/drift/shift-statistics.ts';
import {
  calibrateMonitor,
  type FeatureMonitor,
  MONITOR_SETTINGS,
  readShifts,
} from '../src/evaluation/drift/watch-feature.ts';
import { runIndicator } from '../src/indicators/indicator.ts';
import { rocp, rsi } from '../src/indicators/momentum.ts';
import { createRandom, type Random } from '../src/random/random.ts';
import { dayNumber } from '../src/series/day.ts';
import { wilson } from '../src/stats/binomial-interval.ts';
import { blockBootstrap } from '../src/stats/block-bootstrap.ts';
import { type IndexBars, readIndexBars } from './_index-bars.ts';
import type { StudyResult } from './quality-court.ts';

const FILE = 'indices_etfs/sp500_index_daily_1950_2022.csv.gz';
/** Settings were tuned on the first span, in which nothing of the second was looked at; the second is judged, once. */
export const SPANS = {
  tuning: { first: '1965-01-04', last: '1989-12-29' },
  judged: { first: '1990-01-02', last: '2021-12-31' },
} as const;
/** Settings that were compared on the tuning span; none on the judged one. */
const VARIANTS_TRIED = 8;
/** Limits are set anew after so many sessions, from everything before. */
const CALIBRATE_EVERY = SESSIONS_PER_YEAR;
const SHIFT_PLANTS = 250;
const FAULT_PLANTS = 60;
const SEED = 20_263;
const BOOTSTRAP = { blockLength: 63, resampleCount: 1000 } as const;
/** Bars the second computation of a feature reads. */
const WITNESS_ROWS = 300;
const TARGETS = { alarmsPerYear: 1, faults: 0.95, power: 0.8 } as const;

type Feature = {
  name: string;
  kind: keyof typeof SHIFT_SIZES;
  /** As it is served: by the indicators of the catalogue, bar by bar. */
  served: Float64Array;
  /** The same number of one session by another way, from the closes up to it. */
  witness(row: number): number;
};

function featuresOf({ close, open, high, low, volume }: IndexBars): Feature[] {
  const n = close.length;
  const bars = { open, high, low, close, volume };
  const missing = () => new Float64Array(n).fill(Number.NaN);
  const [returns, volatility] = [missing(), missing()];
  for (let t = 1; t < n; t++) returns[t] = Math.log(close[t]! / close[t - 1]!);
  for (let t = 21; t < n; t++) {
    // Sums of squares, as a stream keeps them; the witness goes over the deviations.
    let [sum, squares] = [0, 0];
    for (let k = t - 20; k <= t; k++) {
      sum += returns[k]!;
      squares += returns[k]! ** 2;
    }
    volatility[t] = 0.5 * Math.log((squares - (sum * sum) / 21) / 20);
  }
  const logReturn = (t: number) => Math.log(close[t]!) - Math.log(close[t - 1]!);
  return [
    { name: 'return', kind: 'memoryless', served: returns, witness: logReturn },
    {
      name: 'momentum 21',
      kind: 'persistent',
      served: runIndicator(rocp.make({ period: 21 }), bars)[0]!,
      witness: (t) => {
        let sum = 0;
        for (let k = t - 20; k <= t; k++) sum += logReturn(k);
        return Math.expm1(sum);
      },
    },
    {
      name: 'log volatility 21',
      kind: 'persistent',
      served: volatility,
      witness: (t) => {
        const window = Array.from({ length: 21 }, (_, k) => logReturn(t - k));
        const mean = window.reduce((a, b) => a + b) / 21;
        return Math.log(Math.sqrt(window.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 20));
      },
    },
    {
      name: 'RSI 14',
      kind: 'persistent',
      served: runIndicator(rsi.make({ period: 14 }), bars)[0]!,
      witness: (t) => {
        let [gain, loss] = [0, 0];
        for (let k = t - WITNESS_ROWS + 1; k <= t; k++) {
          const weight = (13 / 14) ** (t - k);
          const change = close[k]! - close[k - 1]!;
          gain += weight * Math.max(change, 0);
          loss += weight * Math.max(-change, 0);
        }
        return 100 - 100 / (1 + gain / loss);
      },
    },
  ];
}

type Verdict = {
  feature: string;
  years: number;
  alarms: number;
  alarmsPerYear: number;
  interval: [number, number];
  byRule: Record<ShiftRule | 'plain' | 'witness', number>;
  alarmDaysPerYear: number;
  faults: { planted: number; found: number; named: number; foundByValuesAlone: Record<PipelineFault, number> };
  shifts: { planted: number; found: number; byRule: Record<ShiftRule, number>; redrawn: number };
  limits: Record<string, string>;
};

/** Everything of one feature over one span. */
function judge(feature: Feature, from: number, to: number, random: Random): Verdict {
  const { served } = feature;
  const statistics = shiftStatistics(served);
  const monitors: FeatureMonitor[] = [];
  for (let start = from; start < to; start += CALIBRATE_EVERY) {
    const past = served.subarray(0, start);
    const before = Object.fromEntries(SHIFT_RULES.map((rule) => [rule, statistics[rule].subarray(0, start)]));
    monitors.push(
      calibrateMonitor(past, MONITOR_SETTINGS, random.split(`limits ${start}`), {
        level: before.level!,
        step: before.step!,
        spread: before.spread!,
      }),
    );
  }
  const monitorAt = (row: number) => monitors[Math.floor((row - from) / CALIBRATE_EVERY)]!;
  const witnessOf = (row: number) =>
    Float64Array.from({ length: WINDOW_ROWS }, (_, k) => feature.witness(row - WINDOW_ROWS + 1 + k));
  const scale = deviation(served.subarray(0, from));

  const called = { level: [], step: [], spread: [], plain: [], witness: [] } as Record<
    ShiftRule | 'plain' | 'witness',
    number[]
  >;
  const isCalled = new Float64Array(to - from);
  for (let row = from; row < to; row++) {
    const call = (rule: keyof typeof called) => {
      called[rule].push(row);
      isCalled[row - from] = 1;
    };
    for (const { rule, alarm } of readShifts(statistics, row, monitorAt(row))) if (alarm) call(rule);
    if (findPlainFaults(served.subarray(0, row + 1)).some(({ alarm }) => alarm)) call('plain');
    const delivered = served.subarray(row - WINDOW_ROWS + 1, row + 1);
    if (findWitnessedFault(delivered, witnessOf(row), scale) !== null) call('witness');
  }
  const years = (to - from) / SESSIONS_PER_YEAR;
  const alarms = countAlarms(isCalled, 0.5, WINDOW_ROWS);
  const starts = startsOf(isCalled);
  const { low, high } = blockBootstrap(
    to - from,
    (rows) => {
      let count = 0;
      for (const row of rows) count += starts[row]!;
      return count / years;
    },
    { random: random.split('bootstrap'), ...BOOTSTRAP },
  );

  const faults = plantFaults(feature, from, to, witnessOf, scale, random.split('faults'));
  const shifts = plantShifts(feature, from, to, statistics, monitorAt, random.split('shifts'));
  const ends = [monitors[0]!, monitors.at(-1)!].map(({ limits }) => limits);
  return {
    ...{ feature: feature.name, years, alarms, alarmsPerYear: alarms / years, interval: [low, high] },
    byRule: {
      level: called.level.length / years,
      step: called.step.length / years,
      spread: called.spread.length / years,
      plain: called.plain.length / years,
      witness: called.witness.length / years,
    },
    alarmDaysPerYear: isCalled.reduce((a, b) => a + b, 0) / years,
    ...{ faults, shifts },
    limits: Object.fromEntries(
      SHIFT_RULES.map((rule) => [rule, ends.map((limits) => limits[rule].toFixed(2)).join(' to ')]),
    ),
  };
}

/** (a) Each fault at random sessions; the run after the first broken bar must tell. */
function plantFaults(
  { served }: Feature,
  from: number,
  to: number,
  witnessOf: (row: number) => Float64Array,
  scale: number,
  random: Random,
): Verdict['faults'] {
  const told = { planted: 0, found: 0, named: 0 };
  const foundByValuesAlone = { scale: 0, sign: 0, constant: 0, lag: 0, missing: 0 };
  for (const fault of PIPELINE_FAULTS) {
    for (let k = 0; k < FAULT_PLANTS; ) {
      const row = from + random.integer(to - from);
      const broken = injectFault(served.subarray(0, row + 1), row, fault, random);
      // A flat day is the same late, standing still or with its sign turned: nothing is broken yet.
      if (broken[row] === served[row]) continue;
      k += 1;
      told.planted += 1;
      const plain = findPlainFaults(broken).filter(({ alarm }) => alarm);
      const witnessed = findWitnessedFault(broken.subarray(row - WINDOW_ROWS + 1), witnessOf(row), scale);
      if (plain.length > 0) foundByValuesAlone[fault] += 1 / FAULT_PLANTS;
      if (plain.length > 0 || witnessed !== null) told.found += 1;
      // On its first day a late value is the one that stood still.
      if (witnessed?.rule === (fault === 'lag' ? 'constant' : fault)) told.named += 1;
    }
  }
  return { ...told, foundByValuesAlone };
}

/** (b) Shifts of 21 sessions; the run after the last of them must tell, where it says nothing of the sessions as they were. */
function plantShifts(
  { served, kind }: Feature,
  from: number,
  to: number,
  statistics: ReturnType<typeof shiftStatistics>,
  monitorAt: (row: number) => FeatureMonitor,
  random: Random,
): Verdict['shifts'] {
  const byRule = { level: 0, step: 0, spread: 0 };
  let [planted, found, redrawn] = [0, 0, 0];
  while (planted < SHIFT_PLANTS) {
    const row = from + random.integer(to - from - WINDOW_ROWS);
    const end = row + WINDOW_ROWS - 1;
    const monitor = monitorAt(end);
    if (readShifts(statistics, end, monitor).some(({ alarm }) => alarm)) {
      redrawn += 1;
      continue;
    }
    planted += 1;
    const moved = shiftStatistics(injectShift(served, row, SHIFT_SIZES[kind]).subarray(0, end + 1));
    const alarms = readShifts(moved, end, monitor).filter(({ alarm }) => alarm);
    for (const { rule } of alarms) byRule[rule] += 1 / SHIFT_PLANTS;
    if (alarms.length > 0) found += 1;
  }
  return { planted, found, byRule, redrawn };
}

function startsOf(isCalled: Float64Array): Uint8Array {
  const starts = new Uint8Array(isCalled.length);
  for (let t = 0; t < isCalled.length; t++) {
    if (isCalled[t] === 0) continue;
    starts[t] = 1;
    t += WINDOW_ROWS - 1;
  }
  return starts;
}

function deviation(values: Float64Array): number {
  const used = values.filter(Number.isFinite);
  const mean = used.reduce((a, b) => a + b, 0) / used.length;
  return Math.sqrt(used.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (used.length - 1));
}

export function run(): StudyResult[] {
  return runOver('judged');
}

export function runOver(name: keyof typeof SPANS): StudyResult[] {
  const bars = readIndexBars(FILE);
  const span = SPANS[name];
  const from = bars.day.findIndex((day) => day >= dayNumber(span.first));
  const to = bars.day.findLastIndex((day) => day <= dayNumber(span.last)) + 1;
  const random = createRandom(SEED);
  const verdicts = featuresOf(bars).map((feature) => judge(feature, from, to, random.split(feature.name)));
  const shared = {
    input: { files: FILE, sha256: bars.sha256, rows: to - from, ...span },
    settings: {
      ...{ monitor: MONITOR_SETTINGS, calibrateEvery: CALIBRATE_EVERY, seed: SEED },
      tuning: { ...SPANS.tuning, variantsTried: VARIANTS_TRIED },
      ...{ shiftPlants: SHIFT_PLANTS, faultPlants: FAULT_PLANTS, codeHash: codeHash() },
    },
    trials: 1,
    detail: Object.fromEntries(verdicts.map((verdict) => [verdict.feature, verdict])),
  };
  const result = (
    what: string,
    figure: number,
    unit: string,
    interval: [number, number],
    target: number,
    isFloor: boolean,
  ): StudyResult => {
    const met = isFloor ? figure >= target : figure <= target;
    const verdict = met ? ('met' as const) : ('not met' as const);
    const goal = `${isFloor ? '>=' : '<='} ${target}`;
    return { name: `drift ${what}`, figure, unit, interval, target, verdict, goal, met, ...shared };
  };
  const results: StudyResult[] = [];
  for (const { feature, alarmsPerYear, interval } of verdicts)
    results.push(result(`false alarms, ${feature}`, alarmsPerYear, 'a year', interval, TARGETS.alarmsPerYear, false));
  const [found, planted] = [sumOf(verdicts, 'found'), sumOf(verdicts, 'planted')];
  const ofFaults = wilson(found, planted);
  results.push(
    result('(a) faults found at once', found / planted, 'share', [ofFaults.low, ofFaults.high], TARGETS.faults, true),
  );
  for (const { feature, shifts } of verdicts) {
    const { low, high } = wilson(shifts.found, shifts.planted);
    const share = shifts.found / shifts.planted;
    results.push(result(`(b) power, ${feature}`, share, 'share', [low, high], TARGETS.power, true));
  }
  print(verdicts, results);
  return results;
}

function sumOf(verdicts: readonly Verdict[], what: 'found' | 'planted'): number {
  return verdicts.reduce((sum, { faults }) => sum + faults[what], 0);
}

function codeHash(): string {
  const hash = createHash('sha256');
  const folder = join(import.meta.dirname, '../src/evaluation/drift');
  for (const name of readdirSync(folder).sort())
    if (!name.endsWith('.test.ts')) hash.update(readFileSync(join(folder, name)));
  hash.update(readFileSync(import.meta.filename));
  return hash.digest('hex');
}

function print(verdicts: readonly Verdict[], results: readonly StudyResult[]): void {
  const round = (x: number) => Math.round(1000 * x) / 1000;
  console.table(
    verdicts.map(({ feature, byRule, alarmDaysPerYear, limits }) => ({
      feature,
      ...Object.fromEntries(Object.entries(byRule).map(([rule, days]) => [`${rule} days a year`, round(days)])),
      alarmDaysPerYear: round(alarmDaysPerYear),
      ...limits,
    })),
  );
  console.table(
    verdicts.map(({ feature, faults, shifts }) => ({
      feature,
      faults: `${faults.found}/${faults.planted}, ${faults.named} named`,
      ...Object.fromEntries(
        Object.entries(faults.foundByValuesAlone).map(([fault, share]) => [`${fault}, values alone`, round(share)]),
      ),
      ...Object.fromEntries(Object.entries(shifts.byRule).map(([rule, share]) => [`power of ${rule}`, round(share)])),
      redrawn: shifts.redrawn,
    })),
  );
  for (const { name, figure, interval, goal, verdict } of results)
    console.log(`${name}: ${figure.toFixed(3)} [${interval.map((b) => b.toFixed(3)).join(', ')}], ${goal}: ${verdict}`);
}

if (import.meta.main) run();
