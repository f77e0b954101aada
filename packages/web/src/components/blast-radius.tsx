import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type BlastRadius, type Dependent, getBlastRadius, type StaleIndex } from '@touchstone/contracts/blast-radius';
import { startIndexRun } from '@touchstone/contracts/indexes';
import { useState } from 'react';
import { useRefusal } from '../lib/auth.ts';
import { formatCount, formatDay, formatNumber, plural, words } from '../lib/format.ts';
import { apiQuery } from '../lib/query.ts';
import { client } from '../lib/session.ts';
import { DataTable } from './data-table.tsx';
import { ProblemNotice } from './problem-notice.tsx';
import { QueryView } from './query-view.tsx';
import { TaskProgress } from './task-progress.tsx';
import { Badge, Button, Empty, Panel } from './ui.tsx';

const LISTED_MAX = 12;
const CHANGES = { published: 'made visible', retracted: 'taken back', supposed: 'supposed to change' };
const KIND_NAMES: Record<string, readonly [one: string, many: string]> = {
  dataset: ['dataset', 'datasets'],
  universe: ['universe', 'universes'],
  'index-run': ['index version', 'index versions'],
  trial: ['trial', 'trials'],
  'model-version': ['model version', 'model versions'],
};

/** What rests on the rows of a delivery: as a small picture, and as a list one can follow. */
export function BlastRadiusPanel({ runId }: { runId: number }) {
  const found = useQuery(apiQuery(getBlastRadius, { query: { runId } }));
  return (
    <Panel
      title="What it touches"
      hint="Everything that was made from the rows this delivery changed."
      footer={
        found.data && (
          <>
            <span>found in {formatNumber(found.data.milliseconds, 0)} ms</span>
            <span>{found.data.exact ? 'nothing is named only to be safe' : 'some is named only to be safe'}</span>
          </>
        )
      }
      flush
    >
      <QueryView query={found}>{(data) => <Radius found={data} />}</QueryView>
    </Panel>
  );
}

function Radius({ found }: { found: BlastRadius }) {
  const kinds = found.dependents.filter((kind) => kind.count > 0);
  if (kinds.length === 0 && found.indexes.length === 0) {
    return (
      <Empty title="Nothing">
        <p>
          {plural(found.change.rowCount, 'row')} {CHANGES[found.change.what]}; nothing was made from them before.
        </p>
      </Empty>
    );
  }
  return (
    <div className="grid gap-4">
      <Picture found={found} />
      {found.indexes.length > 0 && (
        <DataTable
          label="Indexes it touches"
          rows={found.indexes}
          rowKey={(index) => index.indexId}
          empty=""
          columns={[
            {
              key: 'index',
              header: 'Index',
              cell: (index) => (
                <span className="block min-w-36">
                  <Link to="/indexes/$indexId" params={{ indexId: index.indexId }} className="link font-medium">
                    {index.name}
                  </Link>
                  <span className="block text-xs text-soft">
                    {plural(index.runNumbers.length, 'version')} on the old rows, newest {index.latestRunNumber}
                  </span>
                </span>
              ),
            },
            {
              key: 'state',
              header: 'State',
              cell: (index) => (
                <span className="flex flex-wrap items-center gap-2">
                  <IndexState index={index} />
                  <Recompute index={index} />
                </span>
              ),
            },
            {
              key: 'days',
              header: 'Days that may differ',
              isWide: true,
              cell: (index) =>
                index.staleFrom === null
                  ? 'none'
                  : `${formatCount(index.staleDayCount)} of ${formatCount(index.dayCount)}, from ${formatDay(index.staleFrom)}`,
            },
          ]}
        />
      )}
      {kinds.length > 0 && (
        <div className="grid gap-2 px-4 pb-4">
          {kinds.map((kind) => (
            <details key={kind.kind} className="text-sm">
              <summary className="link w-fit">{plural(kind.count, ...kindName(kind.kind))}</summary>
              <ul className="mt-1 grid gap-1 pl-4">
                {kind.items.slice(0, LISTED_MAX).map((item) => (
                  <li key={item.id} className="flex flex-wrap items-baseline gap-x-2">
                    <DependentLink kind={kind.kind} item={item} />
                    <span className="text-xs text-soft">
                      {plural(item.instrumentCount, 'changed instrument')}
                      {item.firstDay !== null && `, ${formatDay(item.firstDay)} to ${formatDay(item.lastDay)}`}
                    </span>
                    {!item.exact && <Badge>to be safe</Badge>}
                  </li>
                ))}
                {kind.count > LISTED_MAX && (
                  <li className="text-xs text-soft">and {formatCount(kind.count - LISTED_MAX)} more</li>
                )}
              </ul>
            </details>
          ))}
          {found.approximations.map((sentence) => (
            <p key={sentence} className="text-xs text-soft">
              {sentence}
            </p>
          ))}
        </div>
      )}
    </div>
  );
}

