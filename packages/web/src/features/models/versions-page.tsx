import { Link } from '@tanstack/react-router';
import {
  archiveModelVersion,
  listModelVersions,
  restoreModelVersion,
  type VersionSummary,
} from '@touchstone/contracts/models';
import { ConfirmButton } from '../../components/confirm.tsx';
import { type Column, DataTable, MoreRows } from '../../components/data-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { Badge, Hash, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatDay, formatInstant } from '../../lib/format.ts';
import { refreshAll, usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { ModelFrame, useModelName } from './model-frame.tsx';
import { VerdictBadge } from './models-page.tsx';
import { PromoteButton } from './promote-button.tsx';
import { SkillFigure } from './skill-parts.tsx';

export function VersionsPage() {
  const model = useModelName();
  const { query, items } = usePages(['listModelVersions', 'pages', model], (cursor) =>
    client.call(listModelVersions, { params: { model }, query: { cursor } }),
  );
  return (
    <ModelFrame>
      <Panel title="Versions" hint="Each is what a training left, to the byte. None is ever changed." flush>
        <QueryView query={{ ...query, data: items }}>
          {(rows) => (
            <DataTable
              label="Versions"
              columns={COLUMNS}
              rows={rows}
              rowKey={(row) => row.version}
              empty="No version yet."
            />
          )}
        </QueryView>
        <MoreRows query={query} />
      </Panel>
    </ModelFrame>
  );
}

const COLUMNS: Column<VersionSummary>[] = [
  {
    key: 'version',
    header: 'Version',
    cell: (row) => (
      <span className="inline-flex flex-wrap items-center gap-1.5">
        <Link
          to="/models/$model/versions/$version"
          params={{ model: row.model, version: row.version }}
          className="link font-medium"
        >
          {row.version}
        </Link>
        {row.aliases.map((alias) => (
          <Badge key={alias} tone="accent">
            {alias}
          </Badge>
        ))}
        {row.archived && <Badge>archived</Badge>}
      </span>
    ),
  },
  { key: 'skill', header: 'Skill out of sample', cell: (row) => <SkillFigure skill={row.skill} /> },
  {
    key: 'verdict',
    header: 'Gate',
    cell: (row) =>
      row.verdict === null ? (
        <span className="text-soft">not judged</span>
      ) : (
        <>
          <VerdictBadge passed={row.verdict.passed} />
          <span className="hidden max-w-80 text-xs text-soft lg:block">{row.verdict.sentence}</span>
        </>
      ),
  },
  {
    key: 'made',
    header: 'Made',
    isWide: true,
    cell: (row) => (
      <>
        <span className="whitespace-nowrap">{formatInstant(row.createdAt)}</span>
        <span className="block text-xs text-soft">on data to {formatDay(row.trainedUntil)}</span>
      </>
    ),
  },
  { key: 'artefact', header: 'Bytes', isWide: true, cell: (row) => <Hash value={row.artefactSha256} /> },
  { key: 'do', header: '', cell: (row) => <Actions row={row} /> },
];

function Actions({ row }: { row: VersionSummary }) {
  const refusal = useRefusal('model:promote');
  const isServed = row.aliases.includes('champion');
  if (isServed || refusal !== null) return null;
  const params = { model: row.model, version: row.version };
  const change = async (route: typeof archiveModelVersion | typeof restoreModelVersion, reason: string) => {
    await client.call(route, { params, body: { reason } });
    await refreshAll();
  };
  if (row.archived)
    return (
      <ConfirmButton
        action="Restore"
        title={`Restore version ${row.version}`}
        reasonLabel="Why"
        run={(reason) => change(restoreModelVersion, reason)}
      >
        It can be given an alias again.
      </ConfirmButton>
    );
  return (
    <span className="inline-flex flex-wrap gap-1.5">
      {row.verdict?.passed === true && <PromoteButton model={row.model} version={row.version} />}
      <ConfirmButton
        action="Archive"
        title={`Archive version ${row.version}`}
        reasonLabel="Why"
        run={(reason) => change(archiveModelVersion, reason)}
      >
        It takes no alias any more. It stays on record and can still be replayed.
      </ConfirmButton>
    </span>
  );
}
