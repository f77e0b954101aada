import type { IndexDefinition } from '@touchstone/contracts/indexes';
import { convertCurrency, type ExchangeRates } from '@touchstone/quant/accounting/convert-currency';
import { threePillarAsKnown } from '@touchstone/quant/backtest/as-known-three-pillar';
import { buyAndHoldTargets } from '@touchstone/quant/backtest/buy-and-hold';
import type { CapSnapshots } from '@touchstone/quant/backtest/caps-as-known';
import { equalWeightTargets } from '@touchstone/quant/backtest/equal-weight';
import { runWeights, type WeightsRun } from '@touchstone/quant/backtest/run-weights';
import type { TargetWeights } from '@touchstone/quant/backtest/target-weights';
import {
  type AsKnownPanel,
  asKnownPanel,
  chainAsKnown,
  type KnownAction,
} from '@touchstone/quant/series/as-known-panel';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import {
  CALENDAR_CODES,
  type CalendarCode,
  closeInstant,
  isTradingDay,
} from '@touchstone/quant/series/trading-calendar';
import type { DatasetQuestion, FrozenInstrument } from '../../features/index.ts';
import { type BundleTable, floatColumn, intColumn } from '../../platform/object-store/bundle.ts';
import { ProblemError } from '../../platform/problem-error.ts';

/** What an index run computes from: the tables of its dataset and the definition. */
export type IndexInput = {
  question: DatasetQuestion;
  tables: Record<string, BundleTable>;
  definition: Pick<IndexDefinition, 'method' | 'parameters' | 'costBasisPoints' | 'baseValue' | 'firstDay'>;
};

export type IndexResult = {
  /** T rows: day, known_at_ms (the instant the row's level was known), levels. */
  levels: BundleTable;
  /** One row a held name and rebalance: day row, instrument, target weight, drifted weight before. */
  holdings: BundleTable;
  /** One row a rebalance: day row, status (0 ok, 1 cash, 2 infeasible), turnover, cash. */
  rebalances: BundleTable;
  summary: IndexSummary;
};

export type IndexSummary = {
  firstDay: string | null;
  lastDay: string | null;
  rebalanceCount: number;
  instrumentCount: number;
  namesWithoutCap: number;
  infeasibleCount: number;
  cashDays: number;
  /** Why rebalances were not `ok`, by sentence. */
  reasons: Record<string, number>;
  missingRateCount: number;
  /** Steps that look like a split nobody told of, paid as no return until somebody decides the case. */
  suspectStepCount: number;
  priceBasis: string;
};

/** A daily decision is taken with what is known an hour after the close: the rule by which bars are declared known. */
const DECISION_AFTER_CLOSE_MS = 3_600_000;
const DAYS_MIN = 2;

/**
 * Computes an index, its later-fill twin, equal weight and buy-and-hold, each day with that day's knowledge.
 *
 * Pure: the same tables and definition give the same bytes.
 *
 * @throws ProblemError NOT_ENOUGH_HISTORY when there are fewer than two days with prices.
 */
