import { Link } from '@tanstack/react-router';
import type { listRuns, Run } from '@touchstone/contracts/data';
import type { Answer } from '@touchstone/contracts/route';
import { DataTable } from '../../components/data-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { RunState } from '../../components/run-state.tsx';
import { isAllSimulated, Panel, SimulatedMark } from '../../components/ui.tsx';
import { dayOfInstant } from '../../lib/day.ts';
import { formatCount, formatDay, formatInstant } from '../../lib/format.ts';
import { useKnownTime } from '../../lib/known-time.ts';

type RunsQuery = Parameters<typeof QueryView<Answer<typeof listRuns>>>[0]['query'];

/** What came in last, and how much of it was known at the chosen moment. */
export function LatestRunsPanel({ query }: { query: RunsQuery }) {
  const { knownAt } = useKnownTime();
  const isMarked = isAllSimulated(query.data?.items);
  const knownDay = knownAt ? dayOfInstant(knownAt) : null;
  return (
    <Panel
      title="Latest deliveries"
      hint="Everything known came in with one of these; each can be taken back as a whole."
      actions={
        <>
          {isMarked && <SimulatedMark tenantId={0} />}
          <Link to="/data/runs" className="link text-sm">
            All deliveries
          </Link>
        </>
      }
      flush
    >
      <QueryView query={query}>
        {(page) => (
          <DataTable
            label="Latest deliveries"
            rows={page.items}
            rowKey={(run) => run.id}
            empty="Nothing was delivered yet."
            columns={[
              {
                key: 'what',
                header: 'Delivery',
                cell: (run) => (
                  <span className="block min-w-36">
                    <Link to="/data/runs/$runId" params={{ runId: run.id }} className="link font-medium">
                      {run.sourceName}
                    </Link>
                    <span className="block text-xs text-soft">
                      {run.kind.replace(/_/g, ' ')}, {formatInstant(run.publishedAt ?? run.createdAt)}
                    </span>
                    {!isMarked && <SimulatedMark tenantId={run.tenantId} />}
                  </span>
                ),
              },
              { key: 'state', header: 'State', cell: (run) => <RunState run={run} /> },
              { key: 'rows', header: 'Rows', isNumber: true, cell: (run) => formatCount(run.acceptedCount) },
              {
                key: 'held',
                header: 'Held back',
                isNumber: true,
                isWide: true,
                cell: (run) => formatCount(run.quarantinedCount),
              },
              {
                key: 'known',
                header: knownDay ? 'Known by then' : 'Days',
                isWide: true,
                cell: (run) => <span className="text-soft">{knownPart(run, knownDay)}</span>,
              },
            ]}
          />
        )}
      </QueryView>
    </Panel>
  );
}

function knownPart(run: Run, knownDay: string | null): string {
  if (run.firstDay === null || run.lastDay === null) return '–';
  if (knownDay !== null && run.firstDay > knownDay) return 'nothing yet';
  const isCut = knownDay !== null && run.lastDay > knownDay;
  return `${formatDay(run.firstDay)} to ${formatDay(isCut ? knownDay : run.lastDay)}`;
}
