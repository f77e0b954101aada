import { Link } from '@tanstack/react-router';
import { listRuns } from '@touchstone/contracts/data';
import { DataTable, MoreRows } from '../../components/data-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { RunState } from '../../components/run-state.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { isAllSimulated, PageHeader, Panel, SimulatedMark } from '../../components/ui.tsx';
import { formatCount, formatDay, formatInstant, words } from '../../lib/format.ts';
import { usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

export function RunListPage() {
  const { query, items } = usePages(['listRuns', 'pages'], (cursor) => client.call(listRuns, { query: { cursor } }));
  const isMarked = isAllSimulated(items);
  return (
    <>
      <SubNav of="data" />
      <PageHeader title="Deliveries">
        Every fact came in with one of these. A delivery shows as a whole or not at all, and can be taken back as a
        whole.
      </PageHeader>
      <Panel title="All deliveries" hint="Newest first" actions={isMarked && <SimulatedMark tenantId={0} />} flush>
        <QueryView query={{ ...query, data: items }} lines={8}>
          {(rows) => (
            <DataTable
              label="Deliveries"
              rows={rows}
              rowKey={(run) => run.id}
              empty="Nothing was delivered yet."
              columns={[
                {
                  key: 'run',
                  header: 'Delivery',
                  cell: (run) => (
                    <span className="block min-w-40">
                      <Link to="/data/runs/$runId" params={{ runId: run.id }} className="link font-medium">
                        {run.fileName ?? run.sourceName}
                      </Link>{' '}
                      {!isMarked && <SimulatedMark tenantId={run.tenantId} />}
                      <span className="block text-xs text-soft">
                        {run.sourceName}, {words(run.kind).toLowerCase()}
                      </span>
                      <span className="block text-xs text-soft md:hidden">{formatInstant(run.publishedAt)}</span>
                    </span>
                  ),
                },
                { key: 'state', header: 'State', cell: (run) => <RunState run={run} /> },
                {
                  key: 'at',
                  header: 'Published',
                  isWide: true,
                  cell: (run) => <span className="whitespace-nowrap">{formatInstant(run.publishedAt)}</span>,
                },
                { key: 'accepted', header: 'Accepted', isNumber: true, cell: (run) => formatCount(run.acceptedCount) },
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
                  isWide: true,
                  cell: (run) => formatCount(run.quarantinedCount),
                },
                {
                  key: 'bad',
                  header: 'Malformed',
                  isNumber: true,
                  isWide: true,
                  cell: (run) => formatCount(run.errorCount),
                },
                {
                  key: 'days',
                  header: 'Days',
                  isWide: true,
                  cell: (run) => (run.firstDay ? `${formatDay(run.firstDay)} to ${formatDay(run.lastDay)}` : '–'),
                },
              ]}
            />
          )}
        </QueryView>
        <MoreRows query={query} />
      </Panel>
    </>
  );
}
