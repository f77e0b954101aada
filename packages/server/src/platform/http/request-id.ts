import type { IncomingHttpHeaders } from 'node:http';
import { randomId } from '../trace/random-id.ts';
import { parseTraceparent } from '../trace/trace.ts';

/** The trace id of a W3C traceparent header, or a new id of the same form. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  return parseTraceparent(headers.traceparent)?.traceId ?? randomId(16);
}
