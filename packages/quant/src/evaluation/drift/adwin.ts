import { expect } from '../../checks/expect.ts';

export type AdwinSettings = {
  /** Chance of a false change at each look, 0..1, exclusive. Default .002. */
  delta?: number;
  /** Buckets of one size before two of them are merged. Default 5. */
  bucketsPerSize?: number;
  /** Values between two looks. Default 1. */
  lookEvery?: number;
};

export type Adwin = {
  /** Takes one value; true when the stream has changed and older values were dropped. NaN is passed over. */
  add(value: number): boolean;
  /** Values in the window. */
  count(): number;
  /** Their mean; NaN when there are none. */
  mean(): number;
  /** Their variance, over n. */
  variance(): number;
};

type Bucket = { count: number; sum: number; squares: number };

/** Fewer values on one side of a cut say nothing. */
const SIDE_MIN = 5;
const WINDOW_MIN = 32;

/**
 * A window over a stream that holds as many values as have one mean, and drops the older part when it has another: ADWIN.
 *
 * The window is kept as buckets of 1, 2, 4, … values, so that n values cost O(log n) memory and time. Every boundary of two
 * buckets is tried as a cut: means of both sides further apart than √(2 σ² ln(2 ln(n) / δ) / m) + 2 ln(2 ln(n) / δ) / (3 m), m
 * the harmonic mean of their sizes over two, are two means. Values may be of any size; the bound is proved for 0..1 and
 * independent values. Where values of neighbouring sessions are correlated it changes its mind too often: feed it one value a
 * horizon, or residuals.
 *
 * @see Bifet and Gavaldà 2007, doi:10.1137/1.9781611972771.42.
 */
export function createAdwin(settings: AdwinSettings = {}): Adwin {
  const { delta = 0.002, bucketsPerSize = 5, lookEvery = 1 } = settings;
  expect(delta > 0 && delta < 1, `delta must be between 0 and 1, was ${delta}`);
  expect(Number.isInteger(bucketsPerSize) && bucketsPerSize >= 1, `bucketsPerSize must be >= 1, was ${bucketsPerSize}`);
  expect(Number.isInteger(lookEvery) && lookEvery >= 1, `lookEvery must be a whole number >= 1, was ${lookEvery}`);
  /** Newest first; sizes never fall. */
  let buckets: Bucket[] = [];
  let seen = 0;
  let total: Bucket = { count: 0, sum: 0, squares: 0 };

  const variance = () => Math.max(0, total.squares / total.count - (total.sum / total.count) ** 2);

  function compress(): void {
    for (let first = 0; first < buckets.length; ) {
      const size = buckets[first]!.count;
      let end = first;
      while (end < buckets.length && buckets[end]!.count === size) end += 1;
      if (end - first <= bucketsPerSize) {
        first = end;
        continue;
      }
      // The two oldest of the size become one of twice the size.
      const merged = plus(buckets[end - 2]!, buckets[end - 1]!);
      buckets.splice(end - 2, 2, merged);
      first = end - 2;
    }
  }

  /** Whether some boundary parts two means; then the oldest bucket goes. */
  function dropOldest(): boolean {
    if (total.count < WINDOW_MIN) return false;
    const price = Math.log((2 * Math.log(total.count)) / delta);
    const spread = variance();
    let newer: Bucket = { count: 0, sum: 0, squares: 0 };
    for (const bucket of buckets) {
      newer = plus(newer, bucket);
      const older = total.count - newer.count;
      if (newer.count < SIDE_MIN || older < SIDE_MIN) continue;
      const size = 1 / (1 / newer.count + 1 / older);
      const bound = Math.sqrt((2 * spread * price) / size) + (2 * price) / (3 * size);
      const apart = Math.abs(newer.sum / newer.count - (total.sum - newer.sum) / older);
      if (apart <= bound) continue;
      const oldest = buckets.pop()!;
      total = minus(total, oldest);
      return true;
    }
    return false;
  }

  return {
    add(value) {
      if (Number.isNaN(value)) return false;
      const bucket = { count: 1, sum: value, squares: value * value };
      buckets = [bucket, ...buckets];
      total = plus(total, bucket);
      compress();
      seen += 1;
      if (seen % lookEvery !== 0) return false;
      let isChanged = false;
      while (dropOldest()) isChanged = true;
      return isChanged;
    },
    count: () => total.count,
    mean: () => (total.count === 0 ? Number.NaN : total.sum / total.count),
    variance: () => (total.count === 0 ? Number.NaN : variance()),
  };
}

function plus(a: Bucket, b: Bucket): Bucket {
  return { count: a.count + b.count, sum: a.sum + b.sum, squares: a.squares + b.squares };
}

function minus(a: Bucket, b: Bucket): Bucket {
  return { count: a.count - b.count, sum: a.sum - b.sum, squares: a.squares - b.squares };
}
