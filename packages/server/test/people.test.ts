import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { invitation } from '@touchstone/contracts/people';
import type { Role } from '@touchstone/contracts/policy';
import { Secret, TOTP } from 'otpauth';
import { createAuth } from '../src/platform/auth/auth.routes.ts';
import { resetPassword } from '../src/platform/auth/auth.service.ts';
import { verifyEvidence } from '../src/platform/evidence/evidence.ts';
import { createTestDatabase, type TestDatabase } from './cluster.ts';
import { PUBLIC_URL, type Reply, SECRET, startTestServer, type TestServer } from './test-server.ts';

const PASSWORD = 'correct horse battery';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Somebody who signed in. */
type Someone = { token: string; userId: number; email: string; refreshToken: string };

let db: TestDatabase;
let server: TestServer;
let owner: Someone;
let tenantId: number;
/** Every secret that was given out; none may be found in logs, evidence or answers to others. */
const secrets: string[] = [];
let guestCount = 0;

before(async () => {
  db = await createTestDatabase();
  server = await startTestServer(db);
  const reply = await server.call('POST', '/auth/owner', {
    body: { email: 'owner@example.org', password: PASSWORD, displayName: 'Olga', tenantName: 'Home', asProgram: true },
  });
  owner = someoneOf(reply, 'owner@example.org');
  tenantId = Number(Object(reply.json.signedIn).tenantId);
});
after(async () => {
  await server.close();
  await db.close();
});

function someoneOf(reply: Reply, email: string): Someone {
  assert.ok(reply.status < 300, reply.text);
  const [token, refreshToken] = [String(reply.json.accessToken), String(reply.json.refreshToken)];
  secrets.push(token, refreshToken);
  return { token, refreshToken, email, userId: Number(Object(reply.json.signedIn).userId) };
}

const ask = (who: { token: string }, method: string, at: string, body?: unknown) =>
  server.call(method, at, body === undefined ? { token: who.token } : { token: who.token, body });
const knock = (at: string, body: unknown, headers: Record<string, string> = {}) =>
  server.call('POST', at, { body, headers });
const signIn = (email: string, password = PASSWORD) => knock('/auth/sign-in', { email, password, asProgram: true });

async function must(who: { token: string }, method: string, at: string, body?: unknown) {
  const reply = await ask(who, method, at, body);
  assert.ok(reply.status < 300, `${method} ${at}: ${reply.status} ${reply.text}`);
  return reply.json;
}

/** Access tokens live 15 minutes; tests move the clock by days. */
async function again(who: Someone): Promise<void> {
  Object.assign(who, someoneOf(await signIn(who.email), who.email));
}

function tokenIn(answer: Record<string, unknown>, path: string): string {
  const link = String(answer.link);
  assert.ok(link.startsWith(`${PUBLIC_URL}${path}#`), link);
  const token = link.split('#')[1] ?? '';
  secrets.push(token);
  return token;
}

async function invite(role: Role, email = `guest${++guestCount}@example.org`) {
  const answer = await must(owner, 'POST', '/invitations', { email, role });
  return { email, token: tokenIn(answer, '/invitation'), id: invitation.parse(answer.invitation).id };
}

const accept = (token: string, displayName = 'Guest') =>
  knock('/invitations/accept', { token, displayName, password: PASSWORD, asProgram: true });

async function join(role: Role, displayName = 'Guest'): Promise<Someone> {
  const { email, token } = await invite(role);
  return someoneOf(await accept(token, displayName), email);
}

const codeOf = (reply: Reply) => `${reply.status} ${reply.json.code}`;
const familyOf = (who: Someone) => JSON.parse(Buffer.from(who.token.split('.')[1]!, 'base64url').toString()).family;

// ---- invitations ----------------------------------------------------------------------------------------------------

test('an invitation is a link with a token that works once and is kept as a hash', async () => {
  const { email, token, id } = await invite('analyst', 'Ada@Example.org');
  const { rows } = await db.migrator.query('SELECT token_hash, email FROM invitation WHERE id = $1', [id]);
  assert.deepEqual(rows[0].token_hash, createHash('sha256').update(token).digest());
  const read = await knock('/invitations/read', { token });
  assert.deepEqual(
    { ...read.json, expiresAt: '' },
    { email: email.toLowerCase(), role: 'analyst', tenantName: 'Home', expiresAt: '' },
  );
  const joined = await accept(token, 'Ada');
  assert.equal(joined.status, 201);
  assert.equal(Object(joined.json.signedIn).role, 'analyst');
  assert.equal(codeOf(await accept(token)), '410 LINK_ENDED');
  assert.equal(codeOf(await knock('/invitations/read', { token })), '410 LINK_ENDED');
  const after = await db.migrator.query('SELECT email FROM invitation WHERE id = $1', [id]);
  assert.equal(after.rows[0].email, null, 'the address is not kept in two places');
  assert.equal((await signIn('ADA@example.org')).status, 200);
});

