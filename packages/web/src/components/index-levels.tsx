import { getIndexLevels, type IndexLevels } from '@touchstone/contracts/indexes';
import { useMemo, useState } from 'react';
import { addMonths } from '../lib/day.ts';
import { formatDay } from '../lib/format.ts';
import { type Line, LineChart } from './line-chart.tsx';
import { Note, Panel } from './ui.tsx';
import { Provenance } from './where-from.tsx';

const SPANS = [
  ['All', null],
  ['5 years', 60],
  ['1 year', 12],
] as const;

/** The index and everything it is held against, on one scale. */
export function IndexLevelsPanel({ data, benchmarkName }: { data: IndexLevels; benchmarkName: string | null }) {
  const [isLog, setIsLog] = useState(true);
  const [span, setSpan] = useState<number | null>(null);
  const { days, lines } = useMemo(() => cut(data, benchmarkName, span), [data, benchmarkName, span]);
  return (
    <Panel
      title="Level"
      hint={data.hypothetical}
      actions={
        <>
          <Segments
            label="Span"
            options={SPANS.map(([label, months]) => ({ label, isOn: span === months, choose: () => setSpan(months) }))}
          />
          <Segments
            label="Scale"
            options={[
              { label: 'Log', isOn: isLog, choose: () => setIsLog(true) },
              { label: 'Linear', isOn: !isLog, choose: () => setIsLog(false) },
            ]}
          />
        </>
      }
      footer={
        <Provenance
          unit={`Level in ${data.currency}, ${data.days[0] ? `${data.level[0]} on ${formatDay(data.days[0])}, ` : ''}${isLog ? 'log' : 'linear'} scale`}
          time={data.time}
          route={getIndexLevels}
          run={data.run}
        />
      }
    >
      {days.length === 0 ? (
        <p className="py-10 text-center text-soft">Nothing of this index was known at that moment.</p>
      ) : (
        <LineChart label="Index level beside its baselines" days={days} lines={lines} isLog={isLog} height={340} />
      )}
      {data.survivorship && (
        <div className="mt-3">
          <Note tone="warn">{data.survivorship}</Note>
        </div>
      )}
    </Panel>
  );
}

function cut(
  data: IndexLevels,
  benchmarkName: string | null,
  months: number | null,
): { days: string[]; lines: Line[] } {
  const lastDay = data.days.at(-1);
  const firstDay = months === null || lastDay === undefined ? '' : addMonths(lastDay, -months);
  const start = Math.max(
    0,
    data.days.findIndex((day) => day >= firstDay),
  );
  const from = <T,>(values: readonly T[]) => values.slice(start);
  const lines: Line[] = [
    { name: 'Index', values: from(data.level), look: 'main', note: 'After costs.' },
    { name: 'Equal weight', values: from(data.equalWeight), look: 'dashed', note: 'Same universe, same costs.' },
    { name: 'Buy & hold', values: from(data.buyAndHold), look: 'dotted', note: 'Bought once, same costs.' },
  ];
  if (data.benchmark)
    lines.splice(1, 0, { name: benchmarkName ?? 'Benchmark', values: from(data.benchmark), look: 'solid' });
  return { days: from(data.days), lines };
}

type Segment = { label: string; isOn: boolean; choose: () => void };

export function Segments({ label, options }: { label: string; options: readonly Segment[] }) {
  return (
    <fieldset className="inline-flex rounded border border-line bg-well p-0.5">
      <legend className="sr-only">{label}</legend>
      {options.map((option) => (
        <button
          key={option.label}
          type="button"
          aria-pressed={option.isOn}
          onClick={option.choose}
          className={`rounded-sm px-2 py-0.5 text-xs ${option.isOn ? 'bg-sheet font-medium text-ink shadow-xs' : 'text-soft hover:text-ink'}`}
        >
          {option.label}
        </button>
      ))}
    </fieldset>
  );
}
