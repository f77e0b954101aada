import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { Writable } from 'node:stream';
import { after, before, test } from 'node:test';
import { exampleOf } from '@touchstone/contracts/example';
import { PROBLEMS, problem } from '@touchstone/contracts/problems';
import { defineRoute } from '@touchstone/contracts/route';
import { ALL_ROUTES } from '@touchstone/contracts/routes';
import { z } from 'zod';
import { createDatabase } from '../src/platform/database/database.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { decodeCursor, encodeCursor, toPage } from '../src/platform/http/cursor.ts';
import { toProblem } from '../src/platform/http/problem-document.ts';
import { bytesOf } from '../src/platform/http/serve-routes.ts';
import { findUnknownFields } from '../src/platform/http/unknown-fields.ts';
import { ProblemError } from '../src/platform/problem-error.ts';
import { createLog } from '../src/platform/telemetry/log.ts';
import { createTestDatabase, type TestDatabase } from './cluster.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const text = z.string().meta({ example: 'a' });
const echo = defineRoute({
  ...{ id: 'testEcho', method: 'POST', path: '/test/echo', group: 'data', summary: 'Echo', scope: 'market:write' },
  body: z.object({
    name: text.max(5),
    nested: z.object({ deep: text.optional() }).optional(),
    list: z.array(z.object({ x: text })).default([]),
  }),
  status: 200,
  answer: z.object({ name: text }),
  problems: [],
});
const liar = defineRoute({
  ...{
    id: 'testLiar',
    method: 'GET',
    path: '/test/liar',
    group: 'data',
    summary: 'Wrong answer',
    scope: 'market:read',
  },
  status: 200,
  answer: z.object({ count: z.int().meta({ example: 1 }) }),
  problems: [],
});
const thrower = defineRoute({
  ...{
    id: 'testThrow',
    method: 'GET',
    path: '/test/throw/:what',
    group: 'data',
    summary: 'Throws',
    scope: 'market:read',
  },
  params: z.object({ what: text }),
  status: 204,
  problems: [],
});
const upload = defineRoute({
  ...{
    id: 'testUpload',
    method: 'POST',
    path: '/test/upload',
    group: 'data',
    summary: 'Bytes',
    scope: 'market:write',
    takes: 'bytes',
  },
  status: 200,
  answer: z.object({ byteCount: z.int().meta({ example: 1 }) }),
  problems: ['TOO_LARGE'],
});
const large = defineRoute({
  ...{ id: 'testLarge', method: 'GET', path: '/test/large', group: 'data', summary: 'Large', scope: 'market:read' },
  status: 200,
  answer: z.object({ items: z.array(text) }),
  problems: [],
});
const table = defineRoute({
  ...{
    id: 'testCsv',
    method: 'GET',
    path: '/test/csv',
    group: 'data',
    summary: 'CSV',
    scope: 'market:read',
    gives: 'csv',
  },
  status: 200,
  problems: [],
});

let db: TestDatabase;
let server: TestServer;
let folder: string;
let ownerToken: string;
before(async () => {
  db = await createTestDatabase();
  folder = await mkdtemp('/tmp/touchstone-pages-');
  await mkdir(path.join(folder, 'assets'));
  await writeFile(path.join(folder, 'index.html'), '<!doctype html><title>page</title>');
  await writeFile(path.join(folder, 'assets/app-1a2b3c.js'), 'export {};');
  server = await startTestServer(db, {
    webFolder: folder,
    wire({ serve }) {
      serve(echo, async ({ body }) => ({ name: body.name }));
      serve(liar, async () => JSON.parse('{"count":"many"}'));
      serve(thrower, async ({ params }) => {
        if (params.what === 'problem') throw new ProblemError('NOT_ENOUGH_HISTORY', 'Need 60 returns, have 12.');
        if (params.what === 'disk') throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
        throw new Error(`a bug with the word hunter2 in it`);
      });
      serve(upload, async ({ request }) => {
        let byteCount = 0;
        for await (const chunk of bytesOf(request, 3_000_000)) byteCount += chunk.length;
        return { byteCount };
      });
      serve(table, async ({ reply }) => reply.type('text/csv').send('a,b\n1,2\n'));
      serve(large, async () => ({ items: Array.from({ length: 500 }, () => 'the same text') }));
    },
  });
  ownerToken = await server.tokenFor('owner', 7);
});
after(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
  await db.close();
});
const owner = () => ({ token: ownerToken });

