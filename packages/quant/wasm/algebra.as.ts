/**
 * Dense algebra for WebAssembly with 128-bit vectors: the twin of src/linalg/plain-kernels.ts, equal to it bit by bit.
 *
 * This is AssemblyScript. Pointers are byte offsets into the one memory, matrices are row-major, and every sum keeps the
 * order of its plain twin. Fused multiply-add and relaxed vectors are not used: they differ between machines.
 */

/** Entries of the inner index taken at once: a packed panel of four columns stays in the first cache. */
const INNER_BLOCK = 256;

/** Beside a largest entry near one, a sum of squares below this is rounding; its inverse might overflow. */
const SQUARE_MIN = 1e-280;

function get(base: usize, index: i32): f64 {
  return load<f64>(base + ((<usize>index) << 3));
}

function put(base: usize, index: i32, value: f64): void {
  store<f64>(base + ((<usize>index) << 3), value);
}

/** Lanes (0 + 2) + (1 + 3). */
function addLanes(even: v128, odd: v128): f64 {
  const pair = f64x2.add(even, odd);
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
}

function dot(a: usize, b: usize, count: i32): f64 {
  let even = f64x2.splat(0);
  let odd = f64x2.splat(0);
  const end: usize = (<usize>(count & ~3)) << 3;
  let k: usize = 0;
  for (; k < end; k += 32) {
    even = f64x2.add(even, f64x2.mul(v128.load(a + k), v128.load(b + k)));
    odd = f64x2.add(odd, f64x2.mul(v128.load(a + k, 16), v128.load(b + k, 16)));
  }
  let sum = addLanes(even, odd);
  for (const last: usize = (<usize>count) << 3; k < last; k += 8) sum += load<f64>(a + k) * load<f64>(b + k);
  return sum;
}

function addScaled(target: usize, source: usize, count: i32, factor: f64): void {
  const both = f64x2.splat(factor);
  const end: usize = (<usize>(count & ~1)) << 3;
  let k: usize = 0;
  for (; k < end; k += 16)
    v128.store(target + k, f64x2.add(v128.load(target + k), f64x2.mul(both, v128.load(source + k))));
  if (count & 1) store<f64>(target + k, load<f64>(target + k) + factor * load<f64>(source + k));
}

// ------------------------------------------------------------------------------------------------------- multiply

/** C = A B; `panel` has room for four times INNER_BLOCK numbers. C must be zero. */
export function multiply(a: usize, rows: i32, inner: i32, b: usize, columns: i32, c: usize, panel: usize): void {
  const strideA: usize = (<usize>inner) << 3;
  const strideB: usize = (<usize>columns) << 3;
  const whole = columns & ~3;
  for (let start = 0; start < inner; start += INNER_BLOCK) {
    const count = min(INNER_BLOCK, inner - start);
    const fromA = a + ((<usize>start) << 3);
    const fromB = b + <usize>start * strideB;
    for (let j = 0; j < whole; j += 4) {
      const offset: usize = (<usize>j) << 3;
      for (let k = 0; k < count; k++) {
        const from = fromB + <usize>k * strideB + offset;
        const to = panel + ((<usize>k) << 5);
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
      }
      let i = 0;
      for (; i + 3 < rows; i += 4)
        tileOfFour(fromA + <usize>i * strideA, strideA, panel, count, c + <usize>i * strideB + offset, strideB);
      for (; i < rows; i++) tileOfOne(fromA + <usize>i * strideA, panel, count, c + <usize>i * strideB + offset);
    }
    for (let i = 0; i < rows; i++)
      for (let j = whole; j < columns; j++) {
        const at = c + <usize>i * strideB + ((<usize>j) << 3);
        let sum = load<f64>(at);
        for (let k = 0; k < count; k++)
          sum += get(fromA + <usize>i * strideA, k) * load<f64>(fromB + <usize>k * strideB + ((<usize>j) << 3));
        store<f64>(at, sum);
      }
  }
}

