import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';
import type { Bars } from '../series/bars.ts';
import { type BarPanel, barsBetween, concatenateBars } from './bar-panel.ts';
import { type FaultKind, faultSettings } from './fault-settings.ts';

/**
 * What was planted, and where.
 *
 * Rows count inside the instrument, in the faulty panel. A step in the price level (split, ticker reuse) has the first
 * row after the step; missing bars have the first row after the gap, and `rows` counts the bars taken out.
 */
export type Fault = {
  kind: FaultKind;
  /** Which form the fault has, for people: `close stretched 11.2 sd`, `ratio 2`. */
  detail: string;
  instrument: number;
  firstRow: number;
  lastRow: number;
  firstDay: number;
  lastDay: number;
  rows: number;
};

/** The panel with its faults, the truth, and for each row the row of the clean panel it came from. */
export type FaultyPanel = { panel: BarPanel; faults: Fault[]; sourceRow: Int32Array };

/** Bars of one instrument while they are being damaged, with their origin. */
type Work = Bars & { source: Int32Array; dropped: Uint8Array; copies: Map<number, Copy> };
type Copy = { day: number; open: number; high: number; low: number; close: number; volume: number };
type Planted = {
  kind: FaultKind;
  detail: string;
  /** First and last touched row before rows are dropped or copied. */
  from: number;
  to: number;
  firstDay: number;
  lastDay: number;
  rows: number;
};

/**
 * Plants faults of known kind and size into clean bars.
 *
 * Faults of one instrument keep `spacing` untouched bars between them. Instruments are chosen in proportion to their
 * bars. Faults that find no free place after 200 tries are left out, so `faults.length` may be below `count` in a
 * crowded panel. The input is not changed. The same seed plants the same faults.
 *
 * @param clean Ascending bars without duplicates. Prices above zero where a magnitude is measured.
 * @param count Faults wanted.
 * @throws RangeError if `count` is not a whole number of zero or more.
 */
export function injectFaults(clean: BarPanel, random: Random, count: number = faultSettings.count): FaultyPanel {
  expect(Number.isInteger(count) && count >= 0, `count must be a whole number of zero or more, was ${count}`);
  const instrumentCount = clean.offset.length - 1;
  const works: Work[] = [];
  for (let i = 0; i < instrumentCount; i++) works.push(copyOf(clean, clean.offset[i]!, clean.offset[i + 1]!));
  const planted: Planted[][] = works.map(() => []);

  // Foreign history comes first: it decides how many rows there are for the other faults to sit in.
  const kinds = Object.keys(faultSettings.prevalence) as FaultKind[];
  kinds.sort((a, b) => Number(b === 'ticker-reuse') - Number(a === 'ticker-reuse'));
  for (const kind of kinds) {
    const draw = random.split(kind);
    const wanted = Math.round(faultSettings.prevalence[kind] * count);
    for (let k = 0; k < wanted; k++) plantSomewhere(kind, clean, works, planted, draw);
  }
  works.forEach((work, i) => {
    disturb(work, random.split('noise').split(i));
  });
  return assemble(works, planted);
}

function plantSomewhere(kind: FaultKind, clean: BarPanel, works: Work[], planted: Planted[][], draw: Random): void {
  const size = clean.day.length;
  if (size === 0) return;
  for (let attempt = 0; attempt < 200; attempt++) {
    const instrument = instrumentAt(clean.offset, draw.integer(size));
    const made =
      kind === 'ticker-reuse'
        ? plantReuse(clean, works, planted, instrument, draw)
        : plantAt(kind, works[instrument]!, planted[instrument]!, draw);
    if (made === undefined) continue;
    planted[instrument]!.push(made);
    return;
  }
}

