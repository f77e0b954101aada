import type { Bars } from '../series/bars.ts';
import { GOOD } from './bar-measures.ts';
import type { CourtContext } from './court-context.ts';
import type { CourtSettings } from './court-settings.ts';
import { type Exam, report } from './exam.ts';
import { beyondMarket, isSilent, loudness, stepTolerance, usualGap } from './step-evidence.ts';

type Step = { row: number; size: number; isSilent: boolean; volume: number; range: number };

/**
 * Finds steps of the price level between one close and the next open. News comes with volume and a wide day; a step of
 * the data comes on a day like any other. Two steps that cancel enclose a stretch in another currency or unit.
 */
export function findSteps(exam: Exam, context: CourtContext, settings: CourtSettings): void {
  const steps = collectSteps(exam, context, settings);
  const used = new Set<Step>();
  for (let i = 0; i < steps.length; i++) {
    const start = steps[i]!;
    if (used.has(start)) continue;
    const end = findPartner(exam, steps, i, used, settings);
    if (end === undefined || isSplitAndBack(start, end, settings)) continue;
    used.add(start).add(end);
    const factor = Math.exp(start.size);
    const reason = `The price level steps by x${factor.toFixed(3)} and ${end.row - start.row} bars later back by x${Math.exp(end.size).toFixed(3)}, without unusual volume: another currency or unit in between?`;
    const rows = [start.row, end.row - 1] as const;
    report(exam, 'currency-swap', 'quarantine', rows, Math.abs(start.size), settings.pairedStepMin, reason);
  }
  for (const step of steps) if (!used.has(step)) judgeStep(exam, step, context, settings);
}

function collectSteps(exam: Exam, context: CourtContext, settings: CourtSettings): Step[] {
  const { measures } = exam;
  const steps: Step[] = [];
  let previous = -1;
  for (let row = 0; row < measures.state.length; row++) {
    if (measures.state[row] !== GOOD) continue;
    const before = previous;
    previous = row;
    if (before < 0) continue;
    let gap = measures.gap[row]!;
    // A tick found meanwhile may have been the close this gap starts from.
    if (before !== measures.previous[row]) gap = Math.log(exam.bars.open[row]! / exam.bars.close[before]!);
    if (!(Math.abs(gap) >= settings.pairedStepMin)) continue;
    const size = beyondMarket(gap, measures.session[row]!, context);
    if (Math.abs(size) < settings.pairedStepMin) continue;
    // A step that only takes back what the day before did is a close that stood out, and leaves the level alone.
    if (stepFromOpen(exam.bars, before, row) / gap < settings.stepLevelShare) continue;
    if (Math.abs(size) < settings.stepUsualFactor * usualGap(exam, row, settings)) continue;
    const loud = loudness(exam, row, settings);
    steps.push({ row, size, isSilent: isSilent(loud, Math.abs(size), settings), ...loud });
  }
  return steps;
}

/** Log step from the open of one row to the open of another, NaN where one is not known. */
function stepFromOpen({ open }: Bars, before: number, row: number): number {
  return open[before]! > 0 && open[row]! > 0 ? Math.log(open[row]! / open[before]!) : Number.NaN;
}

function findPartner(
  exam: Exam,
  steps: readonly Step[],
  index: number,
  used: ReadonlySet<Step>,
  settings: CourtSettings,
): Step | undefined {
  const start = steps[index]!;
  const tolerance = stepTolerance(exam, start.row, Math.abs(start.size), settings);
  let best: Step | undefined;
  for (let k = index + 1; k < steps.length; k++) {
    const end = steps[k]!;
    const bars = end.row - start.row;
    if (bars > settings.pairBarsMax) break;
    if (bars < settings.pairBarsMin || used.has(end) || start.size * end.size >= 0) continue;
    const rest = Math.abs(start.size + end.size);
    const isQuiet = start.isSilent && end.isSilent;
    // A step so large that chance hardly cancels it may have news on one of its two days.
    const isHalfQuiet =
      (start.isSilent || end.isSilent) && Math.abs(start.size) > settings.halfQuietTolerances * tolerance;
    if (rest > tolerance || !(isQuiet || isHalfQuiet)) continue;
    if (best === undefined || rest < Math.abs(start.size + best.size)) best = end;
  }
  return best;
}

/** No currency trades at exactly two or three to one for a month, but a split applied to one stretch only does. */
function isSplitAndBack(start: Step, end: Step, settings: CourtSettings): boolean {
  const size = Math.abs(start.size);
  const isNear = (step: number) => nearestRatio(step, settings).distance <= settings.splitTolerance;
  return (
    size > settings.currencyStepMax && size < settings.minorUnitStepMin && isNear(size) && isNear(Math.abs(end.size))
  );
}

function judgeStep(exam: Exam, step: Step, context: CourtContext, settings: CourtSettings): void {
  const size = Math.abs(step.size);
  if (size < settings.stepMin || !step.isSilent) return;
  const { ratio, distance } = nearestRatio(size, settings);
  const sd = exam.measures.sd[step.row]!;
  const factor = Math.exp(step.size);
  const rows = [step.row, step.row] as const;
  const usual = `volume was ${step.volume.toFixed(1)} times and the day's range ${step.range.toFixed(1)} times the usual`;
  if (distance <= settings.splitTolerance + sd) {
    const day = exam.bars.day[step.row]!;
    const known = context.knownSplits?.find(
      (split) => split.day === day && Math.abs(Math.abs(Math.log(split.ratio)) - size) <= settings.splitTolerance + sd,
    );
    const isForward = known !== undefined && Math.log(known.ratio) * step.size < 0;
    if (context.basis === 'raw' && isForward) return;
    const named = step.size < 0 ? `${+ratio.toFixed(2)}:1` : `1:${+ratio.toFixed(2)}`;
    const cause =
      known === undefined
        ? `like a ${named} split that was not applied, or one applied twice`
        : isForward
          ? `as the announced split would without adjustment`
          : `against the announced split, as one applied twice would`;
    const reason = `The price level steps by x${factor.toFixed(3)}, ${cause}; ${usual}.`;
    report(exam, 'split-suspicion', 'note', rows, size, settings.stepMin, reason);
    return;
  }
  const reason = `The price level steps by x${factor.toFixed(3)} for good and ${usual}: another company under the same ticker, or an action nobody applied?`;
  report(exam, 'ticker-reuse', 'note', rows, size, settings.stepMin, reason);
}

function nearestRatio(size: number, settings: CourtSettings): { ratio: number; distance: number } {
  let best = { ratio: 1, distance: Number.POSITIVE_INFINITY };
  for (const ratio of settings.splitRatios) {
    const distance = Math.abs(size - Math.log(ratio));
    if (distance < best.distance) best = { ratio, distance };
  }
  return best;
}
