import { randomBytes } from 'node:crypto';
import { PERSONAL_SCOPES, POLICY, SCOPES, type Scope } from '@touchstone/contracts/policy';
import { sql } from 'kysely';
import type { Clock } from '../clock/clock.ts';
import type { Database, Transaction } from '../database/database.ts';
import { appendEvidence } from '../evidence/evidence.ts';
import { decodeIdCursor, toPage } from '../http/cursor.ts';
import type { Caller } from '../http/serve.ts';
import { found, ProblemError } from '../problem-error.ts';
import type { Callers } from './callers.ts';
import { hashToken } from './sessions.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PREFIX_LENGTH = 8;
const SECRET_BYTES = 32;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

export type NewKey = { name: string; scopes: readonly Scope[]; expiresInDays: number; serviceId?: number | undefined };

type KeyRow = {
  id: number;
  tenant_id: number;
  user_id: number;
  user_name: string | null;
  name: string;
  prefix: string;
  scopes: string[];
  life_days: number;
  expires_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
  replaced_by_id: number | null;
  created_at: string;
};

/** Keys for programs: made, listed, rotated and revoked by people. Callers asks what a key may do. */
export function createApiKeyService(database: Database, clock: Clock, callers: Callers) {
  const instant = (ms: number) => new Date(ms).toISOString();

  async function insert(tx: Transaction, userId: number, name: string, scopes: readonly string[], lifeDays: number) {
    const prefix = `tsk_${Array.from(randomBytes(PREFIX_LENGTH), (byte) => BASE32[byte & 31]).join('')}`;
    const key = `${prefix}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
    const { id } = await tx.query
      .insertInto('api_key')
      .values({
        tenant_id: tx.principal.tenantId,
        user_id: userId,
        ...{ name, prefix, key_hash: hashToken(key), scopes: [...scopes] },
        life_days: lifeDays,
        expires_at: instant(clock.now() + lifeDays * DAY_MS),
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    return { key, id };
  }

  /** Keys the caller may handle: their own, and an owner everybody's. */
  async function find(tx: Transaction, caller: Caller, keyId: number) {
    const rows = await select(tx, caller, sql`AND k.id = ${keyId}`, 1);
    return found(rows[0], `There is no key ${keyId}.`);
  }

  async function select(tx: Transaction, caller: Caller, where: ReturnType<typeof sql>, limit: number) {
    const mine = caller.scopes.includes('people:write') ? sql`true` : sql`k.user_id = ${caller.actorId}`;
    const { rows } = await sql<KeyRow>`
      SELECT k.*, coalesce(p.display_name, u.service_name) AS user_name
      FROM api_key k JOIN app_user u ON u.id = k.user_id LEFT JOIN person p ON p.user_id = k.user_id
      WHERE ${mine} ${where} ORDER BY k.id DESC LIMIT ${limit}`.execute(tx.query);
    return rows;
  }

  const told = (row: KeyRow) => ({
    ...{ id: row.id, name: row.name, prefix: row.prefix, userId: row.user_id, userName: row.user_name },
    scopes: SCOPES.filter((scope) => row.scopes.includes(scope)),
    state: stateOf(row),
    ...{ expiresAt: row.expires_at, lastUsedAt: row.last_used_at, replacedById: row.replaced_by_id },
    createdAt: row.created_at,
  });
  const stateOf = (row: KeyRow) => {
    if (row.revoked_at !== null) return 'revoked' as const;
    return Date.parse(row.expires_at) <= clock.now() ? ('expired' as const) : ('active' as const);
  };

  return {
    list: (caller: Caller, query: { cursor?: string | undefined; limit: number }) =>
      database.transaction(
        caller,
        async (tx) => {
          const before = decodeIdCursor(query.cursor);
          const rows = await select(tx, caller, before === null ? sql`` : sql`AND k.id < ${before}`, query.limit + 1);
          return toPage(rows.map(told), query.limit, (row) => [row.id]);
        },
        { readOnly: true },
      ),

    /**
     * Makes a key of the caller, or of a service when the caller may handle people.
     *
     * @throws ProblemError FORBIDDEN for scopes the user does not have or no key may have.
     */
    async create(caller: Caller, asked: NewKey) {
      const isService = asked.serviceId !== undefined;
      refuseScopes(asked.scopes, isService ? POLICY.service : caller.scopes);
      return database.transaction(caller, async (tx) => {
        const userId = isService ? await findService(tx, caller, asked.serviceId!) : caller.actorId!;
        const scopes = SCOPES.filter((scope) => asked.scopes.includes(scope));
        const { key, id } = await insert(tx, userId, asked.name, scopes, asked.expiresInDays);
        await appendEvidence(tx, {
          ...{ kind: 'api_key.created', subjectKind: 'api_key', subjectId: id },
          body: { keyId: id, userId, scopes, lifeDays: asked.expiresInDays },
        });
        return { key, apiKey: told(await find(tx, caller, id)) };
      });
    },

    /** Makes the successor of a key; the old one works for the overlap, or until it would have ended anyway. */
    async rotate(caller: Caller, keyId: number, overlapHours: number) {
      const { userId, ...answer } = await database.transaction(caller, async (tx) => {
        await tx.query.selectFrom('api_key').select('id').where('id', '=', keyId).forUpdate().execute();
        const old = await find(tx, caller, keyId);
        // Whoever holds a key acts as its user, so nobody gets one that speaks for another person.
        if (old.user_id !== caller.actorId) await findService(tx, caller, old.user_id);
        if (stateOf(old) !== 'active' || old.replaced_by_id !== null) {
          throw new ProblemError('NOT_POSSIBLE_NOW', 'This key has ended or was rotated already. Make a new one.');
        }
        const { key, id } = await insert(tx, old.user_id, old.name, old.scopes, old.life_days);
        const oldEndsAt = instant(Math.min(Date.parse(old.expires_at), clock.now() + overlapHours * HOUR_MS));
        await tx.query
          .updateTable('api_key')
          .set({ expires_at: oldEndsAt, replaced_by_id: id })
          .where('id', '=', keyId)
          .execute();
        await appendEvidence(tx, {
          ...{ kind: 'api_key.rotated', subjectKind: 'api_key', subjectId: keyId },
          body: { keyId, replacedById: id, userId: old.user_id, oldEndsAt },
        });
        return { userId: old.user_id, key, apiKey: told(await find(tx, caller, id)) };
      });
      callers.changed(userId);
      return answer;
    },

    async revoke(caller: Caller, keyId: number): Promise<void> {
      const userId = await database.transaction(caller, async (tx) => {
        const row = await find(tx, caller, keyId);
        const revoked = await tx.query
          .updateTable('api_key')
          .set({ revoked_at: instant(clock.now()) })
          .where('id', '=', keyId)
          .where('revoked_at', 'is', null)
          .executeTakeFirst();
        if (revoked.numUpdatedRows === 0n) throw new ProblemError('NOT_FOUND', `Key ${keyId} is revoked already.`);
        await appendEvidence(tx, {
          ...{ kind: 'api_key.revoked', subjectKind: 'api_key', subjectId: keyId },
          body: { keyId, userId: row.user_id },
        });
        return row.user_id;
      });
      callers.changed(userId);
    },
  };
}

async function findService(tx: Transaction, caller: Caller, serviceId: number): Promise<number> {
  const service = caller.scopes.includes('people:write')
    ? await tx.query
        .selectFrom('app_user')
        .select('id')
        .where('id', '=', serviceId)
        .where('role', '=', 'service')
        .where('deactivated_at', 'is', null)
        .executeTakeFirst()
    : undefined;
  return found(service, `There is no service ${serviceId} that you can make keys for.`).id;
}

function refuseScopes(asked: readonly Scope[], allowed: readonly Scope[]): void {
  const tooMuch = asked.filter((scope) => !allowed.includes(scope) || PERSONAL_SCOPES.includes(scope));
  if (tooMuch.length === 0) return;
  throw new ProblemError(
    'FORBIDDEN',
    `This key cannot be given ${tooMuch.join(', ')}: its user lacks it, or no key may have it.`,
  );
}
