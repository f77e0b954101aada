import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Clock } from '../clock/clock.ts';
import type { Database, Principal, Transaction } from '../database/database.ts';
import { appendEvidence } from '../evidence/evidence.ts';
import { ProblemError } from '../problem-error.ts';
import type { SecretBox } from './secret-box.ts';
import type { Tries } from './tries.ts';

const STEP_MS = 30_000;
/** A phone's clock may be a step off, either way. */
const WINDOW_STEPS = 1;
const SECRET_BYTES = 20;
const RECOVERY_CODES = 10;
const RECOVERY_BYTES = 10;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** Codes of an authenticator (RFC 6238) and recovery codes. */
export function createSecondFactors(database: Database, clock: Clock, box: SecretBox, tries: Tries) {
  const findOf = (tx: Transaction, userId: number) =>
    tx.query.selectFrom('second_factor').selectAll().where('user_id', '=', userId).forUpdate().executeTakeFirst();

  /** Spends a code of the authenticator: each works once, and none that is older than the last. */
  async function spendStep(tx: Transaction, userId: number, code: string): Promise<boolean> {
    const factor = await findOf(tx, userId);
    if (factor?.secret_encrypted == null || !/^\d{6}$/.test(code)) return false;
    const { TOTP, Secret } = await import('otpauth');
    const bytes = box.decrypt('second factor', factor.secret_encrypted);
    const secret = new Secret({ buffer: Uint8Array.from(bytes).buffer });
    const delta = new TOTP({ secret }).validate({ token: code, timestamp: clock.now(), window: WINDOW_STEPS });
    if (delta === null) return false;
    const step = Math.floor(clock.now() / STEP_MS) + delta;
    if (step <= factor.last_step) return false;
    await tx.query.updateTable('second_factor').set({ last_step: step }).where('id', '=', factor.id).execute();
    return true;
  }

  async function spendRecoveryCode(tx: Transaction, userId: number, code: string): Promise<boolean> {
    const plain = code.toLowerCase().replace(/[^a-z2-7]/g, '');
    const spent = await tx.query
      .updateTable('recovery_code')
      .set({ spent_at: new Date(clock.now()).toISOString() })
      .where('user_id', '=', userId)
      .where('code_hash', '=', box.mac('recovery code', `${userId}:${plain}`))
      .where('spent_at', 'is', null)
      .executeTakeFirst();
    if (spent.numUpdatedRows === 0n) return false;
    await appendEvidence(tx, { kind: 'recovery_code.used', subjectKind: 'user', subjectId: userId, body: { userId } });
    return true;
  }

  async function renewCodes(tx: Transaction, userId: number): Promise<string[]> {
    await voidCodes(tx, userId);
    const codes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode);
    await tx.query
      .insertInto('recovery_code')
      .values(
        codes.map((code) => ({
          tenant_id: tx.principal.tenantId,
          user_id: userId,
          code_hash: box.mac('recovery code', `${userId}:${code.replaceAll('-', '')}`),
        })),
      )
      .execute();
    return codes;
  }

  const factors = {
    async isNeeded(tx: Transaction, userId: number): Promise<boolean> {
      const factor = await findOf(tx, userId);
      return factor?.confirmed_at != null;
    },

    /** True when the code is right and was not used before; it is used now. */
    spend: async (tx: Transaction, userId: number, code: string): Promise<boolean> =>
      (await spendStep(tx, userId, code)) || (await spendRecoveryCode(tx, userId, code)),

    read: (principal: Principal) =>
      database.transaction(
        principal,
        async ({ query }) => {
          const userId = principal.actorId!;
          const factor = await query
            .selectFrom('second_factor')
            .select('confirmed_at')
            .where('user_id', '=', userId)
            .executeTakeFirst();
          const codes = await query
            .selectFrom('recovery_code')
            .select(sql<number>`count(*)`.as('left'))
            .where('user_id', '=', userId)
            .where('spent_at', 'is', null)
            .executeTakeFirstOrThrow();
          return { confirmedAt: factor?.confirmed_at ?? null, recoveryCodesLeft: codes.left };
        },
        { readOnly: true },
      ),

    /** Makes a new secret. An earlier one that was never confirmed is void. */
    async enrol(principal: Principal) {
      const { TOTP, Secret } = await import('otpauth');
      const { renderSVG } = await import('uqr');
      const userId = principal.actorId!;
      const bytes = randomBytes(SECRET_BYTES);
      const label = await database.transaction(principal, async (tx) => {
        const factor = await findOf(tx, userId);
        if (factor?.confirmed_at != null) {
          throw new ProblemError('NOT_POSSIBLE_NOW', 'You have a second factor. Disable it first to change it.');
        }
        const secret_encrypted = box.encrypt('second factor', bytes);
        await tx.query
          .insertInto('second_factor')
          .values({ tenant_id: principal.tenantId, user_id: userId, secret_encrypted })
          .onConflict((conflict) =>
            conflict.columns(['tenant_id', 'user_id']).doUpdateSet({ secret_encrypted, last_step: 0 }),
          )
          .execute();
        const person = await tx.query
          .selectFrom('person')
          .select('email')
          .where('user_id', '=', userId)
          .executeTakeFirst();
        await record(tx, 'second_factor.begun', userId);
        return person?.email ?? `user ${userId}`;
      });
      const secret = new Secret({ buffer: Uint8Array.from(bytes).buffer });
      const uri = new TOTP({ issuer: 'Touchstone', label, secret }).toString();
      return { uri, secret: secret.base32, qrSvg: renderSVG(uri, { border: 2 }) };
    },

    /** @returns ten recovery codes. */
    async confirm(principal: Principal, code: string): Promise<string[]> {
      const userId = principal.actorId!;
      await tries.take(principal);
      return database.transaction(principal, async (tx) => {
        const factor = await findOf(tx, userId);
        if (factor?.secret_encrypted == null || factor.confirmed_at !== null) {
          throw new ProblemError('NOT_POSSIBLE_NOW', 'There is nothing to confirm. Enrol a second factor first.');
        }
        if (!(await spendStep(tx, userId, code))) throw wrongCode();
        const confirmed_at = new Date(clock.now()).toISOString();
        await tx.query.updateTable('second_factor').set({ confirmed_at }).where('id', '=', factor.id).execute();
        await openAccount(tx, userId);
        const codes = await renewCodes(tx, userId);
        await record(tx, 'second_factor.confirmed', userId);
        return codes;
      });
    },

    async renewRecoveryCodes(principal: Principal, code: string): Promise<string[]> {
      const userId = principal.actorId!;
      await tries.take(principal);
      return database.transaction(principal, async (tx) => {
        await spendOrRefuse(tx, userId, code);
        const codes = await renewCodes(tx, userId);
        await record(tx, 'recovery_codes.renewed', userId);
        return codes;
      });
    },

    async disable(principal: Principal, code: string): Promise<void> {
      const userId = principal.actorId!;
      await tries.take(principal);
      await database.transaction(principal, async (tx) => {
        await spendOrRefuse(tx, userId, code);
        await removeSecondFactor(tx, userId);
      });
    },
  };

  async function spendOrRefuse(tx: Transaction, userId: number, code: string): Promise<void> {
    if (!(await factors.isNeeded(tx, userId))) {
      throw new ProblemError('NOT_POSSIBLE_NOW', 'You have no second factor.');
    }
    if (!(await factors.spend(tx, userId, code))) throw wrongCode();
    await openAccount(tx, userId);
  }

  return factors;
}