test('unknown fields are refused at any depth, each named', async () => {
  const body = { name: 'a', nmae: 1, nested: { deep: 'x', deeper: 1 }, list: [{ x: 'a', y: 1 }] };
  const reply = await server.call('POST', '/test/echo', { ...owner(), body });
  assert.equal(reply.status, 400);
  const details = problem.parse(reply.json).details.map((detail) => detail.path);
  assert.deepEqual(details, ['body.nmae', 'body.nested.deeper', 'body.list[0].y']);
  assert.equal((await server.call('GET', '/tasks?limt=5', owner())).status, 400);
  assert.equal((await server.call('GET', '/diagnostics/policy?x=1', owner())).status, 400);
  assert.equal((await server.call('POST', '/test/echo', { ...owner(), body: { name: 'a' } })).text, '{"name":"a"}');
  assert.deepEqual(findUnknownFields(z.union([z.object({ a: text }), z.object({ b: text })]), { b: 1 }, ''), []);
  assert.deepEqual(findUnknownFields(z.record(z.string(), z.object({ a: text })), { k: { z: 1 } }, ''), ['.k.z']);
});

test('every error is a problem document with its request id', async () => {
  const cases: [string, string, { body?: unknown; headers?: Record<string, string> }, string][] = [
    ['GET', '/nothing/here', {}, 'NOT_FOUND'],
    ['DELETE', '/tasks', {}, 'NOT_FOUND'],
    ['POST', '/test/echo', { body: '{"name":' }, 'INVALID_REQUEST'],
    ['POST', '/test/echo', { body: '{"name":"a","__proto__":{}}' }, 'INVALID_REQUEST'],
    ['POST', '/test/echo', { body: 'name=a', headers: { 'content-type': 'text/plain' } }, 'INVALID_REQUEST'],
    ['POST', '/test/echo', { body: { name: 'too long' } }, 'INVALID_REQUEST'],
    ['POST', '/test/echo', {}, 'INVALID_REQUEST'],
    ['POST', '/test/echo', { body: { name: 'x'.repeat(1_100_000) } }, 'TOO_LARGE'],
    ['GET', '/tasks/abc', {}, 'INVALID_REQUEST'],
    ['GET', '/tasks/99', {}, 'NOT_FOUND'],
    ['GET', '/tasks?cursor=nonsense', {}, 'INVALID_REQUEST'],
    ['GET', '/tasks?limit=501', {}, 'INVALID_REQUEST'],
    ['GET', '/test/throw/problem', {}, 'NOT_ENOUGH_HISTORY'],
    ['GET', '/test/throw/disk', {}, 'DISK_FULL'],
    ['GET', '/test/throw/bug', {}, 'UNEXPECTED'],
    ['GET', '/test/liar', {}, 'UNEXPECTED'],
  ];
  for (const [method, at, request, code] of cases) {
    const reply = await server.call(method, at, { ...owner(), ...request });
    assert.match(reply.headers.get('content-type') ?? '', /^application\/problem\+json/, `${method} ${at}`);
    const told = problem.parse(reply.json);
    assert.equal(told.code, code, `${method} ${at}: ${reply.text}`);
    assert.equal(told.requestId, reply.headers.get('x-request-id'));
    assert.equal(told.status, reply.status);
    assert.equal(reply.status, Object.entries(PROBLEMS).find(([name]) => name === code)?.[1].status);
  }
  const wrongMethod = await server.call('DELETE', '/tasks', owner());
  assert.match(String(wrongMethod.json.detail), /Use GET/);
});

test('a bug tells the caller nothing and the log everything', async () => {
  const reply = await server.call('GET', '/test/throw/bug', owner());
  assert.ok(!reply.text.includes('hunter2'));
  const line = server.lines.find((text) => text.includes(String(reply.json.requestId)) && text.includes('hunter2'));
  assert.ok(line !== undefined);
});