export function computeIndex(input: IndexInput): IndexResult {
  const { question, tables, definition } = input;
  const calendar = calendarOf(question.calendar);
  const bars = tables.bars!;
  const days = panelDays(intColumn(bars, 'day'), calendar);
  if (days.length < DAYS_MIN) {
    throw new ProblemError(
      'NOT_ENOUGH_HISTORY',
      `An index needs ${DAYS_MIN} days with prices, there are ${days.length}.`,
    );
  }
  const knownBy = Float64Array.from(days, (day) => closeInstant(calendar, day) + DECISION_AFTER_CLOSE_MS);
  const instruments = question.instruments.toSorted((a, b) => a.id - b.id);
  const columnOf = new Map(instruments.map((instrument, column) => [instrument.id, column]));
  const rates = exchangeRates(tables);
  const rate = question.currency === null ? undefined : rateMatrix(days, instruments, question.currency, rates);
  const suspectSteps = suspectStepsOf(tables.suspect_steps, days, columnOf);
  const panel = asKnownPanel({
    tellings: closeTellings(bars, days, columnOf),
    actions: question.priceBasis === 'raw' ? knownActions(tables.actions, days, columnOf) : [],
    rowCount: days.length,
    columnCount: instruments.length,
    knownBy,
    suspectSteps,
    ...(rate ? { rate: rate.values } : {}),
  });
  const close = chainAsKnown(panel);
  const member = memberMask(days, instruments);
  const startRow = firstRowFrom(days, definition.firstDay);
  const shared = {
    close,
    rowCount: days.length,
    columnCount: instruments.length,
    ...(member ? { member } : {}),
    startRow,
  };
  const equalWeight = equalWeightTargets({ ...shared, rebalanceEvery: definition.parameters.rebalanceEveryDays });
  const buyAndHold = buyAndHoldTargets(shared);
  const decided = decide(input, { days, panel, member, startRow, columnOf, instruments, equalWeight, buyAndHold });
  const hold = (
    targets: TargetWeights,
    fill: 'close' | 'next-close',
    costBasisPoints: number,
    recordHeldWeights = false,
  ) => runWeights({ ...shared, targets, fill, costBasisPoints, recordHeldWeights });
  const main = hold(decided.targets, 'close', definition.costBasisPoints, true);
  const level = (returns: Float64Array) => chainLevels(returns, definition.baseValue, startRow);
  const columns: BundleTable['columns'] = {
    day: { type: 'date', values: days },
    known_at_ms: { type: 'float64', values: knownBy },
    level: { type: 'float64', values: level(main.returnsNet) },
    level_gross: { type: 'float64', values: level(main.returnsGross) },
    level_next_close: {
      type: 'float64',
      values: level(hold(decided.targets, 'next-close', definition.costBasisPoints).returnsNet),
    },
    equal_weight: { type: 'float64', values: level(hold(equalWeight, 'close', definition.costBasisPoints).returnsNet) },
    buy_and_hold: { type: 'float64', values: level(hold(buyAndHold, 'close', definition.costBasisPoints).returnsNet) },
  };
  const benchmark = benchmarkLevels(input, days, knownBy, rates, definition.baseValue, startRow);
  if (benchmark !== null) columns.benchmark = { type: 'float64', values: benchmark };
  return {
    levels: { rowCount: days.length, columns },
    holdings: holdingsTable(decided, main, close, instruments),
    rebalances: rebalancesTable(decided.targets, main),
    summary: {
      firstDay: dayText(days[Math.min(startRow, days.length - 1)]!),
      lastDay: dayText(days.at(-1)!),
      rebalanceCount: decided.targets.row.length,
      instrumentCount: instruments.length,
      namesWithoutCap: decided.namesWithoutCap,
      infeasibleCount: decided.targets.status.filter(({ status }) => status === 'infeasible').length,
      cashDays: decided.targets.status.filter(({ status }) => status === 'cash').length,
      reasons: countReasons(decided.targets),
      missingRateCount: rate?.missingRateCount ?? 0,
      suspectStepCount: suspectSteps.length,
      priceBasis: question.priceBasis,
    },
  };
}

/** `pillarScores` belong to the entries of `targets`; null for methods without pillars. */
type Decided = { targets: TargetWeights; namesWithoutCap: number; pillarScores: Float64Array | null };

