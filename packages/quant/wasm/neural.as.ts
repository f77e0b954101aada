/**
 * Kernels of neural networks for WebAssembly with 128-bit vectors: the twin of src/learn/neural/plain-kernels.ts, equal to it
 * bit by bit. What each computes is said in src/learn/neural/kernels.ts.
 *
 * This is AssemblyScript, compiled twice: `Real` is f32 in the module that trains, and f64 in the one whose backward passes
 * are held against numeric gradients. Arguments that name a place are indices of numbers in the one memory. Sums keep the
 * order of the plain twin. Fused multiply-add and relaxed vectors are not used: they differ between machines.
 */

const SIZE: usize = sizeof<Real>();
const VECTOR: usize = 16;
/** So many rows of both factors stay in the first cache while every tile of the product passes over them. */
const INNER_BLOCK: i32 = 64;

const BETA_1: Real = 0.9;
const BETA_2: Real = 0.999;
const ADAM_EPSILON: Real = 1e-8;
const NORM_EPSILON: Real = 1e-5;

/**
 * Constants the functions below need, by the places named here; from ONE on 1 / k! for k = 1, 2, … They are read from memory
 * because engines build a vector constant anew in every pass of a loop, which took longer than the arithmetic.
 */
const SINGLE: usize = memory.data<f32>([
  87.0, -87.0, 0.693359375, -0.00021219444005469057, 0.7978845608028654, 0.044715, 0.134145, 1.0, 0.5,
  0.16666666666666666, 0.041666666666666664, 0.008333333333333333, 0.001388888888888889, 0.0001984126984126984,
]);
const DOUBLE: usize = memory.data<f64>([
  708.0, -708.0, 0.6931471803691238, 1.9082149292705877e-10, 0.7978845608028654, 0.044715, 0.134145, 1.0, 0.5,
  0.16666666666666666, 0.041666666666666664, 0.008333333333333333, 0.001388888888888889, 0.0001984126984126984,
  2.48015873015873e-5, 2.7557319223985893e-6, 2.755731922398589e-7, 2.505210838544172e-8, 2.08767569878681e-9,
  1.6059043836821613e-10,
]);
const EXPONENT_MAX: usize = 0;
const EXPONENT_MIN: usize = 1;
const LN2_HIGH: usize = 2;
const LN2_LOW: usize = 3;
const GELU_SCALE: usize = 4;
const GELU_CUBE: usize = 5;
const GELU_CUBE_SLOPE: usize = 6;
const ONE: usize = 7;
const HALF: usize = 8;
/** Where the series begins: 1 / 7! for eight digits, 1 / 13! for sixteen. */
const SERIES_END: usize = sizeof<Real>() === 4 ? 13 : 19;

/** Byte at which the memory of numbers begins, behind the constants. */
const FIRST: usize = 2048;

/** Address of a number. */
function place(index: usize): usize {
  return FIRST + span(index);
}

/** Bytes of so many numbers. */
function span(count: usize): usize {
  return count << alignof<Real>();
}

function splat(x: Real): v128 {
  return v128.splat<Real>(x);
}

function add(x: v128, y: v128): v128 {
  return v128.add<Real>(x, y);
}

function sub(x: v128, y: v128): v128 {
  return v128.sub<Real>(x, y);
}

function mul(x: v128, y: v128): v128 {
  return v128.mul<Real>(x, y);
}

