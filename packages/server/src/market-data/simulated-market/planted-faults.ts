import { dayNumber } from '@touchstone/quant/series/day';

export const FAULT_KINDS = ['bad-tick', 'missing-bar', 'stale-run', 'late-correction', 'late-split'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/**
 * Kinds of finding that answer a fault of a kind. A price that is corrected later is a bad tick as long as it stands; a
 * split nobody told of in time is a level step, which the court calls a split or another company under the same symbol.
 */
export const ANSWERED_BY: Readonly<Record<FaultKind, readonly string[]>> = {
  'bad-tick': ['bad_tick', 'ohlc_violation'],
  'missing-bar': ['missing_bars'],
  'stale-run': ['stale_run'],
  'late-correction': ['bad_tick', 'ohlc_violation'],
  'late-split': ['split_suspicion', 'ticker_reuse'],
};

const NOTES: Readonly<Record<FaultKind, string>> = {
  'bad-tick': '',
  'missing-bar': '',
  'stale-run': '',
  'late-correction': 'Each was told again, rightly, later on; those of the size of a usual move raise no suspicion.',
  'late-split': 'The split was known when the prices were loaded, so there was nothing to suspect.',
};

/** Days are day numbers, both ends included. */
export type PlacedFault = { kind: FaultKind; instrumentId: number | undefined; firstDay: number; lastDay: number };
export type PlacedFinding = { kind: string; instrumentId: number; firstDay: string; lastDay: string };

/**
 * For each fault whether a finding answers it: of a kind that fits, on the same instrument, overlapping its days give or
 * take one session.
 *
 * @param sessions Day numbers, ascending.
 */
export function findAnswered(
  faults: readonly PlacedFault[],
  findings: readonly PlacedFinding[],
  sessions: Int32Array,
): boolean[] {
  const byInstrument = Map.groupBy(findings, (finding) => finding.instrumentId);
  const position = new Map(Array.from(sessions, (day, index) => [day, index]));
  const sessionBeside = (day: number, step: number) => sessions[(position.get(day) ?? Number.NaN) + step] ?? day + step;
  return faults.map((fault) => {
    const first = sessionBeside(fault.firstDay, -1);
    const last = sessionBeside(fault.lastDay, 1);
    const near = fault.instrumentId === undefined ? [] : (byInstrument.get(fault.instrumentId) ?? []);
    return near.some(
      (finding) =>
        ANSWERED_BY[fault.kind].includes(finding.kind) &&
        dayNumber(finding.firstDay) <= last &&
        dayNumber(finding.lastDay) >= first,
    );
  });
}

/** How many faults of each kind there are, and how many are answered; kinds without a fault too. */
export function countAnswered(faults: readonly { kind: FaultKind; found: boolean }[]) {
  return FAULT_KINDS.map((kind) => {
    const planted = faults.filter((fault) => fault.kind === kind);
    const found = planted.filter((fault) => fault.found);
    return { kind, planted: planted.length, found: found.length, findings: [...ANSWERED_BY[kind]], note: NOTES[kind] };
  });
}
