import { createHash, type Hmac } from 'node:crypto';
import { pipeline, type Readable, Transform } from 'node:stream';
import { UPLOAD_BYTES_MAX } from '@touchstone/contracts/data';
import type { Problem } from '@touchstone/contracts/problems';
import { type Route, takesKey } from '@touchstone/contracts/route';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ProblemError } from '../problem-error.ts';
import type { ReadyAnswer } from './answer-cache.ts';
import { countCaller, countStranger } from './count-request.ts';
import type { Edges } from './edges.ts';
import { type KeptAnswer, type KeyedRequest, readKey } from './kept-answers.ts';
import { PROBLEM_TYPE, toProblem } from './problem-document.ts';
import type { Caller, Serve } from './serve.ts';
import { findUnfit } from './unfit-values.ts';
import { findUnknownFields } from './unknown-fields.ts';

/** Who sent this request; null when nobody can be told. */
export type Authenticate = (request: FastifyRequest) => Promise<Caller | null>;

export const API_PREFIX = '/api/v1';
const DETAILS_MAX = 50;
const READMIT_MS = 5_000;
const JSON_TYPE = 'application/json; charset=utf-8';

/** Whoever calls a public route without credentials. Holds no right beyond public routes. */
const NOBODY: Caller = { tenantId: 0, actorId: null, role: 'visitor', scopes: [], family: null, keyId: null };

declare module 'fastify' {
  interface FastifyContextConfig {
    routeId?: string;
    takesBytes?: boolean;
  }
  interface FastifyRequest {
    caller: Caller;
  }
}

/** Makes the function that slices register their routes with. Call it before the app is ready. */
export function createServe(app: FastifyInstance, authenticate: Authenticate, served: Route[], edges: Edges): Serve {
  app.decorateRequest('caller');
  const streams = new Set<FastifyReply>();
  // An open stream would keep the server from closing.
  app.addHook('preClose', async () => {
    for (const reply of streams) reply.raw.end();
  });
  const onStream = (route: Route, request: FastifyRequest, reply: FastifyReply) => {
    if (reply.raw.closed) return;
    streams.add(reply);
    reply.raw.once('close', () => streams.delete(reply));
    keepAdmitting(route, request, reply, authenticate);
  };
  return (route, handle) => {
    if (served.some((other) => other.id === route.id)) throw new Error(`Route ${route.id} is served twice.`);
    served.push(route);
    // A route that takes bytes lives in a context of its own, where every content type is a raw stream.
    const add = async (scope: FastifyInstance) => {
      if (route.takes === 'bytes') takeBytes(scope);
      // The parts were checked by the schemas the handler's types come from; TypeScript cannot follow that.
      addRoute(scope, route, { authenticate, edges, onStream }, (call) => handle(call as never));
    };
    app.register(add);
  };
}

/** What is known of a body of bytes while it is read. */
type BytesState = { pieceMs: number; mac: Hmac | null; isBegun: boolean };
const bytesStates = new WeakMap<FastifyRequest, BytesState>();

/** Says that `bytesOf` will read this body, and how long it waits between two pieces. */
export function expectBytes(request: FastifyRequest, pieceMs: number): void {
  bytesStates.set(request, { pieceMs, mac: null, isBegun: false });
}

/** The body of a route that takes bytes, ended with TOO_LARGE beyond the limit. Read it once. */
export function bytesOf(request: FastifyRequest, byteCountMax = UPLOAD_BYTES_MAX): Readable {
  const state = bytesStates.get(request);
  let byteCount = 0;
  if (state !== undefined) state.isBegun = true;
  const limited = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      byteCount += chunk.length;
      state?.mac?.update(chunk);
      patience?.refresh();
      if (byteCount > byteCountMax) done(tooLarge(byteCountMax));
      else done(null, chunk);
    },
  });
  const patience =
    state === undefined
      ? undefined
      : setTimeout(() => {
          // With something left to read it is the reader who is slow, not the sender.
          if (limited.readableLength > 0) patience?.refresh();
          else limited.destroy(tooSlow());
        }, state.pieceMs);
  // The reader meets the error at its end of the pipe; nobody waits at this one.
  return pipeline(request.raw, limited, () => clearTimeout(patience));
}

export function tooSlow(): ProblemError {
  return new ProblemError('TOO_SLOW', 'The rest of the request did not come. Send it again.');
}

function tooLarge(byteCountMax: number): ProblemError {
  return new ProblemError('TOO_LARGE', `At most ${byteCountMax} bytes can be sent at once.`);
}

