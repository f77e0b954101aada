import { assignStates } from './assign-states.ts';
import { type HmmModel, reorderStates } from './gaussian-hmm.ts';

/** Names in the order of the states of a named model. */
export const STATE_NAMES = ['bull', 'sideways', 'bear'] as const;

/** Below this ratio of the wildest to the calmest state volatility tells nothing, and the mean names. */
export const VOLATILITY_RATIO_MIN = 1.15;

/**
 * A fit with its states in the order bull, sideways, bear: calmest first, or, when all are equally wild, best mean first.
 *
 * Only what was fitted on the training window names a state; nothing is matched to what came true.
 */
export function nameStates(model: HmmModel): HmmModel {
  const { sd, mean } = model;
  const byVolatility = Array.from(sd.keys()).sort((a, b) => sd[a]! - sd[b]!);
  const ratio = sd[byVolatility.at(-1)!]! / sd[byVolatility[0]!]!;
  if (ratio >= VOLATILITY_RATIO_MIN) return reorderStates(model, byVolatility);
  return reorderStates(
    model,
    byVolatility.sort((a, b) => mean[b]! - mean[a]!),
  );
}

/**
 * A refit with the names of the fit before: each state keeps the name of the one it resembles most.
 *
 * A refit moves every state a little; named anew each time, two states that are close would swap names and the band would
 * show a switch that no market made. Likeness is the Bhattacharyya distance of the two normals, the pairing the cheapest in sum.
 *
 * Names are not carried against their meaning: when that would call a state calmer than one that is clearly less wild, by
 * `VOLATILITY_RATIO_MIN`, the refit is named on its own. It happens when a window shows a kind of market for the first time.
 *
 * @returns the model, and whether its names are its own though another pairing was cheaper.
 * @see Bhattacharyya (1943) for the distance; `assignStates` for the pairing
 */
export function matchStates(model: HmmModel, before: HmmModel): { model: HmmModel; isRenamed: boolean } {
  const named = nameStates(model);
  const K = named.stateCount;
  const cost = Float64Array.from({ length: K * K }, (_, at) => {
    const [old, fresh] = [Math.floor(at / K), at % K];
    const [a, b] = [before.sd[old]! ** 2, named.sd[fresh]! ** 2];
    const shift = (before.mean[old]! - named.mean[fresh]!) ** 2;
    return 0.25 * (shift / (a + b)) + 0.5 * Math.log((a + b) / (2 * Math.sqrt(a * b)));
  });
  const carried = reorderStates(named, Array.from(assignStates(cost, K)));
  const isTurned = carried.sd.some((sd, k) =>
    carried.sd.subarray(k + 1).some((wilder) => sd > VOLATILITY_RATIO_MIN * wilder),
  );
  return isTurned ? { model: named, isRenamed: true } : { model: carried, isRenamed: false };
}
