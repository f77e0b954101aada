import type { BarColumn, BarColumns, Indicator } from '../indicators/indicator.ts';
import { runInto } from '../indicators/indicator.ts';
import { nearestName } from './nearest-name.ts';
import { type BinaryOperator, type Node, parseExpression } from './parse-expression.ts';
import {
  changeOver,
  exponentialMean,
  finite,
  lagged,
  type Rolling,
  rollingMax,
  rollingMean,
  rollingMin,
  rollingRank,
  rollingStd,
  rollingSum,
} from './rolling.ts';

/** The indicators an expression may name. */
export type IndicatorCatalogue = {
  /** By the name of one of its columns, `macd_12_26_9_signal`. */
  findOutput(name: string): { indicator: Indicator; output: number } | undefined;
  /** With parameters of one's own, `sma(17)`. @throws RangeError naming what is wrong with the numbers. */
  make(name: string, parameters: readonly number[]): Indicator | undefined;
  outputNames: readonly string[];
  factoryNames: readonly string[];
};

export type Memory = Indicator['memory'];

/** An expression that can be computed. Equal keys compute the same. */
export type Expression = {
  key: string;
  inputs: readonly BarColumn[];
  /** Bars that must come before the first value. */
  warmUp: number;
  memory: Memory;
  unit: Indicator['unit'] | null;
  /** One value for each bar, NaN where undefined. The column is shared within the scope: do not write into it. */
  evaluate(scope: Scope): Float64Array;
};

/** The bars an evaluation is about, and what was computed of them so far. */
export type Scope = {
  bars: BarColumns;
  columns: Map<string, Float64Array>;
  /** Gives room for a column of as many values as there are bars, with anything in it. Default: fresh memory. */
  room?: () => Float64Array;
  /** Whether no bar misses anything; found out when first needed. */
  isWhole?: boolean;
};

export type ExpressionFault = {
  part: string;
  position: number;
  reason: 'syntax' | 'unknown_name' | 'look_ahead' | 'wrong_arguments' | 'too_costly';
  sentence: string;
};
export type Compilation = { ok: true; expression: Expression } | { ok: false; fault: ExpressionFault };

/** Ten years of daily bars. */
const WINDOW_MAX = 2_520;
/** Steps a bar: the widest window in use, and all the others, stay below a second for fifty years of bars. */
const COST_MAX = 30_000;
// The difference two starts make may be a few times the spread at first: settling to 1e-6 of it is counted to 1e-7.
const SETTLED = 1e-7;
const COLUMNS: readonly BarColumn[] = ['open', 'high', 'low', 'close', 'volume'];

type RollingFunction = { run: Rolling; warmUp(n: number): number; least: number; cost(n: number): number };
const ROLLING: Readonly<Record<string, RollingFunction>> = {
  sum: windowed(rollingSum, 1),
  mean: windowed(rollingMean, 1),
  std: windowed(rollingStd, 2),
  min: windowed(rollingMin, 1),
  max: windowed(rollingMax, 1),
  rank: windowed(rollingRank, 1),
  ema: { run: exponentialMean, warmUp: (n) => n - 1, least: 1, cost: () => 2 },
  lag: { run: lagged, warmUp: (n) => n, least: 0, cost: () => 1 },
  change: { run: changeOver, warmUp: (n) => n, least: 1, cost: () => 2 },
};
const POINTWISE: Readonly<Record<string, { arity: number; apply(a: number, b: number, c: number): number }>> = {
  abs: { arity: 1, apply: Math.abs },
  log: { arity: 1, apply: Math.log },
  exp: { arity: 1, apply: Math.exp },
  sqrt: { arity: 1, apply: Math.sqrt },
  sign: { arity: 1, apply: Math.sign },
  least: { arity: 2, apply: (a, b) => Math.min(a, b) },
  greatest: { arity: 2, apply: (a, b) => Math.max(a, b) },
};
const OPERATORS: Readonly<Record<BinaryOperator, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '^': (a, b) => a ** b,
  '<': (a, b) => Number(a < b),
  '<=': (a, b) => Number(a <= b),
  '>': (a, b) => Number(a > b),
  '>=': (a, b) => Number(a >= b),
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
  and: (a, b) => Number(a !== 0 && b !== 0),
  or: (a, b) => Number(a !== 0 || b !== 0),
};
/** What other languages call a look into the future. */
const AHEAD = new Set(['lead', 'future', 'next', 'ahead', 'forward']);

