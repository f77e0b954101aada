import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';

/**
 * Time-ordered columns by name, each row-major with the same number of rows: a series has one value a row, a panel N.
 * `Bars` fits as it is; of a `Panel`, `day` and `close` do.
 */
export type TimedColumns = Readonly<Record<string, Float64Array | Int32Array | Uint8Array>>;

/** What the future is replaced by. */
export type GarbleKind = 'truncated' | 'missing' | 'huge' | 'tiny' | 'shuffled' | 'noise';

/** How the canary changes an input it knows nothing else about. */
export type CanaryInput<Input> = {
  /** An independent copy of everything, so that a function that writes into its input cannot hide behind it. */
  copy(input: Input): Input;
  /** A copy without anything that became known after `row`. */
  truncate(input: Input, row: number): Input;
  /** A copy with everything that became known after `row` replaced by garbage. */
  garble(input: Input, row: number, kind: Exclude<GarbleKind, 'truncated'>, random: Random): Input;
};

export type CanaryCase<Input> = {
  /** What is put to the test, for the sentence. */
  name: string;
  input: Input;
  rowCount: number;
  /** Result row-major T × K for an input of T rows. Must not depend on anything else. */
  compute: (input: Input) => Float64Array;
  random: Random;
  /**
   * For labels: the last input row that output row t may see, >= t. Row t is then held against futures after that row.
   * Absent: t itself.
   */
  labelEnd?: Int32Array;
  /** Rows after which the future is changed. Absent: `PROBE_COUNT_DEFAULT` rows, evenly spread with a random offset, and the last but one. */
  probeRows?: ArrayLike<number>;
  /** Absent: all kinds. */
  kinds?: readonly GarbleKind[];
  /** T days since 1970-01-01, for the sentence. */
  day?: Int32Array;
};

export type CanaryVerdict =
  | {
      ok: true;
      name: string;
      probeCount: number;
      /** Values compared, to the last bit. */
      comparedCount: number;
      /** False when no garbling changed any later row: the function ignores its input, and the test proves nothing. */
      isSensitive: boolean;
    }
  | {
      ok: false;
      name: string;
      /** Day number of `row`, or null when the case gave no days. */
      day: number | null;
      row: number;
      column: number;
      /** The future was changed after this row. */
      probeRow: number;
      /** `repeated`: the same input gave another answer. `accounting`: see `checkStrategyNoLookAhead`. */
      kind: GarbleKind | 'repeated' | 'accounting';
      /** Null when there is no single pair of numbers: the function threw, or gave another shape. */
      expected: number | null;
      actual: number | null;
      sentence: string;
    };

export const PROBE_COUNT_DEFAULT = 8;
const KINDS: readonly GarbleKind[] = ['truncated', 'missing', 'huge', 'tiny', 'shuffled', 'noise'];

/**
 * Holds a function of time-ordered columns against its own future: see `checkNoLookAheadOf`.
 *
 * Integer columns (days, codes) are only cut, never garbled: a calendar is known ahead. Bytes (membership) become random
 * bits. Names in `fixed` are no time series and are handed over unchanged.
 *
 * @throws RangeError if a column is no whole number of values a row, or a probe lies outside the input.
 */
export function checkNoLookAhead<Input extends TimedColumns>(
  canaryCase: CanaryCase<Input> & { fixed?: readonly string[] },
): CanaryVerdict {
  const { rowCount } = canaryCase;
  const fixed = new Set(canaryCase.fixed ?? []);
  for (const [name, values] of Object.entries(canaryCase.input))
    expect(
      fixed.has(name) || values.length % rowCount === 0,
      `column ${name} must have a whole number of values for each of ${rowCount} rows, had ${values.length}`,
    );
  return checkNoLookAheadOf({ ...canaryCase, ...timedColumns<Input>(rowCount, fixed) });
}

