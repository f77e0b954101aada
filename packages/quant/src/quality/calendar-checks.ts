import { dayText } from '../series/day.ts';
import { lowerBound } from './bar-measures.ts';
import type { BarPanel } from './bar-panel.ts';
import type { CourtContext } from './court-context.ts';
import type { CourtSettings } from './court-settings.ts';
import { type Exam, report } from './exam.ts';
import type { Finding, PanelFinding } from './finding.ts';

/**
 * Bars off the calendar a week or less apart are one stretch: the rows between them carry wrong dates as well. Their
 * prices may still be right, so they stay context for the rows around them.
 */
export function findDateSlips(exam: Exam): void {
  const { session } = exam.measures;
  const size = session.length;
  for (let row = 0; row < size; row++) {
    if (session[row] !== -1) continue;
    let last = row;
    let off = 1;
    for (let next = row + 1; next < size && next - last <= 7; next++) {
      if (session[next] !== -1) continue;
      last = next;
      off += 1;
    }
    const first = dayText(exam.bars.day[row]!);
    const reason =
      off === 1
        ? `The market was closed on ${first}, yet there is a bar. Its date may have slipped.`
        : `${off} bars from ${first} to ${dayText(exam.bars.day[last]!)} lie on days the market was closed. The dates of the stretch may have slipped.`;
    report(exam, 'date-slip', 'quarantine', [row, last], off, 0, reason);
    row = last;
  }
}

export function findGaps(exam: Exam, context: CourtContext): void {
  const sessions = exam.measures.session;
  let before = -1;
  for (let row = 0; row < sessions.length; row++) {
    const session = sessions[row]!;
    if (session === -1) continue;
    if (before !== -1 && session - before > 1) reportGap(exam, row, before, context);
    before = session;
  }
}

/** @param before The session of the bar before the gap; the bar at `row` is the first one after it. */
function reportGap(exam: Exam, row: number, before: number, { tradingDays, thinDays }: CourtContext): void {
  const session = exam.measures.session[row]!;
  let first = -1;
  let last = -1;
  let missing = 0;
  const isNearSlip = (day: number) => exam.findings.some((f) => f.kind === 'date-slip' && slipExplains(f, day));
  for (let k = before + 1; k < session; k++) {
    if (thinDays?.has(tradingDays[k]!)) continue;
    // A bar on Saturday is the one that Friday or Monday lacks: one case, not two.
    if (session - before === 2 && isNearSlip(tradingDays[k]!)) continue;
    if (first === -1) first = tradingDays[k]!;
    last = tradingDays[k]!;
    missing += 1;
  }
  if (missing === 0) return;
  const span = missing === 1 ? dayText(first) : `${dayText(first)} to ${dayText(last)}`;
  exam.findings.push({
    kind: 'missing-bars',
    action: 'note',
    firstRow: row,
    lastRow: row,
    firstDay: first,
    lastDay: last,
    measure: missing,
    limit: 0,
    reason: `${missing} ${missing === 1 ? 'session has' : 'sessions have'} no bar: ${span}.`,
  });
}

/** Days around a slipped stretch whose own bars may be the ones on the wrong date: the working week on either side. */
const SLIP_REACH_DAYS = 5;

function slipExplains(slip: Finding, day: number): boolean {
  return day >= slip.firstDay - SLIP_REACH_DAYS && day <= slip.lastDay + SLIP_REACH_DAYS;
}

export function findThinDays(
  panel: BarPanel,
  tradingDays: Int32Array,
  settings: CourtSettings,
  findings: PanelFinding[],
): Set<number> {
  const count = tradingDays.length;
  const bars = new Int32Array(count);
  const alive = new Int32Array(count + 1);
  for (let i = 0; i + 1 < panel.offset.length; i++) {
    const [from, to] = [panel.offset[i]!, panel.offset[i + 1]!];
    if (from === to) continue;
    let at = lowerBound(tradingDays, panel.day[from]!);
    alive[at]! += 1;
    let seen = -1;
    for (let row = from; row < to; row++) {
      while (at < count && tradingDays[at]! < panel.day[row]!) at += 1;
      if (at < count && tradingDays[at] === panel.day[row] && at !== seen) bars[at]! += 1;
      if (tradingDays[at] === panel.day[row]) seen = at;
    }
    const end = tradingDays[at] === panel.day[to - 1] ? at + 1 : at;
    alive[end]! -= 1;
  }
  const thin = new Set<number>();
  let living = 0;
  for (let k = 0; k < count; k++) {
    living += alive[k]!;
    if (living < settings.peersMin || bars[k]! >= settings.thinShare * living) continue;
    const day = tradingDays[k]!;
    thin.add(day);
    findings.push({
      kind: 'thin-day',
      action: 'note',
      instrument: -1,
      firstRow: -1,
      lastRow: -1,
      firstDay: day,
      lastDay: day,
      measure: bars[k]! / living,
      limit: settings.thinShare,
      reason: `On ${dayText(day)} only ${bars[k]} of ${living} instruments have a bar.`,
    });
  }
  return thin;
}
