import type { LossMetric, PowerAnswer } from '@touchstone/contracts/experiments';
import type { TargetName } from '@touchstone/contracts/model-manifest';
import {
  longRunDeviationOf,
  outcomesForHitRate,
  sessionsForLoss,
  yearsForAlpha,
  yearsForSharpe,
} from '@touchstone/quant/evaluation/experiments/power';
import { ProblemError } from '../../platform/problem-error.ts';

const SESSIONS_PER_YEAR = 252;
const YEARS_ANSWERABLE = 10;

/** Losses that make sense of a target; the first is recommended. */
const METRICS: Record<'binary' | 'variance' | 'number', readonly LossMetric[]> = {
  binary: ['brier', 'log_loss', 'error_rate'],
  variance: ['qlike', 'squared_error', 'interval_score'],
  number: ['squared_error', 'interval_score'],
};

const WHY: Record<LossMetric, string> = {
  brier:
    'Ask for the Brier score: it uses how sure a forecast was, not only its side, and has an answer every session.',
  log_loss: 'Ask for the log loss: it punishes being sure and wrong, and has an answer every session.',
  error_rate: 'Ask for the error rate: needs more outcomes than a score of probabilities.',
  qlike: 'Ask for QLIKE of the volatility: the forecast is judged on what it says, not on what was traded with it.',
  squared_error: 'Ask for the squared error of the forecast itself.',
  interval_score: 'Ask for the interval score: width and coverage in one number.',
};

export function metricsOf(target: TargetName | null): readonly LossMetric[] {
  if (target === 'forward_volatility') return METRICS.variance;
  if (target === 'return_rank' || target === null) return METRICS.number;
  return METRICS.binary;
}

export function instead(metrics: readonly LossMetric[]): PowerAnswer['instead'] {
  return metrics.map((metric) => ({ metric, sentence: WHY[metric] }));
}

export type PowerQuestion = {
  question: 'hit_rate' | 'sharpe' | 'alpha' | 'loss';
  first: number;
  second?: number | undefined;
  correlation?: number | undefined;
  trackingError?: number | undefined;
  autocorrelation?: number | undefined;
  sequential?: boolean | undefined;
  power: number;
  level: number;
};

/**
 * How much it takes to tell two things apart, in words as well.
 *
 * @throws INVALID_REQUEST naming what the question lacks or what has no answer.
 */
export function answerPower(asked: PowerQuestion): PowerAnswer {
  try {
    return answer(asked);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ProblemError('INVALID_REQUEST', `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`);
  }
}

function answer(asked: PowerQuestion): PowerAnswer {
  const { question, first, power, level } = asked;
  const settings = { power, level };
  const told = (needed: number, unit: PowerAnswer['unit'], what: string): PowerAnswer => {
    if (!Number.isFinite(needed)) throw new ProblemError('INVALID_REQUEST', `${what}: no number of ${unit} is enough.`);
    const years = unit === 'years' ? needed : needed / SESSIONS_PER_YEAR;
    const answerable = years <= YEARS_ANSWERABLE;
    const amount = unit === 'years' ? `${short(needed)} years` : `${needed.toLocaleString('en-US')} ${wordOf(unit)}`;
    const time = unit === 'years' ? '' : `, ${short(years)} years at one a session`;
    return {
      ...{ needed, unit, power, level, years, answerable },
      sentence: `${what}: ${amount}${time}.${answerable ? '' : ' That is no test anybody can wait for.'}`,
      instead: question === 'sharpe' || question === 'alpha' ? instead(['qlike', 'brier', 'log_loss']) : [],
    };
  };
  if (question === 'alpha') {
    const trackingError = given(asked.trackingError, 'trackingError');
    const years = yearsForAlpha(first, trackingError, settings);
    return told(years, 'years', `${percent(first)} a year at a tracking error of ${percent(trackingError)}`);
  }
  const second = given(asked.second, 'second');
  if (question === 'hit_rate') {
    const needed = outcomesForHitRate(first, second, settings);
    return told(needed, 'outcomes', `${percent(first)} against ${percent(second)}`);
  }
  if (question === 'sharpe') {
    const correlation = given(asked.correlation, 'correlation');
    const years = yearsForSharpe(first, second, correlation, settings);
    return told(years, 'years', `A Sharpe ratio of ${first} against ${second} at a correlation of ${correlation}`);
  }
  const deviation = longRunDeviationOf(second, asked.autocorrelation ?? 0);
  const isSequential = asked.sequential ?? false;
  const sessions = sessionsForLoss(first, deviation, { ...settings, isSequential, horizon: 1 });
  if (sessions === null)
    throw new ProblemError('INVALID_REQUEST', 'No number of sessions within four centuries finds such a difference.');
  const look = isSequential ? 'with a look every session' : 'with one look at the end';
  return told(sessions, 'sessions', `A loss difference of ${first} at a deviation of ${second}, ${look}`);
}

function wordOf(unit: PowerAnswer['unit']): string {
  return unit === 'outcomes' ? 'independent outcomes' : unit;
}

function given(value: number | undefined, name: string): number {
  if (value === undefined) throw new ProblemError('INVALID_REQUEST', `This question needs ${name}.`);
  return value;
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

function short(value: number): string {
  return value < 20 ? value.toFixed(1) : String(Math.round(value));
}
