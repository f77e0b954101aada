import { type DetectorReading, detectAnomalies } from '@touchstone/quant/anomaly/detect-anomalies';
import { createRandom } from '@touchstone/quant/random/random';
import type { Bars } from '@touchstone/quant/series/bars';

export type AnomalyJob = { bars: Bars; unpaidDays: Int32Array; partnerReturn: Float64Array | null; seed: number };

/**
 * Runs every detector over the whole series.
 *
 * @public Called by its name from another thread.
 */
export function runAnomalies({ bars, unpaidDays, partnerReturn, seed }: AnomalyJob): DetectorReading[] {
  return detectAnomalies(bars, unpaidDays, partnerReturn, createRandom(seed));
}
