import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { parseTraceparent } from '../trace/trace.ts';

/** The trace id of a W3C traceparent header, or a new id of the same form. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  return parseTraceparent(headers.traceparent)?.traceId ?? randomBytes(16).toString('hex');
}
