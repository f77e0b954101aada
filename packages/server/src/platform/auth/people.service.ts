import { ROLES, type Role } from '@touchstone/contracts/policy';
import { type RawBuilder, sql } from 'kysely';
import type { Clock } from '../clock/clock.ts';
import type { Database, Principal, Transaction } from '../database/database.ts';
import { appendEvidence } from '../evidence/evidence.ts';
import { decodeIdCursor, toPage } from '../http/cursor.ts';
import { found, ProblemError } from '../problem-error.ts';
import { findUser } from './auth.service.ts';
import type { Callers } from './callers.ts';
import { removeSecondFactor } from './second-factor.ts';
import type { Sessions } from './sessions.ts';

type PersonRow = {
  id: number;
  role: string;
  name: string | null;
  email: string | null;
  deactivated_at: string | null;
  forgotten_at: string | null;
  has_second_factor: boolean;
  last_seen_at: string | null;
  created_at: string;
};

/** The people of a tenant, as those who may handle them see them. */
export function createPeopleService(database: Database, clock: Clock, callers: Callers, sessions: Sessions) {
  const now = () => new Date(clock.now()).toISOString();

  async function select(tx: Transaction, where: RawBuilder<unknown>, limit: number): Promise<PersonRow[]> {
    const { rows } = await sql<PersonRow>`
      SELECT u.id, u.role, coalesce(p.display_name, u.service_name) AS name, p.email, u.deactivated_at, u.forgotten_at,
             f.confirmed_at IS NOT NULL AS has_second_factor, u.created_at,
             (SELECT t.created_at FROM refresh_token t WHERE t.tenant_id = u.tenant_id AND t.user_id = u.id
              ORDER BY t.id DESC LIMIT 1) AS last_seen_at
      FROM app_user u
      LEFT JOIN person p ON p.tenant_id = u.tenant_id AND p.user_id = u.id
      LEFT JOIN second_factor f ON f.tenant_id = u.tenant_id AND f.user_id = u.id
      WHERE ${where} ORDER BY u.id LIMIT ${limit}`.execute(tx.query);
    return rows;
  }
  const get = async (tx: Transaction, userId: number) =>
    told(found((await select(tx, sql`u.id = ${userId}`, 1))[0], `There is no person ${userId}.`));

  /** One change of a user: refused for the last owner if asked so, recorded, and seen by every later request. */
  async function change(
    principal: Principal,
    userId: number,
    takesOwner: boolean,
    work: (tx: Transaction, user: Awaited<ReturnType<typeof findUser>>) => Promise<void>,
  ) {
    const person = await database.transaction(principal, async (tx) => {
      if (takesOwner) await refuseLastOwner(tx, userId);
      await work(tx, await findUser(tx, userId));
      return get(tx, userId);
    });
    callers.changed(userId);
    return person;
  }

  return {
    list: (principal: Principal, query: { cursor?: string | undefined; limit: number }) =>
      database.transaction(
        principal,
        async (tx) => {
          const after = decodeIdCursor(query.cursor) ?? 0;
          const rows = await select(tx, sql`u.id > ${after}`, query.limit + 1);
          return toPage(rows.map(told), query.limit, (row) => [row.userId]);
        },
        { readOnly: true },
      ),

    get: (principal: Principal, userId: number) =>
      database.transaction(principal, (tx) => get(tx, userId), { readOnly: true }),

    createService: (principal: Principal, name: string) =>
      database.transaction(principal, async (tx) => {
        const { id: userId } = await tx.query
          .insertInto('app_user')
          .values({ tenant_id: principal.tenantId, role: 'service', service_name: name })
          .returning('id')
          .executeTakeFirstOrThrow();
        await record(tx, 'service.created', userId, {});
        return get(tx, userId);
      }),

    changeRole: (principal: Principal, userId: number, from: Role, role: Role) =>
      change(principal, userId, role !== 'owner', async (tx, user) => {
        if (user.role === 'service' || user.forgotten_at !== null) {
          throw new ProblemError('NOT_POSSIBLE_NOW', 'Services and forgotten people keep their role.');
        }
        if (user.role !== from) {
          throw new ProblemError('CONFLICT', `Their role is ${user.role} by now. Look again and decide anew.`);
        }
        await tx.query.updateTable('app_user').set({ role }).where('id', '=', userId).execute();
        if (role !== 'owner') await voidLinksBy(tx, userId, now());
        await record(tx, 'person.role_changed', userId, { from, to: role });
      }),

    deactivate: (principal: Principal, userId: number) =>
      change(principal, userId, true, async (tx, user) => {
        if (user.deactivated_at !== null) throw new ProblemError('NOT_POSSIBLE_NOW', 'They are shut out already.');
        await tx.query.updateTable('app_user').set({ deactivated_at: now() }).where('id', '=', userId).execute();
        await sessions.endAll(tx, userId);
        await voidLinksBy(tx, userId, now());
        await record(tx, 'person.deactivated', userId, {});
      }),

    reactivate: (principal: Principal, userId: number) =>
      change(principal, userId, false, async (tx, user) => {
        if (user.deactivated_at === null || user.forgotten_at !== null) {
          throw new ProblemError(
            'NOT_POSSIBLE_NOW',
            'Only somebody who is shut out and not forgotten can be let in again.',
          );
        }
        await tx.query.updateTable('app_user').set({ deactivated_at: null }).where('id', '=', userId).execute();
        await record(tx, 'person.reactivated', userId, {});
      }),

    /** Erases what is personal, for good, and every credential. What the person did stays on record under their number. */
    forget: (principal: Principal, userId: number) =>
      change(principal, userId, true, async (tx, user) => {
        if (user.forgotten_at !== null) throw new ProblemError('NOT_POSSIBLE_NOW', 'They are forgotten already.');
        const at = now();
        const person = await tx.query
          .selectFrom('person')
          .select('email')
          .where('user_id', '=', userId)
          .executeTakeFirst();
        if (person !== undefined) {
          await tx.query
            .updateTable('invitation')
            .set({ email: null, revoked_at: sql<string>`coalesce(revoked_at, ${at})` })
            .where('email', '=', person.email)
            .execute();
        }
        await tx.query.deleteFrom('person').where('user_id', '=', userId).execute();
        await tx.query
          .updateTable('app_user')
          .set({ password_hash: null, service_name: null, forgotten_at: at, deactivated_at: user.deactivated_at ?? at })
          .where('id', '=', userId)
          .execute();
        await sessions.endAll(tx, userId);
        await tx.query.updateTable('refresh_token').set({ user_agent: '' }).where('user_id', '=', userId).execute();
        await tx.query
          .updateTable('federated_identity')
          .set({ subject_hash: null })
          .where('user_id', '=', userId)
          .execute();
        await tx.query
          .updateTable('api_key')
          .set({ revoked_at: sql<string>`coalesce(revoked_at, ${at})`, name: 'forgotten' })
          .where('user_id', '=', userId)
          .execute();
        await voidLinksBy(tx, userId, at);
        await removeSecondFactor(tx, userId);
        await record(tx, 'person.forgotten', userId, {});
      }),

    async removeSecondFactor(principal: Principal, userId: number): Promise<void> {
      await database.transaction(principal, async (tx) => {
        await findUser(tx, userId);
        const removed = await removeSecondFactor(tx, userId);
        if (!removed) throw new ProblemError('NOT_FOUND', 'They have no second factor.');
      });
    },
  };
}

