import {
  type AuditRecord,
  acceptInvitation,
  changeRole,
  createInvitation,
  createResetLink,
  createService,
  createTenant,
  deactivatePerson,
  endSessionOf,
  forgetPerson,
  getPerson,
  listAudit,
  listInvitations,
  listPeople,
  listSessionsOf,
  listTenants,
  type Person,
  reactivatePerson,
  readInvitation,
  removeSecondFactor,
  resetPasswordByLink,
  revokeInvitation,
} from '@touchstone/contracts/people';
import { PERSON_ROLES } from '@touchstone/contracts/policy';
import { type Call, type Command, LIMIT_OPTION, type Output, UsageError } from '../command.ts';
import { allPages, limitOf, numberOf, personId } from '../look-up.ts';
import { facts, table } from '../render.ts';
import { askPassword, keepSession, PASSWORD_OPTION, SESSION_COLUMNS } from './account.ts';

const LINK_SENTENCE = 'Hand this link over yourself; it is shown this once:';
const WHO = 'PERSON';

export const peopleCommands: Command[] = [
  {
    name: 'people list',
    summary: 'The people and services of this tenant',
    args: [],
    options: LIMIT_OPTION,
    example: 'people list',
    async run(call) {
      const answer = await allPages(limitOf(call), (page) => call.client.call(listPeople, { query: page }));
      const text = table(
        answer.items,
        [
          { title: 'NUMBER', value: (row) => row.userId },
          { title: 'NAME', value: (row) => row.displayName },
          { title: 'E-MAIL', value: (row) => row.email },
          { title: 'ROLE', value: (row) => row.role },
          { title: 'STATE', value: (row) => row.state },
          { title: 'SECOND FACTOR', value: (row) => row.hasSecondFactor },
          { title: 'LAST SEEN', value: (row) => row.lastSeenAt },
        ],
        'Nobody is here.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'people show',
    summary: 'One person',
    args: [WHO],
    example: 'people show ada@example.org',
    run: onPerson(async (call, userId) => told(await call.client.call(getPerson, { params: { userId } }))),
  },
  {
    name: 'people invite',
    summary: 'Invite somebody: prints a one-time link to hand over',
    args: ['EMAIL', 'ROLE'],
    example: 'people invite ada@example.org analyst',
    async run(call) {
      const body = { email: call.args[0] ?? '', role: roleOf(call.args[1]) };
      const answer = await call.client.call(createInvitation, { body });
      return { json: answer, text: `${LINK_SENTENCE}\n${answer.link}\n` };
    },
  },
  {
    name: 'people invitations',
    summary: 'Who was invited, newest first',
    args: [],
    options: LIMIT_OPTION,
    example: 'people invitations',
    async run(call) {
      const answer = await allPages(limitOf(call), (page) => call.client.call(listInvitations, { query: page }));
      const text = table(
        answer.items,
        [
          { title: 'NUMBER', value: (row) => row.id },
          { title: 'E-MAIL', value: (row) => row.email },
          { title: 'ROLE', value: (row) => row.role },
          { title: 'STATE', value: (row) => row.state },
          { title: 'ENDS', value: (row) => row.expiresAt },
        ],
        'Nobody was invited yet.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'people uninvite',
    summary: 'Make an open invitation void, by its number',
    args: ['NUMBER'],
    example: 'people uninvite 12',
    async run(call) {
      const invitationId = numberOf(call.args[0], 'NUMBER');
      await call.client.call(revokeInvitation, { params: { invitationId } });
      return { json: { revoked: invitationId }, text: `Invitation ${invitationId} is void.\n` };
    },
  },
  {
    name: 'people add-service',
    summary: 'Add a user for machines, who has keys and no password',
    args: ['NAME'],
    example: 'people add-service "Nightly loader"',
    async run(call) {
      const made = await call.client.call(createService, { body: { name: call.args[0] ?? '' } });
      return told(made);
    },
  },
  {
    name: 'people role',
    summary: 'Give a person another role',
    args: [WHO, 'ROLE'],
    example: 'people role ada@example.org manager',
    run: onPerson(async (call, userId) => {
      const { role: from } = await call.client.call(getPerson, { params: { userId } });
      const known = PERSON_ROLES.find((role) => role === from);
      if (known === undefined) throw new UsageError(`The role ${from} cannot be changed.`);
      const body = { from: known, role: roleOf(call.args[1]) };
      return told(await call.client.call(changeRole, { params: { userId }, body }));
    }),
  },
  {
    name: 'people deactivate',
    summary: 'Shut somebody out: sessions end, keys stop. Can be undone',
    args: [WHO],
    example: 'people deactivate ada@example.org',
    run: onPerson(async (call, userId) => told(await call.client.call(deactivatePerson, { params: { userId } }))),
  },
  {
    name: 'people reactivate',
    summary: 'Let somebody in again',
    args: [WHO],
    example: 'people reactivate ada@example.org',
    run: onPerson(async (call, userId) => told(await call.client.call(reactivatePerson, { params: { userId } }))),
  },
  {
    name: 'people forget',
    summary: 'Erase name, address and credentials of somebody for good',
    args: [WHO],
    options: { yes: { summary: 'Do not ask' } },
    example: 'people forget ada@example.org --yes',
    run: onPerson(async (call, userId) => {
      await askSure(call, 'This cannot be undone. Forget them for good? Type yes: ');
      return told(await call.client.call(forgetPerson, { params: { userId } }));
    }),
  },
  {
    name: 'people reset-link',
    summary: 'A one-time link with which a person sets a new password',
    args: [WHO],
    example: 'people reset-link ada@example.org',
    run: onPerson(async (call, userId) => {
      const answer = await call.client.call(createResetLink, { params: { userId } });
      return { json: answer, text: `${LINK_SENTENCE}\n${answer.link}\n` };
    }),
  },
  {
    name: 'people remove-totp',
    summary: 'Take away the second factor of somebody who lost it',
    args: [WHO],
    example: 'people remove-totp ada@example.org',
    run: onPerson(async (call, userId) => {
      await call.client.call(removeSecondFactor, { params: { userId } });
      return { json: { removed: userId }, text: 'They sign in with the password alone now.\n' };
    }),
  },
  {
    name: 'people sessions',
    summary: 'Open sessions of a person',
    args: [WHO],
    example: 'people sessions ada@example.org',
    run: onPerson(async (call, userId) => {
      const answer = await call.client.call(listSessionsOf, { params: { userId } });
      return { json: answer, text: table(answer.items, SESSION_COLUMNS, 'They are signed in nowhere.') };
    }),
  },
  {
    name: 'people end-session',
    summary: 'End a session of a person',
    args: [WHO, 'SESSION'],
    example: 'people end-session ada@example.org 0b0e3f3c-6a5e-4a39-9d3f-1c5b9a3f7a10',
    run: onPerson(async (call, userId) => {
      const family = call.args[1] ?? '';
      await call.client.call(endSessionOf, { params: { userId, family } });
      return { json: { ended: family }, text: 'The session has ended.\n' };
    }),
  },
  {
    name: 'join',
    summary: 'Accept an invitation: what stands after # in its link',
    args: ['TOKEN'],
    options: {
      name: { value: 'NAME', summary: 'Your name; default the part of the address before the @' },
      ...PASSWORD_OPTION,
    },
    example: 'join inv_x --name Ada',
    async run(call) {
      const token = tokenOf(call.args[0]);
      const { email } = await call.client.call(readInvitation, { body: { token } });
      const password = await askPassword(call, 'New password, at least 12 characters: ', true);
      const displayName = call.text('name') ?? email.split('@')[0] ?? '';
      const body = { token, displayName, password, asProgram: true };
      return keepSession(call, await call.client.call(acceptInvitation, { body }));
    },
  },
  {
    name: 'password reset',
    summary: 'Set a new password with a reset link: what stands after # in it',
    args: ['TOKEN'],
    options: PASSWORD_OPTION,
    example: 'password reset rst_x',
    async run(call) {
      const newPassword = await askPassword(call, 'New password, at least 12 characters: ', true);
      await call.client.call(resetPasswordByLink, { body: { token: tokenOf(call.args[0]), newPassword } });
      return { json: { reset: true }, text: 'Done. Sign in with: touchstone login EMAIL\n' };
    },
  },
  {
    name: 'tenants list',
    summary: 'The tenants of this installation; for its operator',
    args: [],
    example: 'tenants list',
    async run({ client }) {
      const answer = await client.call(listTenants);
      const text = table(
        answer.items,
        [
          { title: 'NUMBER', value: (row) => row.id },
          { title: 'NAME', value: (row) => row.name },
          { title: 'PEOPLE', value: (row) => row.peopleCount },
          { title: 'CREATED', value: (row) => row.createdAt },
        ],
        'There are none.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'tenants create',
    summary: 'Make a tenant and invite its first owner; for the operator',
    args: ['NAME', 'EMAIL'],
    example: 'tenants create "Second house" second@example.org',
    async run(call) {
      const [name = '', ownerEmail = ''] = call.args;
      const answer = await call.client.call(createTenant, { body: { name, ownerEmail } });
      return { json: answer, text: `Tenant ${answer.tenant.id}. ${LINK_SENTENCE}\n${answer.link}\n` };
    },
  },
  {
    name: 'audit',
    summary: 'Who did what to what, newest first',
    args: [],
    options: {
      ...LIMIT_OPTION,
      actor: { value: WHO, summary: 'Only what this person did' },
      subject: { value: 'KIND', summary: 'Only about this kind of thing, like user' },
      id: { value: 'ID', summary: 'Only about this one' },
      kind: { value: 'KIND', summary: 'Only this, or a family like person.' },
      from: { value: 'INSTANT', summary: 'Since then' },
      to: { value: 'INSTANT', summary: 'Before then' },
    },
    example: 'audit --kind person. --from 2026-01-01T00:00:00Z',
    async run(call) {
      const actor = call.text('actor');
      const query = {
        actorId: actor === undefined ? undefined : await personId(call, actor),
        ...{ subjectKind: call.text('subject'), subjectId: call.text('id'), kind: call.text('kind') },
        ...{ from: call.text('from'), to: call.text('to') },
      };
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listAudit, { query: { ...query, ...page } }),
      );
      const text = table(
        answer.items,
        [
          { title: 'NO', value: (row) => row.sequence },
          { title: 'RECORDED', value: (row) => row.recordedAt },
          { title: 'WHO', value: actorOf },
          { title: 'DID', value: (row) => row.kind },
          { title: 'TO', value: (row) => row.subjectName ?? `${row.subjectKind} ${row.subjectId}` },
          { title: 'HOW', value: (row) => row.body },
        ],
        'Nothing of that is on record.',
      );
      return { json: answer, text };
    },
  },
];

/** A command whose first word names a person. */
function onPerson(work: (call: Call, userId: number) => Promise<Output>) {
  return async (call: Call): Promise<Output> => work(call, await personId(call, call.args[0] ?? ''));
}

async function askSure(call: Call, question: string): Promise<void> {
  if (call.flag('yes')) return;
  if (!call.terminal.isInteractive)
    throw new UsageError('There is nobody to ask whether you are sure. Repeat with --yes.');
  if ((await call.terminal.ask(question)).trim() !== 'yes') throw new UsageError('Nothing was changed.');
}

/** The token itself, or the whole link it stands in. */
function tokenOf(text = ''): string {
  return text.slice(text.indexOf('#') + 1);
}

function roleOf(text: string | undefined): (typeof PERSON_ROLES)[number] {
  const role = PERSON_ROLES.find((known) => known === text);
  if (role === undefined) throw new UsageError(`ROLE must be one of ${PERSON_ROLES.join(', ')}, was "${text}".`);
  return role;
}

function actorOf({ actor }: AuditRecord): string {
  if (actor === null) return 'server';
  return actor.displayName ?? `user ${actor.userId}`;
}

function told(person: Person): Output {
  const text = facts([
    ['number', person.userId],
    ['name', person.displayName],
    ['e-mail', person.email],
    ['role', person.role],
    ['state', person.state],
    ['second factor', person.hasSecondFactor],
    ['last seen', person.lastSeenAt],
  ]);
  return { json: person, text };
}
