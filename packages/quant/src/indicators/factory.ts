import { expect } from '../checks/expect.ts';
import type { BarColumn, BarColumns, Indicator, IndicatorFamily } from './indicator.ts';
import { advanceExtremes, extremesSize, markWarmUp } from './kernels.ts';

/** What a parameter may be. */
export type ParameterRange = {
  initial: number;
  min: number;
  max: number;
  /** Whole numbers only: a count of bars, or a choice. */
  isWhole: boolean;
};

/** A kind of indicator: with parameters it makes an `Indicator`. */
export type IndicatorFactory<Parameter extends string = string> = {
  name: string;
  title: string;
  family: IndicatorFamily;
  unit: Indicator['unit'];
  inputs: readonly BarColumn[];
  parameters: Readonly<Record<Parameter, ParameterRange>>;
  reference: Indicator['reference'];
  /**
   * @param values Parameters that differ from their initial value.
   * @throws RangeError if a parameter is unknown, outside its range, or not whole where it must be.
   */
  make(values?: Readonly<Partial<Record<Parameter, number>>>): Indicator;
};

/** What a family file tells of one indicator: the rest follows from its parameters. */
type Machine = {
  warmUp: number;
  memory: Indicator['memory'];
  stateSize: number;
  advance: Indicator['advance'];
};

type FactorySpec<Parameter extends string> = Omit<IndicatorFactory<Parameter>, 'make' | 'parameters'> & {
  parameters?: Readonly<Record<Parameter, ParameterRange>>;
  /** Endings of the names of several outputs. Absent: one output, with the indicator's own name. */
  outputs?: readonly string[];
  note?: string;
  machine(values: Readonly<Record<Parameter, number>>): Machine;
};

/** A factory whose indicators are named after it and its parameters, in the order they are told: `bbands_20_2_2`. */
export function factory<Parameter extends string = never>(spec: FactorySpec<Parameter>): IndicatorFactory<Parameter> {
  const { name, title, family, unit, inputs, reference } = spec;
  const parameters = spec.parameters ?? ({} as Record<Parameter, ParameterRange>);
  return {
    name,
    title,
    family,
    unit,
    inputs,
    parameters,
    reference,
    make(values) {
      const chosen = chooseParameters(name, parameters, values ?? ({} as Partial<Record<Parameter, number>>));
      const fullName = [name, ...Object.values<number>(chosen).map(nameNumber)].join('_');
      return {
        name: fullName,
        title,
        family,
        inputs,
        outputs: spec.outputs?.map((output) => `${fullName}_${output}`) ?? [fullName],
        parameters: chosen,
        unit,
        reference,
        ...(spec.note === undefined ? {} : { note: spec.note }),
        ...spec.machine(chosen),
      };
    },
  };
}

/** A count of bars. */
export function barCount(initial: number, min = 2, max = 1000): ParameterRange {
  return { initial, min, max, isWhole: true };
}

export function realNumber(initial: number, min: number, max: number): ParameterRange {
  return { initial, min, max, isWhole: false };
}

/** Agreement with TA-Lib, whose formulas, seeds and default unstable period of 0 are followed. */
export function talib(functions: string, tolerance = 1e-9): Indicator['reference'] {
  return { source: `TA-Lib ${functions}`, tolerance };
}

/** A definition of its source's own; `tolerance` where another library's golden values were met, 0 where none was found. */
export function defined(source: string, tolerance = 0): Indicator['reference'] {
  return { source, tolerance };
}

export const WINDOW: Indicator['memory'] = { kind: 'window' };
export const CUMULATIVE: Indicator['memory'] = { kind: 'cumulative' };

// The difference two starts make at first may be a few times the spread: settling to 1e-6 of it is counted to 1e-7.
const SETTLED = Math.log(1e7);

/** Memory of exponential averages in a row, each of `period` bars with weight 2 / (period + 1) for the newest. */
export function exponentialMemory(period: number, stages = 1): Indicator['memory'] {
  return decayMemory(1 - 2 / (period + 1), stages);
}

