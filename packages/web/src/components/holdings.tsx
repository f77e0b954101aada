import { Link } from '@tanstack/react-router';
import { getIndexHoldings } from '@touchstone/contracts/indexes';
import type { Answer } from '@touchstone/contracts/route';
import { useState } from 'react';
import { formatDay, formatPercent, plural } from '../lib/format.ts';
import { type Column, DataTable } from './data-table.tsx';
import { Badge, Button, Panel } from './ui.tsx';
import { type Made, Provenance } from './where-from.tsx';

type Holdings = Answer<typeof getIndexHoldings>;
type Holding = Holdings['items'][number];
const FIRST_ROWS = 12;

export function HoldingsPanel({ data, run, withScores }: { data: Holdings; run?: Made; withScores?: boolean }) {
  const [isWhole, setIsWhole] = useState(false);
  const sorted = data.items.toSorted((one, other) => other.weight - one.weight);
  const heaviest = sorted[0]?.weight ?? 1;
  const rows = isWhole ? sorted : sorted.slice(0, FIRST_ROWS);
  return (
    <Panel
      title="Holdings"
      hint={`${plural(data.items.length, 'name')} after the rebalance of ${formatDay(data.day)}, turnover ${formatPercent(data.turnover)}, cash ${formatPercent(data.cashWeight)}`}
      actions={data.status === 'ok' ? null : <Badge tone="warn">{data.status}</Badge>}
      footer={<Provenance unit="share of the index" time={data.time} route={getIndexHoldings} run={run} />}
      flush
    >
      <DataTable
        label="Holdings"
        columns={holdingColumns(heaviest, withScores ?? false)}
        rows={rows}
        rowKey={(row) => row.instrumentId}
        empty="No holdings were known at that moment."
      />
      {sorted.length > FIRST_ROWS && (
        <div className="border-t border-line px-1 py-1">
          <Button look="quiet" aria-expanded={isWhole} onClick={() => setIsWhole(!isWhole)}>
            {isWhole ? 'Show the heaviest only' : `Show all ${sorted.length}`}
          </Button>
        </div>
      )}
    </Panel>
  );
}

function holdingColumns(heaviest: number, withScores: boolean): Column<Holding>[] {
  const columns: Column<Holding>[] = [
    {
      key: 'symbol',
      header: 'Name',
      cell: (row) => (
        <span className="block min-w-32">
          <Link
            to="/data/instruments/$instrumentId"
            params={{ instrumentId: row.instrumentId }}
            className="link font-medium"
          >
            {row.symbol}
          </Link>
          <span className="block text-xs text-soft">{row.name}</span>
        </span>
      ),
    },
    {
      key: 'weight',
      header: 'Weight',
      isNumber: true,
      cell: (row) => (
        <span className="flex items-center justify-end gap-2">
          <span aria-hidden="true" className="hidden h-2 w-20 justify-start rounded-xs bg-well sm:flex">
            <span className="h-2 rounded-xs bg-accent" style={{ width: `${(row.weight / heaviest) * 100}%` }} />
          </span>
          <span className="w-14">{formatPercent(row.weight, 2)}</span>
        </span>
      ),
    },
    {
      key: 'change',
      header: 'Traded',
      isNumber: true,
      cell: (row) => <span className="text-soft">{formatPercent(row.weight - row.previousWeight, 2)}</span>,
    },
  ];
  if (!withScores) return columns;
  const score = (key: string, header: string, value: (row: Holding) => number | null): Column<Holding> => ({
    key,
    header,
    isNumber: true,
    isWide: true,
    cell: (row) =>
      value(row) === null ? <span className="text-xs text-soft">no input</span> : formatPercent(value(row), 2),
  });
  return [
    ...columns,
    {
      key: 'sector',
      header: 'Sector',
      isWide: true,
      cell: (row) => <span className="text-soft">{row.sector ?? '–'}</span>,
    },
    score('momentum', 'Momentum', (row) => row.momentumScore),
    score('cap', 'Cap', (row) => row.capScore),
    score('risk', 'Low risk', (row) => row.riskScore),
  ];
}
