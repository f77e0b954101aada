import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createRandom } from '@touchstone/quant/random/random';
import fc from 'fast-check';
import { symbolOfFile } from './detect-dialect.ts';
import type { DialectOverrides } from './dialect.ts';
import { parsePrices } from './parse-prices.ts';
import { previewCsv } from './preview.ts';
import { refusalOf, sourceOf } from './test-source.ts';

const preview = (text: string, overrides?: DialectOverrides, name?: string) =>
  previewCsv(sourceOf(text, name), overrides);

const HEAD = 'date,symbol,open,high,low,close,volume';

type Bar = { symbol: string; day: number; prices: [number, number, number, number]; adjClose: number; volume: number };

/** Weekdays of about two months, so that some day of the month is above twelve. */
const DAYS = Array.from({ length: 60 }, (_, i) => Date.UTC(2016, 0, 4) / 86_400_000 + i).filter(
  (day) => ![2, 3].includes(day % 7),
);

/** Bars of every symbol on every day. Prices end in no zero cent, so that each shows its decimals. */
function barsOf(symbols: string[], seed: number): Bar[] {
  const random = createRandom(seed);
  const price = () => (random.integer(100_000) * 10 + 101 + random.integer(9)) / 100;
  return symbols.flatMap((symbol) =>
    DAYS.map((day) => ({
      symbol,
      day,
      prices: [price(), price(), price(), price()],
      adjClose: price(),
      volume: random.integer(200_000_000),
    })),
  );
}

const two = (n: number) => String(n).padStart(2, '0');
const DATE_WRITERS: ((y: number, m: number, d: number) => string)[] = [
  (y, m, d) => `${y}-${two(m)}-${two(d)}`,
  (y, m, d) => `${y}-${two(m)}-${two(d)}T00:00:00Z`,
  (y, m, d) => `${y}-${two(m)}-${two(d)} 16:00:00`,
  (y, m, d) => `${y}${two(m)}${two(d)}`,
  (y, m, d) => `${y}/${m}/${d}`,
  (y, m, d) => `${two(d)}.${two(m)}.${y}`,
  (y, m, d) => `${d}/${m}/${y}`,
  (y, m, d) => `${two(m)}/${two(d)}/${y}`,
  (y, m, d) => `${m}-${d}-${String(y).slice(2)}`,
  (y, m, d) => `${d}-${['Jan', 'Feb', 'Mar'][m - 1]}-${y}`,
];
const HEADERS: Record<string, string[]> = {
  date: ['date', 'Date', '<DATE>', 'Datum', 'Trade Date', 'timestamp'],
  symbol: ['symbol', 'Ticker', '<TICKER>', 'Kürzel', 'code'],
  open: ['open', 'Open', '<OPEN>', 'Eröffnung', 'Open Price'],
  high: ['high', 'HIGH', '<HIGH>', 'Hoch'],
  low: ['low', 'Low', '<LOW>', 'Tief'],
  close: ['close', 'Close', '<CLOSE>', 'Schlusskurs', 'Close/Last', 'last'],
  adjClose: ['adj_close', 'Adj Close', 'adjusted close', 'adjClose'],
  volume: ['volume', 'Volume', '<VOL>', 'Umsatz', 'Vol.'],
};

function writeNumber(value: number, digits: number, decimal: string, thousands: string): string {
  const [whole, fraction] = value.toFixed(digits).split('.');
  const grouped = thousands === '' ? whole! : whole!.replace(/\B(?=(\d{3})+$)/g, thousands);
  return fraction === undefined ? grouped : `${grouped}${decimal}${fraction}`;
}

const CANONICAL = ['date', 'symbol', 'open', 'high', 'low', 'close', 'adjClose', 'volume'];

const styles = fc.record({
  seed: fc.nat(),
  separator: fc.constantFrom(',', ';', '\t', '|'),
  quoteAll: fc.boolean(),
  decimal: fc.constantFrom('.', ','),
  group: fc.constantFrom('none', 'sign', ' ', "'"),
  date: fc.constantFrom(...DATE_WRITERS),
  name: fc.nat(5),
  header: fc.boolean(),
  crlf: fc.boolean(),
  finalNewline: fc.boolean(),
  encoding: fc.constantFrom('utf8', 'bom', 'utf16le', 'gzip'),
  adjusted: fc.boolean(),
  long: fc.boolean(),
  order: fc.shuffledSubarray(CANONICAL, { minLength: CANONICAL.length }),
  chunkBytes: fc.constantFrom(7, 64, 100_000),
});

