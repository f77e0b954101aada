import type { Scope } from '@touchstone/contracts/policy';
import type { Problem } from '@touchstone/contracts/problems';
import type { Method } from '@touchstone/contracts/route';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../problem-error.ts';
import type { Edges } from './edges.ts';
import { toProblem } from './problem-document.ts';
import type { Caller } from './serve.ts';
import { type Authenticate, admit, expectBytes, takeBytes } from './serve-routes.ts';
import { findUnfit } from './unfit-values.ts';

/** A request on a foreign wire. Its parts are free of what a database cannot hold, and otherwise unchecked. */
export type WireCall = {
  caller: Caller;
  params: Record<string, string>;
  query: unknown;
  body: unknown;
  request: FastifyRequest;
  reply: FastifyReply;
};

export type WireRoute = {
  method: Method;
  /** Below the prefix, as Fastify writes paths. */
  path: string;
  scope: Scope;
  takes?: 'json' | 'bytes';
  /** @returns what is sent as JSON, or the reply after sending. */
  handle: (call: WireCall) => Promise<unknown>;
};

/** A protocol of somebody else that is spoken here beside our own: other paths, other errors, the same doors. */
export type Wire = {
  /** Where it lives, outside our own API. */
  prefix: string;
  routes: readonly WireRoute[];
  /** How its clients are told what went wrong. */
  tell: (problem: Problem) => { status: number; body: unknown };
};

export type ServeWire = (wire: Wire) => void;

/** Serves foreign wires: who asks, limits and scopes are as everywhere; only the words differ. */
export function createServeWire(app: FastifyInstance, authenticate: Authenticate, edges: Edges): ServeWire {
  return ({ prefix, routes, tell }) => {
    app.register(
      async (scope) => {
        scope.setErrorHandler((error, request, reply) => {
          const { problem, isBug } = toProblem(error, request.id);
          if (isBug) request.log.error({ err: error }, 'unexpected');
          if (!request.raw.complete) reply.header('connection', 'close');
          const { status, body } = tell(problem);
          return reply.code(status).header('cache-control', 'no-store').send(body);
        });
        scope.setNotFoundHandler((request) => {
          throw new ProblemError('NOT_FOUND', `There is no ${request.method} ${request.url.split('?')[0]} here.`);
        });
        for (const route of routes) {
          scope.register(async (own) => {
            if (route.takes === 'bytes') takeBytes(own);
            addRoute(own, route, authenticate, edges);
          });
        }
      },
      { prefix },
    );
  };
}

function addRoute(app: FastifyInstance, route: WireRoute, authenticate: Authenticate, edges: Edges): void {
  app.route<{ Params: Record<string, string> }>({
    method: route.method,
    url: route.path,
    exposeHeadRoute: false,
    config: { takesBytes: route.takes === 'bytes' },
    async onRequest(request, reply) {
      request.caller = await admit({ scope: route.scope }, request, reply, authenticate, edges);
    },
    async handler(request, reply) {
      const { caller, params, query } = request;
      const body = route.takes === 'bytes' ? undefined : request.body;
      const [unfit] = [...findUnfit(params, 'params'), ...findUnfit(query, 'query'), ...findUnfit(body, 'body')];
      if (unfit !== undefined) throw new ProblemError('INVALID_REQUEST', `${unfit.path}: ${unfit.rule}`);
      if (route.takes === 'bytes') expectBytes(request, edges.patience.bodyMs);
      const answer = await route.handle({ caller, params, query, body, request, reply });
      if (answer === reply || reply.sent) return reply;
      return reply.header('cache-control', 'no-store').send(answer);
    },
  });
}
