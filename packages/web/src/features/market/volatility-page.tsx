import { useQuery } from '@tanstack/react-query';
import type { Answer } from '@touchstone/contracts/route';
import { getVolatility } from '@touchstone/contracts/volatility';
import { useMemo, useState } from 'react';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Segments } from '../../components/index-levels.tsx';
import { LineChart } from '../../components/line-chart.tsx';
import { MeasuredFigure, measuredOver } from '../../components/measured.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { ReadingFoot, SuspectDays } from '../../components/reading-foot.tsx';
import { Badge, Empty, Panel } from '../../components/ui.tsx';
import { addDays } from '../../lib/day.ts';
import { formatCount, formatDay, formatNumber, formatPercent, plural } from '../../lib/format.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery } from '../../lib/query.ts';
import { modelWords, pWords } from './market-words.ts';
import { SubjectFrame, useSubject } from './subject-frame.tsx';

type Volatility = Answer<typeof getVolatility>;
type Forecast = Volatility['forecasts'][number];
type Comparison = Volatility['comparison'][number];

const UNIT = 'volatility a year';
const CONE_PAST_DAYS = 90;

export function VolatilityPage() {
  const subject = useSubject();
  const known = useKnownTime();
  const query = useQuery(apiQuery(getVolatility, { params: subject, query: known }));
  return (
    <SubjectFrame about="How much it moves: measured, forecast with an interval, and held against the plain baseline.">
      <QueryView query={query} lines={12}>
        {(data) => <VolatilityDetail data={data} />}
      </QueryView>
    </SubjectFrame>
  );
}

function VolatilityDetail({ data }: { data: Volatility }) {
  if (data.reason !== null) return <Empty title="No forecast.">{data.reason.sentence}</Empty>;
  return (
    <>
      <SuspectDays reading={data} />
      <div className="grid min-w-0 gap-4">
        <ForecastsPanel data={data} />
        <div className="grid min-w-0 gap-4 xl:grid-cols-2">
          <ConePanel data={data} />
          <HistoryPanel data={data} />
        </div>
        <ComparisonPanel data={data} />
      </div>
    </>
  );
}

function ForecastsPanel({ data }: { data: Volatility }) {
  const first = data.forecasts[0];
  return (
    <Panel
      title="Forecast"
      hint="The model confidence set decides which models speak; EWMA stands beside them as the baseline."
      footer={
        <>
          <ReadingFoot unit={UNIT} reading={data} route={getVolatility} />
          {first && <span>coverage over {measuredOver(first.coverage)}</span>}
        </>
      }
      flush
    >
      <DataTable
        label="Forecasts"
        columns={FORECASTS}
        rows={data.forecasts}
        rowKey={(row) => row.horizon}
        empty="No forecast."
      />
    </Panel>
  );
}

const FORECASTS: Column<Forecast>[] = [
  { key: 'horizon', header: 'Next', cell: (row) => plural(row.horizon, 'session') },
  {
    key: 'forecast',
    header: 'Volatility',
    isNumber: true,
    cell: (row) =>
      row.volatilityAnnual === null ? (
        <span className="text-xs text-soft">{row.reason?.sentence}</span>
      ) : (
        <span className="text-base font-semibold">{formatPercent(row.volatilityAnnual)}</span>
      ),
  },
  {
    key: 'interval',
    header: '90 % interval',
    isNumber: true,
    cell: (row) => `${formatPercent(row.low)} to ${formatPercent(row.high)}`,
  },
  { key: 'baseline', header: 'EWMA says', isNumber: true, cell: (row) => formatPercent(row.baseline) },
  {
    key: 'coverage',
    header: 'Fell inside, so far',
    isNumber: true,
    cell: (row) => <MeasuredFigure of={row.coverage} format={formatPercent} />,
  },
  {
    key: 'gain',
    header: 'Loss saved over EWMA',
    isNumber: true,
    cell: (row) => <MeasuredFigure of={row.gain} format={formatPercent} />,
  },
  { key: 'models', header: 'Models', isWide: true, cell: (row) => row.models.map(modelWords).join(', ') },
];

function ConePanel({ data }: { data: Volatility }) {
  const picture = useMemo(() => coneOf(data), [data]);
  return (
    <Panel
      title="Cone"
      hint="The past month, and where nine of ten averages of the coming sessions are expected."
      footer={<ReadingFoot unit={UNIT} reading={data} route={getVolatility} />}
    >
      {picture === null ? (
        <Empty title="No cone." />
      ) : (
        <LineChart
          label="Volatility of the last sessions and its forecast cone"
          days={picture.days}
          lines={[
            { name: 'Forecast', values: picture.forecast, look: 'main' },
            { name: 'Measured, month', values: picture.past, look: 'solid' },
          ]}
          areas={[{ name: '90 %', low: picture.low, high: picture.high }]}
          restAt={picture.monthAhead}
          height={300}
          format={formatPercent}
          formatTick={(value) => formatPercent(value, 0)}
        />
      )}
    </Panel>
  );
}

