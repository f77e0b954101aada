import { sql } from 'kysely';
import type { Configuration } from 'openid-client';
import type { Clock } from '../clock/clock.ts';
import type { Database, Principal, Transaction } from '../database/database.ts';
import { appendEvidence } from '../evidence/evidence.ts';
import { ProblemError } from '../problem-error.ts';
import type { AuthService } from './auth.service.ts';
import type { LinkService } from './links.service.ts';
import type { SecretBox } from './secret-box.ts';
import type { IssuedSession } from './sessions.ts';

export type ProviderSettings = { issuer: string; clientId: string; clientSecret: string };

/** What the browser keeps, sealed, between the start and the finish. */
type Flow = { state: string; nonce: string; verifier: string; expiresAt: number };

export const FLOW_LIFE_MS = 10 * 60_000;
const TIMEOUT_SECONDS = 10;
const RETURN_PATH = '/sign-in/provider';
const NAME_LENGTH_MAX = 200;

type Told = { subject: string; email: string | undefined; emailVerified: boolean; name: string | undefined };

export type ProviderSignIn = ReturnType<typeof createProviderSignIn>;

/**
 * Sign-in with another provider: OpenID Connect, the code flow with PKCE, state and nonce.
 *
 * It lets in who is known already: by an earlier link, by the verified address of a person, or by the verified address of
 * an open invitation. A stranger never gets an account.
 */
export function createProviderSignIn(
  parts: { database: Database; clock: Clock; box: SecretBox; auth: AuthService; links: LinkService },
  settings: ProviderSettings | null,
  publicUrl: string,
) {
  const { database, clock, box, auth, links } = parts;
  let discovered: Promise<Configuration> | undefined;

  /** The provider's own description, asked for once; after a failure again. */
  async function discover(): Promise<Configuration> {
    if (settings === null) {
      throw new ProblemError('NOT_POSSIBLE_NOW', 'No sign-in provider is configured here. Use your password.');
    }
    const { issuer, clientId, clientSecret } = settings;
    const { allowInsecureRequests, discovery } = await import('openid-client');
    const url = new URL(issuer);
    // The settings allow plain http to this machine only.
    const execute = url.protocol === 'http:' ? [allowInsecureRequests] : [];
    discovered ??= discovery(url, clientId, clientSecret, undefined, { execute, timeout: TIMEOUT_SECONDS });
    try {
      return await discovered;
    } catch (error) {
      discovered = undefined;
      throw away(error);
    }
  }

  async function ask(query: string, flow: Flow): Promise<Told> {
    const configuration = await discover();
    const { authorizationCodeGrant, fetchUserInfo } = await import('openid-client');
    try {
      const tokens = await authorizationCodeGrant(configuration, new URL(`${publicUrl}${RETURN_PATH}${query}`), {
        pkceCodeVerifier: flow.verifier,
        expectedState: flow.state,
        expectedNonce: flow.nonce,
        idTokenExpected: true,
      });
      const subject = tokens.claims()!.sub;
      const info = await fetchUserInfo(configuration, tokens.access_token, subject);
      return { subject, email: info.email, emailVerified: info.email_verified === true, name: info.name };
    } catch (error) {
      if (isRefusedClient(error)) throw misconfigured(error);
      throw isAway(error) ? away(error) : refused(error);
    }
  }

  /** Somebody linked before, or linked now by an address that the provider has verified. */
  async function findOrLink(told: Told, userAgent: string): Promise<Principal | IssuedSession> {
    const subjectHash = box.mac('provider subject', JSON.stringify([settings!.issuer, told.subject]));
    const linked = (await database.pool.query('SELECT * FROM touchstone_find_federated($1)', [subjectHash])).rows[0];
    if (linked !== undefined) {
      if (!linked.is_active) throw refused();
      return { tenantId: linked.tenant_id, actorId: linked.user_id };
    }
    if (told.email === undefined || !told.emailVerified) throw refused();
    const known = (await database.pool.query('SELECT * FROM touchstone_find_sign_in($1)', [told.email])).rows[0];
    if (known !== undefined) {
      const principal: Principal = { tenantId: known.tenant_id, actorId: known.user_id };
      await database.transaction(principal, async (tx) => {
        const active = await tx.query
          .selectFrom('app_user')
          .select('id')
          .where('id', '=', known.user_id)
          .where('deactivated_at', 'is', null)
          .executeTakeFirst();
        if (active === undefined) throw refused();
        await link(tx, subjectHash);
      });
      return principal;
    }
    const at = new Date(clock.now()).toISOString();
    const { rows } = await database.pool.query('SELECT * FROM touchstone_find_invitation_of($1, $2)', [told.email, at]);
    if (rows[0] === undefined) throw refused();
    const invitation = { id: rows[0].id, tenantId: rows[0].tenant_id };
    const displayName = (told.name?.trim() || told.email.split('@')[0]!).slice(0, NAME_LENGTH_MAX);
    return database.transaction({ tenantId: invitation.tenantId, actorId: null }, async (tx) => {
      const person = { email: told.email!, displayName, passwordHash: null };
      const own = await links.join(tx, invitation, person);
      await link(own, subjectHash);
      return auth.sessions.start(own, userAgent);
    });
  }

  return {
    /** Host of the provider, or null. */
    host: settings === null ? null : new URL(settings.issuer).host,

    /** @returns where to send the browser, and what it must bring back in a cookie. */
    async start(): Promise<{ url: string; cookie: string; expiresAt: number }> {
      const configuration = await discover();
      const client = await import('openid-client');
      const flow: Flow = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
        expiresAt: clock.now() + FLOW_LIFE_MS,
      };
      const url = client.buildAuthorizationUrl(configuration, {
        redirect_uri: `${publicUrl}${RETURN_PATH}`,
        scope: 'openid email profile',
        code_challenge: await client.calculatePKCECodeChallenge(flow.verifier),
        code_challenge_method: 'S256',
        state: flow.state,
        nonce: flow.nonce,
      });
      const cookie = box.encrypt('provider sign-in', Buffer.from(JSON.stringify(flow))).toString('base64url');
      return { url: url.href, cookie, expiresAt: flow.expiresAt };
    },

    /**
     * @param query What the provider sent along with the browser, with its question mark.
     * @throws ProblemError SIGN_IN_FAILED in the same words for a wrong state, a late answer, a stranger and an address
     *   that is not verified; SECOND_FACTOR_NEEDED as after a password.
     */
    async finish(query: string, cookie: string | undefined, userAgent: string): Promise<IssuedSession> {
      if (settings === null) await discover();
      const flow = openFlow(cookie);
      if (flow === null || flow.expiresAt <= clock.now()) throw refused();
      const told = await ask(query.startsWith('?') ? query : `?${query}`, flow);
      const found = await findOrLink(told, userAgent);
      return 'accessToken' in found ? found : auth.passFirstStep(found, userAgent);
    },
  };

  function openFlow(cookie: string | undefined): Flow | null {
    try {
      return JSON.parse(box.decrypt('provider sign-in', Buffer.from(cookie ?? '', 'base64url')).toString('utf8'));
    } catch {
      return null;
    }
  }
}

