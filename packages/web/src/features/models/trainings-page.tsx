import { Link } from '@tanstack/react-router';
import { listTrainings, type Training } from '@touchstone/contracts/training';
import { type Column, DataTable, MoreRows } from '../../components/data-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { TaskState } from '../../components/task-progress.tsx';
import { Empty, PageHeader, Panel } from '../../components/ui.tsx';
import { formatCount, formatInstant } from '../../lib/format.ts';
import { usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { targetWords } from './model-words.ts';
import { TrainButton } from './train-button.tsx';

type Row = Omit<Training, 'models'>;

export function TrainingsPage() {
  const { query, items } = usePages(['listTrainings', 'pages'], (cursor) =>
    client.call(listTrainings, { query: { cursor } }),
  );
  return (
    <>
      <SubNav of="models" />
      <PageHeader title="Trainings" actions={<TrainButton />}>
        A stopped training goes on where it was: what is done is kept by the hash of its inputs.
      </PageHeader>
      <Panel title="Newest first" flush>
        <QueryView query={{ ...query, data: items }}>
          {(rows) => (
            <DataTable
              label="Trainings"
              columns={COLUMNS}
              rows={rows}
              rowKey={(row) => row.id}
              empty={<Empty title="Nothing was trained yet." />}
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
    header: 'Training',
    cell: (row) => (
      <>
        <Link to="/trainings/$trainingId" params={{ trainingId: row.id }} className="link font-medium">
          {formatInstant(row.createdAt)}
        </Link>
        <span className="block text-xs text-soft">
          {row.settings.targets === undefined ? 'all targets' : row.settings.targets.map(targetWords).join(' ')}
        </span>
      </>
    ),
  },
  {
    key: 'state',
    header: 'State',
    cell: (row) => <TaskState of={row} />,
  },
  {
    key: 'parts',
    header: 'Fits',
    isNumber: true,
    cell: (row) => (
      <>
        {formatCount(row.partsDone)} of {formatCount(row.partCount)}
        {row.partsReused > 0 && (
          <span className="block text-xs text-soft">{formatCount(row.partsReused)} kept from before</span>
        )}
      </>
    ),
  },
  {
    key: 'failed',
    header: 'Failed',
    isNumber: true,
    isWide: true,
    cell: (row) => formatCount(row.partsFailed),
  },
];
