import { expect } from '../checks/expect.ts';

/**
 * Reports of market capitalisation, in any order: report `k` says that on `day[k]` column `column[k]` was worth `cap[k]`.
 *
 * `origin` says how the figure came about. Adjusted prices times shares are refused: later splits and dividends are
 * already in such a price, so the figure knows the future.
 */
export type CapSnapshots = {
  /** Days since 1970-01-01. */
  day: Int32Array;
  column: Int32Array;
  /** In one currency; NaN or not above zero is no report. */
  cap: Float64Array;
  origin: 'reported' | 'raw-price-times-shares' | 'adjusted-price-times-shares';
};

/** Market capitalisations a participant could have had at each day, with the day each one was reported. */
export type KnownCaps = {
  /** Row-major T × N; NaN where none was known. */
  cap: Float64Array;
  /** Row-major T × N day of the snapshot behind each value; NO_SNAPSHOT where none was known. */
  snapshotDay: Int32Array;
  /** T days the rows belong to. */
  day: Int32Array;
  columnCount: number;
  /** False when the carrying prices also held dividends, so that carried values lag by the dividends paid since. */
  exact: boolean;
};

/** Stands for "no snapshot" in `snapshotDay`. */
export const NO_SNAPSHOT = -2147483648;

/** Calendar days after which a report is no longer carried. */
export const CAP_MAX_AGE_DAYS = 400;

/**
 * Carries reported market capitalisations forward to every day they could have been known.
 *
 * On day t the report with the latest day **before** t counts; a report of the day itself is refused, because it is
 * published after the close it speaks of. It is carried by the price ratio from the last close at or before the report
 * to the close of t, and is gone once it is more than 400 days old. It is NaN where that first close is missing (the
 * last one within ten rows before the report is taken), or the close of t is.
 *
 * `priceBasis` names the prices that carry. Only split-adjusted ones keep a capitalisation right; with total-return
 * prices, each dividend paid since the report makes the value too large by about its yield, and `exact` is false.
 *
 * Time O(T·N + S log S).
 *
 * @param day T ascending days since 1970-01-01.
 * @param close Row-major T × N closes, NaN where missing.
 * @throws RangeError on wrong shapes, or for capitalisations made from adjusted prices.
 */
export function capsAsKnown(
  day: Int32Array,
  close: Float64Array,
  columnCount: number,
  priceBasis: 'split_adjusted' | 'total_return',
  snapshots: CapSnapshots,
): KnownCaps {
  const rowCount = day.length;
  expect(
    close.length === rowCount * columnCount,
    `close must be ${rowCount} x ${columnCount}, had ${close.length} values`,
  );
  const size = snapshots.day.length;
  expect(
    snapshots.column.length === size && snapshots.cap.length === size,
    `snapshots need columns of one length, had ${size}, ${snapshots.column.length}, ${snapshots.cap.length}`,
  );
  expect(
    snapshots.origin !== 'adjusted-price-times-shares',
    'market capitalisation from adjusted prices is refused: the adjustment knows later splits and dividends',
  );
  checkAscending(day);

  const order = Uint32Array.from({ length: size }, (_, k) => k);
  order.sort((a, b) => snapshots.day[a]! - snapshots.day[b]! || a - b);
  const cap = new Float64Array(rowCount * columnCount).fill(Number.NaN);
  const snapshotDay = new Int32Array(rowCount * columnCount).fill(NO_SNAPSHOT);
  const reportDay = new Int32Array(columnCount).fill(NO_SNAPSHOT);
  const perPrice = new Float64Array(columnCount).fill(Number.NaN);
  let next = 0;
  for (let t = 0; t < rowCount; t++) {
    for (; next < size && snapshots.day[order[next]!]! < day[t]!; next++) {
      const k = order[next]!;
      const i = snapshots.column[k]!;
      expect(i >= 0 && i < columnCount, `snapshot column must be in 0..${columnCount - 1}, was ${i}`);
      if (!(snapshots.cap[k]! > 0)) continue;
      reportDay[i] = snapshots.day[k]!;
      perPrice[i] = snapshots.cap[k]! / priceAtReport(day, close, columnCount, i, snapshots.day[k]!, t);
    }
    const base = t * columnCount;
    for (let i = 0; i < columnCount; i++) {
      if (day[t]! - reportDay[i]! > CAP_MAX_AGE_DAYS) continue;
      const value = perPrice[i]! * close[base + i]!;
      if (!(value > 0 && value < Number.POSITIVE_INFINITY)) continue;
      cap[base + i] = value;
      snapshotDay[base + i] = reportDay[i]!;
    }
  }
  return { cap, snapshotDay, day, columnCount, exact: priceBasis === 'split_adjusted' };
}

/**
 * Refuses capitalisations that could not have been known: of other days than the panel's, reported on or after the day
 * they are used, or too old.
 *
 * @throws RangeError that names the first such row and column.
 */
export function checkKnownCaps(caps: KnownCaps, day: Int32Array, columnCount: number): void {
  const size = day.length * columnCount;
  expect(
    caps.cap.length === size && caps.snapshotDay.length === size,
    `caps must be ${day.length} x ${columnCount}, had ${caps.cap.length} values`,
  );
  for (let t = 0; t < day.length; t++) {
    expect(caps.day[t] === day[t], `caps of another day are refused: row ${t} is of day ${caps.day[t]}, not ${day[t]}`);
    for (let i = 0; i < columnCount; i++) {
      const cell = t * columnCount + i;
      if (Number.isNaN(caps.cap[cell]!)) continue;
      const age = day[t]! - caps.snapshotDay[cell]!;
      expect(
        age >= 1 && age <= CAP_MAX_AGE_DAYS,
        `a cap must be reported 1 to ${CAP_MAX_AGE_DAYS} days before its use: row ${t}, column ${i} is ${age} days old`,
      );
    }
  }
}

const REPORT_PRICE_ROWS_MAX = 10;

/** The last close at or before the report, at most ten rows back; NaN when there is none. Sees rows before `t` only. */
function priceAtReport(
  day: Int32Array,
  close: Float64Array,
  columnCount: number,
  column: number,
  reportDay: number,
  t: number,
): number {
  let row = t - 1;
  while (row >= 0 && day[row]! > reportDay) row--;
  for (let back = 0; back < REPORT_PRICE_ROWS_MAX && row - back >= 0; back++) {
    const price = close[(row - back) * columnCount + column]!;
    if (price > 0) return price;
  }
  return Number.NaN;
}

function checkAscending(day: Int32Array): void {
  for (let t = 1; t < day.length; t++)
    expect(day[t]! > day[t - 1]!, `days must ascend: row ${t} is ${day[t]} after ${day[t - 1]}`);
}
