import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { getRun, type Run, retractRun } from '@touchstone/contracts/data';
import { BlastRadiusPanel } from '../../components/blast-radius.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { RowProblems } from '../../components/row-problems.tsx';
import { RunState } from '../../components/run-state.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Facts, Hash, Note, PageHeader, Panel, SimulatedMark } from '../../components/ui.tsx';
import { useAuth, useRefusal } from '../../lib/auth.ts';
import { formatCount, formatDay, formatInstant, words } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

export function RunPage() {
  const { runId } = useParams({ from: '/data/runs/$runId' });
  const run = useQuery(apiQuery(getRun, { params: { runId } }));
  return (
    <>
      <SubNav of="data" />
      <QueryView query={run}>{(data) => <RunDetail run={data} />}</QueryView>
    </>
  );
}

function RunDetail({ run }: { run: Run }) {
  const refusal = useRefusal('market:write', run.tenantId);
  const mayTrace = useAuth().can('portfolio:read');
  const canRetract = run.state === 'published' && run.retractedAt === null;
  const counts = [
    ['Rows read', run.rowCount],
    ['Accepted', run.acceptedCount],
    ['Known already', run.unchangedCount],
    ['Revised', run.revisedCount],
    ['Held back', run.quarantinedCount],
    ['Malformed', run.errorCount],
  ] as const;
  return (
    <>
      <PageHeader
        title={`Delivery ${run.id}`}
        marks={
          <>
            <RunState run={run} />
            <SimulatedMark tenantId={run.tenantId} />
          </>
        }
        actions={
          canRetract && (
            <ConfirmButton
              action="Retract"
              look="bad"
              refusal={refusal}
              title={`Take delivery ${run.id} back?`}
              reasonLabel="Why"
              run={async (reason) => {
                await client.call(retractRun, { params: { runId: run.id }, body: { reason } });
                await refreshAll();
              }}
            >
              Its {formatCount(run.acceptedCount)} rows leave every answer from now on. Nothing is deleted: whoever asks
              what was recorded before now still sees them.
            </ConfirmButton>
          )
        }
      >
        {run.fileName ?? words(run.kind)} of {run.sourceName}
      </PageHeader>
      <div className="grid gap-4">
        {run.retractedAt && (
          <Note tone="warn" title={`Retracted ${formatInstant(run.retractedAt)}`}>
            {run.retractReason}
          </Note>
        )}
        {run.note !== '' && <Note>{run.note}</Note>}
        <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-md border border-line bg-line sm:grid-cols-3 lg:grid-cols-6">
          {counts.map(([label, value]) => (
            <div key={label} className="bg-sheet px-4 py-3">
              <dt className="text-sm text-soft">{label}</dt>
              <dd className="text-xl font-semibold">{formatCount(value)}</dd>
            </div>
          ))}
        </dl>
        <div className="grid gap-4 lg:grid-cols-2 lg:items-start">
          <Panel title="About">
            <Facts
              items={[
                ['Source', run.sourceName],
                ['Kind', words(run.kind)],
                ['Basis', run.priceBasis === null ? 'none' : words(run.priceBasis)],
                ['Days', run.firstDay ? `${formatDay(run.firstDay)} to ${formatDay(run.lastDay)}` : 'none'],
                ['Published', formatInstant(run.publishedAt)],
                ['Content', <Hash key="hash" value={run.contentSha256} />],
                [
                  'Findings',
                  <Link key="cases" to="/data/cases" search={(before) => ({ ...before, run: run.id })} className="link">
                    of this delivery
                  </Link>,
                ],
              ]}
            />
          </Panel>
          <Panel
            title="Malformed rows"
            hint={run.errorCount > run.errors.length ? `The first ${run.errors.length}` : undefined}
            flush
          >
            <RowProblems problems={run.errors} empty="Every row could be read." />
          </Panel>
        </div>
        {run.state === 'published' && mayTrace && <BlastRadiusPanel runId={run.id} />}
      </div>
    </>
  );
}
