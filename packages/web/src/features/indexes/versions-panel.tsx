import { Link } from '@tanstack/react-router';
import { type IndexRun, listIndexRuns } from '@touchstone/contracts/indexes';
import { DataTable, MoreRows } from '../../components/data-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { Badge, Hash, Panel } from '../../components/ui.tsx';
import { WhereFrom } from '../../components/where-from.tsx';
import { formatCount, formatDay, formatInstant } from '../../lib/format.ts';
import { usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

/** Every computation of the index. None is ever overwritten. */
export function VersionsPanel({ indexId, shown }: { indexId: number; shown: number | null }) {
  const { query, items } = usePages(['listIndexRuns', indexId], (cursor) =>
    client.call(listIndexRuns, { params: { indexId }, query: { cursor, limit: 20 } }),
  );
  return (
    <Panel
      title="Versions"
      hint="Each keeps its frozen input, code, settings and seed; a later correction changes none."
      flush
    >
      <QueryView query={{ ...query, data: items }}>
        {(rows) => (
          <DataTable
            label="Versions of this index"
            rows={rows}
            rowKey={(run) => run.runNumber}
            empty="No version was computed yet."
            columns={[
              {
                key: 'number',
                header: 'Version',
                cell: (run) => (
                  <span className="whitespace-nowrap">
                    <Link
                      to="/indexes/$indexId"
                      params={{ indexId }}
                      search={(before) => ({ ...before, run: run.runNumber })}
                      className="link font-medium"
                    >
                      {run.runNumber}
                    </Link>{' '}
                    {run.runNumber === shown && <Badge tone="accent">shown</Badge>}
                  </span>
                ),
              },
              {
                key: 'made',
                header: 'Computed',
                cell: (run) => <span className="whitespace-nowrap">{formatInstant(run.createdAt)}</span>,
              },
              {
                key: 'days',
                header: 'Days',
                isWide: true,
                cell: (run) => `${formatDay(run.firstDay)} to ${formatDay(run.lastDay)}`,
              },
              {
                key: 'rebalances',
                header: 'Rebalances',
                isNumber: true,
                isWide: true,
                cell: (run) => formatCount(run.rebalanceCount),
              },
              {
                key: 'notes',
                header: 'Notes',
                cell: (run) => <span className="block min-w-36 text-soft">{runNotes(run)}</span>,
              },
              {
                key: 'dataset',
                header: 'Dataset',
                isWide: true,
                cell: (run) => <Hash value={run.lineage.datasetSha256} />,
              },
              {
                key: 'from',
                header: 'Origin',
                cell: (run) => <WhereFrom route={listIndexRuns} time={run.time} run={run} />,
              },
            ]}
          />
        )}
      </QueryView>
      <MoreRows query={query} />
    </Panel>
  );
}

function runNotes(run: IndexRun): string {
  const notes = [
    run.infeasibleCount > 0 ? `${formatCount(run.infeasibleCount)} infeasible` : '',
    run.cashDays > 0 ? `${formatCount(run.cashDays)} days in cash` : '',
    run.namesWithoutCap > 0 ? `${formatCount(run.namesWithoutCap)} names without a cap` : '',
  ].filter((note) => note !== '');
  return notes.length === 0 ? 'none' : notes.join(', ');
}
