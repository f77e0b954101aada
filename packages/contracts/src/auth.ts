import { z } from 'zod';
import { id, instant, name } from './fields.ts';
import { ROLES, SCOPES } from './policy.ts';
import { defineRoute } from './route.ts';

const email = z
  .email()
  .max(320)
  .meta({ description: 'E-mail address; the sign-in name.', example: 'owner@example.org' });
const password = z
  .string()
  .min(12)
  .max(200)
  .meta({ description: 'At least 12 characters.', example: 'correct horse battery' });

export const signedIn = z.object({
  userId: id.nullable().meta({ description: 'Null for a visitor.' }),
  tenantId: id,
  role: z.enum(ROLES).meta({ example: 'owner' }),
  displayName: z.string().meta({ example: 'Owner' }),
  scopes: z.array(z.enum(SCOPES)).meta({ example: ['market:read'] }),
});

export const authState = z.object({
  hasOwner: z.boolean().meta({ description: 'False until the owner is made.', example: true }),
  signedIn: signedIn.nullable().meta({ description: 'Null when somebody must sign in first.' }),
});
export type AuthState = z.infer<typeof authState>;

export const session = z.object({
  accessToken: z
    .string()
    .meta({ description: 'For the Authorization header. Lives 15 minutes.', example: 'eyJhbGciOiJFZERTQSJ9.e30.x' }),
  accessTokenExpiresAt: instant,
  refreshToken: z.string().nullable().meta({
    description: 'For programs only; a browser gets it as an httpOnly cookie and null here.',
    example: null,
  }),
  csrfToken: z
    .string()
    .meta({ description: 'Send as x-csrf-token with every request that uses the cookie.', example: 'b6f1c0' }),
  signedIn,
});
export type Session = z.infer<typeof session>;

const asProgram = z
  .boolean()
  .default(false)
  .meta({ description: 'True: return the refresh token in the body instead of a cookie.', example: false });

export const getAuthState = defineRoute({
  id: 'getAuthState',
  method: 'GET',
  path: '/auth/state',
  group: 'auth',
  summary: 'Who am I, and is there an owner yet?',
  scope: 'public',
  status: 200,
  answer: authState,
  problems: [],
});

export const createOwner = defineRoute({
  id: 'createOwner',
  method: 'POST',
  path: '/auth/owner',
  group: 'auth',
  summary: 'Make the owner of this installation; possible once, at the machine itself',
  scope: 'public',
  limit: 'auth',
  body: z.object({ email, password, displayName: name, tenantName: name, asProgram }),
  status: 201,
  answer: session,
  problems: ['ALREADY_EXISTS'],
});

export const signIn = defineRoute({
  id: 'signIn',
  method: 'POST',
  path: '/auth/sign-in',
  group: 'auth',
  summary: 'Sign in with e-mail and password',
  scope: 'public',
  limit: 'auth',
  body: z.object({ email, password: z.string().max(200).meta({ example: 'correct horse battery' }), asProgram }),
  status: 200,
  answer: session,
  problems: ['SIGN_IN_FAILED', 'TOO_MANY_TRIES'],
});

export const refreshSession = defineRoute({
  id: 'refreshSession',
  method: 'POST',
  path: '/auth/refresh',
  group: 'auth',
  summary: 'Trade the refresh token for a new pair; a token used twice ends its session',
  scope: 'public',
  limit: 'auth',
  body: z.object({
    refreshToken: z.string().max(200).optional().meta({ description: 'Programs only.', example: '3.abc' }),
  }),
  status: 200,
  answer: session,
  problems: ['SESSION_ENDED', 'CSRF'],
});

export const signOut = defineRoute({
  id: 'signOut',
  method: 'POST',
  path: '/auth/sign-out',
  group: 'auth',
  summary: 'End this session',
  scope: 'public',
  body: z.object({
    refreshToken: z.string().max(200).optional().meta({ description: 'Programs only.', example: '3.abc' }),
  }),
  status: 204,
  problems: ['CSRF'],
});

export const sessionItem = z.object({
  family: z.uuid().meta({ example: '0b0e3f3c-6a5e-4a39-9d3f-1c5b9a3f7a10' }),
  startedAt: instant,
  lastUsedAt: instant,
  expiresAt: instant,
  userAgent: z.string().meta({ example: 'Firefox' }),
  current: z.boolean().meta({ example: true }),
});

export const listSessions = defineRoute({
  id: 'listSessions',
  method: 'GET',
  path: '/auth/sessions',
  group: 'auth',
  summary: 'My open sessions',
  scope: 'account:self',
  status: 200,
  answer: z.object({ items: z.array(sessionItem) }),
  problems: [],
});

export const endSession = defineRoute({
  id: 'endSession',
  method: 'DELETE',
  path: '/auth/sessions/:family',
  group: 'auth',
  summary: 'End one of my sessions',
  scope: 'account:self',
  params: z.object({ family: z.uuid().meta({ example: '0b0e3f3c-6a5e-4a39-9d3f-1c5b9a3f7a10' }) }),
  status: 204,
  problems: ['NOT_FOUND'],
});

export const changePassword = defineRoute({
  id: 'changePassword',
  method: 'PUT',
  path: '/auth/password',
  group: 'auth',
  summary: 'Change my password; ends my other sessions',
  scope: 'account:self',
  limit: 'auth',
  body: z.object({
    currentPassword: z.string().max(200).meta({ example: 'correct horse battery' }),
    newPassword: password,
  }),
  status: 204,
  problems: ['SIGN_IN_FAILED'],
});
