/** Weights that keep their bounds and sum to one, or the reason why there are none. */
export type BoundedWeights = { status: 'ok'; weights: Float64Array } | { status: 'infeasible'; reason: string };

const SUM_TOLERANCE = 1e-12;

/**
 * Weights proportional to scores, each within `low` and `high`, summing to one: w = min(max(λ·score, low), high).
 *
 * The λ that makes the sum one is found by fixing the side that misses by more and sharing the rest again; every round
 * fixes at least one weight for good, so it ends after `count` rounds. With positive scores the answer is unique.
 * Rounding is left where it falls: the sum is one within 1e-12. Time O(count²) at worst, usually three rounds.
 *
 * @param scores The first `count` entries are used; each > 0.
 */
export function boundedWeights(scores: Float64Array, count: number, low: number, high: number): BoundedWeights {
  const reason = reasonWithout(count, low, high);
  if (reason !== null) return { status: 'infeasible', reason };
  const weights = new Float64Array(count);
  const isFixed = new Uint8Array(count);
  let remaining = 1;
  for (let round = 0; round <= count; round++) {
    const excess = shareOut(scores, weights, isFixed, remaining, low, high);
    if (excess.over === 0 && excess.under === 0) break;
    remaining -= fixSide(weights, isFixed, excess.over >= excess.under, low, high);
  }
  return { status: 'ok', weights };
}

/** Why no weights can keep the bounds, or null when some can. */
function reasonWithout(count: number, low: number, high: number): string | null {
  const percent = (x: number): string => `${+(100 * x).toFixed(4)} %`;
  if (!(low <= high)) return `least weight ${percent(low)} is above the most, ${percent(high)}`;
  if (count * low > 1 + SUM_TOLERANCE) return `minimum weights sum to ${+(count * low).toFixed(6)}`;
  if (count * high < 1 - SUM_TOLERANCE)
    return `${count} names at most ${percent(high)} each reach only ${percent(count * high)}`;
  return null;
}

/** Shares `remaining` over the free weights by score and returns by how much they break their bounds. */
function shareOut(
  scores: Float64Array,
  weights: Float64Array,
  isFixed: Uint8Array,
  remaining: number,
  low: number,
  high: number,
): { over: number; under: number } {
  let freeScore = 0;
  for (let k = 0; k < weights.length; k++) if (!isFixed[k]) freeScore += scores[k]!;
  const lambda = remaining / freeScore;
  let over = 0;
  let under = 0;
  for (let k = 0; k < weights.length; k++) {
    if (isFixed[k]) continue;
    const w = lambda * scores[k]!;
    weights[k] = w;
    over += Math.max(w - high, 0);
    under += Math.max(low - w, 0);
  }
  return { over, under };
}

/** Fixes every free weight beyond one side at its bound and returns what they take. */
function fixSide(weights: Float64Array, isFixed: Uint8Array, isHigh: boolean, low: number, high: number): number {
  const bound = isHigh ? high : low;
  let taken = 0;
  for (let k = 0; k < weights.length; k++) {
    if (isFixed[k] || !(isHigh ? weights[k]! > high : weights[k]! < low)) continue;
    weights[k] = bound;
    isFixed[k] = 1;
    taken += bound;
  }
  return taken;
}
