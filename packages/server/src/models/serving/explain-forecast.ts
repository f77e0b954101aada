import type { Explanation } from '@touchstone/contracts/predictions';
import { type Explanation as Attribution, explainModel } from '@touchstone/quant/explain/explain-model';
import { explanationStability } from '@touchstone/quant/explain/explanation-stability';
import { samplingShap } from '@touchstone/quant/explain/sampling-shap';
import { type Inputs, lastStep } from '@touchstone/quant/learn/examples';
import { type ForecastRow, logit, prepareInputs } from '@touchstone/quant/learn/forecaster/forecast-rows';
import type { Forecaster, ForecastMember } from '@touchstone/quant/learn/forecaster/forecaster';
import { findTurningPoint } from './turning-point.ts';

const SEED = 1;
/** Orders drawn for a member without an exact way: 4 pairs over 30 features are some 240 answers, 5 ms of an LSTM. */
const PAIRS = 4;
const STABILITY_REPEATS = 5;
const STABILITY_NOISE = 0.01;
const GROUPS_SHOWN_MAX = 20;
/** What is between the members' mean and the forecast: no input. */
const CALIBRATION = 'averaging and calibration';

const NO_COUNTERFACTUAL = { found: false, sentence: 'No change of its inputs was looked for.' };
const NOT_SHAKEN = { value: null, sentence: 'Not measured: nothing was estimated.' };

/** Nobody answered: there is nothing to explain, and that is said. */
export function explainNothing(sentence: string): Explanation {
  return {
    ...{ method: 'none', exact: true, scale: 'value', baseValue: null, total: null },
    ...{ residual: null, standardError: null, groups: [] },
    ...{ counterfactual: NO_COUNTERFACTUAL, stability: NOT_SHAKEN, sentence },
    reason: { code: 'not_defined', sentence },
  };
}

/** A rule of one feature is its own explanation. */
export function explainBaseline({ baseline, features }: Forecaster, values: Float64Array): Explanation {
  const nothing = { counterfactual: NO_COUNTERFACTUAL, stability: NOT_SHAKEN, reason: null };
  const exact = { method: 'exact_linear', exact: true, residual: 0, standardError: 0 };
  if (baseline.kind === 'constant') {
    const sentence = `${baseline.name}: the same whatever the inputs are.`;
    return {
      ...exact,
      scale: 'value',
      baseValue: baseline.value,
      total: baseline.value,
      groups: [],
      sentence,
      ...nothing,
    };
  }
  const last = values.subarray(values.length - features.length);
  const x = last[baseline.feature] ?? Number.NaN;
  const { name } = features[baseline.feature]!;
  const contribution = baseline.slope * x;
  if (!Number.isFinite(contribution)) return explainNothing(`${baseline.name}: ${name} is missing.`);
  return {
    ...{ ...exact, scale: baseline.link === 'identity' ? 'value' : 'margin' },
    ...{ baseValue: baseline.intercept, total: baseline.intercept + contribution },
    groups: [{ name, contribution, features: [{ name, value: x, contribution }] }],
    sentence: `${baseline.name}: it follows ${name} alone.`,
    ...nothing,
  };
}

/** `value`: what the member says, on the scale of the contributions. */
type Part = { base: number; value: number; contributions: Float64Array; variance: Float64Array | null; method: string };

/**
 * Why an ensemble says what it says: what every member's answer is made of, times its weight, on the scale on which they add
 * up: log odds of a probability, else the space in which the members work. What averaging and calibrating add to it is a
 * part of its own, so that the residual is what the explanation itself leaves open.
 *
 * Members are held against the average case of training, where every scaled feature is 0.
 */
