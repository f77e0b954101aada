import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace id of a W3C traceparent header, or a new id of the same form. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers.traceparent;
  const traceId = typeof given === 'string' ? TRACEPARENT.exec(given)?.[1] : undefined;
  // All zeros means "no trace" in the standard.
  if (traceId !== undefined && !/^0+$/.test(traceId)) return traceId;
  return randomBytes(16).toString('hex');
}