type Style = typeof styles extends fc.Arbitrary<infer T> ? T : never;

function writeField(role: string, bar: Bar, s: Style): string {
  const sign = s.decimal === '.' ? ',' : '.';
  const thousands = { none: '', sign, ' ': ' ', "'": "'" }[s.group]!;
  const at = ['open', 'high', 'low', 'close'].indexOf(role);
  if (at >= 0) return writeNumber(bar.prices[at]!, 2, s.decimal, thousands);
  if (role === 'adjClose') return writeNumber(bar.adjClose, 2, s.decimal, thousands);
  if (role === 'volume') return writeNumber(bar.volume, 0, s.decimal, thousands);
  if (role === 'symbol') return bar.symbol;
  const date = new Date(bar.day * 86_400_000);
  return s.date(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate());
}

function writeFile(bars: Bar[], s: Style): Uint8Array {
  const columns = (s.header ? s.order : CANONICAL)
    .filter((role) => s.long || role !== 'symbol')
    .filter((role) => s.adjusted || role !== 'adjClose');
  // Where a comma can stand inside a number, it must not part fields.
  const quote = s.quoteAll || s.separator === ',' ? '"' : '';
  const join = (fields: string[]) => fields.map((field) => quote + field + quote).join(s.separator);
  const lines = bars.map((bar) => join(columns.map((role) => writeField(role, bar, s))));
  if (s.header) lines.unshift(join(columns.map((role) => HEADERS[role]![s.name % HEADERS[role]!.length]!)));
  const end = s.crlf ? '\r\n' : '\n';
  const text = lines.join(end) + (s.finalNewline ? end : '');
  if (s.encoding === 'gzip') return gzipSync(text);
  if (s.encoding === 'utf16le') return Buffer.from(`\ufeff${text}`, 'utf16le');
  return Buffer.from(s.encoding === 'bom' ? `\ufeff${text}` : text);
}

test('bars written in any dialect are detected and read back exactly', async () => {
  await fc.assert(
    fc.asyncProperty(styles, async (s) => {
      const bars = barsOf(s.long ? ['AAPL', 'BRK-B'] : ['MSFT'], s.seed);
      const bytes = writeFile(bars, s);
      const name = 'msft.us.txt';
      const { dialect } = await previewCsv(sourceOf(bytes, name, s.chunkBytes));
      const parsed = await parsePrices(sourceOf(bytes, name, s.chunkBytes), dialect);
      assert.deepEqual(parsed.errors, []);
      const read = Array.from(parsed.line, (line, i) => ({
        line,
        symbol: parsed.symbols[parsed.symbol[i]!],
        day: parsed.day[i],
        prices: [parsed.open[i], parsed.high[i], parsed.low[i], parsed.close[i]],
        adjClose: parsed.adjClose?.[i],
        volume: parsed.volume[i],
      }));
      const expected = bars.map((bar, i) => ({
        ...bar,
        line: i + (s.header ? 2 : 1),
        adjClose: s.adjusted ? bar.adjClose : undefined,
      }));
      assert.deepEqual(read, expected);
    }),
    { numRuns: 200 },
  );
});

test('every detection has a value, a confidence and a sentence', async () => {
  const { dialect } = await preview(`${HEAD}\n2016-01-04,A,1.5,2.5,1.25,2.25,100\n`);
  for (const [name, value] of Object.entries(dialect))
    if (typeof value === 'object' && value !== null && 'confidence' in value)
      assert.ok(value.evidence.length > 10, name);
  assert.equal(dialect.currency.value, 'USD');
  assert.equal(dialect.currency.confidence, 'assumed');
});

