import type { Schedule, ScheduleKind } from '@touchstone/contracts/tasks';

/** What schedules start, in the order in which a reader looks for it. */
export const SCHEDULE_KINDS = [
  ['refresh', 'Refresh a universe'],
  ['court', 'Judge a universe again'],
  ['index-run', 'Compute an index'],
  ['market-record', 'Put regimes and anomalies on record'],
  ['drift', 'Check served models for drift'],
  ['outcomes', 'Join outcomes of predictions'],
  ['backup', 'Back up'],
  ['verify', 'Verify the evidence'],
  ['archive', 'Archive old years'],
  ['materialise', 'Materialise features'],
  ['feature-skew', 'Check served features'],
] as const satisfies readonly (readonly [ScheduleKind, string])[];

export function scheduleKindName(kind: ScheduleKind): string {
  return SCHEDULE_KINDS.find(([one]) => one === kind)?.[1] ?? kind;
}

const DAILY = /^(\d{1,2}) (\d{1,2}) \* \* \*$/;

/** When it starts, in words where the words are sure. */
export function scheduleTime({ cron, afterClose, tradingDaysOnly }: Schedule): string {
  if (afterClose !== null) {
    const { minutes, calendar } = afterClose;
    return minutes === 0 ? `At the close of ${calendar}` : `${minutes} min after the close of ${calendar}`;
  }
  const [, minute, hour] = DAILY.exec(cron) ?? [];
  const days = tradingDaysOnly === null ? '' : `, trading days of ${tradingDaysOnly}`;
  if (minute === undefined || hour === undefined) return `cron ${cron}${days}`;
  return `${tradingDaysOnly === null ? 'Every day' : 'At'} ${hour.padStart(2, '0')}:${minute.padStart(2, '0')} UTC${days}`;
}
