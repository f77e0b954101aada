import type { FastifyReply } from 'fastify';

/** A stream of server-sent events to one caller. */
export type EventStream = {
  tell(event: string, data: unknown): void;
  end(): void;
  /** Called once when nobody reads any more, whoever ended it. */
  onClose(listener: () => void): void;
};

const PING_MS = 15_000;
/** A stream ends with the access token it was opened with; the page opens the next one. */
const STREAM_LIFE_MS = 15 * 60_000;
/** A reader that is this far behind has gone away or is better off with a new stream. */
const UNREAD_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Turns an answer into a stream of events; the route returns the reply afterwards. It ends with the caller's right to it
 * and with the server: whoever serves the route looks after that.
 */
export function openEventStream(reply: FastifyReply): EventStream {
  const { raw } = reply;
  reply.hijack();
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(reply.getHeaders())) headers[name] = String(value);
  raw.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // A proxy that buffers would hold events back.
    'x-accel-buffering': 'no',
  });
  const write = (text: string) => {
    if (raw.writableEnded || raw.destroyed) return;
    if (raw.writableLength > UNREAD_BYTES_MAX) raw.destroy();
    else raw.write(text);
  };
  write(': open\n\n');
  const ping = setInterval(() => write(': ping\n\n'), PING_MS);
  const life = setTimeout(() => raw.end(), STREAM_LIFE_MS);
  raw.once('close', () => {
    clearInterval(ping);
    clearTimeout(life);
  });
  return {
    tell: (event, data) => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
    end: () => void raw.end(),
    onClose(listener) {
      if (raw.closed) listener();
      else raw.once('close', listener);
    },
  };
}
