import { randomBytes } from 'node:crypto';
import { PERSON_ROLES } from '@touchstone/contracts/policy';
import type { Clock } from '../clock/clock.ts';
import type { Database, Principal, Transaction } from '../database/database.ts';
import { appendEvidence } from '../evidence/evidence.ts';
import { decodeIdCursor, toPage } from '../http/cursor.ts';
import { found, ProblemError } from '../problem-error.ts';
import { type AuthService, addPerson, findUser, setPassword } from './auth.service.ts';
import { hashPassword } from './password-hash.ts';
import { hashToken, type IssuedSession } from './sessions.ts';

const HOUR_MS = 3_600_000;
const INVITATION_LIFE_MS = 7 * 24 * HOUR_MS;
const RESET_LIFE_MS = 24 * HOUR_MS;
const TOKEN_BYTES = 32;

export type PersonRole = (typeof PERSON_ROLES)[number];
export type Newcomer = { displayName: string; password: string };

type FoundInvitation = {
  id: number;
  tenant_id: number;
  tenant_name: string;
  email: string | null;
  role: string;
  expires_at: string;
  is_open: boolean;
};
type FoundReset = { id: number; tenant_id: number; user_id: number; expires_at: string; is_open: boolean };

export type LinkService = ReturnType<typeof createLinkService>;

/**
 * One-time links: invitations and new passwords. No mail is sent; whoever makes a link hands it over. The token stands
 * behind the # of the link, which browsers keep to themselves, and the database keeps its hash.
 */
