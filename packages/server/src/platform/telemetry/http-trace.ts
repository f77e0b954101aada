import type { FastifyInstance } from 'fastify';
import { beginSpan, formatTraceparent, inTrace, type OpenSpan, parseTraceparent } from '../trace/trace.ts';

declare module 'fastify' {
  interface FastifyRequest {
    span: OpenSpan | null;
  }
}

/** Every request is a span: below the caller's when it sent a valid traceparent, else the first of a trace of its own. */
export function addTracing(app: FastifyInstance): void {
  app.decorateRequest('span', null);
  app.addHook('onRequest', (request, reply, done) => {
    const parent = parseTraceparent(request.headers.traceparent);
    const name = `${request.method} ${request.routeOptions.url ?? 'none'}`;
    // The id of a request is the id of its trace, so that one text finds both.
    request.span = beginSpan(name, 'server', {
      ...{ parent, traceId: request.id },
      attributes: { 'http.request.method': request.method, 'http.route': request.routeOptions.url ?? '' },
    });
    reply.header('traceparent', formatTraceparent(request.span.trace));
    inTrace(request.span.trace, done);
  });
  // Reading a body goes on in the socket's own context, so the trace is entered again behind it.
  app.addHook('preValidation', (request, _reply, done) => inTrace(request.span?.trace ?? null, done));
  app.addHook('onResponse', async (request, reply) => {
    request.span?.end({
      problem: reply.statusCode >= 500 ? `HTTP ${reply.statusCode}` : null,
      attributes: { 'http.response.status_code': reply.statusCode },
    });
  });
}
