// A double of TwelveData on this machine: HTTP and WebSocket. Its shapes are written from the vendor's public
// documentation; every value is synthetic.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber, dayText, weekday } from '@touchstone/quant/series/day';
import { type WebSocket, WebSocketServer } from 'ws';

/** What may go wrong with one answer. */
export const VENDOR_FAULTS = [
  /** HTTP 500 with a web page. */
  'http-500',
  /** HTTP 200, and in it an error with code 500. */
  'error-in-200',
  /** Never an answer. */
  'timeout',
  /** No bytes at all. */
  'blank',
  /** No bars, and no error either. */
  'empty',
  /** Every second symbol is left out; the only one, too. */
  'half',
  /** The connection breaks in the middle of the answer. */
  'dies',
  /** A web page instead of data. */
  'html',
  /** The answer ends in the middle, as if that were its end. */
  'truncated',
  /** The newest bar is of next year. */
  'future',
  'negative',
  'other-symbol',
  'duplicate',
  'unsorted',
  /** Somebody wants the question, and the key, to go elsewhere. */
  'redirect',
] as const;
export type VendorFault = (typeof VENDOR_FAULTS)[number];

export type DoubleBar = { day: number; open: number; high: number; low: number; close: number; volume: number };

export type DoubleRequest = {
  path: string;
  /** Of the question, as asked. */
  symbols: string[];
  parameters: Record<string, string>;
  headers: IncomingMessage['headers'];
  fault: VendorFault | null;
  /** What was answered; 0: nothing was. */
  status: number;
};

export type VendorDoubleOptions = {
  seed: number;
  symbols: readonly string[];
  /** Decides about each question, in the order they come. */
  fault?: (request: Pick<DoubleRequest, 'path' | 'symbols'>, index: number) => VendorFault | null;
  key?: string;
  /** Days with bars: Monday to Friday between these. */
  firstDay?: string;
  lastDay?: string;
  currency?: string;
  minuteLimit?: number;
  dayLimit?: number;
  /** The vendor's clock, EpochMs. */
  now?: () => number;
  /** Other bars of a symbol than its random walk, ascending; undefined: the walk. */
  barsOf?: (symbol: string) => DoubleBar[] | undefined;
  splits?: Record<string, { day: string; newShares: number; oldShares: number }[]>;
  dividends?: Record<string, { day: string; amount: number }[]>;
  /** Prices of the stream come this often. */
  tickMs?: number;
};

export type VendorDouble = {
  url: string;
  key: string;
  requests: DoubleRequest[];
  /** Most credits used in one of the vendor's minutes and days, as it counted; refused ones are not in. */
  used(): { minuteMax: number; dayMax: number };
  /** Breaks all streams. */
  dropStreams(): void;
  /** Messages that came over streams. */
  streamed: string[];
  /** Streams that are open. */
  streamCount(): number;
  close(): Promise<void>;
};

const WEIGHTS: Record<string, number> = { splits: 20, dividends: 20, statistics: 50 };
const PAGE_BARS_MAX = 5000;
const MS_PER_DAY = 86_400_000;

/** Chooses faults at random, the same for the same seed. */
export function randomFaults(seed: number, share: number, kinds: readonly VendorFault[] = VENDOR_FAULTS) {
  const random = createRandom(seed).split('faults');
  return () => (random.uniform() < share ? kinds[random.integer(kinds.length)]! : null);
}

/** The faults of a list, one a question, then none. */
export function listedFaults(...faults: (VendorFault | null)[]) {
  return (_request: unknown, index: number) => faults[index] ?? null;
}

