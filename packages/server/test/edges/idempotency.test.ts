import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { createClient } from '@touchstone/contracts/client';
import { problem } from '@touchstone/contracts/problems';
import { defineRoute } from '@touchstone/contracts/route';
import { createUniverse } from '@touchstone/contracts/universes';
import { z } from 'zod';
import type { Caller } from '../../src/platform/http/serve.ts';
import { bytesOf } from '../../src/platform/http/serve-routes.ts';
import { ProblemError } from '../../src/platform/problem-error.ts';
import { createTestDatabase, type TestDatabase } from '../cluster.ts';
import { startTestServer, type TestServer } from '../test-server.ts';

const text = z.string().meta({ example: 'a' });
const common = { method: 'POST', group: 'data', summary: 'Test', scope: 'market:write', status: 201 } as const;
const make = defineRoute({
  ...common,
  ...{ id: 'testMake', path: '/test/make', body: z.object({ symbol: text, secret: text.default('') }) },
  answer: z.object({ id: z.int().meta({ example: 1 }), secret: text }),
  problems: [],
});
const upload = defineRoute({
  ...common,
  ...{ id: 'testUpload', path: '/test/upload', takes: 'bytes', query: z.object({ fileName: text.optional() }) },
  answer: z.object({ byteCount: z.int().meta({ example: 1 }), calls: z.int().meta({ example: 1 }) }),
  problems: [],
});

let db: TestDatabase;
let servers: TestServer[];
let token: string;
let calls = 0;
/** What a handler does after its change and before its answer. */
let meanwhile: () => Promise<void> = async () => {};
before(async () => {
  db = await createTestDatabase();
  const start = () =>
    startTestServer(db, {
      wire({ serve, database }) {
        const insert = (caller: Caller, symbol: string) =>
          database.transaction(caller, ({ query }) =>
            query
              .insertInto('instrument')
              .values({ tenant_id: caller.tenantId, symbol })
              .returning('id')
              .executeTakeFirstOrThrow(),
          );
        serve(make, async ({ caller, body }) => {
          calls++;
          if (body.symbol === 'REFUSED') throw new ProblemError('NOT_POSSIBLE_NOW', `Not now, for the ${calls}. time.`);
          if (body.symbol === 'BROKEN') throw new Error('a bug before anything was done');
          const { id } = await insert(caller, body.symbol);
          await meanwhile();
          return { id, secret: body.secret };
        });
        serve(upload, async ({ request }) => {
          calls++;
          let byteCount = 0;
          for await (const chunk of bytesOf(request)) byteCount += chunk.length;
          return { byteCount, calls };
        });
      },
    });
  // Two processes in miniature: nothing is shared but the database.
  servers = [await start(), await start()];
  token = await servers[0]!.tokenFor('owner', 7);
});
after(async () => {
  for (const server of servers) await server.close();
  await db.close();
});
beforeEach(() => {
  calls = 0;
  meanwhile = async () => {};
});

let keys = 0;
const newKey = () => `key-of-a-test-${keys++}`;
function post(key: string, body: unknown, { server = 0, who = token, path = '/test/make' } = {}) {
  return servers[server]!.call('POST', path, { token: who, body, headers: { 'idempotency-key': key } });
}
async function countOf(symbol: string): Promise<number> {
  const { rows } = await db.migrator.query('SELECT count(*)::int AS n FROM instrument WHERE symbol = $1', [symbol]);
  return rows[0].n;
}

test('the same request with the same key is done once and answered twice, by any server', async () => {
  const key = newKey();
  const first = await post(key, { symbol: 'ONCE', secret: 'x' });
  assert.equal(first.status, 201, first.text);
  assert.equal(first.headers.get('idempotent-replayed'), null);
  for (const server of [0, 1]) {
    const again = await post(key, { symbol: 'ONCE', secret: 'x' }, { server });
    assert.deepEqual([again.status, again.text], [201, first.text]);
    assert.equal(again.headers.get('idempotent-replayed'), 'true');
    assert.equal(again.headers.get('content-type'), first.headers.get('content-type'));
  }
  assert.equal(calls, 1);
  assert.equal(await countOf('ONCE'), 1);
});

