import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import type { Clock } from '../clock/clock.ts';
import { type Database, SYSTEM_PRINCIPAL } from '../database/database.ts';
import type { SecretBox } from './secret-box.ts';

/** Whose token it is. What they may do is not in it: that can change while a token lives. */
export type AccessClaims = { userId: number; tenantId: number; family: string };

export type AccessTokens = {
  issue(claims: AccessClaims): Promise<{ token: string; expiresAt: number }>;
  /** Null for a token that is not ours, was changed, or is too old. */
  verify(token: string): Promise<AccessClaims | null>;
};

const ISSUER = 'touchstone';
const TOKEN_LIFE_MS = 15 * 60_000;
/** A key signs for a week and is trusted for one more day, so that no token outlives its key. */
const KEY_SIGNS_MS = 7 * 24 * 3_600_000;
const KEY_TRUSTED_MS = KEY_SIGNS_MS + 24 * 3_600_000;
/** A stranger's made-up key ids make us look into the database no more often than this. */
const RELOAD_EVERY_MS = 5_000;
const CACHE_MAX = 5_000;

type SigningKey = { keyId: string; publicKey: KeyObject; privateKey: KeyObject | null; notAfter: number };

/** EdDSA access tokens. The library is loaded when the first token is made or shown. */
export function createAccessTokens(database: Database, clock: Clock, box: SecretBox): AccessTokens {
  const keys = new Map<string, SigningKey>();
  const verified = new Map<string, { claims: AccessClaims; expiresAt: number }>();
  let reloadedAt = Number.NEGATIVE_INFINITY;

  async function reload(): Promise<void> {
    reloadedAt = clock.now();
    const rows = await database.transaction(SYSTEM_PRINCIPAL, ({ query }) =>
      query
        .selectFrom('signing_key')
        .selectAll()
        .where('not_after', '>', new Date(clock.now()).toISOString())
        .execute(),
    );
    for (const row of rows) {
      if (!keys.has(row.key_id)) keys.set(row.key_id, importKey(row, box));
    }
    for (const [keyId, key] of keys) if (key.notAfter <= clock.now()) keys.delete(keyId);
  }

  const findSigner = () =>
    [...keys.values()].find(
      (key) => key.privateKey !== null && key.notAfter - clock.now() > KEY_TRUSTED_MS - KEY_SIGNS_MS,
    );

  async function getSigner(): Promise<SigningKey> {
    const known = findSigner();
    if (known !== undefined) return known;
    await reload();
    if (findSigner() === undefined) {
      await makeKey(database, clock, box);
      await reload();
    }
    return findSigner()!;
  }

  return {
    async issue(claims) {
      const { SignJWT } = await import('jose');
      const key = await getSigner();
      const issuedAt = Math.floor(clock.now() / 1000);
      const expiresAt = issuedAt * 1000 + TOKEN_LIFE_MS;
      const token = await new SignJWT({ tenant: claims.tenantId, family: claims.family })
        .setProtectedHeader({ alg: 'EdDSA', kid: key.keyId })
        .setIssuer(ISSUER)
        .setSubject(String(claims.userId))
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt / 1000)
        .sign(key.privateKey!);
      return { token, expiresAt };
    },
    async verify(token) {
      const now = clock.now();
      let found = verified.get(token);
      if (found === undefined) {
        const keyId = await readKeyId(token);
        if (keyId === null) return null;
        if (!keys.has(keyId) && now - reloadedAt > RELOAD_EVERY_MS) await reload();
        const key = keys.get(keyId);
        if (key === undefined || key.notAfter <= now) return null;
        const checked = await check(token, key.publicKey, now);
        if (checked === null) return null;
        found = checked;
        if (verified.size >= CACHE_MAX) verified.delete(verified.keys().next().value!);
        verified.set(token, found);
      }
      if (found.expiresAt <= now) {
        verified.delete(token);
        return null;
      }
      return found.claims;
    },
  };
}

async function readKeyId(token: string): Promise<string | null> {
  const { decodeProtectedHeader } = await import('jose');
  try {
    return decodeProtectedHeader(token).kid ?? null;
  } catch {
    return null;
  }
}

async function check(token: string, key: KeyObject, now: number) {
  const { jwtVerify } = await import('jose');
  try {
    const { payload } = await jwtVerify(token, key, {
      issuer: ISSUER,
      algorithms: ['EdDSA'],
      currentDate: new Date(now),
    });
    const { sub, exp, tenant, family } = payload;
    if (typeof tenant !== 'number' || typeof family !== 'string' || exp === undefined) return null;
    return { claims: { userId: Number(sub), tenantId: tenant, family }, expiresAt: exp * 1000 };
  } catch {
    return null;
  }
}

type StoredKey = { key_id: string; public_jwk: unknown; private_jwk_encrypted: Buffer; not_after: string };

function importKey(row: StoredKey, box: SecretBox): SigningKey {
  let privateKey: KeyObject | null = null;
  try {
    const jwk = JSON.parse(box.decrypt('signing keys', row.private_jwk_encrypted).toString('utf8'));
    privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
  } catch {
    // The secret was changed since: the key can no longer sign, and a new one is made.
  }
  const publicJwk: JsonWebKey = { ...(typeof row.public_jwk === 'object' ? row.public_jwk : {}) };
  const publicKey = createPublicKey({ key: publicJwk, format: 'jwk' });
  return { keyId: row.key_id, publicKey, privateKey, notAfter: Date.parse(row.not_after) };
}

async function makeKey(database: Database, clock: Clock, box: SecretBox): Promise<void> {
  const pair = generateKeyPairSync('ed25519');
  const publicJwk = pair.publicKey.export({ format: 'jwk' });
  const privateJwk = pair.privateKey.export({ format: 'jwk' });
  await database.transaction(SYSTEM_PRINCIPAL, async ({ query }) => {
    await query
      .insertInto('signing_key')
      .values({
        tenant_id: SYSTEM_PRINCIPAL.tenantId,
        key_id: randomUUID(),
        public_jwk: JSON.stringify(publicJwk),
        private_jwk_encrypted: box.encrypt('signing keys', Buffer.from(JSON.stringify(privateJwk))),
        not_after: new Date(clock.now() + KEY_TRUSTED_MS).toISOString(),
      })
      .execute();
  });
}