/** The change at the left, and what rests on it, step by step, to the right. */
function Picture({ found }: { found: BlastRadius }) {
  const { change } = found;
  const stale = found.indexes.filter((index) => index.isStale).length;
  const steps = [
    ...found.dependents.map((kind) => ({
      kind: kind.kind,
      count: kind.count,
      name: kindName(kind.kind),
      isStale: false,
    })),
    { kind: 'index', count: stale, name: ['stale index', 'stale indexes'] as const, isStale: stale > 0 },
  ];
  return (
    <ol
      aria-label="From the change to what rests on it"
      className="mx-4 grid grid-cols-2 gap-px overflow-hidden rounded border border-line bg-line md:grid-flow-col md:auto-cols-fr md:grid-cols-none"
    >
      <li className="bg-accent-well px-3 py-2.5 max-md:col-span-2">
        <span className="block text-xl font-semibold">{formatCount(change.rowCount)}</span>
        <span className="block text-xs text-soft">
          {change.rowCount === 1 ? 'row' : 'rows'} {CHANGES[change.what]},{' '}
          {plural(change.instrumentCount, 'instrument')}
          {change.firstDay !== null && `, ${formatDay(change.firstDay)} to ${formatDay(change.lastDay)}`}
        </span>
      </li>
      {steps.map((step, at) => (
        <li
          key={step.kind}
          className={`px-3 py-2.5 ${step.isStale ? 'bg-warn-well' : 'bg-sheet'} ${at === steps.length - 1 && steps.length % 2 === 1 ? 'max-md:col-span-2' : ''}`}
        >
          <span className={`block text-xl font-semibold ${step.count === 0 ? 'text-soft' : ''}`}>
            <span aria-hidden="true" className="mr-1.5 text-sm font-normal text-soft">
              →
            </span>
            {formatCount(step.count)}
          </span>
          <span className="block text-xs text-soft">{step.name[step.count === 1 ? 0 : 1]}</span>
        </li>
      ))}
    </ol>
  );
}

function IndexState({ index }: { index: StaleIndex }) {
  return index.isStale ? <Badge tone="warn">stale</Badge> : <Badge>computed since</Badge>;
}

function Recompute({ index }: { index: StaleIndex }) {
  const refusal = useRefusal('portfolio:write');
  const [taskId, setTaskId] = useState<number | null>(null);
  const start = useMutation({
    mutationFn: () => client.call(startIndexRun, { params: { indexId: index.indexId }, body: {} }),
    onSuccess: ({ task }) => setTaskId(task.id),
  });
  if (taskId !== null) return <TaskProgress taskId={taskId} />;
  if (!index.isStale || refusal !== null) return null;
  return (
    <>
      <Button isBusy={start.isPending} onClick={() => start.mutate()}>
        Recompute
      </Button>
      {start.error && <ProblemNotice error={start.error} />}
    </>
  );
}

function DependentLink({ kind, item }: { kind: string; item: Dependent }) {
  const number = Number(item.id);
  if (kind === 'dataset') {
    return (
      <Link to="/evidence/datasets/$sha256" params={{ sha256: item.id }} className="link">
        {item.name}
      </Link>
    );
  }
  if (kind === 'universe' && Number.isInteger(number)) {
    return (
      <Link to="/universes/$universeId" params={{ universeId: number }} className="link">
        {item.name}
      </Link>
    );
  }
  if (kind === 'trial') {
    return (
      <Link to="/evidence/trials" className="link">
        {item.name}
      </Link>
    );
  }
  return <span>{item.name}</span>;
}

function kindName(kind: string): readonly [one: string, many: string] {
  const word = words(kind).toLowerCase();
  return KIND_NAMES[kind] ?? [word, `${word}s`];
}
