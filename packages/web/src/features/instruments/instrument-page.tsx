import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { getInstrument, listBars } from '@touchstone/contracts/data';
import type { Answer } from '@touchstone/contracts/route';
import { lazy, Suspense, useState } from 'react';
import { DataTable } from '../../components/data-table.tsx';
import { SelectField } from '../../components/form.tsx';
import { Segments } from '../../components/index-levels.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import {
  Badge,
  Button,
  buttonClass,
  Empty,
  Facts,
  Loading,
  PageHeader,
  Panel,
  SimulatedMark,
} from '../../components/ui.tsx';
import { Provenance } from '../../components/where-from.tsx';
import { useRefusal } from '../../lib/auth.ts';
import {
  formatCount,
  formatDay,
  formatInstant,
  formatNumber,
  formatPlain,
  formatPrice,
  words,
} from '../../lib/format.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery } from '../../lib/query.ts';
import { ActionDialog } from './action-dialog.tsx';
import { BarVersionsDialog } from './bar-versions-dialog.tsx';
import { InstrumentDialog } from './instrument-dialog.tsx';

const CandleChart = lazy(() => import('../../components/candle-chart.tsx'));

type Instrument = Answer<typeof getInstrument>;
type Bars = Answer<typeof listBars>;
const BASES = ['raw', 'split_adjusted', 'total_return'] as const;
type Basis = (typeof BASES)[number];
const ROWS_A_PAGE = 25;
const ACTIONS_AT_FIRST = 12;

export function InstrumentPage() {
  const { instrumentId } = useParams({ from: '/data/instruments/$instrumentId' });
  const known = useKnownTime();
  const instrument = useQuery(apiQuery(getInstrument, { params: { instrumentId }, query: known }));
  return (
    <>
      <SubNav of="data" />
      <QueryView query={instrument} lines={8}>
        {(data) => <InstrumentDetail instrument={data} key={data.id} />}
      </QueryView>
    </>
  );
}

