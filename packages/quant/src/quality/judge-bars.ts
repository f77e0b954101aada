import { expect } from '../checks/expect.ts';
import type { Bars } from '../series/bars.ts';
import { dayText } from '../series/day.ts';
import { type BarPanel, barsBetween, concatenateBars } from './bar-panel.ts';
import { type CourtSettings, courtSettings } from './court-settings.ts';
import { median } from './median.ts';

/** Bars as they arrived: ascending by day, equal days in file order. `close` NaN is missing; so may the others be. */
export type BarColumns = Bars;

export type FindingKind =
  | 'bad-tick'
  | 'currency-swap'
  | 'date-slip'
  | 'duplicate-bar'
  | 'missing-bars'
  | 'nonpositive-price'
  | 'ohlc-violation'
  | 'split-suspicion'
  | 'stale-run'
  | 'thin-day'
  | 'ticker-reuse'
  | 'zero-as-missing';

/**
 * One suspicion. Rows and days are inclusive; for `missing-bars` the row is the first one after the gap and the days are
 * the first and last missing session. `measure` is what was seen and `limit` what would still have passed, in the unit
 * the reason names.
 */
export type Finding = {
  kind: FindingKind;
  action: 'quarantine' | 'note';
  firstRow: number;
  lastRow: number;
  firstDay: number;
  lastDay: number;
  measure: number;
  limit: number;
  reason: string;
};

export type PriceBasis = 'raw' | 'split_adjusted' | 'total_return';

/** A split somebody announced: new shares for one old share, effective at the open of `day`. */
export type KnownSplit = { day: number; ratio: number };

/**
 * What the rest of the batch did each day, aligned to `tradingDays`; NaN where unknown. The displacement columns hold
 * the 95th percentile over the batch, in robust standard deviations.
 */
export type Peers = {
  gap: Float64Array;
  highWick: Float64Array;
  lowWick: Float64Array;
  openSpike: Float64Array;
  closeSpike: Float64Array;
};

export type CourtContext = {
  /** Sessions that cover the bars, ascending. A bar on another day is off the calendar. */
  tradingDays: Int32Array;
  /** Accepted earlier bars of the same instrument. They give context and are not judged again. */
  priorBars?: Bars;
  /** Median log return of the batch each session, aligned to `tradingDays`, NaN unknown. Used where `peers` is not given. */
  marketMove?: Float64Array;
  peers?: Peers;
  /** In a raw file a known split explains its step; in an adjusted one it names what went wrong. */
  knownSplits?: readonly KnownSplit[];
  /** Sessions on which nearly nobody has a bar: their gaps belong to the batch, not to the instrument. */
  thinDays?: ReadonlySet<number>;
  basis: PriceBasis;
};

/**
 * Judges the daily bars of one instrument. Bars are never changed: a finding names rows and says why.
 *
 * Quarantine (rows are held back until a person decides): `bad-tick`, `nonpositive-price`, `ohlc-violation`,
 * `date-slip` and `currency-swap` (the values are wrong as they stand), `duplicate-bar` (the later copy of equal bars,
 * every copy of unequal ones), `zero-as-missing` of a price.
 * Note (a case opens, no row is held back): `missing-bars` and `thin-day` (there is nothing to hold back), `stale-run`
 * and `zero-as-missing` of volume (prices may be true on a suspended day), `split-suspicion` and `ticker-reuse` (every
 * row is true on its own; the step between them needs a corporate action or a second listing, and holding back years
 * of history would be the larger damage).
 *
 * The court judges data, not the market: it looks at later bars of the same file, for instance to see whether a spike
 * reversed. This hindsight stays in the court and enters no feature. The last bar has no later bar and needs twice the
 * displacement, and a whole bar at another level is only a suspicion there; both are settled when the bar is judged again
 * with later ones. With `priorBars` alone it is not: those are not judged.
 *
 * Everything is measured in logs, so all prices times a constant give the same findings. Time O(T log S) with S sessions.
 *
 * @returns Findings ascending by first row. Empty for empty bars.
 * @throws RangeError if columns differ in length, or days descend.
 */
export function judgeBars(
  series: BarColumns,
  context: CourtContext,
  settings: CourtSettings = courtSettings,
): Finding[] {
  const prior = context.priorBars?.day.length ?? 0;
  const bars = prior === 0 ? series : concatenateBars([context.priorBars!, series]);
  const measures = createMeasures(bars.day.length);
  const exam = examine(bars, measures, context, settings);
  const findings = conclude(exam, context, settings);
  if (prior === 0) return findings;
  return findings
    .filter((finding) => finding.lastRow >= prior)
    .map((finding) => ({
      ...finding,
      firstRow: Math.max(0, finding.firstRow - prior),
      lastRow: finding.lastRow - prior,
    }));
}

/** A finding in a batch: `instrument` is its index, or -1 where the finding is about the whole batch. */
export type PanelFinding = Finding & { instrument: number };

export type PanelContext = {
  tradingDays: Int32Array;
  basis: PriceBasis;
  /** By instrument index. */
  knownSplits?: ReadonlyMap<number, readonly KnownSplit[]>;
};

/**
 * Judges a batch of instruments together: what all of them did on a day is news, what one of them did alone is suspect.
 * A session on which nearly nobody has a bar becomes one `thin-day` finding with rows of -1.
 *
 * @throws RangeError as `judgeBars`.
 */
