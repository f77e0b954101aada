import { dayText } from '../series/day.ts';
import { BAD, GOOD, linkGoodRows, measureDisplacements, nextStart } from './bar-measures.ts';
import type { CourtContext } from './court-context.ts';
import type { CourtSettings } from './court-settings.ts';
import { type Exam, report } from './exam.ts';
import { beyondMarket, isSilent, loudness, stepTolerance, usualGap } from './step-evidence.ts';

/**
 * Whole bars at another level: all prices of one to three bars times a factor, and the bar after them back where the bar
 * before them was. Their bars agree with themselves, so no single price sticks out.
 */
export function findLevelTicks(exam: Exam, context: CourtContext, settings: CourtSettings): void {
  const { bars, measures } = exam;
  let found = 0;
  for (let row = 1; row + 1 < measures.state.length; row++) {
    const before = measures.previous[row]!;
    // The bar before may be a tick found a moment ago.
    if (before < 0 || measures.state[before] !== GOOD) continue;
    const gap = bars.open[row]! > 0 ? measures.gap[row]! : nextStart(bars, row, bars.close[before]!);
    if (!(Math.abs(gap) >= settings.levelTickMin)) continue;
    const tick = levelTickAt(exam, before, row, gap, context, settings);
    if (tick === undefined) continue;
    measures.state.fill(BAD, row, tick.last + 1);
    found += 1;
    const first = dayText(bars.day[row]!);
    const days = tick.last === row ? first : `${first} to ${dayText(bars.day[tick.last]!)}`;
    const reason = `All prices of ${days} are about x${Math.exp(tick.size).toFixed(3)} the level of the bars before and after, which agree.`;
    report(exam, 'bad-tick', 'quarantine', [row, tick.last], Math.abs(tick.size), settings.levelTickMin, reason);
    row = tick.last;
  }
  if (found === 0) return;
  // The bars beside a level tick were measured against it.
  linkGoodRows(measures);
  measureDisplacements(bars, measures);
}

/** The level tick that starts at a row with a gap: its last row and its log size with sign. Undefined if there is none. */
function levelTickAt(
  exam: Exam,
  before: number,
  row: number,
  gap: number,
  context: CourtContext,
  settings: CourtSettings,
): { last: number; size: number } | undefined {
  const { bars, measures } = exam;
  const { state, session } = measures;
  const into = beyondMarket(gap, session[row]!, context);
  let last = row;
  for (let count = 1; count <= settings.levelTickBarsMax; count++) {
    let after = last + 1;
    while (after < state.length && state[after] !== GOOD) after += 1;
    if (after >= state.length) return undefined;
    const back = beyondMarket(nextStart(bars, after, bars.close[last]!), session[after]!, context);
    const size = Math.sign(into) * Math.min(Math.abs(into), Math.abs(back));
    if (into * back < 0 && isLevelTick(exam, { before, first: row, last, after }, size, settings))
      return { last, size };
    last = after;
  }
  return undefined;
}

/** The bars of a suspected level tick with the good row before and the good row after them. */
type Stretch = { before: number; first: number; last: number; after: number };

function isLevelTick(exam: Exam, stretch: Stretch, signedSize: number, settings: CourtSettings): boolean {
  const { bars, measures } = exam;
  const { before, first, last, after } = stretch;
  const { open, high, low, close } = bars;
  const size = Math.abs(signedSize);
  if (size < settings.levelTickMin || size < settings.levelTickSd * measures.sd[first]!) return false;
  const isCertain = size >= settings.certainStep;
  const rest = nextStart(bars, after, close[before]!);
  const tolerance = stepTolerance(exam, first, size, settings);
  if (Math.abs(rest) > Math.max(tolerance, settings.levelTickRestShare * size)) return false;
  // The close after counts as well: an open that is wrong itself brings no level back.
  if (Math.abs(Math.log(close[after]! / close[before]!)) > size / 2) return false;
  const away = Math.sign(signedSize);
  const edge = Math.log(close[before]!) + away * Math.max(0, away * rest);
  for (let row = first; row <= last; row++) {
    if (measures.state[row] !== GOOD) continue;
    // NaN passes: a price that is not known contradicts nothing.
    for (const price of [open[row]!, high[row]!, low[row]!, close[row]!])
      if (away * (Math.log(price) - edge) < size / 2) return false;
  }
  if (isCertain) return true;
  if (!(open[first]! > 0 && open[after]! > 0)) return false;
  if (size < settings.stepUsualFactor * usualGap(exam, first, settings, after)) return false;
  const quiet = [first, after].filter((row) => isSilent(loudness(exam, row, settings), size, settings)).length;
  // As with currencies: where chance hardly brings the level back, one of the two days may have news.
  return quiet === 2 || (quiet === 1 && Math.abs(rest) <= tolerance && size > settings.halfQuietTolerances * tolerance);
}
