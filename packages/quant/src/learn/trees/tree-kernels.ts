/** Bins of a column: values lie in 0..254 or 0..255; where a column has missing values, they are the last one. */
export const BIN_COUNT = 256;
export const MISSING_BIN = 255;
/** Numbers of a column's histogram: gradient and hessian of every bin, side by side. */
export const HISTOGRAM_COUNT = 2 * BIN_COUNT;
/** Digits `sortValues` counts. */
export const SORT_COUNTS = 6 * 2048;
/** Columns that are turned from rows to columns at once: a cache line of a row. */
export const COLUMNS_AT_ONCE = 8;

/** Flags of a column in `findSplit`. */
export const MAY_SPLIT = 1;
export const HAS_MISSING = 2;

/** How much room a fit needs. */
export type RoomShape = { rowCount: number; columnCount: number; histogramCount: number };

/** The arrays a fit works on, side by side in one memory where WebAssembly does the work. */
export type TreeRoom = {
  /** COLUMNS_AT_ONCE columns of inputs. */
  columns: Float64Array;
  sorted: Float64Array;
  spare: Float64Array;
  counts: Int32Array;
  /** Cuts of one column; NaN behind the last. */
  cuts: Float64Array;
  binsByColumn: Uint8Array;
  /** Blocks of four columns (the last may have fewer), within a block by rows. */
  binsByRow: Uint8Array;
  rows: Int32Array;
  spareRows: Int32Array;
  /** Gradient and hessian of every row, side by side, on a grid (`gradient-grid.ts`). */
  pairs: Float32Array;
  /** Those of the rows of a node. */
  nodePairs: Float32Array;
  margins: Float64Array;
  target: Float64Array;
  weight: Float64Array;
  /** `histogramCount` times all columns. */
  histograms: Float64Array;
  /** The columns looked at, and of each of them: bins of values, flags. */
  chosen: Int32Array;
  binCounts: Int32Array;
  flags: Uint8Array;
  /** One a bin: 1 goes left. */
  sides: Uint8Array;
  found: Float64Array;
};

/** What is given to the search for a split: sums of the node, and what is asked of it. */
export type SplitQuery = {
  gradient: number;
  hessian: number;
  l1: number;
  l2: number;
  /** Each side needs so much; > 0. */
  hessianMin: number;
  /** A split is found only if its score is above this. */
  scoreMin: number;
};

/** Places of what `findSplit` writes. */
export const FOUND = { score: 0, gradientLeft: 1, hessianLeft: 2, column: 3, bin: 4, missingLeft: 5 } as const;

/**
 * The work that takes the time of learning trees. All arrays lie in the kernels' own room; where an array is given in part, it
 * is a view. Sums of pairs are exact, so that every order of rows gives the same bits.
 */
export type TreeKernels = {
  room: TreeRoom;
  /** Sorts the first `count` of `sorted`, without NaN, ascending. */
  sortValues(count: number): void;
  /** Bins of a column in `columns`: how many of `cuts` are not above the value; MISSING_BIN for NaN. */
  assignBins(values: Float64Array, bins: Uint8Array): void;
  /** Lays the first `columnCount` of `chosen` columns of `binsByColumn` out in `binsByRow`. */
  layRows(rowCount: number, columnCount: number): void;
  /** Gradient and hessian of the log loss, rounded by adding and taking away the grids. */
  logisticPairs(rowCount: number, gridGradient: number, gridHessian: number): void;
  /** Adds to the margin of rows[start..end). */
  addToRows(start: number, end: number, value: number): void;
  /** Histograms of the columns in `binsByRow` over rows[start..end). */
  buildHistogram(rowCount: number, columnCount: number, start: number, end: number, histogram: Float64Array): void;
  /** Histograms of the first `columnCount` of `chosen` over rows[start..end), from `binsByColumn`. */
  buildColumnHistograms(
    rowCount: number,
    columnCount: number,
    start: number,
    end: number,
    histogram: Float64Array,
  ): void;
  /** parent −= child. */
  subtract(parent: Float64Array, child: Float64Array, columnCount: number): void;
  /** Writes the best split over the columns whose flag has MAY_SPLIT into `found`; ties go to the first; column −1: none. */
  findSplit(histogram: Float64Array, columnCount: number, query: SplitQuery): void;
  /** Rows of rows[start..end) whose bin's side is 1 come first, order kept. Returns where the others start. */
  partition(bins: Uint8Array, start: number, end: number): number;
};

const KINDS = { f64: Float64Array, f32: Float32Array, i32: Int32Array, u8: Uint8Array } as const;
type Kind = keyof typeof KINDS;
type ViewOf<K extends Kind> = InstanceType<(typeof KINDS)[K]>;
/** Gives an array of the kind with so many places. */
export type Allocate = <K extends Kind>(kind: K, count: number) => ViewOf<K>;

/** Makes the room; called once to count and once to give, where the memory must be known before. */
export function layOutRoom({ rowCount, columnCount, histogramCount }: RoomShape, allocate: Allocate): TreeRoom {
  return {
    columns: allocate('f64', COLUMNS_AT_ONCE * rowCount),
    sorted: allocate('f64', rowCount),
    spare: allocate('f64', rowCount),
    counts: allocate('i32', SORT_COUNTS),
    cuts: allocate('f64', BIN_COUNT - 1),
    binsByColumn: allocate('u8', rowCount * columnCount),
    binsByRow: allocate('u8', rowCount * columnCount),
    rows: allocate('i32', rowCount),
    spareRows: allocate('i32', rowCount),
    pairs: allocate('f32', 2 * rowCount),
    nodePairs: allocate('f32', 2 * rowCount),
    margins: allocate('f64', rowCount),
    target: allocate('f64', rowCount),
    weight: allocate('f64', rowCount),
    histograms: allocate('f64', histogramCount * columnCount * HISTOGRAM_COUNT),
    chosen: allocate('i32', columnCount),
    binCounts: allocate('i32', columnCount),
    flags: allocate('u8', columnCount),
    sides: allocate('u8', BIN_COUNT),
    found: allocate('f64', 6),
  };
}

/** Bytes of one place of the kind. */
export function bytesOf(kind: Kind): number {
  return KINDS[kind].BYTES_PER_ELEMENT;
}

/** An array of its own. */
export function allocatePlain<K extends Kind>(kind: K, count: number): ViewOf<K> {
  const Type: new (length: number) => unknown = KINDS[kind];
  return new Type(count) as ViewOf<K>;
}

/** A part of a memory. */
export function allocateIn<K extends Kind>(buffer: ArrayBuffer, kind: K, address: number, count: number): ViewOf<K> {
  const Type: new (buffer: ArrayBuffer, address: number, length: number) => unknown = KINDS[kind];
  return new Type(buffer, address, count) as ViewOf<K>;
}
