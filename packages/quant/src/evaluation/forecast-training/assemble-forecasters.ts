import { expect } from '../../checks/expect.ts';
import { fitPlatt } from '../../learn/calibration/platt.ts';
import { bandOf, calibrate, distanceOf } from '../../learn/forecaster/forecast-rows.ts';
import type {
  Abstention,
  ForecastBaseline,
  ForecastCalibration,
  Forecaster,
  ForecastInterval,
} from '../../learn/forecaster/forecaster.ts';
import { findLearner } from '../../learn/learners.ts';
import { stackingWeights } from '../../learn/stacking.ts';
import { normalQuantile } from '../../stats/normal.ts';
import { sortedQuantile } from '../../stats/quantile.ts';
import { areaUnderCurve, type DaySums, daySums, metricInterval } from '../panel-skill.ts';
import type { PanelSplit } from '../panel-splits.ts';
import { type GateVerdict, judge, type Rival } from '../promotion-gate.ts';
import { baselineForecasts, fitBaseline } from '../targets/baselines.ts';
import { type Target, targetNamed } from '../targets/targets.ts';
import { CLIP, modelSpace, type PartResult, partRows, scalerOf, type Walk, walkOf } from './fit-part.ts';
import { type GainAYear, gainAYear } from './money.ts';
import { MISSING_SHARE_MAX, type TrainingTable, windowsOf } from './training-table.ts';

/** What one family came to: its forecasts of every block, and the model that learnt from all. */
export type FamilyParts = {
  family: string;
  learner: string;
  stepCount: number;
  /** Results of the blocks in their order. */
  folds: readonly PartResult[];
  final: PartResult;
};

export type AssembleInput = {
  table: TrainingTable;
  walk: Walk;
  /** `linear` is one of them: the others are held against it. */
  families: readonly FamilyParts[];
  /** Whether a mixture of all is made as well. */
  withEnsemble: boolean;
  /** Trials in the ledger on this data, these included. */
  trialCount: number;
  seed: number;
};

export type Evaluation = {
  metric: Target['metric'];
  verdict: GateVerdict;
  sampleCount: number;
  firstDay: number | null;
  lastDay: number | null;
  /** Share of rows on which it did not keep silent, and the metric on those; null where it never does. */
  coverage: number | null;
  valueWhenActing: number | null;
  /** Share of outcomes inside the interval that was told before; null: the interval is one of frequencies. */
  intervalCoverage: number | null;
  intervalLevel: number | null;
  areaUnderCurve: number | null;
  money: GainAYear | null;
  /** Mixing weights of each block, for a mixture; what came of blocks before. */
  weights: Record<string, number>;
};

export type AssembledForecaster = { family: string; forecaster: Forecaster; evaluation: Evaluation };

export const ENSEMBLE = 'ensemble';
export const LINEAR = 'linear';
const INTERVAL_LEVEL = 0.9;
/** It keeps silent on the least decided quarter. */
const SILENT_SHARE = 0.25;
const BANDS = 10;
/** Sorted values kept of many: enough for any quantile that is asked. */
const KEPT = 1_001;
const NO_ORDER = 0.5;
/** A member below this share is left out: it would cost its time at every forecast. */
const WEIGHT_LEAST = 0.001;

/** Told rows of one block. */
type Block = { split: PanelSplit; rows: Int32Array; train: Int32Array };

/**
 * Joins the parts of a target into forecasters, and judges each on blocks that came after everything it was made of:
 * weights, calibration, silence and intervals of block k come from forecasts of the blocks before k whose outcome was known
 * by its first day. The first block only teaches.
 *
 * @throws RangeError if a part is missing or does not belong to the table.
 */