test('of two who accept one invitation at once, one joins', async () => {
  const { token } = await invite('viewer');
  const replies = await Promise.all([accept(token), accept(token), accept(token)]);
  assert.deepEqual(replies.map((reply) => reply.status).sort(), [201, 410, 410]);
});

test('a revoked, replaced or expired invitation is told in the same words as one that never was', async () => {
  const revoked = await invite('viewer');
  await must(owner, 'DELETE', `/invitations/${revoked.id}`);
  assert.equal((await ask(owner, 'DELETE', `/invitations/${revoked.id}`)).status, 404);
  const replaced = await invite('viewer', 'twice@example.org');
  const fresh = await invite('viewer', 'twice@example.org');
  const late = await invite('viewer');
  const told = (reply: Reply) => ({ ...reply.json, requestId: '' });
  const answers = [await accept(revoked.token), await accept(replaced.token), await accept(`inv_${'a'.repeat(43)}`)];
  assert.equal((await accept(fresh.token)).status, 201);
  server.clock.offsetMs += 8 * DAY_MS;
  answers.push(await accept(late.token));
  await again(owner);
  for (const answer of answers) assert.deepEqual(told(answer), told(answers[0]!));
  assert.equal(codeOf(answers[0]!), '410 LINK_ENDED');
  const { items } = await must(owner, 'GET', '/invitations');
  const states = new Set((Array.isArray(items) ? items : []).map((item) => invitation.parse(item).state));
  assert.deepEqual([...states].sort(), ['accepted', 'expired', 'revoked']);
});

test('somebody who is here cannot be invited again; whether they are elsewhere is not told', async () => {
  assert.equal(
    codeOf(await ask(owner, 'POST', '/invitations', { email: 'ada@example.org', role: 'owner' })),
    '409 ALREADY_EXISTS',
  );
  const stranger = await server.tokenFor('owner', 901);
  const elsewhere = await ask({ token: stranger }, 'POST', '/invitations', {
    email: 'ada@example.org',
    role: 'viewer',
  });
  assert.equal(elsewhere.status, 201);
  assert.equal(codeOf(await accept(tokenIn(elsewhere.json, '/invitation'))), '409 ALREADY_EXISTS');
});

// ---- roles, shutting out, forgetting ------------------------------------------------------------------------------------

test('another role holds at once, also for a token that was issued before', async () => {
  const person = await join('manager');
  assert.equal((await ask(person, 'GET', '/people')).status, 200);
  const changed = await must(owner, 'PUT', `/people/${person.userId}/role`, { from: 'manager', role: 'viewer' });
  assert.equal(changed.role, 'viewer');
  assert.equal((await ask(person, 'GET', '/people')).status, 403);
  assert.equal((await ask(person, 'GET', '/tasks')).status, 200);
  const stale = await ask(owner, 'PUT', `/people/${person.userId}/role`, { from: 'manager', role: 'analyst' });
  assert.equal(codeOf(stale), '409 CONFLICT');
});

test('what another process changed is known within five seconds', async () => {
  const person = await join('manager');
  assert.equal((await ask(person, 'GET', '/people')).status, 200);
  await db.migrator.query(`UPDATE app_user SET role = 'viewer' WHERE id = $1`, [person.userId]);
  server.clock.offsetMs += 5_001;
  assert.equal((await ask(person, 'GET', '/people')).status, 403);
  await db.migrator.query('UPDATE app_user SET deactivated_at = now() WHERE id = $1', [person.userId]);
  server.clock.offsetMs += 5_001;
  assert.equal(codeOf(await ask(person, 'GET', '/tasks')), '401 NOT_SIGNED_IN');
  const ended = await join('viewer');
  assert.equal((await ask(ended, 'GET', '/tasks')).status, 200);
  await db.migrator.query('UPDATE refresh_token SET revoked_at = now() WHERE family = $1', [familyOf(ended)]);
  server.clock.offsetMs += 5_001;
  assert.equal(codeOf(await ask(ended, 'GET', '/tasks')), '401 NOT_SIGNED_IN');
});

test('somebody who is shut out loses sessions, keys and sign-in at once, and gets back in when let', async () => {
  const person = await join('analyst');
  const { key } = await must(person, 'POST', '/keys', { name: 'theirs', scopes: ['task:read'] });
  const machine = { token: String(key) };
  secrets.push(machine.token);
  assert.equal((await ask(machine, 'GET', '/tasks')).status, 200);
  assert.equal((await must(owner, 'POST', `/people/${person.userId}/deactivate`)).state, 'deactivated');
  for (const who of [person, machine]) assert.equal(codeOf(await ask(who, 'GET', '/tasks')), '401 NOT_SIGNED_IN');
  const refresh = await knock('/auth/refresh', { refreshToken: person.refreshToken });
  assert.equal(codeOf(refresh), '401 SESSION_ENDED');
  const told = ({ json }: Reply) => ({ ...json, requestId: '' });
  assert.deepEqual(told(await signIn(person.email)), told(await signIn('nobody@example.org')));
  assert.equal(codeOf(await ask(owner, 'POST', `/people/${person.userId}/reset-link`)), '409 NOT_POSSIBLE_NOW');
  await must(owner, 'POST', `/people/${person.userId}/reactivate`);
  assert.equal((await signIn(person.email)).status, 200);
  assert.equal((await ask(machine, 'GET', '/tasks')).status, 200);
});

