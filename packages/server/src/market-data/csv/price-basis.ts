import type { Detected, PriceBasis } from './dialect.ts';
import type { PriceColumns } from './parse-prices.ts';
import { sortBySymbolAndDay } from './sort-prices.ts';

/** Shares given for one in splits that happen; the inverse is a reverse split. */
const SPLIT_RATIOS = [2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 50];
/** Three for two. Its inverse does not happen. */
const SMALL_SPLIT = 1.5;
/** How near the overnight ratio must come to a split's, relative. A split day has an ordinary overnight move as well. */
const SPLIT_TOLERANCE = 0.03;
/** Below this a jump is an ordinary bad night and not counted. */
const SMALLEST_JUMP = 0.28;
/** Years of trading days without one jump from which "none" means something: splits come every few years. */
const ENOUGH_DAYS = 20 * 252;

export type BasisEvidence = {
  pairs: number;
  /** Overnight moves (previous close to open, or to close without one) near a split's ratio. */
  splitLikeJumps: number;
  example: string | null;
  /** Rows whose adjClose differs from close by more than rounding; 0 without the column. */
  adjustedRows: number;
  /** Split-like jumps that adjClose does not share. */
  jumpsOnlyInClose: number;
};

/** Counts what speaks for a price basis. Sorts `columns` in place. */
export function computeBasisEvidence(columns: PriceColumns): BasisEvidence {
  const offsets = sortBySymbolAndDay(columns);
  const { open, close, adjClose, day } = columns;
  const evidence: BasisEvidence = {
    pairs: 0,
    splitLikeJumps: 0,
    example: null,
    adjustedRows: 0,
    jumpsOnlyInClose: 0,
  };
  for (let i = 0; i < columns.rowCount; i++)
    if (adjClose !== null && Math.abs(adjClose[i]! - close[i]!) > 1e-4 * Math.abs(close[i]!)) evidence.adjustedRows++;
  for (let s = 0; s < columns.symbols.length; s++) {
    for (let i = offsets[s]! + 1; i < offsets[s + 1]!; i++) {
      const gap = day[i]! - day[i - 1]!;
      // After a longer pause a large move may be anything.
      if (gap < 1 || gap > 7) continue;
      evidence.pairs++;
      const overnight = (open[i]! > 0 ? open[i]! : close[i]!) / close[i - 1]!;
      if (!isSplitLike(overnight)) continue;
      evidence.splitLikeJumps++;
      evidence.example ??= `${columns.symbols[s]} opens at ${overnight.toFixed(3)} of its last close on ${dayText(day[i]!)}`;
      if (adjClose === null) continue;
      if (!isSplitLike(adjClose[i]! / adjClose[i - 1]!)) evidence.jumpsOnlyInClose++;
    }
  }
  return evidence;
}

/** What the evidence says about open, high, low and close, as a guess a person confirms. */
export function detectPriceBasis(evidence: BasisEvidence, hasAdjClose: boolean): Detected<PriceBasis | 'unknown'> {
  const { pairs, splitLikeJumps, example, adjustedRows, jumpsOnlyInClose } = evidence;
  const jumps =
    splitLikeJumps === 0
      ? `None of ${pairs} overnight moves looks like a split`
      : `${splitLikeJumps} of ${pairs} overnight moves look like a split (${example})`;
  if (hasAdjClose && adjustedRows > 0) {
    const differs = `adj_close differs from close in ${adjustedRows} rows, so adj_close is total return`;
    if (jumpsOnlyInClose > 0)
      return {
        value: 'raw',
        confidence: 'likely',
        evidence: `${differs}; ${jumpsOnlyInClose} split-like jumps are in close and not in adj_close, so close is raw.`,
      };
    const confidence = pairs >= ENOUGH_DAYS ? 'likely' : 'assumed';
    return { value: 'split_adjusted', confidence, evidence: `${differs}. ${jumps}, so close is split-adjusted.` };
  }
  const same = hasAdjClose ? 'adj_close equals close in every sampled row. ' : '';
  const hint = splitLikeJumps > 0 ? 'which suggests raw prices' : 'which suggests adjusted prices';
  return {
    value: 'unknown',
    confidence: 'assumed',
    evidence: `${same}${jumps}, ${pairs > 0 ? hint : 'the sample is too short to say'}; the file does not say the basis.`,
  };
}

function isSplitLike(ratio: number): boolean {
  if (!(ratio > 0) || Math.abs(Math.log(ratio)) < SMALLEST_JUMP) return false;
  const size = ratio < 1 ? 1 / ratio : ratio;
  const near = (split: number) => Math.abs(size / split - 1) < SPLIT_TOLERANCE;
  return SPLIT_RATIOS.some(near) || (ratio < 1 && near(SMALL_SPLIT));
}

function dayText(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}
