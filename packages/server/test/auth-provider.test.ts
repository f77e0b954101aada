import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import Provider from 'oidc-provider';
import { Secret, TOTP } from 'otpauth';
import { createTestDatabase, type TestDatabase } from './cluster.ts';
import { PUBLIC_URL, type Reply, startTestServer, type TestServer } from './test-server.ts';

// A real OpenID provider from a package, on loopback, walked through as a browser would: forms, cookies, redirects.

const RETURN_TO = `${PUBLIC_URL}/sign-in/provider`;
const CLIENT = { client_id: 'touchstone', client_secret: 'a client secret of the tests, long enough' };
const PASSWORD = 'correct horse battery';
const MINUTE_MS = 60_000;
const STEPS_MAX = 12;

let db: TestDatabase;
let server: TestServer;
let provider: { url: string; close(): Promise<void> };
let ownerToken: string;
before(async () => {
  db = await createTestDatabase();
  provider = await startProvider();
  server = await startTestServer(db, {
    oidc: { issuer: provider.url, clientId: CLIENT.client_id, clientSecret: CLIENT.client_secret },
  });
  const reply = await server.call('POST', '/auth/owner', {
    body: { email: 'owner@example.org', password: PASSWORD, displayName: 'Olga', tenantName: 'Home', asProgram: true },
  });
  ownerToken = String(reply.json.accessToken);
});
after(async () => {
  await server.close();
  await provider.close();
  await db.close();
});

/** Whoever types `name` into the provider's form is `name@example.org`; `unsure-…` never verified the address. */
async function startProvider() {
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
    close: () =>
      new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}

