import { type BarPanel, barsBetween } from '@touchstone/quant/quality/bar-panel';
import type { KnownSplit } from '@touchstone/quant/quality/court-context';
import type { PanelFinding } from '@touchstone/quant/quality/finding';
import { judgePanel } from '@touchstone/quant/quality/judge-bars';
import { dayText } from '@touchstone/quant/series/day';
import { type CalendarCode, closeInstant, isTradingDay, tradingDays } from '@touchstone/quant/series/trading-calendar';
import type { NewCase } from '../facts/publish-run.ts';

export type PriceBasis = 'raw' | 'split_adjusted' | 'total_return';
export type KnownAtRule = 'close_plus_one_hour' | 'declared_in_data' | 'recorded';

/**
 * Bars as delivered: symbol `s` owns rows `offsets[s]` up to, not including, `offsets[s + 1]`, ascending by day.
 * `instrumentIds` and `offsets` are by symbol. `knownAt` (EpochMs) is given where the data itself declares it.
 */
export type Delivery = {
  instrumentIds: Int32Array;
  offsets: Int32Array;
  day: Int32Array;
  line: Int32Array;
  open: Float64Array;
  high: Float64Array;
  low: Float64Array;
  close: Float64Array;
  volume: Float64Array;
  adjClose: Float64Array | null;
  knownAt: Float64Array | null;
};

/** Bars that this source has told before, by instrument and day: the last telling of each. */
export type KnownBars = {
  rowCount: number;
  instrument: Int32Array;
  day: Int32Array;
  /** Highest revision told, also by runs that were retracted. */
  revision: Int32Array;
  /** 1 when a telling is in sight; 0 when all were retracted. */
  live: Int32Array;
  open: Float64Array;
  high: Float64Array;
  low: Float64Array;
  close: Float64Array;
  volume: Float64Array;
  adjClose: Float64Array;
};

/** A bar that is held back already. */
export type HeldBar = { instrumentId: number; day: number; values: readonly number[] };

export type JudgeContext = {
  calendar: CalendarCode;
  basis: PriceBasis;
  rule: KnownAtRule;
  /** Our own clock, EpochMs: nothing can have been known later than now. */
  now: number;
  known: KnownBars | null;
  held: readonly HeldBar[];
  /** By instrument id. */
  splits: ReadonlyMap<number, readonly KnownSplit[]>;
  /** `kind|instrumentId|firstDay|lastDay` of cases that exist, so that a note is not written twice. */
  caseKeys: ReadonlySet<string>;
};

/** What becomes of every row of a delivery. */
export type JudgedDelivery = {
  /** One entry a row: -2 unchanged, -1 accepted, otherwise the index of the case that holds it. */
  fate: Int32Array;
  /** Null when nothing was told before: then every row is a first telling. */
  revision: Int32Array | null;
  /** When a row could be known, EpochMs; NaN for recorded. A function, because a million more numbers cost memory. */
  knownAt: (row: number) => number;
  cases: NewCase[];
  acceptedCount: number;
  unchangedCount: number;
  revisedCount: number;
  quarantinedCount: number;
};

const NOTHING_REVISED = new Uint8Array(0);
export const UNCHANGED = -2;
export const ACCEPTED = -1;
/** Cases one run may open; beyond it findings of one kind and instrument become one. */
const CASES_MAX = 5000;
const MS_PER_HOUR = 3_600_000;

/**
 * Decides about every row: told before to the last digit, told before but different (a revision, known from now on),
 * or new (known by the rule of the source); then lets the quality court judge them beside what is known.
 */
