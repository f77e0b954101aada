import { prepareInputs } from '../../learn/forecaster/forecast-rows.ts';
import type { ForecastBaseline, ForecastInterval } from '../../learn/forecaster/forecaster.ts';
import { findLearner } from '../../learn/learners.ts';
import type { FittedScaler } from '../../series/preprocess/scaler.ts';
import { daySums } from '../panel-skill.ts';
import { distinctDays } from '../panel-splits.ts';
import { GATE_DAYS_LEAST } from '../promotion-gate.ts';
import { type Target, targetNamed } from '../targets/targets.ts';
import { type Evaluation, evaluate, fallbackOf, intervalOf, isInside, rivalsOf } from './assemble-forecasters.ts';
import { CLIP, modelSpace, scalerOf } from './fit-part.ts';
import { type TrainingTable, usableRows, windowsOf } from './training-table.ts';

/** Rows that a model which learnt until a day may have seen, and those that judge it. */
export type FrozenRows = { train: Int32Array; judged: Int32Array };

export type FrozenJudgement = {
  /** Null: no row came after it was trained. */
  evaluation: Evaluation | null;
  /** Of the judged days; null: fewer than a year of them. */
  interval: ForecastInterval | null;
  baseline: ForecastBaseline;
  scaler: FittedScaler;
};

/** Rows used at most for the linear model it is held against: each of many tells little new. */
const LINEAR_ROWS_MAX = 60_000;
const PENALTY = 100;

/** What was known by a day, and what came after it: of neither is a row in the other. */
export function frozenRows(table: TrainingTable, trainedUntil: number): FrozenRows {
  const known = usableRows(table).filter((row) => !Number.isNaN(table.label[row]!) && table.labelEnd[row]! >= 0);
  return {
    train: known.filter((row) => table.labelEnd[row]! <= trainedUntil),
    judged: known.filter((row) => table.day[row]! > trainedUntil),
  };
}

/**
 * Judges a model that cannot learn again, as one that came from elsewhere: by the days after it was trained, and by the same
 * gate as every other. Baselines and the linear model learn from the rows up to that day and stand still as well.
 *
 * @param forecast What it said of each judged row, as it is told; NaN where it said nothing.
 * @throws RangeError for no rows up to that day: the baselines would have nothing to learn from.
 */
export function judgeFrozen(
  table: TrainingTable,
  { train, judged }: FrozenRows,
  forecast: Float64Array,
  { trialCount, seed }: { trialCount: number; seed: number },
): FrozenJudgement {
  const target = targetNamed(table.target);
  const scaler = scalerOf(table, train);
  const baseline = fallbackOf(target, table, train);
  if (judged.length === 0) return { evaluation: null, interval: null, baseline, scaler };
  const day = judged.map((row) => table.day[row]!);
  const outcome = Float64Array.from(judged, (row) => table.label[row]!);
  const margin = forecast.map((value) => modelSpace(target.link, value));
  const half = target.metric === 'balanced_accuracy' ? baseRate(table, train) : 0.5;
  const walked = {
    ...{ rows: judged, day, forecast, outcome },
    decision: forecast.map((x) => (x > half ? 1 : 0)),
    acts: new Uint8Array(judged.length).fill(1),
    inside: insideOf(target, table, judged, margin),
  };
  const sums = daySums(target.metric, walked);
  const rivals = rivalsOf(target, table, [
    { rows: judged, train },
    { rows: judged, train },
  ]);
  const linear = linearForecasts(target, table, { train, judged }, scaler, seed);
  const decision = linear.map((x) => (x > half ? 1 : 0));
  rivals.push({
    name: 'the linear model',
    sums: daySums(target.metric, { day, forecast: linear, outcome, decision }),
  });
  const evaluation = evaluate({ table, trialCount, seed }, target, walked, sums, rivals);
  const enough = distinctDays(day).length >= GATE_DAYS_LEAST;
  const told = Array.from(judged.keys()).filter((i) => Number.isFinite(margin[i]!));
  return {
    evaluation: { ...evaluation, weights: {} },
    interval: enough ? fitInterval(target, table, judged, margin, told) : null,
    ...{ baseline, scaler },
  };
}

/** Undecided value of probabilities. */
function baseRate({ label }: TrainingTable, train: Int32Array): number {
  return train.reduce((sum, row) => sum + label[row]!, 0) / train.length;
}

function fitInterval(
  target: Target,
  table: TrainingTable,
  judged: Int32Array,
  margin: Float64Array,
  told: readonly number[],
): ForecastInterval {
  const rows = told.map((i) => judged[i]!);
  const outcome = Float64Array.from(rows, (row) => modelSpace(target.link, table.label[row]!));
  return intervalOf(
    target,
    table,
    rows,
    Float64Array.from(told, (i) => margin[i]!),
    outcome,
  );
}

/** Whether outcomes of the later half of the days lay inside the interval that the earlier half teaches; −1 where not judged. */
function insideOf(target: Target, table: TrainingTable, judged: Int32Array, margin: Float64Array): Int8Array {
  const inside = new Int8Array(judged.length).fill(-1);
  const days = distinctDays(judged.map((row) => table.day[row]!));
  const middle = days[Math.floor(days.length / 2)]!;
  const first = Array.from(judged.keys()).filter(
    (i) => Number.isFinite(margin[i]!) && table.labelEnd[judged[i]!]! <= middle,
  );
  if (first.length === 0) return inside;
  const interval = fitInterval(target, table, judged, margin, first);
  judged.forEach((row, i) => {
    if (table.day[row]! <= middle || !Number.isFinite(margin[i]!)) return;
    inside[i] = isInside(interval, margin[i]!, modelSpace(target.link, table.label[row]!));
  });
  return inside;
}

/** The linear model of our own that learnt what the judged one may have learnt. */
function linearForecasts(
  target: Target,
  table: TrainingTable,
  { train, judged }: FrozenRows,
  scaler: FittedScaler,
  seed: number,
): Float64Array {
  const learner = findLearner(target.goal === 'binary' ? 'logistic' : 'ridge')!;
  const prepare = (rows: Int32Array) =>
    prepareInputs({ features: target.features, stepCount: 1, scaler, clip: CLIP }, windowsOf(table, rows, 1));
  const step = Math.max(1, Math.ceil(train.length / LINEAR_ROWS_MAX));
  const rows = train.filter((_, k) => k % step === 0);
  const outcome = Float64Array.from(rows, (row) => modelSpace(target.link, table.label[row]!));
  const examples = { inputs: prepare(rows), target: outcome, weight: null, group: null };
  const model = learner.fit(examples, target.goal, { ...learner.defaults, penalty: PENALTY }, seed);
  const said = model.predict(prepare(judged));
  if (target.link !== 'exp') return said;
  // The mean of a logarithm is less than the logarithm of the mean: what it misses of the variance is put back.
  const fitted = model.predict(examples.inputs);
  const ratio = outcome.reduce((sum, y, i) => sum + Math.exp(2 * (y - fitted[i]!)), 0) / outcome.length;
  return said.map((x) => Math.exp(x + 0.5 * Math.log(ratio)));
}