export function assembleForecasters(input: AssembleInput): AssembledForecaster[] {
  const { table, walk, families } = input;
  const target = targetNamed(table.target);
  expect(
    families.some(({ family }) => family === LINEAR),
    'the linear model must be among the families: the others are held against it',
  );
  const blocks = walkOf(table, walk).map((split, fold): Block => {
    const { train, test } = partRows(table, walk, fold);
    return { split, rows: test, train };
  });
  const told = families.map((parts) => forecastsOf(parts, blocks));
  const rivals = rivalsOf(target, table, blocks);
  const candidates = families.map((_, own) => ({ family: families[own]!.family, own: [own] }));
  if (input.withEnsemble && families.length > 1)
    candidates.push({ family: ENSEMBLE, own: Array.from(families.keys()) });
  let linear: Rival | null = null;
  return candidates.map(({ family, own }) => {
    const members = own.map((k) => told[k]!);
    const walked = walkCandidate(target, table, blocks, members);
    const sums = daySums(target.metric, walked);
    if (family === LINEAR) linear = { name: 'the linear model', sums };
    const baselines = family === LINEAR || linear === null ? rivals : [...rivals, linear];
    const evaluation = evaluate(input, target, walked, sums, baselines);
    const fitted = fitJoint(target, table, blocks, members, null);
    evaluation.weights = Object.fromEntries(own.map((k, i) => [families[k]!.family, fitted.weights[i]!]));
    return { family, forecaster: forecasterOf(input, target, own, fitted), evaluation };
  });
}

/** Forecasts of every block, in the rows of the block. */
function forecastsOf({ family, folds }: FamilyParts, blocks: readonly Block[]): Float64Array[] {
  expect(folds.length === blocks.length, `${family} must have ${blocks.length} blocks, had ${folds.length}`);
  return folds.map((result, k) => {
    expect(
      result.kind === 'forecasts' &&
        result.rows.length === blocks[k]!.rows.length &&
        result.rows.every((row, i) => row === blocks[k]!.rows[i]),
      `${family} must tell the rows of block ${k}`,
    );
    return result.forecast;
  });
}

/** What is fitted on forecasts and their outcomes: mixture, calibration, silence, interval. */
type Joint = {
  weights: Float64Array;
  calibration: ForecastCalibration;
  abstention: Abstention | null;
  interval: ForecastInterval | null;
  /** Undecided value of probabilities: the base rate. */
  center: number;
};

/** @param before Uses only blocks before this one, and outcomes known on its first day; null: all of them. */
function fitJoint(
  target: Target,
  table: TrainingTable,
  blocks: readonly Block[],
  members: readonly Float64Array[][],
  before: number | null,
): Joint {
  const used = before === null ? blocks : blocks.slice(0, before);
  const by = before === null ? Number.POSITIVE_INFINITY : blocks[before]!.split.firstTestDay;
  const rows: number[] = [];
  const forecasts: number[] = [];
  used.forEach((block, k) => {
    block.rows.forEach((row, i) => {
      if (Number.isNaN(table.label[row]!) || table.labelEnd[row]! < 0 || table.labelEnd[row]! > by) return;
      const said = members.map((member) => member[k]![i]!);
      if (!said.every(Number.isFinite)) return;
      rows.push(row);
      forecasts.push(...said);
    });
  });
  const outcome = Float64Array.from(rows, (row) => modelSpace(target.link, table.label[row]!));
  const loss = target.goal === 'binary' ? 'log' : 'squared';
  const weights = withoutCrumbs(stackingWeights(Float64Array.from(forecasts), members.length, outcome, loss));
  const mean = outcome.map((_, i) =>
    weights.reduce((sum, weight, m) => sum + weight * forecasts[i * members.length + m]!, 0),
  );
  const calibration = calibrationOf(target, mean, outcome);
  const calibrated = mean.map((x) => calibrate(calibration, x));
  const center = target.goal === 'binary' ? outcome.reduce((sum, y) => sum + y, 0) / outcome.length : NO_ORDER;
  return {
    ...{ weights, calibration, center },
    abstention: target.abstains
      ? {
          center,
          distances: thin(calibrated.map((x) => distanceOf(target.goal, x, center)).sort()),
          share: SILENT_SHARE,
        }
      : null,
    interval: intervalOf(target, table, rows, calibrated, outcome),
  };
}