/** Starts the double on a free port of this machine. */
export async function startVendorDouble(options: VendorDoubleOptions): Promise<VendorDouble> {
  const { key = 'a-key-of-the-double', minuteLimit = 8, dayLimit = 800, now = Date.now, tickMs = 20 } = options;
  const requests: DoubleRequest[] = [];
  const streamed: string[] = [];
  const usedBy = { minute: new Map<number, number>(), day: new Map<number, number>() };
  const market = createMarket(options);

  /** Counts credits, or says which span has none left, as the vendor does. */
  function spend(credits: number): { code: number; message: string; status: string } | null {
    const minute = Math.floor(now() / 60_000);
    const day = Math.floor(now() / MS_PER_DAY);
    const ofMinute = (usedBy.minute.get(minute) ?? 0) + credits;
    const ofDay = (usedBy.day.get(day) ?? 0) + credits;
    const refuse = (span: string, used: number, limit: number) => ({
      code: 429,
      message: `You have run out of API credits for the ${span}. ${used} API credits were used, with the current limit being ${limit}.`,
      status: 'error',
    });
    if (ofDay > dayLimit) return refuse('day', ofDay, dayLimit);
    if (ofMinute > minuteLimit) return refuse('current minute', ofMinute, minuteLimit);
    usedBy.minute.set(minute, ofMinute);
    usedBy.day.set(day, ofDay);
    return null;
  }

  function answer(path: string, symbols: string[], parameters: Record<string, string>, fault: VendorFault | null) {
    if (path === 'api_usage') return usage();
    const parts = symbols
      .filter((_, i) => fault !== 'half' || i % 2 === 1)
      .map((symbol) => [symbol, market.part(path, symbol, parameters, fault, now())] as const);
    if (parts.length === 0) return '{}';
    if (symbols.length === 1) return parts[0]![1];
    return `{${parts.map(([symbol, text]) => `${JSON.stringify(symbol)}:${text}`).join(',')}}`;
  }

  function usage(): string {
    return JSON.stringify({
      timestamp: new Date(now()).toISOString().slice(0, 19).replace('T', ' '),
      current_usage: usedBy.minute.get(Math.floor(now() / 60_000)) ?? 0,
      plan_limit: minuteLimit,
      daily_usage: usedBy.day.get(Math.floor(now() / MS_PER_DAY)) ?? 0,
      plan_daily_limit: dayLimit,
      plan_category: 'basic',
    });
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://double');
    const path = url.pathname.slice(1);
    const parameters = Object.fromEntries(url.searchParams);
    const symbols = (parameters.symbol ?? '').split(',').filter((symbol) => symbol !== '');
    const entry: DoubleRequest = { path, symbols, parameters, headers: request.headers, fault: null, status: 0 };
    const send = (status: number, text: string, type = 'application/json') => {
      entry.status = status;
      response.writeHead(status, { 'content-type': type }).end(text);
    };
    const index = requests.push(entry) - 1;
    if (request.headers.authorization !== `apikey ${key}`) {
      send(401, errorText(401, '**apikey** parameter is incorrect or not specified.'));
      return;
    }
    const refusal = spend((WEIGHTS[path] ?? 1) * Math.max(1, symbols.length));
    if (refusal !== null) {
      send(429, JSON.stringify(refusal));
      return;
    }
    entry.fault = options.fault?.({ path, symbols }, index) ?? null;
    sendWithFault(entry, response, send, () => answer(path, symbols, parameters, entry.fault));
  });

  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url ?? '/', 'http://double');
    if (url.pathname !== '/v1/quotes/price' || request.headers['x-td-apikey'] !== key) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      serveStream(client, { ...options, tickMs, now }, streamed);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    ...{ url: `http://127.0.0.1:${port}`, key, requests, streamed },
    used: () => ({
      minuteMax: Math.max(0, ...usedBy.minute.values()),
      dayMax: Math.max(0, ...usedBy.day.values()),
    }),
    streamCount: () => sockets.clients.size,
    dropStreams() {
      for (const client of sockets.clients) client.terminate();
    },
    async close() {
      for (const client of sockets.clients) client.terminate();
      sockets.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function sendWithFault(
  { fault }: DoubleRequest,
  response: ServerResponse,
  send: (status: number, text: string, type?: string) => void,
  answer: () => string,
): void {
  const page = '<!doctype html><title>Just a moment</title><p>Checking the connection.</p>';
  if (fault === 'timeout') return;
  if (fault === 'http-500') send(500, page, 'text/html');
  else if (fault === 'html') send(200, page, 'text/html');
  else if (fault === 'blank') send(200, '');
  else if (fault === 'error-in-200') send(200, errorText(500, 'Internal server error'));
  else if (fault === 'redirect') response.writeHead(302, { location: 'http://127.0.0.1:9/elsewhere' }).end();
  else if (fault === 'truncated') send(200, firstHalf(answer()));
  else if (fault === 'dies') {
    const text = answer();
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    response.write(firstHalf(text), () => response.destroy());
  } else send(200, answer());
}

function firstHalf(text: string): string {
  return text.slice(0, Math.ceil(text.length / 2));
}

function errorText(code: number, message: string, meta?: Record<string, string>): string {
  return JSON.stringify({ code, message, status: 'error', ...(meta === undefined ? {} : { meta }) });
}

/** Everything the double knows of its symbols. */
function createMarket(options: VendorDoubleOptions) {
  const { seed, symbols, currency = 'USD', barsOf, splits = {}, dividends = {} } = options;
  const first = dayNumber(options.firstDay ?? '2021-01-04');
  const last = dayNumber(options.lastDay ?? '2025-10-31');
  const random = createRandom(seed);
  const walks = new Map<string, DoubleBar[]>();
  const texts = new Map<string, string[]>();

  function bars(symbol: string): DoubleBar[] {
    const own = barsOf?.(symbol);
    if (own !== undefined) return own;
    if (!walks.has(symbol)) walks.set(symbol, randomWalk(random.split(symbol), first, last));
    return walks.get(symbol)!;
  }

  function barTexts(symbol: string): string[] {
    // Other bars may change between questions; the walk does not.
    if (barsOf?.(symbol) !== undefined) return bars(symbol).map(barText);
    if (!texts.has(symbol)) texts.set(symbol, bars(symbol).map(barText));
    return texts.get(symbol)!;
  }

  function series(symbol: string, parameters: Record<string, string>, fault: VendorFault | null, now: number): string {
    const all = bars(symbol);
    const from = dayNumber(parameters.start_date ?? '1900-01-01');
    const to = dayNumber(parameters.end_date ?? '2199-12-31');
    const begin = lowerBound(all, from);
    const end = lowerBound(all, to + 1);
    if (begin === end) return errorText(400, 'No data is available on the specified dates.', { symbol });
    const size = Math.min(Number(parameters.outputsize ?? PAGE_BARS_MAX), PAGE_BARS_MAX);
    const rows = barTexts(symbol)
      .slice(Math.max(begin, end - size), end)
      .toReversed();
    const meta = { symbol, interval: '1day', currency, exchange_timezone: 'America/New_York', exchange: 'DOUBLE' };
    const told = fault === 'other-symbol' ? { ...meta, symbol: `${symbol}X` } : meta;
    const values = fault === 'empty' ? [] : lyingRows(rows, all.at(-1)!, fault, now);
    return `{"meta":${JSON.stringify({ ...told, mic_code: 'XXXX', type: 'Common Stock' })},"values":[${values.join(',')}],"status":"ok"}`;
  }

  return {
    part(path: string, symbol: string, parameters: Record<string, string>, fault: VendorFault | null, now: number) {
      const isPair = path === 'exchange_rate' && /^[A-Z]{3}\/[A-Z]{3}$/.test(symbol);
      if (!symbols.includes(symbol) && !isPair) {
        return errorText(404, `**symbol** not found: ${symbol}. Please specify it correctly.`, { symbol });
      }
      if (path === 'time_series') return series(symbol, parameters, fault, now);
      const told = fault === 'other-symbol' ? `${symbol}X` : symbol;
      const sign = fault === 'negative' ? -1 : 1;
      const late = fault === 'future' ? 400 * MS_PER_DAY : 0;
      const timestamp = Math.floor((now + late) / 1000);
      const close = (bars(symbol).at(-1)?.close ?? 1) * sign;
      const meta = { symbol: told, name: `${symbol} Invented`, currency, exchange: 'DOUBLE', mic_code: 'XXXX' };
      const answers: Record<string, () => unknown> = {
        price: () => ({ price: close.toFixed(5) }),
        exchange_rate: () => ({ symbol: told, rate: 1.25 * sign, timestamp }),
        earliest_timestamp: () => ({
          datetime: late > 0 ? dayText(Math.floor((now + late) / MS_PER_DAY)) : dayText(bars(symbol)[0]!.day),
        }),
        quote: () => quote(bars(symbol), { ...meta, timestamp, last_quote_at: timestamp - 60, close }),
        splits: () => ({
          meta,
          splits: (splits[symbol] ?? []).map(({ day, newShares, oldShares }) => ({
            ...{ date: day, description: `${newShares}-for-${oldShares} split`, ratio: oldShares / newShares },
            ...{ from_factor: newShares, to_factor: oldShares },
          })),
        }),
        dividends: () => ({
          meta,
          dividends: (dividends[symbol] ?? []).map(({ day, amount }) => ({ ex_date: day, amount: amount * sign })),
        }),
        statistics: () => ({
          meta,
          statistics: {
            valuations_metrics: { market_capitalization: close * 1e9, trailing_pe: 21.5, price_to_book_mrq: 3.1 },
            stock_statistics: { shares_outstanding: 1e9, float_shares: 9e8 },
          },
        }),
      };
      const make = answers[path];
      return make === undefined ? errorText(404, 'The requested path is not known.') : JSON.stringify(make());
    },
  };
}

function quote(bars: readonly DoubleBar[], told: Record<string, unknown> & { close: number }): unknown {
  const last = bars.at(-1)!;
  return {
    ...told,
    ...{ datetime: dayText(last.day), close: told.close.toFixed(5), open: last.open.toFixed(5) },
    ...{ high: last.high.toFixed(5), low: last.low.toFixed(5), volume: String(last.volume) },
    ...{ previous_close: bars.at(-2)!.close.toFixed(5), is_market_open: false },
  };
}

/** Rows, newest first, with one lie among them. */
function lyingRows(rows: readonly string[], last: DoubleBar, fault: VendorFault | null, now: number): string[] {
  const lying = [...rows];
  if (fault === 'future') lying.unshift(barText({ ...last, day: Math.floor(now / MS_PER_DAY) + 370 }));
  if (fault === 'negative') lying[0] = lying[0]!.replace('"close":"', '"close":"-');
  if (fault === 'duplicate') lying.unshift(lying[0]!);
  if (fault === 'unsorted') lying.push(lying[0]!);
  return lying;
}

function barText({ day, open, high, low, close, volume }: DoubleBar): string {
  const price = (value: number) => value.toFixed(5);
  return `{"datetime":"${dayText(day)}","open":"${price(open)}","high":"${price(high)}","low":"${price(low)}","close":"${price(close)}","volume":"${volume}"}`;
}

function randomWalk(random: ReturnType<typeof createRandom>, first: number, last: number): DoubleBar[] {
  const bars: DoubleBar[] = [];
  let close = 20 + 200 * random.uniform();
  for (let day = first; day <= last; day++) {
    if (weekday(day) > 4) continue;
    const open = close * Math.exp(0.004 * random.normal());
    close = open * Math.exp(0.0003 + 0.013 * random.normal());
    const spread = Math.exp(0.004 * Math.abs(random.normal()));
    bars.push({
      ...{ day, open, close, high: Math.max(open, close) * spread, low: Math.min(open, close) / spread },
      volume: Math.round(1e6 * Math.exp(random.normal() / 2)),
    });
  }
  return bars;
}

/** First index whose day is no earlier. */
function lowerBound(bars: readonly DoubleBar[], day: number): number {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bars[middle]!.day < day) low = middle + 1;
    else high = middle;
  }
  return low;
}