/** Lanes (0 + 1) + (2 + 3), or 0 + 1. */
function addLanes(x: v128): Real {
  const pair = v128.extract_lane<Real>(x, 0) + v128.extract_lane<Real>(x, 1);
  return sizeof<Real>() === 8 ? pair : pair + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

/** What has to be copied into its caller: a call per vector would take longer than the work. */
class Lanes {
  private constructor() {}

  /** A whole vector, or one number where a row ends. */
  @inline
  static load(at: usize, whole: bool): v128 {
    return whole ? v128.load(at) : v128.load_splat<Real>(at);
  }

  @inline
  static store(at: usize, value: v128, whole: bool): void {
    if (whole) v128.store(at, value);
    else v128.store_lane<Real>(at, value, 0);
  }

  /** One of the constants in every lane. */
  @inline
  static constant(k: usize): v128 {
    return v128.load_splat<Real>((sizeof<Real>() === 4 ? SINGLE : DOUBLE) + k * SIZE);
  }

  @inline
  static term(y: v128, r: v128, k: usize): v128 {
    return add(mul(y, r), Lanes.constant(k));
  }

  /** e^x = 2^n e^r with |r| <= ln 2 / 2, the latter as its series. */
  @inline
  static exponential(x: v128): v128 {
    x = v128.pmin<Real>(x, Lanes.constant(EXPONENT_MAX));
    x = v128.pmax<Real>(x, Lanes.constant(EXPONENT_MIN));
    const n = v128.floor<Real>(add(mul(x, splat(<Real>Math.LOG2E)), Lanes.constant(HALF)));
    let r = sub(x, mul(n, Lanes.constant(LN2_HIGH)));
    r = sub(r, mul(n, Lanes.constant(LN2_LOW)));
    let y = Lanes.constant(SERIES_END);
    if (sizeof<Real>() === 8) {
      y = Lanes.term(y, r, 18);
      y = Lanes.term(y, r, 17);
      y = Lanes.term(y, r, 16);
      y = Lanes.term(y, r, 15);
      y = Lanes.term(y, r, 14);
      y = Lanes.term(y, r, 13);
    }
    y = Lanes.term(y, r, 12);
    y = Lanes.term(y, r, 11);
    y = Lanes.term(y, r, 10);
    y = Lanes.term(y, r, 9);
    y = Lanes.term(y, r, HALF);
    y = Lanes.term(y, r, ONE);
    y = Lanes.term(y, r, ONE);
    if (sizeof<Real>() === 4) return mul(y, i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23));
    const exponent = i64x2.extend_low_i32x4_s(i32x4.trunc_sat_f64x2_s_zero(n));
    return mul(y, i64x2.shl(i64x2.add(exponent, i64x2.splat(1023)), 52));
  }

  @inline
  static sigmoid(x: v128): v128 {
    const one = Lanes.constant(ONE);
    return v128.div<Real>(one, add(one, Lanes.exponential(v128.neg<Real>(x))));
  }

  @inline
  static tanh(x: v128): v128 {
    const share = Lanes.sigmoid(add(x, x));
    return sub(add(share, share), Lanes.constant(ONE));
  }

  @inline
  static geluInner(x: v128): v128 {
    const curve = add(Lanes.constant(ONE), mul(Lanes.constant(GELU_CUBE), mul(x, x)));
    return Lanes.tanh(mul(mul(Lanes.constant(GELU_SCALE), x), curve));
  }
}

// ------------------------------------------------------------------------------------------------------- products

export function multiply(
  rows: i32,
  columns: i32,
  inner: i32,
  a: usize,
  strideRow: usize,
  strideInner: usize,
  b: usize,
  strideB: usize,
  c: usize,
  strideC: usize,
  keep: i32,
): void {
  strideRow = span(strideRow);
  strideInner = span(strideInner);
  strideB = span(strideB);
  strideC = span(strideC);
  a = place(a);
  b = place(b);
  c = place(c);
  for (let from = 0; from < inner; from += INNER_BLOCK) {
    const count = min(INNER_BLOCK, inner - from);
    multiplyBlock(rows, columns, count, a, strideRow, strideInner, b, strideB, c, strideC, keep | from);
    a += <usize>INNER_BLOCK * strideInner;
    b += <usize>INNER_BLOCK * strideB;
  }
}

