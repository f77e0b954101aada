import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { listCases } from '@touchstone/contracts/data';
import type { Task } from '@touchstone/contracts/tasks';
import { useCallback, useState } from 'react';
import { caseKindName } from '../../components/case-words.ts';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { TaskProgress } from '../../components/task-progress.tsx';
import { Button, buttonClass, Facts, Panel, Spinner } from '../../components/ui.tsx';
import { formatPlain, plural } from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';

type ResultsProps = { taskIds: readonly number[]; isStarting: boolean; error: unknown; onAgain: () => void };

/** What an import tells of itself, in the order in which a reader asks. */
const COUNTS = [
  ['rowCount', 'Rows read'],
  ['publishedCount', 'Published'],
  ['revisedCount', 'of them telling a bar again'],
  ['unchangedCount', 'Known already'],
  ['quarantinedCount', 'Held back'],
  ['errorCount', 'Malformed'],
] as const;

/** Last step: the work as it goes on, then what came of it. */
export function ImportResults({ taskIds, isStarting, error, onAgain }: ResultsProps) {
  const [done, setDone] = useState<Task[]>([]);
  const onDone = useCallback((task: Task) => setDone((all) => [...all.filter((one) => one.id !== task.id), task]), []);
  const results = done.filter((task) => task.state === 'done');
  const universeId = results.map((task) => numberIn(task, 'universeId')).find((id) => id !== null);
  return (
    <div className="grid gap-4">
      <Panel title="4. Import">
        <div className="grid gap-3">
          {taskIds.map((taskId) => (
            <TaskProgress key={taskId} taskId={taskId} onDone={onDone} />
          ))}
          {isStarting && (
            <p className="flex items-center gap-2 text-sm text-soft">
              <Spinner /> Starting the rest
            </p>
          )}
          {error !== null && <ProblemNotice error={error} />}
        </div>
      </Panel>
      {results.map((task) => (
        <ImportResult key={task.id} task={task} />
      ))}
      {done.length === taskIds.length && !isStarting && (
        <div className="flex flex-wrap gap-2">
          {universeId !== undefined && universeId !== null && (
            <Link
              to="/indexes/new"
              search={(before) => ({ ...before, universe: universeId })}
              className={buttonClass('main')}
            >
              Make an index over it
            </Link>
          )}
          <Link to="/data" className={buttonClass()}>
            Look at the data
          </Link>
          <Button onClick={onAgain}>Import more</Button>
        </div>
      )}
    </div>
  );
}

function ImportResult({ task }: { task: Task }) {
  const runId = numberIn(task, 'runId');
  const counts = COUNTS.flatMap(([key, label]) => {
    const value = numberIn(task, key);
    return value === null ? [] : [[label, formatPlain(value)] as const];
  });
  return (
    <Panel title={task.title} hint="What came of it">
      <div className="grid gap-5 md:grid-cols-2">
        <div>
          <Facts items={counts} />
          {runId !== null && (
            <p className="mt-3 text-sm">
              <Link to="/data/runs/$runId" params={{ runId }} className="link">
                Open the delivery
              </Link>
            </p>
          )}
        </div>
        {runId !== null && <Findings runId={runId} />}
      </div>
    </Panel>
  );
}

function Findings({ runId }: { runId: number }) {
  const cases = useQuery(apiQuery(listCases, { query: { runId, limit: 1 } }));
  return (
    <div>
      <h3 className="mb-1 text-sm font-semibold">Findings</h3>
      <QueryView query={cases} lines={2}>
        {(page) =>
          page.total === 0 ? (
            <p className="text-sm text-soft">Nothing suspicious.</p>
          ) : (
            <>
              <ul className="text-sm">
                {page.byKind.map((row) => (
                  <li key={row.kind} className="flex justify-between gap-4 border-b border-line py-1">
                    <span>{caseKindName(row.kind)}</span>
                    <span>{row.open + row.confirmed + row.false}</span>
                  </li>
                ))}
              </ul>
              <p className="mt-2 text-sm">
                <Link to="/data/cases" search={(before) => ({ ...before, run: runId })} className="link">
                  Look at {plural(page.total, 'finding')}
                </Link>
              </p>
            </>
          )
        }
      </QueryView>
    </div>
  );
}

function numberIn(task: Task, key: string): number | null {
  const value = task.result?.[key];
  return typeof value === 'number' ? value : null;
}
