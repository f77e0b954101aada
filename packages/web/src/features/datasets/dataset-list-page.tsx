import { Link } from '@tanstack/react-router';
import { listDatasets } from '@touchstone/contracts/datasets';
import { DataTable, MoreRows } from '../../components/data-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Empty, Hash, PageHeader, Panel } from '../../components/ui.tsx';
import { formatBytes, formatCount, formatDay, formatInstant, words } from '../../lib/format.ts';
import { usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

export function DatasetListPage() {
  const { query, items } = usePages(['listDatasets', 'pages'], (cursor) =>
    client.call(listDatasets, { query: { cursor } }),
  );
  return (
    <>
      <SubNav of="evidence" />
      <PageHeader title="Datasets">
        Questions put to the facts and frozen: every figure is computed from one of these.
      </PageHeader>
      <Panel title="Frozen datasets" hint="Newest first" flush>
        <QueryView query={{ ...query, data: items }} lines={6}>
          {(rows) => (
            <DataTable
              label="Datasets"
              rows={rows}
              rowKey={(dataset) => dataset.sha256}
              empty={
                <Empty title="Nothing is frozen yet">
                  <p>Computing an index freezes its input; a universe can be frozen from its own page.</p>
                </Empty>
              }
              columns={[
                {
                  key: 'hash',
                  header: 'Dataset',
                  cell: (dataset) => (
                    <Link to="/evidence/datasets/$sha256" params={{ sha256: dataset.sha256 }} className="link">
                      <Hash value={dataset.sha256} />
                    </Link>
                  ),
                },
                { key: 'kind', header: 'Kind', cell: (dataset) => words(dataset.kind) },
                { key: 'asof', header: 'As of', cell: (dataset) => formatDay(dataset.time.asOf) },
                {
                  key: 'known',
                  header: 'Known at',
                  isWide: true,
                  cell: (dataset) => formatInstant(dataset.time.knownAt),
                },
                { key: 'rows', header: 'Rows', isNumber: true, cell: (dataset) => formatCount(dataset.rowCount) },
                {
                  key: 'size',
                  header: 'Size',
                  isNumber: true,
                  isWide: true,
                  cell: (dataset) => formatBytes(dataset.byteCount),
                },
                { key: 'made', header: 'Frozen', isWide: true, cell: (dataset) => formatInstant(dataset.createdAt) },
              ]}
            />
          )}
        </QueryView>
        <MoreRows query={query} />
      </Panel>
    </>
  );
}