test('an open stream ends with the right to it', async () => {
  const person = await join('viewer');
  const stream = await fetch(`${server.url}/api/v1/tasks/events`, {
    headers: { authorization: `Bearer ${person.token}` },
  });
  assert.equal(stream.status, 200);
  await must(owner, 'POST', `/people/${person.userId}/deactivate`);
  // Reads until the server ends it; the test's own time limit is the bound.
  for await (const _chunk of stream.body!);
});

test('the last owner cannot leave, and two owners cannot leave at once', async () => {
  const leave = [
    ['PUT', 'role', { from: 'owner', role: 'viewer' }],
    ['POST', 'deactivate', undefined],
    ['POST', 'forget', undefined],
  ] as const;
  for (const [method, act, body] of leave) {
    const reply = await ask(owner, method, `/people/${owner.userId}/${act}`, body);
    assert.equal(codeOf(reply), '409 NOT_POSSIBLE_NOW', act);
  }
  const second = await join('owner');
  const both = await Promise.all([
    ask(owner, 'POST', `/people/${second.userId}/deactivate`),
    ask(second, 'PUT', `/people/${owner.userId}/role`, { from: 'owner', role: 'viewer' }),
  ]);
  const { rows } = await db.migrator.query(
    `SELECT id FROM app_user WHERE tenant_id = $1 AND role = 'owner' AND deactivated_at IS NULL`,
    [tenantId],
  );
  assert.equal(rows.length, 1, both.map((reply) => reply.text).join(' '));
  // Whoever won: the first owner goes on, for the tests below.
  await db.migrator.query(`UPDATE app_user SET role = 'owner', deactivated_at = NULL WHERE id = $1`, [owner.userId]);
  await db.migrator.query('UPDATE app_user SET deactivated_at = now() WHERE id = $1', [second.userId]);
  server.clock.offsetMs += 5_001;
  await again(owner);
});

test('links that an owner handed out end with their right to', async () => {
  const second = await join('owner');
  const asked = await must(second, 'POST', '/invitations', { email: 'friend@example.org', role: 'owner' });
  const friend = tokenIn(asked, '/invitation');
  const reset = tokenIn(await must(second, 'POST', `/people/${owner.userId}/reset-link`), '/reset-password');
  await must(owner, 'PUT', `/people/${second.userId}/role`, { from: 'owner', role: 'viewer' });
  assert.equal(codeOf(await accept(friend)), '410 LINK_ENDED');
  const used = await knock('/auth/password/reset', { token: reset, newPassword: PASSWORD });
  assert.equal(codeOf(used), '410 LINK_ENDED');
});

test('a forgotten person leaves a number: no name, no address, no credential, and the chain stays valid', async () => {
  const person = await join('analyst', 'Zebulon Quaintrelle');
  await must(person, 'POST', '/keys', { name: 'Zebulon’s', scopes: ['task:read'] });
  await must(person, 'POST', '/auth/second-factor/enrol');
  const told = await must(owner, 'POST', `/people/${person.userId}/forget`);
  assert.equal(told.state, 'forgotten');
  assert.deepEqual([told.displayName, told.email], [null, null]);
  assert.equal(codeOf(await signIn(person.email)), '401 SIGN_IN_FAILED');
  assert.equal(codeOf(await ask(person, 'GET', '/tasks')), '401 NOT_SIGNED_IN');
  assert.equal(codeOf(await ask(owner, 'POST', `/people/${person.userId}/forget`)), '409 NOT_POSSIBLE_NOW');
  assert.equal(codeOf(await ask(owner, 'POST', `/people/${person.userId}/reactivate`)), '409 NOT_POSSIBLE_NOW');
  const { rows: tables } = await db.migrator.query(
    `SELECT table_name AS name FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name = 'tenant_id'`,
  );
  for (const { name } of tables) {
    const { rows } = await db.migrator.query(`SELECT count(*) AS n FROM ${name} r WHERE r::text ~* $1`, [
      `quaintrelle|zebulon|${person.email}`,
    ]);
    assert.equal(rows[0].n, 0, `${name} still tells who it was`);
  }
  const verdict = await db.database.transaction({ tenantId, actorId: null }, verifyEvidence);
  assert.equal(verdict.ok, true);
  const audit = await must(owner, 'GET', `/audit?actorId=${person.userId}`);
  assert.match(JSON.stringify(audit.items), new RegExp(`"userId":${person.userId},"displayName":null`));
});