/** Cookies of one browser at one site. */
class Jar {
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
async function walkThrough(url: string, login: string): Promise<string> {
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

/** One browser of ours. */
function browser() {
  const jar = new Jar();
  const post = async (path: string, body?: unknown): Promise<Reply> => {
    const reply = await server.call('POST', path, { body, headers: { cookie: jar.header } });
    jar.keep(reply.headers);
    return reply;
  };
  return {
    jar,
    async start(): Promise<string> {
      const reply = await post('/auth/provider/start');
      assert.equal(reply.status, 200, reply.text);
      return String(reply.json.url);
    },
    finish: (query: string) => post('/auth/provider/finish', { query }),
  };
}

async function signInAs(login: string): Promise<Reply> {
  const own = browser();
  return own.finish(await walkThrough(await own.start(), login));
}

async function invite(email: string, role = 'analyst'): Promise<string> {
  const reply = await server.call('POST', '/invitations', { token: ownerToken, body: { email, role } });
  assert.equal(reply.status, 201, reply.text);
  return String(reply.json.link).split('#')[1] ?? '';
}

const codeOf = (reply: Reply) => `${reply.status} ${reply.json.code}`;
const userIdOf = (reply: Reply) => Number(Object(reply.json.signedIn).userId);

test('the start sends the browser away with PKCE, state and nonce, and tells which provider it is', async () => {
  const url = new URL(await browser().start());
  assert.equal(url.searchParams.get('code_challenge_method'), 'S256');
  for (const name of ['state', 'nonce', 'code_challenge'])
    assert.ok((url.searchParams.get(name) ?? '').length > 30, name);
  const state = await server.call('GET', '/auth/state');
  assert.equal(state.json.provider, new URL(provider.url).host);
});

test('somebody invited joins with the verified address, and is the same person the next time', async () => {
  await invite('ada@example.org');
  const first = await signInAs('ada');
  assert.equal(first.status, 200, first.text);
  assert.equal(first.json.refreshToken, null, 'a browser gets it as a cookie');
  const { displayName, role } = Object(first.json.signedIn);
  assert.deepEqual([displayName, role], ['Name of ada', 'analyst']);
  const second = await signInAs('ada');
  assert.equal(userIdOf(second), userIdOf(first));
  const { rows } = await db.migrator.query('SELECT count(*) AS n FROM federated_identity');
  assert.equal(rows[0].n, 1);
});

test('somebody who is here already is linked by the verified address, once', async () => {
  const reply = await signInAs('owner');
  assert.equal(reply.status, 200, reply.text);
  assert.equal(Object(reply.json.signedIn).role, 'owner');
  // The link holds when the address changes here.
  await db.migrator.query(`UPDATE person SET email = 'moved@example.org' WHERE user_id = $1`, [userIdOf(reply)]);
  assert.equal(userIdOf(await signInAs('owner')), userIdOf(reply));
  await db.migrator.query(`UPDATE person SET email = 'owner@example.org' WHERE user_id = $1`, [userIdOf(reply)]);
});

test('a stranger and an address that is not verified get the same refusal, and no account', async () => {
  await invite('doubt@example.org');
  const counts = async () => (await db.migrator.query('SELECT count(*) AS n FROM app_user')).rows[0].n;
  const before = await counts();
  const replies = [await signInAs('stranger'), await signInAs('unsure-doubt'), await signInAs('unsure-owner')];
  for (const reply of replies) {
    assert.equal(codeOf(reply), '401 SIGN_IN_FAILED');
    assert.equal(reply.json.detail, replies[0]!.json.detail);
  }
  assert.equal(await counts(), before);
});

test('an answer with a wrong state, from another browser, used twice, or late, lets nobody in', async () => {
  const own = browser();
  const query = await walkThrough(await own.start(), 'ada');
  const forged = query.replace(/state=[^&]+/, 'state=made-up');
  const cookie = new Map(own.jar.cookies);
  const retry = () => {
    for (const [name, value] of cookie) own.jar.cookies.set(name, value);
  };
  assert.equal(codeOf(await own.finish(forged)), '401 SIGN_IN_FAILED');
  assert.equal(own.jar.cookies.has('touchstone_provider'), false, 'the cookie is good for one try');
  assert.equal(codeOf(await browser().finish(query)), '401 SIGN_IN_FAILED');
  retry();
  assert.equal(codeOf(await own.finish('?error=access_denied&state=x')), '401 SIGN_IN_FAILED');
  retry();
  assert.equal((await own.finish(query)).status, 200);
  retry();
  assert.equal(codeOf(await own.finish(query)), '401 SIGN_IN_FAILED', 'the code was used');

  const late = browser();
  const lateQuery = await walkThrough(await late.start(), 'ada');
  server.clock.offsetMs += 10 * MINUTE_MS + 1;
  assert.equal(codeOf(await late.finish(lateQuery)), '401 SIGN_IN_FAILED');
  server.clock.offsetMs = 0;
});

test('a code that was asked for with another proof key is refused by the provider', async () => {
  const [one, other] = [browser(), browser()];
  const query = await walkThrough(await one.start(), 'ada');
  const otherState = new URL(await other.start()).searchParams.get('state');
  const swapped = query.replace(/state=[^&]+/, `state=${otherState}`);
  assert.equal(codeOf(await other.finish(swapped)), '401 SIGN_IN_FAILED');
});

test('a second factor is asked for after the provider as well', async () => {
  await invite('tess@example.org');
  const token = String((await signInAs('tess')).json.accessToken);
  const enrolled = await server.call('POST', '/auth/second-factor/enrol', { token });
  const totp = new TOTP({ secret: Secret.fromBase32(String(enrolled.json.secret)) });
  const code = totp.generate({ timestamp: Date.now() });
  const confirmed = await server.call('POST', '/auth/second-factor/confirm', { token, body: { code } });
  assert.equal(confirmed.status, 200, confirmed.text);
  const reply = await signInAs('tess');
  assert.equal(codeOf(reply), '401 SECOND_FACTOR_NEEDED');
  const { recoveryCodes } = confirmed.json;
  const answered = await server.call('POST', '/auth/sign-in/second-factor', {
    body: { challenge: reply.json.challenge, code: Array.isArray(recoveryCodes) ? recoveryCodes[0] : '' },
  });
  assert.equal(answered.status, 200, answered.text);
});

test('somebody shut out, or forgotten, does not come back through the provider', async () => {
  await invite('gone@example.org');
  const userId = userIdOf(await signInAs('gone'));
  const act = (verb: string) => server.call('POST', `/people/${userId}/${verb}`, { token: ownerToken });
  assert.equal((await act('deactivate')).status, 200);
  assert.equal(codeOf(await signInAs('gone')), '401 SIGN_IN_FAILED');
  assert.equal((await act('forget')).status, 200);
  assert.equal(codeOf(await signInAs('gone')), '401 SIGN_IN_FAILED');
});

test('without a provider, or with one that is away, there is a sentence and a code, and passwords go on', async () => {
  const none = await startTestServer(db);
  try {
    for (const [at, body] of [
      ['start', undefined],
      ['finish', { query: '?code=x' }],
    ] as const) {
      assert.equal(codeOf(await none.call('POST', `/auth/provider/${at}`, { body })), '409 NOT_POSSIBLE_NOW');
    }
  } finally {
    await none.close();
  }
  const dying = await startProvider();
  const left = await startTestServer(db, {
    oidc: { issuer: dying.url, clientId: CLIENT.client_id, clientSecret: CLIENT.client_secret },
  });
  try {
    const started = await left.call('POST', '/auth/provider/start');
    const query = await walkThrough(String(started.json.url), 'ada');
    await dying.close();
    const jar = new Jar();
    jar.keep(started.headers);
    const finished = await left.call('POST', '/auth/provider/finish', {
      body: { query },
      headers: { cookie: jar.header },
    });
    assert.equal(codeOf(finished), '503 SIGN_IN_PROVIDER_AWAY');
    assert.equal(finished.json.retryable, true);
    const fresh = await startTestServer(db, { oidc: { issuer: dying.url, clientId: 'x', clientSecret: 'y' } });
    try {
      assert.equal(codeOf(await fresh.call('POST', '/auth/provider/start')), '503 SIGN_IN_PROVIDER_AWAY');
    } finally {
      await fresh.close();
    }
    const body = { email: 'owner@example.org', password: PASSWORD };
    assert.equal((await left.call('POST', '/auth/sign-in', { body })).status, 200);
  } finally {
    await left.close();
  }
});

test('a wrong client secret is the operator’s to mend: it is in the log, and nobody is told they were wrong', async () => {
  const secret = 'not the secret of this client at all';
  const wrong = await startTestServer(db, {
    oidc: { issuer: provider.url, clientId: CLIENT.client_id, clientSecret: secret },
  });
  try {
    const started = await wrong.call('POST', '/auth/provider/start');
    const jar = new Jar();
    jar.keep(started.headers);
    const query = await walkThrough(String(started.json.url), 'ada');
    const headers = { cookie: jar.header };
    const finished = await wrong.call('POST', '/auth/provider/finish', { body: { query }, headers });
    assert.equal(codeOf(finished), '503 SIGN_IN_PROVIDER_AWAY');
    const log = wrong.lines.join('');
    assert.match(log, /SIGN_IN_PROVIDER_AWAY/);
    assert.match(log, /must check OIDC_CLIENT_ID and OIDC_CLIENT_SECRET/);
    assert.ok(!log.includes(secret) && !log.includes(new URLSearchParams(query).get('code') ?? 'none'));
  } finally {
    await wrong.close();
  }
});

test('neither codes nor the client secret are in the log or the evidence', async () => {
  const own = browser();
  const query = await walkThrough(await own.start(), 'ada');
  assert.equal((await own.finish(query)).status, 200);
  // What the browser does on its way back: it asks for the page, with the code in the query.
  await fetch(`${server.url}/sign-in/provider${query}`);
  const code = new URLSearchParams(query).get('code') ?? '';
  assert.ok(code.length > 20);
  const log = server.lines.join('');
  const { rows } = await db.migrator.query('SELECT body FROM evidence');
  const evidence = rows.map((row) => row.body).join('\n');
  for (const secret of [code, CLIENT.client_secret, String(own.jar.cookies.get('touchstone_refresh'))]) {
    assert.ok(!log.includes(secret), 'in the log');
    assert.ok(!evidence.includes(secret), 'in the evidence');
  }
  assert.doesNotMatch(evidence, /example\.org|Name of/);
});