export function judgePanel(
  panel: BarPanel,
  context: PanelContext,
  settings: CourtSettings = courtSettings,
): PanelFinding[] {
  const { tradingDays, basis } = context;
  const findings: PanelFinding[] = [];
  const thinDays = findThinDays(panel, tradingDays, settings, findings);
  const measures = createMeasures(panel.day.length);
  const exams: Exam[] = [];
  for (let i = 0; i + 1 < panel.offset.length; i++) {
    const [from, to] = [panel.offset[i]!, panel.offset[i + 1]!];
    const own = sliceMeasures(measures, from, to);
    exams.push(examine(barsBetween(panel, from, to), own, { tradingDays, basis, thinDays }, settings));
  }
  const peers = peersOf(measures, tradingDays, settings);
  exams.forEach((exam, instrument) => {
    const knownSplits = context.knownSplits?.get(instrument) ?? [];
    for (const finding of conclude(exam, { tradingDays, basis, thinDays, peers, knownSplits }, settings))
      findings.push({ ...finding, instrument });
  });
  return findings;
}

// Row states: what later steps may trust.
const GOOD = 0;
const BAD = 1;
/** A later copy of a day already seen. */
const COPY = 2;

/**
 * Per row, in robust standard deviations, positive: how far high and low stick out of the body, and how far open and
 * close stick out of their neighbours. `gap` is the log step from the previous good close to the open. `session` is the
 * index of the day in the calendar or -1.
 */
type Measures = {
  session: Int32Array;
  previous: Int32Array;
  state: Uint8Array;
  sd: Float64Array;
  gap: Float64Array;
  highWick: Float64Array;
  lowWick: Float64Array;
  openSpike: Float64Array;
  closeSpike: Float64Array;
};

type Exam = { bars: Bars; measures: Measures; findings: Finding[] };

function createMeasures(size: number): Measures {
  return {
    session: new Int32Array(size),
    previous: new Int32Array(size),
    state: new Uint8Array(size),
    sd: new Float64Array(size).fill(Number.NaN),
    gap: new Float64Array(size).fill(Number.NaN),
    highWick: new Float64Array(size),
    lowWick: new Float64Array(size),
    openSpike: new Float64Array(size),
    closeSpike: new Float64Array(size),
  };
}

function sliceMeasures(measures: Measures, from: number, to: number): Measures {
  return {
    session: measures.session.subarray(from, to),
    previous: measures.previous.subarray(from, to),
    state: measures.state.subarray(from, to),
    sd: measures.sd.subarray(from, to),
    gap: measures.gap.subarray(from, to),
    highWick: measures.highWick.subarray(from, to),
    lowWick: measures.lowWick.subarray(from, to),
    openSpike: measures.openSpike.subarray(from, to),
    closeSpike: measures.closeSpike.subarray(from, to),
  };
}

/** Finds what a bar shows on its own or by its date, then measures the rows that are left. */
function examine(bars: Bars, measures: Measures, context: CourtContext, settings: CourtSettings): Exam {
  const size = bars.day.length;
  for (const name of ['open', 'high', 'low', 'close', 'volume'] as const)
    expect(bars[name].length === size, `${name} must have ${size} values like day, had ${bars[name].length}`);
  for (let row = 1; row < size; row++) {
    expect(bars.day[row]! >= bars.day[row - 1]!, `days must ascend, row ${row} is before row ${row - 1}`);
  }
  const exam: Exam = { bars, measures, findings: [] };
  locate(exam, context.tradingDays);
  findDateSlips(exam);
  findDuplicates(exam);
  findNonpositive(exam);
  findContradictions(exam, settings);
  findGaps(exam, context);
  findStaleRuns(exam, settings);
  findZeroVolume(exam, settings);
  linkGoodRows(exam);
  measureScale(exam, settings);
  measureDisplacements(exam);
  return exam;
}

/** Judges what needs the measures, and where given the peers. */
function conclude(exam: Exam, context: CourtContext, settings: CourtSettings): Finding[] {
  findLevelTicks(exam, context, settings);
  findBadTicks(exam, context, settings);
  findSteps(exam, context, settings);
  return exam.findings.sort((a, b) => a.firstRow - b.firstRow || a.lastRow - b.lastRow);
}

function report(
  exam: Exam,
  kind: FindingKind,
  action: Finding['action'],
  rows: readonly [number, number],
  measure: number,
  limit: number,
  reason: string,
): void {
  const [firstRow, lastRow] = rows;
  const [firstDay, lastDay] = [exam.bars.day[firstRow]!, exam.bars.day[lastRow]!];
  exam.findings.push({ kind, action, firstRow, lastRow, firstDay, lastDay, measure, limit, reason });
}

function locate({ bars, measures }: Exam, tradingDays: Int32Array): void {
  let at = 0;
  if (bars.day.length > 0) at = lowerBound(tradingDays, bars.day[0]!);
  for (let row = 0; row < bars.day.length; row++) {
    const day = bars.day[row]!;
    while (at < tradingDays.length && tradingDays[at]! < day) at += 1;
    measures.session[row] = tradingDays[at] === day ? at : -1;
  }
}

