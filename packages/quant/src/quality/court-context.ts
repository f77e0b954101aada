import type { Bars } from '../series/bars.ts';
import type { Displacement } from './bar-measures.ts';

export type PriceBasis = 'raw' | 'split_adjusted' | 'total_return';

/** A split somebody announced: new shares for one old share, effective at the open of `day`. */
export type KnownSplit = { day: number; ratio: number };

/**
 * What the rest of the batch did each day, aligned to `tradingDays`; NaN where unknown. The displacement columns hold
 * the 95th percentile over the batch, in robust standard deviations.
 */
export type Peers = Record<'gap' | Displacement, Float64Array>;

export type CourtContext = {
  /** Sessions that cover the bars, ascending. A bar on another day is off the calendar. */
  tradingDays: Int32Array;
  /** Accepted earlier bars of the same instrument. They give context and are not judged again. */
  priorBars?: Bars;
  /** Median log return of the batch each session, aligned to `tradingDays`, NaN unknown. Used where `peers` is not given. */
  marketMove?: Float64Array;
  peers?: Peers;
  /** In a raw file a known split explains its step; in an adjusted one it names what went wrong. */
  knownSplits?: readonly KnownSplit[];
  /** Sessions on which nearly nobody has a bar: their gaps belong to the batch, not to the instrument. */
  thinDays?: ReadonlySet<number>;
  basis: PriceBasis;
};
