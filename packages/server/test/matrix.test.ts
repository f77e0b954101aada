import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  hasScope,
  PERSONAL_SCOPES,
  ROLES,
  type Role,
  SCOPES,
  type Scope,
  scopesOf,
} from '@touchstone/contracts/policy';
import type { Route } from '@touchstone/contracts/route';
import { ALL_ROUTES } from '@touchstone/contracts/routes';
import { systemClock } from '../src/platform/clock/clock.ts';
import { createStages } from '../src/stages.ts';
import { describeAccess } from './access-matrix.ts';
import { createTestDatabase, type TestDatabase } from './cluster.ts';
import { inlineCompute } from './inline-compute.ts';
import { startTestServer, type TestServer } from './test-server.ts';

// Every route, asked by everybody, with numbers nobody has and without a body: only the door decides whether the answer is
// 401, 403 or something else. What belongs to another tenant is asked for by number in tenants.test.ts.

const OPERATORS = 1;
const TENANTS = [OPERATORS, 2];
const ASKED_AT_ONCE = 8;
const NOWHERE = '2147483647';

let db: TestDatabase;
let server: TestServer;
before(async () => {
  db = await createTestDatabase();
  server = await startTestServer(db, {
    wire: ({ serve, ...parts }) =>
      createStages({
        ...parts,
        ...{ connection: db.connection, compute: inlineCompute, clock: systemClock, codeVersion: 'test' },
      }).registerRoutes(serve),
  });
});
after(async () => {
  await server.close();
  await db.close();
});

type Asked = { status: number; code: string };

async function ask(route: Route, token: string | null): Promise<Asked> {
  const at = `${server.url}/api/v1${route.path.replace(/:\w+/g, NOWHERE)}`;
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const leaving = new AbortController();
  const response = await fetch(at, { method: route.method, headers, signal: leaving.signal });
  const isProblem = response.headers.get('content-type')?.includes('problem+json') ?? false;
  const code = isProblem ? Object(await response.json()).code : '';
  // A stream of events would never end by itself.
  leaving.abort();
  return { status: response.status, code };
}

/** What the table of roles says, with nothing of the server in it. */
type Verdict = 'stranger' | 'forbidden' | 'admitted';

function verdictOf(asked: Asked): Verdict {
  if (asked.code === 'NOT_SIGNED_IN') return 'stranger';
  if (asked.code === 'FORBIDDEN') return 'forbidden';
  return 'admitted';
}

/** Asks every route and compares with what is expected, some at a time. */
async function compare(who: string, token: string | null, expected: (scope: Scope | 'public') => Verdict) {
  const waiting = [...ALL_ROUTES];
  const wrong: string[] = [];
  const work = async () => {
    for (let route = waiting.pop(); route !== undefined; route = waiting.pop()) {
      const asked = await ask(route, token);
      const right = expected(route.scope);
      const told = `${who}: ${route.id} (${route.scope}) answered ${asked.status} ${asked.code}, expected ${right}`;
      if (verdictOf(asked) !== right || asked.status >= 500 || asked.status === 429) wrong.push(told);
      const status = { stranger: 401, forbidden: 403 }[right === 'admitted' ? 'stranger' : right];
      if (right !== 'admitted' && asked.status !== status) wrong.push(told);
    }
  };
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, work));
  assert.deepEqual(wrong, []);
}

test('before there is an owner, a visitor at the machine may do what the table says, and nothing else', async () => {
  await compare('visitor', null, (scope) => (hasScope('visitor', scope) ? 'admitted' : 'forbidden'));
});

test('somebody without credentials, or with worthless ones, is told to sign in by every route but the public', async () => {
  for (const tenantId of TENANTS) await server.tokenFor('owner', tenantId);
  const worthless = ['x.y.z', `tsk_aaaaaaaa_${'a'.repeat(43)}`];
  for (const token of [null, ...worthless]) {
    await compare(`nobody with ${token}`, token, (scope) => (scope === 'public' ? 'admitted' : 'stranger'));
  }
});

for (const tenantId of TENANTS) {
  for (const role of ROLES.filter((each): each is Role => each !== 'visitor')) {
    test(`${role} of ${tenantId === OPERATORS ? 'the first' : 'another'} tenant may do what the table says, and nothing else`, async () => {
      const scopes = scopesOf(role, tenantId === OPERATORS);
      await compare(`${role} of ${tenantId}`, await server.tokenFor(role, tenantId), (scope) =>
        scope === 'public' || scopes.includes(scope) ? 'admitted' : 'forbidden',
      );
    });
  }
}

test('an API key may do what it was given, and with one right missing everything but that', async () => {
  const token = await server.tokenFor('owner', OPERATORS);
  const givable = SCOPES.filter((scope) => !PERSONAL_SCOPES.includes(scope));
  for (const missing of givable) {
    const scopes = givable.filter((scope) => scope !== missing);
    const made = await server.call('POST', '/keys', { token, body: { name: `all but ${missing}`, scopes } });
    assert.equal(made.status, 201, made.text);
    await compare(`key without ${missing}`, String(made.json.key), (scope) =>
      scope === 'public' || scopes.includes(scope) ? 'admitted' : 'forbidden',
    );
  }
});

test('a session that ends in the middle of an import is told so, and nothing is stored half', async () => {
  const tenantId = 3;
  const counts = async () => {
    const { rows } = await db.migrator.query(
      `SELECT (SELECT count(*) FROM task WHERE tenant_id = $1) AS tasks,
              (SELECT count(*) FROM ingest_run WHERE tenant_id = $1) AS runs,
              (SELECT count(*) FROM source WHERE tenant_id = $1) AS sources`,
      [tenantId],
    );
    return rows[0];
  };
  const send = (token: string) =>
    server.call('POST', '/data/uploads?fileName=p.csv', {
      ...{ token, headers: { 'content-type': 'application/octet-stream' } },
      body: `date,symbol,close\n${'2024-01-02,LATE,10\n'.repeat(1_000)}`,
    });
  const start = (token: string, uploadId: unknown) =>
    server.call('POST', '/data/imports', {
      token,
      body: { uploadId, fileName: 'p.csv', source: { code: 'late' }, onBadRow: 'keep-good' },
    });
  const token = await server.tokenFor('manager', tenantId);
  const uploaded = await send(token);
  assert.equal(uploaded.status, 201, uploaded.text);
  server.clock.offsetMs += 16 * 60_000;
  for (const reply of [await start(token, uploaded.json.uploadId), await send(token)]) {
    assert.equal(reply.status, 401, reply.text);
    assert.equal(reply.json.code, 'NOT_SIGNED_IN');
  }
  assert.deepEqual(await counts(), { tasks: 0, runs: 0, sources: 0 });
  const fresh = await server.tokenFor('manager', tenantId);
  const started = await start(fresh, uploaded.json.uploadId);
  assert.equal(started.status, 202, `the upload was not lost: ${started.text}`);
});

test('the page of the access matrix is the present one', async () => {
  const file = path.join(import.meta.dirname, '../../../docs/operate/access-matrix.md');
  const written = await readFile(file, 'utf8');
  // Not compared by equal: the difference of two whole tables fills the screen and tells nothing.
  assert.ok(written === describeAccess(), 'Renew it: node scripts/write-access-matrix.ts');
});
