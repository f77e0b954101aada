import { dayText } from '../series/day.ts';
import { BAD } from './bar-measures.ts';
import type { CourtSettings } from './court-settings.ts';
import { type Exam, percent, report } from './exam.ts';

export function findNonpositive(exam: Exam): void {
  const { open, high, low, close } = exam.bars;
  for (let row = 0; row < close.length; row++) {
    if (close[row]! > 0 && !(open[row]! <= 0) && !(high[row]! <= 0) && !(low[row]! <= 0)) continue;
    const isGone = Number.isNaN(close[row]!);
    const least = Math.min(...[open[row]!, high[row]!, low[row]!, close[row]!].filter((price) => !Number.isNaN(price)));
    exam.measures.state[row] = BAD;
    const day = dayText(exam.bars.day[row]!);
    if (isGone) {
      report(exam, 'zero-as-missing', 'quarantine', [row, row], Number.NaN, 0, `The close of ${day} is missing.`);
    } else if (least < 0) {
      const reason = `A price of ${day} is ${least}; a price must be above zero.`;
      report(exam, 'nonpositive-price', 'quarantine', [row, row], least, 0, reason);
    } else {
      const reason = `A price of ${day} is zero, which often stands for a missing value.`;
      report(exam, 'zero-as-missing', 'quarantine', [row, row], 0, 0, reason);
    }
  }
}

/** High below open, close or low; low above open or close. Called a bad tick only later, where the size is known. */
export function findContradictions(exam: Exam, settings: CourtSettings): void {
  const { open, high, low, close } = exam.bars;
  const { state } = exam.measures;
  for (let row = 0; row < close.length; row++) {
    if (state[row] === BAD) continue;
    const [o, h, l, c] = [open[row]!, high[row]!, low[row]!, close[row]!];
    // Math.max would let one NaN hide a contradiction among the others.
    let measure = 0;
    if (o / h - 1 > measure) measure = o / h - 1;
    if (c / h - 1 > measure) measure = c / h - 1;
    if (l / h - 1 > measure) measure = l / h - 1;
    if (l / o - 1 > measure) measure = l / o - 1;
    if (l / c - 1 > measure) measure = l / c - 1;
    if (measure <= settings.ohlcTolerance) continue;
    state[row] = BAD;
    const reason = `${dayText(exam.bars.day[row]!)} contradicts itself by ${percent(measure)}: open ${o}, high ${h}, low ${l}, close ${c}.`;
    report(exam, 'ohlc-violation', 'quarantine', [row, row], measure, settings.ohlcTolerance, reason);
  }
}

export function findZeroVolume(exam: Exam, settings: CourtSettings): void {
  const { volume } = exam.bars;
  let zeros = 0;
  let traded = 0;
  for (let row = 0; row < volume.length; row++) {
    if (volume[row] === 0) zeros += 1;
    if (volume[row]! > 0) traded += 1;
  }
  // Currencies and indexes have no volume at all: that is no defect.
  if (zeros === 0 || traded === 0) return;
  if (zeros >= settings.noVolumeShare * (zeros + traded)) {
    const reason = `${zeros} of ${zeros + traded} bars have volume 0: a dead listing, or a feed that lost its volume.`;
    report(exam, 'zero-as-missing', 'note', [volume.indexOf(0), volume.lastIndexOf(0)], zeros, 0, reason);
    return;
  }
  for (let row = 0; row < volume.length; row++) {
    if (volume[row] !== 0) continue;
    let last = row;
    while (volume[last + 1] === 0) last += 1;
    const count = last - row + 1;
    const reason = `${count} ${count === 1 ? 'bar has' : 'bars have'} volume 0, which often stands for a missing value.`;
    report(exam, 'zero-as-missing', 'note', [row, last], count, 0, reason);
    row = last;
  }
}
