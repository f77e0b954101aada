import * as contract from '@touchstone/contracts/auth';
import { POLICY } from '@touchstone/contracts/policy';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../clock/clock.ts';
import type { Database } from '../database/database.ts';
import type { Caller, Serve } from '../http/serve.ts';
import { ProblemError } from '../problem-error.ts';
import { type AuthService, createAuthService } from './auth.service.ts';
import {
  answerSession,
  COOKIE_PATH,
  CSRF_COOKIE,
  cookieBase,
  FLOW_COOKIE,
  REFRESH_COOKIE,
  userAgentOf,
} from './browser-session.ts';
import { createLinkService, type LinkService } from './links.service.ts';
import { registerPeopleRoutes } from './people.routes.ts';
import { createProviderSignIn, type ProviderSettings, type ProviderSignIn } from './provider-sign-in.ts';
import { createSecretBox, type SecretBox } from './secret-box.ts';

export type Auth = {
  /** Who sent a request: the user behind its access token or API key, a visitor, or null. */
  authenticate(request: FastifyRequest): Promise<Caller | null>;
  registerRoutes(serve: Serve): void;
  service: AuthService;
  links: LinkService;
};

export type AuthSettings = {
  /** The installation's secret, at least 32 characters. */
  secret: string;
  /** Where links lead. */
  publicUrl: string;
  /** A provider that people can also sign in with. */
  oidc: ProviderSettings | null;
};

const VISITOR: Caller = {
  ...{ tenantId: 0, actorId: null, role: 'visitor', scopes: POLICY.visitor, family: null, keyId: null },
};

export function createAuth(database: Database, clock: Clock, { secret, publicUrl, oidc }: AuthSettings): Auth {
  const box = createSecretBox(secret);
  const service = createAuthService(database, clock, box);
  const links = createLinkService(database, clock, service, publicUrl);
  const provider = createProviderSignIn({ database, clock, box, auth: service, links }, oidc, publicUrl);

  const authenticate = async (request: FastifyRequest): Promise<Caller | null> => {
    if (request.headers.authorization !== undefined) {
      const credential = /^Bearer ([\w.-]+)$/i.exec(request.headers.authorization)?.[1];
      return credential === undefined ? null : service.callers.find(credential, request.ip);
    }
    return isLocal(request) && !(await service.hasOwner()) ? VISITOR : null;
  };

  return {
    authenticate,
    service,
    links,
    registerRoutes(serve) {
      registerSignInRoutes(serve, { service, provider, authenticate, box });
      registerAccountRoutes(serve, service);
      registerPeopleRoutes(serve, { database, clock, auth: service, links });
    },
  };
}

type SignInParts = {
  service: AuthService;
  provider: ProviderSignIn;
  authenticate: Auth['authenticate'];
  box: SecretBox;
};

function registerSignInRoutes(serve: Serve, { service, provider, authenticate, box }: SignInParts): void {
  serve(contract.getAuthState, async ({ request }) => {
    const caller = await authenticate(request);
    const state = { hasOwner: await service.hasOwner(), provider: provider.host };
    if (caller === null) return { ...state, signedIn: null };
    return { ...state, signedIn: { ...(await service.describe(caller)), scopes: [...caller.scopes] } };
  });
  serve(contract.createOwner, async ({ body, request, reply }) => {
    refuseStrangers(request);
    const session = await service.createOwner(body, userAgentOf(request));
    return answerSession(session, body.asProgram, request, reply);
  });
  serve(contract.signIn, async ({ body, request, reply }) => {
    const session = await service.signIn(body.email, body.password, userAgentOf(request));
    return answerSession(session, body.asProgram, request, reply);
  });
  serve(contract.answerSecondFactor, async ({ body, request, reply }) => {
    const session = await service.answerSecondFactor(body.challenge, body.code, userAgentOf(request));
    return answerSession(session, body.asProgram, request, reply);
  });
  serve(contract.startProviderSignIn, async ({ request, reply }) => {
    const { url, cookie, expiresAt } = await provider.start();
    reply.setCookie(FLOW_COOKIE, cookie, {
      ...cookieBase(request),
      ...{ expires: new Date(expiresAt), path: COOKIE_PATH, httpOnly: true },
    });
    return { url };
  });
  serve(contract.finishProviderSignIn, async ({ body, request, reply }) => {
    // Whatever comes of it, the same cookie is good for one try.
    reply.clearCookie(FLOW_COOKIE, { path: COOKIE_PATH });
    const session = await provider.finish(body.query, request.cookies[FLOW_COOKIE], userAgentOf(request));
    return answerSession(session, body.asProgram, request, reply);
  });
  serve(contract.refreshSession, async ({ body, request, reply }) => {
    const { token, isCookie } = refreshTokenOf(request, body.refreshToken);
    if (token === undefined) throw new ProblemError('SESSION_ENDED', 'There is no session to go on with. Sign in.');
    const session = await service.refresh(token, csrfCheck(box, request, isCookie));
    return answerSession(session, !isCookie, request, reply);
  });
  serve(contract.signOut, async ({ body, request, reply }) => {
    const { token, isCookie } = refreshTokenOf(request, body?.refreshToken);
    if (token !== undefined) await service.signOut(token, csrfCheck(box, request, isCookie));
    reply.clearCookie(REFRESH_COOKIE, { path: COOKIE_PATH }).clearCookie(CSRF_COOKIE, { path: '/' });
    return undefined;
  });
}