export function explainForecast(forecaster: Forecaster, values: Float64Array, row: ForecastRow): Explanation {
  const value = row.value;
  if (value === null) return explainNothing(row.abstained?.sentence ?? 'It says nothing.');
  const { features, members, goal } = forecaster;
  const parts = members.map((member) => (member.weight === 0 ? null : explainMember(forecaster, member, values)));
  const silent = members.find((_, m) => parts[m] !== null && typeof parts[m] === 'string');
  if (silent !== undefined) return explainNothing(String(parts[members.indexOf(silent)]));
  const width = features.length;
  const contributions = new Float64Array(width);
  const variance = new Float64Array(width);
  let base = 0;
  let ofMembers = 0;
  for (const [m, part] of parts.entries()) {
    if (part === null || typeof part === 'string') continue;
    const { weight } = members[m]!;
    base += weight * part.base;
    ofMembers += weight * part.value;
    for (let k = 0; k < width; k++) {
      contributions[k]! += weight * part.contributions[k]!;
      variance[k]! += weight * weight * (part.variance?.[k] ?? 0);
    }
  }
  const told = parts.filter((part) => part !== null && typeof part !== 'string');
  const isExact = told.every((part) => part.variance === null);
  const total = goal === 'binary' ? logit(value) : forecaster.link === 'exp' ? Math.log(value) : value;
  const ofInputs = toGroups(forecaster, values, contributions);
  const calibration = total - ofMembers;
  const groups =
    calibration === 0 ? ofInputs : [...ofInputs, { name: CALIBRATION, contribution: calibration, features: [] }];
  return {
    method: [...new Set(told.map(({ method }) => method))].join('+'),
    ...{ exact: isExact, scale: goal === 'binary' || forecaster.link === 'exp' ? 'margin' : 'value' },
    ...{ baseValue: base, total, residual: ofMembers - contributions.reduce((sum, part) => sum + part, base) },
    standardError: isExact ? 0 : Math.sqrt(variance.reduce((sum, part) => sum + part, 0)),
    groups,
    counterfactual: findTurningPoint(forecaster, values, value, contributions),
    stability: isExact ? stabilityOf(forecaster, values) : NOT_SHAKEN,
    sentence: sentenceOf(ofInputs),
    reason: null,
  };
}

/** A sentence instead of a part: it has no explanation. */
function explainMember(forecaster: Forecaster, { name, model }: ForecastMember, values: Float64Array): Part | string {
  const { row, background } = memberInputs(forecaster, model.stepCount, values);
  const wanted = forecaster.goal === 'binary' ? 'log_odds' : 'answer';
  if (model.body.kind === 'linear' || model.body.kind === 'trees') {
    const found = explainModel(model, row, background, { seed: SEED });
    if (found.status === 'undefined') return `${name}: ${found.reason}.`;
    return found.scale === wanted ? partOf(found) : alongChord(found);
  }
  const predict = (inputs: Inputs) =>
    wanted === 'log_odds' ? model.predict(inputs).map(logit) : model.predict(inputs);
  const found = samplingShap(predict, row, background, { seed: SEED, pairCount: PAIRS });
  if (found.status === 'undefined') return `${name}: ${found.reason}.`;
  const variance = found.standardError.map((error) => error * error);
  return { base: found.base, value: found.value, contributions: found.contributions, variance, method: 'sampling' };
}

const METHODS = { tree_shap: 'exact_trees', linear_shap: 'exact_linear', sampling_shap: 'sampling' } as const;

function partOf({ method, base, value, contributions, standardError }: Attribution & { status: 'ok' }): Part {
  const variance = standardError === null ? null : standardError.map((error) => error * error);
  return { base, value, contributions, variance, method: METHODS[method] };
}

/** Probabilities carried over to log odds: each contribution times the slope between the average case and this one. */
function alongChord(found: Attribution & { status: 'ok' }): Part {
  const part = partOf(found);
  const [from, to] = [logit(found.base), logit(found.value)];
  const slope = Math.abs(found.value - found.base) < 1e-12 ? 1 : (to - from) / (found.value - found.base);
  return {
    ...{ base: from, value: to, contributions: part.contributions.map((one) => one * slope), method: part.method },
    variance: part.variance?.map((one) => one * slope * slope) ?? null,
  };
}

