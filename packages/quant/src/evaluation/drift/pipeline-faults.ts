import { expect } from '../../checks/expect.ts';

export type FaultRule = 'missing' | 'scale' | 'sign' | 'constant' | 'lag' | 'other_value' | 'out_of_range';

export type PipelineFinding = {
  rule: FaultRule;
  statistic: number;
  limit: number;
  alarm: boolean;
  /** True: told by the second computation; false: by the values alone. */
  isWitnessed: boolean;
};

/** Sessions of a delivery that are looked at. */
export const DELIVERY_ROWS = 21;
const MISSING_SHARE_LIMIT = 0.2;
/** A value this many times the past range outside of it is no market. */
const RANGE_LIMIT = 1;
/** Two computations of one number differ by rounding; relative to the size of what is usual. */
const TOLERANCE = 1e-6;
const POWERS_OF_TEN = [-4, -3, -2, -1, 1, 2, 3, 4];

/**
 * What can be told of a delivery from its values alone: too many are missing, the newest is far outside of everything before, or
 * it has stood still longer than ever before. Limits come from the rows before the delivery.
 *
 * A turned sign, a day's delay or a factor on a small number look like any other day: `findWitnessedFault` tells those.
 *
 * @param values One a session, oldest first; the last `DELIVERY_ROWS` are the delivery.
 * @returns Every rule that has something to say, alarms or not.
 */
export function findPlainFaults(values: Float64Array): PipelineFinding[] {
  const n = values.length;
  if (n < 2 * DELIVERY_ROWS) return [];
  const past = values.subarray(0, n - DELIVERY_ROWS);
  const delivery = values.subarray(n - DELIVERY_ROWS);
  const findings: PipelineFinding[] = [];
  const add = (rule: FaultRule, statistic: number, limit: number, alarm: boolean) =>
    findings.push({ rule, statistic, limit, alarm, isWitnessed: false });

  const missing = missingShare(delivery);
  const missingLimit = Math.max(MISSING_SHARE_LIMIT, 2 * missingShare(past));
  add('missing', missing, missingLimit, missing >= missingLimit);

  const newest = delivery[DELIVERY_ROWS - 1]!;
  if (Number.isNaN(newest)) return findings;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let [run, runPast] = [0, 0];
  let last = Number.NaN;
  for (const value of past) {
    if (Number.isNaN(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
    run = value === last ? run + 1 : 1;
    runPast = Math.max(runPast, run);
    last = value;
  }
  if (high > low) {
    const outside = Math.max(newest - high, low - newest, 0) / (high - low);
    add('out_of_range', outside, RANGE_LIMIT, outside > RANGE_LIMIT);
  }
  run = 0;
  for (let t = n - 1; t >= 0 && values[t] === newest; t--) run += 1;
  const runLimit = Math.max(runPast, 2);
  if (high > low) add('constant', run, runLimit, run > runLimit);
  return findings;
}

/**
 * Holds what was delivered against a second computation of the same numbers, straight from the bars, and says what is wrong with
 * the newest of them. Training and serving must see the same numbers; this is the one test that finds a turned sign or a day's
 * delay on the first day.
 *
 * @param delivered, witness The last sessions of both, oldest first, equally long, at least three.
 * @param scale Size of what is usual: two numbers closer than a millionth of it are one.
 * @returns Null: nothing is wrong, or there is nothing to hold it against.
 */
export function findWitnessedFault(
  delivered: Float64Array,
  witness: Float64Array,
  scale: number,
): PipelineFinding | null {
  const n = delivered.length;
  expect(witness.length === n && n >= 3, `both need one length >= 3, had ${n} and ${witness.length}`);
  const [value, truth] = [delivered[n - 1]!, witness[n - 1]!];
  const told = (rule: FaultRule, statistic: number, limit: number): PipelineFinding => ({
    ...{ rule, statistic, limit },
    alarm: true,
    isWitnessed: true,
  });
  if (Number.isNaN(truth)) return null;
  if (Number.isNaN(value)) {
    let missing = 0;
    for (let t = 0; t < n; t++) if (Number.isNaN(delivered[t]!) && !Number.isNaN(witness[t]!)) missing += 1;
    return missing / n >= MISSING_SHARE_LIMIT ? told('missing', missing / n, MISSING_SHARE_LIMIT) : null;
  }
  const isSame = (a: number, b: number) => Math.abs(a - b) <= TOLERANCE * Math.max(scale, Math.abs(b));
  if (isSame(value, truth)) return null;
  const away = Math.abs(value - truth) / Math.max(scale, Math.abs(truth));
  if (isSame(value, -truth)) return told('sign', away, TOLERANCE);
  for (const power of POWERS_OF_TEN)
    if (Math.abs(value / truth / 10 ** power - 1) <= TOLERANCE) return told('scale', away, TOLERANCE);
  const [valueBefore, truthBefore] = [delivered[n - 2]!, witness[n - 2]!];
  // On the first day of either fault the value is yesterday's; from the second on what stands still is told from what is late.
  if (value === valueBefore) return told('constant', away, TOLERANCE);
  if (isSame(value, truthBefore)) return told('lag', away, TOLERANCE);
  return told('other_value', away, TOLERANCE);
}

function missingShare(values: Float64Array): number {
  let missing = 0;
  for (const value of values) if (Number.isNaN(value)) missing += 1;
  return values.length === 0 ? 0 : missing / values.length;
}
