import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTable } from './parse-table.ts';
import { refusalOf, sourceOf } from './test-source.ts';

test('fundamentals keep their numbers and texts by column name', async () => {
  const { rows, errors } = await parseTable(
    sourceOf(
      'snapshot_date,symbol,name,market_cap_usd,pe\n2012-12-27,MMM,"3M, Co.",63802000000.0,14.98\n2012-12-27,XYZ,,,NA\n',
    ),
    'fundamentals',
  );
  assert.deepEqual(errors, []);
  assert.deepEqual(rows, [
    {
      line: 2,
      day: '2012-12-27',
      symbol: 'MMM',
      marketCap: 63_802_000_000,
      currency: 'USD',
      values: { pe: 14.98 },
      texts: { name: '3M, Co.' },
    },
    { line: 3, day: '2012-12-27', symbol: 'XYZ', marketCap: null, currency: 'USD', values: {}, texts: {} },
  ]);
});

test('splits are ratios of new to old shares, dividends amounts', async () => {
  const { rows, errors } = await parseTable(
    sourceOf(
      'ex_date;ticker;action;amount\n05.06.2014;AAPL;Split;7:1\n28.02.2005;AAPL;stock split;2-for-1\n08.05.2014;AAPL;dividend;3,29\n09.05.2014;AAPL;merger;1\n10.05.2014;AAPL;split;0\n11.05.2014;AAPL;dividend;\n',
    ),
    'corporate-actions',
  );
  assert.deepEqual(
    rows.map(({ day, type, value }) => [day, type, value]),
    [
      ['2014-06-05', 'split', 7],
      ['2005-02-28', 'split', 2],
      ['2014-05-08', 'dividend', 3.29],
    ],
  );
  assert.deepEqual(
    errors.map(({ code, line, column }) => [code, line, column]),
    [
      ['TYPE', 5, 'action'],
      ['NUMBER', 6, 'amount'],
      ['VALUE_MISSING', 7, 'amount'],
    ],
  );
});

test('exchange rates are read wide, as the ECB writes them, and long', async () => {
  const wide = await parseTable(
    sourceOf('Date,USD,JPY,\n1999-01-05,1.179,130.96,\n1999-01-04,N/A,133.73,\n'),
    'exchange-rates',
  );
  assert.deepEqual(wide.errors, []);
  assert.deepEqual(wide.rows, [
    { line: 2, day: '1999-01-05', base: 'EUR', quote: 'USD', rate: 1.179 },
    { line: 2, day: '1999-01-05', base: 'EUR', quote: 'JPY', rate: 130.96 },
    { line: 3, day: '1999-01-04', base: 'EUR', quote: 'JPY', rate: 133.73 },
  ]);
  assert.equal(wide.dialect.base.confidence, 'assumed');
  const long = await parseTable(
    sourceOf('date,base,quote,rate\n2016-01-04,USD,CHF,1.01\n2016-01-04,USD,franc,1.01\n2016-01-04,USD,CHF,\n'),
    'exchange-rates',
  );
  assert.deepEqual(long.rows, [{ line: 2, day: '2016-01-04', base: 'USD', quote: 'CHF', rate: 1.01 }]);
  assert.deepEqual(
    long.errors.map(({ code, line }) => [code, line]),
    [
      ['CURRENCY', 3],
      ['VALUE_MISSING', 4],
    ],
  );
});

test('macro series carry the day they were published where the file has it', async () => {
  const plain = await parseTable(sourceOf('date,series,value\n2016-01-01,CPI,.\n2016-02-01,CPI,237.1\n'), 'macro');
  assert.deepEqual(plain.rows, [
    { line: 2, day: '2016-01-01', series: 'CPI', value: null, vintageDay: null },
    { line: 3, day: '2016-02-01', series: 'CPI', value: 237.1, vintageDay: null },
  ]);
  const vintages = await parseTable(
    sourceOf('vintage_date,series,date,value\n2026-03-22,PAYEMS,2024-01-01,157032.0\nsoon,PAYEMS,2024-02-01,1\n'),
    'macro',
  );
  assert.deepEqual(vintages.rows, [
    { line: 2, day: '2024-01-01', series: 'PAYEMS', value: 157_032, vintageDay: '2026-03-22' },
  ]);
  assert.equal(
    vintages.errors[0]?.sentence,
    "prices.csv, line 3, column vintage_date: a date must be a real day written as YYYY-MM-DD; found 'soon'.",
  );
});

test('a table with a wrong shape is refused with the columns it has', async () => {
  const missing = await refusalOf(parseTable(sourceOf('date,ticker,worth\n2016-01-04,A,1\n'), 'macro'));
  assert.equal(missing.code, 'MISSING_COLUMN');
  assert.match(missing.sentence, /no series column among date, ticker, worth/);
  assert.equal(
    (await refusalOf(parseTable(sourceOf('2016-01-04,A,1\n2016-01-05,A,1\n'), 'macro'))).code,
    'MISSING_COLUMN',
  );
  assert.equal((await refusalOf(parseTable(sourceOf('date,series,value\n'), 'macro'))).code, 'NO_ROWS');
  const bad = parseTable(sourceOf('date,series,value\n2016-01-04,A,x\n'), 'macro', { onBadRow: 'refuse-file' });
  assert.equal((await refusalOf(bad)).line, 2);
});

test('a column the names do not give can be chosen', async () => {
  const { rows } = await parseTable(sourceOf('when,series,value\n2016-01-04,A,1\n'), 'macro', {
    columns: { date: 'when' },
  });
  assert.equal(rows[0]?.day, '2016-01-04');
});
