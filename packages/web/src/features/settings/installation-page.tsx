import { useQuery } from '@tanstack/react-query';
import { getStatus } from '@touchstone/contracts/diagnostics';
import { DataTable } from '../../components/data-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Facts, PageHeader, Panel } from '../../components/ui.tsx';
import { formatBytes, formatCount, formatInstant, formatNumber } from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';

const POLL_MS = 10_000;

export function InstallationPage() {
  const status = useQuery({ ...apiQuery(getStatus), refetchInterval: POLL_MS });
  return (
    <>
      <SubNav of="settings" />
      <PageHeader title="Installation">How this installation is, as of a few seconds ago.</PageHeader>
      <QueryView query={status} lines={8}>
        {(data) => (
          <div className="grid gap-4 lg:grid-cols-2 lg:items-start">
            <Panel title="Server">
              <Facts
                items={[
                  [
                    'Version',
                    <code key="version" className="font-mono text-xs">
                      {data.version}
                    </code>,
                  ],
                  ['Started', formatInstant(data.startedAt)],
                  [
                    'Memory',
                    `${formatBytes(data.memory.residentBytes)}, of it heap ${formatBytes(data.memory.heapBytes)}`,
                  ],
                  ['Held up', `${formatNumber(data.eventLoopDelayMsP99, 1)} ms at most, 99 times of 100`],
                  ['Disk free', formatBytes(data.diskFreeBytes)],
                  ['Queue', `${data.queue.queued} waiting, ${data.queue.running} running, ${data.queue.failed} failed`],
                ]}
              />
            </Panel>
            <Panel title="Database">
              <Facts
                items={[
                  ['Kind', data.database.kind === 'embedded' ? 'Embedded PostgreSQL' : 'PostgreSQL server'],
                  ['Version', data.database.version],
                  ['Size', formatBytes(data.database.byteCount)],
                  ['Partitions', data.database.partitioning],
                  [
                    'Migrations',
                    <details key="migrations">
                      <summary className="link w-fit">{data.database.migrations.length} done</summary>
                      <ul className="mt-1 font-mono text-xs">
                        {data.database.migrations.map((migration) => (
                          <li key={migration} className="break-all">
                            {migration}
                          </li>
                        ))}
                      </ul>
                    </details>,
                  ],
                ]}
              />
            </Panel>
            <Panel title="Rows" hint="Estimates of the database; small tables are not counted yet" flush>
              <DataTable
                label="Rows by table"
                rows={data.rows}
                rowKey={(row) => row.table}
                empty="No table has rows yet."
                columns={[
                  {
                    key: 'table',
                    header: 'Table',
                    cell: (row) => <code className="font-mono text-xs">{row.table}</code>,
                  },
                  {
                    key: 'rows',
                    header: 'Rows',
                    isNumber: true,
                    cell: (row) =>
                      row.estimate === 0 ? <span className="text-soft">few or none</span> : formatCount(row.estimate),
                  },
                ]}
              />
            </Panel>
          </div>
        )}
      </QueryView>
    </>
  );
}
