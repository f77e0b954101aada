import { createHash } from 'node:crypto';
import { ROLES, type Role, SCOPES, scopesOf } from '@touchstone/contracts/policy';
import type { Clock } from '../clock/clock.ts';
import type { Database } from '../database/database.ts';
import type { Caller } from '../http/serve.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Tries } from './tries.ts';

/** How long an answer about a caller may be old. Changes made by this process are seen at once. */
const FRESH_MS = 5_000;
const LAST_USED_MS = 60_000;
const CACHE_MAX = 5_000;
/** The same wrong key again tells its sender nothing new, so it is neither looked up nor counted again. */
const UNKNOWN_MS = 15 * 60_000;

export const KEY_FORMAT = /^tsk_[a-z2-7]{8}_[\w-]{43}$/;

/** Finds out who sent a credential, and what they may do at this moment. */
export type Callers = {
  /** @returns null for a credential that is none of ours, has run out, was ended, or belongs to somebody shut out. */
  find(credential: string, address: string): Promise<Caller | null>;
  /** Call after a change of a user's role, sessions or keys is committed. */
  changed(userId: number): void;
};

type Entry = { userId: number; caller: Caller | null; checkedAt: number };

export function createCallers(database: Database, clock: Clock, tokens: AccessTokens, tries: Tries): Callers {
  const known = new Map<string, Entry>();
  const unknown = new Map<string, number>();
  // An answer that was asked for before a change must not be kept after it.
  let changes = 0;

  const cached = (name: string) => {
    const entry = known.get(name);
    return entry !== undefined && Math.abs(clock.now() - entry.checkedAt) < FRESH_MS ? entry : undefined;
  };
  const keep = (name: string, before: number, entry: Entry): Caller | null => {
    if (before === changes) put(known, name, entry);
    return entry.caller;
  };

  async function findBySession(token: string): Promise<Caller | null> {
    const claims = await tokens.verify(token);
    if (claims === null) return null;
    const { userId, tenantId, family } = claims;
    const name = `${userId}:${family}`;
    const entry = cached(name);
    if (entry !== undefined) return entry.caller;
    const before = changes;
    const checkedAt = clock.now();
    const { rows } = await database.pool.query<{ role: string; is_operator: boolean }>(
      'SELECT * FROM touchstone_find_session($1, $2, $3)',
      [tenantId, userId, family],
    );
    const role = toRole(rows[0]?.role);
    const caller = role && {
      ...{ tenantId, actorId: userId, role, family, keyId: null },
      scopes: scopesOf(role, rows[0]!.is_operator),
    };
    return keep(name, before, { userId, caller, checkedAt });
  }

  async function findByKey(key: string, address: string): Promise<Caller | null> {
    const hash = createHash('sha256').update(key).digest();
    const name = hash.toString('base64');
    const entry = cached(name);
    if (entry !== undefined) return entry.caller;
    const checkedAt = clock.now();
    if (checkedAt - (unknown.get(name) ?? Number.NEGATIVE_INFINITY) < UNKNOWN_MS) return null;
    await tries.refuseGuesser(address);
    const before = changes;
    const { rows } = await database.pool.query<KeyRow>('SELECT * FROM touchstone_find_api_key($1)', [hash]);
    const row = rows[0];
    if (row === undefined) {
      put(unknown, name, checkedAt);
      await tries.countGuess(address);
      return null;
    }
    const caller = Date.parse(row.expires_at) > checkedAt && row.is_active ? toCaller(row) : null;
    const lastUsedAt = row.last_used_at === null ? Number.NEGATIVE_INFINITY : Date.parse(row.last_used_at);
    if (caller !== null && checkedAt - lastUsedAt > LAST_USED_MS) {
      await database.transaction(caller, ({ query }) =>
        query
          .updateTable('api_key')
          .set({ last_used_at: new Date(checkedAt).toISOString() })
          .where('id', '=', row.key_id)
          .execute(),
      );
    }
    return keep(name, before, { userId: row.user_id, caller, checkedAt });
  }

  return {
    find: (credential, address) =>
      KEY_FORMAT.test(credential) ? findByKey(credential, address) : findBySession(credential),
    changed(userId) {
      changes++;
      for (const [name, entry] of known) if (entry.userId === userId) known.delete(name);
    },
  };
}

type KeyRow = {
  key_id: number;
  tenant_id: number;
  user_id: number;
  role: string;
  is_operator: boolean;
  is_active: boolean;
  scopes: string[];
  expires_at: string;
  last_used_at: string | null;
};

/** A key narrows what its user may do at this moment, and never widens it. */
function toCaller(row: KeyRow): Caller | null {
  const role = toRole(row.role);
  if (role === null) return null;
  const allowed = scopesOf(role, row.is_operator);
  return {
    ...{ tenantId: row.tenant_id, actorId: row.user_id, role, family: null, keyId: row.key_id },
    scopes: SCOPES.filter((scope) => allowed.includes(scope) && row.scopes.includes(scope)),
  };
}

function toRole(text: string | undefined): Role | null {
  return ROLES.find((candidate) => candidate === text) ?? null;
}

function put<V>(map: Map<string, V>, name: string, value: V): void {
  map.delete(name);
  if (map.size >= CACHE_MAX) map.delete(map.keys().next().value!);
  map.set(name, value);
}