function decide(
  input: IndexInput,
  made: {
    days: Int32Array;
    panel: AsKnownPanel;
    member: Uint8Array | undefined;
    startRow: number;
    columnOf: Map<number, number>;
    instruments: readonly FrozenInstrument[];
    equalWeight: TargetWeights;
    buyAndHold: TargetWeights;
  },
): Decided {
  const { method, parameters } = input.definition;
  if (method === 'equal_weight') return { targets: made.equalWeight, namesWithoutCap: 0, pillarScores: null };
  if (method === 'buy_and_hold') return { targets: made.buyAndHold, namesWithoutCap: 0, pillarScores: null };
  const caps = capSnapshots(input, made.days, made.panel, made.columnOf, made.instruments);
  const { targets, noCapCount, pillarScores } = threePillarAsKnown({
    day: made.days,
    panel: made.panel,
    ...(caps ? { caps } : {}),
    ...(made.member ? { member: made.member } : {}),
    parameters: {
      namesMax: parameters.maxNames,
      weightMax: parameters.maxWeight,
      pillarWeights: [parameters.momentumPillar, parameters.capPillar, parameters.riskPillar],
      startRow: made.startRow,
      rebalanceEvery: parameters.rebalanceEveryDays,
    },
  });
  const namesWithoutCap = caps ? noCapCount.reduce((most, count) => Math.max(most, count), 0) : 0;
  return { targets, namesWithoutCap, pillarScores };
}

/** The sessions of the calendar on which something was told, ascending. */
function panelDays(day: Int32Array, calendar: CalendarCode): Int32Array {
  const sessions = [...new Set(day)].filter((number) => isTradingDay(calendar, number));
  return Int32Array.from(sessions).sort();
}

/** The closes of the table on the panel's days. The table is sorted by instrument, so columns must be in that order too. */
function closeTellings(bars: BundleTable, days: Int32Array, columnOf: Map<number, number>) {
  const instrument = intColumn(bars, 'instrument');
  const day = intColumn(bars, 'day');
  const knownAt = floatColumn(bars, 'known_at_ms');
  const close = floatColumn(bars, 'close');
  const firstDay = days[0]!;
  const rowOf = new Int32Array(days.at(-1)! - firstDay + 1).fill(-1);
  days.forEach((number, row) => {
    rowOf[number - firstDay] = row;
  });
  const tellings = {
    column: new Int32Array(bars.rowCount),
    row: new Int32Array(bars.rowCount),
    knownAt: new Float64Array(bars.rowCount),
    close: new Float64Array(bars.rowCount),
  };
  let count = 0;
  for (let k = 0; k < bars.rowCount; k++) {
    const row = rowOf[day[k]! - firstDay] ?? -1;
    const column = columnOf.get(instrument[k]!);
    if (row < 0 || column === undefined) continue;
    tellings.column[count] = column;
    tellings.row[count] = row;
    tellings.knownAt[count] = knownAt[k]!;
    tellings.close[count++] = close[k]!;
  }
  return {
    column: tellings.column.subarray(0, count),
    row: tellings.row.subarray(0, count),
    knownAt: tellings.knownAt.subarray(0, count),
    close: tellings.close.subarray(0, count),
  };
}

/** Actions by their first session, the last telling of each known by then; a split told twice counts once. */
function knownActions(table: BundleTable | undefined, days: Int32Array, columnOf: Map<number, number>): KnownAction[] {
  if (table === undefined) return [];
  const actions = new Map<string, KnownAction>();
  for (let k = 0; k < table.rowCount; k++) {
    const column = table.columns.instrument ? columnOf.get(intColumn(table, 'instrument')[k]!) : 0;
    const day = intColumn(table, 'day')[k]!;
    const exRow = firstRowAt(days, day);
    if (column === undefined || exRow >= days.length || day <= days[0]!) continue;
    const kind = intColumn(table, 'kind')[k] === 0 ? 'split' : 'dividend';
    const key = `${column}/${day}/${kind}`;
    if (actions.has(key)) continue;
    actions.set(key, {
      column,
      exRow,
      kind,
      value: floatColumn(table, 'value')[k]!,
      knownAt: floatColumn(table, 'known_at_ms')[k]!,
    });
  }
  return [...actions.values()];
}

function suspectStepsOf(table: BundleTable | undefined, days: Int32Array, columnOf: Map<number, number>) {
  const steps: { column: number; row: number }[] = [];
  for (let k = 0; k < (table?.rowCount ?? 0); k++) {
    const column = columnOf.get(intColumn(table!, 'instrument')[k]!);
    const row = firstRowAt(days, intColumn(table!, 'day')[k]!);
    if (column !== undefined && row < days.length) steps.push({ column, row });
  }
  return steps;
}

