import type { Feed, Gap, RefreshSummary } from '@touchstone/contracts/feeds';

/** What each vendor is called, and what it gives, for people. */
export const VENDORS: Record<Feed['feed'], { name: string; gives: string }> = {
  twelvedata: { name: 'TwelveData', gives: 'Daily prices, splits and dividends. Needs a key of your own.' },
  stooq: { name: 'Daily CSV', gives: 'Daily prices in the shape of Stooq, from an address you name. No key.' },
  ecb: { name: 'European Central Bank', gives: 'Reference rates of the euro against about 30 currencies. No key.' },
  fred: { name: 'FRED', gives: 'Macro series as they stand today. No key.' },
  alfred: { name: 'ALFRED', gives: 'Macro series with every vintage: what was known, and when. No key.' },
};

const STATES: Record<Feed['state'], readonly [words: string, tone: 'plain' | 'accent' | 'warn' | 'bad']> = {
  ready: ['ready', 'accent'],
  no_key: ['needs a key', 'warn'],
  refused: ['key refused', 'bad'],
  waiting: ['waiting for credits', 'warn'],
  resting: ['resting', 'warn'],
};

export function feedState(state: Feed['state']) {
  return STATES[state];
}

const REFRESH_STATES: Record<
  RefreshSummary['state'],
  readonly [words: string, tone: 'plain' | 'accent' | 'warn' | 'bad']
> = {
  running: ['running', 'accent'],
  done: ['complete', 'plain'],
  degraded: ['degraded', 'warn'],
  failed: ['failed', 'bad'],
  cancelled: ['cancelled', 'warn'],
};

export function refreshState(state: RefreshSummary['state']) {
  return REFRESH_STATES[state];
}

const GAP_KINDS: Record<Gap['kind'], string> = {
  unknown: 'Unknown to the vendor',
  empty: 'Nothing for these days',
  refused: 'Key or plan refused',
  credits: 'Credits spent',
  unavailable: 'No good answer',
  lies: 'Answer cannot be true',
};

export function gapKindName(kind: Gap['kind']): string {
  return GAP_KINDS[kind];
}
