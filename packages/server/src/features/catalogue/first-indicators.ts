import type { Indicator } from '@touchstone/quant/indicators/indicator';

type Factory = {
  name: string;
  parameters: Record<string, { initial: number }>;
  make(values?: Record<string, number>): Indicator;
};
function one(
  name: string,
  initial: number,
  warm: (n: number) => number,
  at: (close: Float64Array, i: number, n: number) => number,
  family: Indicator['family'],
): Factory {
  return {
    name,
    parameters: { period: { initial } },
    make({ period = initial } = {}) {
      if (!(Number.isInteger(period) && period >= 2))
        throw new RangeError(`period must be a whole number from 2, was ${period}`);
      const warmUp = warm(period);
      return {
        name: `${name}_${period}`,
        title: name,
        family,
        inputs: ['close'],
        outputs: [`${name}_${period}`],
        parameters: { period },
        warmUp,
        memory: { kind: 'window' },
        unit: 'price',
        reference: { source: 'definition', tolerance: 0 },
        stateSize: 0,
        advance({ close }, from, to, _state, out) {
          for (let i = from; i < to; i++) out[0]![i - from] = i < warmUp ? Number.NaN : at(close, i, period);
        },
      };
    },
  };
}
export const INDICATOR_FACTORIES: readonly Factory[] = [
  one(
    'sma',
    20,
    (n) => n - 1,
    (close, i, n) => {
      let sum = 0;
      for (let k = i - n + 1; k <= i; k++) sum += close[k]!;
      return sum / n;
    },
    'overlap',
  ),
  one(
    'mom',
    10,
    (n) => n,
    (close, i, n) => close[i]! - close[i - n]!,
    'momentum',
  ),
  one(
    'roc',
    10,
    (n) => n,
    (close, i, n) => close[i]! / close[i - n]! - 1,
    'momentum',
  ),
];
export const ALL_INDICATORS: readonly Indicator[] = INDICATOR_FACTORIES.map((factory) => factory.make());