function multiplyBlock(
  rows: i32,
  columns: i32,
  count: i32,
  a: usize,
  strideRow: usize,
  strideInner: usize,
  b: usize,
  strideB: usize,
  c: usize,
  strideC: usize,
  keep: i32,
): void {
  const end = span(columns);
  let i = 0;
  for (; i + 3 < rows; i += 4) {
    let j: usize = 0;
    for (; j + 2 * VECTOR <= end; j += 2 * VECTOR)
      tileOfFour(count, a, strideRow, strideInner, b + j, strideB, c + j, strideC, keep);
    for (; j + VECTOR <= end; j += VECTOR)
      narrowTileOfFour(count, a, strideRow, strideInner, b + j, strideB, c + j, strideC, keep);
    for (; j < end; j += SIZE)
      for (let r: usize = 0; r < 4; r++)
        one(count, a + r * strideRow, strideInner, b + j, strideB, c + r * strideC + j, keep);
    a += 4 * strideRow;
    c += 4 * strideC;
  }
  for (; i < rows; i++) {
    let j: usize = 0;
    for (; j + 4 * VECTOR <= end; j += 4 * VECTOR) tileOfOne(count, a, strideInner, b + j, strideB, c + j, keep);
    for (; j + VECTOR <= end; j += VECTOR) narrowTileOfOne(count, a, strideInner, b + j, strideB, c + j, keep);
    for (; j < end; j += SIZE) one(count, a, strideInner, b + j, strideB, c + j, keep);
    a += strideRow;
    c += strideC;
  }
}

/** Four rows by two vectors in registers. */
function tileOfFour(
  count: i32,
  a: usize,
  strideRow: usize,
  strideInner: usize,
  b: usize,
  strideB: usize,
  c: usize,
  strideC: usize,
  keep: i32,
): void {
  const a1 = a + strideRow;
  const a2 = a1 + strideRow;
  const a3 = a2 + strideRow;
  const c1 = c + strideC;
  const c2 = c1 + strideC;
  const c3 = c2 + strideC;
  let l0 = splat(0);
  let r0 = l0;
  let l1 = l0;
  let r1 = l0;
  let l2 = l0;
  let r2 = l0;
  let l3 = l0;
  let r3 = l0;
  if (keep) {
    l0 = v128.load(c);
    r0 = v128.load(c, 16);
    l1 = v128.load(c1);
    r1 = v128.load(c1, 16);
    l2 = v128.load(c2);
    r2 = v128.load(c2, 16);
    l3 = v128.load(c3);
    r3 = v128.load(c3, 16);
  }
  const end = <usize>count * strideInner;
  for (let k: usize = 0; k < end; k += strideInner) {
    const left = v128.load(b);
    const right = v128.load(b, 16);
    let x = v128.load_splat<Real>(a + k);
    l0 = add(l0, mul(x, left));
    r0 = add(r0, mul(x, right));
    x = v128.load_splat<Real>(a1 + k);
    l1 = add(l1, mul(x, left));
    r1 = add(r1, mul(x, right));
    x = v128.load_splat<Real>(a2 + k);
    l2 = add(l2, mul(x, left));
    r2 = add(r2, mul(x, right));
    x = v128.load_splat<Real>(a3 + k);
    l3 = add(l3, mul(x, left));
    r3 = add(r3, mul(x, right));
    b += strideB;
  }
  v128.store(c, l0);
  v128.store(c, r0, 16);
  v128.store(c1, l1);
  v128.store(c1, r1, 16);
  v128.store(c2, l2);
  v128.store(c2, r2, 16);
  v128.store(c3, l3);
  v128.store(c3, r3, 16);
}

function narrowTileOfFour(
  count: i32,
  a: usize,
  strideRow: usize,
  strideInner: usize,
  b: usize,
  strideB: usize,
  c: usize,
  strideC: usize,
  keep: i32,
): void {
  const a1 = a + strideRow;
  const a2 = a1 + strideRow;
  const a3 = a2 + strideRow;
  const c1 = c + strideC;
  const c2 = c1 + strideC;
  const c3 = c2 + strideC;
  let s0 = splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  if (keep) {
    s0 = v128.load(c);
    s1 = v128.load(c1);
    s2 = v128.load(c2);
    s3 = v128.load(c3);
  }
  const end = <usize>count * strideInner;
  for (let k: usize = 0; k < end; k += strideInner) {
    const y = v128.load(b);
    s0 = add(s0, mul(v128.load_splat<Real>(a + k), y));
    s1 = add(s1, mul(v128.load_splat<Real>(a1 + k), y));
    s2 = add(s2, mul(v128.load_splat<Real>(a2 + k), y));
    s3 = add(s3, mul(v128.load_splat<Real>(a3 + k), y));
    b += strideB;
  }
  v128.store(c, s0);
  v128.store(c1, s1);
  v128.store(c2, s2);
  v128.store(c3, s3);
}

