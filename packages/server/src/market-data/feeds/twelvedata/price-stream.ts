import { type Dispatcher, WebSocket } from 'undici';
import { streamEventSchema } from './answers.ts';
import { systemTiming, type Timing } from './client.ts';
import { VendorError } from './vendor-error.ts';

/** One price as it happened. */
export type PriceTick = {
  symbol: string;
  price: number;
  /** EpochMs, to the second. */
  at: number;
  /** Shares since the open; NaN when the vendor does not say. */
  dayVolume: number;
};

export type PriceStreamOptions = {
  /** Of the HTTP API; the stream's own address follows from it. */
  baseUrl: string;
  key: string;
  symbols: readonly string[];
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
 * Prices as they happen, for as long as the signal is not aborted; then it ends without an error.
 *
 * A lost connection is made again after a growing, jittered pause, and the symbols are subscribed again; ticks no later
 * than the last one before the loss are left out, so that a resumed stream repeats nothing. Ticks that cannot be true
 * (a price not above zero, the future, a symbol nobody asked for) are left out.
 *
 * @throws VendorError `refused` or `unknown` when nothing could be subscribed, `unavailable` when it gives up.
 */
export async function* streamPrices(options: PriceStreamOptions): AsyncGenerator<PriceTick> {
  const { signal, timing = systemTiming, failuresMax = FAILURES_MAX } = options;
  const seen = new Map<string, number>();
  let failures = 0;
  while (!signal.aborted) {
    const connection = connect(options);
    // Within a connection several ticks may share their second; after a new one that second was told already.
    const told = new Map(seen);
    try {
      for await (const message of connection.messages()) {
        const tick = readMessage(message, options.symbols, timing.now());
        if (tick === null) continue;
        failures = 0;
        if (tick.at <= (told.get(tick.symbol) ?? 0) || tick.at < (seen.get(tick.symbol) ?? 0)) continue;
        seen.set(tick.symbol, tick.at);
        yield tick;
      }
    } finally {
      connection.close();
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

/** Where the prices of an API stream: the vendor has a host of its own for them. */
export function streamUrlOf(baseUrl: string): string {
  const url = new URL('/v1/quotes/price', baseUrl);
  if (url.hostname === 'api.twelvedata.com') url.hostname = 'ws.twelvedata.com';
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
  return url.href;
}

/** One connection: its messages until it is lost, silent for too long, closed or aborted. */
function connect({ baseUrl, key, symbols, signal, dispatcher, heartbeatMs = HEARTBEAT_MS }: PriceStreamOptions) {
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
  socket.addEventListener('open', () => {
    socket.send(JSON.stringify({ action: 'subscribe', params: { symbols: symbols.join(',') } }));
  });
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

/** A tick, or null for anything else. @throws VendorError when nothing was subscribed. */
function readMessage(message: string, symbols: readonly string[], now: number): PriceTick | null {
  const event = streamEventSchema.safeParse(parse(message)).data;
  if (event === undefined || event.event === 'heartbeat') return null;
  if (event.event === 'subscribe-status') {
    if ((event.success ?? []).length > 0) return null;
    if ((event.fails ?? []).length > 0) {
      throw new VendorError('unknown', 'TwelveData streams none of these symbols to this key.');
    }
    throw new VendorError('refused', 'TwelveData does not stream prices to this key.');
  }
  const symbol = symbols.find((asked) => [asked, asked.split(':')[0]].includes(event.symbol));
  const at = event.timestamp * 1000;
  const isTrue = event.price > 0 && Number.isFinite(event.price) && at > 0 && at <= now + CLOCK_TOLERANCE_MS;
  if (symbol === undefined || !isTrue) return null;
  return { symbol, price: event.price, at, dayVolume: event.day_volume ?? Number.NaN };
}

function parse(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return null;
  }
}
