import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as ask } from 'node:http';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { problem } from '@touchstone/contracts/problems';
import { defineRoute } from '@touchstone/contracts/route';
import { z } from 'zod';
import { bytesOf } from '../../src/platform/http/serve-routes.ts';
import { createTestDatabase, type TestDatabase } from '../cluster.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import { until } from '../until.ts';

const text = z.string().meta({ example: 'a' });
const read = { method: 'GET', group: 'data', summary: 'Test', scope: 'market:read', status: 200 } as const;
const large = defineRoute({
  ...{ ...read, id: 'testLarge', path: '/test/large', answer: z.object({ items: z.array(text) }), problems: [] },
});
const bug = defineRoute({ ...read, id: 'testBug', path: '/test/bug', answer: z.object({}), problems: [] });
const packed = defineRoute({ ...read, id: 'testPacked', path: '/test/packed', gives: 'bytes', problems: [] });
const echo = defineRoute({
  ...{ ...read, id: 'testEcho', method: 'POST', path: '/test/echo', scope: 'market:write' },
  ...{ body: z.object({ name: text, more: z.unknown().optional() }), answer: z.object({ name: text }), problems: [] },
});
const upload = defineRoute({
  ...{ ...read, id: 'testUpload', method: 'POST', path: '/test/upload', scope: 'market:write', takes: 'bytes' },
  ...{ answer: z.object({ byteCount: z.int().meta({ example: 1 }) }), problems: [] },
});

const FRIEND = 'https://desk.example.org';
const PATIENCE = { headersMs: 400, bodyMs: 1_200, requestMs: 60_000, connectionsMax: 20 };
/** Far above the patience for headers and bodies, far below that for the whole request. */
const LET_GO_MS_MAX = 30_000;

let db: TestDatabase;
let server: TestServer;
let proxied: TestServer;
let folder: string;
let token: string;
before(async () => {
  db = await createTestDatabase();
  folder = await mkdtemp('/tmp/touchstone-pages-');
  await writeFile(path.join(folder, 'index.html'), '<!doctype html><title>page</title>');
  server = await startTestServer(db, {
    ...{ webFolder: folder, edges: { allowedOrigins: [FRIEND], patience: PATIENCE } },
    wire({ serve }) {
      serve(large, async () => ({ items: Array.from({ length: 500 }, () => 'the same text') }));
      serve(bug, async () => {
        throw new Error('a bug');
      });
      serve(packed, async ({ reply }) => reply.type('application/gzip').send(Buffer.alloc(5_000, 7)));
      serve(echo, async ({ body }) => ({ name: body.name }));
      serve(upload, async ({ request }) => {
        let byteCount = 0;
        for await (const chunk of bytesOf(request)) byteCount += chunk.length;
        return { byteCount };
      });
    },
  });
  proxied = await startTestServer(db, { trustProxy: true });
  token = await server.tokenFor('owner', 7);
});
after(async () => {
  await server.close();
  await proxied.close();
  await rm(folder, { recursive: true, force: true });
  await db.close();
});

/** Headers that every answer has, whatever it is. */
const GUARDS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};
/** Change with time or connection, or are told below. */
const PASSING = [
  'date',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'x-request-id',
  'etag',
  'last-modified',
  'traceparent',
];

test('a page, an answer, a mistake and a bug carry exactly these headers', async () => {
  const expected: [string, string, number, Record<string, string>][] = [
    [
      'GET',
      '/',
      200,
      {
        'accept-ranges': 'bytes',
        'cache-control': 'no-cache',
        'content-type': 'text/html; charset=utf-8',
      },
    ],
    [
      'GET',
      '/api/v1/diagnostics/policy',
      200,
      {
        'cache-control': 'private, no-cache',
        'content-type': 'application/json; charset=utf-8',
        vary: 'authorization',
      },
    ],
    [
      'GET',
      '/api/v1/nothing',
      404,
      { 'cache-control': 'no-store', 'content-type': 'application/problem+json; charset=utf-8' },
    ],
    [
      'GET',
      '/api/v1/test/bug',
      500,
      { 'cache-control': 'no-store', 'content-type': 'application/problem+json; charset=utf-8' },
    ],
  ];
  const server = await startTestServer(db, {
    webFolder: folder,
    wire({ serve }) {
      serve(bug, async () => {
        throw new Error('a bug');
      });
    },
  });
  try {
    for (const [method, at, status, own] of expected) {
      const headers = {
        authorization: `Bearer ${token}`,
        origin: 'https://evil.example',
        'accept-encoding': 'identity',
      };
      const answer = await fetch(`${server.url}${at}`, { method, headers });
      assert.equal(answer.status, status, at);
      const shown = Object.fromEntries([...answer.headers].filter(([name]) => !PASSING.includes(name)));
      assert.deepEqual(shown, { ...GUARDS, ...own }, `${method} ${at}`);
    }
  } finally {
    await server.close();
  }
});

