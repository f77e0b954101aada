import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkExpression, testBars } from '../evaluation/expression-check.ts';
import type { BarColumns, Indicator } from '../indicators/indicator.ts';
import {
  compileExpression,
  EXPRESSION_FUNCTIONS,
  type Expression,
  type IndicatorCatalogue,
} from './compile-expression.ts';
import { nearestName } from './nearest-name.ts';
import { parseExpression } from './parse-expression.ts';
import { exponentialMean, rollingRank, rollingStd } from './rolling.ts';

const gap: Indicator = {
  ...{ name: 'gap_1', title: 'Gap', family: 'price', inputs: ['open', 'close'], outputs: ['gap_1', 'gap_1_sign'] },
  ...{ parameters: { lag: 1 }, warmUp: 1, memory: { kind: 'window' }, unit: 'price', stateSize: 0 },
  reference: { source: 'definition', tolerance: 0 },
  advance({ open, close }, from, to, _state, out) {
    for (let i = from; i < to; i++) {
      const value = i === 0 ? Number.NaN : open[i]! - close[i - 1]!;
      out[0]![i - from] = value;
      out[1]![i - from] = Math.sign(value);
    }
  },
};
const CATALOGUE: IndicatorCatalogue = {
  findOutput: (name) =>
    gap.outputs.includes(name) ? { indicator: gap, output: gap.outputs.indexOf(name) } : undefined,
  outputNames: gap.outputs,
  factoryNames: ['gap'],
  make(_name, [lag]) {
    if (lag !== 1) throw new RangeError(`lag must be 1, was ${lag}`);
    return gap;
  },
};

function compiled(text: string): Expression {
  const compilation = compileExpression(text, CATALOGUE);
  assert.ok(compilation.ok, compilation.ok ? '' : compilation.fault.sentence);
  return compilation.expression;
}
function values(text: string, bars: BarColumns): number[] {
  return [...compiled(text).evaluate({ bars, columns: new Map() })];
}
function faultOf(text: string) {
  const compilation = compileExpression(text, CATALOGUE);
  assert.ok(!compilation.ok, `${text} must be refused`);
  return compilation.fault;
}
function closes(...close: number[]): BarColumns {
  const column = Float64Array.from(close);
  return { open: column, high: column, low: column, close: column, volume: column };
}

test('numbers, columns and operators mean what they mean on paper', () => {
  const bars = closes(2, 4, 8);
  assert.deepEqual(values('1 + 2 * close', bars), [5, 9, 17]);
  assert.deepEqual(values('-close ^ 2', bars), [-4, -16, -64]);
  assert.deepEqual(values('2 ^ 3 ^ 2 - 510', bars), [2, 2, 2]);
  assert.deepEqual(values('(close - 2) / 2 - 1', bars), [-1, 0, 2]);
  assert.deepEqual(values('close > 2 and not close > 4', bars), [0, 1, 0]);
  assert.deepEqual(values('close < 3 or close == 8', bars), [1, 0, 1]);
  assert.deepEqual(values('where(close >= 4, least(close, 5), 0)', bars), [0, 4, 5]);
});

test('windows give one value for each bar from their own last values, and none before', () => {
  const bars = closes(1, 3, 2, 6);
  assert.deepEqual(values('sum(close, 2)', bars), [Number.NaN, 4, 5, 8]);
  assert.deepEqual(values('max(close, 3) - min(close, 3)', bars), [Number.NaN, Number.NaN, 2, 4]);
  assert.deepEqual(values('lag(close, 1)', bars), [Number.NaN, 1, 3, 2]);
  assert.deepEqual(values('change(close, 2)', bars), [Number.NaN, Number.NaN, 1, 1]);
  assert.deepEqual([...rollingRank(Float64Array.of(1, 3, 3, 2), 4)].at(-1), 0.5);
  // Squares of the distances from the mean 3: 4 + 0 + 4, divided by 2.
  assert.equal(rollingStd(Float64Array.of(1, 3, 5), 3)[2], 2);
  // The first value is the mean of 2 and 4; then two thirds of the way to 9.
  assert.deepEqual([...exponentialMean(Float64Array.of(2, 4, 9), 2)], [Number.NaN, 3, 7]);
});

test('a missing bar, a division by zero and an infinity have no value, and spoil no later window', () => {
  const bars = closes(1, Number.NaN, 3, 4, 5);
  assert.deepEqual(values('mean(close, 2)', bars), [Number.NaN, Number.NaN, Number.NaN, 3.5, 4.5]);
  assert.deepEqual(values('1 / (close - 3)', bars).map(Number.isNaN), [false, true, true, false, false]);
  assert.deepEqual(values('ema(close, 2)', bars).map(Number.isNaN), [true, true, true, false, false]);
  assert.deepEqual(values('log(close - 4)', bars).map(Number.isNaN), [true, true, true, true, false]);
});

test('what a condition does not choose may be missing, but not for want of bars', () => {
  const bars = closes(1, -2, 3, 4);
  assert.deepEqual(values('where(close > 0, close ^ 0.5, 0)', bars), [1, 0, 3 ** 0.5, 2]);
  assert.deepEqual(values('where(close > 100, mean(close, 3), 7)', bars), [Number.NaN, Number.NaN, 7, 7]);
  const { canary, warmUp } = checkExpression('chosen', compiled('where(close > open, rank(volume, 40), 0)'));
  assert.ok(canary.passed && warmUp.passed, warmUp.sentence);
});