/** Memory of Wilder's averages in a row, each with weight 1 / period for the newest. */
export function wilderMemory(period: number, stages = 1): Indicator['memory'] {
  return decayMemory(1 - 1 / period, stages);
}

/** Memory that fades by the factor `decay` (0 to 1) with each bar. */
export function decayMemory(decay: number, stages = 1): Indicator['memory'] {
  // A start elsewhere shows through s stages as a polynomial of degree s - 1 times the decay: 0.35 more for each is enough.
  const settle = decay > 0 ? Math.ceil((SETTLED * (1 + 0.35 * (stages - 1))) / -Math.log(decay)) : 0;
  return { kind: 'recursive', settle };
}

/** The slower of several memories. */
export function slowest(...memories: Indicator['memory'][]): Indicator['memory'] {
  if (memories.some(({ kind }) => kind === 'cumulative')) return CUMULATIVE;
  const settles = memories.flatMap((memory) => (memory.kind === 'recursive' ? [memory.settle] : []));
  return settles.length === 0 ? WINDOW : { kind: 'recursive', settle: Math.max(...settles) };
}

/** An indicator whose value depends on this bar and the one `lag` bars before: `value(bars, i)`, without a state. */
export function perBar(
  lag: number,
  fill: (bars: BarColumns, from: number, to: number, out: Float64Array) => void,
): Machine {
  return {
    warmUp: lag,
    memory: WINDOW,
    stateSize: 0,
    advance(bars, from, to, _state, out) {
      const y = out[0]!;
      const first = Math.max(from, lag);
      for (let i = from; i < Math.min(first, to); i++) y[i - from] = Number.NaN;
      fill(bars, from, to, y);
    },
  };
}

// Bars that are gone over at once where a kernel needs room for values in between.
const BLOCK = 512;
const HIGHEST = new Float64Array(BLOCK);
const LOWEST = new Float64Array(BLOCK);

/**
 * An indicator made from the highest `upper` and the lowest `lower` of the last `period` bars.
 *
 * @param value Fills `y[i − from]` for bars `start..end − 1`, whose extremes are at `[i − start]`.
 */
export function perRange(
  period: number,
  upper: BarColumn,
  lower: BarColumn,
  value: (
    bars: BarColumns,
    span: { start: number; end: number; from: number },
    highest: Float64Array,
    lowest: Float64Array,
    y: Float64Array,
  ) => void,
): Machine {
  return {
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: extremesSize(period),
    advance(bars, from, to, state, out) {
      const y = out[0]!;
      for (let start = from; start < to; start += BLOCK) {
        const end = Math.min(to, start + BLOCK);
        advanceExtremes(bars[upper], bars[lower], period, start, end, state, HIGHEST, LOWEST);
        value(bars, { start, end, from }, HIGHEST, LOWEST, y);
      }
      markWarmUp(period - 1, from, to, out);
    },
  };
}

function chooseParameters<Parameter extends string>(
  name: string,
  ranges: Readonly<Record<Parameter, ParameterRange>>,
  values: Readonly<Partial<Record<Parameter, number>>>,
): Record<Parameter, number> {
  const known = Object.keys(ranges);
  for (const key of Object.keys(values))
    expect(known.includes(key), `${name} has the parameters ${known.join(', ') || '(none)'}, not ${key}`);
  const chosen: Partial<Record<Parameter, number>> = {};
  for (const key in ranges) {
    const { initial, min, max, isWhole } = ranges[key];
    const value = values[key] ?? initial;
    expect(value >= min && value <= max, `${name}: ${key} must be in ${min}..${max}, was ${value}`);
    expect(!isWhole || Number.isInteger(value), `${name}: ${key} must be a whole number, was ${value}`);
    chosen[key] = value;
  }
  return chosen as Record<Parameter, number>;
}

/** Numbers in names have no dot, because names become columns of tables: 0.02 is `0p02`, −1 is `m1`. */
function nameNumber(value: number): string {
  return String(value).replace('-', 'm').replace('.', 'p');
}