/** The last sessions, then a place for each session ahead; which days those are is not known, so weekdays stand in. */
function coneOf(data: Volatility) {
  const past = data.history.slice(-CONE_PAST_DAYS);
  const lastDay = past.at(-1)?.day;
  const last = data.cone.at(-1);
  if (lastDay === undefined || last === undefined) return null;
  const ahead = weekdaysAfter(lastDay, last.horizon);
  const at = new Map(data.cone.map((point) => [point.horizon, point]));
  const future = <T,>(pick: (point: Volatility['cone'][number]) => T) =>
    ahead.map((_, index) => {
      const point = at.get(index + 1);
      return point === undefined ? null : pick(point);
    });
  const none = past.map(() => null);
  return {
    monthAhead: past.length + 20,
    days: [...past.map(({ day }) => day), ...ahead],
    past: [...past.map(({ monthVolatility }) => monthVolatility), ...ahead.map(() => null)],
    forecast: [...none, ...future((point) => point.volatilityAnnual)],
    low: [...none, ...future((point) => point.low)],
    high: [...none, ...future((point) => point.high)],
  };
}

function weekdaysAfter(day: string, count: number): string[] {
  const days: string[] = [];
  for (let next = addDays(day, 1); days.length < count; next = addDays(next, 1)) {
    const weekday = new Date(`${next}T00:00:00Z`).getUTCDay();
    if (weekday !== 0 && weekday !== 6) days.push(next);
  }
  return days;
}

const SPANS = [
  ['All', null],
  ['5 years', 1260],
  ['1 year', 252],
] as const;

function HistoryPanel({ data }: { data: Volatility }) {
  const [span, setSpan] = useState<number | null>(1260);
  const history = useMemo(() => data.history.slice(span === null ? 0 : -span), [data, span]);
  return (
    <Panel
      title="Measured and foretold"
      hint="Each forecast was made the day before, from what was known then."
      actions={
        <Segments
          label="Span"
          options={SPANS.map(([label, rows]) => ({ label, isOn: span === rows, choose: () => setSpan(rows) }))}
        />
      }
      footer={
        <>
          <ReadingFoot unit={UNIT} reading={data} route={getVolatility} />
          <span>{proxyWords(data.proxy)}</span>
        </>
      }
    >
      <LineChart
        label="Measured volatility and its one-day forecasts"
        days={history.map(({ day }) => day)}
        lines={[
          { name: 'Forecast', values: history.map(({ forecast }) => forecast), look: 'main' },
          { name: 'Measured, month', values: history.map(({ monthVolatility }) => monthVolatility), look: 'solid' },
          { name: 'Measured, day', values: history.map(({ dayVolatility }) => dayVolatility), look: 'faint' },
        ]}
        height={300}
        format={formatPercent}
        formatTick={(value) => formatPercent(value, 0)}
        isLog
      />
    </Panel>
  );
}

function proxyWords(proxy: Volatility['proxy']): string {
  if (proxy.name === 'garman_klass_overnight')
    return `measured by Garman-Klass and the overnight step; ${formatPercent(proxy.wholeBarShare)} of days are whole`;
  if (proxy.name === 'squared_return') return `measured by squared returns${proxy.note ? `: ${proxy.note}` : ''}`;
  return proxy.note ?? 'not measured';
}

function ComparisonPanel({ data }: { data: Volatility }) {
  const horizons = [...new Set(data.comparison.map(({ horizon }) => horizon))];
  const [horizon, setHorizon] = useState(horizons[0] ?? 1);
  const rows = data.comparison
    .filter((row) => row.horizon === horizon)
    .toSorted((one, other) => (one.meanLoss ?? 9) - (other.meanLoss ?? 9));
  const [first] = rows;
  return (
    <Panel
      title="Models"
      hint="Mean QLIKE loss on the same past days, smaller is better. Those that cannot be told from the best stay in the set."
      actions={
        <Segments
          label="Sessions ahead"
          options={horizons.map((one) => ({
            label: plural(one, 'session'),
            isOn: one === horizon,
            choose: () => setHorizon(one),
          }))}
        />
      }
      footer={
        <>
          <ReadingFoot unit="mean QLIKE loss" reading={data} route={getVolatility} />
          {first && (
            <span>
              {formatDay(first.firstDay)} to {formatDay(first.lastDay)}, {formatCount(first.dayCount)} days
            </span>
          )}
        </>
      }
      flush
    >
      <DataTable label="Models" columns={MODELS} rows={rows} rowKey={(row) => row.model} empty="Nothing to compare." />
    </Panel>
  );
}

const MODELS: Column<Comparison>[] = [
  { key: 'model', header: 'Model', cell: (row) => modelWords(row.model) },
  {
    key: 'loss',
    header: 'Loss',
    isNumber: true,
    cell: (row) =>
      row.meanLoss === null ? (
        <span className="text-xs text-soft">{row.reason?.sentence}</span>
      ) : (
        formatNumber(row.meanLoss, 4)
      ),
  },
  {
    key: 'set',
    header: 'In the confidence set',
    cell: (row) => (row.inConfidenceSet ? <Badge tone="accent">in</Badge> : <span className="text-soft">out</span>),
  },
  { key: 'p', header: 'p, set', isNumber: true, isWide: true, cell: (row) => pWords(row.confidenceSetP) },
  {
    key: 'dm',
    header: 'p against EWMA',
    isNumber: true,
    isWide: true,
    cell: (row) => pWords(row.dieboldMarianoP),
  },
];
