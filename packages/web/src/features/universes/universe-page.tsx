import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { freezeDataset } from '@touchstone/contracts/datasets';
import type { Answer } from '@touchstone/contracts/route';
import { deleteUniverse, getUniverse, undeleteUniverse } from '@touchstone/contracts/universes';
import { ConfirmButton } from '../../components/confirm.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { UniverseMark } from '../../components/simulated-origin.tsx';
import { Badge, Button, buttonClass, Facts, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatDay, plural } from '../../lib/format.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { CurrentPanel } from './current-panel.tsx';

type Whole = Answer<typeof getUniverse>;

export function UniversePage() {
  const { universeId } = useParams({ from: '/universes/$universeId' });
  const universe = useQuery(apiQuery(getUniverse, { params: { universeId } }));
  return <QueryView query={universe}>{(data) => <UniverseDetail universe={data} />}</QueryView>;
}

function UniverseDetail({ universe }: { universe: Whole }) {
  const refusal = useRefusal('portfolio:write', universe.tenantId);
  const mayMake = useRefusal('portfolio:write');
  const known = useKnownTime();
  const navigate = useNavigate();
  const freeze = useMutation({
    mutationFn: () => client.call(freezeDataset, { body: { universeId: universe.id, ...known } }),
    onSuccess: async (dataset) => {
      await refreshAll();
      await navigate({ to: '/evidence/datasets/$sha256', params: { sha256: dataset.sha256 } });
    },
  });
  const restore = useMutation({
    mutationFn: () => client.call(undeleteUniverse, { params: { universeId: universe.id } }),
    onSuccess: refreshAll,
  });
  return (
    <>
      <PageHeader
        title={universe.name}
        marks={
          <>
            <UniverseMark universe={universe} />
            {universe.visibility === 'private' && <Badge>private</Badge>}
            {universe.deletedAt !== null && <Badge tone="warn">deleted</Badge>}
          </>
        }
        actions={
          <>
            <Link
              to="/market/relations"
              search={(before) => ({ ...before, universe: universe.id })}
              className={buttonClass()}
            >
              Relations
            </Link>
            {mayMake === null && (
              <Link
                to="/indexes/new"
                search={(before) => ({ ...before, universe: universe.id })}
                className={buttonClass('main')}
              >
                Make an index over it
              </Link>
            )}
            {universe.deletedAt !== null && (
              <Button refusal={refusal} isBusy={restore.isPending} onClick={() => restore.mutate()}>
                Bring back
              </Button>
            )}
            {universe.deletedAt === null && refusal !== null && <Button refusal={refusal}>Edit</Button>}
            {universe.deletedAt === null && refusal === null && (
              <>
                <Link to="/universes/$universeId/edit" params={{ universeId: universe.id }} className={buttonClass()}>
                  Edit
                </Link>
                <ConfirmButton
                  action="Delete"
                  look="bad"
                  title={`Delete “${universe.name}”?`}
                  run={async () => {
                    await client.call(deleteUniverse, { params: { universeId: universe.id } });
                    await refreshAll();
                    await navigate({ to: '/universes' });
                  }}
                >
                  Possible while no index uses it. It can be brought back.
                </ConfirmButton>
              </>
            )}
          </>
        }
      >
        {universe.description}
      </PageHeader>
      <div className="grid gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)] lg:items-start">
        <Panel title="Members" hint={plural(universe.memberCount, 'instrument')} flush>
          <DataTable
            label="Members"
            rows={universe.members}
            rowKey={(member) => `${member.instrumentId} ${member.firstDay}`}
            empty="It has no members."
            columns={[
              {
                key: 'symbol',
                header: 'Symbol',
                cell: (member) => (
                  <Link
                    to="/data/instruments/$instrumentId"
                    params={{ instrumentId: member.instrumentId }}
                    className="link font-medium"
                  >
                    {member.symbol}
                  </Link>
                ),
              },
              { key: 'name', header: 'Name', cell: (member) => member.name },
              {
                key: 'from',
                header: 'Member from',
                isWide: true,
                cell: (member) => (member.firstDay ? formatDay(member.firstDay) : 'always'),
              },
              {
                key: 'to',
                header: 'to',
                isWide: true,
                cell: (member) => (member.lastDay ? formatDay(member.lastDay) : 'still'),
              },
            ]}
          />
        </Panel>
        <div className="grid min-w-0 gap-4 max-lg:order-first">
          {universe.deletedAt === null && <CurrentPanel universe={universe} />}
          <Panel title="Definition">
            <Facts
              items={[
                ['Rule', universe.rule === 'all_of_source' ? 'Everything the source has' : 'A list'],
                ['Prices from', universe.sourceName],
                ['Seen by', universe.visibility === 'private' ? 'its maker' : 'everybody here'],
                ['Changed', formatDay(universe.updatedAt)],
              ]}
            />
          </Panel>
          <Panel title="Freeze" hint="Its prices as known at the chosen moment, in an immutable file with a hash.">
            <Button refusal={mayMake} isBusy={freeze.isPending} onClick={() => freeze.mutate()}>
              Freeze the prices
            </Button>
            {freeze.error && (
              <div className="mt-3">
                <ProblemNotice error={freeze.error} />
              </div>
            )}
            {restore.error && <ProblemNotice error={restore.error} />}
          </Panel>
        </div>
      </div>
    </>
  );
}
