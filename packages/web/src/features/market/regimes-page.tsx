import { useMutation, useQuery } from '@tanstack/react-query';
import {
  getRegimes,
  listRegimeRecords,
  type RegimeMemory,
  type RegimeState,
  type Regimes,
  sealRegime,
} from '@touchstone/contracts/regimes';
import { useMemo, useState } from 'react';
import { type Column, DataTable, MoreRows } from '../../components/data-table.tsx';
import { Segments } from '../../components/index-levels.tsx';
import { LineChart } from '../../components/line-chart.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { ReadingFoot, SuspectDays } from '../../components/reading-foot.tsx';
import { bandsOf, STATE_WORDS } from '../../components/regime-band.ts';
import { Badge, Button, Empty, Hash, Note, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatCount, formatDay, formatInstant, formatNumber, formatPercent, plural } from '../../lib/format.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery, refreshAll, usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { closesOn, useCloses } from './closes.ts';
import { modelWords } from './market-words.ts';
import { SubjectFrame, useSubject } from './subject-frame.tsx';

const STATES: readonly RegimeState[] = ['bull', 'sideways', 'bear'];
const SPANS = [
  ['All', null],
  ['5 years', 1260],
  ['1 year', 252],
] as const;

export function RegimesPage() {
  const subject = useSubject();
  const known = useKnownTime();
  const query = useQuery(apiQuery(getRegimes, { params: subject, query: known }));
  return (
    <SubjectFrame about="Three states told from the size and drift of returns, by filtered probabilities: nothing uses a later day.">
      <QueryView query={query} lines={12}>
        {(data) => <RegimesDetail data={data} />}
      </QueryView>
    </SubjectFrame>
  );
}

function RegimesDetail({ data }: { data: Regimes }) {
  if (data.reason !== null) return <Empty title="No regime.">{data.reason.sentence}</Empty>;
  return (
    <>
      <SuspectDays reading={data} />
      <div className="grid min-w-0 gap-4">
        <BandPanel data={data} />
        <div className="grid min-w-0 gap-4 xl:grid-cols-2 xl:items-start">
          <StatesPanel data={data} />
          <SkillPanel data={data} />
        </div>
        <RecordsPanel data={data} />
      </div>
    </>
  );
}

function BandPanel({ data }: { data: Regimes }) {
  const subject = useSubject();
  const closes = useCloses(subject, data.basis);
  const [span, setSpan] = useState<number | null>(1260);
  const from = span === null ? 0 : Math.max(0, data.days.length - span);
  const days = useMemo(() => data.days.slice(from), [data, from]);
  const bands = useMemo(() => bandsOf(data.state.slice(from)), [data, from]);
  const values = useMemo(() => closesOn(days, closes), [days, closes]);
  const { current } = data;
  return (
    <Panel
      title={current === null ? 'Band' : `${STATE_WORDS[current.state]} since ${formatDay(current.since)}`}
      hint={data.lagNote}
      actions={
        <Segments
          label="Span"
          options={SPANS.map(([label, rows]) => ({ label, isOn: span === rows, choose: () => setSpan(rows) }))}
        />
      }
      footer={
        <>
          <ReadingFoot unit="price, log scale" reading={data} route={getRegimes} />
          <span>the band changes when another state reaches {formatPercent(data.switchAt, 0)}</span>
        </>
      }
    >
      {current && (
        <ul className="mb-3 flex flex-wrap gap-x-8 gap-y-1 text-sm">
          {STATES.map((state) => (
            <li key={state}>
              <span className="text-soft">{STATE_WORDS[state]}</span>{' '}
              <span className="font-medium tabular-nums">{formatPercent(current.probabilities[state], 0)}</span>
            </li>
          ))}
          <li>
            <span className="text-soft">Change within 21 sessions</span>{' '}
            <span className="font-medium tabular-nums">{formatPercent(current.changePointProbability, 0)}</span>
          </li>
        </ul>
      )}
      <LineChart
        label="Price with its regimes"
        days={days}
        lines={[{ name: 'Price', values, look: 'main' }]}
        bands={bands}
        height={300}
        isLog
      />
      <div className="mt-4">
        <LineChart
          label="Filtered probabilities"
          days={days}
          lines={[
            { name: 'Bear', values: data.bear.slice(from), look: 'main' },
            { name: 'Bull', values: data.bull.slice(from), look: 'dashed' },
            { name: 'Change point', values: data.changePoint.slice(from), look: 'faint' },
          ]}
          height={170}
          format={(value) => formatPercent(value, 0)}
          formatTick={(value) => formatPercent(value, 0)}
        />
      </div>
    </Panel>
  );
}

function StatesPanel({ data }: { data: Regimes }) {
  const fit = data.fits.at(-1);
  return (
    <Panel
      title="What the states are"
      hint={
        fit &&
        `Fitted on ${formatDay(fit.fittedFrom)} to ${formatDay(fit.fittedThrough)}, one of ${plural(data.fits.length, 'fit')}; named by volatility, calmest first.`
      }
      footer={<ReadingFoot unit="a year" reading={data} route={getRegimes} />}
      flush
    >
      <DataTable
        label="States"
        columns={STATE_COLUMNS}
        rows={fit?.states ?? []}
        rowKey={(row) => row.state}
        empty="No fit."
      />
      <div className="border-t border-line">
        <DataTable
          label="What other methods say"
          columns={METHOD_COLUMNS}
          rows={data.comparison}
          rowKey={(row) => row.method}
          empty="Nothing to compare."
        />
      </div>
    </Panel>
  );
}

