import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import { PUBLIC_URL } from './test-server.ts';

// A real OpenID provider from a package, on loopback, walked through as a browser would: forms, cookies, redirects.

const RETURN_TO = `${PUBLIC_URL}/sign-in/provider`;
export const CLIENT = { client_id: 'touchstone', client_secret: 'a client secret of the tests, long enough' };
const STEPS_MAX = 12;

export type SignInProvider = {
  url: string;
  /** How a server reaches it. */
  settings: { issuer: string; clientId: string; clientSecret: string };
  close(): Promise<void>;
};

/** Whoever types `name` into the provider's form is `name@example.org`; `unsure-…` never verified the address. */
export async function startProvider(): Promise<SignInProvider> {
  const http: Server = createServer();
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const issuer = new Provider(url, {
    clients: [{ ...CLIENT, redirect_uris: [RETURN_TO] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    cookies: { keys: ['a cookie key of the tests'] },
    pkce: { required: () => true },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({
        ...{ sub, email: `${sub.replace('unsure-', '')}@example.org`, name: `Name of ${sub}` },
        email_verified: !sub.startsWith('unsure-'),
      }),
    }),
  });
  http.on('request', issuer.callback());
  return {
    url,
    settings: { issuer: url, clientId: CLIENT.client_id, clientSecret: CLIENT.client_secret },
    close: () =>
      new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}

/** Cookies of one browser at one site. */
export class Jar {
  readonly cookies = new Map<string, string>();
  keep(headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const [name = '', value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }
  get header(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}

/** Signs in at the provider and agrees to everything, until it sends the browser back to us. @returns our query. */
export async function walkThrough(url: string, login: string): Promise<string> {
  const jar = new Jar();
  let at = url;
  let form: URLSearchParams | null = null;
  for (let step = 0; step < STEPS_MAX; step++) {
    const response: Response = await fetch(at, {
      method: form === null ? 'GET' : 'POST',
      headers: { cookie: jar.header },
      body: form,
      redirect: 'manual',
    });
    jar.keep(response.headers);
    const next = response.headers.get('location');
    if (next !== null) {
      if (next.startsWith(RETURN_TO)) return new URL(next).search;
      [at, form] = [new URL(next, at).href, null];
      continue;
    }
    const page = await response.text();
    const action = /action="([^"]+)"/.exec(page)?.[1];
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
    assert.ok(action !== undefined && prompt !== undefined, `${response.status} ${page.slice(0, 500)}`);
    [at, form] = [new URL(action, at).href, new URLSearchParams({ prompt, login, password: 'any' })];
  }
  throw new Error('the provider goes round in circles');
}