/** Inside this scope every content type is a raw stream. */
export function takeBytes(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
}

type LooseCall = {
  caller: Caller;
  params: unknown;
  query: unknown;
  body: unknown;
  requestId: string;
  request: FastifyRequest;
  reply: FastifyReply;
};

type RouteParts = {
  authenticate: Authenticate;
  edges: Edges;
  /** Looks after a stream of events that was opened. */
  onStream: (route: Route, request: FastifyRequest, reply: FastifyReply) => void;
};

function addRoute(
  app: FastifyInstance,
  route: Route,
  { authenticate, edges, onStream }: RouteParts,
  handle: (call: LooseCall) => Promise<unknown>,
): void {
  const isKeyed = takesKey(route);
  const isJson = (route.gives ?? 'json') === 'json';
  app.route({
    method: route.method,
    url: `${API_PREFIX}${route.path}`,
    exposeHeadRoute: route.method === 'GET' && isJson,
    config: { routeId: route.id, takesBytes: route.takes === 'bytes' },
    // Before the body is read: a stranger's gigabyte is refused at its first byte.
    async onRequest(request, reply) {
      request.caller = await admit(route, request, reply, authenticate, edges);
      const announced = Number(request.headers['content-length'] ?? 0);
      if (route.takes === 'bytes' && announced > UPLOAD_BYTES_MAX) throw tooLarge(UPLOAD_BYTES_MAX);
    },
    async handler(request, reply) {
      const broken: Problem['details'] = [];
      const params = readPart(route.params, request.params, 'params', broken);
      const query = readPart(route.query, request.query, 'query', broken);
      const body = route.takes === 'bytes' ? undefined : readPart(route.body, request.body, 'body', broken);
      if (broken.length > 0) throw refusal(broken);
      const { id: requestId, caller } = request;
      const call = { caller, params, query, body, requestId, request, reply };
      if (route.takes === 'bytes') expectBytes(request, edges.patience.bodyMs);
      const key = route.method === 'POST' ? readKey(request.headers['idempotency-key']) : null;
      if (isKeyed && key !== null && caller.actorId !== null) {
        const keyed = toKeyedRequest(route, request, caller.actorId, key, edges);
        const { status, text, isReplayed } = await edges.keptAnswers.once(keyed, () =>
          answerToKeep(route, call, handle),
        );
        if (isReplayed) reply.header('idempotent-replayed', 'true');
        return sendKept(status, text, reply);
      }
      if (route.method === 'GET' && isJson) {
        const make = async () => toReady(route, await handle(call));
        const ready = await edges.answerCache.load(route, caller, request.url, make);
        return sendReady(ready, request, reply);
      }
      const answer = await handle(call);
      if (route.gives === 'events') onStream(route, request, reply);
      if (answer === reply || reply.sent) return reply;
      return sendKept(route.status, toText(route, answer), reply);
    },
  });
}

/** Says who asks, counts the request, and refuses who may not. */
export async function admit(
  route: Pick<Route, 'scope' | 'limit'>,
  request: FastifyRequest,
  reply: FastifyReply,
  authenticate: Authenticate,
  { limits }: Edges,
): Promise<Caller> {
  const { scope } = route;
  if (scope === 'public') {
    await countStranger(limits, route.limit ?? 'address', request, reply);
    return NOBODY;
  }
  const caller = await authenticate(request);
  if (caller === null || caller.actorId === null) await countStranger(limits, 'address', request, reply);
  if (caller === null) throw new ProblemError('NOT_SIGNED_IN', 'Sign in, or send a valid access token.');
  if (caller.actorId !== null) await countCaller(limits, caller, reply);
  if (route.limit === 'auth') await countStranger(limits, 'auth', request, reply);
  if (!caller.scopes.includes(scope)) {
    const who = caller.keyId === null ? `the role ${caller.role}` : 'this API key';
    throw new ProblemError('FORBIDDEN', `This needs the right "${scope}", which ${who} does not have.`);
  }
  return caller;
}

/** A stream outlives the moment it was admitted in: whoever loses the right to it loses the stream as well. */
function keepAdmitting(
  { scope }: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  authenticate: Authenticate,
): void {
  if (scope === 'public') return;
  const check = async () => {
    const caller = await authenticate(request);
    if (!caller?.scopes.includes(scope)) reply.raw.end();
  };
  const timer = setInterval(() => void check().catch(() => reply.raw.end()), READMIT_MS);
  reply.raw.once('close', () => clearInterval(timer));
}