function calibrationOf(target: Target, mean: Float64Array, outcome: Float64Array): ForecastCalibration {
  if (target.goal === 'binary') {
    const { slope, intercept } = fitPlatt(mean, outcome, { scale: 'logit' });
    // Forecasts that point the wrong way in the past are no reason to believe their opposite.
    return slope > 0 ? { kind: 'logistic', slope, intercept } : { kind: 'logistic', slope: 0, intercept };
  }
  if (target.link === 'identity') return { kind: 'none' };
  // Of volatilities: the factor that makes the mean of (outcome / forecast)² one, where QLIKE is least.
  const ratio = outcome.reduce((sum, y, i) => sum + Math.exp(2 * (y - mean[i]!)), 0) / outcome.length;
  return { kind: 'shift', add: 0.5 * Math.log(ratio) };
}

export function intervalOf(
  target: Target,
  table: TrainingTable,
  rows: readonly number[],
  calibrated: Float64Array,
  outcome: Float64Array,
): ForecastInterval {
  if (target.goal === 'regression') {
    const scores = thin(outcome.map((y, i) => y - calibrated[i]!).sort());
    return {
      kind: 'residual',
      level: INTERVAL_LEVEL,
      scores,
      scaleFeature: -1,
      isLogScale: false,
      scaleLeast: 0,
    };
  }
  const sorted = calibrated.slice().sort();
  const inner = Array.from({ length: BANDS - 1 }, (_, k) => sortedQuantile(sorted, (k + 1) / BANDS));
  const edges = Float64Array.from(new Set(inner)).sort();
  const bandCount = edges.length + 1;
  const ones = new Float64Array(bandCount);
  const counts = new Float64Array(bandCount);
  const days = Array.from({ length: bandCount }, () => new Set<number>());
  rows.forEach((row, i) => {
    const band = bandOf(edges, calibrated[i]!);
    ones[band]! += outcome[i]!;
    counts[band]! += 1;
    days[band]!.add(table.day[row]!);
  });
  const ends = Array.from({ length: bandCount }, (_, band) => {
    // Assets of a day move together and windows overlap: news come once a horizon.
    const news = Math.max(1, days[band]!.size / target.horizonDays);
    return wilson(counts[band]! === 0 ? 0.5 : ones[band]! / counts[band]!, news);
  });
  return {
    kind: 'frequency',
    level: INTERVAL_LEVEL,
    edges,
    low: Float64Array.from(ends, ({ low }) => low),
    high: Float64Array.from(ends, ({ high }) => high),
  };
}

/** Forecasts of all blocks but the first, as they would have been told. */
type Walked = {
  day: Int32Array;
  forecast: Float64Array;
  outcome: Float64Array;
  decision: Float64Array;
  acts: Uint8Array;
  rows: Int32Array;
  /** −1: no interval of this kind; else whether the outcome lay inside. */
  inside: Int8Array;
};

