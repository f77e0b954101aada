import { createPlainKernels } from './plain-tree-kernels.ts';
import { allocateIn, bytesOf, layOutRoom, type RoomShape, type TreeKernels } from './tree-kernels.ts';
import { WASM_BASE64 } from './trees-wasm.ts';

/** What is used here of WebAssembly, which every browser and server names the same. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: Record<string, Record<string, () => void>>) => { exports: Twin };
};

/** Addresses and counts; pointers first, as in the module. */
type Call<Result = void> = (...numbers: number[]) => Result;
type Twin = {
  memory: { buffer: ArrayBuffer; grow: (pages: number) => number };
  sortValues: Call;
  assignBins: Call;
  layRows: Call;
  logisticPairs: Call;
  addToRows: Call;
  buildHistogram: Call;
  buildColumnHistograms: Call;
  subtract: Call;
  findSplit: Call;
  partition: Call<number>;
};

const PAGE = 65_536;
const CACHE_LINE = 64;
/** Nothing of the module lies in its memory; address zero stays free all the same. */
const FIRST_ADDRESS = 1024;
/** A memory of WebAssembly has 32-bit addresses; beyond this the plain kernels work, slower. */
const BYTES_MAX = 2 ** 31;

let compiled: object | null | undefined;

/** The kernels for a fit: in WebAssembly where there is one and its memory reaches. Both give the same bits. */
export function createTreeKernels(shape: RoomShape): TreeKernels {
  return createTwinKernels(shape) ?? createPlainKernels(shape);
}

/** Null where the machine has no WebAssembly with vectors, or not so much memory for it. The memory goes with the kernels. */
export function createTwinKernels(shape: RoomShape): TreeKernels | null {
  const bytes = bytesNeeded(shape);
  const module = findModule();
  if (module === null || bytes > BYTES_MAX) return null;
  const twin = new WebAssembly.Instance(module, { env: { abort: () => {} } }).exports;
  try {
    twin.memory.grow(Math.ceil(Math.max(0, bytes - twin.memory.buffer.byteLength) / PAGE));
  } catch {
    return null;
  }
  const { buffer } = twin.memory;
  let next = FIRST_ADDRESS;
  const room = layOutRoom(shape, (kind, count) => {
    const address = next;
    next = endOf(address, bytesOf(kind) * count);
    return allocateIn(buffer, kind, address, count);
  });
  const at = Object.fromEntries(Object.entries(room).map(([name, view]) => [name, view.byteOffset])) as Record<
    keyof typeof room,
    number
  >;
  return {
    room,
    sortValues: (count) => twin.sortValues(at.sorted, count, at.spare, at.counts),
    assignBins: (values, bins) => twin.assignBins(values.byteOffset, values.length, at.cuts, bins.byteOffset),
    layRows: (rowCount, columnCount) => twin.layRows(at.binsByColumn, rowCount, at.chosen, columnCount, at.binsByRow),
    logisticPairs: (rowCount, gridGradient, gridHessian) =>
      twin.logisticPairs(at.margins, at.target, at.weight, rowCount, gridGradient, gridHessian, at.pairs),
    addToRows: (start, end, value) => twin.addToRows(at.rows, start, end, at.margins, value),
    buildHistogram: (rowCount, columnCount, start, end, { byteOffset }) =>
      twin.buildHistogram(
        ...[at.binsByRow, rowCount, columnCount, at.rows, start, end, at.pairs, at.nodePairs, byteOffset],
      ),
    buildColumnHistograms: (rowCount, columnCount, start, end, { byteOffset }) =>
      twin.buildColumnHistograms(
        ...[at.binsByColumn, rowCount, at.chosen, columnCount, at.rows, start, end, at.pairs, byteOffset],
      ),
    subtract: (parent, child, columnCount) => twin.subtract(parent.byteOffset, child.byteOffset, columnCount),
    findSplit: (histogram, columnCount, { gradient, hessian, l1, l2, hessianMin, scoreMin }) =>
      twin.findSplit(
        ...[histogram.byteOffset, columnCount, at.binCounts, at.flags],
        ...[gradient, hessian, l1, l2, hessianMin, scoreMin, at.found],
      ),
    partition: (bins, start, end) => twin.partition(bins.byteOffset, at.rows, start, end, at.sides, at.spareRows),
  };
}

function findModule(): object | null {
  if (compiled !== undefined) return compiled;
  try {
    compiled = new WebAssembly.Module(Uint8Array.from(atob(WASM_BASE64), (letter) => letter.charCodeAt(0)));
  } catch {
    compiled = null;
  }
  return compiled;
}

function bytesNeeded(shape: RoomShape): number {
  let end = FIRST_ADDRESS;
  layOutRoom(shape, (kind, count) => {
    end = endOf(end, bytesOf(kind) * count);
    return allocateIn(new ArrayBuffer(0), kind, 0, 0);
  });
  return end;
}

function endOf(address: number, bytes: number): number {
  return Math.ceil((address + bytes) / CACHE_LINE) * CACHE_LINE;
}