function InstrumentDetail({ instrument }: { instrument: Instrument }) {
  const known = useKnownTime();
  const refusal = useRefusal('market:write', instrument.tenantId);
  const [basis, setBasis] = useState<Basis | null>(null);
  const [sourceId, setSourceId] = useState<number | undefined>(undefined);
  const [look, setLook] = useState<'candles' | 'line'>('candles');
  const [pickedDay, setPickedDay] = useState<string | null>(null);
  const [isAdding, setIsAdding] = useState(false);
  const [isEditing, setIsEditing] = useState(false);
  const query = { ...known, sourceId, basis: basis ?? undefined };
  const bars = useQuery(apiQuery(listBars, { params: { instrumentId: instrument.id }, query }));
  const delivered = bars.data?.deliveredBasis ?? null;
  return (
    <>
      <PageHeader
        title={instrument.symbol}
        marks={
          <>
            <SimulatedMark tenantId={instrument.tenantId} />
            <Badge>{instrument.kind}</Badge>
          </>
        }
        actions={
          <>
            <Link to="/market/$kind/$id" params={{ kind: 'instrument', id: instrument.id }} className={buttonClass()}>
              Look at the market
            </Link>
            <Button refusal={refusal} onClick={() => setIsAdding(true)}>
              Add split or dividend
            </Button>
            {refusal === null && <Button onClick={() => setIsEditing(true)}>Edit</Button>}
          </>
        }
      >
        {instrument.name}
      </PageHeader>
      <div className="grid gap-4">
        <Panel
          title="Prices"
          hint={`Daily bars, ${basisWords(bars.data?.basis ?? null)}. Click a day to see everything ever told about it.`}
          actions={
            <Segments
              label="Drawn as"
              options={[
                { label: 'Candles', isOn: look === 'candles', choose: () => setLook('candles') },
                { label: 'Line', isOn: look === 'line', choose: () => setLook('line') },
              ]}
            />
          }
          footer={
            bars.data && (
              <Provenance
                unit={`${bars.data.instrument.currency}, ${basisWords(bars.data.basis)}`}
                time={bars.data.time}
                route={listBars}
                extra={barOrigin(bars.data)}
              />
            )
          }
        >
          <div className="mb-3 grid max-w-xl gap-3 sm:grid-cols-2">
            <SelectField
              label="Basis"
              hint={
                delivered === 'raw' || delivered === null
                  ? undefined
                  : `Delivered ${basisWords(delivered)}; that cannot be undone.`
              }
              value={basis ?? ''}
              onValue={(value) => setBasis(BASES.find((candidate) => candidate === value) ?? null)}
              options={[['', 'As delivered'], ...allowedBases(delivered).map((one) => [one, words(one)] as const)]}
            />
            {instrument.sources.length > 1 && (
              <SelectField
                label="Source"
                value={sourceId === undefined ? '' : String(sourceId)}
                onValue={(value) => setSourceId(value === '' ? undefined : Number(value))}
                options={[
                  ['', 'Told last'],
                  ...instrument.sources.map((source) => [String(source.id), source.name] as const),
                ]}
              />
            )}
          </div>
          <QueryView query={bars} lines={11}>
            {(data) =>
              data.items.length === 0 ? (
                <Empty title="No bar of it was known at that moment." />
              ) : (
                <Suspense fallback={<Loading lines={11} />}>
                  <CandleChart
                    bars={data.items}
                    look={look}
                    label={`Daily prices of ${instrument.symbol}, ${formatDay(data.items[0]?.day)} to ${formatDay(data.items.at(-1)?.day)}; the table below has the figures`}
                    onPick={setPickedDay}
                  />
                </Suspense>
              )
            }
          </QueryView>
        </Panel>
        <div className="grid min-w-0 gap-4 xl:grid-cols-[minmax(0,1.7fr)_minmax(0,1fr)] xl:items-start">
          <QueryView query={bars} lines={8}>
            {(data) => <BarsPanel data={data} onPick={setPickedDay} />}
          </QueryView>
          <div className="grid min-w-0 gap-4">
            <ActionsPanel instrument={instrument} />
            <NamesPanel instrument={instrument} />
            <Panel title="About">
              <Facts
                items={[
                  ['Name', instrument.name],
                  ['Sector', instrument.sector ?? 'not told'],
                  ['Currency', instrument.currency],
                  ['Calendar', instrument.calendar],
                  ['Sources', instrument.sources.map((source) => source.name).join(', ') || 'none'],
                  ['Bars', formatCount(instrument.barCount)],
                ]}
              />
            </Panel>
          </div>
        </div>
      </div>
      <BarVersionsDialog
        instrument={instrument}
        sourceId={bars.data?.sourceId ?? null}
        day={pickedDay}
        refusal={refusal}
        onClose={() => setPickedDay(null)}
      />
      <ActionDialog
        instrument={instrument}
        sourceId={bars.data?.sourceId ?? null}
        isOpen={isAdding}
        onClose={() => setIsAdding(false)}
      />
      <InstrumentDialog instrument={instrument} isOpen={isEditing} onClose={() => setIsEditing(false)} />
    </>
  );
}

/** Raw prices can be adjusted, never the other way. */
function allowedBases(delivered: Basis | null): readonly Basis[] {
  if (delivered === null || delivered === 'raw') return BASES;
  return [delivered];
}

function basisWords(basis: Basis | null): string {
  if (basis === null) return 'basis not known';
  return { raw: 'raw', split_adjusted: 'adjusted for splits', total_return: 'adjusted for splits and dividends' }[
    basis
  ];
}

function barOrigin(data: Bars): readonly (readonly [string, string])[] {
  const runs = [...new Set(data.items.map((bar) => bar.runId))];
  return [
    ['Delivered', basisWords(data.deliveredBasis)],
    ['Runs', runs.length === 0 ? 'none' : runs.slice(-8).join(', ')],
    ['Revised bars', formatCount(data.items.filter((bar) => bar.revision > 0).length)],
  ];
}

