import { createAdwin } from '@touchstone/quant/evaluation/drift/adwin';
import { limitWithinBudget } from '@touchstone/quant/evaluation/drift/alarm-budget';
import { effectsOnPredictions } from '@touchstone/quant/evaluation/drift/effect-on-predictions';
import { estimatePerformance } from '@touchstone/quant/evaluation/drift/estimated-performance';
import { outputDistances } from '@touchstone/quant/evaluation/drift/output-distribution';
import { type LossReference, performanceDrift } from '@touchstone/quant/evaluation/drift/performance-drift';
import {
  DELIVERY_ROWS,
  findPlainFaults,
  findWitnessedFault,
  type PipelineFinding,
} from '@touchstone/quant/evaluation/drift/pipeline-faults';
import { SHIFT_WINDOW, shiftStatistics } from '@touchstone/quant/evaluation/drift/shift-statistics';
import {
  alarmsPerFeature,
  calibrateMonitor,
  MONITOR_SETTINGS,
  readShifts,
} from '@touchstone/quant/evaluation/drift/watch-feature';
import type { Inputs } from '@touchstone/quant/learn/examples';
import { forecastRows } from '@touchstone/quant/learn/forecaster/forecast-rows';
import type { Forecaster } from '@touchstone/quant/learn/forecaster/forecaster';
import { loadForecaster } from '@touchstone/quant/learn/forecaster/save-forecaster';
import { createRandom } from '@touchstone/quant/random/random';

/** Features of one instrument, one row a bar, row-major; NaN where missing. */
export type MemberFeatures = { instrumentId: number; days: Int32Array; values: Float64Array };

export type DriftJob = {
  artefact: Uint8Array;
  members: readonly MemberFeatures[];
  /** The newest day of inputs of predictions as they were sealed, oldest first. */
  served: readonly MemberFeatures[];
  live: LiveLosses;
  /** False alarms a year, all features and outputs together. */
  alarmsPerYear: number;
  seed: number;
};

/** Of predictions whose outcome is known, one value a day, oldest first. */
export type LiveLosses = {
  metric: string;
  losses: Float64Array;
  /** Loss minus that of the baseline. */
  overBaseline: Float64Array;
  /** What the loss was at training time; null: the manifest does not tell it in this metric. */
  reference: LossReference | null;
};

export type RawFinding = {
  area: 'pipeline' | 'feature' | 'prediction' | 'performance';
  rule: PipelineFinding['rule'] | 'level' | 'step' | 'spread' | 'distribution' | 'loss' | 'estimated_loss' | 'stream';
  /** Position of the feature; null: the output. */
  feature: number | null;
  instrumentId: number | null;
  instrumentCount: number;
  sampleCount: number;
  statistic: number | null;
  threshold: number | null;
  alarm: boolean;
  alarmsPerYear: number | null;
  effect: number | null;
  /** What the figures are about, for the sentence. */
  about: 'values' | 'second_computation' | 'own_past' | 'baseline' | 'output';
  reason: { code: 'too_little_history' | 'not_known_yet' | 'not_defined'; sentence: string } | null;
};

/** A day counts when this share of the members has a value. */
const PRESENT_SHARE = 0.5;
/** Rows the model is asked for: enough for a mean, few for an ensemble. */
const EFFECT_ROWS = 240;
const OUTPUT_MEMBERS = 8;
const OUTPUT_SESSIONS = 900;
/** The outputs and how hard the questions are share the budget with the features. */
const OUTPUT_SERIES = 2;

/**
 * Everything that is looked at in one check.
 *
 * @public Called by its name from another thread.
 */
export function runDrift(job: DriftJob): RawFinding[] {
  const forecaster = loadForecaster(job.artefact);
  const budget = alarmsPerFeature(job.alarmsPerYear, forecaster.features.length + OUTPUT_SERIES);
  const random = createRandom(job.seed);
  const effects = effectsOf(forecaster, job.members);
  const findings: RawFinding[] = [];
  for (const [feature, { name }] of forecaster.features.entries()) {
    const effect = effects.get(feature) ?? null;
    findings.push(...pipelineFindings(job, feature, forecaster.features.length, effect));
    const series = crossSection(job.members, feature, forecaster.features.length);
    const seed = random.split(name);
    findings.push(...shiftFindings(series, budget, seed, { feature, effect, instrumentCount: job.members.length }));
  }
  findings.push(...outputFindings(forecaster, job.members, budget, random.split('outputs')));
  findings.push(...performanceFindings(job.live, forecaster.horizonDays));
  return findings;
}

