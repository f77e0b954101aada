import { dayText } from '../series/day.ts';
import { COPY, GOOD } from './bar-measures.ts';
import type { CourtSettings } from './court-settings.ts';
import { type Exam, percent, report } from './exam.ts';

export function findDuplicates(exam: Exam): void {
  const { bars, measures } = exam;
  const { day, open, high, low, close } = bars;
  for (let row = 1; row < day.length; row++) {
    if (day[row] !== day[row - 1]) continue;
    const first = row - 1;
    let distance = 0;
    while (row < day.length && day[row] === day[first]) {
      distance = Math.max(
        distance,
        relativeDistance(close[row]!, close[first]!),
        relativeDistance(open[row]!, open[first]!),
        relativeDistance(high[row]!, high[first]!),
        relativeDistance(low[row]!, low[first]!),
      );
      measures.state[row] = COPY;
      row += 1;
    }
    row -= 1;
    const isSame = distance < 1e-9;
    const count = row - first + 1;
    const reason = isSame
      ? `${dayText(day[row]!)} appears ${count} times with the same prices; the later copies are held back.`
      : `${dayText(day[row]!)} appears ${count} times with prices up to ${percent(distance)} apart; no copy is trusted.`;
    report(exam, 'duplicate-bar', 'quarantine', [isSame ? first + 1 : first, row], count, 1, reason);
  }
}

function relativeDistance(a: number, b: number): number {
  if (a === b) return 0;
  const distance = Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
  return Number.isNaN(distance) ? 0 : distance;
}

export function findStaleRuns(exam: Exam, settings: CourtSettings): void {
  const { open, high, low, close, volume } = exam.bars;
  const { state } = exam.measures;
  let start = 0;
  let withVolume = true;
  for (let row = 1; row <= close.length; row++) {
    // Compared with the start of the run and not exactly: restated prices move in the fifth digit.
    const isSame =
      row < close.length &&
      state[row] === GOOD &&
      alike(close[row]!, close[start]!) &&
      alike(open[row]!, open[start]!) &&
      alike(high[row]!, high[start]!) &&
      alike(low[row]!, low[start]!);
    if (isSame) {
      if (!(volume[row]! > 0)) withVolume = false;
      continue;
    }
    const bars = row - start;
    if (bars >= settings.staleBarsMin && withVolume && volume[start]! > 0 && state[start] === GOOD) {
      const reason = `${bars} bars in a row have the same four prices although shares were traded; the feed may have stood still.`;
      report(exam, 'stale-run', 'note', [start, row - 1], bars, settings.staleBarsMin - 1, reason);
    }
    start = row;
    withVolume = true;
  }
}

const STALE_TOLERANCE = 1e-4;

function alike(a: number, b: number): boolean {
  return Math.abs(a - b) <= STALE_TOLERANCE * b;
}
