import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import {
  changeRole,
  createResetLink,
  deactivatePerson,
  endSessionOf,
  forgetPerson,
  getPerson,
  listSessionsOf,
  type Person,
  reactivatePerson,
  removeSecondFactor,
} from '@touchstone/contracts/people';
import { PERSON_ROLES } from '@touchstone/contracts/policy';
import { type ReactNode, useState } from 'react';
import { ConfirmButton } from '../../components/confirm.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { onSubmit, SelectField } from '../../components/form.tsx';
import { Gate } from '../../components/gate.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { ShownOnce } from '../../components/shown-once.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Button, Facts, Note, PageHeader, Panel } from '../../components/ui.tsx';
import { useAuth } from '../../lib/auth.ts';
import { agentWords, formatInstant } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { StateBadge } from './people-page.tsx';
import { nameOf, ROLE_WORDS, toPersonRole } from './person-words.ts';

export function PersonPage() {
  const { userId } = useParams({ from: '/settings/people/$userId' });
  const person = useQuery(apiQuery(getPerson, { params: { userId } }));
  const { can } = useAuth();
  return (
    <>
      <SubNav of="settings" />
      <PageHeader
        title={person.data ? nameOf(person.data) : `User ${userId}`}
        marks={person.data && <StateBadge person={person.data} />}
      >
        <Link to="/settings/people" className="link">
          People
        </Link>
      </PageHeader>
      <Gate scope="people:read">
        <QueryView query={person} lines={6}>
          {(data) => (
            <div className="grid gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)] lg:items-start">
              <div className="grid gap-4">
                <About person={data} />
                {can('people:write') && data.role !== 'service' && data.state !== 'forgotten' && (
                  <Sessions userId={userId} />
                )}
              </div>
              {can('people:write') && data.state !== 'forgotten' && (
                <div className="grid gap-4">
                  {data.role !== 'service' && <Role key={data.role} person={data} />}
                  <Access person={data} />
                </div>
              )}
            </div>
          )}
        </QueryView>
      </Gate>
    </>
  );
}

function About({ person }: { person: Person }) {
  return (
    <Panel title="About">
      <Facts
        items={[
          [
            'E-mail',
            person.email ?? <span className="text-soft">{person.role === 'service' ? 'none' : 'erased'}</span>,
          ],
          ['Role', person.role],
          ['Second factor', person.role === 'service' ? 'not for services' : person.hasSecondFactor ? 'yes' : 'no'],
          ['Last seen', person.lastSeenAt === null ? 'never' : formatInstant(person.lastSeenAt)],
          ['Since', formatInstant(person.createdAt)],
          [
            'Record',
            <Link key="audit" to="/evidence/audit" search={{ actor: person.userId }} className="link">
              What they did
            </Link>,
          ],
        ]}
      />
    </Panel>
  );
}

function Role({ person }: { person: Person }) {
  const [role, setRole] = useState(toPersonRole(person.role));
  const from = toPersonRole(person.role);
  const save = useMutation({
    mutationFn: () => client.call(changeRole, { params: { userId: person.userId }, body: { role, from } }),
    onSuccess: refreshAll,
  });
  return (
    <Panel title="Role">
      <form className="space-y-3" onSubmit={onSubmit(() => save.mutate())}>
        <SelectField
          label="Role"
          hint={ROLE_WORDS[role]}
          value={role}
          onValue={(value) => setRole(toPersonRole(value))}
          options={PERSON_ROLES.map((name) => [name, name])}
        />
        {save.error && <ProblemNotice error={save.error} />}
        <Button type="submit" look="main" disabled={role === from} isBusy={save.isPending}>
          Change it
        </Button>
        <p className="text-xs text-soft">Holds everywhere within five seconds.</p>
      </form>
    </Panel>
  );
}

