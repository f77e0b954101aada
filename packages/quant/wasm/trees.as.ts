/**
 * The hot loops of tree learning for WebAssembly: the twin of src/learn/trees/plain-tree-kernels.ts, equal to it bit by bit.
 *
 * This is AssemblyScript. Pointers are byte offsets into the one memory. A histogram holds 256 pairs (gradient, hessian)
 * of float64 a column. Gradients lie on a grid so coarse that their sums are exact, so the order of a sum never shows.
 * Fused multiply-add and relaxed vectors are not used: they differ between machines.
 */

/** 256 pairs of float64. */
const COLUMN_BYTES: usize = 4096;
const MISSING_BIN_AT: usize = 255 << 4;
/** Where a bin lies in its column, of a number that holds it four bits up. */
const BIN_MASK: usize = 0xff0;

const DIGIT_BITS = 11;
const DIGIT_COUNT = 2048;
const PASS_COUNT = 6;

const LOG2_E: f64 = Math.LOG2E;
const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;
/** 1.5 · 2^52: adding it leaves a whole number in the low bits. */
const ROUNDER: f64 = 6755399441055744;
const EXPONENT_MAX: f64 = 700;
const HESSIAN_MIN: f64 = 1e-16;

// ------------------------------------------------------------------------------------------------------------- bins

/** Sorts float64 without NaN ascending: six passes of eleven bits, those skipped where all values share the digit. */
export function sortValues(values: usize, count: i32, spare: usize, counts: usize): void {
  memory.fill(counts, 0, (PASS_COUNT * DIGIT_COUNT) << 2);
  const bytes: usize = (<usize>count) << 3;
  for (let at: usize = 0; at < bytes; at += 8) {
    const bits = load<i64>(values + at);
    // A negative number is turned over, a positive one only gets the sign bit: then they order as unsigned numbers.
    const key = <u64>(bits ^ ((bits >> 63) | ((<i64>1) << 63)));
    store<u64>(values + at, key);
    for (let pass = 0; pass < PASS_COUNT; pass++) {
      const digit = <usize>((key >> (pass * DIGIT_BITS)) & (DIGIT_COUNT - 1));
      const place = counts + ((<usize>(pass * DIGIT_COUNT) + digit) << 2);
      store<i32>(place, load<i32>(place) + 1);
    }
  }
  let from = values;
  let to = spare;
  for (let pass = 0; pass < PASS_COUNT; pass++) {
    const table = counts + ((<usize>(pass * DIGIT_COUNT)) << 2);
    const shift = pass * DIGIT_BITS;
    if (count > 0 && load<i32>(table + digitAt(load<u64>(from), shift)) === count) continue;
    let sum = 0;
    for (let digit: usize = 0; digit < (<usize>DIGIT_COUNT) << 2; digit += 4) {
      const here = load<i32>(table + digit);
      store<i32>(table + digit, sum);
      sum += here;
    }
    for (let at: usize = 0; at < bytes; at += 8) {
      const key = load<u64>(from + at);
      const place = table + digitAt(key, shift);
      const next = load<i32>(place);
      store<i32>(place, next + 1);
      store<u64>(to + ((<usize>next) << 3), key);
    }
    const other = from;
    from = to;
    to = other;
  }
  for (let at: usize = 0; at < bytes; at += 8) {
    const key = load<i64>(from + at);
    store<i64>(values + at, key ^ (~(key >> 63) | ((<i64>1) << 63)));
  }
}

function digitAt(key: u64, shift: i32): usize {
  return (<usize>((key >> shift) & (DIGIT_COUNT - 1))) << 2;
}

/** The number of cuts that are not above each value, 255 for a missing one. `cuts` has 255 places, NaN behind the last. */
export function assignBins(values: usize, count: i32, cuts: usize, bins: usize): void {
  for (let i = 0; i < count; i++) {
    const value = load<f64>(values + ((<usize>i) << 3));
    let bin: i32 = 0;
    for (let step = 128; step > 0; step >>= 1) {
      const next = bin + step;
      bin = select<i32>(next, bin, load<f64>(cuts + ((<usize>(next - 1)) << 3)) <= value);
    }
    store<u8>(bins + i, select<i32>(255, bin, F64.isNaN(value)));
  }
}

