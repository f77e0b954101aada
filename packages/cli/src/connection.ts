import { refreshSession, type Session } from '@touchstone/contracts/auth';
import { ApiProblem, createClient, type Payload, type Send } from '@touchstone/contracts/client';
import type { SessionFile, StoredSession } from './session-file.ts';

/** The server does not answer, or it is no Touchstone. */
export class NoServer extends Error {
  constructor(url: string, cause: unknown) {
    super(`No server answers at ${url}. Start it with "npm start", or name another with --url or TOUCHSTONE_URL.`, {
      cause,
    });
    this.name = 'NoServer';
  }
}

/** What to do when the server takes us for nobody. A key of the environment comes before any session. */
export function signInHint(environment: Readonly<Record<string, string | undefined>>): string {
  return environment.TOUCHSTONE_API_KEY
    ? 'The key in TOUCHSTONE_API_KEY is not good: it is revoked, expired or mistyped. Put a good one there, or none to use your session.'
    : 'Sign in with: touchstone login EMAIL';
}

/** A server and our session there. Without a session requests go out as a visitor. */
export type Connection = {
  url: string;
  send: Send;
  /** The same, telling how many bytes of the body have gone out. */
  sendWith(onBytes: (sent: number) => void): Send;
  /** Keeps a session for the next commands. */
  keep(session: Session): Promise<void>;
  /** The refresh token, to end the session with. */
  refreshToken(): Promise<string | undefined>;
  forget(): Promise<void>;
};

const REFRESH_BEFORE_MS = 30_000;

/** @param apiKey Speaks for itself: no session is read, renewed or needed. */
export function createConnection(url: string, file: SessionFile, apiKey?: string): Connection {
  const base = url.replace(/\/+$/, '');
  let known: Promise<StoredSession | undefined> | undefined;

  const current = () => {
    known ??= file.read().then((found) => (found?.url === base ? found : undefined));
    return known;
  };
  /** Trades the refresh token, unless another process just did. Undefined when the session has ended. */
  const refresh = (stale: StoredSession) => {
    known = file.exclusively(async () => {
      const latest = await file.read();
      if (latest === undefined || latest.url !== base) return undefined;
      if (latest.accessToken !== stale.accessToken) return latest;
      try {
        const bare = createClient((path, init) => request(base, path, init));
        const fresh = await bare.call(refreshSession, { body: { refreshToken: latest.refreshToken } });
        const kept = toStored(base, fresh, latest.refreshToken);
        await file.write(kept);
        return kept;
      } catch (error) {
        if (!(error instanceof ApiProblem) || error.problem.status !== 401) throw error;
        await file.remove();
        return undefined;
      }
    });
    return known;
  };

  const sendWith =
    (onBytes: ((sent: number) => void) | undefined): Send =>
    async (path, init) => {
      if (apiKey !== undefined) return request(base, path, withToken(init, { accessToken: apiKey }), onBytes);
      let session = await current();
      if (session !== undefined && Date.parse(session.accessTokenExpiresAt) - Date.now() < REFRESH_BEFORE_MS) {
        session = await refresh(session);
      }
      const response = await request(base, path, withToken(init, session), onBytes);
      if (response.status !== 401 || session === undefined) return response;
      const renewed = await refresh(session);
      if (renewed === undefined) return response;
      await response.body?.cancel();
      return request(base, path, withToken(init, renewed), onBytes);
    };

  return {
    url: base,
    send: sendWith(undefined),
    sendWith,
    async keep(session) {
      if (session.refreshToken === null)
        throw new Error('The server gave no refresh token; it takes us for a browser.');
      await file.write(toStored(base, session, session.refreshToken));
      known = undefined;
    },
    refreshToken: async () => (await current())?.refreshToken,
    async forget() {
      await file.remove();
      known = undefined;
    },
  };
}

function toStored(url: string, session: Session, refreshToken: string): StoredSession {
  return { url, ...session, refreshToken: session.refreshToken ?? refreshToken };
}

type Init = Parameters<Send>[1];

function withToken(init: Init, session: Pick<StoredSession, 'accessToken'> | undefined): Init {
  if (session === undefined) return init;
  return { ...init, headers: { ...init.headers, authorization: `Bearer ${session.accessToken}` } };
}

async function request(base: string, path: string, init: Init, onBytes?: (sent: number) => void): Promise<Response> {
  const body = onBytes === undefined ? init.body : counted(init.body, onBytes);
  try {
    const { method, headers } = init;
    return await fetch(`${base}${path}`, {
      method,
      headers: { ...headers, 'user-agent': 'touchstone-cli' },
      ...(body === undefined ? {} : { body, duplex: 'half' }),
    });
  } catch (error) {
    throw new NoServer(base, error);
  }
}

/** A file is read while it is sent, and again from the start if the request has to be repeated. */
function counted(body: Payload | undefined, onBytes: (sent: number) => void): Payload | undefined {
  if (!(body instanceof Blob)) return body;
  let sent = 0;
  return body.stream().pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        sent += chunk.byteLength;
        onBytes(sent);
        controller.enqueue(chunk);
      },
    }),
  );
}