function tileOfOne(count: i32, a: usize, strideInner: usize, b: usize, strideB: usize, c: usize, keep: i32): void {
  let s0 = splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  if (keep) {
    s0 = v128.load(c);
    s1 = v128.load(c, 16);
    s2 = v128.load(c, 32);
    s3 = v128.load(c, 48);
  }
  for (let k = 0; k < count; k++) {
    const x = v128.load_splat<Real>(a);
    s0 = add(s0, mul(x, v128.load(b)));
    s1 = add(s1, mul(x, v128.load(b, 16)));
    s2 = add(s2, mul(x, v128.load(b, 32)));
    s3 = add(s3, mul(x, v128.load(b, 48)));
    a += strideInner;
    b += strideB;
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
}

function narrowTileOfOne(
  count: i32,
  a: usize,
  strideInner: usize,
  b: usize,
  strideB: usize,
  c: usize,
  keep: i32,
): void {
  let sum = keep ? v128.load(c) : splat(0);
  for (let k = 0; k < count; k++) {
    sum = add(sum, mul(v128.load_splat<Real>(a), v128.load(b)));
    a += strideInner;
    b += strideB;
  }
  v128.store(c, sum);
}

function one(count: i32, a: usize, strideInner: usize, b: usize, strideB: usize, c: usize, keep: i32): void {
  let sum: Real = keep ? load<Real>(c) : 0;
  for (let k = 0; k < count; k++) {
    sum += load<Real>(a) * load<Real>(b);
    a += strideInner;
    b += strideB;
  }
  store<Real>(c, sum);
}

export function transpose(rows: i32, columns: i32, a: usize, strideA: usize, b: usize, strideB: usize): void {
  for (let i: usize = 0; i < <usize>rows; i++)
    for (let j: usize = 0; j < <usize>columns; j++)
      store<Real>(place(b + j * strideB + i), load<Real>(place(a + i * strideA + j)));
}

// ------------------------------------------------------------------------------------------------------- entry by entry

export function addEach(count: i32, x: usize, y: usize): void {
  addTo(span(count), place(x), place(y));
}

function addTo(end: usize, x: usize, y: usize): void {
  let j: usize = 0;
  for (; j + VECTOR <= end; j += VECTOR) v128.store(x + j, add(v128.load(x + j), v128.load(y + j)));
  for (; j < end; j += SIZE) store<Real>(x + j, load<Real>(x + j) + load<Real>(y + j));
}

export function scaleEach(count: i32, x: usize, y: usize): void {
  const end = span(count);
  x = place(x);
  y = place(y);
  let j: usize = 0;
  for (; j + VECTOR <= end; j += VECTOR) v128.store(x + j, mul(v128.load(x + j), v128.load(y + j)));
  for (; j < end; j += SIZE) store<Real>(x + j, load<Real>(x + j) * load<Real>(y + j));
}

export function addRow(rows: i32, columns: i32, x: usize, row: usize): void {
  const width = span(columns);
  x = place(x);
  row = place(row);
  for (let i = 0; i < rows; i++, x += width) addTo(width, x, row);
}

export function sumRows(rows: i32, columns: i32, x: usize, sum: usize): void {
  const width = span(columns);
  x = place(x);
  sum = place(sum);
  for (let i = 0; i < rows; i++, x += width) addTo(width, sum, x);
}

// ------------------------------------------------------------------------------------------------------- lstm

class Gates {
  private constructor() {}

  @inline
  static forward(
    z: usize,
    width: usize,
    bias: usize,
    cellBefore: usize,
    cell: usize,
    squashed: usize,
    output: usize,
    whole: bool,
  ): void {
    const input = Lanes.sigmoid(add(Lanes.load(z, whole), Lanes.load(bias, whole)));
    const forget = Lanes.sigmoid(add(Lanes.load(z + width, whole), Lanes.load(bias + width, whole)));
    const candidate = Lanes.tanh(add(Lanes.load(z + 2 * width, whole), Lanes.load(bias + 2 * width, whole)));
    const gate = Lanes.sigmoid(add(Lanes.load(z + 3 * width, whole), Lanes.load(bias + 3 * width, whole)));
    const state = add(mul(forget, Lanes.load(cellBefore, whole)), mul(input, candidate));
    const bounded = Lanes.tanh(state);
    Lanes.store(z, input, whole);
    Lanes.store(z + width, forget, whole);
    Lanes.store(z + 2 * width, candidate, whole);
    Lanes.store(z + 3 * width, gate, whole);
    Lanes.store(cell, state, whole);
    Lanes.store(squashed, bounded, whole);
    Lanes.store(output, mul(gate, bounded), whole);
  }

  @inline
  static backward(
    z: usize,
    width: usize,
    cellBefore: usize,
    squashed: usize,
    dOutput: usize,
    dCell: usize,
    dBias: usize,
    whole: bool,
  ): void {
    const one = Lanes.constant(ONE);
    const input = Lanes.load(z, whole);
    const forget = Lanes.load(z + width, whole);
    const candidate = Lanes.load(z + 2 * width, whole);
    const gate = Lanes.load(z + 3 * width, whole);
    const bounded = Lanes.load(squashed, whole);
    const dOut = Lanes.load(dOutput, whole);
    const dState = add(Lanes.load(dCell, whole), mul(mul(dOut, gate), sub(one, mul(bounded, bounded))));
    const dInput = mul(mul(dState, candidate), mul(input, sub(one, input)));
    const dForget = mul(mul(dState, Lanes.load(cellBefore, whole)), mul(forget, sub(one, forget)));
    const dCandidate = mul(mul(dState, input), sub(one, mul(candidate, candidate)));
    const dGate = mul(mul(dOut, bounded), mul(gate, sub(one, gate)));
    Lanes.store(dCell, mul(dState, forget), whole);
    Lanes.store(z, dInput, whole);
    Lanes.store(z + width, dForget, whole);
    Lanes.store(z + 2 * width, dCandidate, whole);
    Lanes.store(z + 3 * width, dGate, whole);
    Lanes.store(dBias, add(Lanes.load(dBias, whole), dInput), whole);
    Lanes.store(dBias + width, add(Lanes.load(dBias + width, whole), dForget), whole);
    Lanes.store(dBias + 2 * width, add(Lanes.load(dBias + 2 * width, whole), dCandidate), whole);
    Lanes.store(dBias + 3 * width, add(Lanes.load(dBias + 3 * width, whole), dGate), whole);
  }
}

export function gatesForward(
  rows: i32,
  hidden: i32,
  z: usize,
  bias: usize,
  cellBefore: usize,
  cell: usize,
  squashed: usize,
  output: usize,
): void {
  const width = span(hidden);
  z = place(z);
  bias = place(bias);
  cellBefore = place(cellBefore);
  cell = place(cell);
  squashed = place(squashed);
  output = place(output);
  for (let i = 0; i < rows; i++) {
    let j: usize = 0;
    for (; j + VECTOR <= width; j += VECTOR)
      Gates.forward(z + j, width, bias + j, cellBefore + j, cell + j, squashed + j, output + j, true);
    for (; j < width; j += SIZE)
      Gates.forward(z + j, width, bias + j, cellBefore + j, cell + j, squashed + j, output + j, false);
    z += 4 * width;
    cellBefore += width;
    cell += width;
    squashed += width;
    output += width;
  }
}

export function gatesBackward(
  rows: i32,
  hidden: i32,
  z: usize,
  cellBefore: usize,
  squashed: usize,
  dOutput: usize,
  dCell: usize,
  dBias: usize,
): void {
  const width = span(hidden);
  z = place(z);
  cellBefore = place(cellBefore);
  squashed = place(squashed);
  dOutput = place(dOutput);
  dCell = place(dCell);
  dBias = place(dBias);
  for (let i = 0; i < rows; i++) {
    let j: usize = 0;
    for (; j + VECTOR <= width; j += VECTOR)
      Gates.backward(z + j, width, cellBefore + j, squashed + j, dOutput + j, dCell + j, dBias + j, true);
    for (; j < width; j += SIZE)
      Gates.backward(z + j, width, cellBefore + j, squashed + j, dOutput + j, dCell + j, dBias + j, false);
    z += 4 * width;
    cellBefore += width;
    squashed += width;
    dOutput += width;
    dCell += width;
  }
}

// ------------------------------------------------------------------------------------------------------- gelu

class Gelu {
  private constructor() {}

  @inline
  static forward(x: usize, y: usize, whole: bool): void {
    const value = Lanes.load(x, whole);
    Lanes.store(y, mul(mul(Lanes.constant(HALF), value), add(Lanes.constant(ONE), Lanes.geluInner(value))), whole);
  }

  @inline
  static backward(x: usize, d: usize, whole: bool): void {
    const half = Lanes.constant(HALF);
    const one = Lanes.constant(ONE);
    const value = Lanes.load(x, whole);
    const inner = Lanes.geluInner(value);
    const slope = mul(Lanes.constant(GELU_SCALE), add(one, mul(Lanes.constant(GELU_CUBE_SLOPE), mul(value, value))));
    const bend = mul(mul(mul(half, value), sub(one, mul(inner, inner))), slope);
    Lanes.store(d, mul(Lanes.load(d, whole), add(mul(half, add(one, inner)), bend)), whole);
  }
}

export function geluForward(count: i32, x: usize, y: usize): void {
  const end = span(count);
  x = place(x);
  y = place(y);
  let j: usize = 0;
  for (; j + VECTOR <= end; j += VECTOR) Gelu.forward(x + j, y + j, true);
  for (; j < end; j += SIZE) Gelu.forward(x + j, y + j, false);
}

export function geluBackward(count: i32, x: usize, d: usize): void {
  const end = span(count);
  x = place(x);
  d = place(d);
  let j: usize = 0;
  for (; j + VECTOR <= end; j += VECTOR) Gelu.backward(x + j, d + j, true);
  for (; j < end; j += SIZE) Gelu.backward(x + j, d + j, false);
}

// ------------------------------------------------------------------------------------------------------- layer norm

export function normForward(
  rows: i32,
  columns: i32,
  x: usize,
  gain: usize,
  shift: usize,
  hat: usize,
  inverse: usize,
  y: usize,
): void {
  const width = span(columns);
  const share: Real = <Real>1 / <Real>columns;
  x = place(x);
  gain = place(gain);
  shift = place(shift);
  hat = place(hat);
  inverse = place(inverse);
  y = place(y);
  for (let i = 0; i < rows; i++) {
    let lanes = splat(0);
    let j: usize = 0;
    for (; j + VECTOR <= width; j += VECTOR) lanes = add(lanes, v128.load(x + j));
    let sum = addLanes(lanes);
    for (; j < width; j += SIZE) sum += load<Real>(x + j);
    const mean: Real = sum * share;
    const means = splat(mean);
    lanes = splat(0);
    for (j = 0; j + VECTOR <= width; j += VECTOR) {
      const gap = sub(v128.load(x + j), means);
      lanes = add(lanes, mul(gap, gap));
    }
    sum = addLanes(lanes);
    for (; j < width; j += SIZE) {
      const gap: Real = load<Real>(x + j) - mean;
      sum += gap * gap;
    }
    const scale: Real = <Real>1 / sqrt<Real>(sum * share + NORM_EPSILON);
    store<Real>(inverse, scale);
    const scales = splat(scale);
    for (j = 0; j + VECTOR <= width; j += VECTOR) {
      const value = mul(sub(v128.load(x + j), means), scales);
      v128.store(hat + j, value);
      v128.store(y + j, add(mul(value, v128.load(gain + j)), v128.load(shift + j)));
    }
    for (; j < width; j += SIZE) {
      const value: Real = (load<Real>(x + j) - mean) * scale;
      store<Real>(hat + j, value);
      store<Real>(y + j, value * load<Real>(gain + j) + load<Real>(shift + j));
    }
    x += width;
    hat += width;
    y += width;
    inverse += SIZE;
  }
}

export function normBackward(
  rows: i32,
  columns: i32,
  dY: usize,
  hat: usize,
  inverse: usize,
  gain: usize,
  dGain: usize,
  dShift: usize,
  dX: usize,
): void {
  const width = span(columns);
  const share: Real = <Real>1 / <Real>columns;
  dY = place(dY);
  hat = place(hat);
  inverse = place(inverse);
  gain = place(gain);
  dGain = place(dGain);
  dShift = place(dShift);
  dX = place(dX);
  for (let i = 0; i < rows; i++) {
    let lanes = splat(0);
    let lanesHat = lanes;
    let j: usize = 0;
    for (; j + VECTOR <= width; j += VECTOR) {
      const d = v128.load(dY + j);
      const h = v128.load(hat + j);
      v128.store(dGain + j, add(v128.load(dGain + j), mul(d, h)));
      v128.store(dShift + j, add(v128.load(dShift + j), d));
      const inner = mul(d, v128.load(gain + j));
      lanes = add(lanes, inner);
      lanesHat = add(lanesHat, mul(inner, h));
    }
    let sum = addLanes(lanes);
    let sumHat = addLanes(lanesHat);
    for (; j < width; j += SIZE) {
      const d: Real = load<Real>(dY + j);
      const h: Real = load<Real>(hat + j);
      store<Real>(dGain + j, load<Real>(dGain + j) + d * h);
      store<Real>(dShift + j, load<Real>(dShift + j) + d);
      const inner: Real = d * load<Real>(gain + j);
      sum += inner;
      sumHat += inner * h;
    }
    const mean: Real = sum * share;
    const meanHat: Real = sumHat * share;
    const scale: Real = load<Real>(inverse);
    for (j = 0; j + VECTOR <= width; j += VECTOR) {
      const inner = mul(v128.load(dY + j), v128.load(gain + j));
      const rest = sub(sub(inner, splat(mean)), mul(v128.load(hat + j), splat(meanHat)));
      v128.store(dX + j, add(v128.load(dX + j), mul(splat(scale), rest)));
    }
    for (; j < width; j += SIZE) {
      const inner: Real = load<Real>(dY + j) * load<Real>(gain + j);
      const rest: Real = inner - mean - load<Real>(hat + j) * meanHat;
      store<Real>(dX + j, load<Real>(dX + j) + scale * rest);
    }
    dY += width;
    hat += width;
    dX += width;
    inverse += SIZE;
  }
}

// ------------------------------------------------------------------------------------------------------- softmax

export function softmaxForward(rows: i32, columns: i32, s: usize, scale: Real): void {
  const width = span(columns);
  const scales = splat(scale);
  s = place(s);
  for (let i = 0; i < rows; i++, s += width) {
    let most: Real = load<Real>(s);
    let j: usize = 0;
    if (width >= VECTOR) {
      let lanes = v128.load(s);
      for (j = VECTOR; j + VECTOR <= width; j += VECTOR) lanes = v128.pmax<Real>(lanes, v128.load(s + j));
      most = max<Real>(v128.extract_lane<Real>(lanes, 0), v128.extract_lane<Real>(lanes, 1));
      if (sizeof<Real>() === 4)
        most = max<Real>(most, max<Real>(<Real>f32x4.extract_lane(lanes, 2), <Real>f32x4.extract_lane(lanes, 3)));
    }
    for (; j < width; j += SIZE) most = max<Real>(most, load<Real>(s + j));
    const top = splat(most);
    let lanes = splat(0);
    for (j = 0; j + VECTOR <= width; j += VECTOR) {
      const power = Lanes.exponential(mul(scales, sub(v128.load(s + j), top)));
      v128.store(s + j, power);
      lanes = add(lanes, power);
    }
    let sum = addLanes(lanes);
    for (; j < width; j += SIZE) {
      const power = Lanes.exponential(mul(scales, sub(v128.load_splat<Real>(s + j), top)));
      v128.store_lane<Real>(s + j, power, 0);
      sum += v128.extract_lane<Real>(power, 0);
    }
    const share: Real = <Real>1 / sum;
    for (j = 0; j + VECTOR <= width; j += VECTOR) v128.store(s + j, mul(v128.load(s + j), splat(share)));
    for (; j < width; j += SIZE) store<Real>(s + j, load<Real>(s + j) * share);
  }
}

export function softmaxBackward(rows: i32, columns: i32, p: usize, d: usize, scale: Real): void {
  const width = span(columns);
  const scales = splat(scale);
  p = place(p);
  d = place(d);
  for (let i = 0; i < rows; i++, p += width, d += width) {
    let lanes = splat(0);
    let j: usize = 0;
    for (; j + VECTOR <= width; j += VECTOR) lanes = add(lanes, mul(v128.load(p + j), v128.load(d + j)));
    let sum = addLanes(lanes);
    for (; j < width; j += SIZE) sum += load<Real>(p + j) * load<Real>(d + j);
    for (j = 0; j + VECTOR <= width; j += VECTOR)
      v128.store(d + j, mul(scales, mul(v128.load(p + j), sub(v128.load(d + j), splat(sum)))));
    for (; j < width; j += SIZE) store<Real>(d + j, scale * (load<Real>(p + j) * (load<Real>(d + j) - sum)));
  }
}

// ------------------------------------------------------------------------------------------------------- training

export function squares(count: i32, x: usize): Real {
  const end = span(count);
  x = place(x);
  let lanes = splat(0);
  let j: usize = 0;
  for (; j + VECTOR <= end; j += VECTOR) lanes = add(lanes, mul(v128.load(x + j), v128.load(x + j)));
  let sum = addLanes(lanes);
  for (; j < end; j += SIZE) sum += load<Real>(x + j) * load<Real>(x + j);
  return sum;
}

class Adam {
  private constructor() {}

  @inline
  static step(
    w: usize,
    g: usize,
    m: usize,
    v: usize,
    scale: Real,
    rate: Real,
    correction1: Real,
    correction2: Real,
    keep: Real,
    whole: bool,
  ): void {
    const gradient = mul(Lanes.load(g, whole), splat(scale));
    const first = add(mul(splat(BETA_1), Lanes.load(m, whole)), mul(splat(1 - BETA_1), gradient));
    const second = add(mul(splat(BETA_2), Lanes.load(v, whole)), mul(splat(1 - BETA_2), mul(gradient, gradient)));
    const spread = add(v128.sqrt<Real>(mul(second, splat(correction2))), splat(ADAM_EPSILON));
    const step = v128.div<Real>(mul(splat(rate), mul(first, splat(correction1))), spread);
    Lanes.store(m, first, whole);
    Lanes.store(v, second, whole);
    Lanes.store(w, sub(mul(Lanes.load(w, whole), splat(keep)), step), whole);
  }
}

export function adam(
  count: i32,
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  scale: Real,
  rate: Real,
  correction1: Real,
  correction2: Real,
  keep: Real,
): void {
  const end = span(count);
  w = place(w);
  g = place(g);
  m = place(m);
  v = place(v);
  let j: usize = 0;
  for (; j + VECTOR <= end; j += VECTOR)
    Adam.step(w + j, g + j, m + j, v + j, scale, rate, correction1, correction2, keep, true);
  for (; j < end; j += SIZE) Adam.step(w + j, g + j, m + j, v + j, scale, rate, correction1, correction2, keep, false);
}
