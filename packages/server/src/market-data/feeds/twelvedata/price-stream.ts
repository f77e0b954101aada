import { type Dispatcher, WebSocket } from 'undici';
import type { z } from 'zod';
import type { PriceStream, PriceTick } from '../feed.ts';
import { streamEventSchema } from './answers.ts';
import { systemTiming, type Timing } from './client.ts';
import { currencyUnit } from './series.ts';
import { gapOf, VendorError } from './vendor-error.ts';

export type PriceStreamOptions = {
  /** Of the HTTP API; the stream's own address follows from it. */
  baseUrl: string;
  key: string;
  signal: AbortSignal;
  dispatcher?: Dispatcher;
  timing?: Timing;
  /** How often the connection is kept awake; silence of three of these is a lost connection. */
  heartbeatMs?: number;
  /** Lost connections in a row after which the stream gives up. */
  failuresMax?: number;
};

const HEARTBEAT_MS = 10_000;
const FAILURES_MAX = 10;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 30_000;
/** A reader that is slower than the market loses the oldest ticks. */
const QUEUE_MAX = 10_000;
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/**
 * Prices as they happen, over one connection. Connects when `news` is read, and ends without an error when the signal is
 * aborted. Symbols come and go while it runs.
 *
 * A lost connection is made again after a growing, jittered pause, and the symbols are subscribed again; ticks no later
 * than the last one before the loss are left out, so that a resumed stream repeats nothing. Ticks that cannot be true
 * (a price not above zero, the future, a symbol nobody asked for) are left out. A symbol the vendor does not stream is
 * told as a gap and not asked for again.
 *
 * `news` throws VendorError `refused` when the key may not stream, `unavailable` when it gives up.
 */
