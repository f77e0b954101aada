import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { CLUSTER_ROWS, type Cluster, clusterRows } from '../src/anomaly/alarm-clusters.ts';
import { ANOMALY_SETTINGS, detectAnomalies } from '../src/anomaly/detect-anomalies.ts';
import {
  EVENT_DAY,
  EVENT_FIVE_DAYS,
  eventDays,
  SHOCK_DECAY,
  SHOCK_RULES,
  type ShockRule,
  shockAlarms,
} from '../src/anomaly/shock-rules.ts';
import { createRandom } from '../src/random/random.ts';
import { dayNumber, dayText } from '../src/series/day.ts';
import { logReturns } from '../src/series/log-returns.ts';
import { clopperPearson } from '../src/stats/binomial-interval.ts';
import { blockBootstrap } from '../src/stats/block-bootstrap.ts';
import { findDataFile } from './_daily-panel.ts';
import { regimeCodeHash } from './_regime-code.ts';
import type { StudyResult } from './quality-court.ts';

const INDEX_FILE = 'indices_etfs/sp500_index_daily_1950_2022.csv.gz';
const VIX_FILE = 'indices_etfs/vix_daily_1990_2026_pddl.csv';
const SPAN = { first: '1990-01-02', last: '2021-12-31' } as const;
/** Log change of the VIX that labels a day a shock. */
const VIX_CHANGE = 0.3;
const RECALL_TARGET = 18 / 19;
const FALSE_ALARMS_TARGET = 2;
/** The rule that is judged; the others are printed. */
const JUDGED_RULE: ShockRule = 'z < -3';
const DAYS_PER_YEAR = 252;
const BOOTSTRAP = { seed: 20_262, blockLength: 63, resampleCount: 1000 } as const;

type Table = { day: Int32Array; close: Float64Array; volume: Float64Array; path: string };

function readTable(file: string): Table {
  const path = findDataFile(file);
  if (path === undefined) throw new Error(`${file} is not in the data folder; set TOUCHSTONE_DATA`);
  const bytes = readFileSync(path);
  const lines = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1').trim().split('\n');
  const header = lines[0]!.trim().toLowerCase().split(',');
  const rows = lines.slice(1).map((line) => line.trim().split(','));
  const column = (name: string): Float64Array =>
    Float64Array.from(rows, (row) => Number(row[header.indexOf(name)] ?? Number.NaN));
  return {
    day: Int32Array.from(rows, (row) => dayNumber(row[header.indexOf('date')]!)),
    close: column('close'),
    volume: header.includes('volume') ? column('volume') : new Float64Array(rows.length).fill(Number.NaN),
    path,
  };
}

/** Rows of the index within the span, and of each the VIX's log change from its previous close; NaN where the VIX has none. */
function loadSpan(): { index: Table; from: number; to: number; vixChange: Float64Array; vix: Table } {
  const index = readTable(INDEX_FILE);
  const vix = readTable(VIX_FILE);
  const change = new Map<number, number>();
  for (let t = 1; t < vix.day.length; t++) change.set(vix.day[t]!, Math.log(vix.close[t]! / vix.close[t - 1]!));
  const from = index.day.findIndex((day) => day >= dayNumber(SPAN.first));
  const to = index.day.findLastIndex((day) => day <= dayNumber(SPAN.last)) + 1;
  const vixChange = Float64Array.from(index.day.subarray(from, to), (day) => change.get(day) ?? Number.NaN);
  return { index, from, to, vixChange, vix };
}

type Score = {
  events: number;
  /** Alarmed on the first day of the event or the next. */
  found: number;
  /** Alarmed anywhere from the first day of the event to the day after its last. */
  touched: number;
  missedDays: string[];
  falseClusters: number;
  falsePerYear: number;
  alarmDaysPerYear: number;
};

function score(alarm: Uint8Array, events: readonly Cluster[], day: Int32Array): Score {
  const years = alarm.length / DAYS_PER_YEAR;
  const isAlarmed = (first: number, last: number): boolean => alarm.subarray(first, last + 1).includes(1);
  const clusters = clusterRows((row) => alarm[row] === 1, alarm.length);
  const falseClusters = falseOf(clusters, events);
  const missed = events.filter(({ first }) => !isAlarmed(first, first + 1));
  return {
    events: events.length,
    found: events.length - missed.length,
    touched: events.filter(({ first, last }) => isAlarmed(first, last + 1)).length,
    missedDays: missed.map(({ first }) => dayText(day[first]!)),
    falseClusters: falseClusters.length,
    falsePerYear: falseClusters.length / years,
    alarmDaysPerYear: alarm.reduce((sum, value) => sum + value, 0) / years,
  };
}

/** Clusters that touch no event span, nor the day after one. */
function falseOf(clusters: readonly Cluster[], events: readonly Cluster[]): Cluster[] {
  return clusters.filter(({ first, last }) => !events.some((event) => first <= event.last + 1 && last >= event.first));
}

