import { useQuery } from '@tanstack/react-query';
import { listBars } from '@touchstone/contracts/data';
import { getPatterns, type PatternMark, type PatternRecord } from '@touchstone/contracts/patterns';
import type { Answer } from '@touchstone/contracts/route';
import { lazy, Suspense, useMemo, useState } from 'react';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Segments } from '../../components/index-levels.tsx';
import { LineChart } from '../../components/line-chart.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { ReadingFoot, SuspectDays } from '../../components/reading-foot.tsx';
import { Badge, Button, Empty, Loading, Panel } from '../../components/ui.tsx';
import { formatCount, formatDay, formatNumber, formatPercent, plural } from '../../lib/format.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery } from '../../lib/query.ts';
import { useCloses } from './closes.ts';
import { kindWords, pWords } from './market-words.ts';
import { SubjectFrame, useSubject } from './subject-frame.tsx';

const CandleChart = lazy(() => import('../../components/candle-chart.tsx'));

type Patterns = Answer<typeof getPatterns>;
const ROWS_AT_FIRST = 15;
const CANDLES_MARKED = 40;

export function PatternsPage() {
  const subject = useSubject();
  const known = useKnownTime();
  const query = useQuery(apiQuery(getPatterns, { params: subject, query: known }));
  return (
    <SubjectFrame about="Shapes in the price, each marked on the bar where it could first be told, with what followed its kind before.">
      <QueryView query={query} lines={12}>
        {(data) => <PatternsDetail data={data} />}
      </QueryView>
    </SubjectFrame>
  );
}

function PatternsDetail({ data }: { data: Patterns }) {
  const [shown, setShown] = useState<'patterns' | 'candles'>('patterns');
  const marks = shown === 'patterns' ? data.patterns : data.candles;
  const reason = shown === 'patterns' ? data.reasons.patterns : data.reasons.candles;
  return (
    <>
      <SuspectDays reading={data} />
      <div className="grid min-w-0 gap-4">
        <MarksPanel data={data} marks={marks} shown={shown} setShown={setShown} reason={reason?.sentence ?? null} />
        <RecordsPanel data={data} />
        <ChangePointsPanel data={data} />
      </div>
    </>
  );
}

function MarksPanel(props: {
  data: Patterns;
  marks: readonly PatternMark[];
  shown: 'patterns' | 'candles';
  setShown: (shown: 'patterns' | 'candles') => void;
  reason: string | null;
}) {
  const { data, marks, shown, setShown, reason } = props;
  const subject = useSubject();
  const known = useKnownTime();
  const bars = useQuery({
    ...apiQuery(listBars, { params: { instrumentId: subject.id }, query: { ...known, basis: basisOf(data.basis) } }),
    enabled: subject.kind === 'instrument',
  });
  return (
    <Panel
      title={shown === 'patterns' ? 'Chart patterns' : 'Candles'}
      hint={
        marks.length === 0
          ? undefined
          : `${plural(marks.length, 'mark')}; nothing after the bar of confirmation was used to see it.`
      }
      actions={
        <Segments
          label="Shown"
          options={[
            { label: 'Chart patterns', isOn: shown === 'patterns', choose: () => setShown('patterns') },
            { label: 'Candles', isOn: shown === 'candles', choose: () => setShown('candles') },
          ]}
        />
      }
      footer={<ReadingFoot unit="price" reading={data} route={getPatterns} />}
      flush
    >
      <div className="px-4 pb-3">
        {subject.kind === 'index' ? (
          <LevelChart data={data} marks={marks} />
        ) : (
          <QueryView query={bars} lines={11}>
            {(told) => (
              <Suspense fallback={<Loading lines={11} />}>
                <CandleChart
                  bars={told.items}
                  look="candles"
                  label="Daily prices with the patterns marked; the table below has them in words"
                  drawings={drawingsOf(marks.slice(-CANDLES_MARKED))}
                />
              </Suspense>
            )}
          </QueryView>
        )}
      </div>
      <MarkTable marks={marks} empty={reason ?? 'None was confirmed in the last year.'} />
    </Panel>
  );
}

