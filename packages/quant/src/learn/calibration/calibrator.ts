import { expect } from '../../checks/expect.ts';
import { type IsotonicCalibrator, isotonicProbability } from './isotonic.ts';
import { type PlattCalibrator, plattProbability } from './platt.ts';

/** Makes probabilities of scores. Plain data: JSON writes and reads it without loss. */
export type Calibrator = { kind: 'identity' } | PlattCalibrator | IsotonicCalibrator;

/** A probability for each score; NaN stays NaN. Neither kind changes the order of two scores (a falling sigmoid turns it). */
export function calibrate(calibrator: Calibrator, scores: Float64Array): Float64Array {
  switch (calibrator.kind) {
    case 'identity':
      return scores.slice();
    case 'platt':
      return scores.map((score) => plattProbability(calibrator, score));
    case 'isotonic':
      return scores.map((score) => isotonicProbability(calibrator, score));
  }
}

/** A calibrator from parsed JSON. @throws RangeError for anything else, by what is wrong with it. */
export function readCalibrator(data: unknown): Calibrator {
  expect(typeof data === 'object' && data !== null && 'kind' in data, 'a calibrator must have a kind');
  if (data.kind === 'identity') return { kind: 'identity' };
  if (data.kind === 'platt') {
    const { scale, slope, intercept } = data as Partial<PlattCalibrator>;
    expect(scale === 'score' || scale === 'logit', `scale of a Platt calibrator must be score or logit, was ${scale}`);
    expect(isNumber(slope) && isNumber(intercept), 'slope and intercept of a Platt calibrator must be finite');
    return { kind: 'platt', scale, slope, intercept };
  }
  expect(data.kind === 'isotonic', `a calibrator is identity, platt or isotonic, was ${String(data.kind)}`);
  const { at, value } = data as Partial<IsotonicCalibrator>;
  expect(
    Array.isArray(at) && Array.isArray(value) && at.length === value.length && at.length >= 1,
    'an isotonic calibrator must have as many values as scores, and at least one',
  );
  expect(at.every(isNumber) && value.every(isNumber), 'an isotonic calibrator must be finite');
  const rises = at.every((x, i) => i === 0 || (at[i - 1]! < x && value[i - 1]! <= value[i]!));
  expect(rises && value[0]! >= 0 && value.at(-1)! <= 1, 'an isotonic calibrator must rise within 0..1');
  return { kind: 'isotonic', at: [...at], value: [...value] };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
