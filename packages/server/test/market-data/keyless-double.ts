import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { deflateRawSync } from 'node:zlib';

/**
 * Doubles of the keyless vendors on this machine. The shapes follow their public pages (a daily CSV of one symbol, the
 * ECB's table of reference rates in an archive, FRED's and ALFRED's graph data); every value is made up.
 */
export type KeylessDouble = {
  url: string;
  /** What was asked, path and query. */
  asked: string[];
  /** Answers from now on. */
  answer(next: (url: URL, request: IncomingMessage) => Answer | Promise<Answer>): void;
  close(): Promise<void>;
};

export type Answer = { status?: number; headers?: Record<string, string>; body: string | Buffer };

export async function startKeylessDouble(): Promise<KeylessDouble> {
  const asked: string[] = [];
  let answer: (url: URL, request: IncomingMessage) => Answer | Promise<Answer> = () => ({
    status: 404,
    body: 'nothing here',
  });
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://double');
    asked.push(`${url.pathname}${url.search}`);
    const { status = 200, headers = {}, body } = await answer(url, request);
    response.writeHead(status, headers);
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    asked,
    answer(next) {
      answer = next;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An archive of one deflated file, as the ECB's. */
export function zipOf(name: string, text: string): Buffer {
  const file = Buffer.from(name);
  const data = deflateRawSync(Buffer.from(text));
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(8, 8);
  local.writeUInt16LE(file.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(8, 10);
  entry.writeUInt32LE(data.length, 20);
  entry.writeUInt32LE(Buffer.byteLength(text), 24);
  entry.writeUInt16LE(file.length, 28);
  const directoryAt = local.length + file.length + data.length;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(directoryAt, 16);
  return Buffer.concat([local, file, data, entry, file, end]);
}
