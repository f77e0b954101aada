/** Sessions that are held against everything before them. */
export const SHIFT_WINDOW = 21;
/** Fewer sessions than this before the window say too little of what is usual. */
export const REFERENCE_ROWS_MIN = 252;

export const SHIFT_RULES = ['level', 'step', 'spread'] as const;
export type ShiftRule = (typeof SHIFT_RULES)[number];

/** One value a session and rule; NaN where there is too little past or a window holds a gap. */
export type ShiftStatistics = Record<ShiftRule, Float64Array>;

/** A window with a smaller share of values has no mean. */
const VALUES_SHARE_MIN = 0.8;
/** Standard deviations beyond which a value pulls no harder at the level. */
const CLIP = 2;
/** Weight of yesterday in the local scale of one-day changes. */
const SCALE_DECAY = 0.97;
/** The local scale is never below this share of the long-run one: after a calm year an ordinary change is no step. */
const SCALE_FLOOR = 0.5;

/**
 * How far the last `SHIFT_WINDOW` sessions are from everything before them, after each session, in standard deviations of the
 * same measure over the past:
 *
 * - level: mean of the window, against the means of past windows. What moves slowly has past means far apart, and needs more.
 * - step: largest change from one session to the next inside the window, over the scale that changes had just before it.
 *   It finds at once what the level of a slow feature hides for long.
 * - spread: log of the standard deviation of the window, against past windows.
 *
 * A session's value uses that session and earlier ones only; the window itself is no part of what it is held against. Time
 * O(n).
 *
 * @param values One a session, oldest first; NaN where missing: a window with more than a fifth missing has no level.
 */
export function shiftStatistics(values: Float64Array): ShiftStatistics {
  const n = values.length;
  const clipped = clip(values);
  const means = new Float64Array(n).fill(Number.NaN);
  const spreads = new Float64Array(n).fill(Number.NaN);
  for (let t = SHIFT_WINDOW - 1; t < n; t++) {
    let count = 0;
    let sum = 0;
    let sumClipped = 0;
    for (let k = t - SHIFT_WINDOW + 1; k <= t; k++) {
      const value = values[k]!;
      if (Number.isNaN(value)) continue;
      count += 1;
      sum += value;
      sumClipped += clipped[k]!;
    }
    if (count < VALUES_SHARE_MIN * SHIFT_WINDOW) continue;
    const mean = sum / count;
    let squares = 0;
    for (let k = t - SHIFT_WINDOW + 1; k <= t; k++) if (!Number.isNaN(values[k]!)) squares += (values[k]! - mean) ** 2;
    means[t] = sumClipped / count;
    if (squares > 0) spreads[t] = 0.5 * Math.log(squares / (count - 1));
  }
  return { level: distances(means), step: steps(values), spread: distances(spreads) };
}

/** Values no further than `CLIP` standard deviations from the mean, both of the sessions before: one crash day is no level. */
function clip(values: Float64Array): Float64Array {
  const clipped = values.slice();
  let count = 0;
  let mean = 0;
  let squares = 0;
  for (let t = 0; t < values.length; t++) {
    const value = values[t]!;
    if (Number.isNaN(value)) continue;
    const reach = CLIP * Math.sqrt(squares / (count - 1));
    if (count >= REFERENCE_ROWS_MIN) clipped[t] = Math.min(Math.max(value, mean - reach), mean + reach);
    count += 1;
    const away = value - mean;
    mean += away / count;
    squares += away * (value - mean);
  }
  return clipped;
}

/** |value − mean| / standard deviation, both of the same measure on windows that ended before this one began. */
function distances(measure: Float64Array): Float64Array {
  const distance = new Float64Array(measure.length).fill(Number.NaN);
  let count = 0;
  let mean = 0;
  let squares = 0;
  for (let t = SHIFT_WINDOW; t < measure.length; t++) {
    const past = measure[t - SHIFT_WINDOW]!;
    if (!Number.isNaN(past)) {
      count += 1;
      const away = past - mean;
      mean += away / count;
      squares += away * (past - mean);
    }
    if (count < REFERENCE_ROWS_MIN || !(squares > 0)) continue;
    distance[t] = Math.abs(measure[t]! - mean) / Math.sqrt(squares / (count - 1));
  }
  return distance;
}

function steps(values: Float64Array): Float64Array {
  const n = values.length;
  const size = new Float64Array(n).fill(Number.NaN);
  let last = Number.NaN;
  let count = 0;
  let longRun = 0;
  let local = Number.NaN;
  for (let t = 0; t < n; t++) {
    const value = values[t]!;
    if (Number.isNaN(value)) continue;
    const square = (value - last) ** 2;
    last = value;
    if (Number.isNaN(square)) continue;
    if (count >= REFERENCE_ROWS_MIN) size[t] = Math.sqrt(square / Math.max(local, SCALE_FLOOR * SCALE_FLOOR * longRun));
    count += 1;
    longRun += (square - longRun) / count;
    local = Number.isNaN(local) ? square : SCALE_DECAY * local + (1 - SCALE_DECAY) * square;
  }
  return rollingMaximum(size);
}

/** Largest of the last `SHIFT_WINDOW` values; NaN values are passed over, NaN where all are. */
function rollingMaximum(values: Float64Array): Float64Array {
  const largest = new Float64Array(values.length).fill(Number.NaN);
  const queue: number[] = [];
  for (let t = 0; t < values.length; t++) {
    const value = values[t]!;
    if (!Number.isNaN(value)) {
      while (queue.length > 0 && values[queue.at(-1)!]! <= value) queue.pop();
      queue.push(t);
    }
    while (queue.length > 0 && queue[0]! <= t - SHIFT_WINDOW) queue.shift();
    if (queue.length > 0) largest[t] = values[queue[0]!]!;
  }
  return largest;
}