/** Levels have no candles: a line, with a mark at each confirmation. */
function LevelChart({ data, marks }: { data: Patterns; marks: readonly PatternMark[] }) {
  const subject = useSubject();
  const closes = useCloses(subject, data.basis);
  const from = closes?.days.findIndex((day) => day >= (marks[0]?.firstDay ?? '9')) ?? -1;
  const start = from < 0 ? Math.max(0, (closes?.days.length ?? 0) - 252) : Math.max(0, from - 20);
  const days = closes?.days.slice(start) ?? [];
  const values = closes?.values.slice(start) ?? [];
  const places = marks.flatMap((mark) => {
    const value = values[days.indexOf(mark.confirmationDay)];
    return typeof value === 'number' ? [{ day: mark.confirmationDay, value, label: mark.name }] : [];
  });
  return (
    <LineChart
      label="Level with the patterns marked"
      days={days}
      lines={[{ name: 'Level', values, look: 'main' }]}
      marks={places}
    />
  );
}

function drawingsOf(marks: readonly PatternMark[]) {
  return marks.map((mark) => ({
    day: mark.confirmationDay,
    label: mark.name,
    isUp: mark.direction !== 'down',
    points: mark.points.map(({ day, price }) => ({ day, value: price })),
    lines: mark.lines.map(({ from, to }) => ({
      from: { day: from.day, value: from.price },
      to: { day: to.day, value: to.price },
    })),
  }));
}

function basisOf(basis: Patterns['basis']) {
  return basis === null || basis === 'level' ? undefined : basis;
}

function MarkTable({ marks, empty }: { marks: readonly PatternMark[]; empty: string }) {
  const [isWhole, setIsWhole] = useState(false);
  const newestFirst = useMemo(() => marks.toReversed(), [marks]);
  return (
    <div className="border-t border-line">
      <DataTable
        label="Marks, newest first"
        columns={MARKS}
        rows={isWhole ? newestFirst : newestFirst.slice(0, ROWS_AT_FIRST)}
        rowKey={(row) => `${row.kind} ${row.direction} ${row.firstDay} ${row.confirmationDay}`}
        empty={empty}
      />
      {marks.length > ROWS_AT_FIRST && (
        <div className="border-t border-line px-1 py-1">
          <Button look="quiet" aria-expanded={isWhole} onClick={() => setIsWhole(!isWhole)}>
            {isWhole ? 'Show the newest only' : `Show all ${marks.length}`}
          </Button>
        </div>
      )}
    </div>
  );
}

function directionWords(direction: PatternMark['direction']): string {
  return direction === 'none' ? 'either way' : direction;
}

const MARKS: Column<PatternMark>[] = [
  {
    key: 'day',
    header: 'Confirmed',
    cell: (row) => <span className="whitespace-nowrap">{formatDay(row.confirmationDay)}</span>,
  },
  {
    key: 'name',
    header: 'Pattern',
    cell: (row) => (
      <span className="inline-flex items-center gap-2 whitespace-nowrap">
        {row.name} <Badge>{directionWords(row.direction)}</Badge>
      </span>
    ),
  },
  { key: 'from', header: 'From', isWide: true, cell: (row) => formatDay(row.firstDay) },
  {
    key: 'record',
    header: 'What followed its kind',
    cell: (row) => <span className="block min-w-56">{row.record.sentence}</span>,
  },
];