export function run(): StudyResult[] {
  const { index, from, to, vixChange, vix } = loadSpan();
  const logReturn = logReturns(index.close);
  const day = index.day.subarray(from, to);
  const rowCount = to - from;
  const isEventDay = eventDays(logReturn).subarray(from, to);
  const ruleEvents = clusterRows((row) => isEventDay[row] === 1, rowCount);
  const vixEvents = clusterRows((row) => vixChange[row]! >= VIX_CHANGE, rowCount);
  // Alarms of a day need all closes before it, also those before the span.
  const alarms = Object.fromEntries(
    SHOCK_RULES.map((rule) => [rule, shockAlarms(logReturn, rule).subarray(from, to)]),
  ) as Record<ShockRule, Uint8Array>;
  const ruleTest = Object.fromEntries(SHOCK_RULES.map((rule) => [rule, score(alarms[rule], ruleEvents, day)]));
  const detection = Object.fromEntries(
    SHOCK_RULES.map((rule) => {
      const row = score(alarms[rule], vixEvents, day);
      const { low, high } = clopperPearson(row.found, row.events);
      return [rule, { ...row, recallLow: low, recallHigh: high }];
    }),
  );
  const judged = score(alarms[JUDGED_RULE], vixEvents, day);
  const ruleJudged = score(alarms.hybrid, ruleEvents, day);
  const recall = clopperPearson(judged.found, judged.events);
  const ruleRecall = clopperPearson(ruleJudged.found, ruleJudged.events);
  const isFalseStart = new Uint8Array(rowCount);
  for (const { first } of falseOf(
    clusterRows((row) => alarms[JUDGED_RULE][row] === 1, rowCount),
    vixEvents,
  ))
    isFalseStart[first] = 1;
  const falseRate = blockBootstrap(
    rowCount,
    (rows) => {
      let count = 0;
      for (const row of rows) count += isFalseStart[row]!;
      return count / (rows.length / DAYS_PER_YEAR);
    },
    {
      random: createRandom(BOOTSTRAP.seed),
      blockLength: BOOTSTRAP.blockLength,
      resampleCount: BOOTSTRAP.resampleCount,
    },
  );
  const shared = {
    input: { files: `${INDEX_FILE}, ${VIX_FILE}`, sha256: hashOf([index.path, vix.path]), rows: rowCount, ...SPAN },
    settings: {
      decay: SHOCK_DECAY,
      clusterRows: CLUSTER_ROWS,
      eventDay: EVENT_DAY,
      eventFiveDays: EVENT_FIVE_DAYS,
      vixChange: VIX_CHANGE,
      anomaly: ANOMALY_SETTINGS,
      bootstrap: BOOTSTRAP,
      codeHash: regimeCodeHash('shocks', 'anomaly'),
    },
    trials: SHOCK_RULES.length,
    detail: { ruleTest, detection, tuned: tunedRates(index, from, to) },
  };
  const result = (
    name: string,
    figure: number,
    unit: string,
    interval: [number, number],
    target: number,
    isFloor: boolean,
  ): StudyResult => {
    const met = isFloor ? figure >= target - 1e-12 : figure <= target;
    return {
      name: `shocks ${name}`,
      figure,
      unit,
      interval,
      target,
      verdict: met ? 'met' : 'not met',
      goal: `${isFloor ? '>=' : '<='} ${Math.round(1e4 * target) / 1e4}`,
      met,
      ...shared,
    };
  };
  const ofRule = ruleJudged.found / ruleJudged.events;
  const results = [
    result('(a) rule test, hybrid, no claim', ofRule, 'share', [ruleRecall.low, ruleRecall.high], 1, true),
    result('(b) recall, z < -3', judged.found / judged.events, 'share', [recall.low, recall.high], RECALL_TARGET, true),
    result(
      '(b) false alarms, z < -3',
      judged.falsePerYear,
      'a year',
      [falseRate.low, falseRate.high],
      FALSE_ALARMS_TARGET,
      false,
    ),
  ];
  print(results);
  return results;
}

/** Alarm clusters a year of every served detector on the same span, with thresholds from the past only; no label is used. */
function tunedRates(index: Table, from: number, to: number): Record<string, Record<string, number>> {
  const missing = new Float64Array(index.close.length).fill(Number.NaN);
  const bars = { day: index.day, open: missing, high: missing, low: missing, close: index.close, volume: index.volume };
  const readings = detectAnomalies(bars, new Int32Array(0), null, createRandom(BOOTSTRAP.seed).split('detectors'));
  const rows: Record<string, Record<string, number>> = {};
  for (const { detector, alarm, threshold } of readings) {
    const clusters = clusterRows((row) => alarm[from + row] === 1, to - from).length;
    rows[detector] = {
      clusters,
      perYear: Math.round((1e3 * clusters) / ((to - from) / DAYS_PER_YEAR)) / 1e3,
      thresholdFirst: Math.round(1e3 * threshold[from]!) / 1e3,
      thresholdLast: Math.round(1e3 * threshold[to - 1]!) / 1e3,
    };
  }
  return rows;
}

function hashOf(paths: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(readFileSync(path));
  return hash.digest('hex');
}

function print(results: readonly StudyResult[]): void {
  const { detail, settings } = results[0]!;
  for (const name of ['ruleTest', 'detection', 'tuned']) {
    console.log(name);
    console.table(detail[name]);
  }
  for (const { name, figure, interval, goal, verdict } of results)
    console.log(`${name}: ${figure.toFixed(4)} [${interval.map((b) => b.toFixed(4)).join(', ')}], ${goal}: ${verdict}`);
  console.log(`code ${String(settings.codeHash).slice(0, 12)}`);
}

if (import.meta.main) run();