/** Some columns of a column-major matrix of bins, in blocks of four columns, within a block by rows. */
export function layRows(bins: usize, rowCount: i32, columns: usize, columnCount: i32, target: usize): void {
  for (let c = 0; c < columnCount; c++) {
    const from = bins + <usize>load<i32>(columns + ((<usize>c) << 2)) * <usize>rowCount;
    const block = c & ~3;
    const width = min(4, columnCount - block);
    let to = target + <usize>block * <usize>rowCount + <usize>(c - block);
    for (let i = 0; i < rowCount; i++, to += width) store<u8>(to, load<u8>(from + i));
  }
}

// -------------------------------------------------------------------------------------------------------- gradients

/** e^x of two numbers, |x| held to 700. */
function exponential(given: v128): v128 {
  const x = f64x2.min(f64x2.max(given, f64x2.splat(-EXPONENT_MAX)), f64x2.splat(EXPONENT_MAX));
  const whole = f64x2.add(f64x2.mul(x, f64x2.splat(LOG2_E)), f64x2.splat(ROUNDER));
  const k = f64x2.sub(whole, f64x2.splat(ROUNDER));
  const r = f64x2.sub(f64x2.sub(x, f64x2.mul(k, f64x2.splat(LN2_HIGH))), f64x2.mul(k, f64x2.splat(LN2_LOW)));
  let sum = f64x2.splat(1 / 6227020800.0);
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1 / 479001600.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1 / 39916800.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1 / 3628800.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1 / 362880.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1 / 40320.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1 / 5040.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1 / 720.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1 / 120.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1 / 24.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1 / 6.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(0.5));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1));
  return f64x2.mul(sum, i64x2.shl(i64x2.add(whole, i64x2.splat(1023)), 52));
}

/** Gradient and hessian of the log loss of two rows, on their grids, as four float32. */
function logisticPair(margin: v128, target: v128, weight: v128, gridGradient: f64, gridHessian: f64): v128 {
  const one = f64x2.splat(1);
  const share = f64x2.div(one, f64x2.add(one, exponential(f64x2.neg(margin))));
  const gradient = f64x2.mul(f64x2.sub(share, target), weight);
  const spread = f64x2.max(f64x2.mul(share, f64x2.sub(one, share)), f64x2.splat(HESSIAN_MIN));
  const hessian = f64x2.mul(spread, weight);
  const onGridG = f64x2.sub(f64x2.add(gradient, f64x2.splat(gridGradient)), f64x2.splat(gridGradient));
  const onGridH = f64x2.sub(f64x2.add(hessian, f64x2.splat(gridHessian)), f64x2.splat(gridHessian));
  const g = f32x4.demote_f64x2_zero(onGridG);
  const h = f32x4.demote_f64x2_zero(onGridH);
  return v128.shuffle<f32>(g, h, 0, 4, 1, 5);
}

export function logisticPairs(
  margins: usize,
  target: usize,
  weight: usize,
  count: i32,
  gridGradient: f64,
  gridHessian: f64,
  pairs: usize,
): void {
  const even: usize = (<usize>(count & ~1)) << 3;
  let at: usize = 0;
  for (; at < even; at += 16) {
    const both = logisticPair(
      v128.load(margins + at),
      v128.load(target + at),
      v128.load(weight + at),
      gridGradient,
      gridHessian,
    );
    v128.store(pairs + at, both);
  }
  if (count & 1) {
    const last = logisticPair(
      v128.load64_zero(margins + at),
      v128.load64_zero(target + at),
      v128.load64_zero(weight + at),
      gridGradient,
      gridHessian,
    );
    v128.store64_lane(pairs + at, last, 0);
  }
}

/** margin += value of every row in rows[start..end). */
export function addToRows(rows: usize, start: i32, end: i32, margins: usize, value: f64): void {
  for (let k = start; k < end; k++) {
    const at = margins + ((<usize>load<u32>(rows + ((<usize>k) << 2))) << 3);
    store<f64>(at, load<f64>(at) + value);
  }
}

// ------------------------------------------------------------------------------------------------------- histograms

