export type FindingKind =
  | 'bad-tick'
  | 'currency-swap'
  | 'date-slip'
  | 'duplicate-bar'
  | 'missing-bars'
  | 'nonpositive-price'
  | 'ohlc-violation'
  | 'split-suspicion'
  | 'stale-run'
  | 'thin-day'
  | 'ticker-reuse'
  | 'zero-as-missing';

/**
 * One suspicion. Rows and days are inclusive; for `missing-bars` the row is the first one after the gap and the days are
 * the first and last missing session. `measure` is what was seen and `limit` what would still have passed, in the unit
 * the reason names.
 */
export type Finding = {
  kind: FindingKind;
  action: 'quarantine' | 'note';
  firstRow: number;
  lastRow: number;
  firstDay: number;
  lastDay: number;
  measure: number;
  limit: number;
  reason: string;
};

/** A finding in a batch: `instrument` is its index, or -1 where the finding is about the whole batch. */
export type PanelFinding = Finding & { instrument: number };
