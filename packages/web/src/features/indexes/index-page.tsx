import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import {
  deleteIndex,
  getIndex,
  getIndexHoldings,
  getIndexLevels,
  getIndexPerformance,
  type IndexDefinition,
  startIndexRun,
  undeleteIndex,
} from '@touchstone/contracts/indexes';
import { ConfirmButton } from '../../components/confirm.tsx';
import { HoldingsPanel } from '../../components/holdings.tsx';
import { IndexLevelsPanel } from '../../components/index-levels.tsx';
import { PerformancePanels } from '../../components/performance.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryPanel, QueryView } from '../../components/query-view.tsx';
import { RunAge } from '../../components/run-age.tsx';
import { IndexMark } from '../../components/simulated-origin.tsx';
import { TaskProgress } from '../../components/task-progress.tsx';
import { Badge, Button, buttonClass, Empty, Note, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { ExportButtons } from './export-buttons.tsx';
import { MethodPanel } from './method-panel.tsx';
import { RunNotes } from './run-notes.tsx';
import { VersionsPanel } from './versions-panel.tsx';

export function IndexPage() {
  const { indexId } = useParams({ from: '/indexes/$indexId' });
  const index = useQuery(apiQuery(getIndex, { params: { indexId } }));
  return <QueryView query={index}>{(data) => <IndexDetail index={data} key={data.id} />}</QueryView>;
}

function IndexDetail({ index }: { index: IndexDefinition }) {
  const indexId = index.id;
  const { run: runNumber, task: taskId } = useSearch({ from: '/indexes/$indexId' });
  const known = useKnownTime();
  const navigate = useNavigate({ from: '/indexes/$indexId' });
  const refusal = useRefusal('portfolio:write', index.tenantId);
  const input = { params: { indexId }, query: { ...known, runNumber } };
  const isComputed = index.latestRunNumber !== null;
  const levels = useQuery({ ...apiQuery(getIndexLevels, input), enabled: isComputed });
  const performance = useQuery({ ...apiQuery(getIndexPerformance, input), enabled: isComputed });
  const holdings = useQuery({ ...apiQuery(getIndexHoldings, input), enabled: isComputed });
  const compute = useMutation({
    mutationFn: () => client.call(startIndexRun, { params: { indexId }, body: {} }),
    onSuccess: ({ task }) => navigate({ search: (before) => ({ ...before, task: task.id }), replace: true }),
  });
  const restore = useMutation({
    mutationFn: () => client.call(undeleteIndex, { params: { indexId } }),
    onSuccess: refreshAll,
  });
  return (
    <>
      <PageHeader
        title={index.name}
        marks={
          <>
            <IndexMark index={index} />
            {index.visibility === 'private' && <Badge>private</Badge>}
            {index.stale !== null && <Badge tone="warn">stale</Badge>}
            {index.deletedAt !== null && <Badge tone="warn">deleted</Badge>}
          </>
        }
        actions={
          index.deletedAt === null ? (
            <>
              {isComputed && (
                <Link to="/market/$kind/$id" params={{ kind: 'index', id: indexId }} className={buttonClass()}>
                  Look at the market
                </Link>
              )}
              <IndexActions
                index={index}
                refusal={refusal}
                isBusy={compute.isPending}
                onCompute={() => compute.mutate()}
              />
            </>
          ) : (
            <Button refusal={refusal} isBusy={restore.isPending} onClick={() => restore.mutate()}>
              Bring back
            </Button>
          )
        }
      >
        {index.description || `An index over ${index.universeName}.`}
      </PageHeader>
      <div className="grid gap-4">
        {compute.error && <ProblemNotice error={compute.error} />}
        {restore.error && <ProblemNotice error={restore.error} />}
        {taskId !== undefined && <TaskProgress taskId={taskId} />}
        {runNumber !== undefined && (
          <Note tone="accent" title={`Version ${runNumber}`}>
            An older version may be on show.{' '}
            <Link
              to="/indexes/$indexId"
              params={{ indexId }}
              search={(before) => ({ ...before, run: undefined })}
              className="link"
            >
              Show the newest
            </Link>
          </Note>
        )}
        {isComputed ? (
          <>
            {levels.data && runNumber === undefined && <RunAge run={levels.data.run} index={index} />}
            <QueryPanel title="Level" query={levels} lines={10}>
              {(data) => <IndexLevelsPanel data={data} benchmarkName={index.benchmarkSymbol} />}
            </QueryPanel>
            {levels.data && <RunNotes run={levels.data.run} />}
            <div className="grid min-w-0 gap-4">
              <QueryPanel title="Performance" query={performance} lines={8}>
                {(data) => (
                  <div className="grid min-w-0 gap-4">
                    <PerformancePanels data={data} />
                  </div>
                )}
              </QueryPanel>
            </div>
            <QueryPanel title="Holdings" query={holdings} lines={8}>
              {(data) => (
                <HoldingsPanel data={data} run={levels.data?.run} withScores={index.method === 'three_pillar'} />
              )}
            </QueryPanel>
            <ExportButtons indexId={indexId} query={{ ...known, runNumber }} />
          </>
        ) : (
          <Panel title="Not computed yet">
            <Empty title="This index has a definition, but no version of it was computed.">
              <Button look="main" refusal={refusal} isBusy={compute.isPending} onClick={() => compute.mutate()}>
                Compute now
              </Button>
            </Empty>
          </Panel>
        )}
        <MethodPanel index={index} />
        <VersionsPanel indexId={indexId} shown={runNumber ?? index.latestRunNumber} />
      </div>
    </>
  );
}

type ActionsProps = { index: IndexDefinition; refusal: string | null; isBusy: boolean; onCompute: () => void };

function IndexActions({ index, refusal, isBusy, onCompute }: ActionsProps) {
  const navigate = useNavigate();
  if (refusal !== null) return <Button refusal={refusal}>Edit</Button>;
  return (
    <>
      <Button look="main" isBusy={isBusy} onClick={onCompute}>
        Compute now
      </Button>
      <Link to="/indexes/$indexId/edit" params={{ indexId: index.id }} className={buttonClass()}>
        Edit
      </Link>
      <ConfirmButton
        action="Delete"
        look="bad"
        title={`Delete “${index.name}”?`}
        run={async () => {
          await client.call(deleteIndex, { params: { indexId: index.id } });
          await refreshAll();
          await navigate({ to: '/indexes' });
        }}
      >
        It leaves the lists. Its versions stay, and it can be brought back.
      </ConfirmButton>
    </>
  );
}
