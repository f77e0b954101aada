import { Link } from '@tanstack/react-router';
import { listModels, type ModelSummary } from '@touchstone/contracts/models';
import { type Column, DataTable, MoreRows } from '../../components/data-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Empty, PageHeader, Panel } from '../../components/ui.tsx';
import { formatDay, formatInstant } from '../../lib/format.ts';
import { usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { ForeignPanel } from './foreign-panel.tsx';
import { LeaderboardPanel } from './leaderboard-panel.tsx';
import { targetWords } from './model-words.ts';
import { SkillFigure } from './skill-parts.tsx';
import { TrainButton } from './train-button.tsx';

export function ModelsPage() {
  const { query, items } = usePages(['listModels', 'pages'], (cursor) =>
    client.call(listModels, { query: { cursor } }),
  );
  return (
    <>
      <SubNav of="models" />
      <PageHeader title="Models" actions={<TrainButton />}>
        Forecasts one can check. A model is served only where it beats the simple one out of sample; every forecast is
        sealed before its outcome.
      </PageHeader>
      <div className="grid min-w-0 gap-4">
        <Panel title="All models" flush>
          <QueryView query={{ ...query, data: items }}>
            {(rows) => (
              <DataTable
                label="Models"
                columns={COLUMNS}
                rows={rows}
                rowKey={(row) => row.name}
                empty={
                  <Empty title="No model yet">
                    <p>Train models for a universe: you see what each is worth before anything is served.</p>
                  </Empty>
                }
              />
            )}
          </QueryView>
          <MoreRows query={query} />
        </Panel>
        <LeaderboardPanel />
        <ForeignPanel />
      </div>
    </>
  );
}

const COLUMNS: Column<ModelSummary>[] = [
  {
    key: 'name',
    header: 'Model',
    cell: (row) => (
      <>
        <Link to="/models/$model" params={{ model: row.name }} className="link font-medium">
          {row.name}
        </Link>
        <span className="block text-xs text-soft">{targetWords(row.target)}</span>
      </>
    ),
  },
  { key: 'champion', header: 'Served', cell: (row) => <Served row={row} /> },
  { key: 'skill', header: 'Skill out of sample', cell: (row) => <SkillFigure skill={row.skill} /> },
  {
    key: 'verdict',
    header: 'Gate',
    isWide: true,
    cell: (row) =>
      row.verdict ? (
        <span className="block max-w-80 min-w-48">
          <VerdictBadge passed={row.verdict.passed} />
          <span className="block text-xs text-soft">{row.verdict.sentence}</span>
        </span>
      ) : (
        <span className="text-soft">not judged</span>
      ),
  },
  {
    key: 'trained',
    header: 'Last training',
    isWide: true,
    cell: (row) =>
      row.lastRegisteredAt === null ? (
        <span className="text-soft">never</span>
      ) : (
        <>
          {formatInstant(row.lastRegisteredAt)}
          <span className="block text-xs text-soft">on data to {formatDay(row.lastTrainedUntil)}</span>
        </>
      ),
  },
];

function Served({ row }: { row: ModelSummary }) {
  if (row.champion === null)
    return (
      <>
        <Badge tone="warn">nothing</Badge>
        <span className="block text-xs text-soft">
          {row.latestVersion === null ? 'no version' : `newest: version ${row.latestVersion}`}
        </span>
      </>
    );
  return (
    <>
      <Badge tone="accent">version {row.champion.version}</Badge>
      <span className="block text-xs text-soft">since {formatInstant(row.champion.since)}</span>
    </>
  );
}

/** What the gate said. */
export function VerdictBadge({ passed }: { passed: boolean }) {
  return <Badge tone={passed ? 'accent' : 'warn'}>{passed ? 'passed' : 'not passed'}</Badge>;
}
