import { isIPv6 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type LimitName, type Limits, LimitsAwayError, type Verdict } from '../limits/limits.ts';
import { ProblemError } from '../problem-error.ts';
import { isDatabaseAway } from './problem-document.ts';
import type { Caller } from './serve.ts';

/**
 * Counts a request of somebody without a name, by address.
 *
 * @throws ProblemError TOO_MANY_REQUESTS; for `auth` also LIMITS_AWAY or DATABASE_AWAY when nobody can count.
 */
export async function countStranger(
  limits: Limits,
  name: 'auth' | 'address',
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  try {
    check(name, await limits.count(name, addressGroup(request.ip)), reply);
  } catch (error) {
    if (!(error instanceof LimitsAwayError)) throw error;
    if (isDatabaseAway(error.cause)) throw error.cause;
    reply.header('retry-after', '2');
    throw new ProblemError(
      'LIMITS_AWAY',
      'Tries cannot be counted at the moment, so nobody is let in. Try again soon.',
      {
        cause: error,
      },
    );
  }
}

/** Counts a request of a user or API key, and of the whole tenant. */
export async function countCaller(limits: Limits, caller: Caller, reply: FastifyReply): Promise<void> {
  const verdict = await limits.count('account', accountOf(caller));
  check('account', verdict, reply);
  const whole = await limits.count('tenant', String(caller.tenantId));
  if (!whole.allowed) check('tenant', whole, reply);
}

/** The name under which a caller is counted. */
export function accountOf(caller: Caller): string {
  return caller.keyId === null ? `${caller.tenantId}.${caller.actorId}` : `${caller.tenantId}.key.${caller.keyId}`;
}

function check(name: LimitName, verdict: Verdict, reply: FastifyReply): void {
  const { rate, remaining, retryAfterMs, allowed } = verdict;
  if (rate.burst === 0) return;
  const seconds = Math.ceil(retryAfterMs / 1000);
  reply.headers({
    'ratelimit-limit': String(rate.requestsPerMinute),
    'ratelimit-remaining': String(remaining),
    // Until the bucket is full again when nothing more is asked.
    'ratelimit-reset': String(Math.ceil(((rate.burst - remaining) / rate.requestsPerMinute) * 60)),
  });
  if (allowed) return;
  reply.header('retry-after', String(Math.max(1, seconds)));
  throw new ProblemError('TOO_MANY_REQUESTS', `${SENTENCES[name]} Try again in ${Math.max(1, seconds)} s.`);
}

const SENTENCES: Record<LimitName, string> = {
  auth: 'Too many tries to get in from your address.',
  address: 'Too many requests from your address.',
  account: 'You sent more requests than one account may.',
  tenant: 'Together you sent more requests than one tenant may.',
};

/** An IPv4 address, or the network of an IPv6 one: whoever has one address of it has all 2^64. */
export function addressGroup(ip: string): string {
  const address = ip.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = 8 - groups.length - (tail === undefined || tail === '' ? 0 : tail.split(':').length);
  const all =
    tail === undefined ? groups : [...groups, ...Array.from({ length: missing }, () => '0'), ...tail.split(':')];
  return `${all.slice(0, 4).join(':').toLowerCase()}::/64`;
}
