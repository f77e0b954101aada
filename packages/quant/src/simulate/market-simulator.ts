import { createRandom, type Random } from '../random/random.ts';
import type { Bars } from '../series/bars.ts';
import { dayNumber } from '../series/day.ts';
import { type CalendarCode, closeInstant, isTradingDay } from '../series/trading-calendar.ts';
import { companyName, renamedCompany, SECTORS } from './company-names.ts';
import { type CompanyPath, STORIES, simulateCompanyPath } from './company-path.ts';
import { type DataFault, type ObservedSeries, type PriceCorrection, publishWithFaults } from './data-faults.ts';
import { type MarketPath, simulateMarketPath } from './market-path.ts';
import { checkMarketSettings, type MarketSettings } from './market-settings.ts';

export type SimulatedInstrument = {
  /** The symbol at its first session; a rename is a listing event. */
  symbol: string;
  name: string;
  sector: string;
  currency: 'USD';
  calendar: CalendarCode;
};

/** `value` is new shares per old share for a split, cash per share for a dividend. `exDay` is a day number. */
export type SimulatedAction = {
  instrumentIndex: number;
  kind: 'split' | 'dividend';
  exDay: number;
  value: number;
  knownAt: number;
};

export type SimulatedMarketCap = { instrumentIndex: number; day: number; cap: number; knownAt: number };

export type SimulatedListingEvent = {
  instrumentIndex: number;
  kind: 'listed' | 'renamed' | 'delisted';
  /** First session (listed), first session under the new symbol (renamed), last session (delisted). */
  day: number;
  symbol: string;
  name: string;
  /** Cash per share paid on the session after the last one; null unless delisted. */
  finalPrice: number | null;
  reason: 'bankruptcy' | 'acquisition' | null;
  knownAt: number;
};

/** One company as it truly was. Arrays run over its own sessions. */
export type CompanyTruth = {
  bars: Bars;
  shares: Float64Array;
  /** Simple total return; NaN on the first session. */
  totalReturn: Float64Array;
  volatilityDaily: Float64Array;
  /** Planted score known at the close, or null. */
  signal: Float64Array | null;
};

export type MarketTruth = {
  /** 0 bull, 1 sideways, 2 bear; one entry a session. */
  regime: Uint8Array;
  /** Log return of the market factor. */
  marketReturn: Float64Array;
  marketVolatilityDaily: Float64Array;
  /** `instrumentIndex` is null for a jump of the whole market; `size` is a log return. */
  jumps: { day: number; instrumentIndex: number | null; size: number }[];
  companies: CompanyTruth[];
  faults: DataFault[];
  splits: { instrumentIndex: number; exDay: number; ratio: number; announcedDay: number }[];
  delistings: { instrumentIndex: number; lastDay: number; finalPrice: number; reason: 'bankruptcy' | 'acquisition' }[];
  /** Expected excess return a year of the companies with positive scores; null without a planted signal. */
  alphaAnnual: number | null;
};

export type SimulatedMarket = {
  settings: MarketSettings;
  seed: number;
  /** Sessions, day numbers. */
  day: Int32Array;
  instruments: SimulatedInstrument[];
  /** Rows as first published: raw prices, faults in. */
  observed: ObservedSeries[];
  /** Rows published again, right this time. */
  corrections: PriceCorrection[];
  corporateActions: SimulatedAction[];
  /** At the last session of each month. */
  marketCaps: SimulatedMarketCap[];
  listingEvents: SimulatedListingEvent[];
  /** Cap-weighted total return of all listed companies, from the truth; one level a day, so volume is NaN. */
  benchmark: { instrument: SimulatedInstrument; bars: Bars; knownAt: Float64Array };
  truth: MarketTruth;
};

const MS_PER_HOUR = 3_600_000;
const DAYS_PER_YEAR = 252;
const BENCHMARK_START = 1000;

/**
 * A whole invented market with planted truth: hidden regimes, a market factor with clustering, leverage and jumps, sectors,
 * companies with splits, dividends, listings and delistings, and on top what a vendor published of it, faults included.
 *
 * Pure: the same settings and seed give the same bytes. Company i is the same whatever `companyCount` is; only the benchmark
 * sees all companies. Every published row is known one hour after the close of its day. With 40 companies and 3,020 days
 * about 120,000 bars.
 *
 * @param seed Integer in 0..2^32-1.
 * @throws RangeError if the settings make no market.
 */
