import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import path from 'node:path';
import { PassThrough, pipeline } from 'node:stream';
import zlib from 'node:zlib';
import compress from '@fastify/compress';
import cookie from '@fastify/cookie';
import cors from '@fastify/cors';
import staticFiles from '@fastify/static';
import type { Route } from '@touchstone/contracts/route';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { ProblemError } from '../problem-error.ts';
import type { Patience } from './edges.ts';
import { PROBLEM_TYPE, toProblem } from './problem-document.ts';
import { requestIdOf } from './request-id.ts';
import { addSecurityHeaders } from './security-headers.ts';
import { API_PREFIX, tooSlow } from './serve-routes.ts';

export type HttpOptions = {
  log: FastifyBaseLogger;
  /** Built pages; null or a missing folder: none are served. */
  webFolder: string | null;
  trustProxy: boolean;
  /** The routes served so far, for answers that name them. */
  served: readonly Route[];
  /** Pages of other origins that may call the API. */
  allowedOrigins: readonly string[];
  patience: Patience;
};

const BODY_BYTES_MAX = 1024 * 1024;
const CLOSE_GRACE_MS = 5_000;
const COMPRESS_FROM_BYTES = 1024;
const PREFLIGHT_SECONDS = 600;
/** Addresses a reverse proxy may have when it is trusted. */
const PROXY_ADDRESSES = 'loopback, linklocal, uniquelocal';

/** The one Fastify app: ids, headers, problems, compression, pages. Routes come later through Serve. */
export async function createHttpApp(options: HttpOptions): Promise<FastifyInstance> {
  const { patience } = options;
  const app = Fastify({
    loggerInstance: options.log,
    // One line a request is written below, when its outcome is known.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: (request) => requestIdOf(request.headers),
    bodyLimit: BODY_BYTES_MAX,
    trustProxy: options.trustProxy ? PROXY_ADDRESSES : false,
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: false },
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    requestTimeout: patience.requestMs,
    http: { headersTimeout: patience.headersMs, connectionsCheckingInterval: Math.min(5_000, patience.headersMs) },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
    clientErrorHandler: answerBrokenRequest,
  });
  app.server.maxConnections = patience.connectionsMax;
  // Without its own parser for text, a body of the wrong kind is refused instead of read.
  app.removeContentTypeParser('text/plain');
  addSecurityHeaders(app);
  app.addHook('onResponse', async (request, reply) => {
    const level = reply.statusCode >= 500 ? 'error' : 'info';
    request.log[level](
      {
        traceId: request.id,
        method: request.method,
        // A sign-in provider sends the browser back to a page with a code in the query.
        url: request.url.startsWith('/api') ? request.url : request.url.split('?')[0],
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
      },
      'request',
    );
  });
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  // Requests under way may finish; whoever just holds a connection open does not keep the server from stopping.
  app.addHook('preClose', async () => {
    setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS).unref();
  });
  addBodyPatience(app, patience.bodyMs);
  if (options.allowedOrigins.length > 0) await addOtherOrigins(app, options.allowedOrigins);
  await app.register(cookie);
  await app.register(compress, {
    threshold: COMPRESS_FROM_BYTES,
    encodings: ['br', 'gzip'],
    // The default quality of 11 takes a second for a megabyte; 5 packs 6 % tighter than 4 in about the same time.
    brotliOptions: { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } },
  });
  await addPages(app, options);
  return app;
}

function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { problem, isBug } = toProblem(error, request.id);
  if (isBug) request.log.error({ err: error }, 'unexpected');
  else if (problem.status >= 500) request.log.warn({ err: error }, problem.code);
  if (problem.code === 'DATABASE_AWAY') reply.header('retry-after', '2');
  if (problem.code === 'KEY_IN_USE') reply.header('retry-after', '1');
  if (error instanceof ProblemError && error.retryAfterSeconds !== undefined) {
    reply.header('retry-after', String(error.retryAfterSeconds));
  }
  if (problem.code === 'NOT_SIGNED_IN') reply.header('www-authenticate', 'Bearer');
  // What is left of a refused upload is not read; the connection cannot be used again.
  if (!request.raw.complete) reply.header('connection', 'close');
  for (const name of ['etag', 'content-length', 'content-encoding']) reply.removeHeader(name);
  return reply
    .code(problem.status)
    .type(PROBLEM_TYPE)
    .header('cache-control', 'no-store')
    .send(JSON.stringify(problem));
}