function walkCandidate(
  target: Target,
  table: TrainingTable,
  blocks: readonly Block[],
  members: readonly Float64Array[][],
): Walked {
  const parts = blocks.slice(1).map((block, k): Walked => {
    const joint = fitJoint(target, table, blocks, members, k + 1);
    const known = Int32Array.from(block.rows.keys()).filter((i) => !Number.isNaN(table.label[block.rows[i]!]!));
    const rows = known.map((i) => block.rows[i]!);
    const margin = Float64Array.from(known, (i) =>
      calibrate(
        joint.calibration,
        joint.weights.reduce((sum, weight, m) => sum + weight * members[m]![k + 1]![i]!, 0),
      ),
    );
    const forecast = target.link === 'exp' ? margin.map(Math.exp) : margin;
    const outcome = Float64Array.from(rows, (row) => table.label[row]!);
    const half = target.metric === 'balanced_accuracy' ? joint.center : 0.5;
    const silentBelow =
      joint.abstention === null ? 0 : sortedQuantile(joint.abstention.distances, joint.abstention.share);
    return {
      ...{ rows, forecast, outcome, day: rows.map((row) => table.day[row]!) },
      decision: forecast.map((x) => (x > half ? 1 : 0)),
      acts: Uint8Array.from(forecast, (x) => (distanceOf(target.goal, x, joint.center) >= silentBelow ? 1 : 0)),
      inside: Int8Array.from(margin, (x, i) => isInside(joint.interval, x, modelSpace(target.link, outcome[i]!))),
    };
  });
  const ints = (of: (part: Walked) => ArrayLike<number>) =>
    Int32Array.from(parts.flatMap((part) => Array.from(of(part))));
  const floats = (of: (part: Walked) => ArrayLike<number>) =>
    Float64Array.from(parts.flatMap((part) => Array.from(of(part))));
  return {
    ...{ rows: ints(({ rows }) => rows), day: ints(({ day }) => day) },
    ...{ forecast: floats(({ forecast }) => forecast), outcome: floats(({ outcome }) => outcome) },
    decision: floats(({ decision }) => decision),
    acts: Uint8Array.from(ints(({ acts }) => acts)),
    inside: Int8Array.from(ints(({ inside }) => inside)),
  };
}

export function isInside(interval: ForecastInterval | null, margin: number, outcome: number): number {
  if (interval === null || interval.kind !== 'residual') return -1;
  const outside = (1 - interval.level) / 2;
  const residual = outcome - margin;
  const isIn =
    residual >= sortedQuantile(interval.scores, outside) && residual <= sortedQuantile(interval.scores, 1 - outside);
  return isIn ? 1 : 0;
}

/** The baselines on the same rows, each fitted on what a model may learn from. */
export function rivalsOf(
  target: Target,
  table: TrainingTable,
  blocks: readonly Pick<Block, 'rows' | 'train'>[],
): Rival[] {
  const width = target.features.length;
  return target.baselines.map((rule) => {
    const parts = blocks.slice(1).map(({ rows, train }) => {
      const known = rows.filter((row) => !Number.isNaN(table.label[row]!));
      const baseline = fitBaseline(
        rule,
        target.features,
        windowsOf(table, train, 1).values,
        Float64Array.from(train, (row) => table.label[row]!),
      );
      const forecast = baselineForecasts(baseline, windowsOf(table, known, 1).values, width);
      return { known, forecast };
    });
    const rows = Int32Array.from(parts.flatMap(({ known }) => Array.from(known)));
    const judged = {
      day: rows.map((row) => table.day[row]!),
      forecast: Float64Array.from(parts.flatMap(({ forecast }) => Array.from(forecast))),
      outcome: Float64Array.from(rows, (row) => table.label[row]!),
    };
    return { name: rule.name, sums: daySums(target.metric, judged) };
  });
}

export function evaluate(
  { table, trialCount, seed }: Pick<AssembleInput, 'table' | 'trialCount' | 'seed'>,
  target: Target,
  walked: Walked,
  sums: DaySums,
  baselines: readonly Rival[],
): Evaluation {
  const settings = { seed };
  const sampleCount = walked.forecast.filter((x, i) => !Number.isNaN(x + walked.outcome[i]!)).length;
  const money =
    target.money === 'none'
      ? null
      : gainAYear(
          {
            ...{ day: walked.day, forecast: walked.forecast, decision: walked.decision },
            asset: walked.rows.map((row) => table.asset[row]!),
            forwardReturn: Float64Array.from(walked.rows, (row) => table.forwardReturn[row]!),
          },
          target.money,
          target.horizonDays,
          settings,
        );
  const verdict = judge({ metric: target.metric, model: sums, baselines, sampleCount, trialCount, money, settings });
  const days = walked.day.slice().sort();
  const judgedInside = walked.inside.filter((inside) => inside >= 0);
  return {
    ...{ metric: target.metric, verdict, sampleCount, money, weights: {} },
    firstDay: days[0] ?? null,
    lastDay: days[days.length - 1] ?? null,
    ...actingOf(target, walked, settings),
    intervalCoverage:
      judgedInside.length === 0 ? null : judgedInside.reduce((sum, inside) => sum + inside, 0) / judgedInside.length,
    intervalLevel: judgedInside.length === 0 ? null : INTERVAL_LEVEL,
    areaUnderCurve: target.goal === 'binary' ? orNull(areaUnderCurve(walked.forecast, walked.outcome)) : null,
  };
}

