import { useMutation, useQuery } from '@tanstack/react-query';
import {
  type Anomalies,
  type Anomaly,
  type AnomalyCase,
  getAnomalies,
  judgeAnomalyCase,
  listAnomalyCases,
  sealAnomalies,
} from '@touchstone/contracts/anomalies';
import { useMemo, useState } from 'react';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { LineChart } from '../../components/line-chart.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { ReadingFoot, SuspectDays } from '../../components/reading-foot.tsx';
import { Badge, Button, Empty, Note, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatCount, formatDay, formatNumber, formatPercent } from '../../lib/format.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { closesOn, useCloses } from './closes.ts';
import { SubjectFrame, useSubject } from './subject-frame.tsx';

type Detector = Anomalies['detectors'][number];
const MARKS_MAX = 60;
const ROWS_AT_FIRST = 12;

export function AnomaliesPage() {
  const subject = useSubject();
  const known = useKnownTime();
  const query = useQuery(apiQuery(getAnomalies, { params: subject, query: known }));
  return (
    <SubjectFrame about="What was unusual against its own past. Each detector is told with the false alarms it has given.">
      <QueryView query={query} lines={12}>
        {(data) => <AnomaliesDetail data={data} />}
      </QueryView>
    </SubjectFrame>
  );
}

function AnomaliesDetail({ data }: { data: Anomalies }) {
  const subject = useSubject();
  const closes = useCloses(subject, data.basis);
  const marked = data.items.slice(0, MARKS_MAX);
  const marks = useMemo(() => {
    const values = closesOn(
      marked.map(({ day }) => day),
      closes,
    );
    return marked.flatMap(({ day, sentence }, index) => {
      const value = values[index];
      return typeof value === 'number' ? [{ day, value, label: sentence }] : [];
    });
  }, [marked, closes]);
  if (data.reason !== null) return <Empty title="Nothing can be told.">{data.reason.sentence}</Empty>;
  return (
    <>
      <SuspectDays reading={data} />
      <div className="grid min-w-0 gap-4">
        <Panel
          title="Marked on the price"
          hint={data.note}
          footer={<ReadingFoot unit="price, log scale" reading={data} route={getAnomalies} />}
        >
          {closes ? (
            <LineChart
              label="Price with the days of alarms"
              days={closes.days}
              lines={[{ name: 'Price', values: closes.values, look: 'main' }]}
              marks={marks}
              isLog
            />
          ) : (
            <Empty title="No prices." />
          )}
        </Panel>
        <Panel
          title="Detectors"
          hint="On real prices nobody knows which alarm is true, so every one counts as false until it is judged."
          footer={<ReadingFoot unit="alarms a year" reading={data} route={getAnomalies} />}
          flush
        >
          <DataTable
            label="Detectors"
            columns={DETECTORS}
            rows={data.detectors}
            rowKey={(row) => row.detector}
            empty="No detector works here."
          />
        </Panel>
        <div className="grid min-w-0 gap-4 xl:grid-cols-2 xl:items-start">
          <AlarmsPanel items={data.items} />
          <CasesPanel />
        </div>
      </div>
    </>
  );
}

function AlarmsPanel({ items }: { items: readonly Anomaly[] }) {
  const [isWhole, setIsWhole] = useState(false);
  return (
    <Panel title="Alarms" hint="Newest first." flush>
      <DataTable
        label="Alarms"
        columns={ALARMS}
        rows={isWhole ? items : items.slice(0, ROWS_AT_FIRST)}
        rowKey={(row) => `${row.day} ${row.detector}`}
        empty="None was detected."
      />
      {items.length > ROWS_AT_FIRST && (
        <div className="border-t border-line px-1 py-1">
          <Button look="quiet" aria-expanded={isWhole} onClick={() => setIsWhole(!isWhole)}>
            {isWhole ? 'Show the newest only' : `Show all ${items.length}`}
          </Button>
        </div>
      )}
    </Panel>
  );
}