/** A tenant without an owner could never be repaired. Owners wait for each other here, so two cannot leave at once. */
async function refuseLastOwner(tx: Transaction, userId: number): Promise<void> {
  const owners = await tx.query
    .selectFrom('app_user')
    .select('id')
    .where('role', '=', 'owner')
    .where('deactivated_at', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute();
  if (owners.length !== 1 || owners[0]!.id !== userId) return;
  throw new ProblemError('NOT_POSSIBLE_NOW', 'This is the last owner. Make somebody else an owner first.');
}

/** Links that somebody handed out, or that let them in, end with their right to make them. */
async function voidLinksBy(tx: Transaction, userId: number, at: string): Promise<void> {
  await tx.query
    .updateTable('invitation')
    .set({ revoked_at: at, email: null })
    .where('created_by', '=', userId)
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .execute();
  await tx.query
    .updateTable('password_reset')
    .set({ revoked_at: at })
    .where((where) => where.or([where('created_by', '=', userId), where('user_id', '=', userId)]))
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .execute();
}

async function record(tx: Transaction, kind: string, userId: number, body: Record<string, unknown>): Promise<void> {
  await appendEvidence(tx, { kind, subjectKind: 'user', subjectId: userId, body: { userId, ...body } });
}

function told(row: PersonRow) {
  const role = ROLES.find((candidate) => candidate === row.role);
  if (role === undefined) throw new Error(`There is no role ${row.role}.`);
  return {
    ...{ userId: row.id, displayName: row.name, email: row.email, role },
    state: stateOf(row),
    ...{ hasSecondFactor: row.has_second_factor, lastSeenAt: row.last_seen_at, createdAt: row.created_at },
  };
}

function stateOf(row: PersonRow): 'active' | 'deactivated' | 'forgotten' {
  if (row.forgotten_at !== null) return 'forgotten';
  return row.deactivated_at === null ? 'active' : 'deactivated';
}