/** Takes a second factor away with its codes. Nothing happens when there is none. @returns whether there was one. */
export async function removeSecondFactor(tx: Transaction, userId: number): Promise<boolean> {
  const removed = await tx.query
    .updateTable('second_factor')
    .set({ secret_encrypted: null, confirmed_at: null })
    .where('user_id', '=', userId)
    .where('secret_encrypted', 'is not', null)
    .executeTakeFirst();
  await voidCodes(tx, userId);
  if (removed.numUpdatedRows === 0n) return false;
  await record(tx, 'second_factor.removed', userId);
  return true;
}

async function voidCodes(tx: Transaction, userId: number): Promise<void> {
  await tx.query
    .updateTable('recovery_code')
    .set({ spent_at: sql<string>`clock_timestamp()` })
    .where('user_id', '=', userId)
    .where('spent_at', 'is', null)
    .execute();
}

/** The right code was given, so the tries before it do not count. */
async function openAccount(tx: Transaction, userId: number): Promise<void> {
  await tx.query
    .updateTable('app_user')
    .set({ failed_sign_ins: 0, locked_until: null })
    .where('id', '=', userId)
    .execute();
}

/** Four groups of four from 80 random bits. */
function newRecoveryCode(): string {
  let bits = BigInt(`0x${randomBytes(RECOVERY_BYTES).toString('hex')}`);
  let text = '';
  for (let i = 0; i < (RECOVERY_BYTES * 8) / 5; i++) {
    text += BASE32[Number(bits & 31n)];
    bits >>= 5n;
  }
  return text.match(/.{4}/g)!.join('-');
}

async function record(tx: Transaction, kind: string, userId: number): Promise<void> {
  await appendEvidence(tx, { kind, subjectKind: 'user', subjectId: userId, body: { userId } });
}

const wrongCode = () =>
  new ProblemError('SIGN_IN_FAILED', 'The code is wrong or was used before. Wait for the next one.');