/**
 * Capitalisations as reports: a report known only later counts from the day it was known, carried there by the price.
 */
function capSnapshots(
  input: IndexInput,
  days: Int32Array,
  panel: AsKnownPanel,
  columnOf: Map<number, number>,
  instruments: readonly FrozenInstrument[],
): CapSnapshots | undefined {
  const table = input.tables.caps;
  if (table === undefined || table.rowCount === 0) return undefined;
  const instrument = intColumn(table, 'instrument');
  const day = intColumn(table, 'day');
  const value = floatColumn(table, 'value');
  const knownAt = floatColumn(table, 'known_at_ms');
  const snapshots = { day: [] as number[], column: [] as number[], cap: [] as number[] };
  const priceOn = (column: number, number: number) => {
    for (let row = firstRowAt(days, number + 1) - 1, back = 0; row >= 0 && back < 10; row--, back++) {
      const price = panel.splitAdjusted[row * panel.columnCount + column]!;
      if (price > 0) return price;
    }
    return Number.NaN;
  };
  for (let k = 0; k < table.rowCount; k++) {
    const column = columnOf.get(instrument[k]!);
    if (column === undefined) continue;
    const knownDay = Math.floor(knownAt[k]! / 86_400_000);
    const isLate = knownDay > day[k]! + 1;
    const carried = isLate ? (value[k]! * priceOn(column, knownDay)) / priceOn(column, day[k]!) : value[k]!;
    snapshots.day.push(isLate ? knownDay : day[k]!);
    snapshots.column.push(column);
    snapshots.cap.push(carried);
  }
  const toCurrency = capRates(input, instruments, snapshots.day, snapshots.column);
  return {
    day: Int32Array.from(snapshots.day),
    column: Int32Array.from(snapshots.column),
    cap: Float64Array.from(snapshots.cap, (cap, k) => cap * toCurrency[k]!),
    origin: 'reported',
  };
}

function capRates(
  input: IndexInput,
  instruments: readonly FrozenInstrument[],
  day: readonly number[],
  column: readonly number[],
): Float64Array {
  const { currency } = input.question;
  const rates = exchangeRates(input.tables);
  if (currency === null || rates === undefined) return new Float64Array(day.length).fill(1);
  const days = Int32Array.from(new Set(day)).sort();
  const rowOf = new Map(Array.from(days, (number, row) => [number, row]));
  const { values } = rateMatrix(days, instruments, currency, rates);
  return Float64Array.from(day, (number, k) => values[rowOf.get(number)! * instruments.length + column[k]!]!);
}

/** Rates of one base as known on each day, from the tables of the dataset; undefined when none were needed. */
function exchangeRates(tables: Record<string, BundleTable>): ExchangeRates | undefined {
  const pairs = Object.keys(tables).filter((name) => name.startsWith('rate_'));
  if (pairs.length === 0) return undefined;
  const base = mostFrequent(pairs.map((name) => name.slice(5, 8)));
  const used = pairs.filter((name) => name.slice(5, 8) === base);
  const currencies = used.map((name) => name.slice(8, 11));
  const told = used.map((name) => ratesByKnownDay(tables[name]!));
  const day = Int32Array.from(new Set(told.flatMap((rates) => [...rates.keys()]))).sort();
  const rate = new Float64Array(day.length * used.length).fill(Number.NaN);
  for (let t = 0; t < day.length; t++) {
    for (let c = 0; c < used.length; c++) rate[t * used.length + c] = told[c]!.get(day[t]!) ?? Number.NaN;
  }
  return { day, currencies, rate, base };
}

function ratesByKnownDay(table: BundleTable): Map<number, number> {
  const rates = new Map<number, number>();
  const day = intColumn(table, 'day');
  const value = floatColumn(table, 'value');
  const knownAt = floatColumn(table, 'known_at_ms');
  for (let k = 0; k < table.rowCount; k++)
    rates.set(Math.max(day[k]!, Math.floor(knownAt[k]! / 86_400_000)), value[k]!);
  return rates;
}

