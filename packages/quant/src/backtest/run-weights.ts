import { expect } from '../checks/expect.ts';
import { checkTargets, type TargetWeights } from './target-weights.ts';

/** When a decision taken at the close of t is filled: at that close, or at the close of the next row. */
export type Fill = 'close' | 'next-close';

export type RunWeightsInput = {
  /** Row-major T × N closes on one basis, one currency. NaN: no price that day. */
  close: Float64Array;
  rowCount: number;
  columnCount: number;
  targets: TargetWeights;
  /** Price of trading, in basis points of the traded weight, each way. 10 means 0.1 % of what is bought and of what is sold. */
  costBasisPoints: number;
  fill: Fill;
  /** Rows without a price in a row after which a holding counts as delisted at its last price. Default 10. */
  delistAfterRows?: number;
  /** Keep the weights held after every close (T × N more memory). Default false. */
  recordHeldWeights?: boolean;
};

/** A hypothetical run. All arrays have T entries, indexed by row, unless said. */
export type WeightsRun = {
  /** Simple return from the close of the row before to this row's close, before costs. Row 0 is NaN. */
  returnsGross: Float64Array;
  /** The same after the cost of what was traded at the row before. Row 0 is NaN. */
  returnsNet: Float64Array;
  /** Sum of |target − drifted| over instruments traded at this close. A full switch is 2, buying in from cash is 1. */
  turnover: Float64Array;
  /** Fraction of wealth paid at this close; it lowers the net return of the next row. */
  cost: Float64Array;
  /** Fraction of wealth in instruments after trading at this close; the rest is cash, which earns nothing. */
  invested: Float64Array;
  /** Instruments held after trading at this close. */
  holdingCount: Int32Array;
  /** Instruments held through this row at a last price because they had none. */
  staleCount: Int32Array;
  /** Holdings turned into cash at this row at their last price because none had come for too long. */
  delistedCount: Int32Array;
  /** Rebalances on which wanted or held instruments could not be traded for want of a price. */
  untradableCount: Int32Array;
  /** N fractions of wealth held after the last row. */
  finalWeights: Float64Array;
  /** Row-major T × N fractions of wealth held after trading at each close, or null when not asked for. */
  heldWeights: Float64Array | null;
};

const DELIST_AFTER_ROWS_DEFAULT = 10;

/**
 * Holds given weights through a panel: hypothetical wealth with drift between rebalances and costs on what is traded.
 *
 * Timing. A decision of row t sees the close of t. With fill `close` it is traded at that close and earns from row t + 1
 * on; with `next-close` it is traded at the close of t + 1 and earns from t + 2 on. Row t of every output depends on
 * closes up to t and decisions up to t only.
 *
 * Costs. Traded weight is Σ |target − drifted| over instruments, the cash leg not counted. At a cost of c it lowers the
 * next row: net = (1 − c)(1 + gross) − 1. A trade at the last row is reported and earns nothing any more.
 *
 * Missing prices. A held instrument without a price keeps its last one (`staleCount`) and is not traded: it keeps its
 * drifted weight, and the targets of the others are scaled to what remains. After `delistAfterRows` rows in a row it
 * becomes cash at its last price, without cost (`delistedCount`); should it come back, it is a new holding. A wanted
 * instrument without a price is not bought, its part stays in cash. A price that is not above zero counts as missing.
 *
 * Returns are simple, neither clipped nor scaled, on the basis of `close`. Time O(T·N), allocates O(T + N).
 *
 * @throws RangeError on wrong shapes, a negative cost or targets that do not fit.
 */
export function runWeights(input: RunWeightsInput): WeightsRun {
  const { close, rowCount, columnCount, targets, costBasisPoints } = input;
  const delistAfterRows = input.delistAfterRows ?? DELIST_AFTER_ROWS_DEFAULT;
  expect(
    close.length === rowCount * columnCount,
    `close must be ${rowCount} x ${columnCount}, had ${close.length} values`,
  );
  expect(
    costBasisPoints >= 0 && costBasisPoints < 10_000,
    `costBasisPoints must be in 0..10000, was ${costBasisPoints}`,
  );
  expect(delistAfterRows >= 1, `delistAfterRows must be >= 1, was ${delistAfterRows}`);
  checkTargets(targets, rowCount, columnCount);

  const run = createRun(rowCount, columnCount, input.recordHeldWeights ?? false);
  const book = createBook(columnCount);
  const fillLag = input.fill === 'close' ? 0 : 1;
  const costRate = costBasisPoints / 10_000;
  let next = 0;
  for (let t = 0; t < rowCount; t++) {
    const base = t * columnCount;
    if (t > 0) {
      const gross = driftOneRow(book, close, base, delistAfterRows, run, t);
      run.returnsGross[t] = gross;
      run.returnsNet[t] = (1 - run.cost[t - 1]!) * (1 + gross) - 1;
    }
    if (next < targets.row.length && targets.row[next]! + fillLag === t) {
      if (targets.status[next]!.status !== 'infeasible') {
        run.turnover[t] = trade(book, close, base, targets, next, run, t);
        run.cost[t] = costRate * run.turnover[t]!;
      }
      next++;
    }
    let invested = 0;
    for (let h = 0; h < book.count; h++) {
      const i = book.held[h]!;
      invested += book.weight[i]!;
      if (run.heldWeights) run.heldWeights[base + i] = book.weight[i]!;
    }
    run.invested[t] = invested;
    run.holdingCount[t] = book.count;
  }
  for (let h = 0; h < book.count; h++) run.finalWeights[book.held[h]!] = book.weight[book.held[h]!]!;
  return run;
}