/** What a member sees of a row, and the average case of training. */
function memberInputs(forecaster: Forecaster, stepCount: number, values: Float64Array) {
  const { features } = forecaster;
  const whole = { rowCount: 1, stepCount: forecaster.stepCount, featureCount: features.length, values };
  const prepared = prepareInputs(forecaster, whole);
  const row = stepCount === 1 ? lastStep(prepared) : prepared;
  const background: Inputs = { ...row, values: new Float64Array(row.values.length) };
  return { row, background };
}

function toGroups(forecaster: Forecaster, values: Float64Array, contributions: Float64Array): Explanation['groups'] {
  const { features } = forecaster;
  const last = values.subarray(values.length - features.length);
  const groups = new Map<string, Explanation['groups'][number]>();
  for (const [k, { name }] of features.entries()) {
    const contribution = contributions[k]!;
    if (contribution === 0) continue;
    const group = groupNameOf(name);
    const known = groups.get(group) ?? { name: group, contribution: 0, features: [] };
    known.contribution += contribution;
    known.features.push({ name, value: Number.isFinite(last[k]!) ? last[k]! : null, contribution });
    groups.set(group, known);
  }
  const bySize = (a: { contribution: number }, b: { contribution: number }) =>
    Math.abs(b.contribution) - Math.abs(a.contribution);
  const sorted = [...groups.values()].sort(bySize).slice(0, GROUPS_SHOWN_MAX);
  return sorted.map((group) => ({ ...group, features: group.features.sort(bySize) }));
}

/** Features of one family measure the same thing over other spans: `variance_week` and `variance_month` are of `variance`. */
function groupNameOf(feature: string): string {
  return /^(?:\w+:)?([a-z]+)/.exec(feature)?.[1] ?? feature;
}

function sentenceOf(groups: Explanation['groups']): string {
  const named = (sign: number) => groups.filter(({ contribution }) => contribution * sign > 0).slice(0, 2);
  const told = (some: typeof groups) => some.map(({ name }) => name).join(' and ');
  const [up, down] = [named(1), named(-1)];
  if (up.length === 0 && down.length === 0) return 'No input moves it from the average case.';
  const parts = [
    ...(up.length > 0 ? [`${told(up)} ${up.length > 1 ? 'raise' : 'raises'} it`] : []),
    ...(down.length > 0 ? [`${told(down)} ${down.length > 1 ? 'lower' : 'lowers'} it`] : []),
  ];
  const sentence = parts.join(', ');
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
}

/** Rows at plus and minus one scaled unit: what the noise is a share of. */
function stabilityOf(forecaster: Forecaster, values: Float64Array): Explanation['stability'] {
  const { features, members } = forecaster;
  const whole = { rowCount: 1, stepCount: forecaster.stepCount, featureCount: features.length, values };
  const row = prepareInputs(forecaster, whole);
  const width = row.values.length;
  const spread: Inputs = { ...row, rowCount: 2, values: new Float64Array(2 * width).fill(1).fill(-1, width) };
  const explain = (inputs: Inputs): Float64Array | null => {
    const sum = new Float64Array(features.length);
    for (const { model, weight } of members) {
      if (weight === 0) continue;
      const own = model.stepCount === 1 ? lastStep(inputs) : inputs;
      const found = explainModel(model, own, { ...own, values: new Float64Array(own.values.length) }, { seed: SEED });
      if (found.status === 'undefined') return null;
      found.contributions.forEach((one, k) => {
        sum[k]! += weight * one;
      });
    }
    return sum;
  };
  if (features.length < 2) return { value: null, sentence: 'Not measured: there is one feature only.' };
  const found = explanationStability(explain, row, spread, {
    ...{ seed: SEED, repeatCount: STABILITY_REPEATS, noise: STABILITY_NOISE },
  });
  if (found.status === 'undefined') return { value: null, sentence: `Not measured: ${found.reason}.` };
  const percent = Math.round(100 * found.overlap);
  return {
    value: Math.min(1, Math.max(0, found.score)),
    sentence: `With inputs moved by 1 % of their spread, ${percent} % of the five largest features stay among the five largest.`,
  };
}
