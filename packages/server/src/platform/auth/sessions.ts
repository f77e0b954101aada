import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { POLICY, ROLES, type Role, type Scope, scopesOf } from '@touchstone/contracts/policy';
import { sql } from 'kysely';
import type { Clock } from '../clock/clock.ts';
import type { Principal, Transaction } from '../database/database.ts';
import { appendEvidence } from '../evidence/evidence.ts';
import type { AccessClaims, AccessTokens } from './access-tokens.ts';
import type { SecretBox } from './secret-box.ts';

/** A session as its user gets it; the routes decide between cookie and body. */
export type IssuedSession = {
  accessToken: string;
  accessTokenExpiresAt: string;
  refreshToken: string;
  csrfToken: string;
  expiresAt: string;
  signedIn: SignedIn;
};
export type SignedIn = { userId: number | null; tenantId: number; role: Role; displayName: string; scopes: Scope[] };

const SESSION_LIFE_MS = 30 * 24 * 3_600_000;
const TOKEN_BYTES = 32;
const USER_AGENT_LENGTH_MAX = 200;

/** Makes sessions within the transaction of a sign-in, and ends them. */
export type Sessions = ReturnType<typeof createSessions>;

export function createSessions(clock: Clock, box: SecretBox, accessTokens: AccessTokens) {
  const instant = (ms = clock.now()) => new Date(ms).toISOString();
  const sessions = {
    /** Starts a session of the transaction's actor. */
    async start(tx: Transaction, userAgent: string): Promise<IssuedSession> {
      const userId = tx.principal.actorId!;
      const family = randomUUID();
      const refreshToken = `${tx.principal.tenantId}.${randomBytes(TOKEN_BYTES).toString('base64url')}`;
      const expiresAt = instant(clock.now() + SESSION_LIFE_MS);
      await sessions.addToken(tx, { family, refreshToken, expiresAt, userAgent });
      await appendEvidence(tx, {
        kind: 'session.started',
        subjectKind: 'session',
        subjectId: family,
        body: { userId },
      });
      return sessions.issue(tx, { userId, tenantId: tx.principal.tenantId, family }, refreshToken, expiresAt);
    },

    async addToken(tx: Transaction, token: NewToken): Promise<void> {
      await tx.query
        .insertInto('refresh_token')
        .values({
          tenant_id: tx.principal.tenantId,
          user_id: tx.principal.actorId!,
          family: token.family,
          token_hash: hashToken(token.refreshToken),
          expires_at: token.expiresAt,
          user_agent: token.userAgent.slice(0, USER_AGENT_LENGTH_MAX),
        })
        .execute();
    },

    async issue(
      tx: Transaction,
      claims: AccessClaims,
      refreshToken: string,
      expiresAt: string,
    ): Promise<IssuedSession> {
      const { token, expiresAt: tokenExpiresAt } = await accessTokens.issue(claims);
      return {
        accessToken: token,
        accessTokenExpiresAt: instant(tokenExpiresAt),
        refreshToken,
        csrfToken: box.csrfTokenOf(claims.family),
        expiresAt,
        signedIn: await describeUser(tx),
      };
    },

    /** Open sessions of a user, the latest first. */
    async list(tx: Transaction, userId: number, current: string | null) {
      const { rows } = await sql<{ family: string; started: string; used: string; expires: string; agent: string }>`
        SELECT family, min(created_at) AS started, max(created_at) AS used, max(expires_at) AS expires,
               max(user_agent) AS agent
        FROM refresh_token WHERE user_id = ${userId}
        GROUP BY family
        HAVING bool_and(revoked_at IS NULL) AND max(expires_at) > ${instant()}
        ORDER BY used DESC LIMIT 200`.execute(tx.query);
      return rows.map((row) => ({
        family: row.family,
        startedAt: row.started,
        lastUsedAt: row.used,
        expiresAt: row.expires,
        userAgent: row.agent,
        current: row.family === current,
      }));
    },

    /** Ends one session of a user. @returns false when it is not theirs or not open. */
    async end(tx: Transaction, userId: number, family: string, kind = 'session.ended'): Promise<boolean> {
      const ended = await tx.query
        .updateTable('refresh_token')
        .set({ revoked_at: instant() })
        .where('family', '=', family)
        .where('user_id', '=', userId)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      if (ended.numUpdatedRows === 0n) return false;
      await appendEvidence(tx, { kind, subjectKind: 'session', subjectId: family, body: { userId } });
      return true;
    },

    /** Ends every session of a user, or every other one. What ended them is on record where it happened. */
    async endAll(tx: Transaction, userId: number, except: string | null = null): Promise<void> {
      await tx.query
        .updateTable('refresh_token')
        .set({ revoked_at: instant() })
        .where('user_id', '=', userId)
        .where('revoked_at', 'is', null)
        .$if(except !== null, (query) => query.where('family', '!=', except!))
        .execute();
    },
  };
  return sessions;
}

type NewToken = { family: string; refreshToken: string; expiresAt: string; userAgent: string };

/** The user who acts in the transaction, or a visitor. */
export async function describeUser(tx: Transaction): Promise<SignedIn> {
  const { tenantId, actorId } = tx.principal;
  if (actorId === null) {
    return { userId: null, tenantId, role: 'visitor', displayName: 'Visitor', scopes: [...POLICY.visitor] };
  }
  const { rows } = await sql<{ role: string; name: string | null; operator: boolean }>`
    SELECT u.role, coalesce(p.display_name, u.service_name) AS name, u.tenant_id = touchstone_operator_tenant() AS operator
    FROM app_user u LEFT JOIN person p ON p.tenant_id = u.tenant_id AND p.user_id = u.id
    WHERE u.id = ${actorId}`.execute(tx.query);
  const role = ROLES.find((candidate) => candidate === rows[0]?.role);
  if (role === undefined) throw new Error(`User ${actorId} has no role.`);
  const scopes = [...scopesOf(role, rows[0]!.operator)];
  return { userId: actorId, tenantId, role, displayName: rows[0]!.name ?? '', scopes };
}

/** Changes on whose behalf the rest of a transaction runs. Only where the door itself finds out who that is. */
export async function actAs(tx: Transaction, principal: Principal): Promise<Transaction> {
  const actor = principal.actorId === null ? '' : String(principal.actorId);
  await sql`SELECT set_config('touchstone.tenant_id', ${String(principal.tenantId)}, true),
                   set_config('touchstone.actor_id', ${actor}, true)`.execute(tx.query);
  return { ...tx, principal };
}

/** SHA-256 of a secret with 256 random bits: what the database keeps of it. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
