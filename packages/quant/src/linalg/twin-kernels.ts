import type { AlgebraKernels, TurnedBasis } from './algebra-kernels.ts';
import { WASM_BASE64 } from './algebra-wasm.ts';
import { plainKernels } from './plain-kernels.ts';
import { SWEEPS_HELD, solveTridiagonal } from './tridiagonal.ts';

/** What is used here of WebAssembly, which every browser and server names the same. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: Record<string, Record<string, () => void>>) => { exports: Twin };
};

type Twin = {
  memory: { buffer: ArrayBuffer; grow: (pages: number) => number };
  multiply: (a: number, rows: number, inner: number, b: number, columns: number, c: number, panel: number) => void;
  factor: (a: number, n: number, l: number, pivotShareMin: number) => number;
  reduce: (
    work: number,
    n: number,
    stride: number,
    diagonal: number,
    coupling: number,
    betas: number,
    image: number,
    spare: number,
  ) => void;
  buildBasis: (work: number, n: number, strideWork: number, betas: number, basis: number, stride: number) => void;
  rotate: (
    basis: number,
    n: number,
    stride: number,
    count: number,
    rows: number,
    cosines: number,
    sines: number,
  ) => void;
};

/** From this size on the twin is faster, the copies in and out included (measured, docs/methods). */
const TWIN_FROM = 16;
/** Its memory stays at the largest size asked for; beyond this the plain kernels work, slower. */
const BYTES_MAX = 1 << 30;
const PAGE = 65_536;
/** Nothing of the module lies in its memory; address zero stays free all the same. */
const FIRST_ADDRESS = 1024;
/** Four columns of at most 256 inner entries. */
const PANEL_COUNT = 1024;

let found: Twin | null | undefined;

/** The kernels for a matrix of this many rows. Both give the same bits, so the choice never shows in a result. */
export function chooseKernels(size: number): AlgebraKernels {
  return size >= TWIN_FROM && findTwin() ? twinKernels : plainKernels;
}

/** The kernels in WebAssembly. Needs `findTwin`; where its memory does not reach, the plain ones do the work. */
export const twinKernels: AlgebraKernels = { multiply, factor, diagonalise };

/** The one instance, made when first needed; null where the machine has no WebAssembly with vectors. */
export function findTwin(): Twin | null {
  if (found !== undefined) return found;
  try {
    const bytes = Uint8Array.from(atob(WASM_BASE64), (letter) => letter.charCodeAt(0));
    found = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { abort: () => {} } }).exports;
  } catch {
    found = null;
  }
  return found;
}

function multiply(
  a: Float64Array,
  rowCount: number,
  innerCount: number,
  b: Float64Array,
  columnCount: number,
): Float64Array {
  const room = layOut([a.length, b.length, rowCount * columnCount, PANEL_COUNT]);
  if (!room) return plainKernels.multiply(a, rowCount, innerCount, b, columnCount);
  const [left, right, product, panel] = room.views as [Float64Array, Float64Array, Float64Array, Float64Array];
  left.set(a);
  right.set(b);
  product.fill(0);
  const at = (view: Float64Array) => view.byteOffset;
  room.twin.multiply(at(left), rowCount, innerCount, at(right), columnCount, at(product), at(panel));
  return product.slice();
}

function factor(matrix: Float64Array, n: number, pivotShareMin: number): Float64Array | null {
  const room = layOut([n * n, n * n]);
  if (!room) return plainKernels.factor(matrix, n, pivotShareMin);
  const [from, to] = room.views as [Float64Array, Float64Array];
  from.set(matrix);
  to.fill(0);
  return room.twin.factor(from.byteOffset, n, to.byteOffset, pivotShareMin) ? to.slice() : null;
}

function diagonalise(matrix: Float64Array, n: number): TurnedBasis {
  // An odd number of cache lines a row: rows at a power of two would push each other out of the cache.
  const stride = 8 * (Math.ceil(n / 8) | 1);
  const turns = SWEEPS_HELD * n;
  const room = layOut([n * n, n * stride, n, n, n, n, n, turns, turns, Math.ceil(turns / 2)]);
  if (!room) return plainKernels.diagonalise(matrix, n);
  const [work, basis, values, coupling, betas, image, spare, cosines, sines, places] = room.views as [
    ...[Float64Array, Float64Array, Float64Array, Float64Array, Float64Array],
    ...[Float64Array, Float64Array, Float64Array, Float64Array, Float64Array],
  ];
  const { twin } = room;
  const at = (view: Float64Array) => view.byteOffset;
  work.set(matrix);
  for (const view of [basis, coupling, betas]) view.fill(0);
  for (let i = 0; i < n; i++) basis[i * stride + i] = 1;
  twin.reduce(at(work), n, 8 * n, at(values), at(coupling), at(betas), at(image), at(spare));
  twin.buildBasis(at(work), n, 8 * n, at(betas), at(basis), 8 * stride);
  const rotations = { count: 0, rows: new Int32Array(places.buffer, at(places), turns), cosines, sines };
  solveTridiagonal(values, coupling, rotations, ({ count }) =>
    twin.rotate(at(basis), n, 8 * stride, count, at(places), at(cosines), at(sines)),
  );
  return { values, basis, stride };
}

/** Views of these lengths side by side in the twin's memory, each on a cache line; null where it does not reach. */
function layOut(counts: readonly number[]): { twin: Twin; views: Float64Array[] } | null {
  const twin = findTwin();
  if (!twin) return null;
  const starts: number[] = [];
  let end = FIRST_ADDRESS;
  for (const count of counts) {
    starts.push(end);
    end += Math.ceil(count / 8) * 64;
  }
  if (end > BYTES_MAX) return null;
  const missing = end - twin.memory.buffer.byteLength;
  try {
    if (missing > 0) twin.memory.grow(Math.ceil(missing / PAGE));
  } catch {
    return null;
  }
  const { buffer } = twin.memory;
  return { twin, views: counts.map((count, k) => new Float64Array(buffer, starts[k], count)) };
}