/**
 * Recomputes with everything after a row cut off or replaced by garbage, and compares what may not change to the last bit.
 *
 * A function that looks ahead sings: the first changed value is returned with a sentence. Also caught: a function that
 * gives another answer to the same input, one that throws when only the future changed, one that gives another shape.
 * Not caught: a look-ahead that shows at none of the probed rows, or in data prepared before the function was called.
 * Takes (probes × kinds + 2) computations.
 *
 * NaN equals NaN; 0 and −0 differ, because the next division would.
 */
export function checkNoLookAheadOf<Input>(canaryCase: CanaryCase<Input> & CanaryInput<Input>): CanaryVerdict {
  const { name, input, rowCount, compute, labelEnd } = canaryCase;
  expect(rowCount >= 2, `the canary needs at least 2 rows, had ${rowCount}`);
  expect(!labelEnd || labelEnd.length === rowCount, `labelEnd must have ${rowCount} rows, had ${labelEnd?.length}`);
  const reference = compute(canaryCase.copy(input));
  expect(
    reference.length % rowCount === 0 && reference.length > 0,
    `${name} must return a whole number of values for each of ${rowCount} rows, returned ${reference.length}`,
  );
  const columnCount = reference.length / rowCount;
  const repeated = compute(canaryCase.copy(input));
  const unrepeatable = findDifference(reference, repeated, columnCount, rowCount, () => true);
  if (unrepeatable) return fail(canaryCase, rowCount - 1, 'repeated', unrepeatable);

  const probes = canaryCase.probeRows ?? defaultProbes(rowCount, canaryCase.random);
  let comparedCount = 0;
  let isSensitive = false;
  for (const probe of Array.from(probes)) {
    expect(
      probe >= 0 && probe < rowCount - 1,
      `a probe must leave a future: it must be in 0..${rowCount - 2}, was ${probe}`,
    );
    const isPast = (row: number): boolean => (labelEnd ? labelEnd[row]! <= probe : row <= probe);
    const pastCount = countRows(probe + 1, isPast);
    for (const kind of canaryCase.kinds ?? KINDS) {
      const result = computeChanged(canaryCase, probe, kind);
      if (!(result instanceof Float64Array)) return fail(canaryCase, probe, kind, result);
      const rows = kind === 'truncated' ? probe + 1 : rowCount;
      const difference = findDifference(reference, result, columnCount, rows, isPast);
      if (difference) return fail(canaryCase, probe, kind, difference);
      comparedCount += pastCount * columnCount;
      if (!isSensitive && kind !== 'truncated')
        isSensitive = findDifference(reference, result, columnCount, rows, (row) => !isPast(row)) !== null;
    }
  }
  return { ok: true, name, probeCount: probes.length, comparedCount, isSensitive };
}

function countRows(rowCount: number, counts: (row: number) => boolean): number {
  let count = 0;
  for (let row = 0; row < rowCount; row++) if (counts(row)) count++;
  return count;
}

/** The function's answer to a changed future. Throwing is an answer too, and one that depends on the future. */
function computeChanged<Input>(
  canaryCase: CanaryCase<Input> & CanaryInput<Input>,
  probe: number,
  kind: GarbleKind,
): Float64Array | Difference {
  const { name, input, random } = canaryCase;
  const changed =
    kind === 'truncated'
      ? canaryCase.truncate(input, probe)
      : canaryCase.garble(input, probe, kind, random.split(`${name}/${probe}/${kind}`));
  try {
    return canaryCase.compute(changed);
  } catch (error) {
    const note = `it threw "${error instanceof Error ? error.message : String(error)}"`;
    return { row: probe, column: 0, expected: null, actual: null, note };
  }
}

type Difference = { row: number; column: number; expected: number | null; actual: number | null; note?: string };

function findDifference(
  reference: Float64Array,
  result: Float64Array,
  columnCount: number,
  rows: number,
  counts: (row: number) => boolean,
): Difference | null {
  if (result.length !== rows * columnCount)
    return {
      row: Math.min(rows, Math.floor(result.length / columnCount)),
      column: 0,
      expected: null,
      actual: null,
      note: `it returned ${result.length} values for ${rows} rows of ${columnCount}`,
    };
  for (let row = 0; row < rows; row++) {
    if (!counts(row)) continue;
    for (let column = 0; column < columnCount; column++) {
      const expected = reference[row * columnCount + column]!;
      const actual = result[row * columnCount + column]!;
      if (!Object.is(expected, actual)) return { row, column, expected, actual };
    }
  }
  return null;
}

