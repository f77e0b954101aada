import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type IndexDefinition, listIndexes, undeleteIndex } from '@touchstone/contracts/indexes';
import { useState } from 'react';
import { DataTable, MoreRows } from '../../components/data-table.tsx';
import { CheckField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { IndexMark } from '../../components/simulated-origin.tsx';
import { Badge, Button, buttonClass, Empty, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatInstant, words } from '../../lib/format.ts';
import { refreshAll, usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

export function IndexListPage() {
  const [withDeleted, setWithDeleted] = useState(false);
  const { query, items } = usePages(['listIndexes', 'pages', withDeleted], (cursor) =>
    client.call(listIndexes, { query: { cursor, includeDeleted: String(withDeleted) } }),
  );
  const refusal = useRefusal('portfolio:write');
  return (
    <>
      <PageHeader
        title="Indexes"
        actions={
          refusal === null ? (
            <Link to="/indexes/new" className={buttonClass('main')}>
              New index
            </Link>
          ) : (
            <Button refusal={refusal}>New index</Button>
          )
        }
      >
        A rule over a universe, computed into levels, holdings and figures. Each computation is a version and stays.
      </PageHeader>
      <Panel
        title="All indexes"
        actions={<CheckField label="Show deleted ones" isChecked={withDeleted} onChecked={setWithDeleted} />}
        flush
      >
        <QueryView query={{ ...query, data: items }}>
          {(rows) => (
            <DataTable
              label="Indexes"
              rows={rows}
              rowKey={(index) => index.id}
              empty={
                <Empty title="No index yet">
                  <p>An index needs a universe. Import prices, and the last step offers to make one.</p>
                </Empty>
              }
              columns={[
                { key: 'name', header: 'Index', cell: (index) => <Name index={index} /> },
                { key: 'method', header: 'Method', isWide: true, cell: (index) => words(index.method) },
                { key: 'universe', header: 'Universe', isWide: true, cell: (index) => index.universeName },
                {
                  key: 'benchmark',
                  header: 'Benchmark',
                  isWide: true,
                  cell: (index) => index.benchmarkSymbol ?? 'none',
                },
                {
                  key: 'run',
                  header: 'Newest version',
                  cell: (index) =>
                    index.latestRunNumber === null ? (
                      <span className="text-soft">not computed</span>
                    ) : (
                      <>
                        {index.latestRunNumber}{' '}
                        {index.stale !== null && (
                          <span title="Facts changed since its newest version.">
                            <Badge tone="warn">stale</Badge>
                          </span>
                        )}
                        <span className="block text-xs text-soft">{formatInstant(index.latestRunAt)}</span>
                      </>
                    ),
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

function Name({ index }: { index: IndexDefinition }) {
  const refusal = useRefusal('portfolio:write', index.tenantId);
  const restore = useMutation({
    mutationFn: () => client.call(undeleteIndex, { params: { indexId: index.id } }),
    onSuccess: refreshAll,
  });
  return (
    <span className="flex min-w-40 flex-wrap items-center gap-x-2 gap-y-1">
      <Link to="/indexes/$indexId" params={{ indexId: index.id }} className="link font-medium">
        {index.name}
      </Link>
      <IndexMark index={index} />
      {index.visibility === 'private' && <Badge>private</Badge>}
      {index.deletedAt !== null && (
        <>
          <Badge tone="warn">deleted</Badge>
          <Button look="quiet" refusal={refusal} isBusy={restore.isPending} onClick={() => restore.mutate()}>
            Bring back
          </Button>
        </>
      )}
      {restore.error && <ProblemNotice error={restore.error} />}
    </span>
  );
}