export function createPriceStream(options: PriceStreamOptions): PriceStream {
  const { signal, timing = systemTiming, failuresMax = FAILURES_MAX } = options;
  const wanted = new Set<string>();
  const seen = new Map<string, number>();
  let connection: Connection | null = null;

  /** What one connection tells until it ends. */
  async function* listen(messages: AsyncIterable<string>): ReturnType<PriceStream['news']> {
    // Within a connection several ticks may share their second; after a new one that second was told already.
    const told = new Map(seen);
    let isSubscribed = false;
    for await (const message of messages) {
      const event = readEvent(message);
      if (event?.event === 'subscribe-status') {
        isSubscribed ||= (event.success ?? []).length > 0;
        if (!isSubscribed && (event.fails ?? []).length === 0) {
          throw new VendorError('refused', 'TwelveData does not stream prices to this key.');
        }
        yield* refuse(refusedOf(event, wanted));
      }
      const tick = event?.event === 'price' ? readTick(event, wanted, timing.now()) : null;
      if (tick === null) continue;
      if (tick.at <= (told.get(tick.symbol) ?? 0) || tick.at < (seen.get(tick.symbol) ?? 0)) continue;
      seen.set(tick.symbol, tick.at);
      yield { tick };
    }
  }

  function* refuse(symbols: readonly string[]) {
    for (const symbol of symbols) {
      wanted.delete(symbol);
      const error = new VendorError('unknown', `TwelveData does not stream “${symbol}” to this key.`);
      yield { gap: gapOf(symbol, error, timing.now()) };
    }
  }

  async function* news(): ReturnType<PriceStream['news']> {
    let failures = 0;
    while (!signal.aborted) {
      connection = connect(options, wanted);
      try {
        for await (const item of listen(connection.messages())) {
          if ('tick' in item) failures = 0;
          yield item;
        }
      } finally {
        connection.close();
        connection = null;
      }
      if (signal.aborted) return;
      failures++;
      if (failures >= failuresMax) {
        throw new VendorError('unavailable', `TwelveData’s price stream was lost ${failures} times in a row.`);
      }
      const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (failures - 1));
      await timing.sleep(ceiling / 2 + (timing.random() * ceiling) / 2, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
  }

  return {
    news,
    add(symbols) {
      const fresh = symbols.filter((symbol) => !wanted.has(symbol));
      for (const symbol of fresh) wanted.add(symbol);
      connection?.send('subscribe', fresh);
    },
    remove(symbols) {
      const gone = symbols.filter((symbol) => wanted.delete(symbol));
      connection?.send('unsubscribe', gone);
    },
  };
}

/** Where the prices of an API stream: the vendor has a host of its own for them. */
export function streamUrlOf(baseUrl: string): string {
  const url = new URL('/v1/quotes/price', baseUrl);
  if (url.hostname === 'api.twelvedata.com') url.hostname = 'ws.twelvedata.com';
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
  return url.href;
}

type Connection = ReturnType<typeof connect>;

/** One connection: its messages until it is lost, silent for too long, closed or aborted. */
function connect(
  { baseUrl, key, signal, dispatcher, heartbeatMs = HEARTBEAT_MS }: PriceStreamOptions,
  wanted: ReadonlySet<string>,
) {
  const waiting: string[] = [];
  let isOver = false;
  let heardAt = performance.now();
  let wake: () => void = () => {};
  const end = () => {
    isOver = true;
    wake();
  };
  // In a header, not in the address: addresses end up in logs.
  const init = { headers: { 'X-TD-APIKEY': key } };
  const socket = new WebSocket(streamUrlOf(baseUrl), dispatcher === undefined ? init : { ...init, dispatcher });
  /** Before the connection is open nothing is sent: what is wanted then is subscribed at once. */
  const send = (action: 'subscribe' | 'unsubscribe', symbols: readonly string[]) => {
    if (symbols.length === 0 || socket.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify({ action, params: { symbols: symbols.join(',') } }));
  };
  socket.addEventListener('open', () => send('subscribe', [...wanted]));
  socket.addEventListener('message', ({ data }) => {
    heardAt = performance.now();
    waiting.push(String(data));
    if (waiting.length > QUEUE_MAX) waiting.shift();
    wake();
  });
  socket.addEventListener('close', end);
  socket.addEventListener('error', end);
  signal.addEventListener('abort', end, { once: true });
  const heartbeat = setInterval(() => {
    if (performance.now() - heardAt > 3 * heartbeatMs) end();
    else if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ action: 'heartbeat' }));
  }, heartbeatMs);

  return {
    send,
    async *messages(): AsyncGenerator<string> {
      while (!signal.aborted) {
        const message = waiting.shift();
        if (message !== undefined) yield message;
        else if (isOver) return;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
    close() {
      clearInterval(heartbeat);
      signal.removeEventListener('abort', end);
      if (socket.readyState <= WebSocket.OPEN) socket.close();
    },
  };
}

type StreamEvent = z.output<typeof streamEventSchema>;

/** An event of a documented shape; null for anything else. */
function readEvent(message: string): StreamEvent | null {
  try {
    return streamEventSchema.safeParse(JSON.parse(message)).data ?? null;
  } catch {
    return null;
  }
}

/** The symbols of ours that an answer to a subscription names as failed. */
function refusedOf({ fails }: Extract<StreamEvent, { event: 'subscribe-status' }>, wanted: ReadonlySet<string>) {
  const named = (fails ?? []).map((fail) => (typeof fail === 'string' ? fail : fail.symbol));
  return [...wanted].filter((symbol) => named.some((name) => isNamed(symbol, name)));
}

/** Null for a tick that cannot be true. */
function readTick(
  event: Extract<StreamEvent, { event: 'price' }>,
  wanted: ReadonlySet<string>,
  now: number,
): PriceTick | null {
  const symbol = [...wanted].find((asked) => isNamed(asked, event.symbol));
  const at = event.timestamp * 1000;
  const isTrue = event.price > 0 && Number.isFinite(event.price) && at > 0 && at <= now + CLOCK_TOLERANCE_MS;
  if (symbol === undefined || !isTrue) return null;
  return { symbol, price: event.price / currencyUnit(event.currency).scale, at };
}

/** 'RY:TSX' asks for RY at an exchange; the vendor tells of RY. */
function isNamed(asked: string, told: string): boolean {
  return asked === told || asked.split(':')[0] === told;
}
