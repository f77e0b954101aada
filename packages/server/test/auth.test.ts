import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { resetPassword } from '../src/platform/auth/auth.service.ts';
import { hashPassword, isPasswordRight } from '../src/platform/auth/password-hash.ts';
import { verifyEvidence } from '../src/platform/evidence/evidence.ts';
import { createTestDatabase, type TestDatabase } from './cluster.ts';
import { type Reply, startTestServer, type TestServer } from './test-server.ts';

const OWNER = { email: 'Owner@Example.org', password: 'correct horse battery' };
const MINUTE_MS = 60_000;

let db: TestDatabase;
let server: TestServer;
before(async () => {
  db = await createTestDatabase();
  server = await startTestServer(db);
});
after(async () => {
  await server.close();
  await db.close();
});

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  server.call('POST', path, { body, headers });
const signIn = (asProgram = true, password = OWNER.password) =>
  post('/auth/sign-in', { email: OWNER.email, password, asProgram });

function text(reply: Reply, name: string): string {
  const value = reply.json[name];
  assert.equal(typeof value, 'string', reply.text);
  return String(value);
}

/** The cookies an answer sets, as a browser would send them back. */
function cookiesOf(reply: Reply): { header: string; raw: string[] } {
  const raw = reply.headers.getSetCookie();
  return { header: raw.map((cookie) => cookie.split(';')[0]).join('; '), raw };
}

test('before there is an owner, somebody at this machine is a visitor, may look, and may change nothing', async () => {
  const state = await server.call('GET', '/auth/state');
  assert.equal(state.json.hasOwner, false);
  assert.match(state.text, /"role":"visitor"/);
  assert.equal((await server.call('GET', '/tasks')).status, 200);
  const refused = await server.call('POST', '/tasks/1/cancel');
  assert.equal(refused.status, 403);
  assert.equal(refused.json.code, 'FORBIDDEN');
});

