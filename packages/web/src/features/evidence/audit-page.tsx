import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type AuditRecord, listAudit, listPeople } from '@touchstone/contracts/people';
import { useState } from 'react';
import { DataTable, MoreRows } from '../../components/data-table.tsx';
import { onSubmit, SelectField } from '../../components/form.tsx';
import { Gate } from '../../components/gate.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { RecordFacts } from '../../components/record-facts.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Button, PageHeader, Panel } from '../../components/ui.tsx';
import { formatInstant } from '../../lib/format.ts';
import { apiQuery, usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { kindWords, Subject } from './subject.tsx';

/** Families of what can be done, as the chain names them. */
const FAMILIES = [
  ['', 'Everything'],
  ['person.', 'People'],
  ['invitation.', 'Invitations'],
  ['api_key.', 'API keys'],
  ['session.', 'Sessions'],
  ['second_factor.', 'Second factor'],
  ['run.', 'Deliveries'],
  ['case.', 'Findings'],
  ['universe.', 'Universes'],
  ['index.', 'Indexes'],
  ['schedule.', 'Schedules'],
  ['feed.', 'Feeds'],
  ['refresh.', 'Refreshes'],
  ['backup.', 'Backups'],
  ['archive.', 'Archives'],
  ['alert.', 'Alerts'],
] as const;

export function AuditPage() {
  return (
    <>
      <SubNav of="evidence" />
      <PageHeader title="Audit">
        Who did what to what. The same records as the chain, with the names of those who were not forgotten.
      </PageHeader>
      <Gate scope="evidence:read">
        <Audit />
      </Gate>
    </>
  );
}

function Audit() {
  const { actor, kind } = useSearch({ from: '/evidence/audit' });
  const { query, items } = usePages(['listAudit', 'pages', actor, kind], (cursor) =>
    client.call(listAudit, {
      query: { cursor, ...(actor === undefined ? {} : { actorId: actor }), ...(kind === undefined ? {} : { kind }) },
    }),
  );
  return (
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
                  isWide: true,
                  cell: (record) => <span className="whitespace-nowrap">{formatInstant(record.recordedAt)}</span>,
                },
                { key: 'who', header: 'Who', cell: whoOf },
                {
                  key: 'what',
                  header: 'What',
                  cell: (record) => (
                    <>
                      {kindWords(record.kind)}
                      <span className="block text-xs text-soft md:hidden">{formatInstant(record.recordedAt)}</span>
                    </>
                  ),
                },
                {
                  key: 'to',
                  header: 'To what',
                  cell: (record) => (
                    <Subject kind={record.subjectKind} id={record.subjectId} name={record.subjectName} />
                  ),
                },
                {
                  key: 'body',
                  header: 'Figures',
                  isWide: true,
                  cell: (record) => (
                    <details>
                      <summary className="text-soft">open</summary>
                      <div className="max-w-md text-xs">
                        <RecordFacts record={record.body} />
                      </div>
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
  );
}

function whoOf(record: AuditRecord): string {
  if (record.actor === null) return 'the server';
  return record.actor.displayName ?? `user ${record.actor.userId}`;
}

/** More than a house of people who work here. */
const PEOPLE_MAX = 200;

function Filter({ actor, kind }: { actor: number | undefined; kind: string | undefined }) {
  const [who, setWho] = useState(actor === undefined ? '' : String(actor));
  const [what, setWhat] = useState(kind ?? '');
  const people = useQuery(apiQuery(listPeople, { query: { limit: PEOPLE_MAX } }));
  const known = people.data?.items ?? [];
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
        <SelectField
          label="Who"
          value={who}
          onValue={setWho}
          options={[
            ['', 'Everybody'],
            ...known.map((one) => [String(one.userId), one.displayName ?? `User ${one.userId}`] as const),
            ...(who !== '' && !known.some((one) => String(one.userId) === who) ? [[who, `User ${who}`] as const] : []),
          ]}
        />
      </div>
      <Button type="submit">Show</Button>
    </form>
  );
}