export function judgeDelivery(delivery: Delivery, context: JudgeContext): JudgedDelivery {
  const size = delivery.day.length;
  const isRevised = context.known === null ? NOTHING_REVISED : new Uint8Array(size);
  const judged: JudgedDelivery = {
    fate: new Int32Array(size).fill(ACCEPTED),
    revision: context.known === null ? null : new Int32Array(size),
    knownAt: (row) => knownAtOf(delivery, row, isRevised[row] === 1, context),
    cases: [],
    acceptedCount: 0,
    unchangedCount: 0,
    revisedCount: 0,
    quarantinedCount: 0,
  };
  const heldAgain = new Uint8Array(size);
  const ranges = compareWithKnown(delivery, context, judged, isRevised, heldAgain);
  if (judged.unchangedCount < size) judgeRows(delivery, context, judged, ranges, heldAgain);
  for (let row = 0; row < size; row++) {
    if (judged.fate[row]! >= 0) judged.quarantinedCount++;
    else if (judged.fate[row] === ACCEPTED) {
      judged.acceptedCount++;
      if (judged.revision !== null && judged.revision[row]! > 0) judged.revisedCount++;
    }
  }
  checkOnce(delivery, judged);
  return judged;
}

/** Rows of `known` of each symbol, as from (inclusive) and to (exclusive) in turn. */
type Ranges = Int32Array;

function compareWithKnown(
  delivery: Delivery,
  context: JudgeContext,
  judged: JudgedDelivery,
  isRevised: Uint8Array,
  heldAgain: Uint8Array,
): Ranges {
  const { instrumentIds, offsets, day } = delivery;
  const ranges = new Int32Array(instrumentIds.length * 2);
  const { known } = context;
  const places = known === null ? new Map<number, [number, number]>() : placesOf(known.instrument);
  const held = heldByKey(context.held);
  for (let s = 0; s < instrumentIds.length; s++) {
    const id = instrumentIds[s]!;
    const [from, to] = places.get(id) ?? [0, 0];
    ranges[2 * s] = from;
    ranges[2 * s + 1] = to;
    let at = from;
    for (let row = offsets[s]!; row < offsets[s + 1]!; row++) {
      while (at < to && known!.day[at]! < day[row]!) at++;
      const told = at < to && known!.day[at] === day[row] ? at : -1;
      const isHeld =
        held.size > 0 && (held.get(`${id}|${day[row]}`)?.some((values) => isSame(delivery, row, values)) ?? false);
      if (isHeld) heldAgain[row] = 1;
      judgeTelling(delivery, row, known, told, isHeld, judged, isRevised);
    }
  }
  return ranges;
}

function judgeTelling(
  delivery: Delivery,
  row: number,
  known: KnownBars | null,
  told: number,
  isHeld: boolean,
  judged: JudgedDelivery,
  isRevised: Uint8Array,
): void {
  const isLive = told >= 0 && known!.live[told] === 1;
  if (isHeld || (isLive && isSame(delivery, row, valuesAt(known!, told)))) {
    judged.fate[row] = UNCHANGED;
    judged.unchangedCount++;
    return;
  }
  if (judged.revision === null || told < 0) return;
  judged.revision[row] = known!.revision[told]! + 1;
  isRevised[row] = isLive ? 1 : 0;
}

function knownAtOf(delivery: Delivery, row: number, isRevision: boolean, context: JudgeContext): number {
  if (delivery.knownAt !== null) return delivery.knownAt[row]!;
  // A different telling is news of today, whatever day it is about.
  if (isRevision || context.rule !== 'close_plus_one_hour') return Number.NaN;
  const declared = closeInstant(context.calendar, delivery.day[row]!) + MS_PER_HOUR;
  return declared <= context.now ? declared : Number.NaN;
}

const VALUES = ['open', 'high', 'low', 'close', 'volume', 'adjClose'] as const;

function valuesAt(bars: KnownBars, row: number): number[] {
  return VALUES.map((name) => bars[name][row]!);
}

/** The same to the last digit; missing equals missing. */
function isSame(delivery: Delivery, row: number, values: readonly number[]): boolean {
  return VALUES.every(
    (name, i) => Object.is(delivery[name]?.[row] ?? Number.NaN, values[i]) || delivery[name]?.[row] === values[i],
  );
}

