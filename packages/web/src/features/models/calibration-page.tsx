import { useQuery } from '@tanstack/react-query';
import { type Calibration, getCalibration } from '@touchstone/contracts/predictions';
import { useState } from 'react';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Figure } from '../../components/glance.tsx';
import { Segments } from '../../components/index-levels.tsx';
import { MeasuredFigure, measuredOver } from '../../components/measured.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { ReliabilityChart } from '../../components/reliability-chart.tsx';
import { Empty, Panel } from '../../components/ui.tsx';
import { formatCount, formatNumber, formatPercent, words } from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';
import { ModelFrame, useModelName } from './model-frame.tsx';

export function CalibrationPage() {
  const model = useModelName();
  const [basis, setBasis] = useState<Calibration['basis']>('all');
  const query = useQuery(apiQuery(getCalibration, { params: { model }, query: { basis } }));
  return (
    <ModelFrame
      actions={
        <Segments
          label="Which predictions"
          options={[
            { label: 'All', isOn: basis === 'all', choose: () => setBasis('all') },
            { label: 'Sealed before', isOn: basis === 'sealed', choose: () => setBasis('sealed') },
          ]}
        />
      }
    >
      <QueryView query={query} lines={10}>
        {(data) => <CalibrationDetail data={data} />}
      </QueryView>
    </ModelFrame>
  );
}

function CalibrationDetail({ data }: { data: Calibration }) {
  const { counts, reliability, coverage, skill } = data;
  if (counts.predictions === 0)
    return (
      <Empty title="It was never asked.">
        Ask it for forecasts; when their outcomes are known, this page shows whether it was right.
      </Empty>
    );
  return (
    <div className="grid min-w-0 gap-4">
      <Panel title="What was said and what came of it" hint={data.note}>
        <ul className="flex flex-wrap gap-x-10 gap-y-3">
          <li>
            <Figure value={formatCount(counts.predictions)} note="forecasts" />
          </li>
          <li>
            <Figure value={formatCount(counts.resolved)} note="with their outcome" />
          </li>
          <li>
            <Figure value={formatCount(counts.sealedBeforeOutcome)} note="sealed before it" />
          </li>
          <li>
            <Figure value={formatCount(counts.abstained)} note="abstained" />
          </li>
          {data.latency !== null && (
            <li>
              <Figure
                value={`${formatNumber(data.latency.medianMs)} ms`}
                note={`a forecast; the slowest of a hundred ${formatNumber(data.latency.p99Ms)} ms`}
              />
            </li>
          )}
        </ul>
      </Panel>
      <div className="grid min-w-0 gap-4 xl:grid-cols-2 xl:items-start">
        <Panel
          title="Said against came"
          hint={
            reliability.error !== null &&
            `On average ${formatPercent(reliability.error)} apart. On the diagonal the two agree.`
          }
        >
          {reliability.bins.length === 0 ? (
            <p className="text-sm text-soft">{reliability.reason?.sentence ?? 'No outcome is known yet.'}</p>
          ) : (
            <ReliabilityChart
              points={reliability.bins.flatMap(({ forecast, observed, low, high, count }) =>
                low === null || high === null ? [] : [{ forecastMean: forecast, realised: observed, low, high, count }],
              )}
            />
          )}
        </Panel>
        <div className="grid min-w-0 gap-4">
          <Panel
            title={`Better than ${skill.baselineName}`}
            hint={`Mean ${skill.metric} loss of the baseline less that of the model; above nought it is better.`}
            footer={<span>{measuredOver(skill)}</span>}
          >
            <MeasuredFigure of={skill} format={(value) => formatNumber(value, 4)} />
          </Panel>
          <Panel
            title="Inside the interval"
            hint={coverage.level !== null && `It should hold ${formatPercent(coverage.level, 0)} of outcomes.`}
            flush
          >
            <DataTable
              label="Coverage"
              columns={COVERAGE_COLUMNS}
              rows={coverage.items}
              rowKey={(row) => `${row.by} ${row.group}`}
              empty={coverage.reason?.sentence ?? 'It gives no interval.'}
            />
          </Panel>
          {data.abstentions.length > 0 && (
            <Panel title="Why it said nothing" flush>
              <DataTable
                label="Abstentions"
                columns={[
                  { key: 'code', header: 'Reason', cell: (row) => words(row.code) },
                  { key: 'count', header: 'Times', isNumber: true, cell: (row) => formatCount(row.count) },
                ]}
                rows={data.abstentions}
                rowKey={(row) => row.code}
                empty=""
              />
            </Panel>
          )}
        </div>
      </div>
    </div>
  );
}

const COVERAGE_COLUMNS: Column<Calibration['coverage']['items'][number]>[] = [
  { key: 'group', header: 'Where', cell: (row) => (row.by === 'all' ? 'All' : words(row.group)) },
  {
    key: 'covered',
    header: 'Inside',
    isNumber: true,
    cell: (row) => (
      <>
        {formatPercent(row.covered)}
        {row.low !== null && (
          <span className="block text-xs text-soft">
            {formatPercent(row.low)} to {formatPercent(row.high)}
          </span>
        )}
      </>
    ),
  },
  { key: 'width', header: 'Width', isNumber: true, cell: (row) => formatNumber(row.widthMean, 3) },
  { key: 'count', header: 'Outcomes', isNumber: true, cell: (row) => formatCount(row.count) },
];
