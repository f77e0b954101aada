import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { registerHooks } from 'node:module';
import { after, before, test } from 'node:test';
import { defineRoute } from '@touchstone/contracts/route';
import { accepted } from '@touchstone/contracts/tasks';
import fc from 'fast-check';
import { until } from './until.ts';

// Everything else is imported below, so that whatever the server loads is seen here.
const loaded: string[] = [];
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    // The library of the metrics brings the interface (`api`) along, which does nothing by itself.
    if (/@opentelemetry\/(?!api\/)/.test(found.url)) loaded.push(specifier);
    return found;
  },
});
const { createTestDatabase } = await import('./cluster.ts');
const { startTestServer } = await import('./test-server.ts');
const { startTracing } = await import('../src/platform/telemetry/start-tracing.ts');
const { runInThread } = await import('../src/platform/compute/run-in-thread.ts');
const trace = await import('../src/platform/trace/trace.ts');
await import('../src/stages.ts');

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER_SPAN = '00f067aa0ba902b7';
const TRACEPARENT = `00-${TRACE_ID}-${CALLER_SPAN}-01`;

const startWork = defineRoute({
  ...{ id: 'testWork', method: 'POST', path: '/test/work', group: 'tasks', summary: 'Work', scope: 'task:write' },
  status: 202,
  answer: accepted,
  problems: [],
});

type Span = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  attributes: { key: string; value: Record<string, unknown> }[];
};

let db: Awaited<ReturnType<typeof createTestDatabase>>;
let server: Awaited<ReturnType<typeof startTestServer>>;
let vendor: Server;
let collector: Server;
/** What the vendor was asked with, and what the collector was sent. */
const asked: { url: string; traceparent: string | undefined }[] = [];
const collected: Span[] = [];
let ofThread: unknown;
let token: string;

before(async () => {
  vendor = createServer((request, response) => {
    asked.push({ url: request.url ?? '', traceparent: String(request.headers.traceparent) });
    response.end('{}');
  });
  collector = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    assert.equal(request.url, '/v1/traces');
    for (const resource of JSON.parse(text).resourceSpans) {
      for (const scope of resource.scopeSpans) collected.push(...scope.spans);
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  for (const each of [vendor, collector]) await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve));
  db = await createTestDatabase();
  server = await startTestServer(db, {
    runTasks: true,
    wire({ serve, tasks, database }) {
      tasks.register('test.trace.run', async () => {
        ofThread = await runInThread(new URL('./telemetry-thread.ts', import.meta.url), null);
        await (await fetch(`${addressOf(vendor)}/time_series?apikey=demo-secret-1`)).text();
        return {};
      });
      serve(startWork, async ({ caller }) => ({
        task: await database.transaction(caller, (tx) =>
          tasks.start(tx, { kind: 'test.trace.run', title: 'Trace', input: { word: 'albatross' } }),
        ),
      }));
    },
  });
  token = await server.tokenFor('owner', 7);
});
after(async () => {
  await server.close();
  await db.close();
  for (const each of [vendor, collector]) await new Promise((resolve) => each.close(resolve));
});