test('an owner sees and ends sessions of others, and takes a lost second factor away', async () => {
  const person = await join('viewer');
  const { items } = await must(owner, 'GET', `/people/${person.userId}/sessions`);
  assert.equal(Array.isArray(items) && items.length, 1);
  await must(owner, 'DELETE', `/people/${person.userId}/sessions/${familyOf(person)}`);
  assert.equal(codeOf(await ask(person, 'GET', '/tasks')), '401 NOT_SIGNED_IN');
  const gone = await ask(owner, 'DELETE', `/people/${person.userId}/sessions/${familyOf(person)}`);
  assert.equal(gone.status, 404);
  assert.equal((await ask(owner, 'DELETE', `/people/${person.userId}/second-factor`)).status, 404);
});

// ---- passwords without mail ---------------------------------------------------------------------------------------------

test('a reset link sets a new password once, ends every session, and runs out after a day', async () => {
  const person = await join('viewer');
  const first = tokenIn(await must(owner, 'POST', `/people/${person.userId}/reset-link`), '/reset-password');
  const second = tokenIn(await must(owner, 'POST', `/people/${person.userId}/reset-link`), '/reset-password');
  const reset = (token: string, newPassword = 'a brand new battery') =>
    knock('/auth/password/reset', { token, newPassword });
  assert.equal(codeOf(await reset(first)), '410 LINK_ENDED', 'the newer link replaced it');
  assert.equal((await reset(second)).status, 204);
  assert.equal(codeOf(await reset(second)), '410 LINK_ENDED');
  assert.equal(codeOf(await ask(person, 'GET', '/tasks')), '401 NOT_SIGNED_IN');
  assert.equal(codeOf(await signIn(person.email)), '401 SIGN_IN_FAILED');
  assert.equal((await signIn(person.email, 'a brand new battery')).status, 200);
  const late = tokenIn(await must(owner, 'POST', `/people/${person.userId}/reset-link`), '/reset-password');
  server.clock.offsetMs += DAY_MS + 1;
  assert.equal(codeOf(await reset(late)), '410 LINK_ENDED');
  await again(owner);
});

// ---- tenants --------------------------------------------------------------------------------------------------------------

test('the operator makes tenants and counts them; an owner of another tenant may do neither', async () => {
  const made = await must(owner, 'POST', '/tenants', { name: 'Second house', ownerEmail: 'second@example.org' });
  const joined = someoneOf(await accept(tokenIn(made, '/invitation'), 'Second'), 'second@example.org');
  const { id } = Object(made.tenant);
  const state = await must(joined, 'GET', '/auth/state');
  assert.deepEqual([Object(state.signedIn).tenantId, Object(state.signedIn).role], [id, 'owner']);
  const idempotent = await server.call('POST', '/tenants', {
    ...{ token: owner.token, headers: { 'idempotency-key': 'one-tenant-once' } },
    body: { name: 'With a key', ownerEmail: 'key@example.org' },
  });
  assert.equal(idempotent.status, 201, idempotent.text);
  const { items } = await must(owner, 'GET', '/tenants');
  const row = (Array.isArray(items) ? items : []).find((item) => item.id === id);
  assert.deepEqual(Object.keys(row).sort(), ['createdAt', 'id', 'name', 'peopleCount']);
  assert.equal(row.peopleCount, 1);
  assert.equal(codeOf(await ask(joined, 'GET', '/tenants')), '403 FORBIDDEN');
  const more = await ask(joined, 'POST', '/tenants', { name: 'Third', ownerEmail: 'third@example.org' });
  assert.equal(codeOf(more), '403 FORBIDDEN');
  // The database itself refuses as well.
  const refused = db.database.transaction({ tenantId: id, actorId: joined.userId }, ({ client }) =>
    client.query(`SELECT touchstone_create_tenant('Third')`),
  );
  await assert.rejects(refused, /only the operator/);
  const people = await must(joined, 'GET', '/people');
  assert.equal(Array.isArray(people.items) && people.items.length, 1, 'each sees their own');
});

test('the operator stays the operator when a later tenant has a lower number', async () => {
  const other = await createTestDatabase();
  try {
    await other.migrator.query(`INSERT INTO tenant (id, name) VALUES (7, 'made first')`);
    await other.migrator.query(`INSERT INTO tenant (id, name) VALUES (3, 'made later')`);
    const { rows } = await other.migrator.query('SELECT touchstone_operator_tenant() AS id');
    assert.equal(rows[0].id, 7);
  } finally {
    await other.close();
  }
});

// ---- API keys -------------------------------------------------------------------------------------------------------------