test('only over https is https demanded', async () => {
  const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1' };
  const safe = await proxied.call('GET', '/auth/state', { headers });
  assert.equal(safe.headers.get('strict-transport-security'), 'max-age=31536000');
  assert.equal((await proxied.call('GET', '/auth/state')).headers.get('strict-transport-security'), null);
  assert.equal((await server.call('GET', '/auth/state', { headers })).headers.get('strict-transport-security'), null);
});

test('pages of listed origins may call the API, of others not, and cookies never come along', async () => {
  const preflight = (origin: string) =>
    fetch(`${server.url}/api/v1/test/echo`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
  const granted = await preflight(FRIEND);
  assert.equal(granted.status, 204);
  assert.equal(granted.headers.get('access-control-allow-origin'), FRIEND);
  assert.equal(granted.headers.get('access-control-allow-credentials'), null);
  assert.match(granted.headers.get('access-control-allow-headers') ?? '', /idempotency-key/);
  assert.match(granted.headers.get('vary') ?? '', /Origin/i);
  for (const origin of ['https://evil.example', 'null', `${FRIEND}.evil.example`, 'http://desk.example.org']) {
    const refused = await preflight(origin);
    assert.equal(refused.headers.get('access-control-allow-origin'), null, origin);
    const answer = await server.call('GET', '/test/large', { token, headers: { origin } });
    assert.equal(answer.headers.get('access-control-allow-origin'), null, origin);
  }
  const answer = await server.call('GET', '/test/large', { token, headers: { origin: FRIEND } });
  assert.equal(answer.headers.get('access-control-allow-origin'), FRIEND);
  assert.match(answer.headers.get('access-control-expose-headers') ?? '', /ratelimit-remaining/);
  const problems = await server.call('GET', '/tasks', { headers: { origin: FRIEND } });
  assert.deepEqual([problems.status, problems.headers.get('access-control-allow-origin')], [401, FRIEND]);
});

type Raw = { status: number; headers: Record<string, string | string[] | undefined>; body: Buffer };

/** Without fetch, which unpacks what it gets. */
function raw(at: string, headers: Record<string, string>, method = 'GET'): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const sent = ask(`${server.url}/api/v1${at}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
    sent.once('error', reject);
    sent.once('response', async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
    });
    sent.end();
  });
}

test('a long answer is packed as the asker likes it, a short or packed one is not', async () => {
  const plain = await raw('/test/large', {});
  assert.equal(plain.headers['content-encoding'], undefined);
  for (const [name, unpack] of [
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ] as const) {
    const reply = await raw('/test/large', { 'accept-encoding': name });
    assert.equal(reply.headers['content-encoding'], name);
    assert.ok(reply.body.length < plain.body.length / 10);
    assert.deepEqual(unpack(reply.body), plain.body);
    assert.match(String(reply.headers.vary), /accept-encoding/);
  }
  assert.equal((await raw('/test/large', { 'accept-encoding': 'gzip, br' })).headers['content-encoding'], 'br');
  assert.equal((await raw('/test/large', { 'accept-encoding': 'identity' })).headers['content-encoding'], undefined);
  assert.equal((await raw('/test/packed', { 'accept-encoding': 'br' })).headers['content-encoding'], undefined);
  assert.equal((await raw('/auth/state', { 'accept-encoding': 'br' })).headers['content-encoding'], undefined);
});

test('what did not change is not sent again, for GET and HEAD, with one tag, several, or a star', async () => {
  const first = await raw('/test/large', {});
  const etag = String(first.headers.etag);
  assert.match(etag, /^W\/"[\w-]{27}"$/);
  for (const known of [etag, `"other", ${etag}`, etag.replace('W/', ''), '*']) {
    for (const method of ['GET', 'HEAD']) {
      const reply = await raw('/test/large', { 'if-none-match': known }, method);
      assert.deepEqual([reply.status, reply.body.length, reply.headers.etag], [304, 0, etag], `${method} ${known}`);
    }
  }
  assert.equal((await raw('/test/large', { 'if-none-match': '"other"' })).status, 200);
  const head = await raw('/test/large', {}, 'HEAD');
  assert.deepEqual([head.status, head.body.length, head.headers.etag], [200, 0, etag]);
  assert.equal(head.headers['content-length'], String(first.body.length));
  assert.equal((await raw('/tasks/events', {}, 'HEAD')).status, 400, 'a stream has no head: this asks for a task');
  assert.equal((await raw('/test/large', { authorization: 'x' }, 'HEAD')).status, 401);
});

/** Sends pieces of a request by hand; gives all that came back until the server closed. */
async function byHand(write: (socket: Socket) => Promise<void> | void): Promise<{ text: string; ms: number }> {
  const { port, hostname } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  const startedAt = performance.now();
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await write(socket);
  await closed;
  return { text, ms: performance.now() - startedAt };
}

function told(text: string) {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), code: problem.parse(JSON.parse(body)).code };
}

test('whoever sends headers or a body too slowly is told so and let go', async () => {
  const slowHeaders = await byHand((socket) => void socket.write('GET /healthz HTTP/1.1\r\nhost: a\r\nx-slow: '));
  assert.deepEqual(told(slowHeaders.text), { status: 408, code: 'TOO_SLOW' });
  assert.ok(slowHeaders.ms < LET_GO_MS_MAX, `${slowHeaders.ms} ms`);
  for (const at of ['/api/v1/test/echo', '/api/v1/test/upload']) {
    const head = [`POST ${at} HTTP/1.1`, 'host: a', `authorization: Bearer ${token}`, 'content-type: application/json'];
    let dripping: NodeJS.Timeout | undefined;
    const slowBody = await byHand((socket) => {
      socket.write(`${[...head, 'content-length: 1000'].join('\r\n')}\r\n\r\n{"name":"`);
      // A byte now and then keeps a connection busy; a body of JSON has one time for all of it.
      if (at.endsWith('echo')) dripping = setInterval(() => socket.write('a'), 100);
    });
    clearInterval(dripping);
    assert.deepEqual(told(slowBody.text), { status: 408, code: 'TOO_SLOW' }, at);
    assert.match(slowBody.text, /connection: close/i);
    assert.ok(slowBody.ms < LET_GO_MS_MAX, `${slowBody.ms} ms`);
  }
});

