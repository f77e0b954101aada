import { useNavigate, useSearch } from '@tanstack/react-router';
import { type AuditRecord, listAudit } from '@touchstone/contracts/people';
import { useState } from 'react';
import { DataTable, MoreRows } from '../../components/data-table.tsx';
import { onSubmit, SelectField, TextField } from '../../components/form.tsx';
import { Gate } from '../../components/gate.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Button, PageHeader, Panel } from '../../components/ui.tsx';
import { formatInstant, words } from '../../lib/format.ts';
import { usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

/** Families of what can be done, as the chain names them. */
const FAMILIES = [
  ['', 'Everything'],
  ['person.', 'People'],
  ['invitation.', 'Invitations'],
  ['key.', 'Keys'],
  ['session.', 'Sessions'],
  ['run.', 'Deliveries'],
  ['case.', 'Findings'],
  ['universe.', 'Universes'],
  ['index.', 'Indexes'],
  ['schedule.', 'Schedules'],
  ['feed.', 'Feeds'],
] as const;

export function AuditPage() {
  const { actor, kind } = useSearch({ from: '/evidence/audit' });
  const { query, items } = usePages(['listAudit', 'pages', actor, kind], (cursor) =>
    client.call(listAudit, {
      query: { cursor, ...(actor === undefined ? {} : { actorId: actor }), ...(kind === undefined ? {} : { kind }) },
    }),
  );
  return (
    <>
      <SubNav of="evidence" />
      <PageHeader title="Audit">
        Who did what to what. The same records as the chain, with the names of those who were not forgotten.
      </PageHeader>
      <Gate scope="evidence:read">
        <div className="grid gap-4">
          <Filter key={`${actor} ${kind}`} actor={actor} kind={kind} />
          <Panel title="What was done" hint="Newest first" flush>
            <QueryView query={{ ...query, data: items }} lines={8}>
              {(rows) => (
                <DataTable
                  label="What was done"
                  rows={rows}
                  rowKey={(record) => record.sequence}
                  empty="Nothing fits. Widen the choice above."
                  columns={[
                    {
                      key: 'at',
                      header: 'When',
                      cell: (record) => (
                        <span className="sm:whitespace-nowrap">{formatInstant(record.recordedAt)}</span>
                      ),
                    },
                    { key: 'who', header: 'Who', cell: whoOf },
                    {
                      key: 'what',
                      header: 'What',
                      cell: (record) => words(record.kind.replaceAll('.', ' ').replaceAll('_', ' ')),
                    },
                    {
                      key: 'to',
                      header: 'To what',
                      cell: (record) =>
                        record.subjectName ?? `${words(record.subjectKind)} ${shortId(record.subjectId)}`,
                    },
                    {
                      key: 'body',
                      header: 'Figures',
                      isWide: true,
                      cell: (record) => (
                        <details>
                          <summary className="text-soft">open</summary>
                          <pre className="max-w-md font-mono text-xs break-all whitespace-pre-wrap">
                            {JSON.stringify(record.body, null, 1)}
                          </pre>
                        </details>
                      ),
                    },
                    { key: 'no', header: 'No.', isNumber: true, isWide: true, cell: (record) => record.sequence },
                  ]}
                />
              )}
            </QueryView>
            <MoreRows query={query} />
          </Panel>
        </div>
      </Gate>
    </>
  );
}

function whoOf(record: AuditRecord): string {
  if (record.actor === null) return 'the server';
  return record.actor.displayName ?? `user ${record.actor.userId}`;
}

const ID_LENGTH = 12;
function shortId(id: string): string {
  return id.length > ID_LENGTH ? `${id.slice(0, ID_LENGTH)}…` : id;
}

function Filter({ actor, kind }: { actor: number | undefined; kind: string | undefined }) {
  const [who, setWho] = useState(actor === undefined ? '' : String(actor));
  const [what, setWhat] = useState(kind ?? '');
  const navigate = useNavigate();
  const show = () =>
    navigate({
      to: '/evidence/audit',
      search: { ...(who !== '' && { actor: Number(who) }), ...(what !== '' && { kind: what }) },
    });
  return (
    <form className="flex flex-wrap items-end gap-3" onSubmit={onSubmit(show)}>
      <div className="w-44">
        <SelectField label="What" value={what} onValue={setWhat} options={FAMILIES} />
      </div>
      <div className="w-44">
        <TextField label="Number of the user" type="number" min={1} value={who} onValue={setWho} />
      </div>
      <Button type="submit">Show</Button>
    </form>
  );
}