test('day and month order is decided by the sample, by weekends, or asked', async () => {
  const file = (...days: string[]) => `date,close\n${days.map((day) => `${day},1.5`).join('\n')}\n`;
  const certain = await preview(file('01/02/2016', '13/02/2016'));
  assert.deepEqual([certain.dialect.dateFormat.value, certain.dialect.dateFormat.confidence], ['dmy', 'certain']);
  const american = await preview(file('01/02/2016', '02/13/2016'));
  assert.equal(american.dialect.dateFormat.value, 'mdy');
  // 4, 5, 6 and 7 January 2016 are weekdays; month first, 1 May and 1 August to 1 July of 2016 hold a Sunday and more.
  const weekends = await preview(
    file(
      '04/01/2016',
      '05/01/2016',
      '06/01/2016',
      '07/01/2016',
      '08/01/2016',
      '10/12/2015',
      '11/12/2015',
      '01/12/2015',
      '02/10/2015',
      '05/10/2015',
    ),
  );
  assert.deepEqual([weekends.dialect.dateFormat.value, weekends.dialect.dateFormat.confidence], ['dmy', 'likely']);
  const ambiguous = await preview(file('01/02/2016'));
  assert.equal(ambiguous.dialect.dateFormat.confidence, 'assumed');
  assert.ok(ambiguous.dialect.questions.some(({ setting }) => setting === 'dateFormat'));
  const told = await preview(file('01/02/2016'), { dateFormat: 'dmy' });
  assert.equal(told.rows[0]?.day, '2016-02-01');
  assert.ok(!told.dialect.questions.some(({ setting }) => setting === 'dateFormat'));
});

test('a price that can be a fraction or thousands is asked about', async () => {
  const { dialect } = await preview('date;close\n2016-01-04;1,234\n2016-01-05;1,236\n');
  assert.equal(dialect.decimal.confidence, 'assumed');
  assert.ok(dialect.questions.some(({ setting }) => setting === 'decimal'));
  const told = await preview('date;close\n2016-01-04;1,234\n', { decimal: '.' });
  assert.equal(told.rows[0]?.close, 1234);
});

test('the price basis follows from adj_close, column names and jumps, and is asked where the file does not say', async () => {
  const rows = (closes: number[], adjusted?: number[]) =>
    closes
      .map((close, i) => `2016-01-${two(4 + i)},A,${close},${close},${close},${close},${adjusted?.[i] ?? ''},5`)
      .join('\n');
  const head = 'date,symbol,open,high,low,close,adj_close,volume';
  const split = await preview(`${head}\n${rows([100.5, 101.5, 50.5, 51.5], [49.25, 49.75, 49.5, 50.5])}\n`);
  assert.equal(split.dialect.priceBasis.value, 'raw');
  const quiet = await preview(`${head}\n${rows([100.5, 101.5, 100.5], [99.5, 100.5, 100.25])}\n`);
  assert.equal(quiet.dialect.priceBasis.value, 'split_adjusted');
  const same = await preview(`${head}\n${rows([100.5, 101.5], [100.5, 101.5])}\n`);
  assert.equal(same.dialect.priceBasis.value, 'unknown');
  const unknown = await preview('date,close\n2016-01-04,100.5\n2016-01-05,50.5\n');
  assert.equal(unknown.dialect.priceBasis.value, 'unknown');
  assert.match(unknown.dialect.priceBasis.evidence, /1 of 1 overnight moves look like a split .* suggests raw/);
  assert.ok(unknown.dialect.questions.some(({ setting }) => setting === 'priceBasis'));
  const named = await preview('date,open_raw,high_raw,low_raw,close_raw\n2016-01-04,1.5,1.5,1.5,1.5\n');
  assert.deepEqual([named.dialect.priceBasis.value, named.dialect.priceBasis.confidence], ['raw', 'certain']);
  const adjusted = await preview('date,adj close\n2016-01-04,1.5\n');
  assert.equal(adjusted.dialect.priceBasis.value, 'total_return');
  const told = await preview('date,close\n2016-01-04,1.5\n', { priceBasis: 'raw' });
  assert.deepEqual(told.dialect.questions, []);
});

test('Stooq files give their symbol without the market, single files by their name', async () => {
  const stooq = await preview(
    '<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\nAAPL.US,D,19840907,000000,0.1,0.2,0.1,0.15,99,0\n',
  );
  assert.equal(stooq.rows[0]?.symbol, 'AAPL');
  assert.equal(stooq.rows[0]?.day, '1984-09-07');
  assert.deepEqual(stooq.dialect.unknownColumns, ['<OPENINT>']);
  for (const [file, symbol] of [
    ['aapl.us.txt', 'AAPL'],
    ['data/BRK-B.csv.gz', 'BRK-B'],
    ['msft.csv', 'MSFT'],
  ] as const)
    assert.equal(symbolOfFile(file), symbol);
  const named = await preview('Date,Close\n2016-01-04,1.5\n', {}, 'spy.csv');
  assert.equal(named.rows[0]?.symbol, 'SPY');
  assert.equal((await preview('Date,Close\n2016-01-04,1.5\n', { symbol: 'VOO' }, 'spy.csv')).rows[0]?.symbol, 'VOO');
});

