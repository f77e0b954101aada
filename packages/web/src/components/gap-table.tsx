import { Link } from '@tanstack/react-router';
import type { Gap } from '@touchstone/contracts/feeds';
import type { ReactNode } from 'react';
import { formatDay, formatInstant } from '../lib/format.ts';
import { type Column, DataTable } from './data-table.tsx';
import { gapKindName } from './feed-words.ts';
import { Badge } from './ui.tsx';

/** What is missing, why, and when it is asked again. */
export function GapTable({ gaps, withFeed, empty }: { gaps: readonly Gap[]; withFeed: boolean; empty: ReactNode }) {
  const columns: readonly Column<Gap>[] = [
    { key: 'symbol', header: 'Symbol', cell: (gap) => <SymbolCell gap={gap} /> },
    {
      key: 'why',
      header: 'What and why',
      cell: (gap) => (
        <span className="block min-w-44 max-w-prose">
          <Badge tone={gap.kind === 'lies' || gap.kind === 'refused' ? 'bad' : 'warn'}>{gapKindName(gap.kind)}</Badge>
          <span className="mt-0.5 block">{gap.sentence}</span>
          <span className="mt-0.5 block text-xs text-soft md:hidden">Asked again: {againWords(gap)}</span>
        </span>
      ),
    },
    {
      key: 'days',
      header: 'Days',
      isWide: true,
      cell: (gap) => (
        <span className="whitespace-nowrap">
          {gap.fromDay === gap.toDay ? formatDay(gap.fromDay) : `${formatDay(gap.fromDay)} to ${formatDay(gap.toDay)}`}
        </span>
      ),
    },
    {
      key: 'again',
      header: 'Asked again',
      isWide: true,
      cell: (gap) => <span className="block min-w-28">{againWords(gap)}</span>,
    },
    { key: 'times', header: 'Met', isNumber: true, isWide: true, cell: (gap) => `${gap.times}×` },
    {
      key: 'feed',
      header: 'Feed',
      isWide: true,
      cell: (gap) => (
        <Link to="/data/feeds/$sourceId" params={{ sourceId: gap.sourceId }} className="link">
          {gap.sourceName}
        </Link>
      ),
    },
  ];
  return (
    <DataTable
      label="Gaps"
      rows={gaps}
      rowKey={(gap) => gap.id}
      empty={empty}
      columns={withFeed ? columns : columns.filter((column) => column.key !== 'feed')}
    />
  );
}

function SymbolCell({ gap }: { gap: Gap }) {
  if (gap.instrumentId === null) return <span className="font-medium">{gap.symbol}</span>;
  return (
    <Link to="/data/instruments/$instrumentId" params={{ instrumentId: gap.instrumentId }} className="link font-medium">
      {gap.symbol}
    </Link>
  );
}

function againWords(gap: Gap): string {
  if (gap.closedAt !== null) return `filled ${formatInstant(gap.closedAt)}`;
  if (gap.retryAt === null) return 'when its symbol or the key is changed';
  return formatInstant(gap.retryAt);
}