test('nobody is a visitor through a proxy or under a foreign name', async () => {
  assert.equal((await server.call('GET', '/tasks', { headers: { 'x-forwarded-for': '203.0.113.7' } })).status, 401);
  const { request } = await import('node:http');
  const status = await new Promise((resolve, reject) => {
    request(`${server.url}/api/v1/tasks`, { headers: { host: 'rebound.example' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
  assert.equal(status, 401);
});

test('the owner is made once, and then visitors are over', async () => {
  const body = { ...OWNER, displayName: 'The Owner', tenantName: 'Home', asProgram: true };
  const both = await Promise.all([post('/auth/owner', body), post('/auth/owner', { ...body, email: 'b@example.org' })]);
  assert.deepEqual(both.map((reply) => reply.status).sort(), [201, 409]);
  if (both[0]!.status !== 201) {
    // The other one won the race: give the tests the address they know.
    await db.migrator.query('UPDATE person SET email = $1', [OWNER.email.toLowerCase()]);
  }
  assert.equal((await post('/auth/owner', body)).json.code, 'ALREADY_EXISTS');
  assert.equal((await server.call('GET', '/tasks')).status, 401);
});

test('a browser gets the refresh token as a cookie no script can read, never in the body', async () => {
  const reply = await signIn(false);
  assert.equal(reply.status, 200);
  assert.equal(reply.json.refreshToken, null);
  const refresh = cookiesOf(reply).raw.find((cookie) => cookie.startsWith('touchstone_refresh='));
  assert.match(refresh ?? '', /Path=\/api\/v1\/auth;.*HttpOnly.*SameSite=Strict/);
  const csrf = cookiesOf(reply).raw.find((cookie) => cookie.startsWith('touchstone_csrf='));
  assert.ok(csrf !== undefined && !csrf.includes('HttpOnly') && csrf.includes('SameSite=Strict'));
});

test('a cookie alone changes nothing: the CSRF token of the same session must come along', async () => {
  const first = await signIn(false);
  const other = await signIn(false);
  const cookie = cookiesOf(first).header;
  const attempts: Record<string, string>[] = [
    { cookie },
    { cookie, 'x-csrf-token': 'made-up' },
    { cookie, 'x-csrf-token': text(other, 'csrfToken') },
  ];
  for (const headers of attempts) {
    for (const path of ['/auth/refresh', '/auth/sign-out']) {
      const refused = await post(path, {}, headers);
      assert.equal(refused.status, 403);
      assert.equal(refused.json.code, 'CSRF');
    }
  }
  const fine = await post('/auth/refresh', {}, { cookie, 'x-csrf-token': text(first, 'csrfToken') });
  assert.equal(fine.status, 200);
  assert.notEqual(cookiesOf(fine).header, cookie);
});

test('a refresh token that is used twice ends its session for both who hold it', async () => {
  const stolen = text(await signIn(), 'refreshToken');
  const thief = await post('/auth/refresh', { refreshToken: stolen });
  assert.equal(thief.status, 200);
  server.clock.offsetMs += MINUTE_MS;
  const victim = await post('/auth/refresh', { refreshToken: stolen });
  assert.equal(victim.status, 401);
  assert.equal(victim.json.code, 'SESSION_ENDED');
  const thiefAgain = await post('/auth/refresh', { refreshToken: text(thief, 'refreshToken') });
  assert.equal(thiefAgain.json.code, 'SESSION_ENDED');
  const withAccess = await server.call('GET', '/auth/sessions', { token: text(thief, 'accessToken') });
  assert.equal(withAccess.status, 401, 'its access token is refused at once');
});

test('a refresh repeated at once gets the same successor, and only while that is unused', async () => {
  const first = text(await signIn(), 'refreshToken');
  const replies = await Promise.all([1, 2, 3].map(() => post('/auth/refresh', { refreshToken: first })));
  assert.equal(new Set(replies.map((reply) => text(reply, 'refreshToken'))).size, 1);
  const second = text(replies[0]!, 'refreshToken');
  assert.equal((await post('/auth/refresh', { refreshToken: second })).status, 200);
  assert.equal((await post('/auth/refresh', { refreshToken: first })).json.code, 'SESSION_ENDED');
});

test('a session ends 30 days after it began, however often it was refreshed', async () => {
  const before = server.clock.offsetMs;
  let token = text(await signIn(), 'refreshToken');
  for (const day of [10, 20, 29.9]) {
    server.clock.offsetMs = before + day * 24 * 60 * MINUTE_MS;
    token = text(await post('/auth/refresh', { refreshToken: token }), 'refreshToken');
  }
  server.clock.offsetMs = before + 30.1 * 24 * 60 * MINUTE_MS;
  assert.equal((await post('/auth/refresh', { refreshToken: token })).json.code, 'SESSION_ENDED');
  server.clock.offsetMs = before;
});

test('an access token lives 15 minutes, and a changed one not at all', async () => {
  const token = text(await signIn(), 'accessToken');
  assert.equal((await server.call('GET', '/auth/sessions', { token })).status, 200);
  const [head, body, signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(body!, 'base64url').toString());
  const forged = Buffer.from(JSON.stringify({ ...claims, tenant: 0 })).toString('base64url');
  const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
  for (const bad of [`${head}.${forged}.${signature}`, `${none}.${body}.`, `${head}.${body}.`, 'x.y.z', 'nonsense']) {
    assert.equal((await server.call('GET', '/auth/sessions', { token: bad })).status, 401, bad);
  }
  server.clock.offsetMs += 16 * MINUTE_MS;
  assert.equal((await server.call('GET', '/auth/sessions', { token })).status, 401);
});

test('signing keys change every week, and tokens of the last key are good until they end', async () => {
  const before = server.clock.offsetMs;
  const keyOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()).kid;
  // Far ahead of every key the other tests have made.
  server.clock.offsetMs = before + 90 * 24 * 60 * MINUTE_MS;
  await signIn();
  server.clock.offsetMs += 7 * 24 * 60 * MINUTE_MS - 5 * MINUTE_MS;
  const old = text(await signIn(), 'accessToken');
  server.clock.offsetMs += 6 * MINUTE_MS;
  const fresh = text(await signIn(), 'accessToken');
  assert.notEqual(keyOf(old), keyOf(fresh));
  assert.equal((await server.call('GET', '/auth/sessions', { token: old })).status, 200);
  server.clock.offsetMs = before;
  const { rows } = await db.migrator.query('SELECT private_jwk_encrypted FROM signing_key');
  for (const row of rows)
    assert.ok(!row.private_jwk_encrypted.toString('latin1').includes('"d"'), 'private keys are encrypted');
});

test('my sessions are listed, the current one marked, and can be ended', async () => {
  const mine = await signIn();
  const other = await signIn();
  const token = text(mine, 'accessToken');
  const { json } = await server.call('GET', '/auth/sessions', { token });
  const items = Array.isArray(json.items) ? json.items : [];
  assert.equal(items.filter((item) => item.current).length, 1);
  const claims = JSON.parse(Buffer.from(text(other, 'accessToken').split('.')[1]!, 'base64url').toString());
  assert.equal((await server.call('DELETE', `/auth/sessions/${claims.family}`, { token })).status, 204);
  assert.equal((await server.call('DELETE', `/auth/sessions/${claims.family}`, { token })).status, 404);
  assert.equal((await post('/auth/refresh', { refreshToken: text(other, 'refreshToken') })).json.code, 'SESSION_ENDED');
  assert.equal((await server.call('GET', '/auth/sessions', { token: text(other, 'accessToken') })).status, 401);
});

test('signing out ends the session and takes the cookies away', async () => {
  const mine = await signIn(false);
  const headers = { cookie: cookiesOf(mine).header, 'x-csrf-token': text(mine, 'csrfToken') };
  const out = await post('/auth/sign-out', {}, headers);
  assert.equal(out.status, 204);
  assert.ok(cookiesOf(out).raw.every((cookie) => cookie.includes('Expires=Thu, 01 Jan 1970')));
  assert.equal((await post('/auth/refresh', {}, headers)).json.code, 'SESSION_ENDED');
  assert.equal((await post('/auth/sign-out', {})).status, 204, 'without a session there is nothing to end');
});

test('a wrong password and an unknown address are told alike, and take alike', async () => {
  const known = await signIn(true, 'wrong password');
  const unknown = await post('/auth/sign-in', { email: 'nobody@example.org', password: 'wrong password' });
  const told = ({ json }: Reply) => ({ ...json, requestId: '' });
  assert.deepEqual(told(known), told(unknown));
  assert.equal(known.json.code, 'SIGN_IN_FAILED');
  assert.equal(await isPasswordRight('x', null), false);
  assert.equal(await isPasswordRight('pässwörd', await hashPassword('pa\u0308sswo\u0308rd')), true);
});

test('after ten wrong passwords sign-in is closed for 15 minutes, also for strangers and for tries at once', async () => {
  for (const email of [OWNER.email, 'stranger@example.org']) {
    await signIn();
    const tries = await Promise.all(
      Array.from({ length: 13 }, () => post('/auth/sign-in', { email, password: 'wrong password' })),
    );
    const refused = tries.filter((reply) => reply.json.code === 'TOO_MANY_TRIES');
    assert.equal(refused.length, 3, email);
    assert.equal(refused[0]!.status, 429);
    const wait = Number(refused[0]!.headers.get('retry-after'));
    assert.ok(wait > 890 && wait <= 900, `Retry-After ${wait}`);
  }
  assert.equal((await signIn()).json.code, 'TOO_MANY_TRIES', 'also with the right password');
  server.clock.offsetMs += 15 * MINUTE_MS + 1000;
  assert.equal((await signIn()).status, 200);
});

test('a changed password ends all other sessions', async () => {
  const mine = await signIn();
  const other = await signIn();
  const token = text(mine, 'accessToken');
  const change = (currentPassword: string) =>
    server.call('PUT', '/auth/password', { token, body: { currentPassword, newPassword: 'another horse battery' } });
  assert.equal((await change('not my password')).json.code, 'SIGN_IN_FAILED');
  assert.equal((await change(OWNER.password)).status, 204);
  OWNER.password = 'another horse battery';
  assert.equal((await post('/auth/refresh', { refreshToken: text(other, 'refreshToken') })).json.code, 'SESSION_ENDED');
  assert.equal((await post('/auth/refresh', { refreshToken: text(mine, 'refreshToken') })).status, 200);
});

test('a lost password is reset by the operator, which opens a closed sign-in', async () => {
  for (let i = 0; i < 11; i++) await signIn(true, 'wrong password');
  await resetPassword(db.database, 'OWNER@example.org', 'a third horse battery');
  OWNER.password = 'a third horse battery';
  assert.equal((await signIn()).status, 200);
  await assert.rejects(resetPassword(db.database, 'nobody@example.org', 'x'), /Nobody has this/);
});

test('every change is in the evidence, with ids and without names', async () => {
  const { rows } = await db.migrator.query('SELECT tenant_id, kind, body FROM evidence ORDER BY sequence');
  const kinds = new Set(rows.map((row) => row.kind));
  for (const kind of [
    'owner.created',
    'session.started',
    'session.ended',
    'session.reuse_detected',
    'sign_in.locked',
    'password.changed',
  ]) {
    assert.ok(kinds.has(kind), kind);
  }
  for (const { body } of rows) assert.doesNotMatch(body, /example\.org|The Owner|horse/i);
  const verdict = await db.database.transaction({ tenantId: rows[0].tenant_id, actorId: null }, verifyEvidence);
  assert.deepEqual(verdict, { ok: true, records: rows.length });
});

test('secrets are neither in the log nor in the database', async () => {
  const session = await signIn();
  const refreshToken = text(session, 'refreshToken');
  const { rows } = await db.migrator.query(
    'SELECT count(*) AS count FROM refresh_token WHERE position($1::bytea IN token_hash) > 0',
    [Buffer.from(refreshToken)],
  );
  assert.equal(rows[0].count, 0);
  const log = server.lines.join('');
  for (const secret of [refreshToken, text(session, 'accessToken'), OWNER.password]) assert.ok(!log.includes(secret));
});