test('a spreadsheet hint, currency signs and volume letters are understood', async () => {
  const { dialect, rows } = await preview('sep=;\nDate;Close/Last;Vol.\n01/15/2016;$1,234.50;1.5M\n');
  assert.equal(dialect.separator.value, ';');
  assert.deepEqual([rows[0]?.close, rows[0]?.volume, rows[0]?.line], [1234.5, 1_500_000, 3]);
  assert.deepEqual([dialect.currency.value, dialect.currency.confidence], ['USD', 'likely']);
});

test('stamps with a zone are taken as written, or in the zone the caller gives', async () => {
  const text = 'time,close\n2016-01-05T02:00:00Z,1.5\n2016-01-06T02:00:00Z,1.6\n';
  const written = await preview(text);
  assert.equal(written.rows[0]?.day, '2016-01-05');
  assert.ok(written.dialect.questions.some(({ setting }) => setting === 'timeZone'));
  assert.equal((await preview(text, { timeZone: 'America/New_York' })).rows[0]?.day, '2016-01-04');
});

test('columns that nothing is read from are named, and intraday files are pointed out', async () => {
  const extra = await preview('date,close,sector,analyst\n2016-01-04,1.5,Tech,Bo\n');
  assert.deepEqual(extra.dialect.unknownColumns, ['sector', 'analyst']);
  assert.ok(extra.warnings.includes('Nothing is read from sector, analyst.'));
  const minutes = await preview(
    'timestamp,close\n2016-01-04 09:30:00,1.5\n2016-01-04 09:31:00,1.6\n2016-01-04 09:32:00,1.7\n',
  );
  assert.ok(minutes.warnings.some((warning) => warning.includes('daily bars')));
});

test('a file that cannot be imported says what is missing', async () => {
  const cases: [string, DialectOverrides, string, RegExp][] = [
    [`${HEAD}\n`, {}, 'NO_ROWS', /has a header but no rows/],
    ['\n\n', {}, 'EMPTY_FILE', /only empty lines/],
    ['just some words\nand more words\n', {}, 'NO_SEPARATOR', /no comma, semicolon, tab or \|/],
    ['date,close,close\n2016-01-04,1,2\n', {}, 'DUPLICATE_COLUMN', /columns 2 and 3 are both named close/],
    ['date,level\n2016-01-04,1\n', {}, 'MISSING_COLUMN', /no close column among date, level/],
    ['day of rest,close\nx,1\n', {}, 'MISSING_COLUMN', /no date column/],
    ['date,close\nsoon,1\nlater,2\n', {}, 'UNREADABLE_DATES', /column date holds soon/],
    ['date,close\n2016-01-04,1\n', { columns: { volume: 'vvv' } }, 'UNKNOWN_COLUMN', /no column vvv/],
    ['date,close\n2016-01-04,1\n', { timeZone: 'Mars' }, 'BAD_SETTING', /IANA name like America/],
    ['date,close\n2016-01-04,1\n', { currency: 'usd' }, 'BAD_SETTING', /three capitals/],
  ];
  for (const [text, overrides, code, sentence] of cases) {
    const refusal = await refusalOf(preview(text, overrides));
    assert.equal(refusal.code, code, text);
    assert.match(refusal.sentence, sentence);
  }
});

test('a column chosen by the caller wins, by name or place', async () => {
  const text = 'date,level,close\n2016-01-04,7.5,1.5\n';
  assert.equal((await preview(text, { columns: { close: 'level' } })).rows[0]?.close, 7.5);
  assert.equal((await preview(text, { columns: { close: 1 } })).rows[0]?.close, 7.5);
  assert.equal(
    (await preview('date,close,vol\n2016-01-04,1.5,9\n', { columns: { volume: null } })).rows[0]?.volume,
    null,
  );
});

test('a preview shows at most twenty rows and the errors among the sample', async () => {
  const rows = Array.from({ length: 100 }, (_, i) => `2016-01-04,S${i},1.5`).join('\n');
  const { rows: shown, counts, errors, warnings } = await preview(`date,symbol,close\n${rows}\n2016-01-05,A,oops\n`);
  assert.equal(shown.length, 20);
  assert.deepEqual(counts, { lines: 102, rows: 100, errors: 1, symbols: 100, complete: true });
  assert.equal(errors[0]?.line, 102);
  assert.ok(warnings.includes('1 of the sampled rows cannot be read.'));
});