const DETECTORS: Column<Detector>[] = [
  { key: 'detector', header: 'Detector', cell: (row) => row.label },
  {
    key: 'today',
    header: 'Last day',
    isNumber: true,
    cell: (row) =>
      row.reason === null ? (
        `${formatNumber(row.scoreToday, 1)} of ${formatNumber(row.threshold, 1)}`
      ) : (
        <span className="block max-w-56 text-left text-xs whitespace-normal text-soft">{row.reason.sentence}</span>
      ),
  },
  {
    key: 'rate',
    header: 'Alarms a year',
    isNumber: true,
    cell: (row) => (
      <span className="tabular-nums">
        {formatNumber(row.alarmsPerYear, 1)}
        <span className="block text-xs text-soft">tuned to {formatNumber(row.alarmsPerYearMax, 0)} at most</span>
      </span>
    ),
  },
  { key: 'years', header: 'Measured on', isNumber: true, isWide: true, cell: (row) => yearsText(row.measuredYears) },
  { key: 'count', header: 'Alarms', isNumber: true, isWide: true, cell: (row) => formatCount(row.alarmCount) },
  {
    key: 'confirmed',
    header: 'Confirmed',
    isNumber: true,
    cell: (row) =>
      row.confirmedShare === null ? 'none judged' : `${formatPercent(row.confirmedShare, 0)} of ${row.judgedCount}`,
  },
];

function yearsText(years: number | null): string {
  return years === null ? '–' : `${formatNumber(years, 1)} years`;
}

const ALARMS: Column<Anomaly>[] = [
  { key: 'day', header: 'Day', cell: (row) => <span className="whitespace-nowrap">{formatDay(row.day)}</span> },
  { key: 'what', header: 'What', cell: (row) => <span className="block min-w-48">{row.sentence}</span> },
  {
    key: 'score',
    header: 'Score',
    isNumber: true,
    isWide: true,
    cell: (row) => `${formatNumber(row.score, 1)} of ${formatNumber(row.threshold, 1)}`,
  },
  { key: 'state', header: 'Case', cell: (row) => <CaseState state={row.state} /> },
];

function CaseState({ state }: { state: Anomaly['state'] }) {
  if (state === null) return <span className="text-xs text-soft">not on record</span>;
  if (state === 'open') return <Badge tone="warn">open</Badge>;
  return <Badge>{state === 'false' ? 'false alarm' : 'confirmed'}</Badge>;
}

function CasesPanel() {
  const subject = useSubject();
  const known = useKnownTime();
  const refusal = useRefusal('task:write');
  const cases = useQuery(
    apiQuery(listAnomalyCases, { query: { subjectKind: subject.kind, subjectId: subject.id, limit: 50 } }),
  );
  const seal = useMutation({
    mutationFn: () => client.call(sealAnomalies, { params: subject, body: { ...known, sessions: 21 } }),
    onSuccess: refreshAll,
  });
  return (
    <Panel
      title="On record"
      hint="Judge an alarm, and its detector is told with the share that was real."
      actions={
        <Button refusal={refusal} isBusy={seal.isPending} onClick={() => seal.mutate()}>
          Open cases for the last month
        </Button>
      }
      flush
    >
      {seal.error && (
        <div className="p-4">
          <ProblemNotice error={seal.error} />
        </div>
      )}
      <QueryView query={cases}>
        {(page) => (
          <DataTable
            label="Cases"
            columns={CASES}
            rows={page.items}
            rowKey={(row) => row.id}
            empty={<Note>No alarm of it is on record yet.</Note>}
          />
        )}
      </QueryView>
    </Panel>
  );
}

const CASES: Column<AnomalyCase>[] = [
  { key: 'day', header: 'Day', cell: (row) => formatDay(row.day) },
  { key: 'detector', header: 'Detector', cell: (row) => row.detector.replace('_', ' ') },
  { key: 'state', header: 'State', cell: (row) => <CaseState state={row.state} /> },
  { key: 'judge', header: 'Judge', cell: (row) => <Judge of={row} /> },
];

function Judge({ of }: { of: AnomalyCase }) {
  const refusal = useRefusal('portfolio:write');
  const judge = useMutation({
    mutationFn: (state: 'confirmed' | 'false') =>
      client.call(judgeAnomalyCase, { params: { caseId: of.id }, body: { state, version: of.version } }),
    onSuccess: refreshAll,
  });
  return (
    <span className="flex flex-wrap gap-1">
      {(['confirmed', 'false'] as const).map((state) => (
        <Button
          key={state}
          look="quiet"
          refusal={refusal}
          isBusy={judge.isPending}
          disabled={of.state === state}
          onClick={() => judge.mutate(state)}
        >
          {state === 'confirmed' ? 'Real' : 'False alarm'}
        </Button>
      ))}
      {judge.error && <ProblemNotice error={judge.error} />}
    </span>
  );
}
