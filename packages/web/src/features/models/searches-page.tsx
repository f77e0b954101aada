import { Link } from '@tanstack/react-router';
import { type Automl, listAutoml } from '@touchstone/contracts/automl';
import { type Column, DataTable, MoreRows } from '../../components/data-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { TaskState } from '../../components/task-progress.tsx';
import { Empty, PageHeader, Panel } from '../../components/ui.tsx';
import { formatCount, formatInstant } from '../../lib/format.ts';
import { usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { targetWords } from './model-words.ts';
import { SearchButton } from './search-button.tsx';

type Row = Omit<Automl, 'chosen' | 'bias'>;

export function SearchesPage() {
  const { query, items } = usePages(['listAutoml', 'pages'], (cursor) =>
    client.call(listAutoml, { query: { cursor } }),
  );
  return (
    <>
      <SubNav of="models" />
      <PageHeader title="Searches" actions={<SearchButton />}>
        Families, features, windows and settings are tried under a budget. What is reported was measured on days the
        choice never saw, and of the models that cannot be told apart the simplest is taken.
      </PageHeader>
      <Panel title="Newest first" flush>
        <QueryView query={{ ...query, data: items }}>
          {(rows) => (
            <DataTable
              label="Searches"
              columns={COLUMNS}
              rows={rows}
              rowKey={(row) => row.id}
              empty={<Empty title="Nothing was searched yet." />}
            />
          )}
        </QueryView>
        <MoreRows query={query} />
      </Panel>
    </>
  );
}

const COLUMNS: Column<Row>[] = [
  {
    key: 'id',
    header: 'Search',
    cell: (row) => (
      <>
        <Link to="/searches/$automlId" params={{ automlId: row.id }} className="link font-medium">
          {formatInstant(row.createdAt)}
        </Link>
        <span className="block text-xs text-soft">{targetWords(row.target)}</span>
      </>
    ),
  },
  {
    key: 'state',
    header: 'State',
    cell: (row) => <TaskState of={row} />,
  },
  { key: 'trials', header: 'Trials', isNumber: true, cell: (row) => formatCount(row.trialCount) },
  { key: 'fits', header: 'Fits', isNumber: true, isWide: true, cell: (row) => formatCount(row.unitsDone) },
];