/** Adds a pair at an address. */
function addPair(at: usize, pair: v128): void {
  v128.store(at, f64x2.add(v128.load(at), pair));
}

/**
 * Histograms of all columns over rows[start..end). The bins lie in blocks of four columns, within a block by rows: the histograms
 * of four columns stay in the first cache, which those of all do not.
 */
export function buildHistogram(
  bins: usize,
  rowCount: i32,
  columnCount: i32,
  rows: usize,
  start: i32,
  end: i32,
  pairs: usize,
  nodePairs: usize,
  histogram: usize,
): void {
  memory.fill(histogram, 0, <usize>columnCount * COLUMN_BYTES);
  const first = rows + ((<usize>start) << 2);
  const last = rows + ((<usize>end) << 2);
  // The pairs of the node side by side: every block reads them again.
  let to = nodePairs;
  for (let at = first; at < last; at += 4, to += 8) store<u64>(to, load<u64>(pairs + ((<usize>load<u32>(at)) << 3)));
  for (let c = 0; c < columnCount; c += 4) {
    const block = bins + <usize>c * <usize>rowCount;
    const a = histogram + <usize>c * COLUMN_BYTES;
    const width = columnCount - c;
    let from = nodePairs;
    if (width >= 4)
      for (let at = first; at < last; at += 4, from += 8) {
        const four = <usize>load<u32>(block + ((<usize>load<u32>(at)) << 2));
        const pair = f64x2.promote_low_f32x4(v128.load64_zero(from));
        // A byte times sixteen in one shift and one mask.
        addPair(a + ((four << 4) & BIN_MASK), pair);
        addPair(a + COLUMN_BYTES + ((four >> 4) & BIN_MASK), pair);
        addPair(a + 2 * COLUMN_BYTES + ((four >> 12) & BIN_MASK), pair);
        addPair(a + 3 * COLUMN_BYTES + ((four >> 20) & BIN_MASK), pair);
      }
    else
      for (let at = first; at < last; at += 4, from += 8) {
        const place = block + <usize>load<u32>(at) * <usize>width;
        const pair = f64x2.promote_low_f32x4(v128.load64_zero(from));
        for (let k = 0; k < width; k++)
          addPair(a + <usize>k * COLUMN_BYTES + ((<usize>load<u8>(place + k)) << 4), pair);
      }
  }
}

/** Histograms of some columns of a column-major matrix of bins over rows[start..end). */
export function buildColumnHistograms(
  bins: usize,
  rowCount: i32,
  columns: usize,
  columnCount: i32,
  rows: usize,
  start: i32,
  end: i32,
  pairs: usize,
  histogram: usize,
): void {
  memory.fill(histogram, 0, <usize>columnCount * COLUMN_BYTES);
  for (let c = 0; c < columnCount; c++) {
    const from = bins + <usize>load<i32>(columns + ((<usize>c) << 2)) * <usize>rowCount;
    const column = histogram + <usize>c * COLUMN_BYTES;
    for (let k = start; k < end; k++) {
      const row = <usize>load<u32>(rows + ((<usize>k) << 2));
      const pair = f64x2.promote_low_f32x4(v128.load64_zero(pairs + (row << 3)));
      const at = column + ((<usize>load<u8>(from + row)) << 4);
      v128.store(at, f64x2.add(v128.load(at), pair));
    }
  }
}

/** parent −= child. */
export function subtract(parent: usize, child: usize, columnCount: i32): void {
  const bytes = <usize>columnCount * COLUMN_BYTES;
  for (let at: usize = 0; at < bytes; at += 16)
    v128.store(parent + at, f64x2.sub(v128.load(parent + at), v128.load(child + at)));
}

// ----------------------------------------------------------------------------------------------------------- splits

/** Sum of both sides' score: max(|G| − l1, 0)² / (H + l2). */
function scoreOf(left: v128, all: v128, l1: v128, l2: v128): f64 {
  const right = f64x2.sub(all, left);
  const gradient = v128.shuffle<f64>(left, right, 0, 2);
  const hessian = v128.shuffle<f64>(left, right, 1, 3);
  const pull = f64x2.max(f64x2.sub(f64x2.abs(gradient), l1), f64x2.splat(0));
  const score = f64x2.div(f64x2.mul(pull, pull), f64x2.add(hessian, l2));
  return f64x2.extract_lane(score, 0) + f64x2.extract_lane(score, 1);
}