function Access({ person }: { person: Person }) {
  const [link, setLink] = useState<string | null>(null);
  const params = { userId: person.userId };
  const isService = person.role === 'service';
  const isActive = person.state === 'active';
  const then = async (work: Promise<unknown>) => {
    await work;
    await refreshAll();
  };
  return (
    <Panel title="Access">
      <ul className="divide-y divide-line text-sm">
        {!isService && isActive && (
          <Item text="A link with which they set a new password. It is shown to you once.">
            <ConfirmButton
              action="Make a reset link"
              title="Make a reset link"
              run={async () => setLink((await client.call(createResetLink, { params })).link)}
            >
              An older link of theirs stops working. Setting the password ends all their sessions.
            </ConfirmButton>
          </Item>
        )}
        {person.hasSecondFactor && (
          <Item text="For somebody who lost their authenticator and their recovery codes.">
            <ConfirmButton
              action="Take the second factor away"
              title="Take the second factor away"
              run={() => then(client.call(removeSecondFactor, { params }))}
            >
              They sign in with the password alone until they set up a new one. Be sure that it is really them who asks.
            </ConfirmButton>
          </Item>
        )}
        {isActive ? (
          <Item text="Sessions end, keys stop, signing in fails. Can be undone.">
            <ConfirmButton
              action="Deactivate"
              title={`Deactivate ${nameOf(person)}`}
              look="bad"
              run={() => then(client.call(deactivatePerson, { params }))}
            >
              What they made stays. You can let them in again at any time.
            </ConfirmButton>
          </Item>
        ) : (
          <Item text="Signing in works again.">
            <ConfirmButton
              action="Let in again"
              title={`Let ${nameOf(person)} in again`}
              run={() => then(client.call(reactivatePerson, { params }))}
            >
              Ended sessions stay ended.
            </ConfirmButton>
          </Item>
        )}
        <Item text="Erases name, address and credentials. The record of what was done stays, under a number.">
          <ConfirmButton
            action="Forget"
            title={`Forget ${nameOf(person)}`}
            look="bad"
            run={() => then(client.call(forgetPerson, { params }))}
          >
            <Note tone="bad" title="This cannot be undone">
              Name, address and credentials are erased for good.
            </Note>
          </ConfirmButton>
        </Item>
      </ul>
      <ShownOnce
        title="Hand over this link"
        label="Reset link"
        note="Give it to the person yourself. It works once, and not for long."
        value={link}
        onDone={() => setLink(null)}
      />
    </Panel>
  );
}

function Item({ text, children }: { text: string; children: ReactNode }) {
  return (
    <li className="space-y-2 py-3 first:pt-0 last:pb-0">
      {children}
      <p className="text-xs text-soft">{text}</p>
    </li>
  );
}

function Sessions({ userId }: { userId: number }) {
  const sessions = useQuery(apiQuery(listSessionsOf, { params: { userId } }));
  const end = useMutation({
    mutationFn: (family: string) => client.call(endSessionOf, { params: { userId, family } }),
    onSuccess: refreshAll,
  });
  return (
    <Panel title="Open sessions" flush>
      {end.error && (
        <div className="p-4">
          <ProblemNotice error={end.error} />
        </div>
      )}
      <QueryView query={sessions} lines={3}>
        {({ items }) => (
          <DataTable
            label="Open sessions"
            rows={items}
            rowKey={(session) => session.family}
            empty="They are not signed in anywhere."
            columns={[
              {
                key: 'agent',
                header: 'Where',
                cell: (session) => (
                  <span className="block min-w-32" title={session.userAgent}>
                    {agentWords(session.userAgent)}
                  </span>
                ),
              },
              { key: 'used', header: 'Last used', cell: (session) => formatInstant(session.lastUsedAt) },
              { key: 'ends', header: 'Ends', isWide: true, cell: (session) => formatInstant(session.expiresAt) },
              {
                key: 'end',
                header: <span className="sr-only">Actions</span>,
                cell: (session) => (
                  <Button
                    isBusy={end.isPending && end.variables === session.family}
                    onClick={() => end.mutate(session.family)}
                  >
                    End
                  </Button>
                ),
              },
            ]}
          />
        )}
      </QueryView>
    </Panel>
  );
}
