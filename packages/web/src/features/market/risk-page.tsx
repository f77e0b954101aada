import { useQuery } from '@tanstack/react-query';
import type { Answer } from '@touchstone/contracts/route';
import { getDrawdown, getValueAtRisk } from '@touchstone/contracts/volatility';
import { useState } from 'react';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Segments } from '../../components/index-levels.tsx';
import { LineChart } from '../../components/line-chart.tsx';
import { MeasuredFigure, measuredOver } from '../../components/measured.tsx';
import { QueryPanel } from '../../components/query-view.tsx';
import { ReadingFoot, SuspectDays } from '../../components/reading-foot.tsx';
import { ReliabilityChart } from '../../components/reliability-chart.tsx';
import { Badge, Empty, Panel } from '../../components/ui.tsx';
import { formatCount, formatDay, formatNumber, formatPercent } from '../../lib/format.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery } from '../../lib/query.ts';
import { modelWords, pWords } from './market-words.ts';
import { SubjectFrame, useSubject } from './subject-frame.tsx';

type Drawdown = Answer<typeof getDrawdown>;
type Tail = Answer<typeof getValueAtRisk>;
type Measure = Tail['measures'][number];

export function RiskPage() {
  const subject = useSubject();
  const known = useKnownTime();
  const drawdown = useQuery(apiQuery(getDrawdown, { params: subject, query: known }));
  const tail = useQuery(apiQuery(getValueAtRisk, { params: subject, query: known }));
  return (
    <SubjectFrame about="How likely a fall of a stated size is, and what a bad session costs. Detects and measures; foretells no crash.">
      {drawdown.data && <SuspectDays reading={drawdown.data} />}
      <div className="grid min-w-0 gap-4">
        <QueryPanel title="A fall within the coming sessions" query={drawdown} lines={10}>
          {(data) => <DrawdownPanels data={data} />}
        </QueryPanel>
        <QueryPanel title="The next session" query={tail} lines={8}>
          {(data) => <TailPanel data={data} />}
        </QueryPanel>
      </div>
    </SubjectFrame>
  );
}

function DrawdownPanels({ data }: { data: Drawdown }) {
  const { event, skill } = data;
  const what = `its ${event.watches} ${formatPercent(event.fall, 0)} below the last close within ${event.sessions} sessions`;
  if (data.reason !== null)
    return (
      <Panel title="A fall within the coming sessions">
        <Empty title="Not told.">{data.reason.sentence}</Empty>
      </Panel>
    );
  const history = data.history.filter(({ probability }) => probability !== null);
  return (
    <div className="grid min-w-0 gap-4 xl:grid-cols-[minmax(0,1.7fr)_minmax(0,1fr)]">
      <Panel
        title="A fall within the coming sessions"
        hint={`Probability of ${what}, each told on its day from what was known then.`}
        footer={
          <>
            <ReadingFoot unit="probability" reading={data} route={getDrawdown} />
            <span>skill over {measuredOver(skill)}</span>
          </>
        }
      >
        <dl className="mb-4 flex flex-wrap gap-x-10 gap-y-3 text-sm">
          <div>
            <dt className="text-soft">Probability</dt>
            <dd>
              <span className="text-2xl font-semibold tracking-tight tabular-nums">
                {formatPercent(data.probability)}
              </span>
              <span className="block text-xs text-soft tabular-nums">
                {formatPercent(data.low)} to {formatPercent(data.high)}
              </span>
            </dd>
          </div>
          <div>
            <dt className="text-soft">All past days</dt>
            <dd className="text-base tabular-nums">{formatPercent(data.baseRate)}</dd>
          </div>
          <div>
            <dt className="text-soft">EWMA alone says</dt>
            <dd className="text-base tabular-nums">{formatPercent(data.ewmaProbability)}</dd>
          </div>
          <div>
            <dt className="text-soft">Brier skill</dt>
            <dd>
              <MeasuredFigure of={skill} format={(value) => formatNumber(value, 3)} />
            </dd>
          </div>
        </dl>
        <LineChart
          label={`Probability of ${what}`}
          days={history.map(({ day }) => day)}
          lines={[
            { name: 'Probability', values: history.map(({ probability }) => probability), look: 'main' },
            { name: 'All past days', values: history.map(() => data.baseRate), look: 'dashed' },
          ]}
          height={240}
          format={formatPercent}
          formatTick={(value) => formatPercent(value, 0)}
        />
      </Panel>
      <Panel
        title="Was it right?"
        hint="What was said against what came, in bands of equal size, with 95 % intervals."
        footer={<ReadingFoot unit="share of days" reading={data} route={getDrawdown} />}
      >
        <ReliabilityChart points={data.reliability} />
      </Panel>
    </div>
  );
}

