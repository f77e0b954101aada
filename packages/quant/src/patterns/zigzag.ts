import { expect } from '../checks/expect.ts';

/** A turning point and the bar on which it could first be told from noise. */
export type Pivot = { bar: number; confirmationBar: number; isHigh: boolean };

/**
 * Turning points found one bar at a time. A high is confirmed when the price has fallen from it by the threshold of that
 * bar, a low when it has risen; highs and lows alternate. What was confirmed is never taken back.
 */
export type Zigzag = {
  /** Bars of the confirmed turning points, oldest first; the last `kept` of them. */
  readonly bars: number[];
  /** 1 while the last confirmed turning point is a low, −1 while it is a high, 0 before the first. */
  direction: 1 | -1 | 0;
  highBar: number;
  lowBar: number;
};

export function createZigzag(): Zigzag {
  return { bars: [], direction: 0, highBar: -1, lowBar: -1 };
}

/**
 * Takes in bar `t` of `values`. Bars must come in order, each once.
 *
 * @param threshold Size of the move that confirms, > 0, in the units of `values`.
 * @returns True when this bar confirmed a turning point.
 */
export function advanceZigzag(zigzag: Zigzag, values: Float64Array, t: number, threshold: number): boolean {
  const value = values[t]!;
  if (zigzag.highBar < 0 || value > values[zigzag.highBar]!) zigzag.highBar = t;
  if (zigzag.lowBar < 0 || value < values[zigzag.lowBar]!) zigzag.lowBar = t;
  const fell = values[zigzag.highBar]! - value >= threshold;
  const rose = value - values[zigzag.lowBar]! >= threshold;
  if (zigzag.direction >= 0 && fell && (zigzag.direction === 1 || zigzag.highBar > zigzag.lowBar || !rose)) {
    zigzag.bars.push(zigzag.highBar);
    zigzag.direction = -1;
    zigzag.lowBar = t;
    return true;
  }
  if (zigzag.direction <= 0 && rose) {
    zigzag.bars.push(zigzag.lowBar);
    zigzag.direction = 1;
    zigzag.highBar = t;
    return true;
  }
  return false;
}

/**
 * All turning points of a series with one threshold.
 *
 * @throws RangeError if the threshold is not positive.
 */
export function zigzagPivots(values: Float64Array, threshold: number): Pivot[] {
  expect(threshold > 0, `the threshold must be positive, was ${threshold}`);
  const zigzag = createZigzag();
  const pivots: Pivot[] = [];
  for (let t = 0; t < values.length; t++)
    if (advanceZigzag(zigzag, values, t, threshold))
      pivots.push({ bar: zigzag.bars.at(-1)!, confirmationBar: t, isHigh: zigzag.direction === -1 });
  return pivots;
}
