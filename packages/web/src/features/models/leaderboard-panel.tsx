import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { getLeaderboard, type LeaderboardRow } from '@touchstone/contracts/drift';
import type { Skill, TargetName } from '@touchstone/contracts/model-manifest';
import { useState } from 'react';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Segments } from '../../components/index-levels.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { Badge, Empty, Panel } from '../../components/ui.tsx';
import { formatCount, formatDay, formatNumber, words } from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';
import { formatSkill, targetWords } from './model-words.ts';

/** Models and the simple rules they have to beat in one list, by what each is worth at least. */
export function LeaderboardPanel() {
  const query = useQuery(apiQuery(getLeaderboard, { query: {} }));
  const [chosen, setChosen] = useState<number>(0);
  const boards = query.data?.boards ?? [];
  const board = boards[Math.min(chosen, boards.length - 1)];
  const nameOf = (target: TargetName | null) => targetWords(target);
  return (
    <Panel
      title="Leaderboard"
      hint={query.data?.note}
      actions={
        boards.length > 1 && (
          <Segments
            label="What is forecast"
            options={boards.map(({ target, title }, i) => ({
              label: nameOf(target) || title,
              isOn: board === boards[i],
              choose: () => setChosen(i),
            }))}
          />
        )
      }
      footer={board && <span>{board.title}; measured out of sample, hypothetical unless live</span>}
      flush
    >
      <QueryView query={query}>
        {() => (
          <DataTable
            label="Leaderboard"
            columns={COLUMNS}
            rows={board?.rows ?? []}
            rowKey={(row) => `${row.kind} ${row.name} ${row.version}`}
            empty={
              <Empty title="Nobody stands here yet">
                <p>The first training puts its models here, beside their baselines.</p>
              </Empty>
            }
          />
        )}
      </QueryView>
    </Panel>
  );
}

const metricOf = (row: LeaderboardRow) => row.metric as Skill['metric'];

const COLUMNS: Column<LeaderboardRow>[] = [
  { key: 'rank', header: '#', isNumber: true, cell: (row) => row.rank },
  {
    key: 'name',
    header: 'Model or baseline',
    cell: (row) =>
      row.kind === 'model' ? (
        <>
          <Link to="/models/$model" params={{ model: row.name }} className="link font-medium">
            {row.name}
          </Link>{' '}
          <span className="text-soft">version {row.version}</span>{' '}
          {row.aliases.map((alias) => (
            <Badge key={alias} tone="accent">
              {alias}
            </Badge>
          ))}
        </>
      ) : (
        <span>
          {row.name} <Badge>baseline</Badge>
        </span>
      ),
  },
  {
    key: 'bound',
    header: 'Worth at least',
    isNumber: true,
    cell: (row) => (
      <>
        <span className="font-medium">{formatSkill(metricOf(row), row.lowerBound)}</span>
        {row.boundBasis === 'borrowed' && (
          <span className="block text-xs text-soft" title="Width of the interval taken from the model beside it.">
            width borrowed
          </span>
        )}
      </>
    ),
  },
  { key: 'value', header: 'Measured', isNumber: true, cell: (row) => formatSkill(metricOf(row), row.value) },
  { key: 'count', header: 'Forecasts', isNumber: true, isWide: true, cell: (row) => formatCount(row.sampleCount) },
  {
    key: 'period',
    header: 'Period',
    isWide: true,
    cell: (row) => (row.firstDay && row.lastDay ? `${formatDay(row.firstDay)} to ${formatDay(row.lastDay)}` : '–'),
  },
  { key: 'trials', header: 'Trials', isNumber: true, isWide: true, cell: (row) => formatCount(row.trialCount) },
  {
    key: 'live',
    header: 'Live loss',
    isNumber: true,
    isWide: true,
    cell: (row) =>
      row.live === null || row.live.loss === null ? (
        <span className="text-soft">none yet</span>
      ) : (
        <span title={`${words(row.live.metric)}, ${formatCount(row.live.sampleCount)} outcomes`}>
          {formatNumber(row.live.loss, 4)}
          <span className="block text-xs text-soft">
            {formatNumber(row.live.low, 4)} to {formatNumber(row.live.high, 4)}
          </span>
        </span>
      ),
  },
];