function actingOf(target: Target, walked: Walked, settings: { seed: number }) {
  if (!target.abstains || walked.acts.length === 0) return { coverage: null, valueWhenActing: null };
  const acting = Int32Array.from(walked.acts.keys()).filter((i) => walked.acts[i] === 1);
  const pick = (values: Float64Array) => Float64Array.from(acting, (i) => values[i]!);
  const sums = daySums(target.metric, {
    day: acting.map((i) => walked.day[i]!),
    forecast: pick(walked.forecast),
    outcome: pick(walked.outcome),
    decision: pick(walked.decision),
  });
  const value = metricInterval(target.metric, sums, { ...settings, resampleCount: 1 }).value;
  return { coverage: acting.length / walked.acts.length, valueWhenActing: orNull(value) };
}

function forecasterOf(
  { table, walk, families }: AssembleInput,
  target: Target,
  own: readonly number[],
  { weights, calibration, abstention, interval }: Joint,
): Forecaster {
  const { train } = partRows(table, walk, null);
  const kept = own.filter((_, i) => weights[i]! > 0);
  return {
    ...{ target: target.name, horizonDays: target.horizonDays, goal: target.goal, link: target.link },
    features: target.features,
    stepCount: Math.max(...kept.map((k) => families[k]!.stepCount)),
    scaler: scalerOf(table, train),
    ...{ clip: CLIP, missingShareMax: MISSING_SHARE_MAX, calibration, abstention, interval },
    members: kept.map((k) => {
      const { family, learner, final } = families[k]!;
      const found = findLearner(learner);
      expect(found !== undefined && final.kind === 'model', `${family} must have a model that learnt from all`);
      return { name: family, weight: weights[own.indexOf(k)]!, model: found.load(final.model) };
    }),
    baseline: fallbackOf(target, table, train),
    trainedUntil: train.reduce((latest, row) => Math.max(latest, table.labelEnd[row]!), 0),
  };
}

export function fallbackOf(target: Target, table: TrainingTable, train: Int32Array): ForecastBaseline {
  const rule = target.baselines.find(({ name }) => name === target.fallback);
  expect(rule !== undefined, `${target.name} must have the baseline ${target.fallback}`);
  const outcome = Float64Array.from(train, (row) => table.label[row]!);
  return fitBaseline(rule, target.features, windowsOf(table, train, 1).values, outcome);
}

function withoutCrumbs(weights: Float64Array): Float64Array {
  const kept = weights.map((weight) => (weight < WEIGHT_LEAST ? 0 : weight));
  const sum = kept.reduce((total, weight) => total + weight, 0);
  return kept.map((weight) => weight / sum);
}

/** At most `KEPT` of sorted values, the ends and evenly between. */
function thin(sorted: Float64Array): Float64Array {
  if (sorted.length <= KEPT) return sorted;
  return Float64Array.from({ length: KEPT }, (_, k) => sortedQuantile(sorted, k / (KEPT - 1)));
}

/** Wilson's interval of a share, for a number of news that need not be whole. */
function wilson(share: number, news: number): { low: number; high: number } {
  const z = normalQuantile((1 + INTERVAL_LEVEL) / 2);
  const middle = (share + (z * z) / (2 * news)) / (1 + (z * z) / news);
  const width = (z * Math.sqrt((share * (1 - share)) / news + (z * z) / (4 * news * news))) / (1 + (z * z) / news);
  return { low: Math.max(0, middle - width), high: Math.min(1, middle + width) };
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
