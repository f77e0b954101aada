import { useMutation } from '@tanstack/react-query';
import { cancelTask, type Task } from '@touchstone/contracts/tasks';
import { useRefusal } from '../lib/auth.ts';
import { formatPercent } from '../lib/format.ts';
import { client } from '../lib/session.ts';
import { isOver, useTask } from '../lib/task-stream.ts';
import { ProblemNotice } from './problem-notice.tsx';
import { Badge, Button, Loading, Progress } from './ui.tsx';

const TONES = { queued: 'plain', running: 'accent', done: 'plain', failed: 'bad', cancelled: 'warn' } as const;

export function TaskBadge({ state }: { state: Task['state'] }) {
  return <Badge tone={TONES[state]}>{state}</Badge>;
}

/** The same in a list: while it runs, how far it is. */
export function TaskState({ of }: { of: Pick<Task, 'state' | 'progress' | 'progressNote'> }) {
  return (
    <>
      <TaskBadge state={of.state} />
      {of.state === 'running' && (
        <span className="block text-xs text-soft">
          {formatPercent(of.progress, 0)} {of.progressNote}
        </span>
      )}
    </>
  );
}

/** Background work as it goes on: what it does now, how far it is, and how to stop it. */
export function TaskProgress({ taskId, onDone }: { taskId: number; onDone?: (task: Task) => void }) {
  const query = useTask(taskId, onDone);
  const refusal = useRefusal('task:write');
  const cancel = useMutation({
    mutationFn: () => client.call(cancelTask, { params: { taskId } }),
    onSettled: () => query.refetch(),
  });
  const task = query.data;
  if (!task)
    return query.error ? <ProblemNotice error={query.error} onRetry={() => query.refetch()} /> : <Loading lines={2} />;
  return (
    <div aria-live="polite" className="rounded border border-line bg-well px-3.5 py-3">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <p className="flex flex-wrap items-center gap-2 text-sm font-medium">
          {task.title} <TaskBadge state={task.state} />
        </p>
        {!isOver(task) && (
          <Button
            isBusy={cancel.isPending || task.cancelRequestedAt !== null}
            refusal={refusal}
            onClick={() => cancel.mutate()}
          >
            {task.cancelRequestedAt === null ? 'Cancel' : 'Stopping'}
          </Button>
        )}
      </div>
      {!isOver(task) && (
        <div className="mt-2 space-y-1">
          <Progress fraction={task.progress} label={task.title} />
          <p className="text-xs text-soft">
            {formatPercent(task.progress, 0)} {task.progressNote}
          </p>
        </div>
      )}
      {task.problem && <TaskProblem problem={task.problem} />}
      {cancel.error && <ProblemNotice error={cancel.error} />}
    </div>
  );
}

export function TaskProblem({ problem }: { problem: NonNullable<Task['problem']> }) {
  return (
    <div className="mt-2 text-sm">
      <p className="text-bad">{problem.detail}</p>
      {problem.details.length > 0 && (
        <ul className="mt-1 list-disc pl-5 text-xs">
          {problem.details.slice(0, 20).map((detail) => (
            <li key={detail.path + detail.rule}>
              <code className="font-mono">{detail.path}</code>: {detail.rule}
            </li>
          ))}
        </ul>
      )}
      <code className="font-mono text-xs text-soft">{problem.code}</code>
    </div>
  );
}
