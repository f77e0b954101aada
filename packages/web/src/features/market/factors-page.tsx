import { useQuery } from '@tanstack/react-query';
import { getFactors } from '@touchstone/contracts/factors';
import type { Answer } from '@touchstone/contracts/route';
import { useState } from 'react';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { CheckField } from '../../components/form.tsx';
import { Segments } from '../../components/index-levels.tsx';
import { MeasuredFigure, measuredOver } from '../../components/measured.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { ReadingFoot, SuspectDays } from '../../components/reading-foot.tsx';
import { SignedBars } from '../../components/signed-bars.tsx';
import { Empty, Panel } from '../../components/ui.tsx';
import { formatCount, formatDay, formatNumber, formatPercent, words } from '../../lib/format.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery } from '../../lib/query.ts';
import { pWords } from './market-words.ts';
import { SubjectFrame, useSubject } from './subject-frame.tsx';

type Factors = Answer<typeof getFactors>;
type Factor = Factors['factors'][number];
const SETS = [
  ['style', 'Styles'],
  ['statistical', 'Components'],
] as const;
const HOLDINGS_MAX = 25;

export function FactorsPage() {
  const subject = useSubject();
  const known = useKnownTime();
  const [set, setSet] = useState<(typeof SETS)[number][0]>('style');
  const [excluded, setExcluded] = useState<readonly string[]>([]);
  const exclude = excluded.length === 0 ? undefined : excluded.join(',');
  const query = useQuery(apiQuery(getFactors, { params: subject, query: { ...known, set, exclude } }));
  return (
    <SubjectFrame about="What it is made of: its exposures, and whose part of its variance and return is whose.">
      <div className="mb-4 flex flex-wrap items-center gap-4">
        <Segments
          label="Factors"
          options={SETS.map(([one, label]) => ({
            label,
            isOn: set === one,
            choose: () => {
              setSet(one);
              setExcluded([]);
            },
          }))}
        />
        {query.data && (
          <Excluded
            names={[...query.data.factors.map(({ factor }) => factor), ...query.data.excluded]}
            excluded={excluded}
            onExcluded={setExcluded}
          />
        )}
      </div>
      <QueryView query={query} lines={12}>
        {(data) => <FactorsDetail data={data} />}
      </QueryView>
    </SubjectFrame>
  );
}

function Excluded(props: {
  names: readonly string[];
  excluded: readonly string[];
  onExcluded: (names: readonly string[]) => void;
}) {
  const { names, excluded, onExcluded } = props;
  return (
    <fieldset className="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm">
      <legend className="sr-only">Factors that are counted</legend>
      {[...new Set(names)].toSorted().map((name) => (
        <CheckField
          key={name}
          label={words(name)}
          isChecked={!excluded.includes(name)}
          onChecked={(isIn) => onExcluded(isIn ? excluded.filter((one) => one !== name) : [...excluded, name])}
        />
      ))}
    </fieldset>
  );
}