/** The best split so far: its score, column, bin, side of the missing, and the sums on its left. */
let bestScore: f64 = 0;
let bestColumn: i32 = -1;
let bestBin: i32 = 0;
let bestMissingLeft: i32 = 0;
let bestLeft: v128 = f64x2.splat(0);

/**
 * The best split of the columns whose flag is odd; flag 2 tells that a column has missing values. Ties go to the first.
 * Writes best score, gradient and hessian on the left, column (−1: none beats `scoreMin`), bin, missing left.
 */
export function findSplit(
  histogram: usize,
  columnCount: i32,
  binCounts: usize,
  flags: usize,
  gradient: f64,
  hessian: f64,
  l1: f64,
  l2: f64,
  hessianMin: f64,
  scoreMin: f64,
  out: usize,
): void {
  const all = f64x2.replace_lane(f64x2.splat(gradient), 1, hessian);
  const l1s = f64x2.splat(l1);
  const l2s = f64x2.splat(l2);
  const nothing = f64x2.splat(0);
  bestScore = scoreMin;
  bestColumn = -1;
  bestBin = 0;
  bestMissingLeft = 0;
  bestLeft = nothing;
  for (let c = 0; c < columnCount; c++) {
    const flag = <i32>load<u8>(flags + c);
    if (!(flag & 1)) continue;
    const from = histogram + <usize>c * COLUMN_BYTES;
    const binCount = load<i32>(binCounts + ((<usize>c) << 2));
    const missing = flag & 2 ? v128.load(from + MISSING_BIN_AT) : nothing;
    if (f64x2.extract_lane(missing, 1) > 0) {
      // With the missing on the right, all others may be on the left.
      scanColumn(from, binCount, nothing, all, l1s, l2s, hessianMin, c, 0);
      scanColumn(from, binCount - 1, missing, all, l1s, l2s, hessianMin, c, 1);
    } else scanColumn(from, binCount - 1, nothing, all, l1s, l2s, hessianMin, c, 0);
  }
  store<f64>(out, bestScore);
  v128.store(out, bestLeft, 8);
  store<f64>(out, bestColumn, 24);
  store<f64>(out, bestBin, 32);
  store<f64>(out, bestMissingLeft, 40);
}

/** Looks at the splits behind bins 0 to `end` − 1, beginning with the sums `left`. */
function scanColumn(
  from: usize,
  end: i32,
  left: v128,
  all: v128,
  l1s: v128,
  l2s: v128,
  hessianMin: f64,
  column: i32,
  missingLeft: i32,
): void {
  const hessian = f64x2.extract_lane(all, 1);
  for (let b = 0; b < end; b++) {
    const entry = v128.load(from + ((<usize>b) << 4));
    if (!v128.any_true(entry)) continue;
    left = f64x2.add(left, entry);
    const leftHessian = f64x2.extract_lane(left, 1);
    if (leftHessian < hessianMin) continue;
    if (hessian - leftHessian < hessianMin) break;
    const score = scoreOf(left, all, l1s, l2s);
    if (score > bestScore) {
      bestScore = score;
      bestColumn = column;
      bestBin = b;
      bestMissingLeft = missingLeft;
      bestLeft = left;
    }
  }
}

/** Stable: rows of bins whose side is 1 come first. Returns where the others start. */
export function partition(bins: usize, rows: usize, start: i32, end: i32, sides: usize, spare: usize): i32 {
  let left = rows + ((<usize>start) << 2);
  let right = spare;
  for (let k = start; k < end; k++) {
    const row = load<u32>(rows + ((<usize>k) << 2));
    const isLeft: usize = <usize>load<u8>(sides + <usize>load<u8>(bins + row));
    store<u32>(left, row);
    store<u32>(right, row);
    left += isLeft << 2;
    right += (1 - isLeft) << 2;
  }
  memory.copy(left, spare, right - spare);
  return <i32>((left - rows) >> 2);
}
