import { z } from 'zod';
import { count, id, instant, name } from './fields.ts';
import { ROLES, SCOPES } from './policy.ts';
import { defineRoute } from './route.ts';

export const email = z
  .email()
  .max(320)
  .meta({ description: 'E-mail address; the sign-in name.', example: 'owner@example.org' });
export const password = z
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
  provider: z.string().nullable().meta({
    description: 'Host of the provider that people can also sign in with; null when none is configured.',
    example: 'accounts.example.org',
  }),
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

export const asProgram = z
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
  problems: ['SIGN_IN_FAILED', 'TOO_MANY_TRIES', 'SECOND_FACTOR_NEEDED'],
});

const code = z
  .string()
  .trim()
  .min(6)
  .max(40)
  .meta({ description: 'Six digits of the authenticator, or a recovery code.', example: '492039' });

export const answerSecondFactor = defineRoute({
  id: 'answerSecondFactor',
  method: 'POST',
  path: '/auth/sign-in/second-factor',
  group: 'auth',
  summary: 'Second step of signing in: the challenge of the first, and a code that was not used before',
  scope: 'public',
  limit: 'auth',
  body: z.object({
    challenge: z
      .string()
      .max(1000)
      .meta({ description: 'From the problem SECOND_FACTOR_NEEDED.', example: 'eyJ1IjoxMn0.x' }),
    code,
    asProgram,
  }),
  status: 200,
  answer: session,
  problems: ['SIGN_IN_FAILED', 'TOO_MANY_TRIES'],
});

export const startProviderSignIn = defineRoute({
  id: 'startProviderSignIn',
  method: 'POST',
  path: '/auth/provider/start',
  group: 'auth',
  summary: 'Begin to sign in with the configured provider (OpenID Connect): the address to send the browser to',
  scope: 'public',
  limit: 'auth',
  status: 200,
  answer: z.object({
    url: z.string().meta({
      description: 'The provider sends the browser back to /sign-in/provider with code and state in the query.',
      example: 'https://accounts.example.org/auth?client_id=touchstone',
    }),
  }),
  problems: ['NOT_POSSIBLE_NOW', 'SIGN_IN_PROVIDER_AWAY'],
});

export const finishProviderSignIn = defineRoute({
  id: 'finishProviderSignIn',
  method: 'POST',
  path: '/auth/provider/finish',
  group: 'auth',
  summary: 'Finish it with what the provider sent along; needs the cookie of the start',
  scope: 'public',
  limit: 'auth',
  body: z.object({
    query: z
      .string()
      .max(4000)
      .meta({ description: 'The query the browser came back with, as it is.', example: '?code=x&state=y' }),
    asProgram,
  }),
  status: 200,
  answer: session,
  problems: ['SIGN_IN_FAILED', 'SECOND_FACTOR_NEEDED', 'SIGN_IN_PROVIDER_AWAY', 'NOT_POSSIBLE_NOW', 'TOO_MANY_TRIES'],
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
  problems: ['SIGN_IN_FAILED', 'TOO_MANY_TRIES'],
});

export const getSecondFactor = defineRoute({
  id: 'getSecondFactor',
  method: 'GET',
  path: '/auth/second-factor',
  group: 'auth',
  summary: 'Whether signing in asks me for a second factor',
  scope: 'account:self',
  status: 200,
  answer: z.object({
    confirmedAt: instant.nullable().meta({ description: 'Null while there is none.', example: null }),
    recoveryCodesLeft: count,
  }),
  problems: [],
});

export const enrolSecondFactor = defineRoute({
  id: 'enrolSecondFactor',
  method: 'POST',
  path: '/auth/second-factor/enrol',
  group: 'auth',
  summary: 'Begin with a second factor: a secret for an authenticator; nothing asks for it until it is confirmed',
  scope: 'account:self',
  status: 200,
  answer: z.object({
    uri: z.string().meta({
      description: 'For the authenticator; it holds the secret and is shown this once.',
      example: 'otpauth://totp/Touchstone:owner%40example.org?secret=JBSWY3DPEHPK3PXP',
    }),
    secret: z.string().meta({ description: 'The same, to type in: base 32.', example: 'JBSWY3DPEHPK3PXP' }),
    qrSvg: z.string().meta({ description: 'The address as a QR code, an SVG image.', example: '<svg></svg>' }),
  }),
  problems: ['NOT_POSSIBLE_NOW'],
});

const recoveryCodes = z.object({
  recoveryCodes: z.array(z.string()).meta({
    description: 'Each works once in place of a code. Shown this once.',
    example: ['k3fp-9x2m-7wqd-h4ta'],
  }),
});

export const confirmSecondFactor = defineRoute({
  id: 'confirmSecondFactor',
  method: 'POST',
  path: '/auth/second-factor/confirm',
  group: 'auth',
  summary: 'Show that the authenticator works; from now on signing in asks for a code. Gives ten recovery codes',
  scope: 'account:self',
  body: z.object({ code }),
  status: 200,
  answer: recoveryCodes,
  problems: ['SIGN_IN_FAILED', 'NOT_POSSIBLE_NOW', 'TOO_MANY_TRIES'],
});

export const renewRecoveryCodes = defineRoute({
  id: 'renewRecoveryCodes',
  method: 'POST',
  path: '/auth/second-factor/recovery-codes',
  group: 'auth',
  summary: 'Ten new recovery codes; the old ones are void',
  scope: 'account:self',
  body: z.object({ code }),
  status: 200,
  answer: recoveryCodes,
  problems: ['SIGN_IN_FAILED', 'NOT_POSSIBLE_NOW', 'TOO_MANY_TRIES'],
});

export const disableSecondFactor = defineRoute({
  id: 'disableSecondFactor',
  method: 'POST',
  path: '/auth/second-factor/disable',
  group: 'auth',
  summary: 'Sign in with the password alone again',
  scope: 'account:self',
  body: z.object({ code }),
  status: 204,
  problems: ['SIGN_IN_FAILED', 'NOT_POSSIBLE_NOW', 'TOO_MANY_TRIES'],
});
