import { timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import { resolveAlert } from '../alerts/alerts.ts';
import type { Clock } from '../clock/clock.ts';
import { type Database, type Principal, SYSTEM_PRINCIPAL, type Transaction } from '../database/database.ts';
import { appendEvidence } from '../evidence/evidence.ts';
import { found, ProblemError } from '../problem-error.ts';
import { createAccessTokens } from './access-tokens.ts';
import { createCallers } from './callers.ts';
import { hashPassword, isPasswordRight, TooBusyError } from './password-hash.ts';
import { createSecondFactors, removeSecondFactor } from './second-factor.ts';
import type { SecretBox } from './secret-box.ts';
import { actAs, createSessions, describeUser, hashToken, type IssuedSession, type SignedIn } from './sessions.ts';
import { createTries, lockAlertOf, tooManyTries } from './tries.ts';

export type NewOwner = { email: string; password: string; displayName: string; tenantName: string };

/** A repeated refresh within this time gets the same successor again: its first answer may have been lost on the way. */
const REPEAT_GRACE_MS = 10_000;
const CHALLENGE_LIFE_MS = 5 * 60_000;
const BUSY_MS = 5_000;

export type AuthService = ReturnType<typeof createAuthService>;

/** Signing in, in one step or two, and the sessions that come of it. */
export function createAuthService(database: Database, clock: Clock, box: SecretBox) {
  const accessTokens = createAccessTokens(database, clock, box);
  const tries = createTries(database, clock, box);
  const callers = createCallers(database, clock, accessTokens, tries);
  const sessions = createSessions(clock, box, accessTokens);
  const secondFactors = createSecondFactors(database, clock, box, tries);
  let knownOwner = false;
  const instant = (ms = clock.now()) => new Date(ms).toISOString();

  async function hasOwner(): Promise<boolean> {
    // Once made, an owner stays: the answer is asked for again only while it is no.
    if (!knownOwner) {
      const { rows } = await database.pool.query('SELECT touchstone_has_owner() AS yes');
      knownOwner = rows[0].yes === true;
    }
    return knownOwner;
  }

  /** The last step of every sign-in: opens a closed account and starts the session. */
  async function admit(tx: Transaction, userAgent: string): Promise<IssuedSession> {
    const userId = tx.principal.actorId!;
    await tx.query
      .updateTable('app_user')
      .set({ failed_sign_ins: 0, locked_until: null })
      .where('id', '=', userId)
      .execute();
    await resolveAlert(tx, lockAlertOf(userId));
    return sessions.start(tx, userAgent);
  }

  /** What the challenge of a user is signed over: a changed password or role of the account makes it void. */
  async function challengeOf(tx: Transaction, userId: number, expiresAt: number): Promise<string | null> {
    const user = await tx.query
      .selectFrom('app_user')
      .select('password_hash')
      .where('id', '=', userId)
      .where('deactivated_at', 'is', null)
      .executeTakeFirst();
    if (user === undefined) return null;
    const payload = [tx.principal.tenantId, userId, expiresAt].join('.');
    return `${payload}.${box.mac('challenge', `${payload}.${user.password_hash ?? ''}`).toString('base64url')}`;
  }

  const service = {
    hasOwner,
    accessTokens,
    callers,
    sessions,
    secondFactors,
    tries,

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
          const newcomer = { email: owner.email, displayName: owner.displayName, role: 'owner', passwordHash };
          const own = await addPerson(tx, tenantId, newcomer);
          const userId = own.principal.actorId!;
          const body = { userId, tenantId };
          await appendEvidence(own, { kind: 'owner.created', subjectKind: 'user', subjectId: userId, body });
          return sessions.start(own, userAgent);
        })
        .catch((error: unknown) => {
          throw isRefusedByFunction(error) ? ownerExists() : error;
        });
      knownOwner = true;
      return session;
    },

    /**
     * The first step.
     *
     * @throws ProblemError SIGN_IN_FAILED or TOO_MANY_TRIES, the same for known and unknown addresses;
     *   SECOND_FACTOR_NEEDED with a challenge when the account has a second factor.
     */
    async signIn(email: string, password: string, userAgent: string): Promise<IssuedSession> {
      const { rows } = await database.pool.query('SELECT * FROM touchstone_find_sign_in($1)', [email]);
      const user = rows[0];
      if (user === undefined) {
        await tries.takeOfStranger(email);
        await checkPassword(password, null);
        throw wrong();
      }
      const principal: Principal = { tenantId: user.tenant_id, actorId: user.user_id };
      await tries.take(principal);
      if (!(await checkPassword(password, user.password_hash))) throw wrong();
      return service.passFirstStep(principal, userAgent);
    },

    /** Goes on with somebody whom a password or a sign-in provider has vouched for. */
    async passFirstStep(principal: Principal, userAgent: string): Promise<IssuedSession> {
      const outcome = await database.transaction(principal, async (tx) => {
        if (!(await secondFactors.isNeeded(tx, principal.actorId!))) return admit(tx, userAgent);
        return challengeOf(tx, principal.actorId!, clock.now() + CHALLENGE_LIFE_MS);
      });
      if (outcome === null) throw wrong();
      if (typeof outcome !== 'string') return outcome;
      throw new ProblemError('SECOND_FACTOR_NEEDED', 'Enter the code of your authenticator, or a recovery code.', {
        challenge: outcome,
      });
    },

    /**
     * The second step.
     *
     * @throws ProblemError SIGN_IN_FAILED for a wrong, used or late code and for a challenge that is none.
     */
    async answerSecondFactor(challenge: string, code: string, userAgent: string): Promise<IssuedSession> {
      const parts = /^(\d{1,9})\.(\d{1,9})\.(\d{1,15})\.[\w-]{43}$/.exec(challenge);
      if (parts === null) throw wrongCode();
      const [tenantId, actorId, expiresAt] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
      const principal = { tenantId, actorId };
      const expected = await database.transaction(principal, (tx) => challengeOf(tx, actorId, expiresAt), {
        readOnly: true,
      });
      if (expected === null || !isSame(expected, challenge) || expiresAt <= clock.now()) throw wrongCode();
      await tries.take(principal);
      return database.transaction(principal, async (tx) => {
        if (!(await secondFactors.spend(tx, actorId, code))) throw wrongCode();
        return admit(tx, userAgent);
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
        const user = await tx.query
          .selectFrom('app_user')
          .select('id')
          .where('id', '=', token.user_id)
          .where('deactivated_at', 'is', null)
          .executeTakeFirst();
        if (user === undefined) return null;
        const own = await actAs(tx, { ...principal, actorId: token.user_id });
        const successor = `${principal.tenantId}.${box.successorOf(refreshToken)}`;
        if (token.used_at === null) {
          await own.query.updateTable('refresh_token').set({ used_at: instant() }).where('id', '=', token.id).execute();
          await sessions.addToken(own, {
            family: token.family,
            refreshToken: successor,
            expiresAt: token.expires_at,
            userAgent: token.user_agent,
          });
        } else if (!(await isRepetition(own, token.used_at, successor, clock))) {
          await sessions.end(own, token.user_id, token.family, 'session.reuse_detected');
          return { reusedBy: token.user_id };
        }
        const claims = { userId: token.user_id, tenantId: principal.tenantId, family: token.family };
        return sessions.issue(own, claims, successor, token.expires_at);
      });
      if (outcome !== null && 'reusedBy' in outcome) callers.changed(outcome.reusedBy);
      if (outcome === null || 'reusedBy' in outcome) throw sessionEnded();
      return outcome;
    },

    /** Ends the session of a refresh token. A token that is no longer good changes nothing. */
    async signOut(refreshToken: string, checkCsrf: (family: string) => void): Promise<void> {
      const principal = tenantOf(refreshToken);
      if (principal === null) return;
      const userId = await database.transaction(principal, async (tx) => {
        const token = await findToken(tx, refreshToken);
        if (token === undefined) return null;
        checkCsrf(token.family);
        await sessions.end(await actAs(tx, { ...principal, actorId: token.user_id }), token.user_id, token.family);
        return token.user_id;
      });
      if (userId !== null) callers.changed(userId);
    },

    describe: (principal: Principal): Promise<SignedIn> =>
      database.transaction(principal, describeUser, { readOnly: true }),

    listSessions: (principal: Principal, userId: number, current: string | null) =>
      database.transaction(
        principal,
        async (tx) => {
          await findUser(tx, userId);
          return sessions.list(tx, userId, current);
        },
        { readOnly: true },
      ),

    /** Ends a session of the caller or, where the route has seen to the right for it, of somebody else. */
    async endSession(principal: Principal, userId: number, family: string): Promise<void> {
      await database.transaction(principal, async (tx) => {
        if (!(await sessions.end(tx, userId, family)))
          throw new ProblemError('NOT_FOUND', 'There is no such open session.');
      });
      callers.changed(userId);
    },

    /** Changes the password and ends the user's other sessions. */
    async changePassword(principal: Principal, current: string | null, oldPassword: string, newPassword: string) {
      await tries.take(principal);
      const user = await database.transaction(principal, ({ query }) =>
        query.selectFrom('app_user').select('password_hash').where('id', '=', principal.actorId!).executeTakeFirst(),
      );
      if (!(await checkPassword(oldPassword, user?.password_hash ?? null))) throw wrong();
      const passwordHash = await hashPassword(newPassword);
      await database.transaction(principal, async (tx) => {
        await setPassword(tx, principal.actorId!, passwordHash);
        await sessions.endAll(tx, principal.actorId!, current);
      });
      callers.changed(principal.actorId!);
    },
  };
  return service;
}