function TailPanel({ data }: { data: Tail }) {
  const [level, setLevel] = useState<0.95 | 0.99>(0.95);
  const rows = data.measures.filter((measure) => measure.level === level);
  const first = rows.find(({ method }) => method === data.served) ?? rows[0];
  if (data.reason !== null)
    return (
      <Panel title="The next session">
        <Empty title="Not told.">{data.reason.sentence}</Empty>
      </Panel>
    );
  return (
    <Panel
      title="The next session"
      hint={
        first?.valueAtRisk == null
          ? undefined
          : `In ${formatPercent(level, 0)} of sessions the loss stays within ${formatPercent(first.valueAtRisk, 2)}; beyond it, it has been ${formatPercent(first.expectedShortfall, 2)} on average.`
      }
      actions={
        <Segments
          label="Level"
          options={([0.95, 0.99] as const).map((one) => ({
            label: formatPercent(one, 0),
            isOn: one === level,
            choose: () => setLevel(one),
          }))}
        />
      }
      footer={
        <>
          <ReadingFoot unit="share of the value; Fissler-Ziegel loss" reading={data} route={getValueAtRisk} />
          {first && (
            <span>
              {formatDay(first.backtest.firstDay)} to {formatDay(first.backtest.lastDay)},{' '}
              {formatCount(first.backtest.dayCount)} days
            </span>
          )}
        </>
      }
      flush
    >
      <DataTable
        label="Value at risk by method"
        columns={tailColumns(data.served)}
        rows={rows}
        rowKey={(row) => row.method}
        empty="Nothing to tell."
      />
    </Panel>
  );
}

function tailColumns(served: string): Column<Measure>[] {
  return [
    {
      key: 'method',
      header: 'Method',
      cell: (row) => (
        <span className="inline-flex items-center gap-2 whitespace-nowrap">
          {modelWords(row.method)}
          {row.method === served && <Badge tone="accent">shown first</Badge>}
        </span>
      ),
    },
    {
      key: 'var',
      header: 'Value at risk',
      isNumber: true,
      cell: (row) =>
        row.valueAtRisk === null ? (
          <span className="text-xs text-soft">{row.reason?.sentence}</span>
        ) : (
          <span className="font-medium">{formatPercent(row.valueAtRisk, 2)}</span>
        ),
    },
    {
      key: 'es',
      header: 'Expected shortfall',
      isNumber: true,
      cell: (row) => formatPercent(row.expectedShortfall, 2),
    },
    {
      key: 'breaches',
      header: 'Was beyond it',
      isNumber: true,
      cell: ({ backtest }) => (
        <span className="tabular-nums">
          {formatPercent(backtest.breachRate, 2)}
          <span className="block text-xs text-soft">{formatCount(backtest.breachCount)} days</span>
        </span>
      ),
    },
    {
      key: 'kupiec',
      header: 'p, rate is right',
      isNumber: true,
      isWide: true,
      cell: ({ backtest }) => pWords(backtest.kupiecP),
    },
    {
      key: 'alone',
      header: 'p, breaches come alone',
      isNumber: true,
      isWide: true,
      cell: ({ backtest }) => pWords(backtest.independenceP),
    },
    {
      key: 'loss',
      header: 'Loss less EWMA’s',
      isNumber: true,
      isWide: true,
      cell: ({ backtest }) => <MeasuredFigure of={backtest.fisslerZiegel} format={(value) => formatNumber(value, 3)} />,
    },
  ];
}
