import { AsyncLocalStorage } from 'node:async_hooks';
import type { Hmac } from 'node:crypto';
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  randomUUID,
} from 'node:crypto';
import { sql } from 'kysely';
import type { CommitListener, Database, Principal, Transaction } from '../database/database.ts';
import { ProblemError } from '../problem-error.ts';

/** An answer as it was sent. Problems are answers too. */
export type KeptAnswer = { status: number; text: string };

/** Who asks what, under which key. */
export type KeyedRequest = {
  principal: Principal & { actorId: number };
  routeId: string;
  key: string;
  /** Tells two requests apart; null: known only when the body has been read (see `bodyMac`). */
  fingerprint: string | null;
  /** The end of a body that is read as it comes. Reads it to its end if nobody did. */
  bodyMac?: () => Promise<Buffer>;
};

export type KeptAnswers = {
  /** Runs the work once for a key; later requests with it get the first answer. */
  once(request: KeyedRequest, work: () => Promise<KeptAnswer>): Promise<KeptAnswer & { isReplayed: boolean }>;
  /** Starts to tell requests with bodies of bytes apart. */
  startMac(): Hmac;
  /** Removes answers older than a day. */
  forgetOld(): Promise<number>;
  /** Writes into the transaction of a change that the change happened. */
  commitListener: CommitListener;
};

/** A key is believed to be in use this long after its process last said so. */
const LEASE_SECONDS = 60;
const RENEW_EVERY_MS = 20_000;
const ANSWER_LENGTH_MAX = 500_000;
const KEY_PATTERN = /^[\x21-\x7e]{8,200}$/;

type Reservation = {
  request: KeyedRequest;
  keyHash: Buffer;
  lease: string;
  isApplied: boolean;
  isEnded: boolean;
};
type StoredKey = {
  is_worked_on: boolean;
  request_mac: Buffer | null;
  status: number | null;
  answer_sealed: Buffer | null;
};

/** @throws ProblemError INVALID_REQUEST for a header that is no key. */
export function readKey(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  if (typeof header === 'string' && KEY_PATTERN.test(header)) return header;
  throw new ProblemError('INVALID_REQUEST', 'header.Idempotency-Key: Must be 8 to 200 visible characters.', {
    details: [{ path: 'header.Idempotency-Key', rule: 'Must be 8 to 200 visible characters.' }],
  });
}

/**
 * First answers of POST requests, kept for a day under tenant, user, route and key.
 *
 * A key is reserved before the work. The transaction that changes something marks the key in the same commit, so a
 * process that dies between the change and its answer leaves a key that is never worked on again. Answers may hold
 * secrets (a new API key): they are sealed with a key derived from the installation's secret, and requests are compared
 * by a keyed hash, so that no password can be guessed from what is stored.
 *
 * @param secret The installation's secret.
 */