/**
 * Sets a new password for somebody who lost it, opens a closed sign-in, takes a lost second factor away and ends every
 * session. For the operator's command line: whoever can reach the database may do it.
 *
 * @throws ProblemError NOT_FOUND if nobody has this address.
 */
export async function resetPassword(database: Database, email: string, newPassword: string): Promise<void> {
  const { rows } = await database.pool.query('SELECT * FROM touchstone_find_sign_in($1)', [email]);
  const user: { tenant_id: number; user_id: number } = found(rows[0], 'Nobody has this e-mail address.');
  const passwordHash = await hashPassword(newPassword);
  await database.transaction({ tenantId: user.tenant_id, actorId: null }, async (tx) => {
    await setPassword(tx, user.user_id, passwordHash);
    await removeSecondFactor(tx, user.user_id);
    await tx.query
      .updateTable('refresh_token')
      .set({ revoked_at: new Date().toISOString() })
      .where('user_id', '=', user.user_id)
      .where('revoked_at', 'is', null)
      .execute();
  });
}

/** Sets a password and opens a closed sign-in. The sessions are for the caller to end. */
export async function setPassword(tx: Transaction, userId: number, passwordHash: string): Promise<void> {
  await tx.query
    .updateTable('app_user')
    .set({ password_hash: passwordHash, failed_sign_ins: 0, locked_until: null })
    .where('id', '=', userId)
    .execute();
  await resolveAlert(tx, lockAlertOf(userId));
  await appendEvidence(tx, { kind: 'password.changed', subjectKind: 'user', subjectId: userId, body: { userId } });
}

