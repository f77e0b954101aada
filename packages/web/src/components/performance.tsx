import { getIndexPerformance, type Performance } from '@touchstone/contracts/indexes';
import { formatDay, formatInterval, formatMetric, formatPlain, plural } from '../lib/format.ts';
import { type Metric, MetricName, MetricValue } from './metric.tsx';
import { Panel } from './ui.tsx';
import { Provenance } from './where-from.tsx';

const COLUMN_NOTES: Record<Performance['columns'][number]['name'], string> = {
  index: 'After costs, filled at the close the decision is made on.',
  index_next_close: 'After costs, filled one close later: what a slower trader would have got.',
  equal_weight: 'Every name of the universe alike, rebalanced at the same days, same costs.',
  buy_and_hold: 'Every name of the universe alike, bought once, same costs.',
  benchmark: 'The instrument the index is held against.',
};

/** Every figure of the index beside the same figure of its baselines. */
export function PerformanceTable({ data }: { data: Performance }) {
  const names = [
    ...new Map(data.columns.flatMap((column) => column.metrics).map((metric) => [metric.name, metric])).values(),
  ];
  return (
    <section className="relative overflow-x-auto" aria-label="Figures of the index and its baselines">
      <table className="w-full border-collapse text-sm">
        <thead>
          <tr className="border-b border-line text-xs text-soft">
            <th scope="col" className="py-1.5 pl-4 text-left font-medium">
              Figure
            </th>
            {data.columns.map((column) => (
              <th
                key={column.name}
                scope="col"
                title={COLUMN_NOTES[column.name]}
                className={`px-2.5 py-1.5 text-right font-medium whitespace-nowrap last:pr-4 ${column.name === 'index' ? 'text-accent' : ''}`}
              >
                {column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {names.map((named) => (
            <tr key={named.name} className="border-b border-line align-top last:border-b-0 hover:bg-well/60">
              <th scope="row" className="py-1.5 pr-3 pl-4 text-left font-normal">
                <MetricName metric={named} />
              </th>
              {data.columns.map((column) => (
                <td key={column.name} className="min-w-24 px-2.5 py-1.5 text-right last:pr-4">
                  <MetricValue metric={columnMetric(column, named.name)} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** What is measured against the benchmark has no value for the benchmark itself: there is one, it is this column. */
function columnMetric(column: Performance['columns'][number], name: string): Metric | undefined {
  const metric = column.metrics.find((candidate) => candidate.name === name);
  const isAgainstItself =
    column.name === 'benchmark' && metric?.value === null && metric.reason === 'no benchmark given';
  return isAgainstItself ? { ...metric, reason: 'is the benchmark' } : metric;
}

/** Same-day differences to each baseline: the figures a claim of being better rests on. */
export function DifferencesTable({ data }: { data: Performance }) {
  const labels = new Map<string, string>(data.columns.map((column) => [column.name, column.label]));
  return (
    <section className="relative overflow-x-auto" aria-label="Differences to the baselines">
      <table className="w-full border-collapse text-sm">
        <thead>
          <tr className="border-b border-line text-left text-xs text-soft">
            <th scope="col" className="py-1.5 pl-4 font-medium">
              Index less
            </th>
            <th scope="col" className="px-2.5 py-1.5 font-medium">
              Figure
            </th>
            <th scope="col" className="px-2.5 py-1.5 text-right font-medium">
              Difference
            </th>
            <th scope="col" className="px-2.5 py-1.5 pr-4 font-medium">
              Verdict
            </th>
          </tr>
        </thead>
        <tbody>
          {data.differences.map(({ against, metric }) => (
            <tr key={against + metric.name} className="border-b border-line align-top last:border-b-0">
              <th scope="row" className="py-1.5 pl-4 text-left font-normal">
                {labels.get(against) ?? against}
              </th>
              <td className="px-2.5 py-1.5">
                <MetricName metric={metric} />
              </td>
              <td className="px-2.5 py-1.5 text-right">
                <MetricValue metric={metric} />
              </td>
              <td className="min-w-40 px-2.5 py-1.5 pr-4 text-soft">{verdict(metric)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function verdict(metric: Metric): string {
  if (metric.value === null || metric.interval === null) return 'Not resolvable with this much data.';
  const [low, high] = metric.interval;
  if (low > 0) return 'Above zero at 95 %.';
  return high < 0 ? 'Below zero at 95 %.' : 'The interval holds zero: no difference shown.';
}

export function PerformancePanels({ data }: { data: Performance }) {
  const foot = <PerformanceFoot data={data} />;
  return (
    <>
      <Panel title="Performance" hint={`${data.hypothetical} Under each figure its 95 % interval.`} footer={foot} flush>
        <PerformanceTable data={data} />
      </Panel>
      {data.differences.length > 0 && (
        <Panel
          title="Differences to the baselines"
          hint="Paired by day, so that what moves both cancels out."
          footer={foot}
          flush
        >
          <DifferencesTable data={data} />
        </Panel>
      )}
    </>
  );
}

export function PerformanceFoot({ data }: { data: Performance }) {
  return (
    <>
      <span>
        {formatDay(data.firstDay)} to {formatDay(data.lastDay)}
      </span>
      <span>cost {formatPlain(data.costBasisPoints)} bp one way</span>
      <span>{plural(data.trialCount, 'trial')} on this data</span>
      <Provenance unit="figures in their own units" time={data.time} route={getIndexPerformance} run={data.run} />
    </>
  );
}

const HEADLINES = 5;
/** Most telling first; the rest follow in the order of the server. */
const TELLING = [
  /cagr|annual.*return|return.*annual|growth/i,
  /volatil/i,
  /sharpe/i,
  /draw/i,
  /turnover|calmar|sortino|total.*return/i,
];

/** Five figures of the index, each with its interval and what the baselines made of the same days. */
export function Headlines({ data }: { data: Performance }) {
  const own = data.columns.find((column) => column.name === 'index');
  const others = data.columns.filter((column) => column.name !== 'index' && column.name !== 'index_next_close');
  const chosen = chooseHeadlines(own?.metrics ?? []);
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden bg-line sm:grid-cols-3 xl:grid-cols-5">
      {chosen.map((metric) => (
        <div
          key={metric.name}
          className="bg-sheet px-4 py-3 last:max-sm:col-span-2 last:max-xl:sm:col-span-2 xl:last:col-span-1"
        >
          <dt className="text-sm text-soft" title={metric.definition}>
            {metric.label}
          </dt>
          <dd>
            <MetricValue metric={metric} isLarge />
            <ul className="mt-2 space-y-0.5 border-t border-line pt-1.5 text-xs text-soft">
              {others.map((column) => {
                const same = column.metrics.find((candidate) => candidate.name === metric.name);
                return (
                  <li
                    key={column.name}
                    className="flex justify-between gap-2"
                    title={same ? (same.reason ?? intervalNote(same)) : undefined}
                  >
                    <span className="truncate">{column.label}</span>
                    <span className="text-ink">{same ? formatMetric(same) : '–'}</span>
                  </li>
                );
              })}
            </ul>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function chooseHeadlines(metrics: readonly Metric[]): Metric[] {
  const chosen = new Set<Metric>();
  for (const pattern of TELLING) {
    const found = metrics.find((metric) => pattern.test(metric.name) || pattern.test(metric.label));
    if (found) chosen.add(found);
  }
  for (const metric of metrics) if (chosen.size < HEADLINES) chosen.add(metric);
  return [...chosen].slice(0, HEADLINES);
}

function intervalNote(metric: Metric): string | undefined {
  const interval = formatInterval(metric);
  return interval === null ? undefined : `95 % interval ${interval}`;
}
