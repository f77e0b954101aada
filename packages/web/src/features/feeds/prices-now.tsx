import { useMutation } from '@tanstack/react-query';
import {
  type Feed,
  LOOK_SYMBOLS_MAX,
  type LookGap,
  lookGap,
  type PriceTick,
  priceTick,
  type Quote,
  readQuotes,
  watchPrices,
} from '@touchstone/contracts/feeds';
import { useEffect, useState } from 'react';
import { DataTable } from '../../components/data-table.tsx';
import { onSubmit, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Button, Note, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { readEventStream } from '../../lib/event-stream.ts';
import { formatInstant, formatPercent, formatPrice, NO_VALUE, plural } from '../../lib/format.ts';
import { client } from '../../lib/session.ts';

/** Prices of this moment, looked at and not stored. */
export function PricesNow({ feed }: { feed: Feed }) {
  const refusal = useRefusal('market:write', feed.tenantId);
  const [text, setText] = useState('');
  const [watched, setWatched] = useState<string | null>(null);
  const live = useLivePrices(feed.id, watched);
  const isWatching = watched !== null && !live.isOver;
  const symbols = [
    ...new Set(
      text
        .toUpperCase()
        .split(/[\s,]+/)
        .filter((symbol) => symbol !== ''),
    ),
  ];
  const look = useMutation({
    mutationFn: (wanted: string) =>
      client.call(readQuotes, { params: { sourceId: feed.id }, query: { symbols: wanted } }),
  });
  const isTooMany = symbols.length > LOOK_SYMBOLS_MAX;
  const rows = look.data?.quotes ?? [];
  const shown = rows.map((quote) => quote.symbol).join(',');
  return (
    <Panel
      title="Look at prices now"
      hint="Quotes are looked at and not stored: they are no facts, and nothing is computed from them."
    >
      <form
        className="grid gap-3"
        onSubmit={onSubmit(() => {
          setWatched(null);
          look.mutate(symbols.join(','));
        })}
      >
        <TextField
          label="Symbols"
          required
          path="query.symbols"
          error={look.error}
          hint={`At most ${LOOK_SYMBOLS_MAX}, with commas or spaces between. Each costs a credit.`}
          value={text}
          onValue={setText}
        />
        <div className="flex flex-wrap items-center gap-2">
          <Button type="submit" refusal={refusal} isBusy={look.isPending} disabled={symbols.length === 0 || isTooMany}>
            Look
          </Button>
          {refusal === null && rows.length > 0 && (
            <Button onClick={() => setWatched(isWatching ? null : shown)}>
              {isWatching ? 'Stop watching' : 'Watch live'}
            </Button>
          )}
          {isWatching && <LiveDot isOpen={live.isOpen} />}
          {isTooMany && <span className="text-sm text-bad">{plural(symbols.length, 'symbol')} are too many.</span>}
        </div>
      </form>
      {look.error && <ProblemNotice error={look.error} />}
      {live.problem !== null && <ProblemNotice error={live.problem} />}
      {[...(look.data?.gaps ?? []), ...live.gaps].map((gap) => (
        <p key={gap.symbol + gap.sentence} className="mt-3 text-sm text-warn">
          {gap.sentence}
        </p>
      ))}
      {look.data && rows.length > 0 && (
        // A price a second would talk over everything else.
        <div className="mt-3 -mx-4" aria-live="off">
          <QuoteTable rows={rows.map((quote) => withTick(quote, live.ticks.get(quote.symbol)))} />
        </div>
      )}
      {look.data && rows.length === 0 && <Note title="No quote came" />}
    </Panel>
  );
}

function QuoteTable({ rows }: { rows: readonly Quote[] }) {
  return (
    <DataTable
      label="Prices now"
      rows={rows}
      rowKey={(quote) => quote.symbol}
      empty="No quote came"
      columns={[
        {
          key: 'symbol',
          header: 'Symbol',
          cell: (quote) => (
            <>
              <span className="font-medium">{quote.symbol}</span>
              {quote.name && <span className="block text-xs text-soft">{quote.name}</span>}
            </>
          ),
        },
        {
          key: 'price',
          header: 'Price',
          isNumber: true,
          cell: (quote) => `${formatPrice(quote.price)}${quote.currency === null ? '' : ` ${quote.currency}`}`,
        },
        { key: 'change', header: 'Change', isNumber: true, cell: (quote) => formatPercent(quote.change, 2) },
        { key: 'at', header: 'At', isWide: true, cell: (quote) => formatInstant(quote.at) },
        {
          key: 'market',
          header: 'Market',
          isWide: true,
          cell: (quote) => (quote.isMarketOpen === null ? NO_VALUE : quote.isMarketOpen ? 'open' : 'closed'),
        },
      ]}
    />
  );
}

function LiveDot({ isOpen }: { isOpen: boolean }) {
  return (
    <span className="inline-flex items-center gap-1.5 text-sm text-soft">
      <span
        aria-hidden="true"
        className={`inline-block size-2 rounded-full ${isOpen ? 'bg-accent motion-safe:animate-pulse' : 'bg-strong-line'}`}
      />
      {isOpen ? 'Live' : 'Connecting …'}
    </span>
  );
}

function withTick(quote: Quote, tick: PriceTick | undefined): Quote {
  if (tick === undefined) return quote;
  const change = quote.previousClose === null ? null : tick.price / quote.previousClose - 1;
  return { ...quote, price: tick.price, at: tick.at, change };
}

type Live = {
  isOpen: boolean;
  /** It ended for a reason that stands in `gaps` or `problem`. */
  isOver: boolean;
  ticks: ReadonlyMap<string, PriceTick>;
  gaps: readonly LookGap[];
  problem: unknown;
};
const QUIET: Live = { isOpen: false, isOver: false, ticks: new Map(), gaps: [], problem: null };

/** The last price of each symbol while symbols are given. */
function useLivePrices(sourceId: number, symbols: string | null): Live {
  const [live, setLive] = useState(QUIET);
  useEffect(() => {
    if (symbols === null) return;
    setLive(QUIET);
    const change = (part: (before: Live) => Partial<Live>) => setLive((before) => ({ ...before, ...part(before) }));
    const stop = readEventStream(
      watchPrices,
      {
        onOpen: (isOpen) => change(() => ({ isOpen })),
        onRefused: (problem) => change(() => ({ problem, isOver: true })),
        onEvent(name, data) {
          const tick = name === 'price' ? priceTick.safeParse(data).data : undefined;
          if (tick) change(({ ticks }) => ({ ticks: new Map(ticks).set(tick.symbol, tick) }));
          const gap = name === 'gap' ? lookGap.safeParse(data).data : undefined;
          if (!gap) return;
          const isOver = gap.symbol === '' || gap.symbol === symbols;
          change(({ gaps }) => ({ gaps: [...gaps, gap], isOver }));
          if (isOver) stop();
        },
      },
      { params: { sourceId }, query: { symbols } },
    );
    return stop;
  }, [sourceId, symbols]);
  return live;
}
