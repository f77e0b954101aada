import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type ParseOptions, type ParseProgress, parsePrices } from './parse-prices.ts';
import { previewCsv } from './preview.ts';
import { MAX_ROW_ERRORS } from './refusal.ts';
import { refusalOf, sourceOf } from './test-source.ts';

const HEAD = 'date,symbol,open,high,low,close,volume';
const GOOD = '2016-01-04,A,1.5,2.5,1.25,2.25,100';

async function parse(text: string, options: ParseOptions = {}, chunkBytes = 1 << 16) {
  const { dialect } = await previewCsv(sourceOf(text));
  return parsePrices(sourceOf(text, 'prices.csv', chunkBytes), dialect, options);
}

test('each bad row names its file, line, column and rule, and the good rows stay', async () => {
  const cases: [string, string, string | null, string][] = [
    ['2016-02-30,A,1,2,1,2,5', 'DATE', 'date', "a date must be a real day written as YYYY-MM-DD; found '2016-02-30'"],
    ['1799-12-31,A,1,2,1,2,5', 'DATE_RANGE', 'date', "a date must lie in 1800 to 2199; found '1799-12-31'"],
    [',A,1,2,1,2,5', 'DATE', 'date', 'a date must be a real day written as YYYY-MM-DD; found an empty field'],
    ['2016-01-05,A,abc,2,1,2,5', 'NUMBER', 'open', "a price must be a number; found 'abc'"],
    ['2016-01-05,A,1,1e999,1,2,5', 'NUMBER', 'high', "a price must be a number; found '1e999'"],
    ['2016-01-05,A,1,2,1,2,many', 'NUMBER', 'volume', "a volume must be a number; found 'many'"],
    ['2016-01-05,A,1,2,1,NA,5', 'CLOSE_MISSING', 'close', "a row must have a close; found 'NA'"],
    ['2016-01-05,A,1,2,1,,5', 'CLOSE_MISSING', 'close', 'a row must have a close; found an empty field'],
    ['2016-01-05,,1,2,1,2,5', 'SYMBOL', 'symbol', 'a symbol must be 1 to 64 printable bytes; found an empty field'],
    ['2016-01-05,A,1,2,1,2', 'FIELD_COUNT', null, 'a row must have 7 fields like the header; found 6'],
    ['2016-01-05,A,1,2,1,2,5,9', 'FIELD_COUNT', null, 'a row must have 7 fields like the header; found 8'],
    [
      '2016-01-05,"A,1,2,1,2,5',
      'QUOTE_NOT_CLOSED',
      null,
      `a quoted field must end on its line, before a separator; found '2016-01-05,"A,1,2,1,2,5'`,
    ],
  ];
  for (const [row, code, column, message] of cases) {
    const text = `${HEAD}\n${GOOD}\n${row}\n2016-01-06,B,1,2,1,2,5`;
    const parsed = await parse(text);
    assert.equal(parsed.rowCount, 2, row);
    assert.deepEqual(parsed.symbols, ['A', 'B']);
    const place = column === null ? 'prices.csv, line 3' : `prices.csv, line 3, column ${column}`;
    assert.deepEqual(parsed.errors, [
      {
        code,
        file: 'prices.csv',
        line: 3,
        column,
        rule: message.slice(0, message.lastIndexOf('; found')),
        sentence: `${place}: ${message}.`,
      },
    ]);
    const refusal = await refusalOf(parse(text, { onBadRow: 'refuse-file' }));
    assert.deepEqual([refusal.code, refusal.line, refusal.column], ['BAD_ROW', 3, column]);
    assert.equal(refusal.sentence, `${place}: ${message}.`);
  }
});

test('missing prices and volumes are NaN, zero and negative prices are kept for the court', async () => {
  const parsed = await parse(`${HEAD}\n2016-01-04,A,,NA,null,2.5,-\n2016-01-05,A,0,-1,N/A,-3.5,\n`);
  assert.equal(parsed.errorCount, 0);
  assert.deepEqual([...parsed.open], [Number.NaN, 0]);
  assert.deepEqual([...parsed.high], [Number.NaN, -1]);
  assert.deepEqual([...parsed.low], [Number.NaN, Number.NaN]);
  assert.deepEqual([...parsed.close], [2.5, -3.5]);
  assert.deepEqual([...parsed.volume], [Number.NaN, Number.NaN]);
});

test('the result does not depend on where chunks are cut', async () => {
  const text = `\ufeff${HEAD}\r\n${GOOD}\r\n\r\n2016-01-05,"B ""x"", y",1,2,1,"2.5",7\r\nbad\r\n  2016-01-06 ,Ä,1 , 2,1,2.25,\r\n2016-01-07,A,1,2,1,3,4`;
  const whole = await parse(text);
  assert.deepEqual(whole.symbols, ['A', 'B "x", y', 'Ä']);
  assert.deepEqual([...whole.line], [2, 4, 6, 7]);
  assert.equal(whole.errorCount, 1);
  const bytes = Buffer.from(text).length;
  for (let chunkBytes = 1; chunkBytes <= bytes; chunkBytes++)
    assert.deepEqual(await parse(text, {}, chunkBytes), whole, `chunks of ${chunkBytes}`);
  assert.equal(whole.contentSha256, createHash('sha256').update(text).digest('hex'));
  assert.equal(whole.bytesRead, bytes);
});

test('a separator at the end of every row and blank lines are no rows and no columns', async () => {
  const parsed = await parse('date,close,\n2016-01-04,1.5,\n\n   \n2016-01-05,1.6,\n');
  assert.deepEqual([...parsed.close], [1.5, 1.6]);
  assert.equal(parsed.errorCount, 0);
});

