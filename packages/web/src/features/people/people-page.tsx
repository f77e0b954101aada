import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import {
  createInvitation,
  createService,
  type Invitation,
  listInvitations,
  listPeople,
  type Person,
  revokeInvitation,
} from '@touchstone/contracts/people';
import { PERSON_ROLES } from '@touchstone/contracts/policy';
import { useState } from 'react';
import { ConfirmButton } from '../../components/confirm.tsx';
import { DataTable, MoreRows } from '../../components/data-table.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { onSubmit, SelectField, TextField } from '../../components/form.tsx';
import { Gate } from '../../components/gate.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { ShownOnce } from '../../components/shown-once.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Button, PageHeader, Panel } from '../../components/ui.tsx';
import { useAuth, useRefusal } from '../../lib/auth.ts';
import { formatInstant } from '../../lib/format.ts';
import { refreshAll, usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { nameOf, ROLE_WORDS, toPersonRole } from './person-words.ts';

export function PeoplePage() {
  const refusal = useRefusal('people:write');
  const [isInviting, setIsInviting] = useState(false);
  const [isNaming, setIsNaming] = useState(false);
  const [link, setLink] = useState<string | null>(null);
  return (
    <>
      <SubNav of="settings" />
      <PageHeader
        title="People"
        actions={
          refusal === null && (
            <>
              <Button look="main" onClick={() => setIsInviting(true)}>
                Invite somebody
              </Button>
              <Button onClick={() => setIsNaming(true)}>New service</Button>
            </>
          )
        }
      >
        Who works here, and what each may do. Nobody else sees anything of this tenant.
      </PageHeader>
      <Gate scope="people:read">
        <div className="grid gap-4">
          <People />
          <Invitations mayChange={refusal === null} />
        </div>
      </Gate>
      <InviteDialog
        isOpen={isInviting}
        onClose={() => setIsInviting(false)}
        onInvited={(made) => {
          setIsInviting(false);
          setLink(made);
        }}
      />
      <ServiceDialog isOpen={isNaming} onClose={() => setIsNaming(false)} />
      <ShownOnce
        title="Hand over this link"
        label="Invitation"
        note="Send it to the person yourself. It works once, for seven days."
        value={link}
        onDone={() => setLink(null)}
      />
    </>
  );
}

function People() {
  const { signedIn } = useAuth();
  const { query, items } = usePages(['listPeople', 'pages'], (cursor) =>
    client.call(listPeople, { query: { cursor } }),
  );
  return (
    <Panel title="People and services" flush>
      <QueryView query={{ ...query, data: items }} lines={6}>
        {(rows) => (
          <DataTable
            label="People and services"
            rows={rows}
            rowKey={(person) => person.userId}
            empty="There is nobody."
            columns={[
              {
                key: 'name',
                header: 'Name',
                cell: (person) => (
                  <span className="block min-w-32">
                    <Link to="/settings/people/$userId" params={{ userId: person.userId }} className="link">
                      {nameOf(person)}
                    </Link>{' '}
                    {person.userId === signedIn?.userId && <Badge tone="accent">you</Badge>}
                    <span className="block text-xs break-all text-soft">{person.email ?? ''}</span>
                  </span>
                ),
              },
              { key: 'role', header: 'Role', cell: (person) => person.role },
              { key: 'state', header: 'State', cell: (person) => <StateBadge person={person} /> },
              {
                key: 'factor',
                header: 'Second factor',
                isWide: true,
                cell: (person) =>
                  person.role === 'service' ? (
                    ''
                  ) : person.hasSecondFactor ? (
                    'yes'
                  ) : (
                    <span className="text-soft">no</span>
                  ),
              },
              {
                key: 'seen',
                header: 'Last seen',
                isWide: true,
                cell: (person) =>
                  person.lastSeenAt === null ? (
                    <span className="text-soft">never</span>
                  ) : (
                    formatInstant(person.lastSeenAt)
                  ),
              },
              { key: 'since', header: 'Since', isWide: true, cell: (person) => formatInstant(person.createdAt) },
            ]}
          />
        )}
      </QueryView>
      <MoreRows query={query} />
    </Panel>
  );
}

export function StateBadge({ person }: { person: Person }) {
  const tones = { active: 'accent', deactivated: 'warn', forgotten: 'plain' } as const;
  return <Badge tone={tones[person.state]}>{person.state}</Badge>;
}

function Invitations({ mayChange }: { mayChange: boolean }) {
  const { query, items } = usePages(['listInvitations', 'pages'], (cursor) =>
    client.call(listInvitations, { query: { cursor } }),
  );
  const tones: Record<Invitation['state'], 'accent' | 'plain' | 'warn'> = {
    open: 'accent',
    accepted: 'plain',
    revoked: 'plain',
    expired: 'warn',
  };
  return (
    <Panel title="Invitations" flush>
      <QueryView query={{ ...query, data: items }} lines={3}>
        {(rows) => (
          <DataTable
            label="Invitations"
            rows={rows}
            rowKey={(invitation) => invitation.id}
            empty="Nobody was invited yet."
            columns={[
              {
                key: 'email',
                header: 'For',
                cell: (invitation) => <span className="break-all">{invitation.email ?? 'no longer kept'}</span>,
              },
              { key: 'role', header: 'Role', cell: (invitation) => invitation.role },
              {
                key: 'state',
                header: 'State',
                cell: (invitation) => <Badge tone={tones[invitation.state]}>{invitation.state}</Badge>,
              },
              {
                key: 'expires',
                header: 'Good until',
                isWide: true,
                cell: (invitation) => formatInstant(invitation.expiresAt),
              },
              {
                key: 'revoke',
                header: <span className="sr-only">Actions</span>,
                cell: (invitation) =>
                  mayChange &&
                  invitation.state === 'open' && (
                    <ConfirmButton
                      action="Revoke"
                      title="Revoke the invitation"
                      run={async () => {
                        await client.call(revokeInvitation, { params: { invitationId: invitation.id } });
                        await refreshAll();
                      }}
                    >
                      The link stops working. Whoever holds it cannot join with it any more.
                    </ConfirmButton>
                  ),
              },
            ]}
          />
        )}
      </QueryView>
      <MoreRows query={query} />
    </Panel>
  );
}

function InviteDialog(props: { isOpen: boolean; onClose: () => void; onInvited: (link: string) => void }) {
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<(typeof PERSON_ROLES)[number]>('viewer');
  const invite = useMutation({
    mutationFn: () => client.call(createInvitation, { body: { email, role } }),
    onSuccess: async ({ link }) => {
      setEmail('');
      props.onInvited(link);
      await refreshAll();
    },
  });
  return (
    <Dialog title="Invite somebody" isOpen={props.isOpen} onClose={props.onClose}>
      <form className="space-y-4" onSubmit={onSubmit(() => invite.mutate())}>
        <TextField
          label="E-mail"
          hint="Their sign-in name. No mail is sent: you get a link to hand over."
          type="email"
          required
          path="body.email"
          error={invite.error}
          value={email}
          onValue={setEmail}
        />
        <SelectField
          label="Role"
          hint={ROLE_WORDS[role]}
          value={role}
          onValue={(value) => setRole(toPersonRole(value))}
          options={PERSON_ROLES.map((name) => [name, name])}
        />
        {invite.error && <ProblemNotice error={invite.error} />}
        <Button type="submit" look="main" isBusy={invite.isPending}>
          Make the link
        </Button>
      </form>
    </Dialog>
  );
}

function ServiceDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const [name, setName] = useState('');
  const make = useMutation({
    mutationFn: () => client.call(createService, { body: { name } }),
    onSuccess: async () => {
      setName('');
      onClose();
      await refreshAll();
    },
  });
  return (
    <Dialog title="New service" isOpen={isOpen} onClose={onClose}>
      <form className="space-y-4" onSubmit={onSubmit(() => make.mutate())}>
        <TextField
          label="Name"
          hint="A user for machines: it has keys and no password. Make a key for it under Keys."
          required
          maxLength={200}
          path="body.name"
          error={make.error}
          value={name}
          onValue={setName}
        />
        {make.error && <ProblemNotice error={make.error} />}
        <Button type="submit" look="main" isBusy={make.isPending}>
          Make it
        </Button>
      </form>
    </Dialog>
  );
}
