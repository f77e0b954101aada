import { lookup as resolveName } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Agent, type Dispatcher, request } from 'undici';

export type PublicFetchOptions = {
  /** Also http and this machine itself. For tests and for a vendor's double; never from a setting of a user. */
  allowLoopback: boolean;
};

export type Fetched = { status: number; body: Buffer; retryAfterSeconds: number | null };
export type PublicFetch = (url: URL, signal: AbortSignal) => Promise<Fetched>;

/** An address that may not be asked. The message says why, for whoever set it. */
export class AddressRefused extends Error {
  override name = 'AddressRefused';
}

const REDIRECTS_MAX = 3;
const BODY_BYTES_MAX = 64 * 1024 ** 2;
const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;

/**
 * Fetches from public addresses only: https, the standard port, no redirect elsewhere, and every address a name resolves
 * to is looked at when the connection is made, so that a name cannot change its mind after it was checked.
 *
 * @throws AddressRefused; the errors of undici; the signal's reason.
 */
export function createPublicFetch({ allowLoopback }: PublicFetchOptions): PublicFetch {
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS, lookup: allowLoopback ? undefined : lookupPublic },
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
  });
  return async (start, signal) => {
    let url = start;
    for (let hop = 0; hop <= REDIRECTS_MAX; hop++) {
      checkPublicUrl(url, allowLoopback);
      const answer = await request(url, { dispatcher: agent, signal, headers: { 'user-agent': 'touchstone' } });
      const location = answer.statusCode >= 300 && answer.statusCode < 400 ? textOf(answer.headers.location) : null;
      if (location === null) return read(answer);
      await answer.body.dump();
      if (!URL.canParse(location, url.href)) throw new AddressRefused('The vendor sent us to an address that is none.');
      url = new URL(location, url);
    }
    throw new AddressRefused(`The vendor sent us on more than ${REDIRECTS_MAX} times.`);
  };
}

/** @throws AddressRefused with the rule that is broken. */
export function checkPublicUrl(url: URL, allowLoopback: boolean): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (allowLoopback && ['localhost', '127.0.0.1', '::1'].includes(host) && url.protocol === 'http:') return;
  if (url.protocol !== 'https:') throw new AddressRefused('An address of a vendor must begin with https://.');
  if (url.username !== '' || url.password !== '')
    throw new AddressRefused('An address of a vendor must hold no user name and no password.');
  if (url.port !== '') throw new AddressRefused('An address of a vendor must use the standard port.');
  const isLocalName = !host.includes('.') && isIP(host) === 0;
  if (
    isLocalName ||
    /\.(localhost|local|internal|home\.arpa)\.?$/i.test(host) ||
    (isIP(host) > 0 && !isPublicAddress(host))
  )
    throw new AddressRefused(`${host} is no public address: vendors are asked on the internet only.`);
}

const NOT_PUBLIC = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  NOT_PUBLIC.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of [
  ['2001::', 32],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  NOT_PUBLIC.addSubnet(net, bits, 'ipv6');
/** Everything else of version 6 is local, mapped, or not given out. */
const GLOBAL_V6 = new BlockList();
GLOBAL_V6.addSubnet('2000::', 3, 'ipv6');

/** True for an address that is reached over the internet and belongs to nobody's inside. */
export function isPublicAddress(address: string): boolean {
  const kind = isIP(address);
  if (kind === 4) return !NOT_PUBLIC.check(address, 'ipv4');
  return kind === 6 && GLOBAL_V6.check(address, 'ipv6') && !NOT_PUBLIC.check(address, 'ipv6');
}

const lookupPublic: LookupFunction = (hostname, options, done) => {
  resolveName(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return done(error, '', 0);
    const inside = addresses.find(({ address }) => !isPublicAddress(address));
    if (inside !== undefined || addresses.length === 0)
      return done(new AddressRefused(`${hostname} leads to no public address.`), '', 0);
    if (options.all) return done(null, addresses);
    done(null, addresses[0]!.address, addresses[0]!.family);
  });
};

async function read(answer: Dispatcher.ResponseData): Promise<Fetched> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > BODY_BYTES_MAX) throw new AddressRefused(`The answer is longer than ${BODY_BYTES_MAX >> 20} MB.`);
    chunks.push(bytes);
  }
  const wait = Number(textOf(answer.headers['retry-after']) ?? Number.NaN);
  return {
    status: answer.statusCode,
    body: Buffer.concat(chunks),
    retryAfterSeconds: Number.isFinite(wait) && wait >= 0 ? wait : null,
  };
}

function textOf(header: string | string[] | undefined): string | null {
  return (Array.isArray(header) ? header[0] : header) ?? null;
}