/** What everybody may do with their own account. */
function registerAccountRoutes(serve: Serve, service: AuthService): void {
  const { secondFactors } = service;
  serve(contract.listSessions, async ({ caller }) => ({
    items: await service.listSessions(caller, caller.actorId!, caller.family),
  }));
  serve(contract.endSession, async ({ caller, params }) => {
    await service.endSession(caller, caller.actorId!, params.family);
    return undefined;
  });
  serve(contract.changePassword, async ({ caller, body }) => {
    await service.changePassword(caller, caller.family, body.currentPassword, body.newPassword);
    return undefined;
  });
  serve(contract.getSecondFactor, ({ caller }) => secondFactors.read(caller));
  serve(contract.enrolSecondFactor, ({ caller }) => secondFactors.enrol(caller));
  serve(contract.confirmSecondFactor, async ({ caller, body }) => ({
    recoveryCodes: await secondFactors.confirm(caller, body.code),
  }));
  serve(contract.renewRecoveryCodes, async ({ caller, body }) => ({
    recoveryCodes: await secondFactors.renewRecoveryCodes(caller, body.code),
  }));
  serve(contract.disableSecondFactor, async ({ caller, body }) => {
    await secondFactors.disable(caller, body.code);
    return undefined;
  });
}

function refreshTokenOf(request: FastifyRequest, inBody: string | undefined) {
  if (inBody !== undefined) return { token: inBody, isCookie: false };
  return { token: request.cookies[REFRESH_COOKIE], isCookie: true };
}

/** A cookie is sent by the browser whoever asks for it, so the request must also carry what only our page can read. */
function csrfCheck(box: SecretBox, request: FastifyRequest, isCookie: boolean) {
  return (family: string): void => {
    if (!isCookie || box.isCsrfTokenOf(family, request.headers['x-csrf-token'])) return;
    throw new ProblemError('CSRF', 'Send the CSRF token of this session as x-csrf-token.');
  };
}

const LOOPBACK_ADDRESS = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;
const LOOPBACK_NAME = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i;

/**
 * True for somebody at this machine's own keyboard: a loopback connection that no proxy passed on, asked for under a
 * loopback name. The name matters: a page elsewhere can point its own name at 127.0.0.1.
 */
export function isLocal(request: FastifyRequest): boolean {
  const isForwarded = request.headers['x-forwarded-for'] !== undefined || request.headers.forwarded !== undefined;
  return !isForwarded && LOOPBACK_ADDRESS.test(request.ip) && LOOPBACK_NAME.test(request.hostname);
}

/** Whoever is first becomes the owner, so being first takes being at the machine. */
function refuseStrangers(request: FastifyRequest): void {
  if (isLocal(request)) return;
  throw new ProblemError('FORBIDDEN', 'The owner is made at the machine itself: open this page there as localhost.');
}