function fail<Input>(
  canaryCase: CanaryCase<Input>,
  probeRow: number,
  kind: GarbleKind | 'repeated',
  difference: Difference,
): CanaryVerdict {
  const { row, column, expected, actual } = difference;
  const future = `everything after row ${probeRow}`;
  let change = `${future} was replaced by garbage (${kind})`;
  if (kind === 'truncated') change = `${future} was cut off`;
  if (kind === 'repeated') change = 'nothing was changed';
  const outcome = difference.note ?? `row ${row}, column ${column} became ${actual} instead of ${expected}`;
  const day = canaryCase.day?.[row] ?? null;
  return {
    ok: false,
    name: canaryCase.name,
    day,
    row,
    column,
    probeRow,
    kind,
    expected,
    actual,
    sentence: `${canaryCase.name} ${kind === 'repeated' ? 'does not repeat itself' : 'looks ahead'}: when ${change}, ${outcome}.`,
  };
}

function defaultProbes(rowCount: number, random: Random): Int32Array {
  const last = rowCount - 2;
  const count = Math.min(PROBE_COUNT_DEFAULT, last + 1);
  const step = (last + 1) / count;
  const offset = random.split('probes').uniform();
  const rows = new Set(Array.from({ length: count }, (_, k) => Math.min(last, Math.floor((k + offset) * step))));
  return Int32Array.from(rows.add(last)).sort();
}

function timedColumns<Input extends TimedColumns>(rowCount: number, fixed: ReadonlySet<string>): CanaryInput<Input> {
  const change = (
    input: Input,
    replace: (values: TimedColumns[string], width: number) => TimedColumns[string],
  ): Input => {
    const changed: Record<string, TimedColumns[string]> = {};
    for (const [name, values] of Object.entries(input))
      changed[name] = fixed.has(name) ? values.slice() : replace(values, values.length / rowCount);
    // Same keys and element types as `input`; the type system cannot follow that through Object.entries.
    return changed as Input;
  };
  return {
    copy: (input) => change(input, (values) => values.slice()),
    truncate: (input, row) => change(input, (values, width) => values.slice(0, (row + 1) * width)),
    garble: (input, row, kind, random) =>
      change(input, (values, width) => {
        if (values instanceof Int32Array) return values.slice();
        const garbled = values.slice();
        if (garbled instanceof Uint8Array)
          for (let k = (row + 1) * width; k < garbled.length; k++) garbled[k] = random.integer(2);
        else garbleValues(garbled, row, width, kind, random);
        return garbled;
      }),
  };
}

/** Replaces rows after `row`. Garbage keeps signs where it can, so that positive prices stay positive. */
export function garbleValues(
  values: Float64Array,
  row: number,
  width: number,
  kind: Exclude<GarbleKind, 'truncated'>,
  random: Random,
): void {
  const start = (row + 1) * width;
  if (kind === 'shuffled') {
    const rows = values.length / width - row - 1;
    for (let k = rows - 1; k > 0; k--) swapRows(values, start, width, k, random.integer(k + 1));
    return;
  }
  for (let k = start; k < values.length; k++) {
    if (kind === 'missing') values[k] = Number.NaN;
    else if (kind === 'huge') values[k] = (values[k]! || 1) * 1e9 * (1 + random.uniform());
    else if (kind === 'tiny') values[k] = (values[k]! || 1) * 1e-9 * (1 + random.uniform());
    else values[k] = (values[k]! || 1) * Math.exp(random.normal());
  }
}

function swapRows(values: Float64Array, start: number, width: number, a: number, b: number): void {
  for (let i = 0; i < width; i++) {
    const kept = values[start + a * width + i]!;
    values[start + a * width + i] = values[start + b * width + i]!;
    values[start + b * width + i] = kept;
  }
}
