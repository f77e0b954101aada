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
 * A refit with its states in the order of the fit before: each state keeps the name of the one it resembles most.
 *
 * A refit moves every state a little; named anew each time, two states that are close would swap names and the band would
 * show a switch that no market made. Likeness is the Bhattacharyya distance of the two normals, the pairing the cheapest in sum.
 *
 * @see Bhattacharyya (1943) for the distance; `assignStates` for the pairing
 */
export function matchStates(model: HmmModel, before: HmmModel): HmmModel {
  const K = model.stateCount;
  const cost = Float64Array.from({ length: K * K }, (_, at) => {
    const [old, fresh] = [Math.floor(at / K), at % K];
    const [a, b] = [before.sd[old]! ** 2, model.sd[fresh]! ** 2];
    const shift = (before.mean[old]! - model.mean[fresh]!) ** 2;
    return 0.25 * (shift / (a + b)) + 0.5 * Math.log((a + b) / (2 * Math.sqrt(a * b)));
  });
  return reorderStates(model, Array.from(assignStates(cost, K)));
}
