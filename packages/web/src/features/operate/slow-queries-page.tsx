import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { listSlowQueries } from '@touchstone/contracts/diagnostics';
import { useState } from 'react';
import { DataTable } from '../../components/data-table.tsx';
import { SelectField } from '../../components/form.tsx';
import { Gate } from '../../components/gate.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Empty, PageHeader, Panel } from '../../components/ui.tsx';
import { formatAgo, formatCount, formatInstant, formatNumber, plural } from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';

const SORTS = [
  ['total', 'Most time in all'],
  ['max', 'Slowest once'],
  ['p95', 'Slowest mostly'],
  ['count', 'Most often'],
  ['recent', 'Newest'],
] as const;
const LIMIT = 200;

export function SlowQueriesPage() {
  return (
    <>
      <SubNav of="operate" />
      <PageHeader title="Slow queries">
        Statements of the database that took too long, with every value replaced: they hold no data. Each opens its
        plan.
      </PageHeader>
      <Gate scope="system:read">
        <SlowQueries />
      </Gate>
    </>
  );
}

function SlowQueries() {
  const [sort, setSort] = useState<(typeof SORTS)[number][0]>('total');
  const slow = useQuery(apiQuery(listSlowQueries, { query: { sort, limit: LIMIT } }));
  return (
    <>
      <div className="mb-4 max-w-60">
        <SelectField
          label="What comes first"
          value={sort}
          onValue={(value) => setSort(SORTS.find(([one]) => one === value)?.[0] ?? 'total')}
          options={SORTS}
        />
      </div>
      <Panel
        title="Statements"
        hint={slow.data && `Slower than ${formatNumber(slow.data.thresholdMs, 0)} ms. At most ${LIMIT} are kept.`}
        flush
      >
        <QueryView query={slow} lines={6}>
          {(data) => (
            <DataTable
              label="Slow statements"
              rows={data.items}
              rowKey={(query) => query.id}
              empty={
                <Empty title="Nothing was slow">
                  <p>No statement took longer than {formatNumber(data.thresholdMs, 0)} ms.</p>
                </Empty>
              }
              columns={[
                {
                  key: 'text',
                  header: 'Statement',
                  cell: (query) => (
                    <span className="block min-w-48 max-w-2xl">
                      <Link to="/operate/slow-queries/$queryId" params={{ queryId: query.id }} className="link">
                        <code className="line-clamp-2 font-mono text-xs break-words">{query.text}</code>
                      </Link>
                      <span className="block text-xs text-soft md:hidden">
                        {plural(query.count, 'time')}, 95 of 100 within {formatNumber(query.p95Ms, 0)} ms
                      </span>
                      {query.planChangedAt !== null && (
                        <span title={formatInstant(query.planChangedAt)}>
                          <Badge tone="warn">plan changed</Badge>
                        </span>
                      )}
                    </span>
                  ),
                },
                {
                  key: 'count',
                  header: 'Times',
                  isNumber: true,
                  isWide: true,
                  cell: (query) => formatCount(query.count),
                },
                {
                  key: 'mean',
                  header: 'Mean, ms',
                  isNumber: true,
                  isWide: true,
                  cell: (query) => formatNumber(query.meanMs, 0),
                },
                {
                  key: 'p95',
                  header: '95 of 100 within, ms',
                  isNumber: true,
                  isWide: true,
                  cell: (query) => formatNumber(query.p95Ms, 0),
                },
                {
                  key: 'max',
                  header: 'Max, ms',
                  isNumber: true,
                  isWide: true,
                  cell: (query) => formatNumber(query.maxMs, 0),
                },
                {
                  key: 'total',
                  header: 'In all, s',
                  isNumber: true,
                  isWide: true,
                  cell: (query) => formatNumber(query.totalMs / 1000, 1),
                },
                {
                  key: 'seen',
                  header: 'Last',
                  isWide: true,
                  cell: (query) => <span className="whitespace-nowrap">{formatAgo(query.lastSeenAt, Date.now())}</span>,
                },
              ]}
            />
          )}
        </QueryView>
      </Panel>
    </>
  );
}
