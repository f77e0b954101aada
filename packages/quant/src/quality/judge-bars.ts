import { expect } from '../checks/expect.ts';
import type { Bars } from '../series/bars.ts';
import { findBadTicks } from './bad-ticks.ts';
import {
  createMeasures,
  linkGoodRows,
  locate,
  type Measures,
  measureDisplacements,
  measureScale,
  sliceMeasures,
} from './bar-measures.ts';
import { type BarPanel, barsBetween, concatenateBars } from './bar-panel.ts';
import { findDateSlips, findGaps, findThinDays } from './calendar-checks.ts';
import type { CourtContext, KnownSplit, PriceBasis } from './court-context.ts';
import { type CourtSettings, courtSettings } from './court-settings.ts';
import type { Exam } from './exam.ts';
import type { Finding, PanelFinding } from './finding.ts';
import { findSteps } from './level-steps.ts';
import { findLevelTicks } from './level-ticks.ts';
import { peersOf } from './peers.ts';
import { findDuplicates, findStaleRuns } from './repeated-bars.ts';
import { findSilences } from './ticker-reuse.ts';
import { findContradictions, findNonpositive, findZeroVolume } from './value-checks.ts';

/**
 * Judges the daily bars of one instrument. Bars are never changed: a finding names rows and says why.
 *
 * Quarantine (rows are held back until a person decides): `bad-tick`, `nonpositive-price`, `ohlc-violation`,
 * `date-slip` and `currency-swap` (the values are wrong as they stand), `duplicate-bar` (the later copy of equal bars,
 * every copy of unequal ones), `zero-as-missing` of a price.
 * Note (a case opens, no row is held back): `missing-bars` and `thin-day` (there is nothing to hold back), `stale-run`
 * and `zero-as-missing` of volume (prices may be true on a suspended day), `split-suspicion` and `ticker-reuse` (every
 * row is true on its own; the step between them needs a corporate action or a second listing, and holding back years
 * of history would be the larger damage).
 *
 * The court judges data, not the market: it looks at later bars of the same file, for instance to see whether a spike
 * reversed. This hindsight stays in the court and enters no feature. The last bar has no later bar and needs twice the
 * displacement, and a whole bar at another level is only a suspicion there; both are settled when the bar is judged again
 * with later ones. With `priorBars` alone it is not: those are not judged.
 *
 * Everything is measured in logs, so all prices times a constant give the same findings. Time O(T log S) with S sessions.
 *
 * @param series Ascending by day, equal days in file order. Any column but `day` may be NaN, which is missing.
 * @returns Findings ascending by first row. Empty for empty bars.
 * @throws RangeError if columns differ in length, or days descend.
 */
export function judgeBars(series: Bars, context: CourtContext, settings: CourtSettings = courtSettings): Finding[] {
  const prior = context.priorBars?.day.length ?? 0;
  const bars = prior === 0 ? series : concatenateBars([context.priorBars!, series]);
  const measures = createMeasures(bars.day.length);
  const exam = examine(bars, measures, context, settings);
  const findings = conclude(exam, context, settings);
  if (prior === 0) return findings;
  return findings
    .filter((finding) => finding.lastRow >= prior)
    .map((finding) => ({
      ...finding,
      firstRow: Math.max(0, finding.firstRow - prior),
      lastRow: finding.lastRow - prior,
    }));
}

export type PanelContext = {
  tradingDays: Int32Array;
  basis: PriceBasis;
  /** By instrument index. */
  knownSplits?: ReadonlyMap<number, readonly KnownSplit[]>;
};

/**
 * Judges a batch of instruments together: what all of them did on a day is news, what one of them did alone is suspect.
 * A session on which nearly nobody has a bar becomes one `thin-day` finding with rows of -1.
 *
 * @throws RangeError as `judgeBars`.
 */
export function judgePanel(
  panel: BarPanel,
  context: PanelContext,
  settings: CourtSettings = courtSettings,
): PanelFinding[] {
  const { tradingDays, basis } = context;
  const findings: PanelFinding[] = [];
  const thinDays = findThinDays(panel, tradingDays, settings, findings);
  const measures = createMeasures(panel.day.length);
  const exams: Exam[] = [];
  for (let i = 0; i + 1 < panel.offset.length; i++) {
    const [from, to] = [panel.offset[i]!, panel.offset[i + 1]!];
    const own = sliceMeasures(measures, from, to);
    exams.push(examine(barsBetween(panel, from, to), own, { tradingDays, basis, thinDays }, settings));
  }
  const peers = peersOf(measures, tradingDays, settings);
  exams.forEach((exam, instrument) => {
    const knownSplits = context.knownSplits?.get(instrument) ?? [];
    for (const finding of conclude(exam, { tradingDays, basis, thinDays, peers, knownSplits }, settings))
      findings.push({ ...finding, instrument });
  });
  return findings;
}

/** Finds what a bar shows on its own or by its date, then measures the rows that are left. */
function examine(bars: Bars, measures: Measures, context: CourtContext, settings: CourtSettings): Exam {
  const size = bars.day.length;
  for (const name of ['open', 'high', 'low', 'close', 'volume'] as const)
    expect(bars[name].length === size, `${name} must have ${size} values like day, had ${bars[name].length}`);
  for (let row = 1; row < size; row++) {
    expect(bars.day[row]! >= bars.day[row - 1]!, `days must ascend, row ${row} is before row ${row - 1}`);
  }
  const exam: Exam = { bars, measures, findings: [] };
  locate(bars, measures, context.tradingDays);
  findDateSlips(exam);
  findDuplicates(exam);
  findNonpositive(exam);
  findContradictions(exam, settings);
  findGaps(exam, context);
  findStaleRuns(exam, settings);
  findZeroVolume(exam, settings);
  linkGoodRows(measures);
  measureScale(bars, measures, settings);
  measureDisplacements(bars, measures);
  return exam;
}

/** Judges what needs the measures, and where given the peers. */
function conclude(exam: Exam, context: CourtContext, settings: CourtSettings): Finding[] {
  findLevelTicks(exam, context, settings);
  findBadTicks(exam, context, settings);
  findSteps(exam, context, settings);
  findSilences(exam, settings);
  return exam.findings.sort((a, b) => a.firstRow - b.firstRow || a.lastRow - b.lastRow);
}
