import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { listInstruments, listSources } from '@touchstone/contracts/data';
import { useDeferredValue, useState } from 'react';
import { DataTable, MoreRows } from '../../components/data-table.tsx';
import { SelectField, TextField } from '../../components/form.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { isAllSimulated, PageHeader, Panel, SimulatedMark } from '../../components/ui.tsx';
import { formatCount, formatDay } from '../../lib/format.ts';
import { apiQuery, usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

export function InstrumentListPage() {
  const { source: sourceId } = useSearch({ from: '/data/instruments' });
  const navigate = useNavigate({ from: '/data/instruments' });
  const [text, setText] = useState('');
  const search = useDeferredValue(text.trim());
  const sources = useQuery(apiQuery(listSources));
  const { query, items } = usePages(['listInstruments', 'pages', search, sourceId], (cursor) =>
    client.call(listInstruments, { query: { cursor, search, sourceId } }),
  );
  const isMarked = isAllSimulated(items);
  return (
    <>
      <SubNav of="data" />
      <PageHeader title="Instruments">
        Everything with a price. The list is as of now; a page looks from the chosen moment.
      </PageHeader>
      <div className="mb-4 grid max-w-2xl gap-4 sm:grid-cols-2">
        <TextField label="Find" type="search" placeholder="Symbol or name" value={text} onValue={setText} />
        <SelectField
          label="Source"
          value={sourceId === undefined ? '' : String(sourceId)}
          onValue={(value) =>
            navigate({
              search: (before) => ({ ...before, source: value === '' ? undefined : Number(value) }),
              replace: true,
            })
          }
          options={[
            ['', 'All sources'],
            ...(sources.data?.items ?? []).map((source) => [String(source.id), source.name] as const),
          ]}
        />
      </div>
      <Panel title="Instruments" actions={isMarked && <SimulatedMark tenantId={0} />} flush>
        <QueryView query={{ ...query, data: items }} lines={8}>
          {(rows) => (
            <DataTable
              label="Instruments"
              rows={rows}
              rowKey={(instrument) => instrument.id}
              empty={search === '' ? 'There is no instrument yet.' : `Nothing is called “${search}”.`}
              columns={[
                {
                  key: 'symbol',
                  header: 'Instrument',
                  cell: (instrument) => (
                    <span className="block min-w-36">
                      <Link
                        to="/data/instruments/$instrumentId"
                        params={{ instrumentId: instrument.id }}
                        className="link font-medium"
                      >
                        {instrument.symbol}
                      </Link>{' '}
                      {!isMarked && <SimulatedMark tenantId={instrument.tenantId} />}
                      <span className="block text-xs text-soft">{instrument.name}</span>
                    </span>
                  ),
                },
                { key: 'kind', header: 'Kind', isWide: true, cell: (instrument) => instrument.kind },
                { key: 'sector', header: 'Sector', isWide: true, cell: (instrument) => instrument.sector ?? '–' },
                { key: 'currency', header: 'Currency', isWide: true, cell: (instrument) => instrument.currency },
                {
                  key: 'days',
                  header: 'Days',
                  cell: (instrument) =>
                    instrument.firstDay === null
                      ? 'none'
                      : `${formatDay(instrument.firstDay)} to ${formatDay(instrument.lastDay)}`,
                },
                { key: 'bars', header: 'Bars', isNumber: true, cell: (instrument) => formatCount(instrument.barCount) },
              ]}
            />
          )}
        </QueryView>
        <MoreRows query={query} />
      </Panel>
    </>
  );
}
