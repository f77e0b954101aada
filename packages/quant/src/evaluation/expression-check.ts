import type { Expression } from '../expressions/compile-expression.ts';
import type { BarColumns } from '../indicators/indicator.ts';
import { createRandom } from '../random/random.ts';
import { checkNoLookAhead } from './look-ahead-canary.ts';

export type Badge = { passed: boolean; sentence: string };
export type ExpressionBadges = { canary: Badge; warmUp: Badge };

const SEED = 20_261_122;
const BARS_MIN = 320;
const BARS_MAX = 6_000;
/** Bars of which the value is looked at after everything has settled. */
const LOOKED_AT = 64;
/** Of the spread of the values. */
const SETTLED = 1e-6;

/**
 * Puts an expression to two tests on seeded bars. The canary: bars that come later, whatever they are, change no earlier
 * value, not in the last bit. The warm-up: no value comes before the warm-up told, and once what is told as memory has
 * passed, a series that begins later gives the same values, to 1e-6 of their spread.
 *
 * @throws what the expression throws.
 */
export function checkExpression(name: string, expression: Expression): ExpressionBadges {
  const settle = expression.memory.kind === 'recursive' ? expression.memory.settle : 0;
  const needed = expression.warmUp + settle + 3 * LOOKED_AT;
  const bars = testBars(Math.min(BARS_MAX, Math.max(BARS_MIN, 2 * needed)));
  return { canary: runCanary(name, expression, bars), warmUp: checkWarmUp(expression, bars) };
}

function runCanary(name: string, expression: Expression, bars: BarColumns): Badge {
  const { open, high, low, close, volume } = bars;
  const verdict = checkNoLookAhead({
    name,
    input: { open, high, low, close, volume },
    rowCount: close.length,
    compute: (input) => Float64Array.from(evaluate(expression, input)),
    random: createRandom(SEED).split('canary'),
    // Rows where something is known, and the last but one.
    probeRows: [0.35, 0.6, 0.85].map((part) => Math.floor(part * close.length)).concat(close.length - 2),
  });
  if (!verdict.ok) return { passed: false, sentence: verdict.sentence };
  const about = `Bars that came later changed none of ${verdict.comparedCount} values.`;
  return {
    passed: true,
    sentence: verdict.isSensitive ? about : `${about} It hardly reads its bars: this proves little.`,
  };
}

function checkWarmUp(expression: Expression, bars: BarColumns): Badge {
  const { warmUp, memory } = expression;
  const whole = evaluate(expression, bars);
  const first = whole.findIndex((value) => !Number.isNaN(value));
  if (first >= 0 && first < warmUp)
    return { passed: false, sentence: `A value came after ${first} bars already; the warm-up is told as ${warmUp}.` };
  if (memory.kind === 'cumulative')
    return { passed: true, sentence: tellFirst(first, warmUp, 'It remembers every bar.') };
  const settle = memory.kind === 'recursive' ? memory.settle : 0;
  const cut = Math.floor((bars.close.length - warmUp - settle - LOOKED_AT) / 2);
  if (cut < 1) return { passed: true, sentence: tellFirst(first, warmUp, 'It remembers longer than was looked at.') };
  const later = evaluate(expression, cutBars(bars, cut));
  const begin = cut + warmUp + settle;
  let [least, greatest, apart] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let i = begin; i < whole.length; i++) {
    const [a, b] = [whole[i]!, later[i - cut]!];
    if (Number.isNaN(a) !== Number.isNaN(b)) apart = Number.POSITIVE_INFINITY;
    if (Number.isNaN(a)) continue;
    least = Math.min(least, a);
    greatest = Math.max(greatest, a);
    apart = Math.max(apart, Math.abs(a - b));
  }
  const spread = Math.max(greatest - least, Number.MIN_VALUE);
  if (apart > SETTLED * spread)
    return {
      passed: false,
      sentence: `A start ${cut} bars later still shows ${settle} bars after the first value: it remembers more than it tells.`,
    };
  const remembers =
    settle === 0 ? `It remembers ${warmUp + 1} bars.` : `An earlier start no longer shows ${settle} bars later.`;
  return { passed: true, sentence: tellFirst(first, warmUp, remembers) };
}

function tellFirst(first: number, warmUp: number, remembers: string): string {
  if (first < 0) return `No value came on the test bars. ${remembers}`;
  return `The first value came after ${first} bars${first === warmUp ? ', as told' : ` (told: not before ${warmUp})`}. ${remembers}`;
}

function evaluate(expression: Expression, bars: BarColumns): Float64Array {
  return expression.evaluate({ bars, columns: new Map() });
}

function cutBars({ open, high, low, close, volume }: BarColumns, from: number): BarColumns {
  const cut = (column: Float64Array) => column.subarray(from);
  return { open: cut(open), high: cut(high), low: cut(low), close: cut(close), volume: cut(volume) };
}

/** Seeded daily bars without gaps: prices walk, volumes vary. */
export function testBars(length: number): BarColumns {
  const random = createRandom(SEED).split('bars');
  const make = () => new Float64Array(length);
  const bars = { open: make(), high: make(), low: make(), close: make(), volume: make() };
  let close = 100;
  for (let i = 0; i < length; i++) {
    const open = close * Math.exp(0.004 * random.normal());
    close = open * Math.exp(0.012 * random.normal());
    bars.open[i] = open;
    bars.close[i] = close;
    bars.high[i] = Math.max(open, close) * (1 + 0.004 * Math.abs(random.normal()));
    bars.low[i] = Math.min(open, close) * (1 - 0.004 * Math.abs(random.normal()));
    bars.volume[i] = Math.round(1e6 * Math.exp(0.4 * random.normal()));
  }
  return bars;
}