test('many rows, symbols in turn and bad rows beyond the cap are all counted', async () => {
  const rows: string[] = [HEAD];
  for (let i = 0; i < 80_000; i++) {
    const day = new Date(Date.UTC(2000, 0, 1) + Math.floor(i / 800) * 86_400_000).toISOString().slice(0, 10);
    rows.push(i % 40 === 7 ? `${day},S${i % 800},x,1,1,1,1` : `${day},S${i % 800},${i}.5,1,1,${i}.25,${i}`);
  }
  const progress: ParseProgress[] = [];
  const parsed = await parse(rows.join('\n'), { onProgress: (step) => progress.push(step) });
  assert.equal(parsed.rowCount, 78_000);
  assert.equal(parsed.errorCount, 2000);
  assert.equal(parsed.errors.length, MAX_ROW_ERRORS);
  assert.equal(parsed.symbols.length, 780);
  for (let r = 0; r < parsed.rowCount; r++) {
    const i = parsed.line[r]! - 2;
    if (parsed.symbols[parsed.symbol[r]!] !== `S${i % 800}` || parsed.open[r] !== i + 0.5 || parsed.volume[r] !== i)
      assert.fail(`row ${r}`);
  }
  assert.deepEqual(progress.at(-1), {
    bytesRead: parsed.bytesRead,
    bytesTotal: null,
    rowCount: 78_000,
    errorCount: 2000,
  });
});

test('a currency column gives each symbol its currency and holds it to one', async () => {
  const parsed = await parse(
    'date,symbol,close,currency\n2016-01-04,A,1.5,USD\n2016-01-04,B,1.5,eur\n2016-01-05,A,1.6,EUR\n2016-01-06,A,1.6,dollars\n',
  );
  assert.deepEqual(parsed.currencies, ['USD', 'EUR']);
  assert.deepEqual(
    parsed.errors.map(({ code, line }) => [code, line]),
    [
      ['CURRENCY', 4],
      ['CURRENCY', 5],
    ],
  );
});

test('a long line late in a file is refused without reading what follows it', async () => {
  let pulled = 0;
  async function* chunks() {
    yield Buffer.from(`${HEAD}\n${GOOD}\n`.padEnd(0));
    yield Buffer.from(`${GOOD}\n`.repeat(3000));
    for (;;) {
      pulled++;
      yield Buffer.alloc(1 << 16, '7');
    }
  }
  const { dialect } = await previewCsv(sourceOf(`${HEAD}\n${GOOD}\n`));
  const refusal = await refusalOf(parsePrices({ name: 'x.csv', chunks: chunks() }, dialect));
  assert.deepEqual([refusal.code, refusal.line], ['LINE_TOO_LONG', 3003]);
  assert.ok(pulled <= 4, `${pulled} chunks were read`);
});

test('a file with other columns than the previewed one is refused, and so is one without rows', async () => {
  const { dialect } = await previewCsv(sourceOf(`${HEAD}\n${GOOD}\n`));
  const other = sourceOf(`date,symbol,close,open,high,low,volume\n${GOOD}\n`, 'b.csv');
  assert.equal((await refusalOf(parsePrices(other, dialect))).code, 'HEADER_CHANGED');
  assert.equal((await refusalOf(parsePrices(sourceOf(`${HEAD}\n`), dialect))).code, 'NO_ROWS');
});

test('an import can be stopped between chunks', async () => {
  const { dialect } = await previewCsv(sourceOf(`${HEAD}\n${GOOD}\n`));
  const stop = new AbortController();
  const text = `${HEAD}\n${`${GOOD}\n`.repeat(10_000)}`;
  const run = parsePrices(sourceOf(text, 'x', 1000), dialect, {
    signal: stop.signal,
    onProgress: () => stop.abort(new Error('stopped by a person')),
  });
  await assert.rejects(run, /stopped by a person/);
});

test('lines made to be slow are not', async () => {
  const spaces = ' '.repeat(60_000);
  const rows = [
    `2016-01-04 10:00${spaces}x,1.5`,
    `2016-01-04,1${spaces}M1`,
    `${'\t'.repeat(60_000)},1`,
    `${"',".repeat(9)}`,
  ];
  const text = `date,close\n2016-01-04,1.5\n2016-01-05,1.5\n2016-01-06,1.5\n2016-01-07,1.5\n2016-01-08,1.5\n`;
  const started = performance.now();
  const names = Array.from({ length: 9000 }, (_, i) => `c${i}`).join(',');
  assert.equal((await refusalOf(previewCsv(sourceOf(`${names}\n${names}\n`)))).code, 'MISSING_COLUMN');
  const parsed = await parse(`${text.repeat(3).replaceAll('\ndate,close', '')}${rows.join('\n')}\n`, {
    onBadRow: 'keep-good',
  });
  assert.equal(parsed.rowCount, 15);
  assert.equal(parsed.errorCount, 4);
  // Quadratic reading of these lines takes minutes.
  assert.ok(performance.now() - started < 10_000);
});

test('a symbol column with more symbols than a market has is refused', async () => {
  const rows = Array.from({ length: 100_001 }, (_, i) => `2016-01-04,N${i},1.5`).join('\n');
  const refusal = await refusalOf(parse(`date,symbol,close\n${rows}\n`));
  assert.equal(refusal.code, 'TOO_MANY_SYMBOLS');
  assert.match(refusal.sentence, /more than 100,000 symbols in column symbol/);
});
