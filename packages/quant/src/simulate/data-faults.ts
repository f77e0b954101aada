import type { Random } from '../random/random.ts';
import type { Bars } from '../series/bars.ts';
import { type CompanyPath, quote, STORIES } from './company-path.ts';
import type { MarketSettings } from './market-settings.ts';

export type FaultKind = 'bad-tick' | 'missing-bar' | 'stale-run' | 'late-correction' | 'late-split';

/** One planted fault. Days are day numbers, both ends included. */
export type DataFault = {
  kind: FaultKind;
  instrumentIndex: number;
  firstDay: number;
  lastDay: number;
  /** Columns that differ from the truth; empty where the row is missing or only knowledge is late. */
  columns: ('open' | 'high' | 'low' | 'close')[];
  /** Published over true value minus one of the close (the low for a dip that recovered); NaN for kinds without a size. */
  relativeError: number;
  /** When the correction, or the late split, became known; null if it never does. */
  correctedKnownAt: number | null;
};

export type PriceCorrection = {
  instrumentIndex: number;
  day: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  knownAt: number;
};

/** What a vendor delivered: rows as first published, faults in, raw prices. */
export type ObservedSeries = {
  bars: Bars;
  /** When each row was first published, in milliseconds since 1970-01-01T00:00Z. */
  knownAt: Float64Array;
};

/** Faults keep this many sessions apart, so that each can be told from the next. */
const APART = 12;
/** Sessions around a split, a dividend, a first or a last session that stay clean. */
const CLEAN_AROUND = 3;
const CLEAN_AT_START = 70;
const ATTEMPTS_MAX = 30;
const DAYS_PER_YEAR = 252;

/**
 * The published rows of one company and the faults in them.
 *
 * Bad ticks are three kinds in turn: the close with its extreme, a low that recovered, and all four prices a power of ten
 * off. Every published row keeps low ≤ open, close ≤ high, so that a fault cannot be found by looking at one row alone.
 *
 * @param publishedAt Publication instant of each session of the market.
 */
export function publishWithFaults(
  settings: MarketSettings,
  instrumentIndex: number,
  path: CompanyPath,
  publishedAt: Float64Array,
  random: Random,
): { observed: ObservedSeries; faults: DataFault[]; corrections: PriceCorrection[] } {
  const count = path.bars.day.length;
  const bars: Bars = {
    day: path.bars.day,
    open: path.bars.open.slice(),
    high: path.bars.high.slice(),
    low: path.bars.low.slice(),
    close: path.bars.close.slice(),
    volume: path.bars.volume.slice(),
  };
  const faults: DataFault[] = [];
  const corrections: PriceCorrection[] = [];
  const missing = new Set<number>();
  for (const place of placeFaults(settings, instrumentIndex, path, random)) {
    const t = place.at;
    const fault: DataFault = {
      kind: place.kind,
      instrumentIndex,
      firstDay: bars.day[t]!,
      lastDay: bars.day[t + place.length - 1]!,
      columns: [],
      relativeError: Number.NaN,
      correctedKnownAt: null,
    };
    if (place.kind === 'missing-bar') missing.add(t);
    else if (place.kind === 'stale-run') plantStaleRun(bars, t, place.length, fault);
    else if (place.kind === 'bad-tick') plantBadTick(settings, bars, path, t, fault, random);
    else {
      const size = settings.faults.lateCorrectionVolatilities * (1 + 0.5 * random.uniform());
      const sign = random.uniform() < 0.5 ? -1 : 1;
      moveClose(bars, t, Math.exp(sign * size * path.volatilityDaily[t]!), fault);
      const delay = 1 + random.integer(settings.faults.lateCorrectionDaysMax);
      fault.correctedKnownAt = publishedAt[path.firstIndex + t + delay]!;
      corrections.push(correctionOf(path, instrumentIndex, t, fault.correctedKnownAt));
    }
    faults.push(fault);
  }
  const kept = Array.from({ length: count }, (_, t) => t).filter((t) => !missing.has(t));
  const pick = (column: Float64Array) => (missing.size === 0 ? column : Float64Array.from(kept, (t) => column[t]!));
  return {
    faults: faults.sort((a, b) => a.firstDay - b.firstDay),
    corrections: corrections.sort((a, b) => a.day - b.day),
    observed: {
      bars: {
        day: Int32Array.from(kept, (t) => bars.day[t]!),
        open: pick(bars.open),
        high: pick(bars.high),
        low: pick(bars.low),
        close: pick(bars.close),
        volume: pick(bars.volume),
      },
      knownAt: Float64Array.from(kept, (t) => publishedAt[path.firstIndex + t]!),
    },
  };
}

type Place = { kind: FaultKind; at: number; length: number };

