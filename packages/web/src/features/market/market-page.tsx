import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { listInstruments } from '@touchstone/contracts/data';
import { listIndexes } from '@touchstone/contracts/indexes';
import type { Answer } from '@touchstone/contracts/route';
import { useDeferredValue, useState } from 'react';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { TextField } from '../../components/form.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { PageHeader, Panel } from '../../components/ui.tsx';
import { formatCount, formatDay, words } from '../../lib/format.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery } from '../../lib/query.ts';

type Index = Answer<typeof listIndexes>['items'][number];
type Instrument = Answer<typeof listInstruments>['items'][number];
const FOUND_MAX = 25;

/** Where one chooses what to look at. */
export function MarketPage() {
  const known = useKnownTime();
  const [search, setSearch] = useState('');
  const asked = useDeferredValue(search);
  const indexes = useQuery(apiQuery(listIndexes, { query: { limit: 100 } }));
  const instruments = useQuery(
    apiQuery(listInstruments, { query: { ...known, search: asked === '' ? undefined : asked, limit: FOUND_MAX } }),
  );
  return (
    <>
      <SubNav of="market" />
      <PageHeader title="Market">
        Volatility with its interval, regimes with their lag, anomalies with their false alarms, patterns with their
        base rates: of any index or instrument, as it was known at any moment.
      </PageHeader>
      <div className="grid gap-4 xl:grid-cols-2 xl:items-start">
        <Panel title="Indexes" flush>
          <QueryView query={indexes}>
            {(page) => (
              <DataTable
                label="Indexes"
                columns={INDEX_COLUMNS}
                rows={page.items}
                rowKey={(row) => row.id}
                empty="No index yet."
              />
            )}
          </QueryView>
        </Panel>
        <Panel title="Instruments" hint={`The first ${FOUND_MAX} found.`} flush>
          <div className="px-4 py-3">
            <TextField label="Find" type="search" placeholder="Symbol or name" value={search} onValue={setSearch} />
          </div>
          <QueryView query={instruments}>
            {(page) => (
              <DataTable
                label="Instruments"
                columns={INSTRUMENT_COLUMNS}
                rows={page.items}
                rowKey={(row) => row.id}
                empty="Nothing is called that."
              />
            )}
          </QueryView>
        </Panel>
      </div>
    </>
  );
}

const INDEX_COLUMNS: Column<Index>[] = [
  {
    key: 'name',
    header: 'Index',
    cell: (row) => (
      <Link to="/market/$kind/$id" params={{ kind: 'index', id: row.id }} className="link font-medium">
        {row.name}
      </Link>
    ),
  },
  { key: 'method', header: 'Method', cell: (row) => words(row.method) },
  { key: 'version', header: 'Versions', isNumber: true, cell: (row) => formatCount(row.latestRunNumber) },
];

const INSTRUMENT_COLUMNS: Column<Instrument>[] = [
  {
    key: 'symbol',
    header: 'Instrument',
    cell: (row) => (
      <span className="block min-w-32">
        <Link to="/market/$kind/$id" params={{ kind: 'instrument', id: row.id }} className="link font-medium">
          {row.symbol}
        </Link>{' '}
        <span className="text-soft">{row.name}</span>
      </span>
    ),
  },
  { key: 'sector', header: 'Sector', cell: (row) => row.sector ?? '–' },
  { key: 'last', header: 'Last bar', isNumber: true, cell: (row) => formatDay(row.lastDay) },
];