function toKeyedRequest(
  route: Route,
  request: FastifyRequest,
  actorId: number,
  key: string,
  { keptAnswers }: Edges,
): KeyedRequest {
  const principal = { tenantId: request.caller.tenantId, actorId };
  const told = `${request.method} ${request.url}\n`;
  const common = { principal, routeId: route.id, key };
  const state = bytesStates.get(request);
  if (state === undefined) return { ...common, fingerprint: told + (JSON.stringify(request.body) ?? '') };
  const mac = keptAnswers.startMac().update(told);
  state.mac = mac;
  let digest: Buffer | undefined;
  return {
    ...common,
    fingerprint: null,
    async bodyMac() {
      // Nobody reads a body whose answer is known, but it must be read to know whether it is the same.
      if (!state.isBegun) for await (const _chunk of bytesOf(request));
      digest ??= mac.digest();
      return digest;
    },
  };
}

/** The outcome of a request as it will be repeated: an answer, or a problem that would come again. */
async function answerToKeep(
  route: Route,
  call: LooseCall,
  handle: (call: LooseCall) => Promise<unknown>,
): Promise<KeptAnswer> {
  try {
    return { status: route.status, text: toText(route, await handle(call)) };
  } catch (error) {
    const { problem } = toProblem(error, call.requestId);
    // A body that was not read to its end cannot be compared with another.
    if (problem.status >= 500 || problem.retryable || route.takes === 'bytes') throw error;
    return { status: problem.status, text: JSON.stringify(problem) };
  }
}

function readPart(
  schema: z.ZodType | undefined,
  value: unknown,
  place: 'params' | 'query' | 'body',
  broken: Problem['details'],
): unknown {
  if (schema === undefined) {
    if (place === 'body' && value !== undefined && value !== null) {
      broken.push({ path: 'body', rule: 'Must be empty: this route takes no body.' });
    } else if (place === 'query') {
      for (const key of Object.keys(value ?? {})) broken.push({ path: `query.${key}`, rule: 'Is not known here.' });
    }
    return undefined;
  }
  const unfit = findUnfit(value, place);
  if (unfit.length > 0) {
    broken.push(...unfit);
    return undefined;
  }
  for (const path of findUnknownFields(schema, value, place)) broken.push({ path, rule: 'Is not known here.' });
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    broken.push({ path: [place, ...issue.path.map(String)].join('.'), rule: `${issue.message}.` });
  }
  return undefined;
}

function refusal(broken: Problem['details']): ProblemError {
  const first = broken[0]!;
  const more = broken.length > 1 ? ` And ${broken.length - 1} more.` : '';
  return new ProblemError('INVALID_REQUEST', `${first.path}: ${first.rule}${more}`, {
    details: broken.slice(0, DETAILS_MAX),
  });
}

/** @throws if the answer is not what the contract says. */
function toText(route: Route, answer: unknown): string {
  if (route.status === 204 || route.answer === undefined) return '';
  const parsed = route.answer.safeParse(answer);
  if (!parsed.success) {
    const issues = parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`The answer of ${route.id} does not fit its schema: ${issues.join('; ')}`);
  }
  return JSON.stringify(parsed.data);
}

function toReady(route: Route, answer: unknown): ReadyAnswer {
  const text = toText(route, answer);
  return { body: text, etag: `W/"${createHash('sha1').update(text).digest('base64url')}"` };
}

function sendReady({ body, etag }: ReadyAnswer, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // The answer depends on who asks, so only the asker's own cache may keep it, and must ask again.
  reply.headers({ etag, 'cache-control': 'private, no-cache', vary: 'authorization' });
  const known = request.headers['if-none-match'];
  if (known !== undefined && isAmong(etag, known)) return reply.code(304).send();
  return reply.code(200).type(JSON_TYPE).send(body);
}

/** The header lists tags, weak or strong; a weak comparison is enough to leave a body out (RFC 9110, 13.1.2). */
function isAmong(etag: string, header: string): boolean {
  if (header === etag || header === '*') return true;
  const opaque = etag.replace(/^W\//, '');
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === opaque);
}

function sendKept(status: number, text: string, reply: FastifyReply): FastifyReply {
  reply.code(status);
  if (text === '') return reply.send();
  return reply
    .type(status < 400 ? JSON_TYPE : PROBLEM_TYPE)
    .header('cache-control', 'no-store')
    .send(text);
}
