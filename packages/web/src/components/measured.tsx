import type { Measured } from '@touchstone/contracts/market';
import { formatCount, formatDay } from '../lib/format.ts';

/** A measured figure with all it must be told with: interval, baseline, period, cases and trials. */
export function MeasuredFigure({ of, format }: { of: Measured; format: (value: number) => string }) {
  if (of.value === null) return <span className="text-xs text-soft">{of.reason?.sentence ?? 'not measured'}</span>;
  const period = of.firstDay && of.lastDay ? `${formatDay(of.firstDay)} to ${formatDay(of.lastDay)}` : 'no period';
  return (
    <span className="inline-block" title={`${period}, ${formatCount(of.sampleCount)} cases, ${tries(of.trialCount)}`}>
      <span className="font-medium tabular-nums">{format(of.value)}</span>
      {of.low !== null && of.high !== null && (
        <span className="block text-xs whitespace-nowrap text-soft tabular-nums">
          <span className="sr-only">95 % interval </span>
          {format(of.low)} to {format(of.high)}
        </span>
      )}
      {of.baseline !== null && (
        <span className="block text-xs text-soft tabular-nums">
          {of.baseline === 0 ? `against ${of.baselineName}` : `${of.baselineName}: ${format(of.baseline)}`}
        </span>
      )}
    </span>
  );
}

/** The same in one sentence, for the foot of a panel. */
export function measuredOver(of: Measured): string {
  const period = of.firstDay && of.lastDay ? `${formatDay(of.firstDay)} to ${formatDay(of.lastDay)}, ` : '';
  return `${period}${formatCount(of.sampleCount)} cases, ${tries(of.trialCount)}`;
}

function tries(count: number): string {
  return count === 1 ? 'one variant tried' : `${formatCount(count)} variants tried`;
}
