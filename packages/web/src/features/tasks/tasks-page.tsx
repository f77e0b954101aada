import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { cancelTask, listTasks, retryTask, type Task } from '@touchstone/contracts/tasks';
import { useCallback, useState } from 'react';
import { MoreRows } from '../../components/data-table.tsx';
import { SelectField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { RecordFacts } from '../../components/record-facts.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { TaskBadge, TaskProblem } from '../../components/task-progress.tsx';
import { Button, Empty, Facts, PageHeader, Panel, Progress } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatAgo, formatInstant, formatPercent } from '../../lib/format.ts';
import { usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { isOver, useTaskEvents } from '../../lib/task-stream.ts';
import { taskOutcome } from './task-outcome.ts';

const STATES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;
const LIST_KEY = 'listTasks';

export function TasksPage() {
  const [state, setState] = useState<Task['state'] | undefined>(undefined);
  const queries = useQueryClient();
  const { query, items } = usePages([LIST_KEY, 'pages', state], (cursor) =>
    client.call(listTasks, { query: { cursor, state, limit: 25 } }),
  );
  useTaskEvents(useCallback(() => void queries.invalidateQueries({ queryKey: [LIST_KEY] }), [queries]));
  return (
    <>
      <SubNav of="tasks" />
      <PageHeader title="Tasks">
        Work in the background: refreshes, imports, index versions, backups, verifications.
      </PageHeader>
      <div className="mb-4 max-w-60">
        <SelectField
          label="State"
          value={state ?? ''}
          onValue={(value) => setState(STATES.find((one) => one === value))}
          options={[['', 'All'], ...STATES.map((one) => [one, one] as const)]}
        />
      </div>
      <Panel title="Tasks" hint="Newest first; progress is live." flush>
        <QueryView query={{ ...query, data: items }}>
          {(rows) =>
            rows.length === 0 ? (
              <Empty title="No tasks here yet." />
            ) : (
              <ul>
                {rows.map((task) => (
                  <TaskItem key={task.id} task={task} onChanged={() => query.refetch()} />
                ))}
              </ul>
            )
          }
        </QueryView>
        <MoreRows query={query} />
      </Panel>
    </>
  );
}

function TaskItem({ task, onChanged }: { task: Task; onChanged: () => unknown }) {
  const refusal = useRefusal('task:write');
  const act = useMutation({
    mutationFn: (route: typeof cancelTask | typeof retryTask) => client.call(route, { params: { taskId: task.id } }),
    onSettled: onChanged,
  });
  const outcome = taskOutcome(task);
  const canRetry = task.state === 'failed' || task.state === 'cancelled';
  return (
    <li className="border-b border-line px-4 py-3 last:border-b-0">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="font-medium">{task.title}</span>
        <TaskBadge state={task.state} />
        <span className="text-xs text-soft" title={formatInstant(task.createdAt)}>
          {formatAgo(task.createdAt, Date.now())}
        </span>
        <span className="ml-auto flex gap-2">
          {!isOver(task) && refusal === null && (
            <Button
              isBusy={act.isPending}
              disabled={task.cancelRequestedAt !== null}
              onClick={() => act.mutate(cancelTask)}
            >
              {task.cancelRequestedAt === null ? 'Cancel' : 'Stopping'}
            </Button>
          )}
          {canRetry && refusal === null && (
            <Button isBusy={act.isPending} onClick={() => act.mutate(retryTask)}>
              Retry
            </Button>
          )}
        </span>
      </div>
      {!isOver(task) && (
        <div className="mt-2 max-w-xl space-y-1">
          <Progress fraction={task.progress} label={task.title} />
          <p className="text-xs text-soft">
            {formatPercent(task.progress, 0)} {task.progressNote}
          </p>
        </div>
      )}
      {outcome && (
        <p className="mt-0.5 flex flex-wrap gap-x-3 text-sm text-soft">
          {outcome.words && <span>{outcome.words}</span>}
          {outcome.place && (
            <Link to={outcome.place.path} className="link">
              {outcome.place.label}
            </Link>
          )}
        </p>
      )}
      {task.problem && <TaskProblem problem={task.problem} />}
      {act.error && <ProblemNotice error={act.error} />}
      <details className="mt-1 text-xs">
        <summary className="w-fit text-soft">Details</summary>
        <div className="mt-2 max-w-2xl">
          <Facts
            items={[
              ['Number', String(task.id)],
              [
                'Kind',
                <code key="kind" className="font-mono">
                  {task.kind}
                </code>,
              ],
              ['Attempts', String(task.attempts)],
              ['Started', formatInstant(task.startedAt)],
              ['Finished', formatInstant(task.finishedAt)],
              ['Asked with', <RecordFacts key="input" record={task.input} />],
              ['Result', task.result === null ? 'none yet' : <RecordFacts key="result" record={task.result} />],
            ]}
          />
        </div>
      </details>
    </li>
  );
}
