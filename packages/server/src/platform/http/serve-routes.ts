import { createHash } from 'node:crypto';
import { pipeline, type Readable, Transform } from 'node:stream';
import { UPLOAD_BYTES_MAX } from '@touchstone/contracts/data';
import type { Scope } from '@touchstone/contracts/policy';
import type { Problem } from '@touchstone/contracts/problems';
import type { Route } from '@touchstone/contracts/route';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ProblemError } from '../problem-error.ts';
import type { Caller, Serve } from './serve.ts';
import { findUnfit } from './unfit-values.ts';
import { findUnknownFields } from './unknown-fields.ts';

/** Who sent this request; null when nobody can be told. */
export type Authenticate = (request: FastifyRequest) => Promise<Caller | null>;

export const API_PREFIX = '/api/v1';
const DETAILS_MAX = 50;

/** Whoever calls a public route without credentials. Holds no right beyond public routes. */
const NOBODY: Caller = { tenantId: 0, actorId: null, role: 'visitor', scopes: [], family: null, keyId: null };

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}

/** Makes the function that slices register their routes with. Call it before the app is ready. */
export function createServe(app: FastifyInstance, authenticate: Authenticate, served: Route[]): Serve {
  app.decorateRequest('caller');
  return (route, handle) => {
    if (served.some((other) => other.id === route.id)) throw new Error(`Route ${route.id} is served twice.`);
    served.push(route);
    // A route that takes bytes lives in a context of its own, where every content type is a raw stream.
    const add = async (scope: FastifyInstance) => {
      if (route.takes === 'bytes') takeBytes(scope);
      // The parts were checked by the schemas the handler's types come from; TypeScript cannot follow that.
      addRoute(scope, route, authenticate, (call) => handle(call as never));
    };
    app.register(add);
  };
}

/** The body of a route that takes bytes, ended with TOO_LARGE beyond the limit. Read it once. */
export function bytesOf(request: FastifyRequest, byteCountMax = UPLOAD_BYTES_MAX): Readable {
  let byteCount = 0;
  const limited = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      byteCount += chunk.length;
      if (byteCount > byteCountMax) done(tooLarge(byteCountMax));
      else done(null, chunk);
    },
  });
  // The reader meets the error at its end of the pipe; nobody waits at this one.
  return pipeline(request.raw, limited, () => {});
}

function tooLarge(byteCountMax: number): ProblemError {
  return new ProblemError('TOO_LARGE', `At most ${byteCountMax} bytes can be sent at once.`);
}

function takeBytes(scope: FastifyInstance): void {
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

function addRoute(
  app: FastifyInstance,
  route: Route,
  authenticate: Authenticate,
  handle: (call: LooseCall) => Promise<unknown>,
): void {
  app.route({
    method: route.method,
    url: `${API_PREFIX}${route.path}`,
    config: { routeId: route.id },
    // Before the body is read: a stranger's gigabyte is refused at its first byte.
    async onRequest(request) {
      request.caller = await admit(request, route.scope, authenticate);
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
      const answer = await handle({ caller, params, query, body, requestId, request, reply });
      if (answer === reply || reply.sent) return reply;
      return sendAnswer(route, answer, request, reply);
    },
  });
}

async function admit(request: FastifyRequest, scope: Scope | 'public', authenticate: Authenticate): Promise<Caller> {
  if (scope === 'public') return NOBODY;
  const caller = await authenticate(request);
  if (caller === null) throw new ProblemError('NOT_SIGNED_IN', 'Sign in, or send a valid access token.');
  if (!caller.scopes.includes(scope)) {
    const who = caller.keyId === null ? `the role ${caller.role}` : 'this API key';
    throw new ProblemError('FORBIDDEN', `This needs the right "${scope}", which ${who} does not have.`);
  }
  return caller;
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

function sendAnswer(route: Route, answer: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.code(route.status);
  if (route.status === 204 || route.answer === undefined) return reply.send();
  const parsed = route.answer.safeParse(answer);
  if (!parsed.success) {
    const issues = parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`The answer of ${route.id} does not fit its schema: ${issues.join('; ')}`);
  }
  const text = JSON.stringify(parsed.data);
  reply.type('application/json; charset=utf-8');
  if (route.method !== 'GET') return reply.header('cache-control', 'no-store').send(text);
  const etag = `W/"${createHash('sha1').update(text).digest('base64url')}"`;
  // The answer depends on who asks, so only the asker's own cache may keep it, and must ask again.
  reply.headers({ etag, 'cache-control': 'private, no-cache', vary: 'authorization' });
  return request.headers['if-none-match'] === etag ? reply.code(304).send() : reply.send(text);
}