/** Without a list nothing is said about other origins, and browsers keep them out. */
async function addOtherOrigins(app: FastifyInstance, allowed: readonly string[]): Promise<void> {
  await app.register(cors, {
    // The list and nothing else: no wildcard, no echo of whoever asks. Cookies stay with our own pages.
    origin: [...allowed],
    credentials: false,
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-none-match', 'traceparent'],
    exposedHeaders: [
      ...['etag', 'retry-after', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'],
      ...['idempotent-replayed', 'x-request-id'],
    ],
    maxAge: PREFLIGHT_SECONDS,
    strictPreflight: false,
  });
}

/** A body that is parsed as a whole must be there in time; one that is read as it comes has a patience of its own. */
function addBodyPatience(app: FastifyInstance, bodyMs: number): void {
  app.addHook('preParsing', async (request, _reply, payload) => {
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    if ((length === undefined || length === '0') && encoding === undefined) return payload;
    if (request.routeOptions.config.takesBytes) return payload;
    const timed = new PassThrough();
    const timer = setTimeout(() => timed.destroy(tooSlow()), bodyMs);
    return pipeline(payload, timed, () => clearTimeout(timer));
  });
}

/** What cannot be read as HTTP has no request to answer; so the answer is written by hand. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.destroyed) {
    socket.destroy();
    return;
  }
  const told = BROKEN[error.code ?? ''] ?? new ProblemError('INVALID_REQUEST', 'This is not a request in HTTP.');
  const text = JSON.stringify(toProblem(told, randomBytes(16).toString('hex')).problem);
  const head = [
    `HTTP/1.1 ${told.status} ${STATUS_CODES[told.status] ?? ''}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(text)}`,
    ...['x-content-type-options: nosniff', 'cache-control: no-store', 'connection: close'],
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
}

const BROKEN: Record<string, ProblemError> = {
  ERR_HTTP_REQUEST_TIMEOUT: tooSlow(),
  HPE_HEADER_OVERFLOW: new ProblemError('TOO_LARGE', 'The address and the headers together are too long.'),
};

async function addPages(app: FastifyInstance, options: HttpOptions): Promise<void> {
  const index = options.webFolder === null ? null : path.join(options.webFolder, 'index.html');
  const hasPages = options.webFolder !== null && index !== null && existsSync(index);
  if (options.webFolder !== null && hasPages) {
    await app.register(staticFiles, {
      root: options.webFolder,
      cacheControl: false,
      setHeaders(reply, file) {
        // Vite names everything below assets after its content; a page itself must be asked for again.
        const isHashed = file.includes(`${path.sep}assets${path.sep}`);
        reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  }
  app.setNotFoundHandler((request, reply) => {
    const url = request.url.split('?')[0] ?? '';
    const isPage = request.method === 'GET' && !url.startsWith('/api') && !/\.\w+$/.test(url);
    // The screens have addresses of their own; the one page finds them.
    if (isPage && hasPages) return reply.header('cache-control', 'no-cache').sendFile('index.html');
    return sendProblem(notFound(request.method, url, hasPages, options.served), request, reply);
  });
}

function notFound(method: string, url: string, hasPages: boolean, served: readonly Route[]): ProblemError {
  const others = served.filter((route) => fits(route, url)).map((route) => route.method);
  if (others.length > 0) {
    return new ProblemError('NOT_FOUND', `${url} cannot be asked with ${method}. Use ${others.join(' or ')}.`);
  }
  if (!hasPages && !url.startsWith('/api')) {
    return new ProblemError('NOT_FOUND', 'The pages are not built yet. Run `npm start`, which builds them.');
  }
  return new ProblemError('NOT_FOUND', `There is no ${method} ${url}. See /api/docs for what there is.`);
}

function fits(route: Route, url: string): boolean {
  return new RegExp(`^${API_PREFIX}${route.path.replace(/:\w+/g, '[^/]+')}$`).test(url);
}