/** What may be called beside indicators, for people. */
export const EXPRESSION_FUNCTIONS: readonly { name: string; signature: string; summary: string }[] = [
  { name: 'sum', signature: 'sum(x, n)', summary: 'Sum of the last n values.' },
  { name: 'mean', signature: 'mean(x, n)', summary: 'Mean of the last n values.' },
  { name: 'std', signature: 'std(x, n)', summary: 'Sample standard deviation of the last n values, n at least 2.' },
  { name: 'min', signature: 'min(x, n)', summary: 'Least of the last n values.' },
  { name: 'max', signature: 'max(x, n)', summary: 'Greatest of the last n values.' },
  {
    name: 'rank',
    signature: 'rank(x, n)',
    summary: 'Rank of the value among the last n as a fraction, 1 is greatest.',
  },
  { name: 'ema', signature: 'ema(x, n)', summary: 'Exponential moving average, weight 2 / (n + 1).' },
  { name: 'lag', signature: 'lag(x, n)', summary: 'The value n bars ago.' },
  { name: 'change', signature: 'change(x, n)', summary: 'x over its value n bars ago, less one.' },
  { name: 'where', signature: 'where(condition, a, b)', summary: 'a where the condition is not 0, else b.' },
  { name: 'abs', signature: 'abs(x)', summary: 'Absolute value.' },
  { name: 'log', signature: 'log(x)', summary: 'Natural logarithm.' },
  { name: 'exp', signature: 'exp(x)', summary: 'e to the power of x.' },
  { name: 'sqrt', signature: 'sqrt(x)', summary: 'Square root.' },
  { name: 'sign', signature: 'sign(x)', summary: '−1, 0 or 1.' },
  { name: 'least', signature: 'least(a, b)', summary: 'The lesser of two values of the same bar.' },
  { name: 'greatest', signature: 'greatest(a, b)', summary: 'The greater of two values of the same bar.' },
];

class Refusal extends Error {
  readonly node: Node;
  readonly reason: ExpressionFault['reason'];
  constructor(node: Node, reason: ExpressionFault['reason'], sentence: string) {
    super(sentence);
    this.node = node;
    this.reason = reason;
  }
}

type Part = Expression & { cost: number };

/**
 * Makes an expression of columns, indicators and rolling functions computable.
 *
 * There is no way in it to name a later bar, to repeat without end, or to reach anything but the bars: what is not in
 * the catalogue or in `EXPRESSION_FUNCTIONS` does not exist. Comparisons give 1 or 0. A missing operand gives a missing
 * value; so do infinities. Never throws.
 */
export function compileExpression(text: string, catalogue: IndicatorCatalogue): Compilation {
  const parsed = parseExpression(text);
  if (!parsed.ok) {
    const { start, end, sentence } = parsed.fault;
    return { ok: false, fault: { part: text.slice(start, end), position: start, reason: 'syntax', sentence } };
  }
  try {
    const { cost, ...expression } = compile(parsed.node, catalogue);
    if (cost > COST_MAX)
      throw new Refusal(
        parsed.node,
        'too_costly',
        `Its windows add up to ${cost} steps a bar; at most ${COST_MAX} are allowed.`,
      );
    return { ok: true, expression };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { node, reason, message } = error;
    return {
      ok: false,
      fault: { part: text.slice(node.start, node.end), position: node.start, reason, sentence: message },
    };
  }
}

function compile(node: Node, catalogue: IndicatorCatalogue): Part {
  switch (node.kind) {
    case 'number':
      return {
        ...plain(String(node.value), [], 0),
        evaluate: kept(String(node.value), ({ bars }) => new Float64Array(bars.close.length).fill(node.value)),
      };
    case 'name':
      return compileName(node, node.name, catalogue);
    case 'unary': {
      const argument = compile(node.argument, catalogue);
      const apply = node.operator === '-' ? (a: number) => -a : (a: number) => Number(a === 0);
      return pointwise(node.operator, [argument], apply);
    }
    case 'binary':
      return pointwise(
        node.operator,
        [compile(node.left, catalogue), compile(node.right, catalogue)],
        OPERATORS[node.operator],
      );
    case 'call':
      return compileCall(node, catalogue);
  }
}

function compileName(node: Node, name: string, catalogue: IndicatorCatalogue): Part {
  const column = COLUMNS.find((known) => known === name);
  if (column !== undefined) {
    const unit = column === 'volume' ? 'shares' : 'price';
    return { ...plain(name, [column], 0), unit, evaluate: ({ bars }) => bars[column] };
  }
  const found = catalogue.findOutput(name);
  if (found === undefined) throw unknown(node, name, [...COLUMNS, ...catalogue.outputNames]);
  return ofIndicator(found.indicator, found.output);
}