test('an upload may take its time as long as it goes on', async () => {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      if (sent++ === 6) controller.close();
      else controller.enqueue(new Uint8Array(10));
    },
  });
  const init = { method: 'POST', body, duplex: 'half' as const, headers: { authorization: `Bearer ${token}` } };
  const reply = await fetch(`${server.url}/api/v1/test/upload`, init);
  assert.deepEqual(await reply.json(), { byteCount: 60 });
});

test('what is no HTTP, or has endless headers or a long address, is refused by name', async () => {
  assert.deepEqual(told((await byHand((socket) => void socket.write('hello\r\n\r\n'))).text), {
    status: 400,
    code: 'INVALID_REQUEST',
  });
  const endless = await byHand((socket) => void socket.write(`GET / HTTP/1.1\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`));
  assert.deepEqual(told(endless.text), { status: 413, code: 'TOO_LARGE' });
  const cases: [string, number, string][] = [
    [`/tasks/${'9'.repeat(3_000)}`, 404, 'NOT_FOUND'],
    [`/tasks?cursor=${'a'.repeat(10_000)}`, 400, 'INVALID_REQUEST'],
    ['/tasks/%E0%A4%A', 400, 'INVALID_REQUEST'],
    ['/tasks/%00', 400, 'INVALID_REQUEST'],
  ];
  for (const [at, status, code] of cases) {
    const reply = await server.call('GET', at, { token });
    assert.deepEqual([reply.status, reply.json.code], [status, code], `${at.slice(0, 60)} ${reply.text.slice(0, 200)}`);
  }
});

test('no more connections are held than there are places', async () => {
  const { port, hostname } = new URL(server.url);
  const sockets = Array.from({ length: PATIENCE.connectionsMax + 10 }, () => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    return socket;
  });
  let dropped = 0;
  for (const socket of sockets) socket.once('close', () => dropped++);
  await until(() => dropped >= 10, 'ten are turned away');
  for (const socket of sockets) socket.destroy();
  const isServed = () =>
    fetch(`${server.url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(isServed, 'there are places again');
});

test('prototypes, deep nesting and texts that cannot be kept are refused in every part', async () => {
  const deep = `{"name":"a","more":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
  for (const body of [
    '{"__proto__":{"isAdmin":true},"name":"a"}',
    '{"name":"a","more":{"constructor":{"prototype":{"isAdmin":true}}}}',
    deep,
    '{"name":"a\\u0000b"}',
    '{"name":"a","more":{"b\\u0000":1}}',
    '{"name":"\\ud800"}',
  ]) {
    const reply = await server.call('POST', '/test/echo', { token, body });
    assert.deepEqual([reply.status, reply.json.code], [400, 'INVALID_REQUEST'], body.slice(0, 60));
  }
  assert.equal((await server.call('GET', '/tasks?cursor=%00', { token })).status, 400);
  assert.equal((await server.call('GET', '/tasks?__proto__=1', { token })).status, 400);
  assert.equal(Object.keys(Object.prototype).length, 0);
});
