import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Secret, TOTP } from 'otpauth';
import { createTestDatabase, type TestDatabase } from './cluster.ts';
import { CLIENT, Jar, type SignInProvider, startProvider, walkThrough } from './sign-in-provider.ts';
import { type Reply, startTestServer, type TestServer } from './test-server.ts';

// A real OpenID provider from a package, on loopback, walked through as a browser would: forms, cookies, redirects.

const PASSWORD = 'correct horse battery';
const MINUTE_MS = 60_000;

let db: TestDatabase;
let server: TestServer;
let provider: SignInProvider;
let ownerToken: string;
before(async () => {
  db = await createTestDatabase();
  provider = await startProvider();
  server = await startTestServer(db, {
    oidc: provider.settings,
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
    oidc: dying.settings,
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
    oidc: { ...provider.settings, clientSecret: secret },
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