const QUIET = { instrumentId: null, alarmsPerYear: null } as const;

/** Per instrument, told once a rule: which one, when it is one. */
function pipelineFindings(
  { members, served }: DriftJob,
  feature: number,
  width: number,
  effect: number | null,
): RawFinding[] {
  const worst = new Map<string, { finding: PipelineFinding; instruments: number[] }>();
  const tell = (instrumentId: number, finding: PipelineFinding) => {
    const key = `${finding.rule}/${finding.isWitnessed}`;
    const known = worst.get(key);
    if (known === undefined) worst.set(key, { finding, instruments: finding.alarm ? [instrumentId] : [] });
    else {
      if (finding.alarm) known.instruments.push(instrumentId);
      const isWorse = finding.statistic - finding.limit > known.finding.statistic - known.finding.limit;
      if (finding.alarm === known.finding.alarm ? isWorse : finding.alarm) known.finding = finding;
    }
  };
  const columns = new Map(
    members.map((member) => [member.instrumentId, { member, values: column(member, feature, width) }]),
  );
  for (const [instrumentId, { values }] of columns)
    for (const finding of findPlainFaults(values)) tell(instrumentId, finding);
  let compared = 0;
  for (const one of served) {
    const known = columns.get(one.instrumentId);
    if (known === undefined) continue;
    const rowOf = new Map(Array.from(known.member.days, (day, row) => [day, row]));
    const rows = Array.from(one.days, (day) => rowOf.get(day));
    const delivered = column(one, feature, width);
    const witness = Float64Array.from(rows, (row) => (row === undefined ? Number.NaN : known.values[row]!));
    if (delivered.length < 3) continue;
    compared += 1;
    const last = DELIVERY_ROWS;
    const fault = findWitnessedFault(delivered.slice(-last), witness.slice(-last), spreadOf(known.values));
    if (fault !== null) tell(one.instrumentId, fault);
  }
  const told = Array.from(
    worst.values(),
    ({ finding, instruments }): RawFinding => ({
      ...{ area: 'pipeline', rule: finding.rule, feature, sampleCount: DELIVERY_ROWS, effect, alarmsPerYear: null },
      instrumentId: instruments.length === 1 ? instruments[0]! : null,
      instrumentCount: finding.isWitnessed ? compared : members.length,
      ...{ statistic: finding.statistic, threshold: finding.limit, alarm: finding.alarm, reason: null },
      about: finding.isWitnessed ? 'second_computation' : 'values',
    }),
  );
  if (compared > 0) return told;
  const sentence = 'No three predictions of one instrument are on record, to hold their inputs against the bars.';
  return [
    ...told,
    {
      ...{ ...QUIET, area: 'pipeline', rule: 'other_value', feature, instrumentCount: 0, sampleCount: 0, effect: null },
      ...{ statistic: null, threshold: null, alarm: false, about: 'second_computation' },
      reason: { code: 'not_known_yet', sentence },
    },
  ];
}

function shiftFindings(
  series: Float64Array,
  alarmsPerYear: number,
  random: ReturnType<typeof createRandom>,
  of: { feature: number | null; effect: number | null; instrumentCount: number },
): RawFinding[] {
  const shared = {
    ...{ ...QUIET, ...of, sampleCount: SHIFT_WINDOW, about: 'own_past' as const },
    area: of.feature === null ? ('prediction' as const) : ('feature' as const),
  };
  const statistics = shiftStatistics(series);
  const before = series.length - SHIFT_WINDOW;
  const past = {
    level: statistics.level.subarray(0, Math.max(0, before)),
    step: statistics.step.subarray(0, Math.max(0, before)),
    spread: statistics.spread.subarray(0, Math.max(0, before)),
  };
  const settings = { ...MONITOR_SETTINGS, alarmsPerYear };
  const monitor = calibrateMonitor(series.subarray(0, Math.max(0, before)), settings, random, past);
  const readings = readShifts(statistics, series.length - 1, monitor);
  if (readings.length === 0) {
    const sentence = `Needs about 550 sessions of its own past; ${series.length} are known.`;
    return [
      {
        ...{ ...shared, rule: 'level', statistic: null, threshold: null, alarm: false },
        reason: { code: 'too_little_history', sentence },
      },
    ];
  }
  return readings.map(({ rule, statistic, limit, alarm }) => ({
    ...{ ...shared, rule, statistic, threshold: limit, alarm, reason: null },
    alarmsPerYear: monitor.alarmsPerYear[rule],
  }));
}