function placesOf(instrument: Int32Array): Map<number, [number, number]> {
  const places = new Map<number, [number, number]>();
  let from = 0;
  for (let row = 1; row <= instrument.length; row++) {
    if (row < instrument.length && instrument[row] === instrument[from]) continue;
    if (from < instrument.length) places.set(instrument[from]!, [from, row]);
    from = row;
  }
  return places;
}

function heldByKey(held: readonly HeldBar[]): Map<string, (readonly number[])[]> {
  const byKey = new Map<string, (readonly number[])[]>();
  for (const { instrumentId, day, values } of held) {
    const key = `${instrumentId}|${day}`;
    byKey.set(key, [...(byKey.get(key) ?? []), values]);
  }
  return byKey;
}

// ---- The court --------------------------------------------------------------------------------------------------------

/** The bars the court sees, and the delivery's row of each; -1 for a bar known before and not told again. */
type Bench = { panel: BarPanel; rowOf: Int32Array | null };

/** Sessions before the first new bar of an instrument whose accepted bars are judged again. */
const REJUDGED_ROWS = 10;
/** Findings that later bars settle: a spike shows by its return, a swapped currency by being swapped back. */
const REJUDGED_KINDS: ReadonlySet<string> = new Set(['bad-tick', 'currency-swap']);
const ACCEPTED_BEFORE =
  'It was accepted when it came, before later bars showed this, and is in sight until the case is confirmed.';

function judgeRows(
  delivery: Delivery,
  context: JudgeContext,
  judged: JudgedDelivery,
  ranges: Ranges,
  heldAgain: Uint8Array,
): void {
  const bench = seat(delivery, context.known, ranges);
  const [first, last] = endsOf(bench.panel.day);
  const ids = delivery.instrumentIds;
  const knownSplits = new Map<number, readonly KnownSplit[]>();
  ids.forEach((id, s) => {
    const splits = context.splits.get(id);
    if (splits !== undefined) knownSplits.set(s, splits);
  });
  const findings = judgePanel(bench.panel, {
    tradingDays: tradingDays(context.calendar, first, last),
    basis: context.basis,
    knownSplits,
  });
  const touched = endsOfTouched(delivery.day, judged.fate);
  const isLate = (finding: PanelFinding) => namesAccepted(finding, bench, judged, heldAgain);
  const news = findings.filter((finding) => isNews(finding, bench, judged, ids, context, touched, isLate(finding)));
  const groups = groupFindings(news);
  for (const group of groups) addCase(group, bench, ids, context, judged, group.length === 1 && isLate(group[0]!));
}

/**
 * True when a finding names bars that are in sight since an earlier delivery, and bars of this one came soon after them:
 * then they are what makes it wrong.
 */
function namesAccepted(
  finding: PanelFinding,
  { panel, rowOf }: Bench,
  { fate }: JudgedDelivery,
  heldAgain: Uint8Array,
): boolean {
  const span = panelRows(finding, panel);
  if (rowOf === null || span === null || !REJUDGED_KINDS.has(finding.kind)) return false;
  const end = panel.offset[finding.instrument + 1]!;
  let firstFresh = Math.max(panel.offset[finding.instrument]!, span[1] - REJUDGED_ROWS);
  while (firstFresh < end && !(rowOf[firstFresh]! >= 0 && fate[rowOf[firstFresh]!] !== UNCHANGED)) firstFresh++;
  if (firstFresh === end || firstFresh > span[1] + REJUDGED_ROWS) return false;
  for (let at = span[0]; at <= span[1]; at++) {
    const row = rowOf[at]!;
    if (row < 0 || (fate[row] === UNCHANGED && heldAgain[row] === 0)) return true;
  }
  return false;
}