/** Four rows by four columns in registers. */
function tileOfFour(a: usize, strideA: usize, panel: usize, count: i32, c: usize, strideC: usize): void {
  const a1 = a + strideA;
  const a2 = a1 + strideA;
  const a3 = a2 + strideA;
  const c1 = c + strideC;
  const c2 = c1 + strideC;
  const c3 = c2 + strideC;
  let l0 = v128.load(c);
  let r0 = v128.load(c, 16);
  let l1 = v128.load(c1);
  let r1 = v128.load(c1, 16);
  let l2 = v128.load(c2);
  let r2 = v128.load(c2, 16);
  let l3 = v128.load(c3);
  let r3 = v128.load(c3, 16);
  const end: usize = (<usize>count) << 3;
  let from = panel;
  for (let k: usize = 0; k < end; k += 8, from += 32) {
    const left = v128.load(from);
    const right = v128.load(from, 16);
    let x = v128.load64_splat(a + k);
    l0 = f64x2.add(l0, f64x2.mul(x, left));
    r0 = f64x2.add(r0, f64x2.mul(x, right));
    x = v128.load64_splat(a1 + k);
    l1 = f64x2.add(l1, f64x2.mul(x, left));
    r1 = f64x2.add(r1, f64x2.mul(x, right));
    x = v128.load64_splat(a2 + k);
    l2 = f64x2.add(l2, f64x2.mul(x, left));
    r2 = f64x2.add(r2, f64x2.mul(x, right));
    x = v128.load64_splat(a3 + k);
    l3 = f64x2.add(l3, f64x2.mul(x, left));
    r3 = f64x2.add(r3, f64x2.mul(x, right));
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

function tileOfOne(a: usize, panel: usize, count: i32, c: usize): void {
  let left = v128.load(c);
  let right = v128.load(c, 16);
  for (let k = 0; k < count; k++) {
    const x = v128.load64_splat(a + ((<usize>k) << 3));
    const from = panel + ((<usize>k) << 5);
    left = f64x2.add(left, f64x2.mul(x, v128.load(from)));
    right = f64x2.add(right, f64x2.mul(x, v128.load(from, 16)));
  }
  v128.store(c, left);
  v128.store(c, right, 16);
}

// ------------------------------------------------------------------------------------------------------- cholesky

/** Factor of A into L, which must be zero. 0 where a pivot is below its share of the diagonal or not finite. */
export function factor(a: usize, n: i32, l: usize, pivotShareMin: f64): i32 {
  const stride: usize = (<usize>n) << 3;
  let i = 0;
  for (; i + 3 < n; i += 4) {
    const rowA = a + <usize>i * stride;
    const row = l + <usize>i * stride;
    // Four rows share each row above them.
    for (let j = 0; j < i; j++) fourEntries(rowA, row, stride, l + <usize>j * stride, j);
    for (let r = 0; r < 4; r++)
      if (!finishRow(rowA + <usize>r * stride, row + <usize>r * stride, l, stride, i, i + r, pivotShareMin)) return 0;
  }
  for (; i < n; i++) {
    const row = l + <usize>i * stride;
    if (!finishRow(a + <usize>i * stride, row, l, stride, 0, i, pivotShareMin)) return 0;
  }
  return 1;
}

/** Entries from..i of row i. */
function finishRow(a: usize, row: usize, l: usize, stride: usize, from: i32, i: i32, pivotShareMin: f64): i32 {
  for (let j = from; j < i; j++) {
    const above = l + <usize>j * stride;
    put(row, j, (get(a, j) - dot(row, above, j)) / get(above, j));
  }
  const diagonal = get(a, i);
  const pivot = diagonal - dot(row, row, i);
  if (!(pivot > pivotShareMin * diagonal && pivot < Infinity)) return 0;
  put(row, i, Math.sqrt(pivot));
  return 1;
}

/** Entry j of four rows. */
function fourEntries(a: usize, row: usize, stride: usize, above: usize, j: i32): void {
  const row1 = row + stride;
  const row2 = row1 + stride;
  const row3 = row2 + stride;
  let e0 = f64x2.splat(0);
  let o0 = e0;
  let e1 = e0;
  let o1 = e0;
  let e2 = e0;
  let o2 = e0;
  let e3 = e0;
  let o3 = e0;
  const end: usize = (<usize>(j & ~3)) << 3;
  let k: usize = 0;
  for (; k < end; k += 32) {
    const even = v128.load(above + k);
    const odd = v128.load(above + k, 16);
    e0 = f64x2.add(e0, f64x2.mul(v128.load(row + k), even));
    o0 = f64x2.add(o0, f64x2.mul(v128.load(row + k, 16), odd));
    e1 = f64x2.add(e1, f64x2.mul(v128.load(row1 + k), even));
    o1 = f64x2.add(o1, f64x2.mul(v128.load(row1 + k, 16), odd));
    e2 = f64x2.add(e2, f64x2.mul(v128.load(row2 + k), even));
    o2 = f64x2.add(o2, f64x2.mul(v128.load(row2 + k, 16), odd));
    e3 = f64x2.add(e3, f64x2.mul(v128.load(row3 + k), even));
    o3 = f64x2.add(o3, f64x2.mul(v128.load(row3 + k, 16), odd));
  }
  let s0 = addLanes(e0, o0);
  let s1 = addLanes(e1, o1);
  let s2 = addLanes(e2, o2);
  let s3 = addLanes(e3, o3);
  for (const last: usize = (<usize>j) << 3; k < last; k += 8) {
    const value = load<f64>(above + k);
    s0 += load<f64>(row + k) * value;
    s1 += load<f64>(row1 + k) * value;
    s2 += load<f64>(row2 + k) * value;
    s3 += load<f64>(row3 + k) * value;
  }
  const pivot = load<f64>(above + k);
  store<f64>(row + k, (load<f64>(a + k) - s0) / pivot);
  store<f64>(row1 + k, (load<f64>(a + stride + k) - s1) / pivot);
  store<f64>(row2 + k, (load<f64>(a + 2 * stride + k) - s2) / pivot);
  store<f64>(row3 + k, (load<f64>(a + 3 * stride + k) - s3) / pivot);
}

// ---------------------------------------------------------------------------------------------------------- eigen

/**
 * Tridiagonal form, as its twin; `image` and `spare` have room for n numbers each. The update of one step and the product
 * for the next go over the matrix together, so that it is read once a step.
 */
export function reduce(
  work: usize,
  n: i32,
  stride: usize,
  diagonal: usize,
  coupling: usize,
  betas: usize,
  image: usize,
  spare: usize,
): void {
  let before: usize = 0;
  let q = image;
  let next = spare;
  for (let i = n - 1; i >= 1; i--) {
    const v = work + <usize>i * stride;
    // The last row first: the next reflector is made of it.
    if (before) updateRow(v, before, q, i);
    put(diagonal, i, get(v, i));
    const beta = reflector(v, i, coupling);
    put(betas, i, beta);
    if (beta === 0) {
      if (before) for (let j = 0; j < i; j++) updateRow(work + <usize>j * stride, before, q, j);
      before = 0;
      continue;
    }
    memory.fill(next, 0, (<usize>i) << 3);
    for (let j = 0; j < i; j++) {
      const row = work + <usize>j * stride;
      const vj = get(v, j);
      const along = before ? updateAndMultiply(row, before, q, v, next, j, vj) : multiplyRow(row, v, next, j, vj);
      put(next, j, get(next, j) + (along + get(row, j) * vj));
    }
    for (let j = 0; j < i; j++) put(next, j, get(next, j) * beta);
    addScaled(next, v, i, -(0.5 * beta * dot(next, v, i)));
    before = v;
    const swapped = q;
    q = next;
    next = swapped;
  }
  if (n > 0) {
    if (before) updateRow(work, before, q, 0);
    put(diagonal, 0, load<f64>(work));
  }
}

/** Makes the reflector of row i in place and returns 2 / |v|², 0 where there is nothing to reflect. */
function reflector(row: usize, i: i32, coupling: usize): f64 {
  const end = get(row, i - 1);
  const above = dot(row, row, i - 1);
  if (above < SQUARE_MIN) {
    put(coupling, i - 1, end);
    return 0;
  }
  const length = Math.sqrt(above + end * end);
  const onto = end > 0 ? -length : length;
  put(coupling, i - 1, onto);
  put(row, i - 1, end - onto);
  return 2 / dot(row, row, i);
}

/** Row j of B − v qᵀ − q vᵀ, entries 0..j. */
function updateRow(row: usize, v: usize, q: usize, j: i32): void {
  const vj = f64x2.splat(get(v, j));
  const qj = f64x2.splat(get(q, j));
  const end: usize = (<usize>((j + 1) & ~1)) << 3;
  let k: usize = 0;
  for (; k < end; k += 16)
    v128.store(
      row + k,
      f64x2.sub(v128.load(row + k), f64x2.add(f64x2.mul(vj, v128.load(q + k)), f64x2.mul(qj, v128.load(v + k)))),
    );
  if (!(j & 1)) put(row, j, get(row, j) - (get(v, j) * get(q, j) + get(q, j) * get(v, j)));
}

/** next += vj · row and the product of row and v, entries 0..j − 1. */
function multiplyRow(row: usize, v: usize, next: usize, j: i32, vj: f64): f64 {
  const factor = f64x2.splat(vj);
  let even = f64x2.splat(0);
  let odd = even;
  const end: usize = (<usize>(j & ~3)) << 3;
  let k: usize = 0;
  for (; k < end; k += 32) {
    const left = v128.load(row + k);
    const right = v128.load(row + k, 16);
    even = f64x2.add(even, f64x2.mul(left, v128.load(v + k)));
    odd = f64x2.add(odd, f64x2.mul(right, v128.load(v + k, 16)));
    v128.store(next + k, f64x2.add(v128.load(next + k), f64x2.mul(factor, left)));
    v128.store(next + k, f64x2.add(v128.load(next + k, 16), f64x2.mul(factor, right)), 16);
  }
  let sum = addLanes(even, odd);
  for (const last: usize = (<usize>j) << 3; k < last; k += 8) {
    const value = load<f64>(row + k);
    sum += value * load<f64>(v + k);
    store<f64>(next + k, load<f64>(next + k) + vj * value);
  }
  return sum;
}

/** `updateRow` with the step before, then `multiplyRow`, in one pass. */
function updateAndMultiply(row: usize, before: usize, q: usize, v: usize, next: usize, j: i32, vj: f64): f64 {
  const oldV = get(before, j);
  const oldQ = get(q, j);
  const oldVs = f64x2.splat(oldV);
  const oldQs = f64x2.splat(oldQ);
  const factor = f64x2.splat(vj);
  let even = f64x2.splat(0);
  let odd = even;
  const end: usize = (<usize>(j & ~3)) << 3;
  let k: usize = 0;
  for (; k < end; k += 32) {
    const left = f64x2.sub(
      v128.load(row + k),
      f64x2.add(f64x2.mul(oldVs, v128.load(q + k)), f64x2.mul(oldQs, v128.load(before + k))),
    );
    const right = f64x2.sub(
      v128.load(row + k, 16),
      f64x2.add(f64x2.mul(oldVs, v128.load(q + k, 16)), f64x2.mul(oldQs, v128.load(before + k, 16))),
    );
    v128.store(row + k, left);
    v128.store(row + k, right, 16);
    even = f64x2.add(even, f64x2.mul(left, v128.load(v + k)));
    odd = f64x2.add(odd, f64x2.mul(right, v128.load(v + k, 16)));
    v128.store(next + k, f64x2.add(v128.load(next + k), f64x2.mul(factor, left)));
    v128.store(next + k, f64x2.add(v128.load(next + k, 16), f64x2.mul(factor, right)), 16);
  }
  let sum = addLanes(even, odd);
  for (const last: usize = (<usize>j) << 3; k < last; k += 8) {
    const value = load<f64>(row + k) - (oldV * load<f64>(q + k) + oldQ * load<f64>(before + k));
    store<f64>(row + k, value);
    sum += value * load<f64>(v + k);
    store<f64>(next + k, load<f64>(next + k) + vj * value);
  }
  store<f64>(row + k, load<f64>(row + k) - (oldV * oldQ + oldQ * oldV));
  return sum;
}

/** The product of the reflections; `basis` is the identity before. Four rows at a time go through all reflections. */
export function buildBasis(work: usize, n: i32, strideWork: usize, betas: usize, basis: usize, stride: usize): void {
  for (let first = 0; first < n; first += 4) {
    const rows = min(4, n - first);
    const start = basis + <usize>first * stride;
    for (let i = first + 1; i < n; i++) {
      const beta = get(betas, i);
      if (beta === 0) continue;
      const v = work + <usize>i * strideWork;
      if (rows === 4 && i >= first + 4) reflectFour(start, stride, v, i, beta);
      else
        for (let r = 0; r < rows && first + r < i; r++) {
          const row = start + <usize>r * stride;
          addScaled(row, v, i, -(beta * dot(row, v, i)));
        }
    }
  }
}

function reflectFour(row: usize, stride: usize, v: usize, count: i32, beta: f64): void {
  const row1 = row + stride;
  const row2 = row1 + stride;
  const row3 = row2 + stride;
  let e0 = f64x2.splat(0);
  let o0 = e0;
  let e1 = e0;
  let o1 = e0;
  let e2 = e0;
  let o2 = e0;
  let e3 = e0;
  let o3 = e0;
  const end: usize = (<usize>(count & ~3)) << 3;
  const last: usize = (<usize>count) << 3;
  let k: usize = 0;
  for (; k < end; k += 32) {
    const even = v128.load(v + k);
    const odd = v128.load(v + k, 16);
    e0 = f64x2.add(e0, f64x2.mul(v128.load(row + k), even));
    o0 = f64x2.add(o0, f64x2.mul(v128.load(row + k, 16), odd));
    e1 = f64x2.add(e1, f64x2.mul(v128.load(row1 + k), even));
    o1 = f64x2.add(o1, f64x2.mul(v128.load(row1 + k, 16), odd));
    e2 = f64x2.add(e2, f64x2.mul(v128.load(row2 + k), even));
    o2 = f64x2.add(o2, f64x2.mul(v128.load(row2 + k, 16), odd));
    e3 = f64x2.add(e3, f64x2.mul(v128.load(row3 + k), even));
    o3 = f64x2.add(o3, f64x2.mul(v128.load(row3 + k, 16), odd));
  }
  let s0 = addLanes(e0, o0);
  let s1 = addLanes(e1, o1);
  let s2 = addLanes(e2, o2);
  let s3 = addLanes(e3, o3);
  for (; k < last; k += 8) {
    const value = load<f64>(v + k);
    s0 += load<f64>(row + k) * value;
    s1 += load<f64>(row1 + k) * value;
    s2 += load<f64>(row2 + k) * value;
    s3 += load<f64>(row3 + k) * value;
  }
  s0 = -(beta * s0);
  s1 = -(beta * s1);
  s2 = -(beta * s2);
  s3 = -(beta * s3);
  const f0 = f64x2.splat(s0);
  const f1 = f64x2.splat(s1);
  const f2 = f64x2.splat(s2);
  const f3 = f64x2.splat(s3);
  const pairs: usize = (<usize>(count & ~1)) << 3;
  for (k = 0; k < pairs; k += 16) {
    const value = v128.load(v + k);
    v128.store(row + k, f64x2.add(v128.load(row + k), f64x2.mul(f0, value)));
    v128.store(row1 + k, f64x2.add(v128.load(row1 + k), f64x2.mul(f1, value)));
    v128.store(row2 + k, f64x2.add(v128.load(row2 + k), f64x2.mul(f2, value)));
    v128.store(row3 + k, f64x2.add(v128.load(row3 + k), f64x2.mul(f3, value)));
  }
  if (k < last) {
    const value = load<f64>(v + k);
    store<f64>(row + k, load<f64>(row + k) + s0 * value);
    store<f64>(row1 + k, load<f64>(row1 + k) + s1 * value);
    store<f64>(row2 + k, load<f64>(row2 + k) + s2 * value);
    store<f64>(row3 + k, load<f64>(row3 + k) + s3 * value);
  }
}

/** Turns rows `at` and `at` + 1 for each rotation, eight columns at a time through all rotations. */
export function rotate(
  basis: usize,
  n: i32,
  stride: usize,
  count: i32,
  rows: usize,
  cosines: usize,
  sines: usize,
): void {
  let column: usize = 0;
  const eights: usize = (<usize>(n & ~7)) << 3;
  const last: usize = (<usize>n) << 3;
  for (; column < eights; column += 64) rotateEight(basis + column, stride, count, rows, cosines, sines);
  for (; column < last; column += 8)
    for (let r = 0; r < count; r++) {
      const upper = basis + column + <usize>load<i32>(rows + ((<usize>r) << 2)) * stride;
      const cosine = get(cosines, r);
      const sine = get(sines, r);
      const x = load<f64>(upper);
      const y = load<f64>(upper + stride);
      store<f64>(upper, cosine * x + sine * y);
      store<f64>(upper + stride, cosine * y - sine * x);
    }
}

/** A run of rotations goes down row by row: the lower row of one is the upper row of the next and stays in registers. */
function rotateEight(basis: usize, stride: usize, count: i32, rows: usize, cosines: usize, sines: usize): void {
  let r = 0;
  while (r < count) {
    let at = load<i32>(rows + ((<usize>r) << 2));
    let upper = basis + <usize>at * stride;
    let x0 = v128.load(upper);
    let x1 = v128.load(upper, 16);
    let x2 = v128.load(upper, 32);
    let x3 = v128.load(upper, 48);
    do {
      const lower = upper + stride;
      const cosine = v128.load64_splat(cosines + ((<usize>r) << 3));
      const sine = v128.load64_splat(sines + ((<usize>r) << 3));
      const y0 = v128.load(lower);
      const y1 = v128.load(lower, 16);
      const y2 = v128.load(lower, 32);
      const y3 = v128.load(lower, 48);
      v128.store(upper, f64x2.add(f64x2.mul(cosine, x0), f64x2.mul(sine, y0)));
      v128.store(upper, f64x2.add(f64x2.mul(cosine, x1), f64x2.mul(sine, y1)), 16);
      v128.store(upper, f64x2.add(f64x2.mul(cosine, x2), f64x2.mul(sine, y2)), 32);
      v128.store(upper, f64x2.add(f64x2.mul(cosine, x3), f64x2.mul(sine, y3)), 48);
      x0 = f64x2.sub(f64x2.mul(cosine, y0), f64x2.mul(sine, x0));
      x1 = f64x2.sub(f64x2.mul(cosine, y1), f64x2.mul(sine, x1));
      x2 = f64x2.sub(f64x2.mul(cosine, y2), f64x2.mul(sine, x2));
      x3 = f64x2.sub(f64x2.mul(cosine, y3), f64x2.mul(sine, x3));
      upper = lower;
      at++;
      r++;
    } while (r < count && load<i32>(rows + ((<usize>r) << 2)) === at);
    v128.store(upper, x0);
    v128.store(upper, x1, 16);
    v128.store(upper, x2, 32);
    v128.store(upper, x3, 48);
  }
}
