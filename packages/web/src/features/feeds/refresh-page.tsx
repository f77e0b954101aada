import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type Gap, getRefresh } from '@touchstone/contracts/feeds';
import type { Answer } from '@touchstone/contracts/route';
import { listUniverses } from '@touchstone/contracts/universes';
import { DataTable } from '../../components/data-table.tsx';
import { RefreshBadge } from '../../components/feed-parts.tsx';
import { gapKindName } from '../../components/feed-words.ts';
import { GapTable } from '../../components/gap-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { TaskProgress } from '../../components/task-progress.tsx';
import { Badge, Facts, Note, PageHeader, Panel } from '../../components/ui.tsx';
import { formatCount, formatDay, formatInstant, formatPercent, plural } from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';

const POLL_MS = 3_000;
const UNIVERSES_MAX = 500;
type Report = Answer<typeof getRefresh>;

export function RefreshPage() {
  const { refreshId } = useParams({ from: '/data/refreshes/$refreshId' });
  const report = useQuery({
    ...apiQuery(getRefresh, { params: { refreshId } }),
    refetchInterval: ({ state }) => (state.data?.state === 'running' ? POLL_MS : false),
  });
  return (
    <>
      <SubNav of="data" />
      <QueryView query={report} lines={8}>
        {(data) => <ReportDetail report={data} />}
      </QueryView>
    </>
  );
}

function ReportDetail({ report }: { report: Report }) {
  const universes = useQuery(apiQuery(listUniverses, { query: { limit: UNIVERSES_MAX } }));
  const universeName = universes.data?.items.find((one) => one.id === report.universeId)?.name;
  const counts = [
    ['Asked', report.symbolCount],
    ['Refreshed', report.refreshedCount],
    ['Up to date', report.currentCount],
    ['Gaps', report.gapCount],
    ['New rows', report.acceptedCount],
    ['Revised', report.revisedCount],
    ['Held back', report.quarantinedCount],
    ['Findings', report.caseCount],
  ] as const;
  return (
    <>
      <PageHeader title={`Refresh ${report.id}`} marks={<RefreshBadge state={report.state} />}>
        {report.sentence}
      </PageHeader>
      <div className="grid gap-4">
        {report.state === 'running' && report.taskId !== null && <TaskProgress taskId={report.taskId} />}
        {report.state === 'degraded' && (
          <Note
            tone={report.gaps.length > 0 ? 'warn' : 'accent'}
            title={
              report.gaps.length > 0 ? 'It ended, and something asked for is missing' : 'What it left out came later'
            }
          >
            {report.gaps.length > 0
              ? 'What was known before is untouched. Below is what is missing, why, and when it is asked again.'
              : 'It ended without everything asked for. No gap of it is open any more.'}{' '}
            <Link
              to="/data/gaps"
              search={(before) => ({
                ...before,
                source: report.sourceId,
                gaps: report.gaps.length > 0 ? 'open' : 'all',
              })}
              className="link"
            >
              {report.gaps.length > 0 ? 'All open gaps of this feed' : 'All gaps of this feed, the filled too'}
            </Link>
          </Note>
        )}
        <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-md border border-line bg-line sm:grid-cols-4 xl:grid-cols-8">
          {counts.map(([label, value]) => (
            <div key={label} className="bg-sheet px-4 py-3">
              <dt className="text-sm text-soft">{label}</dt>
              <dd className="text-xl font-semibold">{formatCount(value)}</dd>
            </div>
          ))}
        </dl>
        <div className="grid gap-4 lg:grid-cols-[minmax(0,1.7fr)_minmax(0,1fr)] lg:items-start">
          <div className="grid min-w-0 gap-4">
            {report.gaps.length > 0 && <Missing report={report} />}
            <Batches report={report} />
          </div>
          <Panel title="About">
            <Facts
              items={[
                [
                  'Feed',
                  <Link key="feed" to="/data/feeds/$sourceId" params={{ sourceId: report.sourceId }} className="link">
                    {report.sourceName}
                  </Link>,
                ],
                [
                  'Universe',
                  report.universeId === null ? (
                    'none named'
                  ) : (
                    <Link
                      key="universe"
                      to="/universes/$universeId"
                      params={{ universeId: report.universeId }}
                      className="link"
                    >
                      {universeName ?? `Universe ${report.universeId}`}
                    </Link>
                  ),
                ],
                ['Fresh', `${formatPercent(report.freshShare)} of what was asked`],
                ['Days', report.firstDay ? `${formatDay(report.firstDay)} to ${formatDay(report.lastDay)}` : 'none'],
                ['Started', formatInstant(report.startedAt)],
                ['Ended', report.finishedAt === null ? 'still going on' : formatInstant(report.finishedAt)],
                ['Deliveries', formatCount(report.batchCount)],
              ]}
            />
          </Panel>
        </div>
      </div>
    </>
  );
}

function Missing({ report }: { report: Report }) {
  const kinds = Map.groupBy(report.gaps, (gap: Gap) => gap.kind);
  return (
    <Panel
      title="What is missing"
      hint={
        report.gapCount > report.gaps.length
          ? `The first ${report.gaps.length} of ${formatCount(report.gapCount)}`
          : plural(report.gaps.length, 'symbol')
      }
      flush
    >
      <ul className="flex flex-wrap gap-1.5 px-4 pb-3">
        {[...kinds].map(([kind, gaps]) => (
          <li key={kind}>
            <Badge tone={kind === 'lies' ? 'bad' : 'warn'}>
              {gapKindName(kind)}: {gaps.length}
            </Badge>
          </li>
        ))}
      </ul>
      <GapTable gaps={report.gaps} withFeed={false} empty="Nothing is missing." />
    </Panel>
  );
}

function Batches({ report }: { report: Report }) {
  return (
    <Panel title="Deliveries" hint="One a batch: each shows as a whole or not at all." flush>
      <DataTable
        label="Deliveries of this refresh"
        rows={report.runs}
        rowKey={(run) => run.runId}
        empty="It delivered nothing: all was up to date, or nothing came back."
        columns={[
          {
            key: 'run',
            header: 'Delivery',
            cell: (run) => (
              <Link to="/data/runs/$runId" params={{ runId: run.runId }} className="link font-medium">
                {run.runId}
              </Link>
            ),
          },
          { key: 'state', header: 'State', cell: (run) => <Badge>{run.state}</Badge> },
          { key: 'new', header: 'New rows', isNumber: true, cell: (run) => formatCount(run.acceptedCount) },
          {
            key: 'revised',
            header: 'Revised',
            isNumber: true,
            isWide: true,
            cell: (run) => formatCount(run.revisedCount),
          },
          {
            key: 'held',
            header: 'Held back',
            isNumber: true,
            cell: (run) => (
              <span>
                {formatCount(run.quarantinedCount)}{' '}
                <Link to="/data/cases" search={(before) => ({ ...before, run: run.runId })} className="link">
                  findings
                  <span className="sr-only"> of delivery {run.runId}</span>
                </Link>
              </span>
            ),
          },
          {
            key: 'days',
            header: 'Days',
            isWide: true,
            cell: (run) => (run.firstDay ? `${formatDay(run.firstDay)} to ${formatDay(run.lastDay)}` : '–'),
          },
        ]}
      />
    </Panel>
  );
}
