/**
 * Real defects of the 2010–2019 panel, so that a finding on them counts as true. Days are inclusive.
 * `source` says who vouches: the README beside the data, or the values themselves as described.
 */
export type KnownDefect = { symbol: string; firstDay: string; lastDay: string; source: string };

export const KNOWN_DEFECTS: readonly KnownDefect[] = [
  { symbol: 'COL', firstDay: '2010-01-01', lastDay: '2019-12-31', source: 'data README: reused ticker, garbage' },
];
