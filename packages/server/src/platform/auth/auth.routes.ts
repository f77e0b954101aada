import * as contract from '@touchstone/contracts/auth';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../clock/clock.ts';
import type { Database } from '../database/database.ts';
import type { Caller, Serve } from '../http/serve.ts';
import { ProblemError } from '../problem-error.ts';
import { type AuthService, createAuthService, type IssuedSession, TooManyTriesError } from './auth.service.ts';
import { createSecretBox, type SecretBox } from './secret-box.ts';

export type Auth = {
  /** Who sent a request: the access token's user, a visitor, or null. */
  authenticate(request: FastifyRequest): Promise<Caller | null>;
  registerRoutes(serve: Serve): void;
  service: AuthService;
};

export const REFRESH_COOKIE = 'touchstone_refresh';
export const CSRF_COOKIE = 'touchstone_csrf';
const COOKIE_PATH = '/api/v1/auth';
const VISITOR: Caller = { tenantId: 0, actorId: null, role: 'visitor' };

/** @param secret The installation's secret, at least 32 characters. */
export function createAuth(database: Database, clock: Clock, secret: string): Auth {
  const box = createSecretBox(secret);
  const service = createAuthService(database, clock, box);

  const claimsOf = async (request: FastifyRequest) => {
    const token = /^Bearer ([\w.-]+)$/i.exec(request.headers.authorization ?? '')?.[1];
    return token === undefined ? null : service.accessTokens.verify(token);
  };
  const authenticate = async (request: FastifyRequest): Promise<Caller | null> => {
    if (request.headers.authorization !== undefined) {
      const claims = await claimsOf(request);
      return claims && { tenantId: claims.tenantId, actorId: claims.userId, role: claims.role };
    }
    return isLocal(request) && !(await service.hasOwner()) ? VISITOR : null;
  };

  return {
    authenticate,
    service,
    registerRoutes(serve) {
      serve(contract.getAuthState, async ({ request }) => {
        const caller = await authenticate(request);
        const hasOwner = await service.hasOwner();
        return { hasOwner, signedIn: caller === null ? null : await service.describe(caller, caller.role) };
      });
      serve(contract.createOwner, async ({ body, request, reply }) => {
        refuseStrangers(request);
        const session = await service.createOwner(body, userAgentOf(request));
        return answer(session, body.asProgram, request, reply);
      });
      serve(contract.signIn, async ({ body, request, reply }) => {
        const session = await service.signIn(body.email, body.password, userAgentOf(request)).catch(retryLater(reply));
        return answer(session, body.asProgram, request, reply);
      });
      serve(contract.refreshSession, async ({ body, request, reply }) => {
        const { token, isCookie } = refreshTokenOf(request, body.refreshToken);
        if (token === undefined) throw new ProblemError('SESSION_ENDED', 'There is no session to go on with. Sign in.');
        const session = await service.refresh(token, csrfCheck(box, request, isCookie));
        return answer(session, !isCookie, request, reply);
      });
      serve(contract.signOut, async ({ body, request, reply }) => {
        const { token, isCookie } = refreshTokenOf(request, body?.refreshToken);
        if (token !== undefined) await service.signOut(token, csrfCheck(box, request, isCookie));
        reply.clearCookie(REFRESH_COOKIE, { path: COOKIE_PATH }).clearCookie(CSRF_COOKIE, { path: '/' });
        return undefined;
      });
      serve(contract.listSessions, async ({ caller, request }) => {
        const claims = await claimsOf(request);
        return { items: await service.listSessions(caller, claims?.family ?? null) };
      });
      serve(contract.endSession, async ({ caller, params }) => {
        await service.endSession(caller, params.family);
        return undefined;
      });
      serve(contract.changePassword, async ({ caller, body, request, reply }) => {
        const claims = await claimsOf(request);
        await service
          .changePassword(caller, claims?.family ?? null, body.currentPassword, body.newPassword)
          .catch(retryLater(reply));
        return undefined;
      });
    },
  };
}

/** A browser gets the refresh token as a cookie that no script can read, a program gets it in the body. */
function answer(session: IssuedSession, asProgram: boolean, request: FastifyRequest, reply: FastifyReply) {
  const { refreshToken, expiresAt, ...told } = session;
  if (asProgram) return { ...told, refreshToken };
  const shared = { expires: new Date(expiresAt), sameSite: 'strict', secure: request.protocol === 'https' } as const;
  reply.setCookie(REFRESH_COOKIE, refreshToken, { ...shared, path: COOKIE_PATH, httpOnly: true });
  // Readable by our own pages only, so that they can send it back as a header after a reload.
  reply.setCookie(CSRF_COOKIE, session.csrfToken, { ...shared, path: '/', httpOnly: false });
  return { ...told, refreshToken: null };
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

function retryLater(reply: FastifyReply) {
  return (error: unknown): never => {
    if (error instanceof TooManyTriesError) reply.header('retry-after', String(error.retryAfterSeconds));
    throw error;
  };
}

function userAgentOf(request: FastifyRequest): string {
  return request.headers['user-agent'] ?? '';
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