function compileCall(node: Node & { kind: 'call' }, catalogue: IndicatorCatalogue): Part {
  const { name, args, output } = node;
  const numbers = args.map(literalOf);
  if (AHEAD.has(name)) {
    const by = numbers[1] ?? 1;
    throw new Refusal(
      node,
      'look_ahead',
      `${name} looks ${by} ${by === 1 ? 'bar' : 'bars'} ahead; nobody knows that bar yet.`,
    );
  }
  const isFactory = catalogue.factoryNames.includes(name) && numbers.every((value) => value !== null);
  if (isFactory)
    return ofFactory(
      node,
      numbers.flatMap((value) => value ?? []),
      catalogue,
    );
  if (output !== null) throw new Refusal(node, 'wrong_arguments', `Only an indicator has outputs; ${name} has none.`);
  if (name === 'where') return compileWhere(node, catalogue);
  const simple = Object.hasOwn(POINTWISE, name) ? POINTWISE[name] : undefined;
  if (simple !== undefined) {
    expectCount(node, simple.arity);
    const { apply } = simple;
    return pointwise(
      name,
      args.map((arg) => compile(arg, catalogue)),
      (a, b) => apply(a, b, 0),
    );
  }
  const rolling = Object.hasOwn(ROLLING, name) ? ROLLING[name] : undefined;
  if (rolling !== undefined) return compileRolling(node, rolling, catalogue);
  throw unknown(node, name, [...EXPRESSION_FUNCTIONS.map((known) => known.name), ...catalogue.factoryNames]);
}

function ofFactory(node: Node & { kind: 'call' }, numbers: readonly number[], catalogue: IndicatorCatalogue): Part {
  let indicator: Indicator | undefined;
  try {
    indicator = catalogue.make(node.name, numbers);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Refusal(node, 'wrong_arguments', `${node.name}: ${error.message}.`);
  }
  if (indicator === undefined) throw unknown(node, node.name, catalogue.factoryNames);
  if (node.output === null) return ofIndicator(indicator, 0);
  const wanted = node.output;
  const output = indicator.outputs.findIndex((name) => name === wanted || name.endsWith(`_${wanted}`));
  if (output < 0)
    throw new Refusal(
      node,
      'unknown_name',
      `${indicator.name} has no output ${wanted}. It has ${indicator.outputs.join(', ')}.`,
    );
  return ofIndicator(indicator, output);
}

function ofIndicator(indicator: Indicator, output: number): Part {
  const key = indicator.outputs[output]!;
  return {
    ...{ key, inputs: indicator.inputs, warmUp: indicator.warmUp, memory: indicator.memory, unit: indicator.unit },
    cost: indicator.warmUp + 1,
    evaluate(scope) {
      const known = scope.columns.get(key);
      if (known !== undefined) return known;
      // All columns of an indicator come at once.
      const out = indicator.outputs.map(() => scope.room?.() ?? new Float64Array(scope.bars.close.length));
      // Bars without gaps are looked through once for all indicators instead of once for each.
      scope.isWhole ??= COLUMNS.every((column) => !scope.bars[column].includes(Number.NaN));
      if (scope.isWhole)
        indicator.advance(scope.bars, 0, scope.bars.close.length, new Float64Array(indicator.stateSize), out);
      else runInto(indicator, scope.bars, out);
      for (const [k, column] of out.entries()) {
        dropInfinite(column);
        scope.columns.set(indicator.outputs[k]!, column);
      }
      return scope.columns.get(key)!;
    },
  };
}

function dropInfinite(column: Float64Array): void {
  for (let i = 0; i < column.length; i++) {
    // The difference of an infinity with itself is NaN; of everything else it is 0 or NaN already.
    const value = column[i]!;
    if (value - value !== 0) column[i] = Number.NaN;
  }
}

function compileWhere(node: Node & { kind: 'call' }, catalogue: IndicatorCatalogue): Part {
  expectCount(node, 3);
  const parts = node.args.map((arg) => compile(arg, catalogue));
  const key = `where(${parts.map((part) => part.key).join(',')})`;
  const part = joined(key, parts, 0);
  return {
    ...part,
    evaluate: kept(key, (scope) => {
      const [condition, a, b] = parts.map((each) => each.evaluate(scope));
      // What is not chosen may be missing, but not for want of bars: else one side would speak before the other can.
      return condition!.map((is, i) => (Number.isNaN(is) || i < part.warmUp ? Number.NaN : is !== 0 ? a![i]! : b![i]!));
    }),
  };
}