test('an indicator is named by its column, or made with numbers of one’s own and one of its outputs', () => {
  const bars = { ...closes(10, 12, 11), open: Float64Array.of(10, 11, 12) };
  assert.deepEqual(values('gap_1', bars), [Number.NaN, 1, 0]);
  assert.deepEqual(values('gap(1).sign * 2', bars), [Number.NaN, 2, 0]);
  assert.deepEqual(compiled('gap_1 / lag(close, 3)').inputs, ['open', 'close']);
  assert.match(faultOf('gap(2)').sentence, /lag must be 1, was 2/);
  assert.match(faultOf('gap(1).size').sentence, /has no output size/);
  assert.match(faultOf('mean(close, 2).x').sentence, /has none/);
});

test('a look ahead, an unknown name and a wrong argument are refused with the part that is wrong', () => {
  for (const [text, part, reason] of [
    ['close / lead(close, 2)', 'lead(close, 2)', 'look_ahead'],
    ['mean(lag(close, -1), 3)', 'lag(close, -1)', 'look_ahead'],
    ['mean(close, close)', 'close', 'wrong_arguments'],
    ['mean(close, 2.5)', '2.5', 'wrong_arguments'],
    ['mean(close)', 'mean(close)', 'wrong_arguments'],
    ['std(close, 1)', '1', 'wrong_arguments'],
    ['clse + 1', 'clse', 'unknown_name'],
    ['constructor(close, 2)', 'constructor(close, 2)', 'unknown_name'],
    ['fetch(close)', 'fetch(close)', 'unknown_name'],
    ['close; 1', ';', 'syntax'],
    ['close 1', '1', 'syntax'],
    ['"text"', '"', 'syntax'],
    ['', '', 'syntax'],
  ] as const) {
    const fault = faultOf(text);
    assert.deepEqual([fault.part, fault.reason], [part, reason], text);
    assert.equal(text.slice(fault.position, fault.position + part.length), part);
  }
  assert.match(faultOf('clse').sentence, /Did you mean close\?/);
  const wide = Array.from({ length: 13 }, (_, k) => `mean(close, ${2_520 - k})`).join(' + ');
  assert.equal(faultOf(wide).reason, 'too_costly');
  assert.equal(faultOf(`${'('.repeat(80)}1${')'.repeat(80)}`).reason, 'syntax');
});

test('whatever is written, it compiles or is refused with a sentence, and never throws', () => {
  const words = [
    'close',
    'mean',
    '(',
    ')',
    ',',
    '1',
    '20',
    '-',
    '*',
    'where',
    'lag',
    'gap_1',
    '.',
    'not',
    '^',
    '<',
    ' ',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 14 }), (parts) => {
      const compilation = compileExpression(parts.join(''), CATALOGUE);
      if (!compilation.ok) assert.ok(compilation.fault.sentence.length > 0);
    }),
    { numRuns: 400 },
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseExpression(text);
    }),
    { numRuns: 200 },
  );
});

test('every function of the language looks back only and tells its warm-up and memory truly', () => {
  for (const { name, signature } of EXPRESSION_FUNCTIONS) {
    const takesWindow = signature.endsWith(', n)');
    const text =
      name === 'where'
        ? 'where(close > open, close, open)'
        : `${name}(close${takesWindow ? ', 7' : signature.endsWith('(a, b)') ? ', open' : ''})`;
    const { canary, warmUp } = checkExpression(name, compiled(text));
    assert.ok(canary.passed, canary.sentence);
    assert.ok(warmUp.passed, warmUp.sentence);
  }
});

test('the checks find an expression that peeks, and one that remembers more than it tells', () => {
  const honest = compiled('mean(close, 5)');
  const peeking: Expression = {
    ...honest,
    evaluate: ({ bars }) => bars.close.map((_, i) => bars.close[i + 1] ?? Number.NaN),
  };
  assert.equal(checkExpression('peeking', { ...peeking, warmUp: 0 }).canary.passed, false);
  assert.equal(checkExpression('early', { ...honest, warmUp: 9 }).warmUp.passed, false);
  const endless: Expression = {
    ...honest,
    warmUp: 0,
    evaluate({ bars }) {
      let sum = 0;
      return bars.close.map((close) => (sum += close));
    },
  };
  assert.equal(checkExpression('endless', endless).warmUp.passed, false);
});

test('a value does not depend on the bars that come after it, nor on what else is computed beside it', () => {
  const bars = testBars(200);
  const texts = ['ema(close, 9) - mean(close, 9)', 'rank(volume, 10)', 'gap_1 / std(close, 20)'];
  const scope = { bars, columns: new Map<string, Float64Array>() };
  for (const text of texts) {
    const whole = compiled(text).evaluate(scope);
    for (const length of [30, 77, 199]) {
      const cut = (column: Float64Array) => column.slice(0, length);
      const { open, high, low, close, volume } = bars;
      const part = { open: cut(open), high: cut(high), low: cut(low), close: cut(close), volume: cut(volume) };
      assert.deepEqual(compiled(text).evaluate({ bars: part, columns: new Map() }), whole.slice(0, length));
    }
  }
});

test('the nearest known name is told when it is near enough to have been meant', () => {
  assert.equal(nearestName('sma_21', ['ema_9', 'sma_20', 'rsi_14']), 'sma_20');
  assert.equal(nearestName('volumes', ['volume', 'close']), 'volume');
  assert.equal(nearestName('xyz', ['volume', 'close']), null);
});