function mostFrequent(codes: readonly string[]): string {
  const counts = Map.groupBy(codes, (code) => code);
  return [...counts].toSorted((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1))[0]![0];
}

/** Units of the target currency for one unit of each instrument's, T × N. NaN and counted where no rate was known. */
function rateMatrix(
  days: Int32Array,
  instruments: readonly FrozenInstrument[],
  currency: string,
  rates: ExchangeRates | undefined,
): { values: Float64Array; missingRateCount: number } {
  const codes = instruments.map((instrument) => instrument.currency);
  const ones = new Float64Array(days.length * codes.length).fill(1);
  if (codes.every((code) => code === currency)) return { values: ones, missingRateCount: 0 };
  const known = new Set([rates?.base, ...(rates?.currencies ?? [])]);
  const unknown = [...new Set([...codes, currency])].filter((code) => !known.has(code));
  if (rates === undefined || unknown.length > 0) {
    throw new ProblemError(
      'NOT_ENOUGH_HISTORY',
      `There is no exchange rate between ${[...new Set(codes)].join(', ')} and ${currency}. Import exchange rates first.`,
    );
  }
  return convertCurrency(days, ones, codes, currency, rates);
}

function memberMask(days: Int32Array, instruments: readonly FrozenInstrument[]): Uint8Array | undefined {
  if (instruments.every(({ firstDay, lastDay }) => firstDay === null && lastDay === null)) return undefined;
  const mask = new Uint8Array(days.length * instruments.length);
  instruments.forEach(({ firstDay, lastDay }, column) => {
    const first = firstDay === null ? Number.NEGATIVE_INFINITY : dayNumber(firstDay);
    const last = lastDay === null ? Number.POSITIVE_INFINITY : dayNumber(lastDay);
    for (let t = 0; t < days.length; t++) {
      if (days[t]! >= first && days[t]! <= last) mask[t * instruments.length + column] = 1;
    }
  });
  return mask;
}

function benchmarkLevels(
  input: IndexInput,
  days: Int32Array,
  knownBy: Float64Array,
  rates: ExchangeRates | undefined,
  baseValue: number,
  startRow: number,
): Float64Array | null {
  const { benchmark, currency } = input.question;
  const bars = input.tables.benchmark;
  if (benchmark === null || bars === undefined) return null;
  const columnOf = new Map([[benchmark.instrument.id, 0]]);
  const rate = currency === null ? undefined : rateMatrix(days, [benchmark.instrument], currency, rates);
  const close = chainAsKnown(
    asKnownPanel({
      tellings: closeTellings(bars, days, columnOf),
      actions: benchmark.priceBasis === 'raw' ? knownActions(input.tables.benchmark_actions, days, columnOf) : [],
      rowCount: days.length,
      columnCount: 1,
      knownBy,
      ...(rate ? { rate: rate.values } : {}),
    }),
  );
  const first = close.findIndex((price, t) => t >= startRow && price > 0);
  if (first < 0) return null;
  // A day without a benchmark price has no benchmark level, rather than a made-up one.
  return close.map((price, t) => (t < first ? Number.NaN : (baseValue * price) / close[first]!));
}

/** Wealth from simple returns, starting at the base value; a missing return is a day on which nothing changed. */
function chainLevels(returns: Float64Array, baseValue: number, startRow: number): Float64Array {
  const levels = new Float64Array(returns.length);
  let level = baseValue;
  for (let t = 0; t < returns.length; t++) {
    const change = returns[t]!;
    if (t > startRow && !Number.isNaN(change)) level *= 1 + change;
    levels[t] = level;
  }
  return levels;
}