type Newcomer = { email: string; displayName: string; role: string; passwordHash: string | null };

/**
 * Adds a person to a tenant. From then on the transaction runs on their behalf.
 *
 * @throws ProblemError ALREADY_EXISTS when somebody has the address.
 */
export async function addPerson(tx: Transaction, tenantId: number, newcomer: Newcomer): Promise<Transaction> {
  const arriving = await actAs(tx, { tenantId, actorId: null });
  const { id: userId } = await arriving.query
    .insertInto('app_user')
    .values({ tenant_id: tenantId, role: newcomer.role, password_hash: newcomer.passwordHash })
    .returning('id')
    .executeTakeFirstOrThrow();
  const own = await actAs(arriving, { tenantId, actorId: userId });
  await own.query
    .insertInto('person')
    .values({
      tenant_id: tenantId,
      user_id: userId,
      email: newcomer.email.toLowerCase(),
      display_name: newcomer.displayName,
    })
    .execute();
  return own;
}

/** A user of the transaction's tenant. @throws ProblemError NOT_FOUND */
export async function findUser(tx: Transaction, userId: number) {
  const user = await tx.query.selectFrom('app_user').selectAll().where('id', '=', userId).executeTakeFirst();
  return found(user, `There is no person ${userId}.`);
}

async function checkPassword(password: string, hash: string | null): Promise<boolean> {
  try {
    return await isPasswordRight(password, hash);
  } catch (error) {
    if (error instanceof TooBusyError) throw tooManyTries(BUSY_MS);
    throw error;
  }
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

/** The tenant is told by the token's first part; the secret part is what proves anything. */
function tenantOf(refreshToken: string): Principal | null {
  const tenant = /^(\d{1,9})\.[\w-]{43}$/.exec(refreshToken)?.[1];
  return tenant === undefined ? null : { tenantId: Number(tenant), actorId: null };
}

function isSame(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function isRefusedByFunction(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '42501' && /owner already/.test(error.message);
}

const ownerExists = () => new ProblemError('ALREADY_EXISTS', 'This installation has an owner. Sign in instead.');
const wrong = () => new ProblemError('SIGN_IN_FAILED', 'E-mail or password is wrong.');
const wrongCode = () =>
  new ProblemError('SIGN_IN_FAILED', 'The code is wrong, was used before, or came too late. Sign in again.');
const sessionEnded = () => new ProblemError('SESSION_ENDED', 'This session has ended. Sign in again.');