function seat(delivery: Delivery, known: KnownBars | null, ranges: Ranges): Bench {
  if (known === null || known.rowCount === 0) return { panel: { ...delivery, offset: delivery.offsets }, rowOf: null };
  const { offsets, day } = delivery;
  const size = delivery.day.length + known.rowCount;
  const panel: BarPanel = {
    offset: new Int32Array(offsets.length),
    day: new Int32Array(size),
    open: new Float64Array(size),
    high: new Float64Array(size),
    low: new Float64Array(size),
    close: new Float64Array(size),
    volume: new Float64Array(size),
  };
  const rowOf = new Int32Array(size);
  let at = 0;
  const put = (from: Delivery | KnownBars, row: number, origin: number) => {
    panel.day[at] = from.day[row]!;
    panel.open[at] = from.open[row]!;
    panel.high[at] = from.high[row]!;
    panel.low[at] = from.low[row]!;
    panel.close[at] = from.close[row]!;
    panel.volume[at] = from.volume[row]!;
    rowOf[at++] = origin;
  };
  for (let s = 0; s + 1 < offsets.length; s++) {
    let told = ranges[2 * s]!;
    const toldEnd = ranges[2 * s + 1]!;
    for (let row = offsets[s]!; row < offsets[s + 1]!; row++) {
      for (; told < toldEnd && known.day[told]! < day[row]!; told++) if (isInSight(known, told)) put(known, told, -1);
      // The delivery's own telling of the day takes the place of the known one.
      while (told < toldEnd && known.day[told] === day[row]) told++;
      put(delivery, row, row);
    }
    for (; told < toldEnd; told++) if (isInSight(known, told)) put(known, told, -1);
    panel.offset[s + 1] = at;
  }
  return { panel: { ...barsBetween(panel, 0, at), offset: panel.offset }, rowOf: rowOf.subarray(0, at) };
}

/** A bar whose last telling says that there is none was withheld by a decision: reads do not show it either. */
function isInSight(known: KnownBars, row: number): boolean {
  return known.live[row] === 1 && !Number.isNaN(known.close[row]!);
}

/** Rows of the panel an instrument's finding names; -1 for none. */
function panelRows(finding: PanelFinding, panel: BarPanel): [number, number] | null {
  if (finding.instrument < 0 || finding.firstRow < 0) return null;
  const base = panel.offset[finding.instrument]!;
  return [base + finding.firstRow, base + finding.lastRow];
}

function freshRows(finding: PanelFinding, bench: Bench, judged: JudgedDelivery): number[] {
  const span = panelRows(finding, bench.panel);
  if (span === null) return [];
  const rows: number[] = [];
  for (let at = span[0]; at <= span[1]; at++) {
    const row = bench.rowOf === null ? at : bench.rowOf[at]!;
    if (row >= 0 && judged.fate[row] !== UNCHANGED) rows.push(row);
  }
  return rows;
}

/**
 * A finding is news when it names a row not judged before, or one that later bars make look wrong; a note, and a finding
 * about accepted bars, when it was not written before either.
 */
function isNews(
  finding: PanelFinding,
  bench: Bench,
  judged: JudgedDelivery,
  ids: Int32Array,
  context: JudgeContext,
  touched: [number, number],
  isLate: boolean,
): boolean {
  const id = idOf(finding, ids);
  if (
    (finding.action === 'note' || isLate) &&
    context.caseKeys.has(caseKey(finding.kind, id, finding.firstDay, finding.lastDay))
  )
    return false;
  // A share that stands still is one case, not one more for every day it goes on.
  if (finding.kind === 'stale-run' && context.caseKeys.has(caseStartKey(finding.kind, id, finding.firstDay)))
    return false;
  if (finding.instrument < 0 || finding.firstRow < 0)
    return finding.lastDay >= touched[0] && finding.firstDay <= touched[1];
  return isLate || freshRows(finding, bench, judged).length > 0;
}

export function caseKey(kind: string, instrumentId: number | null, firstDay: number, lastDay: number): string {
  return `${kind}|${instrumentId ?? ''}|${firstDay}|${lastDay}`;
}