function FactorsDetail({ data }: { data: Factors }) {
  if (data.reason !== null) return <Empty title="Nothing can be told.">{data.reason.sentence}</Empty>;
  const window = `${formatCount(data.sessions)} sessions, ${formatDay(data.windowFirstDay)} to ${formatDay(data.windowLastDay)}`;
  return (
    <>
      <SuspectDays reading={data} />
      <div className="grid min-w-0 gap-4">
        <div className="grid min-w-0 gap-4 xl:grid-cols-3 xl:items-start">
          <Panel
            title="Variance"
            hint={`Volatility ${formatPercent(data.total.volatilityAnnual)} a year; the parts add up to all of it.`}
            footer={<ReadingFoot unit="share of the variance" reading={data} route={getFactors} />}
          >
            <SignedBars
              format={formatPercent}
              items={[
                ...data.factors.map((one) => ({ name: words(one.factor), value: one.varianceShare })),
                { name: 'Unexplained by linear factors', value: data.residual.varianceShare },
              ]}
            />
          </Panel>
          <Panel
            title="Return"
            hint={`Mean ${formatPercent(data.total.meanReturnAnnual)} a year; the parts add up to it.`}
            footer={<ReadingFoot unit="mean return a year" reading={data} route={getFactors} />}
          >
            <SignedBars
              format={formatPercent}
              items={[
                ...data.factors.map((one) => ({ name: words(one.factor), value: one.returnPart })),
                { name: 'Not of any factor', value: data.residual.returnPart },
              ]}
            />
          </Panel>
          <Panel
            title="Exposures"
            hint={window}
            footer={<ReadingFoot unit="coefficient, 95 % HAC" reading={data} route={getFactors} />}
          >
            <SignedBars
              format={(value) => formatNumber(value, 2)}
              items={data.factors.map((one) => ({
                name: words(one.factor),
                value: one.exposure,
                low: one.low,
                high: one.high,
              }))}
            />
          </Panel>
        </div>
        <Panel
          title="In words"
          hint={data.sentence}
          footer={
            <>
              <ReadingFoot unit="a year" reading={data} route={getFactors} />
              <span>fit over {measuredOver(data.fit)}</span>
            </>
          }
          flush
        >
          <dl className="flex flex-wrap gap-x-10 gap-y-3 px-4 pb-3 text-sm">
            <div>
              <dt className="text-soft">Not explained, a year</dt>
              <dd>
                <MeasuredFigure of={data.alpha} format={formatPercent} />
              </dd>
            </div>
            <div>
              <dt className="text-soft">R², out of sample</dt>
              <dd>
                <MeasuredFigure of={data.fit} format={(value) => formatNumber(value, 2)} />
              </dd>
            </div>
            <div>
              <dt className="text-soft">Factors from</dt>
              <dd>{data.universe?.name ?? words(data.set)}</dd>
            </div>
          </dl>
          <div className="border-t border-line">
            <DataTable
              label="Factors"
              columns={FACTORS}
              rows={data.factors}
              rowKey={(row) => row.factor}
              empty="Every factor is left out."
            />
          </div>
        </Panel>
        {data.holdings.length > 0 && <HoldingsPanel data={data} />}
      </div>
    </>
  );
}

const FACTORS: Column<Factor>[] = [
  { key: 'factor', header: 'Factor', cell: (row) => words(row.factor) },
  { key: 'about', header: 'How it is made', cell: (row) => <span className="block min-w-56">{row.about}</span> },
  {
    key: 'exposure',
    header: 'Exposure',
    isNumber: true,
    cell: (row) => (
      <span className="tabular-nums">
        {formatNumber(row.exposure, 2)}
        <span className="block text-xs text-soft">
          {formatNumber(row.low, 2)} to {formatNumber(row.high, 2)}
        </span>
      </span>
    ),
  },
  { key: 'p', header: 'p', isNumber: true, cell: (row) => pWords(row.pValue) },
];

function HoldingsPanel({ data }: { data: Factors }) {
  const rows = data.holdings.toSorted((one, other) => (other.riskShare ?? 0) - (one.riskShare ?? 0));
  return (
    <Panel
      title="Whose risk it is"
      hint={`The last holdings, by their part of the variance${rows.length > HOLDINGS_MAX ? `; the first ${HOLDINGS_MAX} of ${rows.length}` : ''}.`}
      footer={<ReadingFoot unit="share of the variance" reading={data} route={getFactors} />}
      flush
    >
      <DataTable
        label="Risk by holding"
        columns={HOLDINGS}
        rows={rows.slice(0, HOLDINGS_MAX)}
        rowKey={(row) => row.instrumentId}
        empty="No holdings."
      />
    </Panel>
  );
}

const HOLDINGS: Column<Factors['holdings'][number]>[] = [
  { key: 'symbol', header: 'Name', cell: (row) => row.symbol },
  { key: 'weight', header: 'Weight', isNumber: true, cell: (row) => formatPercent(row.weight) },
  { key: 'share', header: 'Part of the risk', isNumber: true, cell: (row) => formatPercent(row.riskShare) },
  { key: 'marginal', header: 'Marginal', isNumber: true, cell: (row) => formatPercent(row.marginalRisk) },
];