/** Remembers the provider's subject for the transaction's actor, as a keyed hash. Two sign-ins at once link once. */
async function link(tx: Transaction, subjectHash: Buffer): Promise<void> {
  const { tenantId, actorId } = tx.principal;
  const { numAffectedRows } = await sql`
    INSERT INTO federated_identity (tenant_id, user_id, subject_hash) VALUES (${tenantId}, ${actorId}, ${subjectHash})
    ON CONFLICT (subject_hash) DO NOTHING`.execute(tx.query);
  if (numAffectedRows === 0n) return;
  const body = { userId: actorId };
  await appendEvidence(tx, { kind: 'identity.linked', subjectKind: 'user', subjectId: actorId!, body });
}

/** The network or the provider failed, as opposed to: it answered, and the answer was no. */
function isAway(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    const code = 'code' in cause ? String(cause.code) : '';
    if (/^(E[A-Z]+|UND_ERR_\w+|OAUTH_TIMEOUT|ABORT_ERR)$/.test(code) || /fetch failed/.test(cause.message)) return true;
    if ('status' in cause && typeof cause.status === 'number' && cause.status >= 500) return true;
    if (cause.cause instanceof Response && cause.cause.status >= 500) return true;
  }
  return false;
}

/** It refuses us and not the person: the operator's to mend, so it is told as our failure and reaches the log. */
function isRefusedClient(error: unknown): boolean {
  return error instanceof Error && 'error' in error && /^(invalid|unauthorized)_client$/.test(String(error.error));
}

function misconfigured(cause: unknown): ProblemError {
  return new ProblemError(
    'SIGN_IN_PROVIDER_AWAY',
    'The sign-in provider refuses this installation. Its operator must check OIDC_CLIENT_ID and OIDC_CLIENT_SECRET.',
    { cause },
  );
}

function away(cause: unknown): ProblemError {
  return new ProblemError(
    'SIGN_IN_PROVIDER_AWAY',
    'The sign-in provider does not answer as it should. Try again in a moment, or sign in with your password.',
    { cause, retryAfterSeconds: 10 },
  );
}

function refused(cause?: unknown): ProblemError {
  return new ProblemError(
    'SIGN_IN_FAILED',
    'The provider’s answer does not let anybody in here: it is late, was changed, or nobody here has its verified address.',
    { cause },
  );
}