/** What the model would have said of each past day, and how that has moved. */
function outputFindings(
  forecaster: Forecaster,
  members: readonly MemberFeatures[],
  budget: number,
  random: ReturnType<typeof createRandom>,
): RawFinding[] {
  const picked = pick(members, OUTPUT_MEMBERS);
  const outputs = new Map<number, number[]>();
  for (const member of picked) {
    const rows = lastRows(member.days.length, forecaster.stepCount, OUTPUT_SESSIONS);
    const values = predictionsOf(forecaster, windowsOf(forecaster, member, rows));
    rows.forEach((row, k) => {
      const day = member.days[row]!;
      outputs.set(day, [...(outputs.get(day) ?? []), values[k]!]);
    });
  }
  const days = [...outputs.keys()].sort((a, b) => a - b);
  const byDay = days.map((day) => Float64Array.from(outputs.get(day)!));
  const means = Float64Array.from(byDay, meanOf);
  const effect = finite(meanOf(means.slice(-SHIFT_WINDOW)) - meanOf(means.slice(0, -SHIFT_WINDOW)));
  const distances = outputDistances(byDay);
  const past = distances.subarray(0, Math.max(0, distances.length - SHIFT_WINDOW));
  const limit = limitWithinBudget(
    past,
    { ...MONITOR_SETTINGS, alarmsPerYear: budget, quietRows: SHIFT_WINDOW },
    random.split('distribution'),
  );
  const statistic = distances.at(-1) ?? Number.NaN;
  const isKnown = Number.isFinite(statistic) && Number.isFinite(limit);
  const shared = { ...QUIET, feature: null, instrumentCount: picked.length, sampleCount: SHIFT_WINDOW };
  const distribution: RawFinding = {
    ...{ ...shared, area: 'prediction', rule: 'distribution', about: 'output', effect, alarmsPerYear: budget },
    ...{ statistic: isKnown ? statistic : null, threshold: isKnown ? limit : null },
    alarm: isKnown && statistic > limit,
    reason: isKnown
      ? null
      : { code: 'too_little_history', sentence: `Needs about 550 sessions of outputs; ${days.length} are known.` },
  };
  if (forecaster.goal !== 'binary') return [distribution];
  const expected = Float64Array.from(byDay, (day) => estimatePerformance(day).brier);
  const estimated = shiftFindings(expected, budget, random.split('estimated'), {
    ...{ feature: null, effect: null, instrumentCount: picked.length },
  })
    .filter(({ rule }) => rule === 'level')
    .map((finding): RawFinding => ({ ...finding, area: 'performance', rule: 'estimated_loss', about: 'output' }));
  return [distribution, ...estimated];
}

function performanceFindings({ losses, overBaseline, reference }: LiveLosses, horizonDays: number): RawFinding[] {
  const horizon = Math.max(1, horizonDays);
  const shared = { ...QUIET, area: 'performance' as const, feature: null, instrumentCount: 0, effect: null };
  const told = (of: LossReference, live: Float64Array, about: RawFinding['about']): RawFinding => {
    const drift = performanceDrift(of, live, { horizon });
    const isKnown = drift.status === 'ok';
    return {
      ...{ ...shared, rule: 'loss', about, sampleCount: live.length },
      ...{ statistic: isKnown ? drift.statistic : null, threshold: isKnown ? 1 : null },
      alarm: isKnown && drift.alarm,
      effect: isKnown ? drift.excess : null,
      reason: isKnown ? null : { code: 'not_known_yet', sentence: `Of live losses ${drift.reason}.` },
    };
  };
  const findings: RawFinding[] = [];
  if (reference !== null) findings.push(told(reference, losses, 'own_past'));
  findings.push(told({ mean: 0, standardError: 0, longRunDeviation: null }, overBaseline, 'baseline'));

  // One value a horizon: outcomes of neighbouring days share their days.
  const window = createAdwin({ delta: 0.002 });
  const stream = losses.filter((_, t) => t % horizon === 0);
  let changedAt = -1;
  stream.forEach((loss, t) => {
    const before = window.mean();
    if (window.add(loss) && window.mean() > before) changedAt = t;
  });
  const recent = Math.ceil(SHIFT_WINDOW / horizon);
  const isKnown = stream.length >= 32;
  findings.push({
    ...{ ...shared, rule: 'stream', about: 'own_past', sampleCount: stream.length },
    ...{ statistic: isKnown ? (changedAt < 0 ? 0 : 1) : null, threshold: isKnown ? 0.5 : null },
    alarm: isKnown && changedAt >= stream.length - recent,
    reason: isKnown
      ? null
      : {
          code: 'not_known_yet',
          sentence: `Needs 32 outcomes that share no day; ${stream.length} are known.`,
        },
  });
  return findings;
}

