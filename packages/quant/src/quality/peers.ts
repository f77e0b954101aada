import { type Displacement, GOOD, type Measures } from './bar-measures.ts';
import type { Peers } from './court-context.ts';
import type { CourtSettings } from './court-settings.ts';

const PEER_BINS = 80;

const PEER_BIN_WIDTH = 0.5;

/** The 95th percentile of each displacement and the median gap, by session, over the rows that passed so far. */
export function peersOf(measures: Measures, tradingDays: Int32Array, settings: CourtSettings): Peers {
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
