import { type BarRows, makeSyntheticBars, type SyntheticSettings } from '@touchstone/quant/simulate/synthetic-bars';

/**
 * Makes synthetic bars beside the event loop.
 *
 * @public Called by its name from another thread.
 */
export function makeSynthetic({ real, settings }: { real: BarRows; settings: SyntheticSettings }) {
  return makeSyntheticBars(real, settings);
}
