import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { isMainThread } from 'node:worker_threads';
import { randomId } from './random-id.ts';

/** Where running work stands in a trace (W3C Trace Context). Everything that one request caused has one trace id. */
export type Trace = Readonly<{
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits: the span that is running. */
  spanId: string;
  /** False when whoever began the trace asked not to record it. */
  isSampled: boolean;
}>;

/** A piece of work that has ended. Times are milliseconds since 1970. */
export type Span = Readonly<{
  traceId: string;
  spanId: string;
  parentSpanId: string | null;
  name: string;
  kind: SpanKind;
  startedAtMs: number;
  endedAtMs: number;
  attributes: Attributes;
  /** What went wrong, without secrets; null when nothing did. */
  problem: string | null;
}>;
export type SpanKind = 'server' | 'client' | 'consumer' | 'internal';
export type Attributes = Record<string, string | number | boolean>;

/** A span under way. */
export type OpenSpan = { trace: Trace; end(outcome?: { problem?: string | null; attributes?: Attributes }): void };

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const TEXT_LENGTH_MAX = 256;

const traces = new AsyncLocalStorage<Trace>();
const sinks = new Set<(span: Span) => void>();

/** Reads the header of the standard. Null for anything malformed: then the work begins a trace of its own. */
export function parseTraceparent(text: unknown): Trace | null {
  if (typeof text !== 'string' || text.length > TEXT_LENGTH_MAX) return null;
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(text) ?? [];
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return null;
  // Later versions may append fields, the present one may not; ff is never valid, and zeros mean "no trace".
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function formatTraceparent({ traceId, spanId, isSampled }: Trace): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** A worker thread goes on with the trace of whoever started it, told by one of its arguments. */
const THREAD_ARGUMENT = '--traceparent=';
const ofThread = isMainThread
  ? null
  : parseTraceparent(process.argv.find((word) => word.startsWith(THREAD_ARGUMENT))?.slice(THREAD_ARGUMENT.length));

/** The trace of the running work; null outside one. */
export function currentTrace(): Trace | null {
  return traces.getStore() ?? ofThread;
}

/** The header to hand on to whatever the running work asks or starts; null outside a trace. */
export function currentTraceparent(): string | null {
  const trace = currentTrace();
  return trace === null ? null : formatTraceparent(trace);
}

/** Arguments for a new worker thread. */
export function threadArguments(): string[] {
  const traceparent = currentTraceparent();
  return traceparent === null ? [] : [`${THREAD_ARGUMENT}${traceparent}`];
}

/** Runs work as part of a trace; without one, as it is. */
export function inTrace<T>(trace: Trace | null, work: () => T): T {
  return trace === null ? work() : traces.run(trace, work);
}

/** Begins a span below the given one, or below the running one; a new trace when there is neither. */
export function beginSpan(
  name: string,
  kind: SpanKind,
  options: { attributes?: Attributes; parent?: Trace | null; traceId?: string } = {},
): OpenSpan {
  const parent = options.parent === undefined ? currentTrace() : options.parent;
  const trace: Trace = {
    traceId: parent?.traceId ?? options.traceId ?? randomId(16),
    spanId: randomId(8),
    isSampled: parent?.isSampled ?? true,
  };
  const startedAtMs = performance.timeOrigin + performance.now();
  let ended = false;
  return {
    trace,
    end({ problem = null, attributes } = {}) {
      if (ended || !isRecording(trace)) return;
      ended = true;
      tellSpan({
        ...{ traceId: trace.traceId, spanId: trace.spanId, parentSpanId: parent?.spanId ?? null, name, kind },
        ...{ startedAtMs, endedAtMs: performance.timeOrigin + performance.now(), problem },
        attributes: { ...options.attributes, ...attributes },
      });
    },
  };
}

/** Runs work inside a span of its own. */
export async function inSpan<T>(
  name: string,
  kind: SpanKind,
  options: { attributes?: Attributes; parent?: Trace | null },
  work: () => Promise<T>,
): Promise<T> {
  const span = beginSpan(name, kind, options);
  try {
    const result = await traces.run(span.trace, work);
    span.end();
    return result;
  } catch (error) {
    span.end({ problem: error instanceof Error ? error.name : 'Error' });
    throw error;
  }
}

/** True when somebody collects spans of this trace: spans nobody wants are not made. */
export function isRecording(trace: Trace | null): boolean {
  return sinks.size > 0 && trace !== null && trace.isSampled;
}

export function tellSpan(span: Span): void {
  for (const sink of sinks) sink(span);
}

/** Hands every ended span to a collector. Returns a function that ends it. */
export function collectSpans(sink: (span: Span) => void): () => void {
  sinks.add(sink);
  return () => void sinks.delete(sink);
}

type OutgoingRequest = {
  origin: unknown;
  path: string;
  method: string;
  headers: unknown;
  addHeader(name: string, value: string): unknown;
};
const outgoing = new WeakMap<object, OpenSpan>();
let isInstalled = false;

/**
 * Gives every outgoing HTTP request (fetch, undici) of running work the traceparent of its trace, whoever wrote the client.
 * Requests outside a trace go out as they are. The address is told without its query, which may hold a key.
 */
export function traceOutgoingRequests(): void {
  if (isInstalled) return;
  isInstalled = true;
  subscribe('undici:request:create', (message) => {
    const { request } = message as { request: OutgoingRequest };
    const parent = currentTrace();
    if (parent === null || String(request.headers).toLowerCase().includes('traceparent')) return;
    const span = beginSpan(request.method, 'client', {
      parent,
      attributes: {
        'http.request.method': request.method,
        'server.address': String(request.origin),
        'url.path': request.path.split('?')[0] ?? '',
      },
    });
    request.addHeader('traceparent', formatTraceparent(span.trace));
    outgoing.set(request, span);
  });
  subscribe('undici:request:headers', (message) => {
    const { request, response } = message as { request: object; response: { statusCode: number } };
    const { statusCode } = response;
    outgoing.get(request)?.end({
      problem: statusCode >= 400 ? `HTTP ${statusCode}` : null,
      attributes: { 'http.response.status_code': statusCode },
    });
  });
  subscribe('undici:request:error', (message) => {
    const { request, error } = message as { request: object; error: Error };
    outgoing.get(request)?.end({ problem: error.name });
  });
}