function serveStream(
  client: WebSocket,
  { seed, symbols, tickMs, now, currency = 'USD' }: VendorDoubleOptions & { tickMs: number; now: () => number },
  streamed: string[],
): void {
  const random = createRandom(seed).split('stream');
  let asked: string[] = [];
  let ticks = 0;
  const timer = setInterval(() => {
    const symbol = asked[ticks % Math.max(1, asked.length)];
    ticks++;
    if (symbol === undefined) return;
    const price = 100 * Math.exp(0.01 * random.normal());
    const told = { event: 'price', symbol, currency, exchange: 'DOUBLE', type: 'Common Stock' };
    client.send(JSON.stringify({ ...told, timestamp: Math.floor(now() / 1000), price, day_volume: ticks * 100 }));
  }, tickMs);
  client.on('close', () => clearInterval(timer));
  client.on('message', (data) => {
    const text = String(data);
    streamed.push(text);
    const message: { action: string; params?: { symbols: string } } = JSON.parse(text);
    if (message.action === 'heartbeat') client.send(JSON.stringify({ event: 'heartbeat', status: 'ok' }));
    const wanted = message.params?.symbols.split(',') ?? [];
    const known = wanted.filter((symbol) => symbols.includes(symbol));
    if (message.action === 'unsubscribe') {
      asked = asked.filter((symbol) => !wanted.includes(symbol));
      client.send(JSON.stringify({ event: 'unsubscribe-status', status: 'ok' }));
    }
    if (message.action !== 'subscribe') return;
    asked = [...new Set([...asked, ...known])];
    const describe = (symbol: string) => ({ symbol, exchange: 'DOUBLE', mic_code: 'XXXX', type: 'Common Stock' });
    const fails = wanted.filter((symbol) => !symbols.includes(symbol)).map((symbol) => ({ symbol }));
    const status = known.length > 0 ? 'ok' : 'error';
    client.send(JSON.stringify({ event: 'subscribe-status', status, success: known.map(describe), fails }));
  });
}
