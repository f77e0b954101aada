import { Link } from '@tanstack/react-router';
import type { Schedule } from '@touchstone/contracts/tasks';
import { formatAgo, formatDay, formatInstant } from '../lib/format.ts';
import { TaskBadge } from './task-progress.tsx';

export function NextRuns({ schedule }: { schedule: Pick<Schedule, 'enabled' | 'nextRuns'> }) {
  if (!schedule.enabled) return 'off';
  const [next, ...later] = schedule.nextRuns;
  if (next === undefined) return 'not in sight';
  return `${formatInstant(next)}${later.length > 0 ? `, then ${later.map(formatDay).join(', ')}` : ''}`;
}

/** What it started last, and how that ended. */
export function LastOutcome({ schedule }: { schedule: Pick<Schedule, 'lastStartedAt' | 'lastTask'> }) {
  const { lastTask, lastStartedAt } = schedule;
  if (lastStartedAt === null) return <span className="text-soft">not started yet</span>;
  return (
    <span className="block min-w-28">
      {lastTask === null ? (
        formatAgo(lastStartedAt, Date.now())
      ) : (
        <span className="flex flex-wrap items-center gap-x-2" title={formatInstant(lastStartedAt)}>
          <TaskBadge state={lastTask.state} />
          <Link to="/tasks" className="link text-xs whitespace-nowrap">
            {formatAgo(lastTask.finishedAt ?? lastStartedAt, Date.now())}
          </Link>
        </span>
      )}
      {lastTask !== null && lastTask.detail !== '' && <span className="block text-xs text-bad">{lastTask.detail}</span>}
    </span>
  );
}