function instrumentAt(offset: Int32Array, row: number): number {
  let low = 0;
  let high = offset.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (offset[middle]! <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Rows a fault of this kind occupies. A step takes the row after it, a gap takes the rows that go. */
function lengthOf(kind: FaultKind, draw: Random): number {
  const between = (low: number, high: number) => low + draw.integer(high - low + 1);
  const { staleRun, missingBars, dateSlip, currencySwap } = faultSettings;
  if (kind === 'stale-run') return between(staleRun.barsMin, staleRun.barsMax);
  if (kind === 'missing-bars') return between(missingBars.barsMin, missingBars.barsMax);
  if (kind === 'date-slip') return between(dateSlip.barsMin, dateSlip.barsMax);
  if (kind === 'currency-swap') return between(currencySwap.barsMin, currencySwap.barsMax);
  return 1;
}

function plantAt(kind: FaultKind, work: Work, planted: readonly Planted[], draw: Random): Planted | undefined {
  const length = lengthOf(kind, draw);
  // A gap or a stretch must end inside the life of the listing, or nothing could show it.
  const needsRowAfter = kind === 'missing-bars' || kind === 'currency-swap';
  const room = work.day.length - faultSettings.historyMin - length - (needsRowAfter ? 1 : 0) + 1;
  if (room <= 0) return undefined;
  const from = faultSettings.historyMin + draw.integer(room);
  const to = from + length - 1;
  const { spacing } = faultSettings;
  if (planted.some((other) => from <= other.to + spacing && to >= other.from - spacing)) return undefined;
  const span = { kind, from, to, firstDay: work.day[from]!, lastDay: work.day[to]!, rows: length };
  const detail = damage[kind](work, from, to, draw);
  return detail === undefined ? undefined : { ...span, detail };
}

type Damage = (work: Work, from: number, to: number, draw: Random) => string | undefined;

const damage: Record<FaultKind, Damage> = {
  'bad-tick': badTick,
  'nonpositive-price': nonpositivePrice,
  'stale-run': staleRun,
  'missing-bars': (work, from, to) => {
    work.dropped.fill(1, from, to + 1);
    return `${to - from + 1} bars`;
  },
  'duplicate-bar': duplicateBar,
  'ohlc-violation': ohlcViolation,
  'unadjusted-split': (work, from, _to, draw) => splitStep(work, from, draw, false),
  'twice-adjusted-split': (work, from, _to, draw) => splitStep(work, from, draw, true),
  // Needs the whole panel, so it is planted by plantReuse.
  'ticker-reuse': () => undefined,
  'zero-as-missing': zeroAsMissing,
  'date-slip': (work, from, to, draw) => {
    const shift = draw.integer(2) === 0 ? 1 : -1;
    for (let row = from; row <= to; row++) work.day[row]! += shift;
    return `${shift > 0 ? 'late' : 'early'} by one day`;
  },
  'currency-swap': currencySwap,
};

function badTick(work: Work, row: number, _to: number, draw: Random): string | undefined {
  const settings = faultSettings.badTick;
  const { open, high, low, close } = work;
  if (!(close[row]! > 0 && open[row]! > 0 && low[row]! > 0 && high[row]! > 0)) return undefined;
  const field = (['close', 'high', 'low', 'open'] as const)[draw.integer(4)]!;
  const isDecimal = draw.uniform() < settings.decimalShare;
  const sdCount = Math.min(settings.sdMin + settings.sdMeanExcess * draw.exponential(), settings.sdMax);
  const size = sdCount * robustSd(work, row);
  const upward = field === 'high' || (field !== 'low' && draw.integer(2) === 0);
  const stretched = (field === 'open' || field === 'close') && draw.uniform() < settings.stretchedShare;
  const drawn = settings.decimalFactors[draw.integer(settings.decimalFactors.length)]!;
  // A high only errs upward and a low downward here; the other way round the bar contradicts itself, another kind.
  const decimal = field === 'high' ? Math.max(drawn, 1 / drawn) : field === 'low' ? Math.min(drawn, 1 / drawn) : drawn;
  const factor = isDecimal ? decimal : Math.exp(upward ? size : -size);
  const base =
    field === 'high'
      ? Math.max(open[row]!, close[row]!)
      : field === 'low'
        ? Math.min(open[row]!, close[row]!)
        : work[field][row]!;
  const bad = base * factor;
  work[field][row] = bad;
  if (stretched) {
    high[row] = Math.max(high[row]!, bad);
    low[row] = Math.min(low[row]!, bad);
  }
  return `${field}${stretched ? ' stretched' : ''} ${isDecimal ? `x${factor}` : `${sdCount.toFixed(1)} sd`}`;
}

/** 1.4826 times the median absolute deviation of the log returns before `row`, at least the floor. */
function robustSd(work: Work, row: number): number {
  const returns: number[] = [];
  for (let k = Math.max(1, row - faultSettings.robustWindow); k < row; k++) {
    const step = Math.log(work.close[k]! / work.close[k - 1]!);
    if (Number.isFinite(step)) returns.push(step);
  }
  if (returns.length === 0) return faultSettings.robustSdMin;
  const middle = median(returns);
  const spread = 1.4826 * median(returns.map((step) => Math.abs(step - middle)));
  return Math.max(spread, faultSettings.robustSdMin);
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : 0.5 * (sorted[half - 1]! + sorted[half]!);
}

function nonpositivePrice(work: Work, row: number, _to: number, draw: Random): string {
  const isNegative = draw.integer(2) === 0;
  const field = (['close', 'low', 'open', 'all'] as const)[draw.integer(4)]!;
  const fields = field === 'all' ? (['open', 'high', 'low', 'close'] as const) : [field];
  for (const name of fields) work[name][row] = isNegative ? -Math.abs(work[name][row]!) : 0;
  return `${field} ${isNegative ? 'negative' : 'zero'}`;
}

function staleRun(work: Work, from: number, to: number, draw: Random): string | undefined {
  if (!(work.volume[from]! > 0)) return undefined;
  const isSameVolume = draw.uniform() < faultSettings.staleRun.sameVolumeShare;
  for (let row = from + 1; row <= to; row++) {
    for (const name of ['open', 'high', 'low', 'close'] as const) work[name][row] = work[name][from]!;
    if (isSameVolume || !(work.volume[row]! > 0)) work.volume[row] = work.volume[from]!;
  }
  return `${to - from + 1} bars${isSameVolume ? ', same volume' : ''}`;
}

function duplicateBar(work: Work, row: number, _to: number, draw: Random): string {
  const isSame = draw.uniform() < faultSettings.duplicateBar.sameShare;
  const factor = isSame ? 1 : Math.exp(faultSettings.duplicateBar.relativeSd * draw.normal());
  work.copies.set(row, {
    day: work.day[row]!,
    open: work.open[row]! * factor,
    high: work.high[row]! * factor,
    low: work.low[row]! * factor,
    close: work.close[row]! * factor,
    volume: work.volume[row]!,
  });
  return isSame ? 'same values' : 'other values';
}

function ohlcViolation(work: Work, row: number, _to: number, draw: Random): string | undefined {
  const { open, high, low, close } = work;
  if (!(low[row]! > 0)) return undefined;
  const { relativeMin, relativeMeanExcess } = faultSettings.ohlcViolation;
  const distance = relativeMin + relativeMeanExcess * draw.exponential();
  const form = draw.integer(5);
  if (form === 0) {
    const top = high[row]!;
    high[row] = Math.min(low[row]!, top / (1 + distance));
    low[row] = top;
    return 'high and low swapped';
  }
  if (form === 1) high[row] = Math.max(open[row]!, close[row]!) / (1 + distance);
  if (form === 2) low[row] = Math.min(open[row]!, close[row]!) * (1 + distance);
  if (form === 3) close[row] = high[row]! * (1 + distance);
  if (form === 4) close[row] = low[row]! / (1 + distance);
  return ['', 'high too low', 'low too high', 'close above high', 'close below low'][form];
}

function splitStep(work: Work, row: number, draw: Random, isTwice: boolean): string {
  const { ratios, volumeShare } = faultSettings.split;
  const ratio = ratios[draw.integer(ratios.length)]!;
  const withVolume = draw.uniform() < volumeShare;
  // A split that was never applied leaves the older prices too high by the ratio; one applied twice leaves them too low.
  const factor = isTwice ? 1 / ratio : ratio;
  for (let k = 0; k < row; k++) {
    scaleRow(work, k, factor);
    if (withVolume) work.volume[k] = Math.round(work.volume[k]! / factor);
  }
  return `ratio ${ratio}${withVolume ? ', volume too' : ''}`;
}

function scaleRow(work: Work, row: number, factor: number): void {
  work.open[row]! *= factor;
  work.high[row]! *= factor;
  work.low[row]! *= factor;
  work.close[row]! *= factor;
  const copy = work.copies.get(row);
  if (copy === undefined) return;
  copy.open *= factor;
  copy.high *= factor;
  copy.low *= factor;
  copy.close *= factor;
}

function zeroAsMissing(work: Work, row: number, _to: number, draw: Random): string {
  const form = (['volume', 'open', 'prices', 'prices and volume'] as const)[draw.integer(4)]!;
  if (form === 'open') work.open[row] = 0;
  if (form === 'prices' || form === 'prices and volume') scaleRow(work, row, 0);
  if (form === 'volume' || form === 'prices and volume') work.volume[row] = 0;
  return `${form} zero`;
}

function currencySwap(work: Work, from: number, to: number, draw: Random): string {
  const settings = faultSettings.currencySwap;
  const size =
    draw.uniform() < settings.minorUnitShare
      ? settings.minorUnitFactor
      : settings.factorMin + (settings.factorMax - settings.factorMin) * draw.uniform();
  const factor = draw.integer(2) === 0 ? size : 1 / size;
  for (let row = from; row <= to; row++) scaleRow(work, row, factor);
  return `x${factor.toFixed(4)}`;
}

/** Replaces the first part of an instrument's history by another instrument's, on the same days. */
function plantReuse(
  clean: BarPanel,
  works: Work[],
  planted: readonly Planted[][],
  instrument: number,
  draw: Random,
): Planted | undefined {
  const settings = faultSettings.tickerReuse;
  if (planted[instrument]!.length > 0) return undefined;
  const own = copyOf(clean, clean.offset[instrument]!, clean.offset[instrument + 1]!);
  const room = Math.floor(settings.foreignShareMax * own.day.length) - settings.foreignMin;
  if (room <= 0) return undefined;
  const step = settings.foreignMin + draw.integer(room);
  const gap =
    draw.uniform() < settings.gapShare ? settings.gapMin + draw.integer(settings.gapMax - settings.gapMin) : 0;
  const donor = draw.integer(clean.offset.length - 1);
  if (donor === instrument) return undefined;
  const start = lowerBound(clean, donor, own.day[0]!);
  const end = lowerBound(clean, donor, own.day[step - gap] ?? own.day[0]!);
  if (step - gap <= 0 || end - start < faultSettings.historyMin) return undefined;
  // Donor and recipient must meet with no further silence than the gap drawn.
  if (clean.day[end - 1] !== own.day[step - gap - 1]) return undefined;
  const jump = Math.log(own.close[step]! / clean.close[end - 1]!);
  if (!(Math.abs(jump) >= settings.levelStepMin && Number.isFinite(jump))) return undefined;

  const foreign = copyOf(clean, start, end);
  const rest = copyOf(clean, clean.offset[instrument]! + step, clean.offset[instrument + 1]!);
  const { offset: _, ...bars } = concatenateBars([foreign, rest]);
  const source = new Int32Array(bars.day.length);
  source.set(foreign.source);
  source.set(rest.source, foreign.source.length);
  works[instrument] = { ...bars, source, dropped: new Uint8Array(bars.day.length), copies: new Map() };
  const at = end - start;
  const day = bars.day[at]!;
  const detail = `from instrument ${donor}, level x${Math.exp(jump).toFixed(2)}, ${gap} sessions silent`;
  return { kind: 'ticker-reuse', detail, from: at, to: at, firstDay: day, lastDay: day, rows: at };
}

function lowerBound(panel: BarPanel, instrument: number, day: number): number {
  let low = panel.offset[instrument]!;
  let high = panel.offset[instrument + 1]!;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (panel.day[middle]! < day) low = middle + 1;
    else high = middle;
  }
  return low;
}

function copyOf(panel: BarPanel, from: number, to: number): Work {
  const part = barsBetween(panel, from, to);
  return {
    day: part.day.slice(),
    open: part.open.slice(),
    high: part.high.slice(),
    low: part.low.slice(),
    close: part.close.slice(),
    volume: part.volume.slice(),
    source: Int32Array.from({ length: to - from }, (_, k) => from + k),
    dropped: new Uint8Array(to - from),
    copies: new Map(),
  };
}

function disturb(work: Work, draw: Random): void {
  const { noise } = faultSettings;
  for (let row = 0; row < work.day.length; row++) {
    if (draw.uniform() < noise.priceRowShare) {
      for (const name of ['open', 'high', 'low', 'close'] as const)
        work[name][row]! *= 1 + noise.priceRelativeSd * draw.normal();
    }
    if (draw.uniform() < noise.volumeRowShare)
      work.volume[row] = Math.round(work.volume[row]! * Math.exp(noise.volumeLogSd * draw.normal()));
  }
}

function assemble(works: readonly Work[], planted: readonly Planted[][]): FaultyPanel {
  const faults: Fault[] = [];
  const sources: number[] = [];
  const parts = works.map((work, instrument) => {
    const size = work.day.length;
    const moved = new Int32Array(size + 1);
    let rows = 0;
    for (let row = 0; row < size; row++) {
      moved[row] = rows;
      rows += work.dropped[row] === 1 ? 0 : work.copies.has(row) ? 2 : 1;
    }
    moved[size] = rows;
    for (const { from, to, ...fault } of planted[instrument]!) {
      const firstRow = moved[from]!;
      const lastRow = fault.kind === 'missing-bars' ? firstRow : moved[to + 1]! - 1;
      faults.push({ ...fault, instrument, firstRow, lastRow });
    }
    return expand(work, rows, sources);
  });
  faults.sort((a, b) => a.instrument - b.instrument || a.firstRow - b.firstRow);
  return { panel: concatenateBars(parts), faults, sourceRow: Int32Array.from(sources) };
}

/** Leaves out the dropped rows and writes each copy behind its original. */
function expand(work: Work, rows: number, sources: number[]): Bars {
  const bars: Bars = {
    day: new Int32Array(rows),
    open: new Float64Array(rows),
    high: new Float64Array(rows),
    low: new Float64Array(rows),
    close: new Float64Array(rows),
    volume: new Float64Array(rows),
  };
  let at = 0;
  const write = (bar: Copy, source: number): void => {
    bars.day[at] = bar.day;
    bars.open[at] = bar.open;
    bars.high[at] = bar.high;
    bars.low[at] = bar.low;
    bars.close[at] = bar.close;
    bars.volume[at] = bar.volume;
    sources.push(source);
    at += 1;
  };
  for (let row = 0; row < work.day.length; row++) {
    if (work.dropped[row] === 1) continue;
    const source = work.source[row]!;
    const { day, open, high, low, close, volume } = work;
    write(
      {
        day: day[row]!,
        open: open[row]!,
        high: high[row]!,
        low: low[row]!,
        close: close[row]!,
        volume: volume[row]!,
      },
      source,
    );
    const copy = work.copies.get(row);
    if (copy !== undefined) write(copy, source);
  }
  return bars;
}
