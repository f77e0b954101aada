import type { DataCase } from '@touchstone/contracts/data';

/** What each finding of the quality court is called on screen; unknown kinds keep their own words. */
const KIND_NAMES: Record<string, string> = {
  bad_tick: 'Bad tick',
  duplicate: 'Duplicate row',
  stale: 'Stale price',
  missing: 'Missing days',
  thin: 'Thin day',
  ohlc: 'Impossible bar',
};

export function caseKindName(kind: string): string {
  const known = KIND_NAMES[kind];
  if (known) return known;
  const text = kind.replace(/[_-]+/g, ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function caseStateTone(state: DataCase['state']): 'warn' | 'bad' | 'plain' {
  if (state === 'open') return 'warn';
  return state === 'confirmed' ? 'bad' : 'plain';
}

export function caseStateName(state: DataCase['state']): string {
  return state === 'false' ? 'false alarm' : state;
}
