import type { Random } from '../random/random.ts';
import type { Bars } from '../series/bars.ts';
import type { MarketPath } from './market-path.ts';
import type { MarketSettings, PlantedSignal } from './market-settings.ts';

/** New shares per old share on an ex-day: 4 is a 4-for-1 split, 0.125 a reverse 1-for-8. Indexes count sessions. */
export type PlannedSplit = { exIndex: number; announcedIndex: number; ratio: number };
/** Cash per share held before the ex-day, in shares of the ex-day. */
export type PlannedDividend = { exIndex: number; announcedIndex: number; amount: number };
/** The last session and the cash per share paid on the next one. */
export type PlannedDelisting = { lastIndex: number; reason: 'bankruptcy' | 'acquisition'; finalPrice: number };

/** The truth about one company, before anybody publishes anything. Arrays run over its own sessions only. */
export type CompanyPath = {
  /** First session, an index into the market's sessions. */
  firstIndex: number;
  /** As quoted: not adjusted, in cents from 1 up and in hundredths of a cent below. */
  bars: Bars;
  /** Shares outstanding at the close. */
  shares: Float64Array;
  /** Simple total return of the day from quoted closes: splits, dividends in. NaN on the first day. */
  totalReturn: Float64Array;
  /** Standard deviation of the day's log return as known the evening before. */
  volatilityDaily: Float64Array;
  /** Company jumps: session index and size as a log return. */
  jumps: { index: number; size: number }[];
  splits: PlannedSplit[];
  dividends: PlannedDividend[];
  delisting: PlannedDelisting | null;
  renameIndex: number | null;
  /** Planted score known at the close, one a session of the company; null without a planted signal. */
  signal: Float64Array | null;
};

/**
 * What surely happens to the first twelve companies, so that every market shows every event. Positions are shares of the
 * span. Company 0 lives without events, as a reference.
 */
export const STORIES = {
  forwardSplit: { company: 1, at: 0.55, ratio: 4 },
  rename: { company: 2, at: 0.65 },
  badTick: { company: 3, at: 0.7 },
  reverseSplit: { company: 4, at: 0.45, ratio: 0.125 },
  bankruptcy: { company: 5, at: 0.75 },
  firstListing: { company: 6, at: 0.3 },
  acquisition: { company: 7, at: 0.6 },
  lateCorrection: { company: 8, at: 0.85 },
  secondListing: { company: 9, at: 0.55 },
  staleRun: { company: 10, at: 0.5 },
  missingBar: { company: 11, at: 0.4 },
} as const;
export const STORY_COMPANIES = 12;

const DAYS_PER_YEAR = 252;
/** A company's calendar of cash and shares repeats every quarter. */
const CYCLE_DAYS = 63;
const DIVIDEND_EX_OFFSET = 15;
const SPLIT_ANNOUNCED_OFFSET = 20;
const SPLIT_EX_OFFSET = 30;
const BANKRUPTCY_SLIDE_DAYS = 120;
const OFFER_DAYS = 40;
/** Overnight part of a day's variance. */
const OVERNIGHT_SHARE = 0.2;
const SPLIT_ABOVE_PRICE = 160;
const REVERSE_BELOW_PRICE = 3;
/** Expected score of a company with a positive score: sqrt(2 / pi). */
const POSITIVE_HALF_MEAN = Math.sqrt(2 / Math.PI);

/**
 * One company's life. It depends on the market path, its sector path and its own generator only, so that a company is the
 * same whatever other companies there are.
 */