export function createKeptAnswers(database: Database, secret: string): KeptAnswers {
  const keyFor = (use: string) => Buffer.from(hkdfSync('sha256', secret, 'touchstone', use, 32));
  const sealKey = keyFor('kept answers');
  const macKey = keyFor('kept requests');
  const current = new AsyncLocalStorage<Reservation>();
  const startMac = () => createHmac('sha256', macKey);

  function seal(text: string): Buffer {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', sealKey, nonce);
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  }

  function unseal(sealed: Buffer): string {
    const decipher = createDecipheriv('aes-256-gcm', sealKey, sealed.subarray(0, 12));
    decipher.setAuthTag(sealed.subarray(12, 28));
    return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString('utf8');
  }

  const place = ({ request: { principal, routeId }, keyHash }: Reservation) =>
    sql`tenant_id = ${principal.tenantId} AND actor_id = ${principal.actorId} AND route_id = ${routeId} AND key_hash = ${keyHash}`;

  /** True when the key is ours now; else what is known of it. */
  async function reserve(reservation: Reservation, mac: Buffer | null): Promise<true | StoredKey> {
    const { request, keyHash, lease } = reservation;
    const { principal, routeId } = request;
    return database.transaction(principal, async ({ query }) => {
      const taken = await sql`
        INSERT INTO edge.idempotency_key AS k (tenant_id, actor_id, route_id, key_hash, request_mac, lease, leased_until)
        VALUES (${principal.tenantId}, ${principal.actorId}, ${routeId}, ${keyHash}, ${mac}, ${lease},
                clock_timestamp() + make_interval(secs => ${LEASE_SECONDS}))
        ON CONFLICT (tenant_id, actor_id, route_id, key_hash) DO UPDATE SET
          (request_mac, lease, leased_until, state, status, answer_sealed, created_at) =
          (excluded.request_mac, excluded.lease, excluded.leased_until, 'running', NULL, NULL, clock_timestamp())
        WHERE k.created_at < clock_timestamp() - interval '24 hours'
           OR (k.state = 'running' AND k.leased_until < clock_timestamp()
               AND k.request_mac IS NOT DISTINCT FROM excluded.request_mac)
        RETURNING 1`.execute(query);
      if (taken.rows.length === 1) return true;
      const known = await sql<StoredKey>`
        SELECT state = 'running' OR (state = 'applied' AND leased_until > clock_timestamp()) AS is_worked_on, request_mac, status, answer_sealed FROM edge.idempotency_key WHERE ${place(reservation)}`.execute(
        query,
      );
      return known.rows[0] ?? { is_worked_on: true, request_mac: null, status: null, answer_sealed: null };
    });
  }

  /** What is told of a key that another request used first. */
  async function tell(request: KeyedRequest, mac: Buffer | null, known: StoredKey): Promise<KeptAnswer> {
    if (known.request_mac !== null) {
      const own = mac ?? (await request.bodyMac?.()) ?? null;
      if (own === null || !own.equals(known.request_mac)) {
        throw new ProblemError(
          'KEY_REUSED',
          'This Idempotency-Key came with another request before. Take a new key for each new request.',
        );
      }
    }
    if (known.is_worked_on) {
      throw new ProblemError('KEY_IN_USE', 'The first request with this Idempotency-Key still runs. Ask again soon.');
    }
    if (known.status === null || known.answer_sealed === null) {
      throw new ProblemError(
        'ANSWER_LOST',
        'The first request with this key did its work, but its answer was lost. Look at what is there now.',
      );
    }
    return { status: known.status, text: unseal(known.answer_sealed) };
  }

  async function keep(reservation: Reservation, answer: KeptAnswer): Promise<void> {
    const { request } = reservation;
    const mac = request.fingerprint === null ? ((await request.bodyMac?.()) ?? null) : null;
    await database.transaction(request.principal, ({ query }) =>
      sql`UPDATE edge.idempotency_key SET state = 'answered', status = ${answer.status},
            answer_sealed = ${seal(answer.text)}, request_mac = coalesce(request_mac, ${mac})
          WHERE ${place(reservation)} AND lease = ${reservation.lease}`.execute(query),
    );
  }

  /** Where nothing was done the key may be used again; where something was, its answer will not come any more. */
  async function release(reservation: Reservation): Promise<void> {
    await database.transaction(reservation.request.principal, ({ query }) =>
      (reservation.isApplied
        ? sql`UPDATE edge.idempotency_key SET leased_until = clock_timestamp()
              WHERE ${place(reservation)} AND lease = ${reservation.lease}`
        : sql`DELETE FROM edge.idempotency_key
              WHERE ${place(reservation)} AND lease = ${reservation.lease} AND state = 'running'`
      ).execute(query),
    );
  }

  async function renew(reservation: Reservation): Promise<void> {
    await database.transaction(reservation.request.principal, ({ query }) =>
      sql`UPDATE edge.idempotency_key SET leased_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
          WHERE ${place(reservation)} AND lease = ${reservation.lease}`.execute(query),
    );
  }

  return {
    startMac,
    async once(request, work) {
      const keyHash = createHash('sha256').update(request.key).digest();
      const mac = request.fingerprint === null ? null : startMac().update(request.fingerprint).digest();
      const reservation: Reservation = { request, keyHash, lease: randomUUID(), isApplied: false, isEnded: false };
      const known = await reserve(reservation, mac);
      if (known !== true) return { ...(await tell(request, mac, known)), isReplayed: true };
      const renewing = setInterval(() => void renew(reservation).catch(() => {}), RENEW_EVERY_MS);
      renewing.unref();
      try {
        const answer = await current.run(reservation, work);
        const isFinal = answer.status < 500 && answer.status !== 429 && answer.text.length <= ANSWER_LENGTH_MAX;
        // Without its answer the key tells at least that the work was done, if it was.
        if (isFinal) await keep(reservation, answer).catch(() => {});
        else await release(reservation).catch(() => {});
        return { ...answer, isReplayed: false };
      } catch (error) {
        await release(reservation).catch(() => {});
        throw error;
      } finally {
        reservation.isEnded = true;
        clearInterval(renewing);
      }
    },
    async forgetOld() {
      const { rows } = await database.pool.query('SELECT edge.forget_old_keys() AS count');
      return rows[0].count;
    },
    commitListener: {
      async before(tx: Transaction) {
        const reservation = current.getStore();
        if (reservation === undefined || reservation.isEnded || reservation.isApplied) return;
        if (tx.principal.tenantId !== reservation.request.principal.tenantId) return;
        // A transaction has a number of its own from its first write on; one that only read changed nothing.
        const marked = await sql<{ wrote: boolean; marked: boolean }>`
          WITH own AS (SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS wrote),
               mark AS (UPDATE edge.idempotency_key SET state = 'applied'
                        WHERE ${place(reservation)} AND lease = ${reservation.lease} AND (SELECT wrote FROM own) RETURNING 1)
          SELECT wrote, EXISTS (SELECT FROM mark) AS marked FROM own`.execute(tx.query);
        const { wrote, marked: isMarked } = marked.rows[0]!;
        if (!wrote) return;
        if (!isMarked) {
          throw new ProblemError('KEY_IN_USE', 'Another process took over this Idempotency-Key. Ask again soon.');
        }
        reservation.isApplied = true;
      },
    },
  };
}
