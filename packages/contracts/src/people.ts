import { z } from 'zod';
import { asProgram, email, password, session, sessionItem } from './auth.ts';
import { count, id, idParam, instant, name, page, pageQuery } from './fields.ts';
import { PERSON_ROLES, ROLES, SCOPES } from './policy.ts';
import { defineRoute } from './route.ts';

const personRole = z.enum(PERSON_ROLES).meta({ description: 'What they may do.', example: 'analyst' });
const userParams = z.object({ userId: idParam });
const displayName = z.string().nullable().meta({
  description: 'Null for somebody who was forgotten.',
  example: 'Ada',
});

/** Somebody of this tenant, or a machine of its own (role service). */
export const person = z.object({
  userId: id,
  displayName,
  email: z
    .string()
    .nullable()
    .meta({ description: 'Null for a service and the forgotten.', example: 'ada@example.org' }),
  role: z.enum(ROLES).meta({ example: 'analyst' }),
  state: z
    .enum(['active', 'deactivated', 'forgotten'])
    .meta({ description: 'Deactivated: cannot sign in, their keys do not work.', example: 'active' }),
  hasSecondFactor: z.boolean().meta({ example: false }),
  lastSeenAt: instant.nullable().meta({ description: 'When a session of theirs was last renewed.', example: null }),
  createdAt: instant,
});
export type Person = z.infer<typeof person>;

export const listPeople = defineRoute({
  id: 'listPeople',
  method: 'GET',
  path: '/people',
  group: 'auth',
  summary: 'The people and services of this tenant',
  scope: 'people:read',
  query: pageQuery,
  status: 200,
  answer: page(person),
  problems: [],
});

export const getPerson = defineRoute({
  id: 'getPerson',
  method: 'GET',
  path: '/people/:userId',
  group: 'auth',
  summary: 'One person',
  scope: 'people:read',
  params: userParams,
  status: 200,
  answer: person,
  problems: ['NOT_FOUND'],
});

export const createService = defineRoute({
  id: 'createService',
  method: 'POST',
  path: '/people/services',
  group: 'auth',
  summary: 'Make a service: a user for machines, who has keys and no password',
  scope: 'people:write',
  body: z.object({ name: name.meta({ description: 'What it is for; no person’s name.', example: 'Nightly loader' }) }),
  status: 201,
  answer: person,
  problems: [],
});

export const changeRole = defineRoute({
  id: 'changeRole',
  method: 'PUT',
  path: '/people/:userId/role',
  group: 'auth',
  summary: 'Give a person another role; it holds within five seconds everywhere',
  scope: 'people:write',
  params: userParams,
  body: z.object({
    role: personRole,
    from: personRole.meta({ description: 'The role you saw. Somebody else’s change since is a CONFLICT.' }),
  }),
  status: 200,
  answer: person,
  problems: ['NOT_FOUND', 'CONFLICT', 'NOT_POSSIBLE_NOW'],
});