/** What is held: `held[0..count)` lists the columns; the other arrays are indexed by column. */
type Book = {
  held: Int32Array;
  count: number;
  weight: Float64Array;
  lastPrice: Float64Array;
  missingRows: Int32Array;
  wanted: Float64Array;
};

function createBook(columnCount: number): Book {
  return {
    held: new Int32Array(columnCount),
    count: 0,
    weight: new Float64Array(columnCount),
    lastPrice: new Float64Array(columnCount),
    missingRows: new Int32Array(columnCount),
    wanted: new Float64Array(columnCount),
  };
}

function createRun(rowCount: number, columnCount: number, recordHeldWeights: boolean): WeightsRun {
  return {
    returnsGross: new Float64Array(rowCount).fill(Number.NaN),
    returnsNet: new Float64Array(rowCount).fill(Number.NaN),
    turnover: new Float64Array(rowCount),
    cost: new Float64Array(rowCount),
    invested: new Float64Array(rowCount),
    holdingCount: new Int32Array(rowCount),
    staleCount: new Int32Array(rowCount),
    delistedCount: new Int32Array(rowCount),
    untradableCount: new Int32Array(rowCount),
    finalWeights: new Float64Array(columnCount),
    heldWeights: recordHeldWeights ? new Float64Array(rowCount * columnCount) : null,
  };
}

/** Moves the book to this row's prices and returns the simple return of its wealth. */
function driftOneRow(
  book: Book,
  close: Float64Array,
  base: number,
  delistAfterRows: number,
  run: WeightsRun,
  t: number,
): number {
  const { held, weight, lastPrice, missingRows } = book;
  let gross = 0;
  for (let h = 0; h < book.count; h++) {
    const i = held[h]!;
    const price = close[base + i]!;
    if (price > 0) {
      const grown = weight[i]! * (price / lastPrice[i]!);
      gross += grown - weight[i]!;
      weight[i] = grown;
      lastPrice[i] = price;
      missingRows[i] = 0;
    } else {
      missingRows[i]!++;
      run.staleCount[t]!++;
    }
  }
  const wealth = 1 + gross;
  let kept = 0;
  for (let h = 0; h < book.count; h++) {
    const i = held[h]!;
    if (missingRows[i]! >= delistAfterRows) {
      run.delistedCount[t]!++;
      weight[i] = 0;
      missingRows[i] = 0;
    } else {
      weight[i]! /= wealth;
      held[kept++] = i;
    }
  }
  book.count = kept;
  return gross;
}

/** Trades the book towards decision `r` at this row's prices and returns the traded weight. */
function trade(
  book: Book,
  close: Float64Array,
  base: number,
  targets: TargetWeights,
  r: number,
  run: WeightsRun,
  t: number,
): number {
  const { held, weight, lastPrice, missingRows, wanted } = book;
  const from = targets.offset[r]!;
  const to = targets.offset[r + 1]!;
  let frozen = 0;
  for (let h = 0; h < book.count; h++) {
    const i = held[h]!;
    if (missingRows[i]! > 0) {
      frozen += weight[i]!;
      run.untradableCount[t]!++;
    }
  }
  const scale = frozen > 0 ? 1 - frozen : 1;
  for (let k = from; k < to; k++) {
    const i = targets.column[k]!;
    if (close[base + i]! > 0) wanted[i] = targets.weight[k]! * scale;
    else if (weight[i] === 0) run.untradableCount[t]!++;
  }

  let traded = 0;
  let kept = 0;
  for (let h = 0; h < book.count; h++) {
    const i = held[h]!;
    if (missingRows[i]! > 0) {
      held[kept++] = i;
      continue;
    }
    traded += Math.abs(wanted[i]! - weight[i]!);
    weight[i] = wanted[i]!;
    wanted[i] = 0;
    if (weight[i]! > 0) held[kept++] = i;
  }
  // What is still wanted was not held before.
  for (let k = from; k < to; k++) {
    const i = targets.column[k]!;
    if (wanted[i]! > 0) {
      traded += wanted[i]!;
      weight[i] = wanted[i]!;
      wanted[i] = 0;
      lastPrice[i] = close[base + i]!;
      missingRows[i] = 0;
      held[kept++] = i;
    }
  }
  book.count = kept;
  return traded;
}