function BarsPanel({ data, onPick }: { data: Bars; onPick: (day: string) => void }) {
  const [count, setCount] = useState(ROWS_A_PAGE);
  const newestFirst = data.items.toReversed();
  return (
    <Panel
      title="Bars"
      hint={`${formatCount(data.items.length)} known, newest first`}
      footer={<Provenance unit={data.instrument.currency} time={data.time} route={listBars} extra={barOrigin(data)} />}
      flush
    >
      <DataTable
        label="Daily bars"
        rows={newestFirst.slice(0, count)}
        rowKey={(bar) => bar.day}
        empty="No bar was known at that moment."
        columns={[
          {
            key: 'day',
            header: 'Day',
            cell: (bar) => (
              <button type="button" className="link whitespace-nowrap" onClick={() => onPick(bar.day)}>
                {formatDay(bar.day)}
              </button>
            ),
          },
          { key: 'open', header: 'Open', isNumber: true, cell: (bar) => formatPrice(bar.open) },
          { key: 'high', header: 'High', isNumber: true, cell: (bar) => formatPrice(bar.high) },
          { key: 'low', header: 'Low', isNumber: true, cell: (bar) => formatPrice(bar.low) },
          { key: 'close', header: 'Close', isNumber: true, cell: (bar) => formatPrice(bar.close) },
          { key: 'volume', header: 'Volume', isNumber: true, isWide: true, cell: (bar) => formatCount(bar.volume) },
          {
            key: 'revision',
            header: 'Revision',
            isNumber: true,
            isWide: true,
            cell: (bar) =>
              bar.revision === 0 ? (
                <span className="text-soft">first</span>
              ) : (
                <Badge tone="accent">{bar.revision}</Badge>
              ),
          },
        ]}
      />
      {count < data.items.length && (
        <div className="border-t border-line px-4 py-2.5">
          <Button onClick={() => setCount(count + ROWS_A_PAGE * 4)}>Show more</Button>
        </div>
      )}
    </Panel>
  );
}

/** Cash a share with two decimals, or as many as it was told with. */
function formatCash(value: number): string {
  return Math.abs(value * 100 - Math.round(value * 100)) < 1e-9 ? formatNumber(value, 2) : formatPlain(value);
}

function ActionsPanel({ instrument }: { instrument: Instrument }) {
  const [isWhole, setIsWhole] = useState(false);
  const newestFirst = instrument.corporateActions.toReversed();
  return (
    <Panel
      title="Corporate actions"
      footer={<Provenance unit="shares per share, or cash per share" time={instrument.time} route={getInstrument} />}
      flush
    >
      <DataTable
        label="Corporate actions"
        rows={isWhole ? newestFirst : newestFirst.slice(0, ACTIONS_AT_FIRST)}
        rowKey={(action) => action.day + action.kind}
        empty="None was known at that moment."
        columns={[
          { key: 'day', header: 'Ex-day', cell: (action) => formatDay(action.day) },
          { key: 'kind', header: 'Kind', cell: (action) => action.kind },
          {
            key: 'value',
            header: 'Value',
            isNumber: true,
            cell: (action) =>
              action.kind === 'split'
                ? `${formatPlain(action.value)} for 1`
                : `${formatCash(action.value)} ${instrument.currency}`,
          },
          {
            key: 'known',
            header: 'Known',
            cell: (action) => <span className="text-soft">{formatDay(action.knownAt)}</span>,
          },
        ]}
      />
      {!isWhole && newestFirst.length > ACTIONS_AT_FIRST && (
        <div className="border-t border-line px-4 py-2.5">
          <Button onClick={() => setIsWhole(true)}>Show all {formatCount(newestFirst.length)}</Button>
        </div>
      )}
    </Panel>
  );
}

function NamesPanel({ instrument }: { instrument: Instrument }) {
  return (
    <Panel title="Names over time" flush>
      {instrument.listingEvents.length === 0 ? (
        <Empty title="No listing, renaming or delisting was told." />
      ) : (
        <ol className="px-4 pb-3 text-sm">
          {instrument.listingEvents.map((event) => (
            <li
              key={event.day + event.kind}
              className="flex flex-wrap justify-between gap-x-3 border-b border-line py-1.5 last:border-b-0"
            >
              <span>
                <span className="font-medium">{event.symbol}</span> {event.kind} on {event.calendar}
              </span>
              <span className="text-soft" title={`Known at ${formatInstant(event.knownAt)}`}>
                {formatDay(event.day)}
              </span>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