export function simulateMarket(settings: MarketSettings, seed: number): SimulatedMarket {
  checkMarketSettings(settings);
  const root = createRandom(seed).split('market-simulator');
  const day = sessionsFrom(settings);
  const publishedAt = Float64Array.from(day, (value) => closeInstant(settings.calendar, value) + MS_PER_HOUR);
  const market = simulateMarketPath(settings, root.split('market'));
  const sectors = SECTORS.map((sector) => simulateSector(settings, root.split('sector').split(sector)));
  const result: SimulatedMarket = {
    settings,
    seed,
    day,
    instruments: [],
    observed: [],
    corrections: [],
    corporateActions: [],
    marketCaps: [],
    listingEvents: [],
    benchmark: emptyBenchmark(settings, day, publishedAt),
    truth: {
      regime: market.regime,
      marketReturn: market.logReturn,
      marketVolatilityDaily: market.volatilityDaily,
      jumps: marketJumps(market, day),
      companies: [],
      faults: [],
      splits: [],
      delistings: [],
      alphaAnnual: settings.plantedSignal?.alphaAnnual ?? null,
    },
  };
  const monthEnds = findMonthEnds(day);
  const paths: CompanyPath[] = [];
  for (let index = 0; index < settings.companyCount; index++) {
    const random = root.split('company').split(index);
    const path = simulateCompanyPath(settings, day, market, sectors[index % SECTORS.length]!, index, random);
    paths.push(path);
    addCompany(result, index, path, publishedAt, monthEnds);
    const published = publishWithFaults(settings, index, path, publishedAt, random.split('faults'));
    result.observed.push(published.observed);
    result.truth.faults.push(...published.faults);
    result.corrections.push(...published.corrections);
  }
  result.corporateActions.sort((a, b) => a.exDay - b.exDay || a.instrumentIndex - b.instrumentIndex);
  result.marketCaps.sort((a, b) => a.day - b.day || a.instrumentIndex - b.instrumentIndex);
  result.listingEvents.sort((a, b) => a.day - b.day || a.instrumentIndex - b.instrumentIndex);
  fillBenchmark(result.benchmark.bars, paths);
  return result;
}

function sessionsFrom(settings: MarketSettings): Int32Array {
  const day = new Int32Array(settings.dayCount);
  let next = dayNumber(settings.first);
  for (let count = 0; count < settings.dayCount; next++) {
    if (isTradingDay(settings.calendar, next)) day[count++] = next;
  }
  return day;
}

function simulateSector(settings: MarketSettings, random: Random): Float64Array {
  const daily = settings.sectorVolatilityAnnual / Math.sqrt(DAYS_PER_YEAR);
  const path = new Float64Array(settings.dayCount);
  for (let t = 0; t < path.length; t++) path[t] = daily * random.normal();
  return path;
}

function marketJumps(market: MarketPath, day: Int32Array): MarketTruth['jumps'] {
  const jumps: MarketTruth['jumps'] = [];
  for (let t = 0; t < day.length; t++) {
    if (market.jump[t] !== 0) jumps.push({ day: day[t]!, instrumentIndex: null, size: market.jump[t]! });
  }
  return jumps;
}

/** Indexes of the last session of each month that has a later session in the span. */
function findMonthEnds(day: Int32Array): number[] {
  const month = (t: number) => new Date(day[t]! * 86_400_000).getUTCMonth();
  const ends: number[] = [];
  for (let t = 0; t + 1 < day.length; t++) if (month(t) !== month(t + 1)) ends.push(t);
  return ends;
}

function addCompany(
  result: SimulatedMarket,
  instrumentIndex: number,
  path: CompanyPath,
  publishedAt: Float64Array,
  monthEnds: readonly number[],
): void {
  const { day, truth, settings } = result;
  const { symbol, name, sector } = companyName(instrumentIndex);
  result.instruments.push({ symbol, name, sector, currency: 'USD', calendar: settings.calendar });
  const { bars, shares, totalReturn, volatilityDaily, signal } = path;
  truth.companies.push({ bars, shares, totalReturn, volatilityDaily, signal });
  for (const { index, size } of path.jumps) truth.jumps.push({ day: day[index]!, instrumentIndex, size });

  for (const { exIndex, announcedIndex, amount } of path.dividends) {
    const knownAt = publishedAt[announcedIndex]!;
    result.corporateActions.push({ instrumentIndex, kind: 'dividend', exDay: day[exIndex]!, value: amount, knownAt });
  }
  let lateSplitOpen = instrumentIndex === STORIES.forwardSplit.company;
  for (const { exIndex, announcedIndex, ratio } of path.splits) {
    const exDay = day[exIndex]!;
    const isLate = lateSplitOpen && ratio === STORIES.forwardSplit.ratio;
    const lateIndex = Math.min(day.length - 1, exIndex + settings.faults.lateSplitDays);
    const knownAt = publishedAt[isLate ? lateIndex : announcedIndex]!;
    result.corporateActions.push({ instrumentIndex, kind: 'split', exDay, value: ratio, knownAt });
    truth.splits.push({ instrumentIndex, exDay, ratio, announcedDay: day[announcedIndex]! });
    if (!isLate) continue;
    lateSplitOpen = false;
    truth.faults.push({
      kind: 'late-split',
      instrumentIndex,
      firstDay: exDay,
      lastDay: day[lateIndex]!,
      columns: [],
      relativeError: Number.NaN,
      correctedKnownAt: knownAt,
    });
  }

  const lastIndex = path.firstIndex + bars.day.length - 1;
  for (const end of monthEnds) {
    if (end < path.firstIndex || end > lastIndex) continue;
    const t = end - path.firstIndex;
    const cap = shares[t]! * bars.close[t]!;
    result.marketCaps.push({ instrumentIndex, day: day[end]!, cap, knownAt: publishedAt[end]! });
  }
  addListingEvents(result, instrumentIndex, path, publishedAt);
}

