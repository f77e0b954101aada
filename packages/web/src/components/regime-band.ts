import type { RegimeState, Regimes } from '@touchstone/contracts/regimes';
import type { Band, BandLook } from './line-chart.tsx';

const LOOKS: Record<RegimeState, BandLook> = { bull: 'calm', sideways: 'plain', bear: 'bad' };
export const STATE_WORDS: Record<RegimeState, string> = { bull: 'Bull', sideways: 'Sideways', bear: 'Bear' };

/** Runs of days with the same state, counted from the first day drawn. */
export function bandsOf(states: Regimes['state']): Band[] {
  const bands: Band[] = [];
  let from = 0;
  for (let at = 1; at <= states.length; at += 1) {
    if (at < states.length && states[at] === states[from]) continue;
    const state = states[from];
    if (state) bands.push({ from, to: at - 1, name: STATE_WORDS[state], look: LOOKS[state] });
    from = at;
  }
  return bands;
}
