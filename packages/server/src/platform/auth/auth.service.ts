import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { POLICY, ROLES, type Role } from '@touchstone/contracts/policy';
import { sql } from 'kysely';
import type { Clock } from '../clock/clock.ts';
import { type Database, type Principal, SYSTEM_PRINCIPAL, type Transaction } from '../database/database.ts';
import { appendEvidence } from '../evidence/evidence.ts';
import { found, ProblemError } from '../problem-error.ts';
import { type AccessClaims, type AccessTokens, createAccessTokens } from './access-tokens.ts';
import { hashPassword, isPasswordRight, TooBusyError } from './password-hash.ts';
import type { SecretBox } from './secret-box.ts';

export type NewOwner = { email: string; password: string; displayName: string; tenantName: string };

/** A session as its user gets it; the routes decide between cookie and body. */
export type IssuedSession = {
  accessToken: string;
  accessTokenExpiresAt: string;
  refreshToken: string;
  csrfToken: string;
  expiresAt: string;
  signedIn: SignedIn;
};
export type SignedIn = {
  userId: number | null;
  tenantId: number;
  role: Role;
  displayName: string;
  scopes: (typeof POLICY)[Role][number][];
};

/** Sign-in is closed for a while. */
export class TooManyTriesError extends ProblemError {
  readonly retryAfterSeconds: number;
  constructor(retryAfterSeconds: number) {
    const minutes = Math.max(1, Math.ceil(retryAfterSeconds / 60));
    super('TOO_MANY_TRIES', `Too many wrong passwords. Try again in ${minutes} minutes.`);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

const SESSION_LIFE_MS = 30 * 24 * 3_600_000;
/** A repeated refresh within this time gets the same successor again: its first answer may have been lost on the way. */
const REPEAT_GRACE_MS = 10_000;
const TRIES_MAX = 10;
const LOCK_MS = 15 * 60_000;
const STRANGERS_MAX = 10_000;
const TOKEN_BYTES = 32;
const USER_AGENT_LENGTH_MAX = 200;

export type AuthService = ReturnType<typeof createAuthService>;

export function createAuthService(database: Database, clock: Clock, box: SecretBox) {
  const accessTokens = createAccessTokens(database, clock, box);
  const strangers = createStrangerLock(clock);
  let knownOwner = false;
  const instant = (ms = clock.now()) => new Date(ms).toISOString();
  const context = { clock, box, accessTokens };

  async function hasOwner(): Promise<boolean> {
    // Once made, an owner stays: the answer is asked for again only while it is no.
    if (!knownOwner) {
      const { rows } = await database.pool.query('SELECT touchstone_has_owner() AS yes');
      knownOwner = rows[0].yes === true;
    }
    return knownOwner;
  }

  /** Starts a session in the transaction of the sign-in. */
  async function startSession(tx: Transaction, role: Role, userAgent: string): Promise<IssuedSession> {
    const userId = tx.principal.actorId!;
    const family = randomUUID();
    const refreshToken = `${tx.principal.tenantId}.${randomBytes(TOKEN_BYTES).toString('base64url')}`;
    const expiresAt = instant(clock.now() + SESSION_LIFE_MS);
    await insertToken(tx, { family, refreshToken, expiresAt, userAgent });
    await appendEvidence(tx, { kind: 'session.started', subjectKind: 'session', subjectId: family, body: { userId } });
    return issue(context, tx, { userId, tenantId: tx.principal.tenantId, role, family }, refreshToken, expiresAt);
  }

  return {
    hasOwner,
    accessTokens,

    /** Makes the first tenant and its owner, and signs the owner in. */
    async createOwner(owner: NewOwner, userAgent: string): Promise<IssuedSession> {
      if (await hasOwner()) throw ownerExists();
      const passwordHash = await hashPassword(owner.password);
      const session = await database
        .transaction(SYSTEM_PRINCIPAL, async (tx) => {
          const made = await sql<{
            id: number;
          }>`SELECT touchstone_create_first_tenant(${owner.tenantName}) AS id`.execute(tx.query);
          const tenantId = made.rows[0]!.id;
          await actAs(tx, { tenantId, actorId: null });
          const { id: userId } = await tx.query
            .insertInto('app_user')
            .values({ tenant_id: tenantId, role: 'owner', password_hash: passwordHash })
            .returning('id')
            .executeTakeFirstOrThrow();
          await actAs(tx, { tenantId, actorId: userId });
          await tx.query
            .insertInto('person')
            .values({
              tenant_id: tenantId,
              user_id: userId,
              email: owner.email.toLowerCase(),
              display_name: owner.displayName,
            })
            .execute();
          const own = { ...tx, principal: { tenantId, actorId: userId } };
          await appendEvidence(own, {
            kind: 'owner.created',
            subjectKind: 'user',
            subjectId: userId,
            body: { userId, tenantId },
          });
          return startSession(own, 'owner', userAgent);
        })
        .catch((error: unknown) => {
          throw isRefusedByFunction(error) ? ownerExists() : error;
        });
      knownOwner = true;
      return session;
    },

    /** @throws ProblemError SIGN_IN_FAILED or TOO_MANY_TRIES, the same for known and unknown addresses. */
    async signIn(email: string, password: string, userAgent: string): Promise<IssuedSession> {
      const { rows } = await database.pool.query('SELECT * FROM touchstone_find_sign_in($1)', [email]);
      const user = rows[0];
      if (user === undefined) {
        strangers.count(email);
        await pretendToTakeTry(database);
        await checkPassword(password, null);
        throw wrong();
      }
      const principal: Principal = { tenantId: user.tenant_id, actorId: user.user_id };
      const role = toRole(user.role);
      // The try is counted before the password is looked at: a hundred tries at once are a hundred tries.
      await takeTry(database, principal, clock);
      if (!(await checkPassword(password, user.password_hash))) throw wrong();
      return database.transaction(principal, async (tx) => {
        await tx.query
          .updateTable('app_user')
          .set({ failed_sign_ins: 0, locked_until: null })
          .where('id', '=', user.user_id)
          .execute();
        return startSession(tx, role, userAgent);
      });
    },

    /**
     * Trades a refresh token for its successor.
     *
     * A token that was traded before ends its session: two parties hold it. The exception is a repetition within ten
     * seconds while the successor is still unused; it gets the very same successor, so nothing forks.
     */
    async refresh(refreshToken: string, checkCsrf: (family: string) => void): Promise<IssuedSession> {
      const principal = tenantOf(refreshToken);
      if (principal === null) throw sessionEnded();
      const outcome = await database.transaction(principal, async (tx) => {
        const token = await findToken(tx, refreshToken);
        if (token === undefined) return null;
        checkCsrf(token.family);
        if (token.revoked_at !== null || Date.parse(token.expires_at) <= clock.now()) return null;
        const { rows: users } = await sql<{
          role: string;
        }>`SELECT role FROM app_user WHERE id = ${token.user_id}`.execute(tx.query);
        if (users[0] === undefined) return null;
        await actAs(tx, { ...principal, actorId: token.user_id });
        const own = { ...tx, principal: { ...principal, actorId: token.user_id } };
        const successor = `${principal.tenantId}.${box.successorOf(refreshToken)}`;
        if (token.used_at === null) {
          await tx.query.updateTable('refresh_token').set({ used_at: instant() }).where('id', '=', token.id).execute();
          await insertToken(own, {
            family: token.family,
            refreshToken: successor,
            expiresAt: token.expires_at,
            userAgent: token.user_agent,
          });
        } else if (!(await isRepetition(tx, token.used_at, successor, clock))) {
          await endFamily(own, token.family, 'session.reuse_detected', instant());
          accessTokens.forget(token.family);
          return null;
        }
        const claims = {
          userId: token.user_id,
          tenantId: principal.tenantId,
          role: toRole(users[0].role),
          family: token.family,
        };
        return issue(context, own, claims, successor, token.expires_at);
      });
      if (outcome === null) throw sessionEnded();
      return outcome;
    },

    /** Ends the session of a refresh token. A token that is no longer good changes nothing. */
    async signOut(refreshToken: string, checkCsrf: (family: string) => void): Promise<void> {
      const principal = tenantOf(refreshToken);
      if (principal === null) return;
      await database.transaction(principal, async (tx) => {
        const token = await findToken(tx, refreshToken);
        if (token === undefined) return;
        checkCsrf(token.family);
        await actAs(tx, { ...principal, actorId: token.user_id });
        const own = { ...tx, principal: { ...principal, actorId: token.user_id } };
        await endFamily(own, token.family, 'session.ended', instant());
        accessTokens.forget(token.family);
      });
    },

    async describe(principal: Principal, role: Role): Promise<SignedIn> {
      return database.transaction(principal, (tx) => describe(tx, role), { readOnly: true });
    },

    async listSessions(principal: Principal, current: string | null) {
      const { rows } = await database.transaction(principal, (tx) =>
        sql<{ family: string; started: string; used: string; expires: string; agent: string }>`
          SELECT family, min(created_at) AS started, max(created_at) AS used, max(expires_at) AS expires,
                 max(user_agent) AS agent
          FROM refresh_token WHERE user_id = ${principal.actorId}
          GROUP BY family
          HAVING bool_and(revoked_at IS NULL) AND max(expires_at) > ${instant()}
          ORDER BY used DESC LIMIT 200`.execute(tx.query),
      );
      return rows.map((row) => ({
        family: row.family,
        startedAt: row.started,
        lastUsedAt: row.used,
        expiresAt: row.expires,
        userAgent: row.agent,
        current: row.family === current,
      }));
    },

    async endSession(principal: Principal, family: string): Promise<void> {
      await database.transaction(principal, async (tx) => {
        const own = await tx.query
          .selectFrom('refresh_token')
          .select('id')
          .where('family', '=', family)
          .where('user_id', '=', principal.actorId!)
          .where('revoked_at', 'is', null)
          .executeTakeFirst();
        found(own, 'You have no such open session.');
        await endFamily(tx, family, 'session.ended', instant());
      });
      accessTokens.forget(family);
    },

    /** Changes the password and ends the user's other sessions. */
    async changePassword(principal: Principal, current: string | null, oldPassword: string, newPassword: string) {
      await takeTry(database, principal, clock);
      const user = await database.transaction(principal, ({ query }) =>
        query.selectFrom('app_user').select('password_hash').where('id', '=', principal.actorId!).executeTakeFirst(),
      );
      if (!(await checkPassword(oldPassword, user?.password_hash ?? null))) throw wrong();
      const passwordHash = await hashPassword(newPassword);
      await database.transaction(principal, async (tx) => {
        const ended = await setPassword(tx, principal.actorId!, passwordHash, current, instant());
        for (const family of ended) accessTokens.forget(family);
      });
    },
  };
}

/**
 * Sets a new password for somebody who lost it, opens a closed sign-in and ends every session. For the operator's
 * command line: whoever can reach the database may do it.
 *
 * @throws ProblemError NOT_FOUND if nobody has this address.
 */
export async function resetPassword(database: Database, email: string, newPassword: string): Promise<void> {
  const { rows } = await database.pool.query('SELECT * FROM touchstone_find_sign_in($1)', [email]);
  const user: { tenant_id: number; user_id: number } = found(rows[0], 'Nobody has this e-mail address.');
  const passwordHash = await hashPassword(newPassword);
  await database.transaction({ tenantId: user.tenant_id, actorId: null }, async (tx) => {
    await setPassword(tx, user.user_id, passwordHash, null, new Date().toISOString());
  });
}

// ---- tries ----------------------------------------------------------------------------------------------------------

async function takeTry(database: Database, principal: Principal, clock: Clock): Promise<void> {
  const retryAfterMs = await database.transaction(principal, async (tx) => {
    const user = await tx.query
      .selectFrom('app_user')
      .select(['failed_sign_ins', 'locked_until'])
      .where('id', '=', principal.actorId!)
      .forUpdate()
      .executeTakeFirst();
    const now = clock.now();
    const lockedUntil = user?.locked_until == null ? 0 : Date.parse(user.locked_until);
    if (lockedUntil > now) return lockedUntil - now;
    // A lock that has run out starts the count anew.
    const tries = (lockedUntil > 0 ? 0 : (user?.failed_sign_ins ?? 0)) + 1;
    const closes = tries > TRIES_MAX;
    await tx.query
      .updateTable('app_user')
      .set({ failed_sign_ins: tries, locked_until: closes ? new Date(now + LOCK_MS).toISOString() : null })
      .where('id', '=', principal.actorId!)
      .execute();
    if (!closes) return 0;
    await appendEvidence(tx, {
      kind: 'sign_in.locked',
      subjectKind: 'user',
      subjectId: principal.actorId!,
      body: { userId: principal.actorId, tries: TRIES_MAX },
    });
    return LOCK_MS;
  });
  if (retryAfterMs > 0) throw new TooManyTriesError(Math.ceil(retryAfterMs / 1000));
}

/** The round trips of a counted try, for nobody: the time an answer takes does not tell who exists. */
async function pretendToTakeTry(database: Database): Promise<void> {
  await database.transaction(SYSTEM_PRINCIPAL, async ({ query }) => {
    for (let trip = 0; trip < 2; trip++) await query.selectFrom('app_user').select('id').where('id', '=', -1).execute();
  });
}

/** Counts tries for addresses nobody has, so that a lock does not tell who exists. Kept in memory only. */
function createStrangerLock(clock: Clock) {
  const tries = new Map<string, { count: number; lockedUntil: number }>();
  return {
    count(email: string): void {
      const key = email.toLowerCase();
      const now = clock.now();
      const entry = tries.get(key) ?? { count: 0, lockedUntil: 0 };
      if (entry.lockedUntil > now) throw new TooManyTriesError(Math.ceil((entry.lockedUntil - now) / 1000));
      const count = (entry.lockedUntil > 0 ? 0 : entry.count) + 1;
      const lockedUntil = count > TRIES_MAX ? now + LOCK_MS : 0;
      if (tries.size >= STRANGERS_MAX) tries.delete(tries.keys().next().value!);
      tries.set(key, { count, lockedUntil });
      if (lockedUntil > 0) throw new TooManyTriesError(LOCK_MS / 1000);
    },
  };
}

async function checkPassword(password: string, hash: string | null): Promise<boolean> {
  try {
    return await isPasswordRight(password, hash);
  } catch (error) {
    if (error instanceof TooBusyError) throw new TooManyTriesError(5);
    throw error;
  }
}

async function setPassword(tx: Transaction, userId: number, passwordHash: string, keep: string | null, now: string) {
  await tx.query
    .updateTable('app_user')
    .set({ password_hash: passwordHash, failed_sign_ins: 0, locked_until: null })
    .where('id', '=', userId)
    .execute();
  const rows = await tx.query
    .updateTable('refresh_token')
    .set({ revoked_at: now })
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .$if(keep !== null, (query) => query.where('family', '!=', keep!))
    .returning('family')
    .execute();
  await appendEvidence(tx, { kind: 'password.changed', subjectKind: 'user', subjectId: userId, body: { userId } });
  return new Set(rows.map((row) => row.family));
}

// ---- sessions -------------------------------------------------------------------------------------------------------

type NewToken = { family: string; refreshToken: string; expiresAt: string; userAgent: string };

async function insertToken(tx: Transaction, token: NewToken): Promise<void> {
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
}

function findToken(tx: Transaction, refreshToken: string) {
  return tx.query
    .selectFrom('refresh_token')
    .selectAll()
    .where('token_hash', '=', hashToken(refreshToken))
    .forUpdate()
    .executeTakeFirst();
}

async function isRepetition(tx: Transaction, usedAt: string, successor: string, clock: Clock): Promise<boolean> {
  if (clock.now() - Date.parse(usedAt) > REPEAT_GRACE_MS) return false;
  const next = await findToken(tx, successor);
  return next !== undefined && next.used_at === null && next.revoked_at === null;
}

async function endFamily(tx: Transaction, family: string, kind: string, now: string): Promise<void> {
  const ended = await tx.query
    .updateTable('refresh_token')
    .set({ revoked_at: now })
    .where('family', '=', family)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (ended.numUpdatedRows === 0n) return;
  await appendEvidence(tx, { kind, subjectKind: 'session', subjectId: family, body: { userId: tx.principal.actorId } });
}

type Context = { clock: Clock; box: SecretBox; accessTokens: AccessTokens };

async function issue(
  { box, accessTokens }: Context,
  tx: Transaction,
  claims: AccessClaims,
  refreshToken: string,
  expiresAt: string,
): Promise<IssuedSession> {
  const { token, expiresAt: tokenExpiresAt } = await accessTokens.issue(claims);
  return {
    accessToken: token,
    accessTokenExpiresAt: new Date(tokenExpiresAt).toISOString(),
    refreshToken,
    csrfToken: box.csrfTokenOf(claims.family),
    expiresAt,
    signedIn: await describe(tx, claims.role),
  };
}

async function describe(tx: Transaction, role: Role): Promise<SignedIn> {
  const { tenantId, actorId } = tx.principal;
  const scopes = [...POLICY[role]];
  if (actorId === null) return { userId: null, tenantId, role, displayName: 'Visitor', scopes };
  const person = await tx.query
    .selectFrom('person')
    .select('display_name')
    .where('user_id', '=', actorId)
    .executeTakeFirst();
  return { userId: actorId, tenantId, role, displayName: person?.display_name ?? '', scopes };
}

/** Changes on whose behalf the rest of the transaction runs. Only where the door itself finds out who that is. */
async function actAs(tx: Transaction, principal: Principal): Promise<void> {
  const actor = principal.actorId === null ? '' : String(principal.actorId);
  await sql`SELECT set_config('touchstone.tenant_id', ${String(principal.tenantId)}, true),
                   set_config('touchstone.actor_id', ${actor}, true)`.execute(tx.query);
}

/** The tenant is told by the token's first part; the secret part is what proves anything. */
function tenantOf(refreshToken: string): Principal | null {
  const tenant = /^(\d{1,9})\.[\w-]{43}$/.exec(refreshToken)?.[1];
  return tenant === undefined ? null : { tenantId: Number(tenant), actorId: null };
}

function hashToken(refreshToken: string): Buffer {
  return createHash('sha256').update(refreshToken).digest();
}

function toRole(text: string): Role {
  const role = ROLES.find((candidate) => candidate === text);
  if (role === undefined) throw new Error(`There is no role ${text}.`);
  return role;
}

function isRefusedByFunction(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '42501' && /owner already/.test(error.message);
}

const ownerExists = () => new ProblemError('ALREADY_EXISTS', 'This installation has an owner. Sign in instead.');
const wrong = () => new ProblemError('SIGN_IN_FAILED', 'E-mail or password is wrong.');
const sessionEnded = () => new ProblemError('SESSION_ENDED', 'This session has ended. Sign in again.');
