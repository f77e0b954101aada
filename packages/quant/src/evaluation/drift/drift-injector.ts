import { expect } from '../../checks/expect.ts';
import type { Random } from '../../random/random.ts';

/**
 * What can happen to a feature between the bars and the model. From `row` on, for good:
 * scale: a hundred times the value, as cents for dollars. sign: the value with its sign turned. constant: the last good
 * value again and again. lag: yesterday's value. missing: a fifth of the values delivered last, the newest among them, are
 * not there.
 */
export const PIPELINE_FAULTS = ['scale', 'sign', 'constant', 'lag', 'missing'] as const;
export type PipelineFault = (typeof PIPELINE_FAULTS)[number];

export const FAULT_FACTOR = 100;
/** Sessions that a run is delivered, and that a shift lasts. */
export const WINDOW_ROWS = 21;
export const MISSING_SHARE = 0.2;
/** Standard deviations of the feature's own past by which it is moved. */
export const SHIFT_SIZES = { memoryless: 1, persistent: 3 } as const;

/**
 * The values as a broken pipeline delivers them; the input stays as it was.
 *
 * @param values One a session; NaN where missing.
 * @param row First broken session, >= `WINDOW_ROWS`: faults need something before them.
 * @throws RangeError if there is no such row.
 */
export function injectFault(values: Float64Array, row: number, fault: PipelineFault, random: Random): Float64Array {
  checkRow(values, row, WINDOW_ROWS);
  const faulty = values.slice();
  const end = values.length;
  if (fault === 'scale') for (let t = row; t < end; t++) faulty[t]! *= FAULT_FACTOR;
  if (fault === 'sign') for (let t = row; t < end; t++) faulty[t] = -faulty[t]!;
  if (fault === 'constant') faulty.fill(values[row - 1]!, row);
  if (fault === 'lag') for (let t = row; t < end; t++) faulty[t] = values[t - 1]!;
  if (fault === 'missing') {
    const missing = Math.ceil(MISSING_SHARE * WINDOW_ROWS);
    const places = Array.from({ length: WINDOW_ROWS - 1 }, (_, k) => row - 1 - k);
    faulty[row] = Number.NaN;
    for (let k = 1; k < missing; k++) {
      const [place] = places.splice(random.integer(places.length), 1);
      faulty[place!] = Number.NaN;
    }
    for (let t = row + 1; t < end; t++) if (random.uniform() < MISSING_SHARE) faulty[t] = Number.NaN;
  }
  return faulty;
}

/**
 * The values with `WINDOW_ROWS` sessions from `row` on moved up by `size` standard deviations of everything before `row`; the
 * input stays as it was.
 *
 * @throws RangeError if the sessions moved, or two before them, are not there.
 */
export function injectShift(values: Float64Array, row: number, size: number): Float64Array {
  checkRow(values, row, 2);
  expect(row + WINDOW_ROWS <= values.length, `a shift needs ${WINDOW_ROWS} sessions from row ${row} on`);
  let count = 0;
  let mean = 0;
  let squares = 0;
  for (let t = 0; t < row; t++) {
    const value = values[t]!;
    if (Number.isNaN(value)) continue;
    count += 1;
    const step = value - mean;
    mean += step / count;
    squares += step * (value - mean);
  }
  const shift = size * Math.sqrt(squares / (count - 1));
  const moved = values.slice();
  for (let t = row; t < row + WINDOW_ROWS; t++) moved[t]! += shift;
  return moved;
}

function checkRow(values: Float64Array, row: number, first: number): void {
  expect(
    Number.isInteger(row) && row >= first && row < values.length,
    `row must be in ${first}..${values.length - 1}, was ${row}`,
  );
}