function placeFaults(settings: MarketSettings, instrumentIndex: number, path: CompanyPath, random: Random): Place[] {
  const count = path.bars.day.length;
  const blocked = new Uint8Array(count);
  const block = (from: number, to: number) => blocked.fill(1, Math.max(0, from), Math.max(0, Math.min(count, to + 1)));
  block(0, CLEAN_AT_START - 1);
  block(count - settings.faults.lateCorrectionDaysMax - CLEAN_AROUND, count);
  for (const { exIndex } of [...path.splits, ...path.dividends]) {
    block(exIndex - path.firstIndex - CLEAN_AROUND, exIndex - path.firstIndex + CLEAN_AROUND);
  }
  // The days around a jump stay clean too: a true move of that size and a bad tick would be one event.
  for (const { index } of path.jumps) block(index - path.firstIndex - 1, index - path.firstIndex + 1);
  const places: Place[] = [];
  const tryPlace = (kind: FaultKind, at: number, length: number): boolean => {
    for (let t = at; t < at + length; t++) if (t < 0 || t >= count || blocked[t] === 1) return false;
    places.push({ kind, at, length });
    block(at - APART, at + length - 1 + APART);
    return true;
  };
  const { faults } = settings;
  const staleLength = () => faults.staleRunDaysMin + random.integer(4);
  const story = plantedFaultOf(instrumentIndex, settings.dayCount);
  if (story !== null) {
    const length = story.kind === 'stale-run' ? staleLength() : 1;
    for (let at = story.at - path.firstIndex; at < count; at++) if (tryPlace(story.kind, at, length)) break;
  }
  // Company 0 stays clean all along, as a reference.
  if (instrumentIndex === 0) return places;
  const plans: [FaultKind, number][] = [
    ['stale-run', faults.staleRunRateAnnual],
    ['bad-tick', faults.badTickRateAnnual],
    ['late-correction', faults.lateCorrectionRateAnnual],
    ['missing-bar', faults.missingBarRateAnnual],
  ];
  for (const [kind, rate] of plans) {
    const child = random.split(kind);
    const expected = (rate * count) / DAYS_PER_YEAR;
    for (let clock = child.exponential(); clock < expected; clock += child.exponential()) {
      const length = kind === 'stale-run' ? staleLength() : 1;
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) if (tryPlace(kind, child.integer(count), length)) break;
    }
  }
  return places;
}

function plantedFaultOf(instrumentIndex: number, dayCount: number): { kind: FaultKind; at: number } | null {
  const stories = [
    ['bad-tick', STORIES.badTick],
    ['late-correction', STORIES.lateCorrection],
    ['stale-run', STORIES.staleRun],
    ['missing-bar', STORIES.missingBar],
  ] as const;
  const found = stories.find(([, story]) => story.company === instrumentIndex);
  return found === undefined ? null : { kind: found[0], at: Math.round(found[1].at * (dayCount - 1)) };
}

function plantStaleRun(bars: Bars, at: number, length: number, fault: DataFault): void {
  const stale = bars.close[at - 1]!;
  for (let t = at; t < at + length; t++) {
    bars.open[t] = stale;
    bars.high[t] = stale;
    bars.low[t] = stale;
    bars.close[t] = stale;
  }
  fault.columns = ['open', 'high', 'low', 'close'];
}

function plantBadTick(
  settings: MarketSettings,
  bars: Bars,
  path: CompanyPath,
  t: number,
  fault: DataFault,
  random: Random,
): void {
  const size = settings.faults.badTickVolatilities * (1 + random.uniform()) * path.volatilityDaily[t]!;
  const kind = random.integer(3);
  const up = random.uniform() < 0.5;
  if (kind === 0) moveClose(bars, t, Math.exp(up ? size : -size), fault);
  else if (kind === 1) {
    const before = bars.low[t]!;
    bars.low[t] = quote(before * Math.exp(-size));
    fault.columns = ['low'];
    fault.relativeError = bars.low[t]! / before - 1;
  } else {
    const factor = up ? 10 : 0.1;
    const before = bars.close[t]!;
    for (const column of ['open', 'high', 'low', 'close'] as const) bars[column][t] = quote(bars[column][t]! * factor);
    fault.columns = ['open', 'high', 'low', 'close'];
    fault.relativeError = bars.close[t]! / before - 1;
  }
}

/** Moves the close by a factor and takes the high or the low along where it must follow. */
function moveClose(bars: Bars, t: number, factor: number, fault: DataFault): void {
  const before = bars.close[t]!;
  let close = quote(before * factor);
  // A tiny price may round back to itself; a fault must be visible.
  if (close === before) close = quote(before * 2);
  bars.close[t] = close;
  fault.columns = ['close'];
  fault.relativeError = close / before - 1;
  if (close > bars.high[t]!) {
    bars.high[t] = close;
    fault.columns.push('high');
  }
  if (close < bars.low[t]!) {
    bars.low[t] = close;
    fault.columns.push('low');
  }
}

function correctionOf(path: CompanyPath, instrumentIndex: number, t: number, knownAt: number): PriceCorrection {
  const { day, open, high, low, close, volume } = path.bars;
  return {
    instrumentIndex,
    day: day[t]!,
    open: open[t]!,
    high: high[t]!,
    low: low[t]!,
    close: close[t]!,
    volume: volume[t]!,
    knownAt,
  };
}