export const deactivatePerson = defineRoute({
  id: 'deactivatePerson',
  method: 'POST',
  path: '/people/:userId/deactivate',
  group: 'auth',
  summary: 'Shut somebody out: sessions end, keys stop, signing in fails. Can be undone',
  scope: 'people:write',
  params: userParams,
  status: 200,
  answer: person,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

export const reactivatePerson = defineRoute({
  id: 'reactivatePerson',
  method: 'POST',
  path: '/people/:userId/reactivate',
  group: 'auth',
  summary: 'Let somebody in again',
  scope: 'people:write',
  params: userParams,
  status: 200,
  answer: person,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

export const forgetPerson = defineRoute({
  id: 'forgetPerson',
  method: 'POST',
  path: '/people/:userId/forget',
  group: 'auth',
  summary: 'Erase name, address and credentials for good. Evidence keeps the number alone and stays valid',
  scope: 'people:write',
  params: userParams,
  status: 200,
  answer: person,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

/** A link that carries a one-time token behind its #. */
const oneTimeLink = z.object({
  link: z.string().meta({
    description: 'Hand it over yourself; it is shown this once, and what lies after # never reaches a server’s log.',
    example: 'https://touchstone.example.org/invitation#inv_x',
  }),
  expiresAt: instant,
});

export const createResetLink = defineRoute({
  id: 'createResetLink',
  method: 'POST',
  path: '/people/:userId/reset-link',
  group: 'auth',
  summary: 'A one-time link with which a person sets a new password; an older link of theirs is void',
  scope: 'people:write',
  params: userParams,
  status: 201,
  answer: oneTimeLink,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

export const removeSecondFactor = defineRoute({
  id: 'removeSecondFactor',
  method: 'DELETE',
  path: '/people/:userId/second-factor',
  group: 'auth',
  summary: 'Take away the second factor of somebody who lost it',
  scope: 'people:write',
  params: userParams,
  status: 204,
  problems: ['NOT_FOUND'],
});

export const listSessionsOf = defineRoute({
  id: 'listSessionsOf',
  method: 'GET',
  path: '/people/:userId/sessions',
  group: 'auth',
  summary: 'Open sessions of a person',
  scope: 'people:write',
  params: userParams,
  status: 200,
  answer: z.object({ items: z.array(sessionItem) }),
  problems: ['NOT_FOUND'],
});

export const endSessionOf = defineRoute({
  id: 'endSessionOf',
  method: 'DELETE',
  path: '/people/:userId/sessions/:family',
  group: 'auth',
  summary: 'End a session of a person',
  scope: 'people:write',
  params: userParams.extend({ family: sessionItem.shape.family }),
  status: 204,
  problems: ['NOT_FOUND'],
});

const token = z
  .string()
  .max(200)
  .meta({ description: 'What stood after # in the link.', example: 'inv_3v5VbL0oD8N6o2m7m0qX1mJ3w9r6mC5b1n8fY2kQ4tE' });

export const resetPasswordByLink = defineRoute({
  id: 'resetPasswordByLink',
  method: 'POST',
  path: '/auth/password/reset',
  group: 'auth',
  summary: 'Set a new password with a one-time link; ends every session of the person',
  scope: 'public',
  limit: 'auth',
  body: z.object({ token, newPassword: password }),
  status: 204,
  problems: ['LINK_ENDED', 'TOO_MANY_TRIES'],
});

/** Who was asked to join. */
export const invitation = z.object({
  id,
  email: z.string().nullable().meta({ description: 'Null once it is used or revoked.', example: 'ada@example.org' }),
  role: personRole,
  state: z.enum(['open', 'accepted', 'revoked', 'expired']).meta({ example: 'open' }),
  expiresAt: instant,
  createdAt: instant,
  createdBy: id.nullable(),
  acceptedUserId: id.nullable().meta({ example: null }),
});
export type Invitation = z.infer<typeof invitation>;

export const listInvitations = defineRoute({
  id: 'listInvitations',
  method: 'GET',
  path: '/invitations',
  group: 'auth',
  summary: 'Invitations of this tenant, newest first',
  scope: 'people:read',
  query: pageQuery,
  status: 200,
  answer: page(invitation),
  problems: [],
});

export const createInvitation = defineRoute({
  id: 'createInvitation',
  method: 'POST',
  path: '/invitations',
  group: 'auth',
  summary:
    'Invite somebody: gives a one-time link to hand over, good for seven days. An older one to the address is void',
  scope: 'people:write',
  body: z.object({ email, role: personRole }),
  status: 201,
  answer: oneTimeLink.extend({ invitation }),
  problems: ['ALREADY_EXISTS'],
});

export const revokeInvitation = defineRoute({
  id: 'revokeInvitation',
  method: 'DELETE',
  path: '/invitations/:invitationId',
  group: 'auth',
  summary: 'Make an open invitation void',
  scope: 'people:write',
  params: z.object({ invitationId: idParam }),
  status: 204,
  problems: ['NOT_FOUND'],
});

export const readInvitation = defineRoute({
  id: 'readInvitation',
  method: 'POST',
  path: '/invitations/read',
  group: 'auth',
  summary: 'What an invitation is for, to whoever holds its link',
  scope: 'public',
  limit: 'auth',
  body: z.object({ token }),
  status: 200,
  answer: z.object({
    email: z.string().meta({ example: 'ada@example.org' }),
    role: personRole,
    tenantName: z.string().meta({ example: 'Home' }),
    expiresAt: instant,
  }),
  problems: ['LINK_ENDED', 'TOO_MANY_TRIES'],
});

export const acceptInvitation = defineRoute({
  id: 'acceptInvitation',
  method: 'POST',
  path: '/invitations/accept',
  group: 'auth',
  summary: 'Join with a link, a name and a password; signs in',
  scope: 'public',
  limit: 'auth',
  body: z.object({ token, displayName: name.meta({ example: 'Ada' }), password, asProgram }),
  status: 201,
  answer: session,
  problems: ['LINK_ENDED', 'ALREADY_EXISTS', 'TOO_MANY_TRIES'],
});

/** A tenant as the operator sees it: that it is there, and nothing of what it has. */
export const tenant = z.object({
  id,
  name,
  peopleCount: count.meta({ description: 'Active people.' }),
  createdAt: instant,
});
export type Tenant = z.infer<typeof tenant>;

export const listTenants = defineRoute({
  id: 'listTenants',
  method: 'GET',
  path: '/tenants',
  group: 'auth',
  summary: 'The tenants of this installation: names and counts, nothing of their data',
  scope: 'tenant:write',
  status: 200,
  answer: z.object({ items: z.array(tenant) }),
  problems: [],
});

export const createTenant = defineRoute({
  id: 'createTenant',
  method: 'POST',
  path: '/tenants',
  group: 'auth',
  summary: 'Make a tenant, with an invitation for its first owner',
  scope: 'tenant:write',
  body: z.object({ name: name.meta({ example: 'Second house' }), ownerEmail: email }),
  status: 201,
  answer: oneTimeLink.extend({ tenant }),
  problems: [],
});

const keyScopes = z.array(z.enum(SCOPES)).meta({
  description: 'What it may do, at most what its user may. Rights over people and accounts cannot be given to a key.',
  example: ['market:read'],
});

export const apiKey = z.object({
  id,
  name: name.meta({ example: 'Notebook' }),
  prefix: z
    .string()
    .meta({ description: 'How it begins; the rest is known to its holder alone.', example: 'tsk_4kq8m2ws' }),
  scopes: keyScopes,
  userId: id.meta({ description: 'On whose behalf it acts.' }),
  userName: displayName,
  state: z.enum(['active', 'expired', 'revoked']).meta({ example: 'active' }),
  expiresAt: instant,
  lastUsedAt: instant.nullable().meta({ description: 'To about a minute.', example: null }),
  replacedById: id.nullable().meta({ description: 'The key that follows it after a rotation.', example: null }),
  createdAt: instant,
});
export type ApiKey = z.infer<typeof apiKey>;

const newKey = z.object({
  key: z.string().meta({ description: 'Send as Authorization: Bearer. Shown this once.', example: 'tsk_4kq8m2ws_x' }),
  apiKey,
});
const keyParams = z.object({ keyId: idParam });

export const listKeys = defineRoute({
  id: 'listKeys',
  method: 'GET',
  path: '/keys',
  group: 'auth',
  summary: 'My API keys, newest first; an owner sees those of everybody here',
  scope: 'account:self',
  query: pageQuery,
  status: 200,
  answer: page(apiKey),
  problems: [],
});

export const createKey = defineRoute({
  id: 'createKey',
  method: 'POST',
  path: '/keys',
  group: 'auth',
  summary: 'Make an API key: it can do what it is given, and never more than its user',
  scope: 'account:self',
  body: z.object({
    name: apiKey.shape.name,
    scopes: keyScopes.min(1),
    expiresInDays: z
      .int()
      .min(1)
      .max(365)
      .default(90)
      .meta({ description: 'How long it works, in days; at most a year.', example: 90 }),
    serviceId: id.optional().meta({ description: 'For a service instead of myself; owners only.', example: 7 }),
  }),
  status: 201,
  answer: newKey,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

export const rotateKey = defineRoute({
  id: 'rotateKey',
  method: 'POST',
  path: '/keys/:keyId/rotate',
  group: 'auth',
  summary: 'Make a key’s successor, as long-lived as it was; the old one works for a while longer',
  scope: 'account:self',
  params: keyParams,
  body: z.object({
    overlapHours: z
      .int()
      .min(0)
      .max(720)
      .default(24)
      .meta({ description: 'How long the old key still works, in hours.', example: 24 }),
  }),
  status: 201,
  answer: newKey,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

export const revokeKey = defineRoute({
  id: 'revokeKey',
  method: 'DELETE',
  path: '/keys/:keyId',
  group: 'auth',
  summary: 'Stop a key within five seconds everywhere; an owner may stop anybody’s',
  scope: 'account:self',
  params: keyParams,
  status: 204,
  problems: ['NOT_FOUND'],
});

const who = z.object({ userId: id, displayName });

export const auditRecord = z.object({
  sequence: count.meta({ description: 'Its place in the chain of evidence.' }),
  recordedAt: instant,
  kind: z.string().meta({ description: 'What was done.', example: 'person.role_changed' }),
  subjectKind: z.string().meta({ description: 'To what.', example: 'user' }),
  subjectId: z.string().meta({ example: '12' }),
  subjectName: z.string().nullable().meta({ description: 'For people who were not forgotten.', example: 'Ada' }),
  actor: who.nullable().meta({ description: 'Who did it; null for the server itself.' }),
  body: z
    .record(z.string(), z.unknown())
    .meta({ description: 'Before and after, as figures.', example: { from: 'viewer' } }),
});
export type AuditRecord = z.infer<typeof auditRecord>;

export const listAudit = defineRoute({
  id: 'listAudit',
  method: 'GET',
  path: '/audit',
  group: 'auth',
  summary: 'Who did what to what, newest first: the evidence with the names of those who were not forgotten',
  scope: 'evidence:read',
  query: pageQuery.extend({
    actorId: idParam.optional(),
    subjectKind: z.string().max(64).optional().meta({ example: 'user' }),
    subjectId: z.string().max(128).optional().meta({ example: '12' }),
    kind: z
      .string()
      .max(64)
      .optional()
      .meta({ description: 'A kind, or a family of them with a dot at the end: `person.`', example: 'person.' }),
    from: instant.optional(),
    to: instant.optional().meta({ description: 'Before this instant.', example: '2026-02-01T00:00:00.000Z' }),
  }),
  status: 200,
  answer: page(auditRecord),
  problems: [],
});