const STATE_COLUMNS: Column<Regimes['fits'][number]['states'][number]>[] = [
  { key: 'state', header: 'State', cell: (row) => STATE_WORDS[row.state] },
  { key: 'vol', header: 'Volatility', isNumber: true, cell: (row) => formatPercent(row.volatilityAnnual) },
  { key: 'mean', header: 'Mean', isNumber: true, cell: (row) => formatPercent(row.meanAnnual) },
  { key: 'stay', header: 'Stays', isNumber: true, cell: (row) => `${formatCount(row.stayDays)} days` },
  { key: 'share', header: 'Of all days', isNumber: true, cell: (row) => formatPercent(row.longRunShare, 0) },
];

const METHOD_COLUMNS: Column<Regimes['comparison'][number]>[] = [
  { key: 'method', header: 'Method', cell: (row) => modelWords(row.method) },
  { key: 'now', header: 'Says now', cell: (row) => (row.current ? STATE_WORDS[row.current] : '–') },
  { key: 'switches', header: 'Switches a year', isNumber: true, cell: (row) => formatNumber(row.switchesPerYear, 1) },
  { key: 'agreement', header: 'Same days', isNumber: true, cell: (row) => formatPercent(row.agreement, 0) },
];

function SkillPanel({ data }: { data: Regimes }) {
  return (
    <Panel
      title="How good it is where the truth is known"
      hint="Measured on simulated markets; on real ones nobody knows the true state."
      flush
    >
      <DataTable
        label="Skill"
        columns={SKILL_COLUMNS}
        rows={data.skill}
        rowKey={(row) => row.simulator}
        empty="Not measured."
      />
    </Panel>
  );
}

const SKILL_COLUMNS: Column<Regimes['skill'][number]>[] = [
  { key: 'simulator', header: 'Market', cell: (row) => <span className="block min-w-36">{row.simulator}</span> },
  {
    key: 'accuracy',
    header: 'Balanced accuracy',
    isNumber: true,
    cell: (row) => (
      <span className="tabular-nums">
        {formatNumber(row.balancedAccuracy, 3)}
        <span className="block text-xs text-soft">best possible {formatNumber(row.oracleAccuracy, 3)}</span>
      </span>
    ),
  },
  {
    key: 'lag',
    header: 'Lag',
    isNumber: true,
    cell: (row) => (
      <span className="tabular-nums">
        {formatCount(row.lagDaysMedian)} days
        <span className="block text-xs text-soft">nine of ten: {formatCount(row.lagDaysNinety)}</span>
      </span>
    ),
  },
  { key: 'missed', header: 'Missed', isNumber: true, cell: (row) => formatPercent(row.missedShare) },
  {
    key: 'false',
    header: 'False switches a year',
    isNumber: true,
    cell: (row) => formatNumber(row.falseSwitchesPerYear, 1),
  },
];

function RecordsPanel({ data }: { data: Regimes }) {
  const subject = useSubject();
  const known = useKnownTime();
  const refusal = useRefusal('task:write');
  const { query, items } = usePages(['listRegimeRecords', 'pages', subject], (cursor) =>
    client.call(listRegimeRecords, { params: subject, query: { cursor, limit: 20 } }),
  );
  const seal = useMutation({
    mutationFn: () => client.call(sealRegime, { params: subject, body: known }),
    onSuccess: refreshAll,
  });
  return (
    <Panel
      title="On record"
      hint="What was said then, beside what is said now of the same day. A record is never changed."
      actions={
        <Button refusal={refusal} isBusy={seal.isPending} onClick={() => seal.mutate()}>
          Put {formatDay(data.current?.day)} on record
        </Button>
      }
      flush
    >
      {seal.error && (
        <div className="p-4">
          <ProblemNotice error={seal.error} />
        </div>
      )}
      <QueryView query={query}>
        {() => (
          <>
            <DataTable
              label="Regime records"
              columns={RECORD_COLUMNS}
              rows={items ?? []}
              rowKey={(row) => row.id}
              empty={<Note>Nothing was put on record yet. A schedule can do it after every refresh.</Note>}
            />
            <MoreRows query={query} />
          </>
        )}
      </QueryView>
    </Panel>
  );
}

const RECORD_COLUMNS: Column<RegimeMemory>[] = [
  { key: 'day', header: 'Day', cell: (row) => formatDay(row.day) },
  { key: 'then', header: 'Said then', cell: (row) => STATE_WORDS[row.state] },
  {
    key: 'now',
    header: 'Said now',
    cell: (row) => (
      <span className="inline-flex items-center gap-2">
        {row.now.state ? STATE_WORDS[row.now.state] : '–'}
        {row.differs && <Badge tone="warn">differs</Badge>}
      </span>
    ),
  },
  { key: 'at', header: 'Put on record', isWide: true, cell: (row) => formatInstant(row.sealedAt) },
  {
    key: 'seal',
    header: 'Seal',
    isWide: true,
    cell: (row) => (
      <span className="inline-flex items-center gap-2">
        <Hash value={row.recordSha256} />
        {!row.isSealIntact && <Badge tone="bad">broken</Badge>}
      </span>
    ),
  },
];