function holdingsTable(
  { targets, pillarScores }: Decided,
  run: WeightsRun,
  close: Float64Array,
  instruments: readonly FrozenInstrument[],
): BundleTable {
  const columnCount = instruments.length;
  const held = run.heldWeights ?? new Float64Array(0);
  const rows = { row: [] as number[], instrument: [] as number[], weight: [] as number[], before: [] as number[] };
  const scores: [number[], number[], number[]] = [[], [], []];
  const entryOf = new Int32Array(columnCount);
  for (let r = 0; r < targets.row.length; r++) {
    const t = targets.row[r]!;
    entryOf.fill(-1);
    for (let k = targets.offset[r]!; k < targets.offset[r + 1]!; k++) entryOf[targets.column[k]!] = k;
    for (let column = 0; column < columnCount; column++) {
      const weight = held[t * columnCount + column]!;
      const before = t === 0 ? 0 : driftedWeight(held, run, close, t, column, columnCount);
      if (weight === 0 && before === 0) continue;
      rows.row.push(t);
      rows.instrument.push(instruments[column]!.id);
      rows.weight.push(weight);
      rows.before.push(before);
      const entry = entryOf[column]!;
      scores.forEach((list, pillar) => {
        list.push(pillarScores === null || entry < 0 ? Number.NaN : pillarScores[3 * entry + pillar]!);
      });
    }
  }
  return {
    rowCount: rows.row.length,
    columns: {
      row: { type: 'int32', values: Int32Array.from(rows.row) },
      instrument: { type: 'int32', values: Int32Array.from(rows.instrument) },
      weight: { type: 'float64', values: Float64Array.from(rows.weight) },
      previous_weight: { type: 'float64', values: Float64Array.from(rows.before) },
      momentum_score: { type: 'float64', values: Float64Array.from(scores[0]) },
      cap_score: { type: 'float64', values: Float64Array.from(scores[1]) },
      risk_score: { type: 'float64', values: Float64Array.from(scores[2]) },
    },
  };
}

/** Weight at the close of `t` before trading: yesterday's, moved by the instrument's return against the whole. */
function driftedWeight(
  held: Float64Array,
  run: WeightsRun,
  close: Float64Array,
  t: number,
  column: number,
  columnCount: number,
): number {
  const yesterday = held[(t - 1) * columnCount + column]!;
  if (yesterday === 0) return 0;
  const now = close[t * columnCount + column]!;
  let back = t - 1;
  while (back > 0 && !(close[back * columnCount + column]! > 0)) back--;
  const growth = now > 0 ? now / close[back * columnCount + column]! : 1;
  return (yesterday * growth) / (1 + (run.returnsGross[t] ?? 0));
}

function rebalancesTable(targets: TargetWeights, run: WeightsRun): BundleTable {
  const codes = { ok: 0, cash: 1, infeasible: 2 } as const;
  return {
    rowCount: targets.row.length,
    columns: {
      row: { type: 'int32', values: targets.row },
      status: { type: 'int32', values: Int32Array.from(targets.status, ({ status }) => codes[status]) },
      turnover: { type: 'float64', values: Float64Array.from(targets.row, (t) => run.turnover[t]!) },
      cash: { type: 'float64', values: Float64Array.from(targets.row, (t) => 1 - run.invested[t]!) },
    },
  };
}

function countReasons(targets: TargetWeights): Record<string, number> {
  const reasons: Record<string, number> = {};
  for (const status of targets.status) {
    if (status.status !== 'ok') reasons[status.reason] = (reasons[status.reason] ?? 0) + 1;
  }
  return reasons;
}

function firstRowFrom(days: Int32Array, firstDay: string | null): number {
  return firstDay === null ? 0 : Math.min(firstRowAt(days, dayNumber(firstDay)), days.length - 1);
}

/** The first row at or after a day; the row count when there is none. */
function firstRowAt(days: Int32Array, day: number): number {
  let low = 0;
  let high = days.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (days[middle]! >= day) high = middle;
    else low = middle + 1;
  }
  return low;
}

function calendarOf(code: string): CalendarCode {
  const found = CALENDAR_CODES.find((known) => known === code);
  if (found === undefined) throw new RangeError(`there is no calendar ${code}`);
  return found;
}