function addressOf(each: Server): string {
  const address = each.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

async function work(headers: Record<string, string> = {}): Promise<{ requestId: string; traceparent: string }> {
  const reply = await server.call('POST', '/test/work', { token, headers });
  assert.equal(reply.status, 202, reply.text);
  const { id } = Object(reply.json.task);
  await until(async () => {
    const { json } = await server.call('GET', `/tasks/${id}`, { token });
    assert.ok(['queued', 'running', 'done'].includes(String(json.state)), JSON.stringify(json));
    return json.state === 'done';
  }, 'the task is done');
  return {
    requestId: reply.headers.get('x-request-id') ?? '',
    traceparent: reply.headers.get('traceparent') ?? '',
  };
}

test('without a collector one trace still reaches the vendor and the log, and nothing of OpenTelemetry is loaded', async () => {
  const { requestId, traceparent } = await work({ traceparent: TRACEPARENT });
  assert.equal(requestId, TRACE_ID);
  assert.match(traceparent, new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`));
  assert.match(asked.at(-1)?.traceparent ?? '', new RegExp(`^00-${TRACE_ID}-`));
  assert.match(String(ofThread), new RegExp(`^00-${TRACE_ID}-`), 'the worker thread');
  const lines = server.lines
    .map((line) => JSON.parse(line))
    .filter((line) => line.url?.startsWith('/api/v1/test/work'));
  assert.deepEqual([lines[0]?.traceId, lines[0]?.requestId], [TRACE_ID, TRACE_ID]);
  assert.deepEqual(loaded, []);
});

test('with a collector one trace spans the request, its task, the statements and the call to the vendor', async () => {
  const tracing = await startTracing(addressOf(collector), '1.2.3', server.database, { warn: () => {} });
  assert.ok(loaded.length > 0, 'now it is loaded: the test above can fail');
  await work({ traceparent: TRACEPARENT });
  await tracing.flush();
  const ours = collected.filter((span) => span.traceId === TRACE_ID);
  const named = (name: string) => {
    const span = ours.find((candidate) => candidate.name === name);
    assert.ok(span, `${name} is among ${ours.map((each) => each.name).join(', ')}`);
    return span;
  };
  const request = named('POST /api/v1/test/work');
  const task = named('task test.trace.run');
  const call = named('GET');
  assert.equal(request.parentSpanId, CALLER_SPAN);
  assert.equal(task.parentSpanId, request.spanId);
  assert.equal(call.parentSpanId, task.spanId);
  assert.equal(asked.at(-1)?.traceparent, `00-${TRACE_ID}-${call.spanId}-01`);
  const statement = ours.find((span) => span.name === 'insert' && span.parentSpanId === request.spanId);
  assert.ok(statement, 'a statement of the request');
  const told = JSON.stringify(collected);
  assert.ok(!told.includes('demo-secret-1'), 'no query of an address');
  assert.ok(!told.includes('albatross'), 'no value of a statement');

  collected.length = 0;
  await work({ traceparent: `00-${TRACE_ID}-${CALLER_SPAN}-00` });
  await tracing.flush();
  assert.deepEqual(
    collected.filter((span) => span.traceId === TRACE_ID),
    [],
    'a trace its caller does not sample is not recorded',
  );
  await tracing.close();
});

test('a malformed traceparent is ignored: the request begins a trace of its own', async () => {
  const malformed = [
    'rubbish',
    `00-${'0'.repeat(32)}-${CALLER_SPAN}-01`,
    `00-${TRACE_ID}-${'0'.repeat(16)}-01`,
    `ff-${TRACE_ID}-${CALLER_SPAN}-01`,
    `00-${TRACE_ID.toUpperCase()}-${CALLER_SPAN}-01`,
    `00-${TRACE_ID}-${CALLER_SPAN}-01-more`,
    `00-${TRACE_ID.slice(1)}-${CALLER_SPAN}-01`,
  ];
  for (const traceparent of malformed) {
    assert.equal(trace.parseTraceparent(traceparent), null, traceparent);
    const reply = await server.call('GET', '/tasks', { token, headers: { traceparent } });
    assert.equal(reply.status, 200);
    const requestId = reply.headers.get('x-request-id') ?? '';
    assert.match(requestId, /^[0-9a-f]{32}$/);
    assert.notEqual(requestId, TRACE_ID);
    assert.equal(reply.headers.get('traceparent')?.split('-')[1], requestId);
  }
  assert.ok(trace.parseTraceparent(`01-${TRACE_ID}-${CALLER_SPAN}-01-more`), 'a later version may append');
});

test('what is written can be read, and no text makes reading fail', () => {
  const hex = (length: number) =>
    fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((text) => !/^0+$/.test(text));
  fc.assert(
    fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, isSampled) => {
      const written = { traceId, spanId, isSampled };
      assert.deepEqual(trace.parseTraceparent(trace.formatTraceparent(written)), written);
    }),
  );
  fc.assert(fc.property(fc.anything(), (value) => void trace.parseTraceparent(value)));
});

test('a request outside a trace goes out as it is', async () => {
  await (await fetch(`${addressOf(vendor)}/plain`)).text();
  assert.deepEqual(asked.at(-1), { url: '/plain', traceparent: 'undefined' });
});
