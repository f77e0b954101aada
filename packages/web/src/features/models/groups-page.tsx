import { useQuery } from '@tanstack/react-query';
import { type BiasGroup, getBiasReport } from '@touchstone/contracts/drift';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { Badge, Empty, Note, Panel } from '../../components/ui.tsx';
import { formatCount, formatNumber, formatPercent, plural, words } from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';
import { ModelFrame, useModelName } from './model-frame.tsx';

/** Whether the model does worse on some sectors, sizes, volatilities or regimes. */
export function GroupsPage() {
  const model = useModelName();
  const query = useQuery(apiQuery(getBiasReport, { params: { model }, query: {} }));
  return (
    <ModelFrame>
      <QueryView query={query} lines={8}>
        {(data) =>
          data.reason === null ? (
            <div className="grid min-w-0 gap-4">
              <Note tone="warn">{data.survivorship}</Note>
              <Panel
                title="Loss by group, against all the others"
                hint={`Mean ${words(data.metric).toLowerCase()} loss ${formatNumber(data.loss, 4)} over ${plural(data.sampleCount, 'forecast')}; smaller is better.`}
                footer={
                  <span>
                    {plural(data.testCount, 'group')} tested together: p values after Holm, so that one of many does not
                    stand out by chance; version {data.version}
                  </span>
                }
                flush
              >
                <DataTable
                  label="Groups"
                  columns={COLUMNS}
                  rows={data.groups}
                  rowKey={(row) => `${row.dimension} ${row.group}`}
                  empty="Nothing to compare."
                />
              </Panel>
            </div>
          ) : (
            <Empty title="Nothing to compare yet.">{data.reason.sentence}</Empty>
          )
        }
      </QueryView>
    </ModelFrame>
  );
}

const COLUMNS: Column<BiasGroup>[] = [
  {
    key: 'group',
    header: 'Group',
    cell: (row) => (
      <span className="block min-w-28">
        <span className="text-soft">{words(row.dimension)}:</span> {words(row.group)}{' '}
        {row.isTold && (
          <Badge tone={(row.difference ?? 0) > 0 ? 'warn' : 'accent'}>
            {(row.difference ?? 0) > 0 ? 'weaker' : 'stronger'}
          </Badge>
        )}
      </span>
    ),
  },
  { key: 'loss', header: 'Loss', isNumber: true, cell: (row) => formatNumber(row.loss, 4) },
  {
    key: 'difference',
    header: 'Against the others',
    isNumber: true,
    cell: (row) =>
      row.difference === null ? (
        <span className="text-xs whitespace-normal text-soft">{row.reason?.sentence}</span>
      ) : (
        <>
          {row.difference > 0 ? '+' : ''}
          {formatNumber(row.difference, 4)}
          <span className="block text-xs text-soft">
            {formatNumber(row.low, 4)} to {formatNumber(row.high, 4)}
          </span>
        </>
      ),
  },
  { key: 'p', header: 'p, adjusted', isNumber: true, cell: (row) => formatNumber(row.adjustedP, 3) },
  {
    key: 'abstained',
    header: 'Abstained',
    isNumber: true,
    isWide: true,
    cell: (row) => formatPercent(row.abstainedShare, 0),
  },
  { key: 'count', header: 'Forecasts', isNumber: true, isWide: true, cell: (row) => formatCount(row.sampleCount) },
  { key: 'names', header: 'Names', isNumber: true, isWide: true, cell: (row) => formatCount(row.instrumentCount) },
];