export function simulateCompanyPath(
  settings: MarketSettings,
  day: Int32Array,
  market: MarketPath,
  sectorReturn: Float64Array,
  index: number,
  random: Random,
): CompanyPath {
  const life = planLife(settings, index, random.split('life'));
  const traits = drawTraits(settings, index, random.split('traits'));
  const path = emptyPath(settings, day, life, index, random);
  const company: Company = {
    settings,
    market,
    sectorReturn,
    index,
    life,
    traits,
    path,
    dailySector: settings.sectorVolatilityAnnual / Math.sqrt(DAYS_PER_YEAR),
    dailyOwn: traits.volatilityAnnual / Math.sqrt(DAYS_PER_YEAR),
    storySplit: storySplitOf(index, settings.dayCount),
    shocks: random.split('shocks'),
    jumping: random.split('jumps'),
    ranges: random.split('ranges'),
    actions: random.split('actions'),
  };
  let price = traits.firstPrice;
  let shares = traits.shares;
  for (let t = 0; t < path.shares.length; t++) {
    const at = life.firstIndex + t;
    const volatility = dayVolatility(company, at);
    const logReturn = dayLogReturn(company, t, at);
    // At most one of each is announced and not yet due, so the last one announced is the only candidate.
    const split = path.splits.at(-1);
    const dividend = path.dividends.at(-1);
    const ratio = split?.exIndex === at ? split.ratio : 1;
    const cash = dividend?.exIndex === at ? dividend.amount : 0;
    const before = price / ratio;
    price = Math.max(0.01, before * Math.exp(logReturn) - cash);
    shares = Math.round(shares * ratio);
    path.shares[t] = shares;
    path.volatilityDaily[t] = volatility;
    writeBar(company, t, { before, cash, price, shares, logReturn, volatility });
    path.totalReturn[t] = t === 0 ? Number.NaN : (ratio * (path.bars.close[t]! + cash)) / path.bars.close[t - 1]! - 1;
    announce(company, t, at);
  }
  if (life.reason !== null) {
    const last = path.bars.close[path.shares.length - 1]!;
    const finalPrice = quote(life.reason === 'bankruptcy' ? last * 0.1 : last * 1.01);
    path.delisting = { lastIndex: life.lastIndex, reason: life.reason, finalPrice };
  }
  return path;
}

type Life = { firstIndex: number; lastIndex: number; reason: 'bankruptcy' | 'acquisition' | null };

type Company = {
  settings: MarketSettings;
  market: MarketPath;
  sectorReturn: Float64Array;
  index: number;
  life: Life;
  traits: ReturnType<typeof drawTraits>;
  path: CompanyPath;
  dailySector: number;
  dailyOwn: number;
  /** The split a story still owes; null when there is none, or it is announced. */
  storySplit: { fromIndex: number; ratio: number } | null;
  shocks: Random;
  jumping: Random;
  ranges: Random;
  actions: Random;
};

function emptyPath(settings: MarketSettings, day: Int32Array, life: Life, index: number, random: Random): CompanyPath {
  const count = life.lastIndex - life.firstIndex + 1;
  const { company, at } = STORIES.rename;
  return {
    firstIndex: life.firstIndex,
    bars: {
      day: day.slice(life.firstIndex, life.lastIndex + 1),
      open: new Float64Array(count),
      high: new Float64Array(count),
      low: new Float64Array(count),
      close: new Float64Array(count),
      volume: new Float64Array(count),
    },
    shares: new Float64Array(count),
    totalReturn: new Float64Array(count),
    volatilityDaily: new Float64Array(count),
    jumps: [],
    splits: [],
    dividends: [],
    delisting: null,
    renameIndex: index === company ? Math.round(at * (settings.dayCount - 1)) : null,
    signal: settings.plantedSignal === null ? null : drawSignal(settings.plantedSignal, count, random.split('signal')),
  };
}

/** After an offer the price hardly moves: it waits for the cash. */
function isInOffer({ life }: Company, at: number): boolean {
  return life.reason === 'acquisition' && at > life.lastIndex - OFFER_DAYS;
}

/** A quarter of the company's own variance follows the market's clustering: turmoil is common, not total. */
function ownVolatilityOf({ dailyOwn, market }: Company, at: number): number {
  return dailyOwn * Math.sqrt(0.75 + 0.25 * market.relativeVariance[at]!);
}

function dayVolatility(company: Company, at: number): number {
  if (isInOffer(company, at)) return QUIET_SHARE * company.dailyOwn;
  const factor = company.traits.beta * company.market.volatilityDaily[at]!;
  return Math.sqrt(factor ** 2 + company.dailySector ** 2 + ownVolatilityOf(company, at) ** 2);
}

