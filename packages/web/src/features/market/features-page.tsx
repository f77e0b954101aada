import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type CatalogueEntry, getFeatureCatalogue, getFeatureSeries } from '@touchstone/contracts/features';
import type { Answer } from '@touchstone/contracts/route';
import { useMemo, useState } from 'react';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { SelectField, TextField } from '../../components/form.tsx';
import { LineChart } from '../../components/line-chart.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { ReadingFoot, SuspectDays } from '../../components/reading-foot.tsx';
import { Badge, Button, Empty, Note, Panel } from '../../components/ui.tsx';
import { formatCount, formatPlain, plural, words } from '../../lib/format.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery } from '../../lib/query.ts';
import { SubjectFrame, useSubject } from './subject-frame.tsx';

type Series = Answer<typeof getFeatureSeries>;
const CHOSEN_MAX = 6;
const ROWS_A_PAGE = 40;
const DRAWN_DAYS = 504;

/** The catalogue, and what any of it says of one instrument. */
export function FeaturesPage() {
  const subject = useSubject();
  const [chosen, setChosen] = useState<readonly string[]>(['rsi_14']);
  return (
    <SubjectFrame about="Every feature, with what it agrees with and how it stood the look-ahead canary.">
      {subject.kind === 'index' && (
        <div className="mb-4">
          <Note>
            Features are computed for instruments. Choose one to see values; the catalogue is the same for all.
          </Note>
        </div>
      )}
      <div className="grid min-w-0 gap-4">
        {subject.kind === 'instrument' && <SeriesPanel instrumentId={subject.id} chosen={chosen} />}
        <CataloguePanel chosen={chosen} onChosen={setChosen} />
      </div>
    </SubjectFrame>
  );
}

function SeriesPanel({ instrumentId, chosen }: { instrumentId: number; chosen: readonly string[] }) {
  const known = useKnownTime();
  const series = useQuery({
    ...apiQuery(getFeatureSeries, {
      query: { ...known, instrument: String(instrumentId), features: chosen.join(',') },
    }),
    enabled: chosen.length > 0,
  });
  return (
    <Panel
      title="Values"
      hint="As they could be known on each day, from the bars of the moment you look from."
      footer={series.data && <ReadingFoot unit="each in its own unit" reading={series.data} route={getFeatureSeries} />}
    >
      {chosen.length === 0 ? (
        <Empty title="Choose features below." />
      ) : (
        <QueryView query={series} lines={8}>
          {(data) => <SeriesCharts data={data} />}
        </QueryView>
      )}
    </Panel>
  );
}

function SeriesCharts({ data }: { data: Series }) {
  const from = Math.max(0, data.days.length - DRAWN_DAYS);
  const days = useMemo(() => data.days.slice(from), [data, from]);
  return (
    <>
      <SuspectDays reading={data} />
      <div className="grid gap-5">
        {data.columns.map((column) => (
          <div key={column.feature}>
            {column.reason === null ? (
              <LineChart
                label={`Values of ${column.feature}`}
                days={days}
                lines={[
                  {
                    name: `${column.feature}${column.unit ? `, ${column.unit}` : ''}`,
                    values: column.values.slice(from),
                    look: 'main',
                  },
                ]}
                height={150}
                format={formatPlain}
              />
            ) : (
              <p className="text-sm">
                <span className="font-medium">{column.feature}</span>{' '}
                <span className="text-soft">{column.reason.sentence}</span>
              </p>
            )}
          </div>
        ))}
      </div>
    </>
  );
}