test('a request carries its trace id through, or gets one', async () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
  const given = await server.call('GET', '/nothing', { headers });
  assert.equal(given.headers.get('x-request-id'), traceId);
  assert.ok(server.lines.some((line) => line.includes(traceId) && line.includes('"status":404')));
  const made = await server.call('GET', '/nothing', {
    headers: { traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` },
  });
  assert.match(made.headers.get('x-request-id') ?? '', /^(?!0+$)[0-9a-f]{32}$/);
});

test('every answer carries the same guarding headers', async () => {
  const expected = {
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    'strict-transport-security': null,
    'access-control-allow-origin': null,
    'x-powered-by': null,
    server: null,
  };
  for (const at of ['/api/v1/auth/state', '/api/v1/nothing', '/api/docs', '/api/v1/tasks']) {
    const { headers } = await server.call('GET', at, { headers: { origin: 'https://elsewhere.example' } });
    for (const [name, value] of Object.entries(expected)) assert.equal(headers.get(name), value, `${at} ${name}`);
  }
});

test('bytes come in as a stream of any content type, up to a limit', async () => {
  const send = (byteCount: number, type: string) =>
    fetch(`${server.url}/api/v1/test/upload`, {
      method: 'POST',
      body: new Uint8Array(byteCount),
      headers: { 'content-type': type, authorization: `Bearer ${owner().token}` },
    });
  for (const type of ['application/octet-stream', 'text/csv', 'application/json']) {
    assert.deepEqual(await (await send(2_500_000, type)).json(), { byteCount: 2_500_000 });
  }
  const refused = await send(3_500_000, 'text/csv');
  assert.equal(refused.status, 413);
  assert.equal(problem.parse(await refused.json()).code, 'TOO_LARGE');
});

test('a route may give CSV', async () => {
  const reply = await server.call('GET', '/test/csv', owner());
  assert.match(reply.headers.get('content-type') ?? '', /^text\/csv/);
  assert.equal(reply.text, 'a,b\n1,2\n');
});

test('an answer that did not change is not sent again, and a long one is compressed', async () => {
  const first = await server.call('GET', '/test/large', { ...owner(), headers: { 'accept-encoding': 'gzip' } });
  assert.equal(first.headers.get('content-encoding'), 'gzip');
  const etag = first.headers.get('etag') ?? '';
  const again = await server.call('GET', '/test/large', { ...owner(), headers: { 'if-none-match': etag } });
  assert.equal(again.status, 304);
  assert.equal(again.text, '');
});

test('pages are found by the one page, assets are kept for good, and the API is never a page', async () => {
  for (const at of ['/', '/indexes/12']) {
    const page = await fetch(server.url + at);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<title>page/);
    assert.equal(page.headers.get('cache-control'), 'no-cache');
  }
  const asset = await fetch(`${server.url}/assets/app-1a2b3c.js`);
  assert.equal(asset.headers.get('cache-control'), 'public, max-age=31536000, immutable');
  assert.match(await (await fetch(`${server.url}/..%2f..%2fetc/passwd`)).text(), /<title>page/);
  for (const at of ['/assets/gone.js', '/api/nothing']) {
    assert.equal((await fetch(server.url + at)).status, 404, at);
  }
});

test('the process is alive, ready, measured and described', async () => {
  const get = async (at: string) => (await fetch(server.url + at)).text();
  assert.equal(await get('/healthz'), '{"ok":true}');
  assert.match(await get('/readyz'), /"ready":true.*"kind":"embedded"/);
  await get('/metrics');
  assert.match(await get('/metrics'), /touchstone_request_seconds_bucket[\s\S]*touchstone_tasks\{state="queued"\} 0/);
  assert.match(await get('/api/docs'), /swagger-ui-bundle\.js/);
  assert.match((await get('/api/docs/swagger-ui-bundle.js')).slice(0, 5000), /SwaggerUI|swagger|!function/i);
  const status = await server.call('GET', '/diagnostics/status', owner());
  assert.equal(status.status, 200);
});

test('the API document has a description and examples for every operation', async () => {
  const { json } = await server.call('GET', '/api/openapi.json');
  assert.equal(json.openapi, '3.1.0');
  const paths = json.paths as Record<
    string,
    Record<string, { operationId: string; description: string; summary: string; responses: object }>
  >;
  for (const operations of Object.values(paths)) {
    for (const operation of Object.values(operations)) {
      assert.ok(operation.summary.length > 2 && operation.description.length > 10, operation.operationId);
      const content = JSON.stringify(operation.responses);
      if (content.includes('application/json')) assert.ok(content.includes('"example"'), operation.operationId);
    }
  }
  for (const route of ALL_ROUTES) {
    for (const part of ['params', 'query', 'body', 'answer'] as const) {
      const schema = route[part];
      if (schema !== undefined) assert.ok(schema.safeParse(exampleOf(schema, route.id)).success, `${route.id} ${part}`);
    }
  }
});

test('when the database goes away requests are told so, the process lives on, and works again when it is back', async () => {
  let isAway = false;
  // A proxy of the real database's socket that can be unplugged.
  const { connect } = await import('node:net');
  const open = new Set<{ destroy(): void }>();
  const proxy = createServer((client) => {
    if (isAway) return client.destroy();
    const upstream = connect(`${db.connection.host}/.s.PGSQL.${db.connection.port}`);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => {});
    }
    client.pipe(upstream).pipe(client);
  });
  const socketFolder = await mkdtemp('/tmp/touchstone-proxy-');
  await new Promise<void>((resolve) => proxy.listen(path.join(socketFolder, '.s.PGSQL.5432'), resolve));
  const database = createDatabase(createPool({ ...db.connection, host: socketFolder, port: 5432 }, () => {}));
  const other = await startTestServer(db, { database });
  const token = await other.tokenFor('owner', 8);
  try {
    assert.equal((await other.call('GET', '/tasks', { token })).status, 200);
    isAway = true;
    for (const socket of open) socket.destroy();
    for (let i = 0; i < 3; i++) {
      const reply = await other.call('GET', '/tasks', { token });
      assert.equal(reply.json.code, 'DATABASE_AWAY', reply.text);
      assert.equal(reply.headers.get('retry-after'), '2');
    }
    assert.equal((await fetch(`${other.url}/readyz`)).status, 503);
    assert.equal((await fetch(`${other.url}/healthz`)).status, 200);
    isAway = false;
    assert.equal((await other.call('GET', '/tasks', { token })).status, 200);
  } finally {
    await other.close();
    await database.close();
    proxy.close();
    await rm(socketFolder, { recursive: true, force: true });
  }
});

test('errors of the database have their own problems', () => {
  const codeOf = (code: string) => toProblem(Object.assign(new Error('x'), { code }), 'r').problem.code;
  assert.equal(codeOf('23505'), 'ALREADY_EXISTS');
  assert.equal(codeOf('40001'), 'CONFLICT');
  assert.equal(codeOf('57P01'), 'DATABASE_AWAY');
  assert.equal(codeOf('53100'), 'DISK_FULL');
  assert.equal(codeOf('42601'), 'UNEXPECTED');
  assert.equal(codeOf('ENOENT'), 'UNEXPECTED', 'a missing file is not a missing database');
});

test('a cursor comes back as it went out, and nothing else is taken', () => {
  assert.deepEqual(decodeCursor(encodeCursor(['2026-01-15', 7]), ['string', 'number']), ['2026-01-15', 7]);
  assert.equal(decodeCursor(undefined, ['number']), null);
  for (const wrong of ['', 'x', encodeCursor(['a']), encodeCursor([1, 2])]) {
    assert.throws(() => decodeCursor(wrong, ['number']), ProblemError);
  }
  assert.deepEqual(toPage([1, 2, 3], 2, (row) => [row]).items, [1, 2]);
  assert.equal(toPage([1, 2], 2, (row) => [row]).nextCursor, null);
});

test('the log hides secrets wherever they stand', () => {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const log = createLog('info', destination);
  log.info(
    { password: 'hunter2', headers: { authorization: 'hunter2', cookie: 'hunter2', 'set-cookie': 'hunter2' } },
    'a',
  );
  log.info(
    { request: { body: { password: 'hunter2', refreshToken: 'hunter2' }, headers: { 'x-csrf-token': 'hunter2' } } },
    'b',
  );
  // Drivers put connections, statements and their values on their errors.
  log.error(
    {
      err: Object.assign(new Error('lost', { cause: new Error('why') }), {
        client: { password: 'hunter2' },
        code: '57P01',
      }),
    },
    'c',
  );
  assert.equal(lines.length, 3);
  assert.ok(!lines.join('').includes('hunter2'));
  assert.match(lines[2]!, /"message":"lost","code":"57P01".*"cause":\{"name":"Error","message":"why"/);
});