function dayLogReturn(company: Company, t: number, at: number): number {
  const { settings, traits, life, path, dailyOwn, dailySector } = company;
  const nu = settings.companyDegreesOfFreedom;
  const shock = company.shocks.studentT(nu) * Math.sqrt((nu - 2) / nu);
  // Drawn on every day, wanted or not, so that what happens on one day moves no other day.
  const jumps = company.jumping.uniform() < settings.companyJumpRateAnnual / DAYS_PER_YEAR;
  const jump = (4 + 2 * company.jumping.exponential()) * dailyOwn * (company.jumping.uniform() < 0.5 ? -1 : 1);
  if (isInOffer(company, at)) return QUIET_SHARE * dailyOwn * shock;
  let logReturn =
    traits.dividendYield / DAYS_PER_YEAR -
    (dailySector ** 2 + dailyOwn ** 2) / 2 +
    traits.beta * company.market.logReturn[at]! +
    company.sectorReturn[at]! +
    ownVolatilityOf(company, at) * shock;
  if (settings.plantedSignal !== null && path.signal !== null && t > 0) {
    logReturn += (settings.plantedSignal.alphaAnnual / DAYS_PER_YEAR / POSITIVE_HALF_MEAN) * path.signal[t - 1]!;
  }
  if (jumps) {
    logReturn += jump;
    path.jumps.push({ index: at, size: jump });
  }
  if (life.reason === 'acquisition' && at === life.lastIndex - OFFER_DAYS) {
    logReturn += OFFER_PREMIUM;
    path.jumps.push({ index: at, size: OFFER_PREMIUM });
  }
  if (life.reason === 'bankruptcy' && at > life.lastIndex - BANKRUPTCY_SLIDE_DAYS) logReturn -= BANKRUPTCY_SLIDE_DAILY;
  return logReturn;
}

type DayMove = {
  /** Price before the day's move, in shares of today. */
  before: number;
  cash: number;
  price: number;
  shares: number;
  logReturn: number;
  volatility: number;
};

function writeBar({ path, traits, ranges }: Company, t: number, move: DayMove): void {
  const { before, cash, price, shares, logReturn, volatility } = move;
  // Given the day's return, the opening move of a random walk with a fifth of its variance overnight.
  const opening =
    OVERNIGHT_SHARE * logReturn + volatility * Math.sqrt(OVERNIGHT_SHARE * (1 - OVERNIGHT_SHARE)) * ranges.normal();
  const open = Math.max(0.01, before * Math.exp(opening) - cash);
  const intraday = Math.log(price / open);
  const spread = -2 * volatility * volatility * (1 - OVERNIGHT_SHARE);
  // Exact law of the highest (lowest) point of a Brownian bridge from open to close.
  const up = (intraday + Math.sqrt(intraday * intraday + spread * Math.log(1 - ranges.uniform()))) / 2;
  const down = (intraday - Math.sqrt(intraday * intraday + spread * Math.log(1 - ranges.uniform()))) / 2;
  path.bars.open[t] = quote(open);
  path.bars.high[t] = quote(open * Math.exp(up));
  path.bars.low[t] = quote(open * Math.exp(down));
  path.bars.close[t] = quote(price);
  const excitement = Math.min(6, Math.abs(logReturn) / volatility);
  const turnover =
    (traits.turnoverAnnual / DAYS_PER_YEAR) * Math.exp(0.35 * ranges.normal() + 0.25 * excitement - 0.25);
  path.bars.volume[t] = Math.round(shares * turnover);
}

/** Announcements come after the close of session `at` and look at nothing later. */
function announce(company: Company, t: number, at: number): void {
  const { index, life, path, traits, actions, storySplit } = company;
  const phase = (t + traits.phase) % CYCLE_DAYS;
  if (t === 0 || (phase !== 0 && phase !== SPLIT_ANNOUNCED_OFFSET)) return;
  // Nothing is announced that a company would not live to see, nor in the slide or the offer before its end.
  const lastIndex = life.reason === null ? life.lastIndex : life.lastIndex - BANKRUPTCY_SLIDE_DAYS;
  if (at + SPLIT_EX_OFFSET >= lastIndex || index === 0) return;
  const quoted = path.bars.close[t]!;
  if (phase === 0) {
    const amount = Math.round(((quoted * traits.dividendYield) / 4) * 100) / 100;
    if (amount > 0 && quoted > 5) {
      path.dividends.push({ exIndex: at + DIVIDEND_EX_OFFSET, announcedIndex: at, amount });
    }
    return;
  }
  const choice = actions.uniform();
  let ratio = ordinarySplitRatio(quoted, choice);
  if (storySplit !== null) {
    // A company with a story keeps its one split for it.
    ratio = at >= storySplit.fromIndex ? storySplit.ratio : 1;
    if (ratio !== 1) company.storySplit = null;
  }
  if (ratio === 1) return;
  path.splits.push({ exIndex: at + SPLIT_EX_OFFSET - SPLIT_ANNOUNCED_OFFSET, announcedIndex: at, ratio });
}

