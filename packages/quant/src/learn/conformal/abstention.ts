import { expect } from '../../checks/expect.ts';
import { sortedQuantile } from '../../stats/quantile.ts';

export type AbstentionSettings = {
  /** Past values the threshold is taken from. */
  window: number;
  /** Share of them below the threshold: about the share of rows abstained from. 0..1 exclusive. */
  share: number;
  /** Fewest past values for a threshold; before, nothing is told. */
  valuesMin: number;
};

export const ABSTENTION: AbstentionSettings = { window: 750, share: 0.25, valuesMin: 750 };

/** Plain data: JSON writes and reads it without loss. */
export type AbstentionState = { sizes: number[] };

export type AbstentionStep = {
  /** Whether the value is sure enough to be told; null before there is a threshold, and for a missing value. */
  acts: boolean | null;
  /** Quantile of the sizes before this one; null with too few. */
  threshold: number | null;
};

/**
 * Tells when to keep silent: a value acts when its size exceeds the quantile of the sizes of the `window` values before it,
 * itself not among them. A missing value (NaN) changes nothing.
 *
 * @param state Of a former run, to go on with.
 * @throws RangeError on settings out of their range.
 */
export function createAbstention(settings: AbstentionSettings = ABSTENTION, state: AbstentionState = { sizes: [] }) {
  const { window, share, valuesMin } = settings;
  expect(share > 0 && share < 1, `share must be between 0 and 1, was ${share}`);
  expect(
    Number.isInteger(window) && Number.isInteger(valuesMin) && valuesMin >= 1 && window >= valuesMin,
    `window must be whole and at least valuesMin, were ${window} and ${valuesMin}`,
  );
  const sizes = state.sizes.slice(-window);
  return {
    /** @param value The margin: its sign decides, its size is how sure it is. */
    step(value: number): AbstentionStep {
      const threshold = sizes.length < valuesMin ? null : sortedQuantile(Float64Array.from(sizes).sort(), share);
      if (!Number.isFinite(value)) return { acts: null, threshold };
      sizes.push(Math.abs(value));
      if (sizes.length > window) sizes.shift();
      return { acts: threshold === null ? null : Math.abs(value) > threshold, threshold };
    },
    state: (): AbstentionState => ({ sizes: sizes.slice() }),
  };
}

/** `createAbstention` over a whole history: 1 acts, 0 abstains, NaN where neither is told. */
export function abstentionOver(values: Float64Array, settings: AbstentionSettings = ABSTENTION): Float64Array {
  const abstention = createAbstention(settings);
  return values.map((value) => {
    const { acts } = abstention.step(value);
    return acts === null ? Number.NaN : Number(acts);
  });
}