function compileRolling(node: Node & { kind: 'call' }, rolling: RollingFunction, catalogue: IndicatorCatalogue): Part {
  const { name } = node;
  expectCount(node, 2);
  const n = literalOf(node.args[1]!);
  if (n === null || !Number.isInteger(n))
    throw new Refusal(
      node.args[1]!,
      'wrong_arguments',
      `The second argument of ${name} must be a whole number of bars, written out.`,
    );
  if (n < 0)
    throw new Refusal(
      node,
      'look_ahead',
      `${name} with ${n} looks ${-n} ${n === -1 ? 'bar' : 'bars'} ahead; nobody knows that bar yet.`,
    );
  if (n < rolling.least || n > WINDOW_MAX)
    throw new Refusal(
      node.args[1]!,
      'wrong_arguments',
      `The window of ${name} must be ${rolling.least} to ${WINDOW_MAX} bars, was ${n}.`,
    );
  const x = compile(node.args[0]!, catalogue);
  const key = `${name}(${x.key},${n})`;
  const part = joined(key, [x], rolling.warmUp(n));
  const memory: Memory = name === 'ema' ? recursive(part.memory, settleOf(n)) : part.memory;
  return {
    ...part,
    memory,
    cost: x.cost + rolling.cost(n),
    evaluate: kept(key, (scope) => rolling.run(x.evaluate(scope), n)),
  };
}

function pointwise(name: string, parts: readonly Part[], apply: (a: number, b: number) => number): Part {
  const key = `${name}(${parts.map((part) => part.key).join(',')})`;
  return {
    ...joined(key, parts, 0),
    evaluate: kept(key, (scope) => {
      const [a, b = a] = parts.map((part) => part.evaluate(scope));
      const out = new Float64Array(a!.length);
      for (let i = 0; i < out.length; i++) {
        const isMissing = Number.isNaN(a![i]!) || Number.isNaN(b![i]!);
        out[i] = isMissing ? Number.NaN : finite(apply(a![i]!, b![i]!));
      }
      return out;
    }),
  };
}

/** Within a scope a part is computed once, however often it is written. */
function kept(key: string, compute: (scope: Scope) => Float64Array): Expression['evaluate'] {
  return (scope) => {
    const known = scope.columns.get(key);
    if (known !== undefined) return known;
    const column = compute(scope);
    scope.columns.set(key, column);
    return column;
  };
}

function plain(key: string, inputs: readonly BarColumn[], warmUp: number): Omit<Part, 'evaluate'> {
  return { key, inputs, warmUp, memory: { kind: 'window' }, unit: null, cost: 1 };
}

function joined(key: string, parts: readonly Part[], more: number): Omit<Part, 'evaluate'> {
  const memories = parts.map((part) => part.memory);
  return {
    key,
    inputs: COLUMNS.filter((column) => parts.some((part) => part.inputs.includes(column))),
    warmUp: Math.max(...parts.map((part) => part.warmUp)) + more,
    memory: memories.reduce((a, b) => wider(a, b, more)),
    unit: null,
    cost: parts.reduce((sum, part) => sum + part.cost, 1),
  };
}

/** What remembers longer. A window over something recursive settles later by its own length. */
function wider(a: Memory, b: Memory, more: number): Memory {
  if (a.kind === 'cumulative' || b.kind === 'cumulative') return { kind: 'cumulative' };
  if (a.kind === 'window' && b.kind === 'window') return a;
  const settle = (memory: Memory) => (memory.kind === 'recursive' ? memory.settle : 0);
  return { kind: 'recursive', settle: Math.max(settle(a), settle(b)) + more };
}

function recursive(memory: Memory, settle: number): Memory {
  if (memory.kind === 'cumulative') return memory;
  return { kind: 'recursive', settle: settle + (memory.kind === 'recursive' ? memory.settle : 0) };
}

function settleOf(n: number): number {
  return n === 1 ? 0 : Math.ceil(Math.log(SETTLED) / Math.log(1 - 2 / (n + 1)));
}

function windowed(run: Rolling, least: number): RollingFunction {
  return { run, warmUp: (n) => n - 1, least, cost: (n) => n };
}

function literalOf(node: Node): number | null {
  if (node.kind === 'number') return node.value;
  if (node.kind === 'unary' && node.operator === '-' && node.argument.kind === 'number') return -node.argument.value;
  return null;
}

function expectCount(node: Node & { kind: 'call' }, count: number): void {
  if (node.args.length === count) return;
  const written = count === 1 ? 'one argument' : `${count} arguments`;
  throw new Refusal(node, 'wrong_arguments', `${node.name} takes ${written}, was given ${node.args.length}.`);
}

function unknown(node: Node, name: string, known: Iterable<string>): Refusal {
  const near = nearestName(name, known);
  const meant = near === null ? 'An expression reaches columns, indicators and functions only' : `Did you mean ${near}`;
  return new Refusal(node, 'unknown_name', `There is no ${name}. ${meant}${near === null ? '.' : '?'}`);
}