test('a key belongs to one request, one user and one route', async () => {
  const key = newKey();
  await post(key, { symbol: 'FIRST' });
  const other = await post(key, { symbol: 'OTHER' });
  assert.equal(other.status, 422);
  assert.equal(problem.parse(other.json).code, 'KEY_REUSED');
  const colleague = await servers[0]!.tokenFor('owner', 7);
  const stranger = await servers[0]!.tokenFor('owner', 8);
  assert.equal((await post(key, { symbol: 'COLLEAGUE' }, { who: colleague })).status, 201);
  assert.equal((await post(key, { symbol: 'STRANGER' }, { who: stranger })).status, 201);
  assert.equal(calls, 3);
});

test('of two at the same moment one runs and the other is told to ask again', async () => {
  const key = newKey();
  let goOn = () => {};
  const waiting = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  meanwhile = () => waiting;
  const first = post(key, { symbol: 'RACE' });
  while (calls === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const second = await post(key, { symbol: 'RACE' }, { server: 1 });
  goOn();
  assert.equal(second.status, 409);
  assert.deepEqual([second.json.code, second.json.retryable], ['KEY_IN_USE', true]);
  assert.equal((await first).status, 201);
  assert.equal((await post(key, { symbol: 'RACE' }, { server: 1 })).text, (await first).text);
  assert.equal(await countOf('RACE'), 1);
});

test('a hundred at once do the work once', async () => {
  const key = newKey();
  const replies = await Promise.all(
    Array.from({ length: 60 }, (_, i) => post(key, { symbol: 'CROWD' }, { server: i % 2 })),
  );
  const statuses = new Set(replies.map(({ status }) => status));
  assert.ok(
    [...statuses].every((status) => status === 201 || status === 409),
    [...statuses].join(),
  );
  assert.equal(calls, 1);
  assert.equal(await countOf('CROWD'), 1);
});

test('a problem that would come again is an answer; one that may pass is not', async () => {
  const key = newKey();
  const refused = await post(key, { symbol: 'REFUSED' });
  assert.equal(refused.json.code, 'NOT_POSSIBLE_NOW');
  const again = await post(key, { symbol: 'REFUSED' });
  assert.deepEqual([again.text, again.headers.get('idempotent-replayed')], [refused.text, 'true']);
  assert.match(again.headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.equal(calls, 1);
  const second = newKey();
  assert.equal((await post(second, { symbol: 'BROKEN' })).status, 500);
  assert.equal((await post(second, { symbol: 'BROKEN' })).status, 500);
  assert.equal(calls, 3, 'the key was free again');
});

test('a request that is refused before its work leaves its key free', async () => {
  const key = newKey();
  assert.equal((await post(key, { symbol: 7 })).status, 400);
  assert.equal((await post(key, { symbol: 'FREE' })).status, 201);
  for (const wrong of ['short', 'with a space', 'x'.repeat(201)]) {
    const reply = await post(wrong, { symbol: 'KEY' });
    assert.equal(reply.status, 400, wrong);
    assert.deepEqual(problem.parse(reply.json).details[0]?.path, 'header.Idempotency-Key');
  }
});

test('work whose answer was lost is not done again', async () => {
  const key = newKey();
  meanwhile = async () => {
    throw new Error('the process was lost between its commit and its answer');
  };
  assert.equal((await post(key, { symbol: 'LOST' })).status, 500);
  meanwhile = async () => {};
  const again = await post(key, { symbol: 'LOST' });
  assert.deepEqual([again.status, again.json.code], [409, 'ANSWER_LOST']);
  assert.equal(await countOf('LOST'), 1);
});

test('a process that lost its key to another cannot commit', async () => {
  const key = newKey();
  const symbols = ['TAKEN'];
  // The lease ends under the first server, and the second takes over before the first commits.
  const server = servers[0]!;
  const original = server.database.transaction.bind(server.database);
  let isTaken = false;
  server.database.transaction = async (principal, work, options) =>
    original(
      principal,
      async (tx) => {
        const result = await work(tx);
        if (!isTaken && calls === 1) {
          isTaken = true;
          await db.migrator.query(`UPDATE edge.idempotency_key SET lease = gen_random_uuid() WHERE state = 'running'`);
        }
        return result;
      },
      options,
    );
  const reply = await post(key, { symbol: symbols[0] });
  server.database.transaction = original;
  assert.deepEqual([reply.status, reply.json.code], [409, 'KEY_IN_USE']);
  assert.equal(reply.headers.get('retry-after'), '1');
  assert.equal(await countOf('TAKEN'), 0);
});

test('a key whose process died before it did anything is taken over when its lease ends', async () => {
  const key = newKey();
  meanwhile = async () => {};
  await post(key, { symbol: 'DIED' });
  await db.migrator.query(
    `UPDATE edge.idempotency_key SET state = 'running', status = NULL, answer_sealed = NULL WHERE state = 'answered'`,
  );
  assert.equal((await post(key, { symbol: 'DIED2' })).json.code, 'KEY_REUSED');
  assert.equal((await post(key, { symbol: 'DIED' })).json.code, 'KEY_IN_USE');
  await db.migrator.query(`UPDATE edge.idempotency_key SET leased_until = now() - interval '1 second'`);
  await db.migrator.query(`DELETE FROM instrument WHERE symbol = 'DIED'`);
  assert.equal((await post(key, { symbol: 'DIED' })).status, 201);
});

test('an upload is told apart by its bytes and its address', async () => {
  const key = newKey();
  const send = (body: string, query = '', server = 0) =>
    servers[server]!.call('POST', `/test/upload${query}`, {
      token,
      body,
      headers: { 'idempotency-key': key, 'content-type': 'application/octet-stream' },
    });
  const bytes = 'date,symbol,close\n'.repeat(20_000);
  const first = await send(bytes);
  assert.deepEqual(first.json, { byteCount: bytes.length, calls: 1 });
  const again = await send(bytes, '', 1);
  assert.deepEqual([again.text, again.headers.get('idempotent-replayed')], [first.text, 'true']);
  assert.equal((await send(`${bytes}x`)).json.code, 'KEY_REUSED');
  assert.equal((await send(bytes, '?fileName=b.csv')).json.code, 'KEY_REUSED');
  assert.equal(calls, 1);
});

test('answers and requests are stored so that a reader of the table learns no secret, and one tenant not of another', async () => {
  const key = newKey();
  await post(key, { symbol: 'SEALED', secret: 'hunter2hunter2' });
  const { rows } = await db.migrator.query(
    `SELECT string_agg(k::text, '|') AS text, string_agg(encode(answer_sealed, 'escape'), '|') AS bytes FROM edge.idempotency_key k`,
  );
  for (const word of ['hunter2', 'SEALED', key]) {
    assert.ok(!rows[0].text.includes(word) && !rows[0].bytes.includes(word), word);
  }
  const seen = await db.database.transaction({ tenantId: 99, actorId: null }, ({ client }) =>
    client.query('SELECT count(*)::int AS n FROM edge.idempotency_key'),
  );
  assert.equal(seen.rows[0].n, 0);
});

test('after a day a key is forgotten', async () => {
  const key = newKey();
  await post(key, { symbol: 'OLD' });
  const { rows } = await db.migrator.query('SELECT count(*)::int AS n FROM edge.idempotency_key');
  assert.ok(rows[0].n > 1);
  await db.migrator.query(`UPDATE edge.idempotency_key SET created_at = now() - interval '25 hours'`);
  assert.equal(await servers[0]!.edges.keptAnswers.forgetOld(), rows[0].n);
  assert.equal(await servers[0]!.edges.keptAnswers.forgetOld(), 0);
});

test('the client sends a key with every POST, and the same one again when no answer came', async () => {
  const seen: { path: string; key: string | undefined }[] = [];
  const answers: (() => Response)[] = [
    () => {
      throw new TypeError('fetch failed');
    },
    () => Response.json({ code: 'KEY_IN_USE', ...problemLike() }, { status: 409 }),
    () => Response.json({ id: 1 }, { status: 201 }),
  ];
  const client = createClient(async (path, { headers }) => {
    seen.push({ path, key: headers['idempotency-key'] });
    return answers.shift()!();
  });
  const made = await client.call(createUniverse, { body: { name: 'a', rule: 'list', sourceId: 1 } });
  assert.equal(made.id, 1);
  assert.equal(seen.length, 3);
  assert.match(seen[0]!.key ?? '', /^[0-9a-f]{32}$/);
  assert.equal(new Set(seen.map(({ key }) => key)).size, 1);
});

function problemLike() {
  return { type: '/problems', title: 'a', status: 409, detail: 'a', requestId: 'r', retryable: true, details: [] };
}