function addListingEvents(
  result: SimulatedMarket,
  instrumentIndex: number,
  path: CompanyPath,
  publishedAt: Float64Array,
): void {
  const { day, truth, listingEvents } = result;
  const { symbol, name } = result.instruments[instrumentIndex]!;
  const plain = { instrumentIndex, symbol, name, finalPrice: null, reason: null };
  // A listing and a rename are announced the evening before; the first session has no evening before.
  const eveBefore = (index: number) => (index === 0 ? publishedAt[0]! - DAY_MS : publishedAt[index - 1]!);
  listingEvents.push({ ...plain, kind: 'listed', day: day[path.firstIndex]!, knownAt: eveBefore(path.firstIndex) });
  if (path.renameIndex !== null) {
    const renamed = renamedCompany(instrumentIndex);
    const knownAt = eveBefore(path.renameIndex);
    listingEvents.push({ ...plain, ...renamed, kind: 'renamed', day: day[path.renameIndex]!, knownAt });
  }
  if (path.delisting === null) return;
  const { lastIndex, finalPrice, reason } = path.delisting;
  const knownAt = publishedAt[lastIndex]!;
  listingEvents.push({ ...plain, kind: 'delisted', day: day[lastIndex]!, finalPrice, reason, knownAt });
  truth.delistings.push({ instrumentIndex, lastDay: day[lastIndex]!, finalPrice, reason });
}

const DAY_MS = 86_400_000;

function emptyBenchmark(
  settings: MarketSettings,
  day: Int32Array,
  publishedAt: Float64Array,
): SimulatedMarket['benchmark'] {
  const count = day.length;
  return {
    instrument: {
      symbol: 'SIMTR',
      name: 'Simulated market, total return',
      sector: 'Index',
      currency: 'USD',
      calendar: settings.calendar,
    },
    bars: {
      day: day.slice(),
      open: new Float64Array(count),
      high: new Float64Array(count),
      low: new Float64Array(count),
      close: new Float64Array(count),
      volume: new Float64Array(count).fill(Number.NaN),
    },
    knownAt: publishedAt.slice(),
  };
}

/** Weights are caps at the close before; a delisted company pays its final price on the session after its last. */
function fillBenchmark(bars: Bars, paths: readonly CompanyPath[]): void {
  const count = bars.day.length;
  const before = new Float64Array(count);
  const after = new Float64Array(count);
  for (const path of paths) {
    const { firstIndex, shares, totalReturn, delisting } = path;
    const { close } = path.bars;
    for (let t = 1; t < close.length; t++) {
      const cap = shares[t - 1]! * close[t - 1]!;
      before[firstIndex + t]! += cap;
      after[firstIndex + t]! += cap * (1 + totalReturn[t]!);
    }
    const paidIndex = firstIndex + close.length;
    if (delisting !== null && paidIndex < count) {
      const held = shares[close.length - 1]!;
      before[paidIndex]! += held * close[close.length - 1]!;
      after[paidIndex]! += held * delisting.finalPrice;
    }
  }
  bars.close[0] = BENCHMARK_START;
  for (let t = 1; t < count; t++) {
    bars.close[t] = bars.close[t - 1]! * (before[t]! > 0 ? after[t]! / before[t]! : 1);
  }
  // One level a day: the four prices are equal, in four columns, so that each may be handed to a worker.
  for (const column of [bars.open, bars.high, bars.low]) column.set(bars.close);
}
