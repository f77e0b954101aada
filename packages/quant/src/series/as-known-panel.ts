import { expect } from '../checks/expect.ts';

/**
 * Everything told about closes: telling `k` says that on panel row `row[k]` column `column[k]` closed at `close[k]`, and
 * could be known from `knownAt[k]` (EpochMs) on. Sorted by column, row, knowledge time; rows outside the panel are left out.
 */
export type CloseTellings = {
  column: Int32Array;
  row: Int32Array;
  knownAt: Float64Array;
  close: Float64Array;
};

/** A split (new shares per old share) or cash dividend (per share, after a split of the same day), by its ex-row. */
export type KnownAction = { column: number; exRow: number; kind: 'split' | 'dividend'; value: number; knownAt: number };

export type AsKnownInput = {
  tellings: CloseTellings;
  actions: readonly KnownAction[];
  rowCount: number;
  columnCount: number;
  /** T instants (EpochMs), ascending: what is known at the decision of each row. */
  knownBy: Float64Array;
  /**
   * Steps that look like a split nobody told of: from the close before to this row. Unless a split known at that row explains
   * it, the step is paid as no return at all, neither gain nor loss, because the prices on its two sides are not comparable.
   */
  suspectSteps?: readonly { column: number; row: number }[];
  /** T × N units of the panel's currency for one unit of the column's, or absent when they are the same. NaN: unknown. */
  rate?: Float64Array;
};

/** A column as it was seen from row `row` on, because something about its past became known late. */
export type ColumnRevision = { row: number; column: number; totalReturn: Float64Array; splitAdjusted: Float64Array };

/**
 * Closes as they were known at each row. Values are built forward from the first close, so that an action known by its
 * ex-row changes nothing before it; only what became known late makes a revision.
 */
export type AsKnownPanel = {
  rowCount: number;
  columnCount: number;
  /** Row-major T × N, splits and dividends reinvested; row t as known at row t, before any revision. */
  totalReturn: Float64Array;
  /** The same with splits only: it carries market capitalisations. */
  splitAdjusted: Float64Array;
  /** Ascending by row, then column. */
  revisions: ColumnRevision[];
};

/**
 * Builds what a participant saw, day by day, from everything that was ever told.
 *
 * At row t a bar counts with the last telling known by `knownBy[t]`; a telling known later is unknown then. A bar told for
 * the first time after its own row is missing (NaN) at its row. Time O(tellings + N·T·(1 + revised columns)).
 *
 * @throws RangeError on wrong shapes or tellings that are not sorted.
 */
export function asKnownPanel(input: AsKnownInput): AsKnownPanel {
  const { tellings, rowCount, columnCount, knownBy } = input;
  checkInput(input);
  const totalReturn = new Float64Array(rowCount * columnCount).fill(Number.NaN);
  const splitAdjusted = new Float64Array(rowCount * columnCount).fill(Number.NaN);
  const revisions: ColumnRevision[] = [];
  const actionsOf = Map.groupBy(input.actions, (action) => action.column);
  const suspectsOf = Map.groupBy(input.suspectSteps ?? [], (step) => step.column);
  let from = 0;
  for (let column = 0; column < columnCount; column++) {
    let to = from;
    while (to < tellings.column.length && tellings.column[to] === column) to++;
    const actions = (actionsOf.get(column) ?? []).toSorted(byExRow);
    const suspects = new Set(suspectsOf.get(column)?.map((step) => step.row));
    const at = (lateness: number) => buildColumn(input, { from, to, column, actions, suspects }, lateness);
    const base = at(-1);
    for (let t = 0; t < rowCount; t++) {
      totalReturn[t * columnCount + column] = base.totalReturn[t]!;
      splitAdjusted[t * columnCount + column] = base.splitAdjusted[t]!;
    }
    for (const row of lateRows(tellings, from, to, actions, knownBy)) revisions.push({ row, column, ...at(row) });
    from = to;
  }
  revisions.sort((a, b) => a.row - b.row || a.column - b.column);
  return { rowCount, columnCount, totalReturn, splitAdjusted, revisions };
}

/**
 * One price path per column whose growth from row to row is the growth as known at the later row: what a holder of the
 * column saw happen. Without revisions it is the panel itself. NaN where no close was known at its own row.
 */
export function chainAsKnown(panel: AsKnownPanel): Float64Array {
  const { rowCount, columnCount } = panel;
  const chained = panel.totalReturn.slice();
  for (const [column, revisions] of Map.groupBy(panel.revisions, (revision) => revision.column)) {
    let next = 0;
    let seen: (t: number) => number = (t) => panel.totalReturn[t * columnCount + column]!;
    let last = -1;
    for (let t = 0; t < rowCount; t++) {
      while (next < revisions.length && revisions[next]!.row === t) {
        const values = revisions[next++]!.totalReturn;
        seen = (row) => values[row]!;
      }
      const cell = t * columnCount + column;
      if (!(panel.totalReturn[cell]! > 0)) continue;
      if (last >= 0) chained[cell] = chained[last * columnCount + column]! * (seen(t) / seen(last));
      last = t;
    }
  }
  return chained;
}

