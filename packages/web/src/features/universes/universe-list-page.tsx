import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { listUniverses, type Universe, undeleteUniverse } from '@touchstone/contracts/universes';
import { useState } from 'react';
import { DataTable, MoreRows } from '../../components/data-table.tsx';
import { CheckField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { UniverseMark } from '../../components/simulated-origin.tsx';
import { Badge, Button, buttonClass, Empty, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatCount, formatDay } from '../../lib/format.ts';
import { refreshAll, usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

export function UniverseListPage() {
  const [withDeleted, setWithDeleted] = useState(false);
  const { query, items } = usePages(['listUniverses', 'pages', withDeleted], (cursor) =>
    client.call(listUniverses, { query: { cursor, includeDeleted: String(withDeleted) } }),
  );
  const refusal = useRefusal('portfolio:write');
  return (
    <>
      <PageHeader
        title="Universes"
        actions={
          refusal === null ? (
            <Link to="/universes/new" className={buttonClass('main')}>
              New universe
            </Link>
          ) : (
            <Button refusal={refusal}>New universe</Button>
          )
        }
      >
        The instruments an index may choose from: all of a source, or a list of your own.
      </PageHeader>
      <Panel
        title="All universes"
        actions={<CheckField label="Show deleted ones" isChecked={withDeleted} onChecked={setWithDeleted} />}
        flush
      >
        <QueryView query={{ ...query, data: items }}>
          {(rows) => (
            <DataTable
              label="Universes"
              rows={rows}
              rowKey={(universe) => universe.id}
              empty={
                <Empty title="No universe yet">
                  <p>Importing prices can make one of everything in the file.</p>
                </Empty>
              }
              columns={[
                { key: 'name', header: 'Universe', cell: (universe) => <Name universe={universe} /> },
                { key: 'rule', header: 'Rule', cell: (universe) => ruleName(universe) },
                { key: 'source', header: 'Prices from', isWide: true, cell: (universe) => universe.sourceName },
                {
                  key: 'members',
                  header: 'Members',
                  isNumber: true,
                  cell: (universe) => formatCount(universe.memberCount),
                },
                { key: 'changed', header: 'Changed', isWide: true, cell: (universe) => formatDay(universe.updatedAt) },
              ]}
            />
          )}
        </QueryView>
        <MoreRows query={query} />
      </Panel>
    </>
  );
}

function ruleName(universe: Universe): string {
  return universe.rule === 'all_of_source' ? 'All of the source' : 'A list';
}

function Name({ universe }: { universe: Universe }) {
  const refusal = useRefusal('portfolio:write', universe.tenantId);
  const restore = useMutation({
    mutationFn: () => client.call(undeleteUniverse, { params: { universeId: universe.id } }),
    onSuccess: refreshAll,
  });
  return (
    <span className="flex min-w-40 flex-wrap items-center gap-x-2 gap-y-1">
      <Link to="/universes/$universeId" params={{ universeId: universe.id }} className="link font-medium">
        {universe.name}
      </Link>
      <UniverseMark universe={universe} />
      {universe.visibility === 'private' && <Badge>private</Badge>}
      {universe.deletedAt !== null && (
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
