import { createRandom } from '@touchstone/quant/random/random';
import { type RegimeReading, readRegimes } from '@touchstone/quant/regime/read-regimes';

export type RegimeJob = { logReturn: Float64Array; seed: number };

/**
 * Fits and filters the whole series.
 *
 * @public Called by its name from another thread.
 */
export function runRegimes({ logReturn, seed }: RegimeJob): RegimeReading {
  return readRegimes(logReturn, createRandom(seed));
}