function CataloguePanel({
  chosen,
  onChosen,
}: {
  chosen: readonly string[];
  onChosen: (names: readonly string[]) => void;
}) {
  const catalogue = useQuery(apiQuery(getFeatureCatalogue, { query: {} }));
  const [search, setSearch] = useState('');
  const [family, setFamily] = useState('');
  const [count, setCount] = useState(ROWS_A_PAGE);
  const items = catalogue.data?.items ?? [];
  const families = useMemo(() => [...new Set(items.map((entry) => entry.family))], [items]);
  const asked = search.trim().toLowerCase();
  const found = items.filter(
    (entry) =>
      (family === '' || entry.family === family) &&
      (asked === '' || entry.name.includes(asked) || entry.title.toLowerCase().includes(asked)),
  );
  const columnCount = items.reduce((sum, entry) => sum + entry.outputs.length, 0);
  return (
    <Panel
      title="Catalogue"
      hint={
        <>
          {plural(items.length, 'indicator')}, {formatCount(columnCount)} columns. Made into views:{' '}
          <Link to="/market/views" className="link">
            Feature views
          </Link>
        </>
      }
      flush
    >
      <div className="grid gap-3 px-4 pb-3 sm:max-w-xl sm:grid-cols-2">
        <TextField label="Find" type="search" placeholder="Name or title" value={search} onValue={setSearch} />
        <SelectField
          label="Family"
          value={family}
          onValue={setFamily}
          options={[['', 'All'], ...families.map((one) => [one, words(one)] as const)]}
        />
      </div>
      <QueryView query={catalogue} lines={10}>
        {() => (
          <DataTable
            label="Catalogue"
            columns={catalogueColumns(chosen, onChosen)}
            rows={found.slice(0, count)}
            rowKey={(row) => row.name}
            empty="Nothing is called that."
          />
        )}
      </QueryView>
      {found.length > count && (
        <div className="border-t border-line px-1 py-1">
          <Button look="quiet" onClick={() => setCount(count + ROWS_A_PAGE)}>
            Show more of {formatCount(found.length)}
          </Button>
        </div>
      )}
    </Panel>
  );
}

function catalogueColumns(
  chosen: readonly string[],
  onChosen: (names: readonly string[]) => void,
): Column<CatalogueEntry>[] {
  return [
    {
      key: 'name',
      header: 'Feature',
      cell: (row) => (
        <span className="block min-w-40">
          <span className="font-medium">{row.title}</span>
          <span className="block font-mono text-xs text-soft">{row.name}</span>
        </span>
      ),
    },
    { key: 'family', header: 'Family', isWide: true, cell: (row) => words(row.family) },
    { key: 'unit', header: 'Unit', isWide: true, cell: (row) => row.unit },
    { key: 'warm', header: 'Warm-up', isNumber: true, cell: (row) => formatCount(row.warmUp) },
    { key: 'memory', header: 'Remembers', isWide: true, cell: (row) => memoryWords(row) },
    {
      key: 'reference',
      header: 'Agrees with',
      isWide: true,
      cell: (row) => `${row.reference.source}, ${toleranceWords(row.reference.tolerance)}`,
    },
    {
      key: 'badges',
      header: 'Checks',
      cell: (row) => (
        <span className="flex flex-wrap gap-1">
          <CheckBadge label="canary" badge={row.badges.canary} />
          <CheckBadge label="warm-up" badge={row.badges.warmUp} />
        </span>
      ),
    },
    {
      key: 'choose',
      header: '',
      cell: (row) => {
        const [first] = row.outputs;
        if (first === undefined) return null;
        const isOn = row.outputs.some((output) => chosen.includes(output));
        return (
          <Button
            look="quiet"
            aria-label={`${isOn ? 'Hide' : 'Show'} ${row.title}`}
            aria-pressed={isOn}
            onClick={() =>
              onChosen(
                isOn
                  ? chosen.filter((name) => !row.outputs.includes(name))
                  : [...chosen, ...row.outputs].slice(-CHOSEN_MAX),
              )
            }
          >
            {isOn ? 'Hide' : 'Show'}
          </Button>
        );
      },
    },
  ];
}

export function CheckBadge({ label, badge }: { label: string; badge: { passed: boolean; sentence: string } }) {
  return (
    <span title={badge.sentence}>
      <Badge tone={badge.passed ? 'accent' : 'bad'}>{badge.passed ? label : `${label} failed`}</Badge>
    </span>
  );
}

function memoryWords({ memory, warmUp }: CatalogueEntry): string {
  if (memory.kind === 'window') return plural(warmUp + 1, 'bar');
  if (memory.kind === 'cumulative') return 'for ever';
  return `fades in ${formatCount(memory.settle)} bars`;
}

function toleranceWords(tolerance: number): string {
  return tolerance === 0 ? 'exactly' : `within ${tolerance.toExponential(0)}`;
}