/** A key as its maker gets it. */
async function makeKey(who: { token: string }, scopes: string[], more: object = {}) {
  const { key, apiKey } = await must(who, 'POST', '/keys', { name: 'Notebook', scopes, ...more });
  secrets.push(String(key));
  return { token: String(key), id: Number(Object(apiKey).id), prefix: String(Object(apiKey).prefix) };
}

test('a key is shown once, kept as a hash, and may do what it was given and no more', async () => {
  const key = await makeKey(owner, ['task:read']);
  assert.match(key.token, /^tsk_[a-z2-7]{8}_[\w-]{43}$/);
  assert.ok(key.token.startsWith(key.prefix));
  const { rows } = await db.migrator.query('SELECT * FROM api_key WHERE id = $1', [key.id]);
  assert.ok(!JSON.stringify(rows).includes(key.token.slice(13)));
  assert.equal((await ask(key, 'GET', '/tasks')).status, 200);
  const refused = await ask(key, 'GET', '/people');
  assert.equal(codeOf(refused), '403 FORBIDDEN');
  assert.match(String(refused.json.detail), /this API key does not have/);
  const state = await must(key, 'GET', '/auth/state');
  assert.deepEqual(Object(state.signedIn).scopes, ['task:read']);
  const { items } = await must(owner, 'GET', '/keys?limit=1');
  assert.ok(!JSON.stringify(items).includes(key.token));
  assert.match(JSON.stringify(items), /"lastUsedAt":"20/);
});

test('a key cannot be given what its maker lacks, nor anything over people and accounts', async () => {
  const viewer = await join('viewer');
  for (const [who, scope] of [
    [viewer, 'market:write'],
    [owner, 'people:write'],
    [owner, 'account:self'],
    [owner, 'tenant:write'],
  ] as const) {
    const reply = await ask(who, 'POST', '/keys', { name: 'too much', scopes: [scope] });
    assert.equal(codeOf(reply), '403 FORBIDDEN', scope);
  }
  const key = await makeKey(viewer, ['task:read']);
  assert.equal(codeOf(await ask(key, 'POST', '/keys', { name: 'child', scopes: ['task:read'] })), '403 FORBIDDEN');
  assert.equal(
    (await ask(owner, 'POST', '/keys', { name: 'x', scopes: ['task:read'], expiresInDays: 366 })).status,
    400,
  );
});

test('a key shrinks with its user’s role, at once', async () => {
  const person = await join('manager');
  const key = await makeKey(person, ['task:read', 'evidence:read']);
  assert.equal((await ask(key, 'GET', '/audit')).status, 200);
  await must(owner, 'PUT', `/people/${person.userId}/role`, { from: 'manager', role: 'viewer' });
  assert.equal((await ask(key, 'GET', '/audit')).status, 403);
  assert.equal((await ask(key, 'GET', '/tasks')).status, 200);
});

test('a rotated key works for the overlap beside its successor, and then no more', async () => {
  const key = await makeKey(owner, ['task:read'], { expiresInDays: 30 });
  const rotated = await must(owner, 'POST', `/keys/${key.id}/rotate`, { overlapHours: 2 });
  const next = { token: String(rotated.key) };
  secrets.push(next.token);
  for (const each of [key, next]) assert.equal((await ask(each, 'GET', '/tasks')).status, 200);
  assert.equal(codeOf(await ask(owner, 'POST', `/keys/${key.id}/rotate`, {})), '409 NOT_POSSIBLE_NOW');
  server.clock.offsetMs += 2 * HOUR_MS + 1;
  assert.equal(codeOf(await ask(key, 'GET', '/tasks')), '401 NOT_SIGNED_IN');
  assert.equal((await ask(next, 'GET', '/tasks')).status, 200);
  server.clock.offsetMs += 30 * DAY_MS;
  assert.equal(codeOf(await ask(next, 'GET', '/tasks')), '401 NOT_SIGNED_IN', 'as long-lived as the old one was');
  await again(owner);
});

test('a revoked key stops at once; others’ keys are the owner’s business alone', async () => {
  const viewer = await join('viewer');
  const key = await makeKey(viewer, ['task:read']);
  const other = await join('viewer');
  for (const [method, at] of [
    ['DELETE', `/keys/${key.id}`],
    ['POST', `/keys/${key.id}/rotate`],
  ] as const) {
    assert.equal((await ask(other, method, at, method === 'POST' ? {} : undefined)).status, 404);
  }
  assert.deepEqual((await must(other, 'GET', '/keys')).items, []);
  const posing = await ask(owner, 'POST', `/keys/${key.id}/rotate`, {});
  assert.equal(posing.status, 404, 'an owner gets no key that speaks for another person');
  assert.equal((await ask(key, 'GET', '/tasks')).status, 200);
  await must(owner, 'DELETE', `/keys/${key.id}`);
  assert.equal(codeOf(await ask(key, 'GET', '/tasks')), '401 NOT_SIGNED_IN');
});

test('a service has keys and no password; only owners make them', async () => {
  const service = await must(owner, 'POST', '/people/services', { name: 'Nightly loader' });
  const serviceId = Number(service.userId);
  const key = await makeKey(owner, ['market:write', 'market:read'], { serviceId });
  const state = await must(key, 'GET', '/auth/state');
  assert.deepEqual([Object(state.signedIn).role, Object(state.signedIn).displayName], ['service', 'Nightly loader']);
  const tooMuch = await ask(owner, 'POST', '/keys', { name: 'x', scopes: ['evidence:read'], serviceId });
  assert.equal(codeOf(tooMuch), '403 FORBIDDEN');
  assert.equal((await ask(owner, 'POST', `/keys/${key.id}/rotate`, {})).status, 201);
  const manager = await join('manager');
  const asked = await ask(manager, 'POST', '/keys', { name: 'x', scopes: ['market:read'], serviceId });
  assert.equal(asked.status, 404);
  const role = await ask(owner, 'PUT', `/people/${serviceId}/role`, { from: 'viewer', role: 'owner' });
  assert.equal(codeOf(role), '409 NOT_POSSIBLE_NOW');
  assert.equal(codeOf(await ask(owner, 'POST', `/people/${serviceId}/reset-link`)), '409 NOT_POSSIBLE_NOW');
});

test('guessing keys and links closes the door for the address, and not for keys already known', async () => {
  const key = await makeKey(owner, ['task:read']);
  const guess = () => ({
    token: `tsk_aaaaaaaa_${createHash('sha256').update(String(Math.random())).digest('base64url')}`,
  });
  const wrong = guess();
  for (let i = 0; i < 30; i++)
    assert.equal((await ask(wrong, 'GET', '/tasks')).status, 401, 'the same one is one guess');
  assert.equal((await ask(key, 'GET', '/tasks')).status, 200);
  const statuses: string[] = [];
  for (let i = 0; i < 10; i++) statuses.push(codeOf(await ask(guess(), 'GET', '/tasks')));
  for (let i = 0; i < 10; i++) statuses.push(codeOf(await accept(`inv_${'b'.repeat(42)}${i}`)));
  assert.ok(statuses.includes('401 NOT_SIGNED_IN') && statuses.includes('410 LINK_ENDED'), statuses.join());
  const refused = await ask(guess(), 'GET', '/tasks');
  assert.equal(codeOf(refused), '429 TOO_MANY_TRIES');
  assert.ok(Number(refused.headers.get('retry-after')) > 800);
  const reset = await knock('/auth/password/reset', { token: `rst_${'c'.repeat(43)}`, newPassword: PASSWORD });
  assert.equal(codeOf(reset), '429 TOO_MANY_TRIES');
  assert.equal((await ask(owner, 'GET', '/tasks')).status, 200, 'a session is no guess');
  const { rows } = await db.migrator.query('SELECT * FROM guess_lock');
  assert.ok(!JSON.stringify(rows).includes('127.0.0.1'));
  server.clock.offsetMs += 16 * MINUTE_MS;
  assert.equal((await ask(guess(), 'GET', '/tasks')).status, 401);
  await again(owner);
});

// ---- second factor ----------------------------------------------------------------------------------------------------------

/** Somebody with an authenticator, as an app on a phone would be. */
async function enrolled() {
  const person = await join('viewer');
  const { secret, uri, qrSvg } = await must(person, 'POST', '/auth/second-factor/enrol');
  assert.match(String(uri), /^otpauth:\/\/totp\/Touchstone:/);
  assert.match(String(qrSvg), /^<svg/);
  const totp = new TOTP({ secret: Secret.fromBase32(String(secret)) });
  const code = () => totp.generate({ timestamp: Date.now() + server.clock.offsetMs });
  secrets.push(String(secret));
  const { recoveryCodes } = await must(person, 'POST', '/auth/second-factor/confirm', { code: code() });
  const recovery: string[] = Array.isArray(recoveryCodes) ? recoveryCodes : [];
  assert.equal(new Set(recovery).size, 10);
  secrets.push(...recovery);
  return { person, code, recovery };
}

const nextStep = () => {
  server.clock.offsetMs += 30_000;
};
const answer = (challenge: unknown, code: string) =>
  knock('/auth/sign-in/second-factor', { challenge, code, asProgram: true });

test('with a second factor signing in takes two steps, and a used code is refused', async () => {
  const { person, code } = await enrolled();
  nextStep();
  const first = await signIn(person.email);
  assert.equal(codeOf(first), '401 SECOND_FACTOR_NEEDED');
  assert.equal(first.json.accessToken, undefined);
  const now = code();
  assert.equal((await answer(first.json.challenge, now)).status, 200);
  assert.equal(codeOf(await answer(first.json.challenge, now)), '401 SIGN_IN_FAILED', 'a replay');
  const again = await signIn(person.email);
  assert.equal(codeOf(await answer(again.json.challenge, now)), '401 SIGN_IN_FAILED', 'also with a new challenge');
  nextStep();
  assert.equal((await answer(again.json.challenge, code())).status, 200);
});

test('of two who show the same code at once, one gets in', async () => {
  const { person, code } = await enrolled();
  nextStep();
  const { json } = await signIn(person.email);
  const now = code();
  const both = await Promise.all([1, 2].map(() => answer(json.challenge, now)));
  assert.deepEqual(both.map((reply) => reply.status).sort(), [200, 401]);
});

test('a challenge ends after five minutes, with another password, and when it was changed', async () => {
  const { person, code } = await enrolled();
  nextStep();
  const challenge = String((await signIn(person.email)).json.challenge);
  const [tenant, user, until, mac] = challenge.split('.');
  const forged = [
    `${tenant}.${user}.${Number(until) + 1}.${mac}`,
    `${tenant}.${owner.userId}.${until}.${mac}`,
    `${tenant}.${user}.${until}.${'a'.repeat(43)}`,
    'nonsense',
  ];
  for (const bad of forged) assert.equal(codeOf(await answer(bad, code())), '401 SIGN_IN_FAILED', bad);
  await resetPassword(db.database, owner.email, PASSWORD);
  await db.migrator.query(`UPDATE app_user SET password_hash = password_hash || 'x' WHERE id = $1`, [person.userId]);
  assert.equal(codeOf(await answer(challenge, code())), '401 SIGN_IN_FAILED');
  await db.migrator.query(`UPDATE app_user SET password_hash = rtrim(password_hash, 'x') WHERE id = $1`, [
    person.userId,
  ]);
  server.clock.offsetMs += 5 * MINUTE_MS + 1;
  assert.equal(codeOf(await answer(challenge, code())), '401 SIGN_IN_FAILED');
  await again(owner);
});

test('a recovery code works once; new ones void the old', async () => {
  const { person, recovery, code } = await enrolled();
  const challenge = async () => (await signIn(person.email)).json.challenge;
  const shouted = recovery[0]!.toUpperCase().replaceAll('-', ' ');
  assert.equal((await answer(await challenge(), shouted)).status, 200);
  assert.equal(codeOf(await answer(await challenge(), recovery[0]!)), '401 SIGN_IN_FAILED');
  assert.equal((await must(person, 'GET', '/auth/second-factor')).recoveryCodesLeft, 9);
  nextStep();
  const renewed = await must(person, 'POST', '/auth/second-factor/recovery-codes', { code: code() });
  assert.equal(codeOf(await answer(await challenge(), recovery[1]!)), '401 SIGN_IN_FAILED');
  const [fresh] = Array.isArray(renewed.recoveryCodes) ? renewed.recoveryCodes : [];
  assert.equal((await answer(await challenge(), String(fresh))).status, 200);
});

test('wrong codes close the account like wrong passwords, and a right password in between opens nothing', async () => {
  const { person, code } = await enrolled();
  nextStep();
  const { json } = await signIn(person.email);
  const replies: string[] = [];
  for (let i = 0; i < 6; i++) {
    replies.push(codeOf(await answer(json.challenge, '000000')));
    await signIn(person.email);
  }
  assert.ok(replies.includes('429 TOO_MANY_TRIES'), replies.join());
  assert.equal(codeOf(await answer(json.challenge, code())), '429 TOO_MANY_TRIES');
  const { rows } = await db.migrator.query(`SELECT * FROM alert WHERE kind = 'auth.locked' AND subject_id = $1`, [
    String(person.userId),
  ]);
  assert.equal(rows.length, 1, 'and the owner sees an alert');
  assert.equal(rows[0].resolved_at, null);
  server.clock.offsetMs += 16 * MINUTE_MS;
  const { json: fresh } = await signIn(person.email);
  assert.equal((await answer(fresh.challenge, code())).status, 200);
  const after = await db.migrator.query('SELECT resolved_at FROM alert WHERE id = $1', [rows[0].id]);
  assert.notEqual(after.rows[0].resolved_at, null);
  await again(owner);
});

test('a second factor is disabled with a code, taken away by an owner, or by the operator at the machine', async () => {
  const { person, code } = await enrolled();
  assert.equal(codeOf(await ask(person, 'POST', '/auth/second-factor/enrol')), '409 NOT_POSSIBLE_NOW');
  assert.equal(
    codeOf(await ask(person, 'POST', '/auth/second-factor/disable', { code: '000000' })),
    '401 SIGN_IN_FAILED',
  );
  nextStep();
  await must(person, 'POST', '/auth/second-factor/disable', { code: code() });
  assert.equal((await signIn(person.email)).status, 200);
  const lost = await enrolled();
  assert.equal((await must(owner, 'GET', `/people/${lost.person.userId}`)).hasSecondFactor, true);
  await must(owner, 'DELETE', `/people/${lost.person.userId}/second-factor`);
  assert.equal((await signIn(lost.person.email)).status, 200);
  const locked = await enrolled();
  await resetPassword(db.database, locked.person.email, PASSWORD);
  assert.equal((await signIn(locked.person.email)).status, 200);
});

test('an enrolment that was never confirmed asks nobody for a code', async () => {
  const person = await join('viewer');
  await must(person, 'POST', '/auth/second-factor/enrol');
  assert.equal((await signIn(person.email)).status, 200);
  assert.equal((await must(person, 'GET', '/auth/second-factor')).confirmedAt, null);
});

// ---- who did what, and what must never be seen -----------------------------------------------------------------------------

test('the audit tells who did what to whom, and can be narrowed', async () => {
  const person = await join('viewer', 'Vera');
  await must(owner, 'PUT', `/people/${person.userId}/role`, { from: 'viewer', role: 'analyst' });
  const { items } = await must(
    owner,
    'GET',
    `/audit?kind=person.role_changed&subjectId=${person.userId}&subjectKind=user`,
  );
  const [record] = Array.isArray(items) ? items : [];
  assert.deepEqual(record.actor, { userId: owner.userId, displayName: 'Olga' });
  assert.equal(record.subjectName, 'Vera');
  assert.deepEqual(record.body, { userId: person.userId, from: 'viewer', to: 'analyst' });
  const family = await must(owner, 'GET', '/audit?kind=person.&limit=500');
  const kinds = new Set((Array.isArray(family.items) ? family.items : []).map((item) => item.kind));
  assert.ok(kinds.size > 3 && [...kinds].every((kind) => String(kind).startsWith('person.')), [...kinds].join());
  const nothing = await must(owner, 'GET', '/audit?from=2100-01-01T00:00:00.000Z');
  assert.deepEqual(nothing.items, []);
  const page = await must(owner, 'GET', '/audit?limit=2');
  const next = await must(owner, 'GET', `/audit?limit=2&cursor=${String(page.nextCursor)}`);
  assert.notDeepEqual(page.items, next.items);
  assert.equal((await ask(person, 'GET', '/audit')).status, 403);
});

test('a second server of the same installation takes the same keys and sessions', async () => {
  const settings = { secret: SECRET, publicUrl: PUBLIC_URL, oidc: null };
  const other = createAuth(db.database, { now: () => Date.now() + server.clock.offsetMs }, settings);
  const key = await makeKey(owner, ['task:read']);
  for (const { token } of [owner, key]) {
    const caller = await other.service.callers.find(token, '127.0.0.1');
    assert.equal(caller?.actorId, owner.userId);
  }
});

test('no secret that was given out is in a log line, in the evidence or in a column', async () => {
  assert.ok(secrets.length > 60, `${secrets.length}`);
  const log = server.lines.join('');
  const { rows } = await db.migrator.query('SELECT kind, body FROM evidence');
  const evidence = rows.map((row) => row.body).join('\n');
  for (const secret of secrets) {
    assert.ok(!log.includes(secret), 'in the log');
    assert.ok(!evidence.includes(secret), 'in the evidence');
  }
  assert.doesNotMatch(evidence, /example\.org|Olga|Vera|Guest|Notebook|loader/);
  const kinds = new Set(rows.map((row) => row.kind));
  for (const kind of [
    ...['invitation.created', 'invitation.revoked', 'person.joined', 'person.role_changed', 'person.deactivated'],
    ...['person.reactivated', 'person.forgotten', 'service.created', 'password_reset.created', 'tenant.created'],
    ...['api_key.created', 'api_key.rotated', 'api_key.revoked', 'second_factor.begun', 'second_factor.confirmed'],
    ...['second_factor.removed', 'recovery_code.used', 'recovery_codes.renewed'],
  ]) {
    assert.ok(kinds.has(kind), kind);
  }
  const tables = ['invitation', 'password_reset', 'api_key', 'recovery_code', 'second_factor', 'refresh_token'];
  for (const table of tables) {
    const { rows: all } = await db.migrator.query(`SELECT r::text AS text FROM ${table} r`);
    const text = all.map((row) => row.text).join('\n');
    for (const secret of secrets) {
      assert.ok(!text.includes(secret) && !text.includes(Buffer.from(secret).toString('hex')), table);
    }
  }
  const { rows: tenants } = await db.migrator.query('SELECT id FROM tenant');
  for (const { id } of tenants) {
    const verdict = await db.database.transaction({ tenantId: id, actorId: null }, verifyEvidence);
    assert.equal(verdict.ok, true);
  }
});
