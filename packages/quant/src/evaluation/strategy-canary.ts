import { type CanaryCase, type CanaryVerdict, checkNoLookAhead, type TimedColumns } from './look-ahead-canary.ts';

/** What a strategy says it did. */
export type StrategyRun = {
  /** Row-major T × N fractions of wealth held from the close of t to the close of t + 1. */
  heldWeights: Float64Array;
  /** T simple returns before costs; row t from the close of t − 1 to the close of t. Row 0 is not looked at. */
  returnsGross: Float64Array;
};

export type StrategyCase<Input extends TimedColumns & { close: Float64Array }> = Omit<
  CanaryCase<Input>,
  'compute' | 'labelEnd'
> & {
  columnCount: number;
  run: (input: Input) => StrategyRun;
  fixed?: readonly string[];
};

const RETURN_TOLERANCE = 1e-9;

/**
 * Holds a strategy against its own future and against its own book.
 *
 * A return alone cannot show a look-ahead of the same day: the return of t may depend on the close of t, and with the
 * weights of t it does so wrongly. So the strategy shows what it held, and three things must be true: what was held after
 * close t does not depend on anything later; nor does the return of t; and the return of t + 1 is what the weights held
 * after t earned, Σ w(t) · (p(t + 1) / p(t) − 1), an instrument without a price earning nothing until it has one again.
 * Weights of t that are paid the return of t break the third; weights that are dated back break the first.
 *
 * @throws RangeError on the wrong shapes `checkNoLookAhead` names.
 */
export function checkStrategyNoLookAhead<Input extends TimedColumns & { close: Float64Array }>(
  strategyCase: StrategyCase<Input>,
): CanaryVerdict {
  const { columnCount, run, ...shared } = strategyCase;
  const held = checkNoLookAhead({ ...shared, compute: (input) => run(input).heldWeights });
  if (!held.ok) return held;
  const earned = checkNoLookAhead({ ...shared, compute: (input) => run(input).returnsGross });
  if (!earned.ok) return earned;
  const { heldWeights, returnsGross } = run(shared.input);
  const lastPrice = new Float64Array(columnCount).fill(Number.NaN);
  for (let t = 0; t < shared.rowCount; t++) {
    let expected = 0;
    for (let i = 0; i < columnCount; i++) {
      const price = shared.input.close[t * columnCount + i]!;
      if (!(price > 0)) continue;
      const weight = t > 0 ? heldWeights[(t - 1) * columnCount + i]! : 0;
      if (weight !== 0) expected += weight * (price / lastPrice[i]! - 1);
      lastPrice[i] = price;
    }
    const actual = returnsGross[t]!;
    if (t === 0 || Math.abs(actual - expected) <= RETURN_TOLERANCE) continue;
    return {
      ok: false,
      name: shared.name,
      day: shared.day?.[t] ?? null,
      row: t,
      column: 0,
      probeRow: t - 1,
      kind: 'accounting',
      expected,
      actual,
      sentence: `${shared.name} looks ahead: row ${t} is paid ${actual}, but what was held after the close before earned ${expected}.`,
    };
  }
  return { ...held, comparedCount: held.comparedCount + earned.comparedCount };
}
