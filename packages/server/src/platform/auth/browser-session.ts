import type { FastifyReply, FastifyRequest } from 'fastify';
import type { IssuedSession } from './sessions.ts';

export const REFRESH_COOKIE = 'touchstone_refresh';
export const CSRF_COOKIE = 'touchstone_csrf';
/** What a sign-in with a provider needs to find itself again. */
export const FLOW_COOKIE = 'touchstone_provider';
export const COOKIE_PATH = '/api/v1/auth';

/** Cookies go back to us alone, and over https where we were reached by it. */
export const cookieBase = (request: FastifyRequest) =>
  ({ sameSite: 'strict', secure: request.protocol === 'https' }) as const;

/** A browser gets the refresh token as a cookie that no script can read, a program gets it in the body. */
export function answerSession(
  session: IssuedSession,
  asProgram: boolean,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const { refreshToken, expiresAt, ...told } = session;
  if (asProgram) return { ...told, refreshToken };
  const shared = { ...cookieBase(request), expires: new Date(expiresAt) };
  reply.setCookie(REFRESH_COOKIE, refreshToken, { ...shared, path: COOKIE_PATH, httpOnly: true });
  // Readable by our own pages only, so that they can send it back as a header after a reload.
  reply.setCookie(CSRF_COOKIE, session.csrfToken, { ...shared, path: '/', httpOnly: false });
  return { ...told, refreshToken: null };
}

export function userAgentOf(request: FastifyRequest): string {
  return request.headers['user-agent'] ?? '';
}
