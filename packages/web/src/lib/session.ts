import { type AuthState, getAuthState, type Session } from '@touchstone/contracts/auth';
import { ApiProblem, createClient, type Send } from '@touchstone/contracts/client';
import { PROBLEMS, problem } from '@touchstone/contracts/problems';

/**
 * Who is using this page. The access token lives in memory only; the refresh token is an httpOnly cookie the page never
 * sees; the CSRF token is a cookie the page reads and sends along, which no other site can.
 */

const CSRF_COOKIE = 'touchstone_csrf';
/** Renew a little before the end, so that no request starts with a token that ends on the way. */
const RENEW_BEFORE_MS = 30_000;
/** Somebody may have another role since the page asked. */
const FORBIDDEN = PROBLEMS.FORBIDDEN.status;
const REFRESH_LOCK = 'touchstone.refresh';

let access: { token: string; expiresAtMs: number } | null = null;
let refreshing: Promise<boolean> | null = null;
/** The cookies of an ended session may outlive it; they are not tried again. */
let isEnded = false;
let onSessionChanged: () => void = () => {};

/** Called once by the app: what happens when a session cannot be renewed, or may not do what the page thought it may. */
export function whenSessionChanges(handler: () => void): void {
  onSessionChanged = handler;
}

export function adoptSession(session: Session): AuthState {
  isEnded = false;
  access = { token: session.accessToken, expiresAtMs: Date.parse(session.accessTokenExpiresAt) };
  return { hasOwner: true, provider: null, signedIn: session.signedIn };
}

export function forgetSession(): void {
  access = null;
  isEnded = true;
}

/** Headers that let this page use its cookie. */
export function csrfHeaders(): Record<string, string> {
  const token = csrfToken();
  return token === null ? {} : { 'x-csrf-token': token };
}

/** A valid access token, renewed if needed; null for a visitor. */
export async function accessToken(): Promise<string | null> {
  if (access !== null && access.expiresAtMs - Date.now() < RENEW_BEFORE_MS) await refresh();
  return access?.token ?? null;
}

/** First question of the page: an old session is renewed, else the server says who we are. */
export async function loadAuthState(): Promise<AuthState> {
  if (access === null && !isEnded && csrfToken() !== null) await refresh();
  return client.call(getAuthState);
}

const send: Send = async (path, init) => {
  const token = path.includes('/auth/sign-in') || path.includes('/auth/owner') ? null : await accessToken();
  const response = await request(path, init, token);
  if (response.status === FORBIDDEN && token !== null) onSessionChanged();
  if (response.status !== 401 || token === null) return response;
  return (await refresh()) ? request(path, init, access?.token ?? null) : response;
};

export const client = createClient(send);

async function request(path: string, init: Parameters<Send>[1], token: string | null): Promise<Response> {
  const headers = { ...init.headers, ...csrfHeaders() };
  if (token !== null) Object.assign(headers, { authorization: `Bearer ${token}` });
  try {
    return await fetch(path, { method: init.method, headers, body: init.body ?? null, credentials: 'same-origin' });
  } catch (cause) {
    throw new ApiProblem(unreachable(cause));
  }
}

/** Renews the session once, however many requests ask for it, also across tabs: a refresh token used twice ends it. */
function refresh(): Promise<boolean> {
  // Locks exist only where the browser trusts the address; elsewhere one tab is assumed.
  refreshing ??= (isSecureContext ? navigator.locks.request(REFRESH_LOCK, refreshNow) : refreshNow()).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function refreshNow(): Promise<boolean> {
  const headers = { 'content-type': 'application/json', ...csrfHeaders() };
  const response = await fetch('/api/v1/auth/refresh', {
    method: 'POST',
    headers,
    body: '{}',
    credentials: 'same-origin',
  }).catch(() => null);
  if (response?.ok) {
    adoptSession(await response.json());
    return true;
  }
  // Only a clear no ends the session; a server that is away may still know it later.
  if (response !== null && response.status < 500) {
    const hadSession = access !== null;
    forgetSession();
    if (hadSession) onSessionChanged();
  }
  return false;
}

/** Sends a file with progress, which fetch cannot tell. */
export async function uploadWithProgress(
  path: string,
  file: Blob,
  onProgress: (fraction: number) => void,
): Promise<unknown> {
  const token = await accessToken();
  return new Promise((resolve, reject) => {
    const upload = new XMLHttpRequest();
    upload.open('POST', path);
    upload.setRequestHeader('content-type', 'application/octet-stream');
    if (token !== null) upload.setRequestHeader('authorization', `Bearer ${token}`);
    for (const [name, value] of Object.entries(csrfHeaders())) upload.setRequestHeader(name, value);
    upload.upload.onprogress = (event) => onProgress(event.lengthComputable ? event.loaded / event.total : 0);
    upload.onerror = () => reject(new ApiProblem(unreachable('The file was not sent to its end.')));
    upload.onload = () => {
      const answer: unknown = parseJson(upload.responseText);
      if (upload.status < 300) return resolve(answer);
      const told = problem.safeParse(answer);
      reject(told.success ? new ApiProblem(told.data) : new ApiProblem(unreachable(`Status ${upload.status}.`)));
    };
    upload.send(file);
  });
}

function unreachable(cause: unknown) {
  return {
    type: 'about:blank',
    title: 'The server does not answer',
    status: PROBLEMS.UNEXPECTED.status,
    detail: `The server did not answer. Is it still running? (${cause instanceof Error ? cause.message : String(cause)})`,
    code: 'UNREACHABLE',
    requestId: '',
    retryable: true,
    details: [],
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The server sets it beside the refresh cookie, for our own page to read. */
function csrfToken(): string | null {
  const found = document.cookie.split('; ').find((cookie) => cookie.startsWith(`${CSRF_COOKIE}=`));
  return found === undefined ? null : decodeURIComponent(found.slice(CSRF_COOKIE.length + 1));
}