function RecordsPanel({ data }: { data: Patterns }) {
  const [isWhole, setIsWhole] = useState(false);
  const sorted = data.records.toSorted((one, other) => (one.adjustedP ?? 2) - (other.adjustedP ?? 2));
  const told = sorted.filter(({ isTold }) => isTold).length;
  return (
    <Panel
      title="What followed each kind"
      hint={`${told === 0 ? 'Not one kind' : plural(told, 'kind')} of ${formatCount(data.scope.testCount)} tested together can be told from nothing at a false-discovery rate of 5 %. ${data.scope.sentence}`}
      footer={
        <>
          <ReadingFoot unit="share of cases" reading={data} route={getPatterns} />
          <span>
            {data.scope.name ?? 'the subject alone'}, {formatDay(data.scope.firstDay)} to{' '}
            {formatDay(data.scope.lastDay)}, {formatCount(data.scope.barCount)} bars
          </span>
        </>
      }
      flush
    >
      <DataTable
        label="Records"
        columns={RECORDS}
        rows={isWhole ? sorted : sorted.slice(0, ROWS_AT_FIRST)}
        rowKey={(row) => `${row.kind} ${row.direction}`}
        empty="No kind occurred."
      />
      {sorted.length > ROWS_AT_FIRST && (
        <div className="border-t border-line px-1 py-1">
          <Button look="quiet" aria-expanded={isWhole} onClick={() => setIsWhole(!isWhole)}>
            {isWhole ? 'Show the first only' : `Show all ${sorted.length}`}
          </Button>
        </div>
      )}
    </Panel>
  );
}

const RECORDS: Column<PatternRecord>[] = [
  {
    key: 'kind',
    header: 'Kind',
    cell: (row) => (
      <span className="inline-flex items-center gap-2 whitespace-nowrap">
        {kindWords(row.kind)} <Badge>{directionWords(row.direction)}</Badge>
      </span>
    ),
  },
  { key: 'n', header: 'Cases', isNumber: true, cell: (row) => formatCount(row.sampleCount) },
  {
    key: 'rate',
    header: 'Went its way',
    isNumber: true,
    cell: (row) => (
      <span className="tabular-nums">
        {formatPercent(row.baseRate)}
        <span className="block text-xs text-soft">all days {formatPercent(row.unconditionalRate)}</span>
      </span>
    ),
  },
  { key: 'lift', header: 'Lift', isNumber: true, cell: (row) => formatNumber(row.lift, 2) },
  {
    key: 'difference',
    header: 'Difference, 95 %',
    isNumber: true,
    isWide: true,
    cell: (row) =>
      row.low === null ? (
        <span className="text-xs text-soft">{row.reason?.sentence ?? 'too few cases'}</span>
      ) : (
        `${formatPercent(row.low)} to ${formatPercent(row.high)}`
      ),
  },
  { key: 'p', header: 'Adjusted p', isNumber: true, cell: (row) => pWords(row.adjustedP) },
  {
    key: 'told',
    header: '',
    cell: (row) =>
      row.isTold ? <Badge tone="accent">told apart</Badge> : <span className="text-xs text-soft">not told</span>,
  },
];

function ChangePointsPanel({ data }: { data: Patterns }) {
  const { changePoints, reasons } = data;
  return (
    <Panel
      title="Change points"
      hint="Days on which drift and size of returns changed, seen from the end; and when they could first be told."
      footer={<ReadingFoot unit="a year" reading={data} route={getPatterns} />}
      flush
    >
      {changePoints.length === 0 ? (
        <Empty title={reasons.changePoints?.sentence ?? 'None.'} />
      ) : (
        <DataTable
          label="Change points"
          columns={CHANGES}
          rows={changePoints.toReversed()}
          rowKey={(row) => row.day}
          empty="None."
        />
      )}
    </Panel>
  );
}

const CHANGES: Column<Patterns['changePoints'][number]>[] = [
  { key: 'day', header: 'Changed', cell: (row) => formatDay(row.day) },
  { key: 'told', header: 'Could be told', cell: (row) => (row.tellableDay ? formatDay(row.tellableDay) : 'not yet') },
  {
    key: 'vol',
    header: 'Volatility',
    isNumber: true,
    cell: (row) => `${formatPercent(row.before.volatilityAnnual)} → ${formatPercent(row.after.volatilityAnnual)}`,
  },
  {
    key: 'mean',
    header: 'Mean',
    isNumber: true,
    cell: (row) => `${formatPercent(row.before.meanAnnual)} → ${formatPercent(row.after.meanAnnual)}`,
  },
];
