import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { changePassword, endSession, listSessions } from '@touchstone/contracts/auth';
import { useState } from 'react';
import { DataTable } from '../../components/data-table.tsx';
import { onSubmit, TextField } from '../../components/form.tsx';
import { Gate } from '../../components/gate.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Button, Facts, Note, PageHeader, Panel } from '../../components/ui.tsx';
import { useAuth } from '../../lib/auth.ts';
import { agentWords, formatInstant } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { SecondFactorPanel } from './second-factor-panel.tsx';

const PASSWORD_LENGTH_MIN = 12;

export function AccountPage() {
  const { signedIn } = useAuth();
  return (
    <>
      <SubNav of="settings" />
      <PageHeader title="Settings" />
      <Gate scope="account:self">
        <div className="grid gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)] lg:items-start">
          <div className="grid gap-4">
            <Sessions />
            <SecondFactorPanel />
          </div>
          <div className="grid gap-4">
            {signedIn && (
              <Panel title="My account">
                <Facts
                  items={[
                    ['Name', signedIn.displayName],
                    ['Role', signedIn.role],
                    ['Scopes', signedIn.scopes.join(', ')],
                    [
                      'Meaning',
                      <Link key="roles" to="/settings/roles" className="link">
                        What each role may do
                      </Link>,
                    ],
                  ]}
                />
              </Panel>
            )}
            <Password />
          </div>
        </div>
      </Gate>
    </>
  );
}

function Sessions() {
  const sessions = useQuery(apiQuery(listSessions));
  const end = useMutation({
    mutationFn: (family: string) => client.call(endSession, { params: { family } }),
    onSuccess: refreshAll,
  });
  return (
    <Panel title="Open sessions" hint="One for each browser or program that is signed in as you." flush>
      {end.error && (
        <div className="p-4">
          <ProblemNotice error={end.error} />
        </div>
      )}
      <QueryView query={sessions}>
        {({ items }) => (
          <DataTable
            label="Open sessions"
            rows={items}
            rowKey={(session) => session.family}
            empty="There is none."
            columns={[
              {
                key: 'agent',
                header: 'Where',
                cell: (session) => (
                  <span className="block min-w-32">
                    <span title={session.userAgent}>{agentWords(session.userAgent)}</span>{' '}
                    {session.current && <Badge tone="accent">this one</Badge>}
                  </span>
                ),
              },
              { key: 'used', header: 'Last used', cell: (session) => formatInstant(session.lastUsedAt) },
              { key: 'started', header: 'Started', isWide: true, cell: (session) => formatInstant(session.startedAt) },
              { key: 'ends', header: 'Ends', isWide: true, cell: (session) => formatInstant(session.expiresAt) },
              {
                key: 'end',
                header: <span className="sr-only">Actions</span>,
                cell: (session) =>
                  !session.current && (
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

function Password() {
  const [currentPassword, setCurrent] = useState('');
  const [newPassword, setNew] = useState('');
  const save = useMutation({
    mutationFn: () => client.call(changePassword, { body: { currentPassword, newPassword } }),
    onSuccess: async () => {
      setCurrent('');
      setNew('');
      await refreshAll();
    },
  });
  return (
    <Panel title="Password" hint="Changing it ends your other sessions.">
      <form className="space-y-3" onSubmit={onSubmit(() => save.mutate())}>
        <TextField
          label="Present password"
          type="password"
          autoComplete="current-password"
          required
          value={currentPassword}
          onValue={setCurrent}
        />
        <TextField
          label="New password"
          type="password"
          autoComplete="new-password"
          required
          minLength={PASSWORD_LENGTH_MIN}
          maxLength={200}
          hint={`At least ${PASSWORD_LENGTH_MIN} characters.`}
          path="body.newPassword"
          error={save.error}
          value={newPassword}
          onValue={setNew}
        />
        {save.error && <ProblemNotice error={save.error} />}
        {save.isSuccess && <Note tone="accent">The password is changed.</Note>}
        <Button type="submit" look="main" isBusy={save.isPending}>
          Change it
        </Button>
      </form>
    </Panel>
  );
}