export function createLinkService(database: Database, clock: Clock, auth: AuthService, publicUrl: string) {
  const { tries, sessions, callers } = auth;
  const instant = (ms = clock.now()) => new Date(ms).toISOString();
  const newToken = (kind: 'inv' | 'rst') => `${kind}_${randomBytes(TOKEN_BYTES).toString('base64url')}`;

  /** Looks a token up. One that never existed counts as a guess of its sender; all that are no good are told alike. */
  async function open<T extends { is_open: boolean; expires_at: string }>(
    token: string,
    address: string,
    question: string,
  ): Promise<T> {
    await tries.refuseGuesser(address);
    const { rows } = await database.pool.query<T>(question, [hashToken(token)]);
    const row = rows[0];
    if (row === undefined) await tries.countGuess(address);
    if (row === undefined || !row.is_open || Date.parse(row.expires_at) <= clock.now()) throw ended();
    return row;
  }
  const openInvitation = (token: string, address: string) =>
    open<FoundInvitation>(token, address, 'SELECT * FROM touchstone_find_invitation($1)');

  const told = (row: InvitationRow) => {
    const role = roleOf(row.role);
    return {
      ...{ id: row.id, email: row.email, role, state: stateOf(row, clock.now()), expiresAt: row.expires_at },
      ...{ createdAt: row.created_at, createdBy: row.created_by, acceptedUserId: row.accepted_user_id },
    };
  };

  const service = {
    listInvitations: (principal: Principal, query: { cursor?: string | undefined; limit: number }) =>
      database.transaction(
        principal,
        async (tx) => {
          const before = decodeIdCursor(query.cursor);
          const rows = await tx.query
            .selectFrom('invitation')
            .selectAll()
            .$if(before !== null, (all) => all.where('id', '<', before!))
            .orderBy('id', 'desc')
            .limit(query.limit + 1)
            .execute();
          return toPage(rows.map(told), query.limit, (row) => [row.id]);
        },
        { readOnly: true },
      ),

    invite: (principal: Principal, email: string, role: PersonRole) =>
      database.transaction(principal, async (tx) => {
        const known = await tx.query
          .selectFrom('person')
          .select('user_id')
          .where('email', '=', email.toLowerCase())
          .executeTakeFirst();
        // Only people of this very tenant are seen here, so nothing is told about another.
        if (known !== undefined) throw new ProblemError('ALREADY_EXISTS', 'They are here already.');
        return service.addInvitation(tx, email, role);
      }),

    /** Makes an invitation in the tenant of the transaction; an older one of the address there is void. */
    async addInvitation(tx: Transaction, email: string, role: PersonRole) {
      await tx.query
        .updateTable('invitation')
        .set({ revoked_at: instant(), email: null })
        .where('email', '=', email.toLowerCase())
        .where('accepted_at', 'is', null)
        .execute();
      const token = newToken('inv');
      const row = await tx.query
        .insertInto('invitation')
        .values({
          tenant_id: tx.principal.tenantId,
          ...{ email: email.toLowerCase(), role, token_hash: hashToken(token) },
          expires_at: instant(clock.now() + INVITATION_LIFE_MS),
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await appendEvidence(tx, {
        ...{ kind: 'invitation.created', subjectKind: 'invitation', subjectId: row.id },
        body: { invitationId: row.id, role },
      });
      return { link: `${publicUrl}/invitation#${token}`, expiresAt: row.expires_at, invitation: told(row) };
    },

    revokeInvitation: (principal: Principal, invitationId: number): Promise<void> =>
      database.transaction(principal, async (tx) => {
        const revoked = await tx.query
          .updateTable('invitation')
          .set({ revoked_at: instant(), email: null })
          .where('id', '=', invitationId)
          .where('accepted_at', 'is', null)
          .where('revoked_at', 'is', null)
          .executeTakeFirst();
        if (revoked.numUpdatedRows === 0n) throw new ProblemError('NOT_FOUND', 'There is no such open invitation.');
        await appendEvidence(tx, {
          ...{ kind: 'invitation.revoked', subjectKind: 'invitation', subjectId: invitationId },
          body: { invitationId },
        });
      }),

    async readInvitation(token: string, address: string) {
      const found = await openInvitation(token, address);
      const { email, tenant_name: tenantName, expires_at: expiresAt } = found;
      return { email: email!, role: roleOf(found.role), tenantName, expiresAt };
    },

    /** Joins a tenant and signs in. */
    async acceptInvitation(
      token: string,
      newcomer: Newcomer,
      address: string,
      userAgent: string,
    ): Promise<IssuedSession> {
      const found = await openInvitation(token, address);
      const passwordHash = await hashPassword(newcomer.password);
      const invitation = { id: found.id, tenantId: found.tenant_id };
      const person = { email: found.email!, displayName: newcomer.displayName, passwordHash };
      return database.transaction({ tenantId: found.tenant_id, actorId: null }, async (tx) =>
        sessions.start(await service.join(tx, invitation, person), userAgent),
      );
    },

    /** Uses an invitation up. From then on the transaction runs on behalf of the newcomer. */
    async join(
      tx: Transaction,
      { id, tenantId }: { id: number; tenantId: number },
      person: { email: string; displayName: string; passwordHash: string | null },
    ): Promise<Transaction> {
      const used = await tx.query
        .updateTable('invitation')
        .set({ accepted_at: instant(), email: null })
        .where('id', '=', id)
        .where('accepted_at', 'is', null)
        .where('revoked_at', 'is', null)
        .returning('role')
        .executeTakeFirst();
      if (used === undefined) throw ended();
      const own = await addPerson(tx, tenantId, { ...person, role: used.role }).catch((error: unknown) => {
        if (!isTaken(error)) throw error;
        throw new ProblemError(
          'ALREADY_EXISTS',
          'This address has an account here. Ask to be invited with another one.',
        );
      });
      const userId = own.principal.actorId!;
      await own.query.updateTable('invitation').set({ accepted_user_id: userId }).where('id', '=', id).execute();
      await appendEvidence(own, {
        ...{ kind: 'person.joined', subjectKind: 'user', subjectId: userId },
        body: { userId, invitationId: id, role: used.role },
      });
      return own;
    },

    createResetLink: (principal: Principal, userId: number) =>
      database.transaction(principal, async (tx) => {
        const user = await findUser(tx, userId);
        if (user.role === 'service' || user.deactivated_at !== null) {
          throw new ProblemError(
            'NOT_POSSIBLE_NOW',
            'Services have no password, and somebody shut out cannot use one.',
          );
        }
        await tx.query
          .updateTable('password_reset')
          .set({ revoked_at: instant() })
          .where('user_id', '=', userId)
          .where('used_at', 'is', null)
          .where('revoked_at', 'is', null)
          .execute();
        const token = newToken('rst');
        const expiresAt = instant(clock.now() + RESET_LIFE_MS);
        await tx.query
          .insertInto('password_reset')
          .values({
            tenant_id: principal.tenantId,
            ...{ user_id: userId, token_hash: hashToken(token), expires_at: expiresAt },
          })
          .execute();
        await appendEvidence(tx, {
          ...{ kind: 'password_reset.created', subjectKind: 'user', subjectId: userId },
          body: { userId },
        });
        return { link: `${publicUrl}/reset-password#${token}`, expiresAt };
      }),

    /** Sets a new password and ends every session. A second factor is still asked for at the next sign-in. */
    async resetPassword(token: string, newPassword: string, address: string): Promise<void> {
      const reset = await open<FoundReset>(token, address, 'SELECT * FROM touchstone_find_password_reset($1)');
      const passwordHash = await hashPassword(newPassword);
      await database.transaction({ tenantId: reset.tenant_id, actorId: reset.user_id }, async (tx) => {
        const used = await tx.query
          .updateTable('password_reset')
          .set({ used_at: instant() })
          .where('id', '=', reset.id)
          .where('used_at', 'is', null)
          .where('revoked_at', 'is', null)
          .executeTakeFirst();
        if (used.numUpdatedRows === 0n) throw ended();
        await setPassword(tx, reset.user_id, passwordHash);
        await sessions.endAll(tx, reset.user_id);
      });
      callers.changed(reset.user_id);
    },
  };
  return service;
}

type InvitationRow = {
  id: number;
  email: string | null;
  role: string;
  expires_at: string;
  accepted_at: string | null;
  accepted_user_id: number | null;
  revoked_at: string | null;
  created_at: string;
  created_by: number | null;
};

function stateOf(row: InvitationRow, now: number): 'open' | 'accepted' | 'revoked' | 'expired' {
  if (row.accepted_at !== null) return 'accepted';
  if (row.revoked_at !== null) return 'revoked';
  return Date.parse(row.expires_at) <= now ? 'expired' : 'open';
}

function roleOf(text: string): PersonRole {
  return found(
    PERSON_ROLES.find((role) => role === text),
    `There is no role ${text}.`,
  );
}

/** Unique violation of the address. */
function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505';
}

const ended = () => new ProblemError('LINK_ENDED', 'This link was used, revoked, or has run out. Ask for a new one.');