/** What the move of each feature did to the predictions of the last sessions. */
function effectsOf(forecaster: Forecaster, members: readonly MemberFeatures[]): Map<number, number | null> {
  const recent: Inputs[] = [];
  const past: Inputs[] = [];
  const each = Math.max(1, Math.floor(EFFECT_ROWS / Math.max(1, members.length)));
  for (const member of pick(members, EFFECT_ROWS)) {
    const rows = lastRows(member.days.length, forecaster.stepCount, member.days.length);
    recent.push(windowsOf(forecaster, member, pick(rows.slice(-SHIFT_WINDOW), each)));
    past.push(windowsOf(forecaster, member, pick(rows.slice(0, -SHIFT_WINDOW), each)));
  }
  const [now, then] = [joined(forecaster, recent), joined(forecaster, past)];
  if (now.rowCount === 0 || then.rowCount === 0) return new Map();
  const effects = effectsOnPredictions(now, then, (inputs) => predictionsOf(forecaster, inputs));
  return new Map(effects.map(({ feature, effect }) => [feature, finite(effect)]));
}

function predictionsOf(forecaster: Forecaster, inputs: Inputs): Float64Array {
  // What it leans to counts, also where it would not say it.
  return Float64Array.from(forecastRows(forecaster, inputs), ({ value }) => value ?? Number.NaN);
}

function windowsOf({ stepCount, features }: Forecaster, member: MemberFeatures, rows: readonly number[]): Inputs {
  const width = features.length;
  const values = new Float64Array(rows.length * stepCount * width);
  rows.forEach((row, k) => {
    values.set(member.values.subarray((row - stepCount + 1) * width, (row + 1) * width), k * stepCount * width);
  });
  return { rowCount: rows.length, stepCount, featureCount: width, values };
}

function joined({ stepCount, features }: Forecaster, parts: readonly Inputs[]): Inputs {
  const values = new Float64Array(parts.reduce((sum, part) => sum + part.values.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    at += part.values.length;
  }
  const width = features.length;
  return { rowCount: values.length / (stepCount * width), stepCount, featureCount: width, values };
}

/** Rows that have all their days before them, the last `most`. */
function lastRows(rowCount: number, stepCount: number, most: number): number[] {
  const first = Math.max(stepCount - 1, rowCount - most);
  return Array.from({ length: Math.max(0, rowCount - first) }, (_, k) => first + k);
}

/** At most so many, evenly spread. */
function pick<T>(from: readonly T[], most: number): T[] {
  if (from.length <= most) return [...from];
  return Array.from({ length: most }, (_, k) => from[Math.floor((k * from.length) / most)]!);
}

/**
 * Mean of a feature over the members, one value a day. Each member counts as its distance from its own past mean, so that one
 * that is missing today does not move the others.
 */
function crossSection(members: readonly MemberFeatures[], feature: number, width: number): Float64Array {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const member of members) {
    const values = column(member, feature, width);
    const center = meanOf(values.subarray(0, Math.max(1, values.length - SHIFT_WINDOW)));
    member.days.forEach((day, row) => {
      const known = sums.get(day) ?? { sum: 0, count: 0 };
      sums.set(day, known);
      const away = values[row]! - center;
      if (Number.isNaN(away)) return;
      known.sum += away;
      known.count += 1;
    });
  }
  return Float64Array.from(
    [...sums.entries()].sort(([a], [b]) => a - b),
    ([, { sum, count }]) => (count >= PRESENT_SHARE * members.length ? sum / count : Number.NaN),
  );
}

function column({ values }: MemberFeatures, feature: number, width: number): Float64Array {
  return Float64Array.from({ length: values.length / width }, (_, row) => values[row * width + feature]!);
}

function spreadOf(values: Float64Array): number {
  const used = values.filter(Number.isFinite);
  const center = meanOf(used);
  return Math.sqrt(meanOf(used.map((x) => (x - center) ** 2))) || 1;
}

function meanOf(values: Float64Array): number {
  let [sum, count] = [0, 0];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count += 1;
  }
  return count === 0 ? Number.NaN : sum / count;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