function lowerBound(days: Int32Array, day: number): number {
  let low = 0;
  let high = days.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (days[middle]! < day) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Bars off the calendar a week or less apart are one stretch: the rows between them carry wrong dates as well. Their
 * prices may still be right, so they stay context for the rows around them.
 */
function findDateSlips(exam: Exam): void {
  const { session } = exam.measures;
  const size = session.length;
  for (let row = 0; row < size; row++) {
    if (session[row] !== -1) continue;
    let last = row;
    let off = 1;
    for (let next = row + 1; next < size && next - last <= 7; next++) {
      if (session[next] !== -1) continue;
      last = next;
      off += 1;
    }
    const days = `${dayText(exam.bars.day[row]!)}${last > row ? ` to ${dayText(exam.bars.day[last]!)}` : ''}`;
    const reason =
      off === 1
        ? `The market was closed on ${days}, yet there is a bar. Its date may have slipped.`
        : `${off} bars from ${days} lie on days the market was closed. The dates of the stretch may have slipped.`;
    report(exam, 'date-slip', 'quarantine', [row, last], off, 0, reason);
    row = last;
  }
}

function findDuplicates(exam: Exam): void {
  const { bars, measures } = exam;
  const { day, open, high, low, close } = bars;
  for (let row = 1; row < day.length; row++) {
    if (day[row] !== day[row - 1]) continue;
    const first = row - 1;
    let distance = 0;
    while (row < day.length && day[row] === day[first]) {
      distance = Math.max(
        distance,
        relativeDistance(close[row]!, close[first]!),
        relativeDistance(open[row]!, open[first]!),
        relativeDistance(high[row]!, high[first]!),
        relativeDistance(low[row]!, low[first]!),
      );
      measures.state[row] = COPY;
      row += 1;
    }
    row -= 1;
    const isSame = distance < 1e-9;
    const count = row - first + 1;
    const reason = isSame
      ? `${dayText(day[row]!)} appears ${count} times with the same prices; the later copies are held back.`
      : `${dayText(day[row]!)} appears ${count} times with prices up to ${percent(distance)} apart; no copy is trusted.`;
    report(exam, 'duplicate-bar', 'quarantine', [isSame ? first + 1 : first, row], count, 1, reason);
  }
}

function relativeDistance(a: number, b: number): number {
  if (a === b) return 0;
  const distance = Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
  return Number.isNaN(distance) ? 0 : distance;
}

function findNonpositive(exam: Exam): void {
  const { open, high, low, close } = exam.bars;
  for (let row = 0; row < close.length; row++) {
    if (close[row]! > 0 && !(open[row]! <= 0) && !(high[row]! <= 0) && !(low[row]! <= 0)) continue;
    const isGone = Number.isNaN(close[row]!);
    const least = Math.min(...[open[row]!, high[row]!, low[row]!, close[row]!].filter((price) => !Number.isNaN(price)));
    exam.measures.state[row] = BAD;
    const day = dayText(exam.bars.day[row]!);
    if (isGone) {
      report(exam, 'zero-as-missing', 'quarantine', [row, row], Number.NaN, 0, `The close of ${day} is missing.`);
    } else if (least < 0) {
      const reason = `A price of ${day} is ${least}; a price must be above zero.`;
      report(exam, 'nonpositive-price', 'quarantine', [row, row], least, 0, reason);
    } else {
      const reason = `A price of ${day} is zero, which often stands for a missing value.`;
      report(exam, 'zero-as-missing', 'quarantine', [row, row], 0, 0, reason);
    }
  }
}

/** High below open, close or low; low above open or close. Called a bad tick only later, where the size is known. */
function findContradictions(exam: Exam, settings: CourtSettings): void {
  const { open, high, low, close } = exam.bars;
  const { state } = exam.measures;
  for (let row = 0; row < close.length; row++) {
    if (state[row] === BAD) continue;
    const [o, h, l, c] = [open[row]!, high[row]!, low[row]!, close[row]!];
    // Math.max would let one NaN hide a contradiction among the others.
    let measure = 0;
    if (o / h - 1 > measure) measure = o / h - 1;
    if (c / h - 1 > measure) measure = c / h - 1;
    if (l / h - 1 > measure) measure = l / h - 1;
    if (l / o - 1 > measure) measure = l / o - 1;
    if (l / c - 1 > measure) measure = l / c - 1;
    if (measure <= settings.ohlcTolerance) continue;
    state[row] = BAD;
    const reason = `${dayText(exam.bars.day[row]!)} contradicts itself by ${percent(measure)}: open ${o}, high ${h}, low ${l}, close ${c}.`;
    report(exam, 'ohlc-violation', 'quarantine', [row, row], measure, settings.ohlcTolerance, reason);
  }
}

function findGaps(exam: Exam, context: CourtContext): void {
  const { bars, measures } = exam;
  const { tradingDays, thinDays } = context;
  let before = -1;
  for (let row = 0; row < bars.day.length; row++) {
    const session = measures.session[row]!;
    if (session === -1) continue;
    if (before !== -1 && session - before > 1) reportGap(exam, row, before, session, tradingDays, thinDays);
    before = session;
  }
}

function reportGap(
  exam: Exam,
  row: number,
  before: number,
  session: number,
  tradingDays: Int32Array,
  thinDays: ReadonlySet<number> | undefined,
): void {
  let first = -1;
  let last = -1;
  let missing = 0;
  const isNearSlip = (day: number) => exam.findings.some((f) => f.kind === 'date-slip' && slipExplains(f, day));
  for (let k = before + 1; k < session; k++) {
    if (thinDays?.has(tradingDays[k]!)) continue;
    // A bar on Saturday is the one that Friday or Monday lacks: one case, not two.
    if (session - before === 2 && isNearSlip(tradingDays[k]!)) continue;
    if (first === -1) first = tradingDays[k]!;
    last = tradingDays[k]!;
    missing += 1;
  }
  if (missing === 0) return;
  const span = missing === 1 ? dayText(first) : `${dayText(first)} to ${dayText(last)}`;
  exam.findings.push({
    kind: 'missing-bars',
    action: 'note',
    firstRow: row,
    lastRow: row,
    firstDay: first,
    lastDay: last,
    measure: missing,
    limit: 0,
    reason: `${missing} ${missing === 1 ? 'session has' : 'sessions have'} no bar: ${span}.`,
  });
}

/** Days around a slipped stretch whose own bars may be the ones on the wrong date: the working week on either side. */
const SLIP_REACH_DAYS = 5;

function slipExplains(slip: Finding, day: number): boolean {
  return day >= slip.firstDay - SLIP_REACH_DAYS && day <= slip.lastDay + SLIP_REACH_DAYS;
}

function findStaleRuns(exam: Exam, settings: CourtSettings): void {
  const { open, high, low, close, volume } = exam.bars;
  const { state } = exam.measures;
  let start = 0;
  let withVolume = true;
  for (let row = 1; row <= close.length; row++) {
    // Compared with the start of the run and not exactly: restated prices move in the fifth digit.
    const isSame =
      row < close.length &&
      state[row] === GOOD &&
      alike(close[row]!, close[start]!) &&
      alike(open[row]!, open[start]!) &&
      alike(high[row]!, high[start]!) &&
      alike(low[row]!, low[start]!);
    if (isSame) {
      if (!(volume[row]! > 0)) withVolume = false;
      continue;
    }
    const bars = row - start;
    if (bars >= settings.staleBarsMin && withVolume && volume[start]! > 0 && state[start] === GOOD) {
      const reason = `${bars} bars in a row have the same four prices although shares were traded; the feed may have stood still.`;
      report(exam, 'stale-run', 'note', [start, row - 1], bars, settings.staleBarsMin - 1, reason);
    }
    start = row;
    withVolume = true;
  }
}

const STALE_TOLERANCE = 1e-4;

function alike(a: number, b: number): boolean {
  return Math.abs(a - b) <= STALE_TOLERANCE * b;
}

function findZeroVolume(exam: Exam, settings: CourtSettings): void {
  const { volume } = exam.bars;
  let zeros = 0;
  let traded = 0;
  for (let row = 0; row < volume.length; row++) {
    if (volume[row] === 0) zeros += 1;
    if (volume[row]! > 0) traded += 1;
  }
  // Currencies and indexes have no volume at all: that is no defect.
  if (zeros === 0 || traded === 0) return;
  if (zeros >= settings.noVolumeShare * (zeros + traded)) {
    const reason = `${zeros} of ${zeros + traded} bars have volume 0: a dead listing, or a feed that lost its volume.`;
    report(exam, 'zero-as-missing', 'note', [volume.indexOf(0), volume.lastIndexOf(0)], zeros, 0, reason);
    return;
  }
  for (let row = 0; row < volume.length; row++) {
    if (volume[row] !== 0) continue;
    let last = row;
    while (volume[last + 1] === 0) last += 1;
    const count = last - row + 1;
    const reason = `${count} ${count === 1 ? 'bar has' : 'bars have'} volume 0, which often stands for a missing value.`;
    report(exam, 'zero-as-missing', 'note', [row, last], count, 0, reason);
    row = last;
  }
}

/** For each good row the good row before it, or -1. Rows that are not good get -2. */
function linkGoodRows({ measures }: Exam): void {
  let previous = -1;
  for (let row = 0; row < measures.state.length; row++) {
    const isGood = measures.state[row] === GOOD;
    measures.previous[row] = isGood ? previous : -2;
    if (isGood) previous = row;
  }
}

/**
 * Robust standard deviation from the good returns before a row, renewed every few rows. Until a third of the window is
 * there it uses the first window after it: the court may look ahead.
 */
function measureScale({ bars, measures }: Exam, settings: CourtSettings): void {
  const size = bars.day.length;
  const steps = new Float64Array(size);
  const rowOf = new Int32Array(size);
  let count = 0;
  for (let row = 0; row < size; row++) {
    const previous = measures.previous[row]!;
    if (previous < 0) continue;
    steps[count] = Math.abs(Math.log(bars.close[row]! / bars.close[previous]!));
    rowOf[count] = row;
    count += 1;
  }
  const scratch = new Float64Array(settings.robustWindow);
  const least = Math.ceil(settings.robustWindow / 3);
  let at = 0;
  let scale = Number.NaN;
  for (let row = 0; row < size; row++) {
    while (at < count && rowOf[at]! < row) at += 1;
    if (row % settings.robustEvery === 0) {
      const to = at >= least ? at : Math.min(count, settings.robustWindow);
      const from = Math.max(0, to - settings.robustWindow);
      if (to - from >= 5) {
        const window = scratch.subarray(0, to - from);
        window.set(steps.subarray(from, to));
        scale = Math.max(settings.robustSdMin, 1.4826 * median(window));
      }
    }
    measures.sd[row] = scale;
  }
}

function measureDisplacements({ bars, measures }: Exam): void {
  const { open, high, low, close } = bars;
  const { previous, sd } = measures;
  let next = bars.day.length;
  for (let row = bars.day.length - 1; row >= 0; row--) {
    const before = previous[row]!;
    if (before === -2) continue;
    const scale = sd[row]!;
    const c = close[row]!;
    const o = open[row]! > 0 ? open[row]! : before >= 0 ? close[before]! : c;
    const top = Math.max(o, c);
    const bottom = Math.min(o, c);
    measures.highWick[row] = high[row]! > top ? Math.log(high[row]! / top) / scale : 0;
    measures.lowWick[row] = low[row]! < bottom ? Math.log(bottom / low[row]!) / scale : 0;
    if (before >= 0) {
      const gap = Math.log(o / close[before]!);
      const day = Math.log(c / o);
      measures.gap[row] = gap;
      measures.openSpike[row] = opposed(gap, day) / scale;
      const after = next < bars.day.length ? nextStart(bars, next, c) : gap + day > 0 === day > 0 ? -(gap + day) : 0;
      measures.closeSpike[row] = opposed(day, after) / scale;
    }
    next = row;
  }
}

/** Log step from this close to the next good open, or to the next close where the open is not known. */
function nextStart({ open, close }: Bars, next: number, c: number): number {
  return Math.log((open[next]! > 0 ? open[next]! : close[next]!) / c);
}

/** The smaller of two steps that go opposite ways, or zero. */
function opposed(a: number, b: number): number {
  return a * b < 0 ? Math.min(Math.abs(a), Math.abs(b)) : 0;
}

/**
 * Whole bars at another level: all prices of one to three bars times a factor, and the bar after them back where the bar
 * before them was. Their bars agree with themselves, so no single price sticks out.
 */
function findLevelTicks(exam: Exam, context: CourtContext, settings: CourtSettings): void {
  const { bars, measures } = exam;
  let found = 0;
  for (let row = 1; row + 1 < measures.state.length; row++) {
    const before = measures.previous[row]!;
    // The bar before may be a tick found a moment ago.
    if (before < 0 || measures.state[before] !== GOOD) continue;
    const gap = bars.open[row]! > 0 ? measures.gap[row]! : nextStart(bars, row, bars.close[before]!);
    if (!(Math.abs(gap) >= settings.levelTickMin)) continue;
    const tick = levelTickAt(exam, before, row, gap, context, settings);
    if (tick === undefined) continue;
    measures.state.fill(BAD, row, tick.last + 1);
    found += 1;
    const first = dayText(bars.day[row]!);
    const days = tick.last === row ? first : `${first} to ${dayText(bars.day[tick.last]!)}`;
    const reason = `All prices of ${days} are about x${Math.exp(tick.size).toFixed(3)} the level of the bars before and after, which agree.`;
    report(exam, 'bad-tick', 'quarantine', [row, tick.last], Math.abs(tick.size), settings.levelTickMin, reason);
    row = tick.last;
  }
  if (found === 0) return;
  // The bars beside a level tick were measured against it.
  linkGoodRows(exam);
  measureDisplacements(exam);
}

/** The level tick that starts at a row with a gap: its last row and its log size with sign. Undefined if there is none. */
function levelTickAt(
  exam: Exam,
  before: number,
  row: number,
  gap: number,
  context: CourtContext,
  settings: CourtSettings,
): { last: number; size: number } | undefined {
  const { bars, measures } = exam;
  const { state, session } = measures;
  const into = beyondMarket(gap, session[row]!, context);
  let last = row;
  for (let count = 1; count <= settings.levelTickBarsMax; count++) {
    let after = last + 1;
    while (after < state.length && state[after] !== GOOD) after += 1;
    if (after >= state.length) return undefined;
    const back = beyondMarket(nextStart(bars, after, bars.close[last]!), session[after]!, context);
    const size = Math.sign(into) * Math.min(Math.abs(into), Math.abs(back));
    if (into * back < 0 && isLevelTick(exam, { before, first: row, last, after }, size, settings))
      return { last, size };
    last = after;
  }
  return undefined;
}

/** The bars of a suspected level tick with the good row before and the good row after them. */
type Stretch = { before: number; first: number; last: number; after: number };

function isLevelTick(exam: Exam, stretch: Stretch, signedSize: number, settings: CourtSettings): boolean {
  const { bars, measures } = exam;
  const { before, first, last, after } = stretch;
  const { open, high, low, close } = bars;
  const size = Math.abs(signedSize);
  if (size < settings.levelTickMin || size < settings.levelTickSd * measures.sd[first]!) return false;
  const isCertain = size >= settings.certainStep;
  const rest = nextStart(bars, after, close[before]!);
  const tolerance = stepTolerance(exam, first, size, settings);
  if (Math.abs(rest) > Math.max(tolerance, settings.levelTickRestShare * size)) return false;
  // The close after counts as well: an open that is wrong itself brings no level back.
  if (Math.abs(Math.log(close[after]! / close[before]!)) > size / 2) return false;
  const away = Math.sign(signedSize);
  const edge = Math.log(close[before]!) + away * Math.max(0, away * rest);
  for (let row = first; row <= last; row++) {
    if (measures.state[row] !== GOOD) continue;
    // NaN passes: a price that is not known contradicts nothing.
    for (const price of [open[row]!, high[row]!, low[row]!, close[row]!])
      if (away * (Math.log(price) - edge) < size / 2) return false;
  }
  if (isCertain) return true;
  if (!(open[first]! > 0 && open[after]! > 0)) return false;
  if (size < settings.stepUsualFactor * usualGap(exam, first, settings, after)) return false;
  const quiet = [first, after].filter((row) => isSilent(loudness(exam, row, settings), size, settings)).length;
  // As with currencies: where chance hardly brings the level back, one of the two days may have news.
  return quiet === 2 || (quiet === 1 && Math.abs(rest) <= tolerance && size > settings.halfQuietTolerances * tolerance);
}

type Displacement = 'highWick' | 'lowWick' | 'openSpike' | 'closeSpike';

const DISPLACED: readonly { form: Displacement; phrase: string }[] = [
  { form: 'highWick', phrase: 'The high sticks out of open and close' },
  { form: 'lowWick', phrase: 'The low sticks out of open and close' },
  { form: 'openSpike', phrase: 'The open sticks out of the close before and the close after it' },
  { form: 'closeSpike', phrase: 'The close sticks out of the open before and the open after it' },
];

function findBadTicks(exam: Exam, context: CourtContext, settings: CourtSettings): void {
  const { measures } = exam;
  let last = measures.state.length - 1;
  while (last >= 0 && measures.state[last] !== GOOD) last -= 1;
  const least = Math.min(settings.wickLimit, settings.spikeLimit);
  for (let row = 0; row < measures.state.length; row++) {
    if (measures.state[row] !== GOOD) continue;
    for (const { form, phrase } of DISPLACED) {
      const measure = measures[form][row]!;
      if (!(measure >= least)) continue;
      const limit = tickLimit(exam, row, form, last, context, settings);
      if (measure < limit) continue;
      measures.state[row] = BAD;
      const sd = measures.sd[row]!;
      const seen =
        form === 'closeSpike' && row === last ? 'The last close sticks out of the open and the close before' : phrase;
      const reason = `${seen} by ${percent(Math.expm1(measure * sd))}, ${measure.toFixed(1)} usual days (limit ${limit.toFixed(1)}).`;
      report(exam, 'bad-tick', 'quarantine', [row, row], measure, limit, reason);
      break;
    }
  }
}

function tickLimit(
  exam: Exam,
  row: number,
  form: Displacement,
  last: number,
  context: CourtContext,
  settings: CourtSettings,
): number {
  const session = exam.measures.session[row]!;
  const own = form === 'highWick' || form === 'lowWick' ? settings.wickLimit : settings.spikeLimit;
  const isOpenEnded = form === 'closeSpike' && row === last;
  let limit = isOpenEnded ? own * settings.lastBarFactor : own;
  const peers = context.peers?.[form][session];
  if (peers !== undefined && peers > 0) limit = Math.max(limit, settings.peerFactor * peers);
  // Without peers, a day on which the whole market moved raises the limit by that move.
  const move = context.peers === undefined ? context.marketMove?.[session] : undefined;
  if (move !== undefined && Math.abs(move) > 0) limit += Math.abs(move) / exam.measures.sd[row]!;
  const measure = exam.measures[form][row]!;
  if (measure < limit || measure >= limit * settings.newsFactor) return limit;
  // Volume says that many traded at such prices. Asked last because it is the dear question.
  return loudness(exam, row, settings).volume > settings.newsVolume ? limit * settings.newsFactor : limit;
}

type Step = { row: number; size: number; isSilent: boolean; volume: number; range: number };

/**
 * Finds steps of the price level between one close and the next open. News comes with volume and a wide day; a step of
 * the data comes on a day like any other. Two steps that cancel enclose a stretch in another currency or unit.
 */
function findSteps(exam: Exam, context: CourtContext, settings: CourtSettings): void {
  const steps = collectSteps(exam, context, settings);
  const used = new Set<Step>();
  for (let i = 0; i < steps.length; i++) {
    const start = steps[i]!;
    if (used.has(start)) continue;
    const end = findPartner(exam, steps, i, used, settings);
    if (end === undefined || isSplitAndBack(start, end, settings)) continue;
    used.add(start).add(end);
    const factor = Math.exp(start.size);
    const reason = `The price level steps by x${factor.toFixed(3)} and ${end.row - start.row} bars later back by x${Math.exp(end.size).toFixed(3)}, without unusual volume: another currency or unit in between?`;
    const rows = [start.row, end.row - 1] as const;
    report(exam, 'currency-swap', 'quarantine', rows, Math.abs(start.size), settings.pairedStepMin, reason);
  }
  for (const step of steps) if (!used.has(step)) judgeStep(exam, step, context, settings);
  for (const finding of [...exam.findings]) {
    if (finding.kind !== 'missing-bars' || finding.measure < settings.silenceMin) continue;
    const isSaid = (other: Finding) => other.kind === 'ticker-reuse' && other.firstRow === finding.firstRow;
    if (exam.findings.some(isSaid)) continue;
    const reason = `The ticker was silent for ${finding.measure} sessions; the bars before may belong to another company.`;
    const rows = [finding.firstRow, finding.lastRow] as const;
    report(exam, 'ticker-reuse', 'note', rows, finding.measure, settings.silenceMin, reason);
  }
}

function collectSteps(exam: Exam, context: CourtContext, settings: CourtSettings): Step[] {
  const { measures } = exam;
  const steps: Step[] = [];
  let previous = -1;
  for (let row = 0; row < measures.state.length; row++) {
    if (measures.state[row] !== GOOD) continue;
    const before = previous;
    previous = row;
    if (before < 0) continue;
    let gap = measures.gap[row]!;
    // A tick found meanwhile may have been the close this gap starts from.
    if (before !== measures.previous[row]) gap = Math.log(exam.bars.open[row]! / exam.bars.close[before]!);
    if (!(Math.abs(gap) >= settings.pairedStepMin)) continue;
    const size = beyondMarket(gap, measures.session[row]!, context);
    if (Math.abs(size) < settings.pairedStepMin) continue;
    // A step that only takes back what the day before did is a close that stood out, and leaves the level alone.
    if (stepFromOpen(exam.bars, before, row) / gap < settings.stepLevelShare) continue;
    if (Math.abs(size) < settings.stepUsualFactor * usualGap(exam, row, settings)) continue;
    const loud = loudness(exam, row, settings);
    steps.push({ row, size, isSilent: isSilent(loud, Math.abs(size), settings), ...loud });
  }
  return steps;
}

/** A gap less the median gap of the batch: only a market move in the same direction can explain a step. */
function beyondMarket(gap: number, session: number, context: CourtContext): number {
  const market = context.peers?.gap[session] ?? context.marketMove?.[session] ?? 0;
  return market * gap > 0 ? Math.sign(gap) * Math.max(0, Math.abs(gap) - Math.abs(market)) : gap;
}

/** Log step from the open of one row to the open of another, NaN where one is not known. */
function stepFromOpen({ open }: Bars, before: number, row: number): number {
  return open[before]! > 0 && open[row]! > 0 ? Math.log(open[row]! / open[before]!) : Number.NaN;
}

/** The larger the step, the more volume real news of that size would bring. */
function isSilent(loud: { volume: number; range: number }, size: number, settings: CourtSettings): boolean {
  const allowed = 1 + settings.silentGrowth * Math.max(0, size - settings.stepMin);
  return (
    size >= settings.certainStep ||
    (loud.volume <= settings.silentVolume * allowed && loud.range <= settings.silentRange * allowed)
  );
}

/** How far from zero the sum of two steps that cancel may be, log. */
function stepTolerance(exam: Exam, row: number, size: number, settings: CourtSettings): number {
  return (
    settings.pairTolerance + settings.pairToleranceSd * exam.measures.sd[row]! + settings.pairToleranceShare * size
  );
}

/** Volume and range of a row as multiples of the larger of the usual values before and after it. */
function loudness(exam: Exam, row: number, settings: CourtSettings): { volume: number; range: number } {
  const { high, low, volume } = exam.bars;
  const usual = (value: (row: number) => number, step: number): number => {
    const values: number[] = [];
    for (let k = row + step; values.length < settings.usualWindow && k >= 0 && k < volume.length; k += step) {
      const x = value(k);
      if (exam.measures.state[k] === GOOD && x > 0) values.push(x);
    }
    return values.length < 3 ? 0 : median(Float64Array.from(values));
  };
  const volumeOf = (k: number) => volume[k]!;
  const rangeOf = (k: number) => Math.log(high[k]! / low[k]!);
  const usualVolume = Math.max(usual(volumeOf, -1), usual(volumeOf, 1));
  const usualRange = Math.max(usual(rangeOf, -1), usual(rangeOf, 1));
  const range = rangeOf(row);
  return {
    volume: usualVolume > 0 && volume[row]! > 0 ? volume[row]! / usualVolume : 0,
    range: usualRange > 0 && range > 0 ? range / usualRange : 0,
  };
}

/**
 * The 90th percentile of the absolute gaps before a row and after it or a later one, on the wilder side: in a crisis
 * steps of a tenth are daily.
 */
function usualGap(exam: Exam, row: number, settings: CourtSettings, after = row): number {
  const { gap, state } = exam.measures;
  let usual = 0;
  for (const step of [-1, 1]) {
    const values: number[] = [];
    for (
      let k = step < 0 ? row - 1 : after + 1;
      values.length < settings.usualWindow && k >= 0 && k < gap.length;
      k += step
    )
      if (state[k] === GOOD && !Number.isNaN(gap[k]!)) values.push(Math.abs(gap[k]!));
    values.sort((a, b) => a - b);
    usual = Math.max(usual, values[Math.ceil(0.9 * values.length) - 1] ?? 0);
  }
  return usual;
}

function findPartner(
  exam: Exam,
  steps: readonly Step[],
  index: number,
  used: ReadonlySet<Step>,
  settings: CourtSettings,
): Step | undefined {
  const start = steps[index]!;
  const tolerance = stepTolerance(exam, start.row, Math.abs(start.size), settings);
  let best: Step | undefined;
  for (let k = index + 1; k < steps.length; k++) {
    const end = steps[k]!;
    const bars = end.row - start.row;
    if (bars > settings.pairBarsMax) break;
    if (bars < settings.pairBarsMin || used.has(end) || start.size * end.size >= 0) continue;
    const rest = Math.abs(start.size + end.size);
    const isQuiet = start.isSilent && end.isSilent;
    // A step so large that chance hardly cancels it may have news on one of its two days.
    const isHalfQuiet =
      (start.isSilent || end.isSilent) && Math.abs(start.size) > settings.halfQuietTolerances * tolerance;
    if (rest > tolerance || !(isQuiet || isHalfQuiet)) continue;
    if (best === undefined || rest < Math.abs(start.size + best.size)) best = end;
  }
  return best;
}

/** No currency trades at exactly two or three to one for a month, but a split applied to one stretch only does. */
function isSplitAndBack(start: Step, end: Step, settings: CourtSettings): boolean {
  const size = Math.abs(start.size);
  const isNear = (step: number) => nearestRatio(step, settings).distance <= settings.splitTolerance;
  return (
    size > settings.currencyStepMax && size < settings.minorUnitStepMin && isNear(size) && isNear(Math.abs(end.size))
  );
}

function judgeStep(exam: Exam, step: Step, context: CourtContext, settings: CourtSettings): void {
  const size = Math.abs(step.size);
  if (size < settings.stepMin || !step.isSilent) return;
  const { ratio, distance } = nearestRatio(size, settings);
  const sd = exam.measures.sd[step.row]!;
  const factor = Math.exp(step.size);
  const rows = [step.row, step.row] as const;
  const usual = `volume was ${step.volume.toFixed(1)} times and the day's range ${step.range.toFixed(1)} times the usual`;
  if (distance <= settings.splitTolerance + sd) {
    const day = exam.bars.day[step.row]!;
    const known = context.knownSplits?.find(
      (split) => split.day === day && Math.abs(Math.abs(Math.log(split.ratio)) - size) <= settings.splitTolerance + sd,
    );
    const isForward = known !== undefined && Math.log(known.ratio) * step.size < 0;
    if (context.basis === 'raw' && isForward) return;
    const named = step.size < 0 ? `${+ratio.toFixed(2)}:1` : `1:${+ratio.toFixed(2)}`;
    const cause =
      known === undefined
        ? `like a ${named} split that was not applied, or one applied twice`
        : isForward
          ? `as the announced split would without adjustment`
          : `against the announced split, as one applied twice would`;
    const reason = `The price level steps by x${factor.toFixed(3)}, ${cause}; ${usual}.`;
    report(exam, 'split-suspicion', 'note', rows, size, settings.stepMin, reason);
    return;
  }
  const reason = `The price level steps by x${factor.toFixed(3)} for good and ${usual}: another company under the same ticker, or an action nobody applied?`;
  report(exam, 'ticker-reuse', 'note', rows, size, settings.stepMin, reason);
}

function nearestRatio(size: number, settings: CourtSettings): { ratio: number; distance: number } {
  let best = { ratio: 1, distance: Number.POSITIVE_INFINITY };
  for (const ratio of settings.splitRatios) {
    const distance = Math.abs(size - Math.log(ratio));
    if (distance < best.distance) best = { ratio, distance };
  }
  return best;
}

function findThinDays(
  panel: BarPanel,
  tradingDays: Int32Array,
  settings: CourtSettings,
  findings: PanelFinding[],
): Set<number> {
  const count = tradingDays.length;
  const bars = new Int32Array(count);
  const alive = new Int32Array(count + 1);
  for (let i = 0; i + 1 < panel.offset.length; i++) {
    const [from, to] = [panel.offset[i]!, panel.offset[i + 1]!];
    if (from === to) continue;
    let at = lowerBound(tradingDays, panel.day[from]!);
    alive[at]! += 1;
    let seen = -1;
    for (let row = from; row < to; row++) {
      while (at < count && tradingDays[at]! < panel.day[row]!) at += 1;
      if (at < count && tradingDays[at] === panel.day[row] && at !== seen) bars[at]! += 1;
      if (tradingDays[at] === panel.day[row]) seen = at;
    }
    const end = tradingDays[at] === panel.day[to - 1] ? at + 1 : at;
    alive[end]! -= 1;
  }
  const thin = new Set<number>();
  let living = 0;
  for (let k = 0; k < count; k++) {
    living += alive[k]!;
    if (living < settings.peersMin || bars[k]! >= settings.thinShare * living) continue;
    const day = tradingDays[k]!;
    thin.add(day);
    findings.push({
      kind: 'thin-day',
      action: 'note',
      instrument: -1,
      firstRow: -1,
      lastRow: -1,
      firstDay: day,
      lastDay: day,
      measure: bars[k]! / living,
      limit: settings.thinShare,
      reason: `On ${dayText(day)} only ${bars[k]} of ${living} instruments have a bar.`,
    });
  }
  return thin;
}

const PEER_BINS = 80;
const PEER_BIN_WIDTH = 0.5;

/** The 95th percentile of each displacement and the median gap, by session, over the rows that passed so far. */
function peersOf(measures: Measures, tradingDays: Int32Array, settings: CourtSettings): Peers {
  return {
    gap: medianBySession(measures, tradingDays.length, settings.peersMin),
    highWick: highBySession(measures, 'highWick', tradingDays.length, settings.peersMin),
    lowWick: highBySession(measures, 'lowWick', tradingDays.length, settings.peersMin),
    openSpike: highBySession(measures, 'openSpike', tradingDays.length, settings.peersMin),
    closeSpike: highBySession(measures, 'closeSpike', tradingDays.length, settings.peersMin),
  };
}

function highBySession(measures: Measures, form: Displacement, sessions: number, peersMin: number): Float64Array {
  const counts = new Int32Array(sessions * PEER_BINS);
  const values = measures[form];
  for (let row = 0; row < values.length; row++) {
    const session = measures.session[row]!;
    if (session < 0 || measures.state[row] !== GOOD) continue;
    const bin = Math.min(PEER_BINS - 1, Math.floor(values[row]! / PEER_BIN_WIDTH));
    counts[session * PEER_BINS + bin]! += 1;
  }
  const result = new Float64Array(sessions).fill(Number.NaN);
  for (let session = 0; session < sessions; session++) {
    const own = counts.subarray(session * PEER_BINS, (session + 1) * PEER_BINS);
    const total = own.reduce((sum, n) => sum + n, 0);
    if (total < peersMin) continue;
    let bin = PEER_BINS - 1;
    for (let above = own[bin]!; bin > 0 && above <= 0.05 * total; above += own[bin]!) bin -= 1;
    result[session] = bin * PEER_BIN_WIDTH;
  }
  return result;
}

/** Median log gap of each session from counts in bins of a quarter percent: enough to tell a market day from a quiet one. */
function medianBySession(measures: Measures, sessions: number, peersMin: number): Float64Array {
  const bins = 201;
  const width = 0.0025;
  const counts = new Int32Array(sessions * bins);
  const totals = new Int32Array(sessions);
  for (let row = 0; row < measures.gap.length; row++) {
    const session = measures.session[row]!;
    const gap = measures.gap[row]!;
    if (session < 0 || Number.isNaN(gap) || measures.state[row] !== GOOD) continue;
    const bin = Math.max(0, Math.min(bins - 1, Math.round(gap / width) + 100));
    counts[session * bins + bin]! += 1;
    totals[session]! += 1;
  }
  const result = new Float64Array(sessions).fill(Number.NaN);
  for (let session = 0; session < sessions; session++) {
    if (totals[session]! < peersMin) continue;
    let bin = 0;
    let below = counts[session * bins]!;
    while (below < totals[session]! / 2) {
      bin += 1;
      below += counts[session * bins + bin]!;
    }
    result[session] = (bin - 100) * width;
  }
  return result;
}

function percent(fraction: number): string {
  const value = 100 * fraction;
  return `${Math.abs(value) >= 10 ? value.toFixed(0) : value.toFixed(2)} %`;
}
