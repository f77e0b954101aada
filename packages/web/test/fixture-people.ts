import * as auth from '@touchstone/contracts/auth';
import * as people from '@touchstone/contracts/people';
import type { On } from './fixture-server.ts';

/** People, keys and what was done, for the fixture server. No name belongs to anybody. */

const SINCE = '2026-01-05T09:00:00.000Z';
const LATER = '2027-01-05T09:00:00.000Z';
const QR =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 3 3"><path d="M0 0h1v1H0zM2 0h1v1H2zM1 1h1v1H1zM0 2h1v1H0z"/></svg>';

const somebody = (userId: number, displayName: string, role: people.Person['role']): people.Person => ({
  userId,
  displayName,
  email: role === 'service' ? null : `user${userId}@example.org`,
  role,
  state: 'active',
  hasSecondFactor: userId === 1,
  lastSeenAt: role === 'service' ? null : '2026-01-20T08:12:00.000Z',
  createdAt: SINCE,
});

export function answerPeople(on: On): void {
  const state = {
    people: [
      somebody(1, 'The owner', 'owner'),
      somebody(2, 'The analyst', 'analyst'),
      somebody(3, 'Nightly loader', 'service'),
      { ...somebody(4, '', 'viewer'), displayName: null, email: null, state: 'forgotten' as const },
    ],
    invitations: [
      {
        id: 1,
        email: 'auditor@example.org',
        role: 'auditor' as const,
        state: 'open' as people.Invitation['state'],
        expiresAt: LATER,
        createdAt: SINCE,
        createdBy: 1,
        acceptedUserId: null,
      },
    ],
    keys: [keyOf(1, 'Notebook', 1, 'The owner'), keyOf(2, 'Loader', 3, 'Nightly loader')],
    confirmedAt: null as string | null,
  };
  const find = (userId: number) => state.people.find((person) => person.userId === userId) ?? state.people[0]!;
  const link = (path: string) => ({ link: `http://localhost:8080/${path}#fixture-token`, expiresAt: LATER });
  const sessions = {
    items: [
      {
        family: '0b0e3f3c-6a5e-4a39-9d3f-1c5b9a3f7a11',
        startedAt: SINCE,
        lastUsedAt: '2026-01-20T08:12:00.000Z',
        expiresAt: LATER,
        userAgent: 'Firefox 140 on Linux',
        current: false,
      },
    ],
  };
  const newKey = (apiKey: people.ApiKey) => ({ key: `${apiKey.prefix}_fixture`, apiKey });

  on(people.listPeople, () => ({ items: state.people, nextCursor: null }));
  on(people.getPerson, ({ params }) => find(Number(params.userId)));
  on(people.createService, ({ body }) => {
    const made = somebody(state.people.length + 1, body.name, 'service');
    state.people.push(made);
    return made;
  });
  on(people.changeRole, ({ params, body }) => Object.assign(find(Number(params.userId)), { role: body.role }));
  on(people.deactivatePerson, ({ params }) => Object.assign(find(Number(params.userId)), { state: 'deactivated' }));
  on(people.reactivatePerson, ({ params }) => Object.assign(find(Number(params.userId)), { state: 'active' }));
  on(people.forgetPerson, ({ params }) =>
    Object.assign(find(Number(params.userId)), { state: 'forgotten', displayName: null, email: null }),
  );
  on(people.createResetLink, () => link('reset-password'));
  on(people.removeSecondFactor, () => undefined);
  on(people.listSessionsOf, () => sessions);
  on(people.endSessionOf, () => undefined);
  on(people.listInvitations, () => ({ items: state.invitations, nextCursor: null }));
  on(people.createInvitation, ({ body }) => {
    const invitation = { ...state.invitations[0]!, id: state.invitations.length + 1, ...body, acceptedUserId: null };
    return { ...link('invitation'), invitation };
  });
  on(people.revokeInvitation, () => {
    for (const invitation of state.invitations) invitation.state = 'revoked';
    return undefined;
  });
  on(people.readInvitation, () => ({
    email: 'auditor@example.org',
    role: 'auditor' as const,
    tenantName: 'Our house',
    expiresAt: LATER,
  }));
  on(people.listTenants, () => ({ items: [{ id: 1, name: 'Our house', peopleCount: 3, createdAt: SINCE }] }));
  on(people.createTenant, ({ body }) => ({
    ...link('invitation'),
    tenant: { id: 2, name: body.name, peopleCount: 0, createdAt: SINCE },
  }));
  on(people.listKeys, () => ({ items: state.keys, nextCursor: null }));
  on(people.createKey, ({ body }) => {
    const made = { ...keyOf(state.keys.length + 1, body.name, 1, 'The owner'), scopes: body.scopes };
    state.keys.unshift(made);
    return newKey(made);
  });
  on(people.rotateKey, ({ params }) => newKey(keyOf(Number(params.keyId) + 100, 'Successor', 1, 'The owner')));
  on(people.revokeKey, ({ params }) => {
    for (const key of state.keys) if (key.id === Number(params.keyId)) key.state = 'revoked';
    return undefined;
  });
  on(people.listAudit, () => ({
    items: [
      recordOf(41, 'person.role_changed', 'user', '2', 'The analyst', { from: 'viewer', to: 'analyst' }),
      recordOf(40, 'run.published', 'run', '3', null, { rowCount: 95_563 }),
    ],
    nextCursor: null,
  }));
  on(auth.getSecondFactor, () => ({ confirmedAt: state.confirmedAt, recoveryCodesLeft: state.confirmedAt ? 10 : 0 }));
  on(auth.enrolSecondFactor, () => ({
    uri: 'otpauth://totp/Touchstone:owner%40example.org?secret=JBSWY3DPEHPK3PXP',
    secret: 'JBSWY3DPEHPK3PXP',
    qrSvg: QR,
  }));
  const codes = { recoveryCodes: Array.from({ length: 10 }, (_, at) => `k3fp-9x2m-7wqd-h4t${at}`) };
  on(auth.confirmSecondFactor, () => {
    state.confirmedAt = SINCE;
    return codes;
  });
  on(auth.renewRecoveryCodes, () => codes);
  on(auth.disableSecondFactor, () => {
    state.confirmedAt = null;
    return undefined;
  });
}

function keyOf(id: number, name: string, userId: number, userName: string): people.ApiKey {
  return {
    id,
    name,
    prefix: `tsk_4kq8m2w${id % 10}`,
    scopes: ['market:read', 'portfolio:read'],
    userId,
    userName,
    state: 'active',
    expiresAt: LATER,
    lastUsedAt: id === 1 ? '2026-01-20T08:12:00.000Z' : null,
    replacedById: null,
    createdAt: SINCE,
  };
}

function recordOf(
  sequence: number,
  kind: string,
  subjectKind: string,
  subjectId: string,
  subjectName: string | null,
  body: Record<string, unknown>,
): people.AuditRecord {
  return {
    sequence,
    recordedAt: '2026-01-20T08:12:00.000Z',
    kind,
    subjectKind,
    subjectId,
    subjectName,
    actor: { userId: 1, displayName: 'The owner' },
    body,
  };
}
