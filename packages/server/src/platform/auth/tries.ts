import { sql } from 'kysely';
import { raiseAlert } from '../alerts/alerts.ts';
import type { Clock } from '../clock/clock.ts';
import { type Database, type Principal, SYSTEM_PRINCIPAL } from '../database/database.ts';
import { appendEvidence } from '../evidence/evidence.ts';
import { ProblemError } from '../problem-error.ts';
import type { SecretBox } from './secret-box.ts';

const TRIES_MAX = 10;
const LOCK_MS = 15 * 60_000;
const STRANGERS_MAX = 10_000;
const GUESSES_MAX = 20;
const BUCKET_BYTES = 2;

/** Counts what is tried wrongly, and closes the door for a while. */
export type Tries = ReturnType<typeof createTries>;

export function createTries(database: Database, clock: Clock, box: SecretBox) {
  const strangers = new Map<string, { count: number; lockedUntil: number }>();
  const bucketOf = (address: string) => box.mac('address', networkOf(address)).readUIntBE(0, BUCKET_BYTES);

  return {
    /**
     * Takes one of the tries of an account, before its password or code is looked at: a hundred at once are a hundred.
     *
     * @throws ProblemError TOO_MANY_TRIES
     */
    async take(principal: Principal): Promise<void> {
      const waitMs = await database.transaction(principal, async (tx) => {
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
        await raiseAlert(tx, {
          kind: 'auth.locked',
          severity: 'warning',
          title: 'Signing in was closed for one account',
          detail: `${TRIES_MAX} wrong passwords or codes for user ${principal.actorId}. It opens by itself after 15 minutes. If it was not them, look at their sessions.`,
          subjectKind: 'user',
          subjectId: principal.actorId!,
          sameAs: lockAlertOf(principal.actorId!),
        });
        await appendEvidence(tx, {
          kind: 'sign_in.locked',
          subjectKind: 'user',
          subjectId: principal.actorId!,
          body: { userId: principal.actorId, tries: TRIES_MAX },
        });
        return LOCK_MS;
      });
      if (waitMs > 0) throw tooManyTries(waitMs);
    },

    /**
     * The same for an address nobody has, in about the same time: neither a lock nor the clock tells who exists.
     * Kept in memory only.
     */
    async takeOfStranger(email: string): Promise<void> {
      const key = email.toLowerCase();
      const now = clock.now();
      const entry = strangers.get(key) ?? { count: 0, lockedUntil: 0 };
      if (entry.lockedUntil > now) throw tooManyTries(entry.lockedUntil - now);
      const count = (entry.lockedUntil > 0 ? 0 : entry.count) + 1;
      const lockedUntil = count > TRIES_MAX ? now + LOCK_MS : 0;
      if (strangers.size >= STRANGERS_MAX) strangers.delete(strangers.keys().next().value!);
      strangers.set(key, { count, lockedUntil });
      if (lockedUntil > 0) throw tooManyTries(LOCK_MS);
      // As many round trips as for an account, and a commit that waits for the disk as a changed row would.
      await database.transaction(SYSTEM_PRINCIPAL, async ({ query }) => {
        await query.selectFrom('app_user').select('id').where('id', '=', -1).execute();
        await sql`SELECT pg_logical_emit_message(true, 'touchstone', '')`.execute(query);
      });
    },

    /** @throws ProblemError TOO_MANY_TRIES while keys and links from this network address are not looked at. */
    async refuseGuesser(address: string): Promise<void> {
      const row = await database.transaction(
        SYSTEM_PRINCIPAL,
        ({ query }) =>
          query
            .selectFrom('guess_lock')
            .select('locked_until')
            .where('bucket', '=', bucketOf(address))
            .executeTakeFirst(),
        { readOnly: true },
      );
      const lockedUntil = row?.locked_until == null ? 0 : Date.parse(row.locked_until);
      if (lockedUntil > clock.now()) throw tooManyTries(lockedUntil - clock.now());
    },

    /** Counts a key or a link that never existed. The twentieth within 15 minutes closes the door for as long. */
    async countGuess(address: string): Promise<void> {
      const bucket = bucketOf(address);
      await database.transaction(SYSTEM_PRINCIPAL, async ({ query }) => {
        const now = clock.now();
        const instant = (ms: number) => new Date(ms).toISOString();
        await query
          .insertInto('guess_lock')
          .values({ tenant_id: SYSTEM_PRINCIPAL.tenantId, bucket, tries: 0, first_try_at: instant(now) })
          .onConflict((conflict) => conflict.column('bucket').doNothing())
          .execute();
        const row = await query
          .selectFrom('guess_lock')
          .selectAll()
          .where('bucket', '=', bucket)
          .forUpdate()
          .executeTakeFirstOrThrow();
        const isOver = Math.abs(now - Date.parse(row.first_try_at)) > LOCK_MS;
        const tries = (isOver ? 0 : row.tries) + 1;
        await query
          .updateTable('guess_lock')
          .set({
            tries,
            first_try_at: isOver ? instant(now) : row.first_try_at,
            locked_until: tries >= GUESSES_MAX ? instant(now + LOCK_MS) : null,
          })
          .where('id', '=', row.id)
          .execute();
      });
    },
  };
}

/** What a person gets from their provider: one IPv4 address, or 64 bits of IPv6. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head.split(':').filter((group) => group !== '');
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(':').filter((group) => group !== '').length;
  const full = [...groups, ...Array.from({ length: missing }, () => '0'), ...(tail ?? '').split(':')];
  return full.slice(0, 4).join(':');
}

/** The alert about a closed account; it is resolved by the next sign-in that succeeds. */
export const lockAlertOf = (userId: number) => `auth.locked:user:${userId}`;

/** The door is closed for a while. */
export function tooManyTries(waitMs: number): ProblemError {
  const retryAfterSeconds = Math.ceil(waitMs / 1000);
  const minutes = Math.max(1, Math.ceil(retryAfterSeconds / 60));
  return new ProblemError('TOO_MANY_TRIES', `Too many wrong tries. Try again in ${minutes} minutes.`, {
    retryAfterSeconds,
  });
}