/** The same without its end, which moves while the finding goes on. */
export function caseStartKey(kind: string, instrumentId: number | null, firstDay: number): string {
  return `${kind}|${instrumentId ?? ''}|${firstDay}`;
}

function idOf(finding: PanelFinding, ids: Int32Array): number | null {
  return finding.instrument < 0 ? null : ids[finding.instrument]!;
}

/** A file can break a rule on every row. Then one case speaks for all findings of a kind of one instrument. */
function groupFindings(findings: PanelFinding[]): PanelFinding[][] {
  if (findings.length <= CASES_MAX) return findings.map((finding) => [finding]);
  const groups = new Map<string, PanelFinding[]>();
  for (const finding of findings) {
    const key = `${finding.instrument}|${finding.kind}|${finding.action}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [finding]);
    else group.push(finding);
  }
  return [...groups.values()];
}

function addCase(
  group: PanelFinding[],
  bench: Bench,
  ids: Int32Array,
  context: JudgeContext,
  judged: JudgedDelivery,
  isLate: boolean,
): void {
  const finding = group[0]!;
  const number = judged.cases.length;
  let held = 0;
  if (finding.action === 'quarantine') {
    for (const row of group.flatMap((one) => freshRows(one, bench, judged))) {
      // A row is held by the first finding that names it; a second one stays a note beside it.
      if (judged.fate[row]! >= 0) continue;
      judged.fate[row] = number;
      held++;
    }
  }
  const firstDay = Math.min(...group.map((one) => one.firstDay));
  const lastDay = Math.max(...group.map((one) => one.lastDay));
  const rows = group.reduce((sum, one) => sum + (one.firstRow < 0 ? 0 : one.lastRow - one.firstRow + 1), 0);
  judged.cases.push({
    instrumentId: idOf(finding, ids),
    kind: finding.kind.replaceAll('-', '_'),
    action: held > 0 ? 'quarantine' : 'note',
    firstDay: dayText(firstDay),
    lastDay: dayText(lastDay),
    rowCount: held > 0 ? held : rows,
    measure: Number.isFinite(finding.measure) ? finding.measure : null,
    threshold: Number.isFinite(finding.limit) ? finding.limit : null,
    reason:
      group.length > 1
        ? `${group.length} findings of this kind, the first: ${finding.reason}`
        : [finding.reason, isLate ? ACCEPTED_BEFORE : ''].filter(Boolean).join(' '),
    withholds: isLate,
    knownAt: caseKnownAt(lastDay, context),
  });
}

/** Most findings need the session after the last bar they name, so that is when they could be made. */
function caseKnownAt(lastDay: number, { calendar, rule, now }: JudgeContext): number | null {
  if (rule === 'recorded') return null;
  let next = lastDay + 1;
  for (let i = 0; i < 10 && !isTradingDay(calendar, next); i++) next++;
  const declared = closeInstant(calendar, next) + MS_PER_HOUR;
  return declared <= now ? declared : null;
}

function endsOf(day: Int32Array): [number, number] {
  let first = day[0] ?? 0;
  let last = first;
  for (const value of day) {
    if (value < first) first = value;
    if (value > last) last = value;
  }
  return [first, last];
}

function endsOfTouched(day: Int32Array, fate: Int32Array): [number, number] {
  return endsOf(day.filter((_, row) => fate[row] !== UNCHANGED));
}

/** The court holds back all copies of a day but one. Were that to fail, a day would have two bars in one run. */
function checkOnce({ offsets, day }: Delivery, { fate }: JudgedDelivery): void {
  for (let s = 0; s + 1 < offsets.length; s++) {
    let last = Number.NaN;
    for (let row = offsets[s]!; row < offsets[s + 1]!; row++) {
      if (fate[row] !== ACCEPTED) continue;
      if (day[row] === last) throw new Error(`a run must tell a bar once, ${dayText(last)} of symbol ${s} came twice`);
      last = day[row]!;
    }
  }
}