/** Part of its own volatility a company keeps while an offer stands. */
const QUIET_SHARE = 0.1;
const OFFER_PREMIUM = 0.25;
const BANKRUPTCY_SLIDE_DAILY = 0.02;

/** Cents from one upwards, hundredths of a cent below, never zero. */
export function quote(price: number): number {
  return price >= 1 ? Math.round(price * 100) / 100 : Math.max(0.0001, Math.round(price * 10_000) / 10_000);
}

function drawTraits(settings: MarketSettings, index: number, random: Random) {
  const between = (min: number, max: number) => min + (max - min) * random.uniform();
  // A company that will join its shares must be cheap before, one that will divide them dear.
  const scale = index === STORIES.reverseSplit.company ? 0.15 : index === STORIES.forwardSplit.company ? 2 : 1;
  const firstPrice = between(20, 90) * scale;
  // Median 10 billion; the largest of forty is around ten times that.
  const cap = 1e10 * Math.exp(1.1 * random.normal());
  return {
    beta: between(settings.betaMin, settings.betaMax),
    volatilityAnnual: between(settings.companyVolatilityAnnualMin, settings.companyVolatilityAnnualMax),
    dividendYield: random.uniform() < 0.6 ? between(0.01, 0.04) : 0,
    turnoverAnnual: between(0.6, 2),
    phase: random.integer(CYCLE_DAYS),
    firstPrice,
    // Whole thousands, so that the splits that occur leave whole shares.
    shares: Math.max(1, Math.round(cap / firstPrice / 1000)) * 1000,
  };
}

function planLife(settings: MarketSettings, index: number, random: Random): Life {
  const last = settings.dayCount - 1;
  const at = (share: number) => Math.round(share * last);
  const whole = { firstIndex: 0, lastIndex: last, reason: null };
  if (index === STORIES.bankruptcy.company) {
    return { ...whole, lastIndex: at(STORIES.bankruptcy.at), reason: 'bankruptcy' };
  }
  if (index === STORIES.acquisition.company) {
    return { ...whole, lastIndex: at(STORIES.acquisition.at), reason: 'acquisition' };
  }
  if (index === STORIES.firstListing.company) return { ...whole, firstIndex: at(STORIES.firstListing.at) };
  if (index === STORIES.secondListing.company) return { ...whole, firstIndex: at(STORIES.secondListing.at) };
  if (index < STORY_COMPANIES) return whole;
  const firstIndex = random.uniform() < settings.lateListingShare ? at(0.1 + 0.7 * random.uniform()) : 0;
  const years = random.exponential() / Math.max(1e-9, settings.delistingRateAnnual);
  const lastIndex = firstIndex + Math.round(BANKRUPTCY_SLIDE_DAYS + 20 + years * DAYS_PER_YEAR);
  const reason = random.uniform() < 0.3 ? 'bankruptcy' : 'acquisition';
  return lastIndex < last ? { firstIndex, lastIndex, reason } : { ...whole, firstIndex };
}

function storySplitOf(index: number, dayCount: number): { fromIndex: number; ratio: number } | null {
  const { forwardSplit, reverseSplit } = STORIES;
  const story = index === forwardSplit.company ? forwardSplit : index === reverseSplit.company ? reverseSplit : null;
  // A story's split waits for its place in the quarter, at most one quarter after the stated share of the span.
  return story === null ? null : { fromIndex: Math.round(story.at * (dayCount - 1)), ratio: story.ratio };
}

function ordinarySplitRatio(price: number, choice: number): number {
  if (price > SPLIT_ABOVE_PRICE) return choice < 0.6 ? 2 : choice < 0.85 ? 3 : 1.5;
  return price < REVERSE_BELOW_PRICE ? 0.1 : 1;
}

function drawSignal(planted: PlantedSignal, count: number, random: Random): Float64Array {
  const signal = new Float64Array(count);
  const keep = 0.5 ** (1 / planted.halfLifeDays);
  const renew = Math.sqrt(1 - keep * keep);
  let score = random.normal();
  for (let t = 0; t < count; t++) {
    signal[t] = score;
    score = keep * score + renew * random.normal();
  }
  return signal;
}
