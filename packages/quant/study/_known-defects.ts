/**
 * Real defects of the 2010–2019 panel, so that a finding on them counts as true. Days are inclusive; for missing
 * sessions they are the bars on both sides of the gap. `source` says who vouches: the README beside the data, the
 * values themselves, a second data set, or the public record. Rows with volume 0 are listed by the README as a class and need no entry.
 */
export type KnownDefect = { symbol: string; firstDay: string; lastDay: string; source: string };

const README = 'README beside the data';
const SPIN_OFF = 'the price level steps for good on the first day after a spin-off of public record:';
const NO_BAR = 'no bar on a session on which nearly all others traded';
const CONTRADICTION = 'high below the open or low above it, in the values themselves';
const SECOND_SOURCE = 'the high is far below in an independent source (the CC0 file) with the same open, low and close';

export const KNOWN_DEFECTS: readonly KnownDefect[] = [
  { symbol: 'COL', firstDay: '2010-01-01', lastDay: '2019-12-31', source: `${README}: reused ticker, garbage` },
  { symbol: 'DHR', firstDay: '2016-07-05', lastDay: '2016-07-05', source: `${README}: unadjusted spin-off` },
  { symbol: 'EXPE', firstDay: '2011-12-21', lastDay: '2011-12-21', source: `${SPIN_OFF} TripAdvisor` },
  { symbol: 'VTR', firstDay: '2015-08-18', lastDay: '2015-08-18', source: `${SPIN_OFF} Care Capital Properties` },
  { symbol: 'XRX', firstDay: '2017-01-03', lastDay: '2017-01-03', source: `${SPIN_OFF} Conduent` },
  { symbol: 'ANDV', firstDay: '2017-09-06', lastDay: '2017-09-08', source: NO_BAR },
  { symbol: 'ESRX', firstDay: '2017-08-31', lastDay: '2017-09-05', source: NO_BAR },
  { symbol: 'EVHC', firstDay: '2017-08-31', lastDay: '2017-09-05', source: NO_BAR },
  { symbol: 'NFX', firstDay: '2015-09-21', lastDay: '2015-09-23', source: NO_BAR },
  { symbol: 'TWX', firstDay: '2017-08-31', lastDay: '2017-09-05', source: NO_BAR },
  { symbol: 'ANDV', firstDay: '2018-09-20', lastDay: '2018-09-20', source: CONTRADICTION },
  { symbol: 'EVHC', firstDay: '2015-03-30', lastDay: '2015-03-30', source: CONTRADICTION },
  { symbol: 'DUK', firstDay: '2016-09-14', lastDay: '2016-09-14', source: SECOND_SOURCE },
  { symbol: 'MSFT', firstDay: '2010-11-08', lastDay: '2010-11-08', source: SECOND_SOURCE },
];