type Column = { totalReturn: Float64Array; splitAdjusted: Float64Array };

/** What was told of one column: its part of the tellings, its actions by ex-row, its suspect rows. */
type ColumnTellings = {
  from: number;
  to: number;
  column: number;
  actions: readonly KnownAction[];
  suspects: ReadonlySet<number>;
};

/** The column as known at row `lateness` (or, for rows after it, at their own row). −1: every row at its own. */
function buildColumn(input: AsKnownInput, told: ColumnTellings, lateness: number): Column {
  const { from, to, column, actions, suspects } = told;
  const { tellings, rowCount, columnCount, knownBy, rate } = input;
  const totalReturn = new Float64Array(rowCount).fill(Number.NaN);
  const splitAdjusted = new Float64Array(rowCount).fill(Number.NaN);
  const limit = lateness < 0 ? Number.NEGATIVE_INFINITY : knownBy[lateness]!;
  let lastClose = Number.NaN;
  let total = Number.NaN;
  let split = Number.NaN;
  let nextAction = 0;
  let k = from;
  let shares = 1;
  let cash = 0;
  while (k < to) {
    const t = tellings.row[k]!;
    const horizon = Math.max(limit, knownBy[t]!);
    let close = Number.NaN;
    for (; k < to && tellings.row[k] === t; k++) if (tellings.knownAt[k]! <= horizon) close = tellings.close[k]!;
    for (; nextAction < actions.length && actions[nextAction]!.exRow <= t; nextAction++) {
      const action = actions[nextAction]!;
      if (action.knownAt > Math.max(limit, knownBy[action.exRow]!)) continue;
      if (action.kind === 'split') shares *= action.value;
      else cash += shares * action.value;
    }
    if (!(close > 0)) continue;
    if (Number.isNaN(lastClose)) {
      total = close;
      split = close;
    } else if (shares !== 1 || !suspects.has(t)) {
      total *= (shares * close + cash) / lastClose;
      split *= (shares * close) / lastClose;
    }
    lastClose = close;
    shares = 1;
    cash = 0;
    const unit = rate === undefined ? 1 : rate[t * columnCount + column]!;
    totalReturn[t] = total * unit;
    splitAdjusted[t] = split * unit;
  }
  return { totalReturn, splitAdjusted };
}

/** Rows at which something about an earlier row became known, ascending. */
function lateRows(
  tellings: CloseTellings,
  from: number,
  to: number,
  actions: readonly KnownAction[],
  knownBy: Float64Array,
): number[] {
  const rows = new Set<number>();
  const add = (row: number, knownAt: number) => {
    if (knownAt <= knownBy[row]!) return;
    const seenAt = firstRowKnowing(knownBy, knownAt);
    if (seenAt < knownBy.length) rows.add(seenAt);
  };
  for (let k = from; k < to; k++) add(tellings.row[k]!, tellings.knownAt[k]!);
  for (const action of actions) add(action.exRow, action.knownAt);
  return [...rows].sort((a, b) => a - b);
}

function firstRowKnowing(knownBy: Float64Array, knownAt: number): number {
  let low = 0;
  let high = knownBy.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (knownBy[middle]! >= knownAt) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Splits before dividends of the same day. */
function byExRow(a: KnownAction, b: KnownAction): number {
  return a.exRow - b.exRow || (a.kind === b.kind ? 0 : a.kind === 'split' ? -1 : 1);
}

function checkInput(input: AsKnownInput): void {
  const { tellings, rowCount, columnCount, knownBy, rate } = input;
  expect(knownBy.length === rowCount, `knownBy must have ${rowCount} values, had ${knownBy.length}`);
  expect(
    !rate || rate.length === rowCount * columnCount,
    `rate must be ${rowCount} x ${columnCount}, had ${rate?.length}`,
  );
  const size = tellings.column.length;
  expect(
    tellings.row.length === size && tellings.knownAt.length === size && tellings.close.length === size,
    'tellings need columns of one length',
  );
  for (let k = 0; k < size; k++) {
    const column = tellings.column[k]!;
    const row = tellings.row[k]!;
    expect(column >= 0 && column < columnCount, `telling column must be in 0..${columnCount - 1}, was ${column}`);
    expect(row >= 0 && row < rowCount, `telling row must be in 0..${rowCount - 1}, was ${row}`);
    if (k === 0) continue;
    const order =
      column - tellings.column[k - 1]! || row - tellings.row[k - 1]! || tellings.knownAt[k]! - tellings.knownAt[k - 1]!;
    expect(order >= 0, `tellings must be sorted by column, row and knowledge time; number ${k} is not`);
  }
  for (const action of input.actions) {
    expect(action.exRow >= 0 && action.exRow < rowCount, `exRow must be in 0..${rowCount - 1}, was ${action.exRow}`);
    expect(action.value > 0, `an action's value must be positive, was ${action.value}`);
  }
}
