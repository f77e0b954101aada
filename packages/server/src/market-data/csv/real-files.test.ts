import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { parsePrices } from './parse-prices.ts';
import { parseTable, type TableKind } from './parse-table.ts';
import { previewCsv } from './preview.ts';
import { sortBySymbolAndDay } from './sort-prices.ts';

const DATA = resolve(process.env.TOUCHSTONE_DATA ?? join(import.meta.dirname, '../../../../../../shared/data'));
const skip = existsSync(DATA) ? false : `no data folder at ${DATA}; set TOUCHSTONE_DATA`;

const PRICES: [string, number, number][] = [
  ['equities/demo_us_stocks_daily_2006_2017_cc0.csv.gz', 95_582, 32],
  ['equities/us_stocks_daily_2010_2019_yahoo_adj.csv.gz', 1_033_051, 426],
  ['equities/us_stocks_daily_1998_2017_cc0.csv.gz', 534_638, 107],
  ['equities/sp500_daily_2016_2019_yahoo_rawadj.csv.gz', 420_189, 467],
  ['equities/corp_actions_raw_daily_1998_2021_lean.csv.gz', 62_921, 15],
  ['indices_etfs/etf_index_daily_1990_2021_yahoo_adj.csv.gz', 217_808, 48],
  ['indices_etfs/djia_index_daily_1928_2010.csv.gz', 20_433, 1],
  ['indices_etfs/nasdaq_index_daily_1999_2018_arch.csv.gz', 5_031, 1],
  ['indices_etfs/sp500_index_daily_1950_2022.csv.gz', 18_165, 1],
  ['indices_etfs/sp500_index_daily_1999_2018_arch.csv.gz', 5_031, 1],
  ['indices_etfs/vix_daily_1990_2026_pddl.csv', 9_235, 1],
];

for (const [file, rowCount, symbolCount] of PRICES) {
  test(`${file} is read whole, without a bad row`, { skip }, async () => {
    const path = join(DATA, file);
    const { dialect } = await previewCsv(path);
    const parsed = await parsePrices(path, dialect);
    const offsets = sortBySymbolAndDay(parsed);
    assert.equal(parsed.errorCount, 0);
    assert.equal(parsed.rowCount, rowCount);
    assert.equal(parsed.symbols.length, symbolCount);
    assert.equal(offsets.at(-1), rowCount);
    assert.ok(parsed.close.every((close) => Number.isFinite(close)));
    for (let i = 1; i < rowCount; i++)
      if (parsed.symbol[i] === parsed.symbol[i - 1] && parsed.day[i]! < parsed.day[i - 1]!) assert.fail(`row ${i}`);
  });
}

test('the file with raw and adjusted closes says which is which', { skip }, async () => {
  const { dialect, rows } = await previewCsv(join(DATA, 'equities/sp500_daily_2016_2019_yahoo_rawadj.csv.gz'));
  assert.equal(dialect.priceBasis.value, 'split_adjusted');
  assert.deepEqual(rows[0], {
    line: 2,
    symbol: 'AAL',
    day: '2016-05-16',
    open: 31.81,
    high: 32.3,
    low: 30.99,
    close: 32.12,
    adjClose: 30.8681,
    volume: 12_397_800,
  });
});

const TABLES: [string, TableKind, number][] = [
  ['equities/sp500_fundamentals_snapshots_2012_2026_pddl.csv.gz', 'fundamentals', 15_038],
  ['macro/ecb_eur_fx_daily_1999_2026.csv.gz', 'exchange-rates', 147_231],
  ['macro/fred_us_gov_series_to_2021.csv.gz', 'macro', 75_459],
  ['macro/fred_vintages_2026.csv', 'macro', 21_413],
];

for (const [file, kind, count] of TABLES) {
  test(`${file} is read as a table of ${kind}`, { skip }, async () => {
    const { rows, errorCount } = await parseTable(join(DATA, file), kind);
    assert.equal(errorCount, 0);
    assert.equal(rows.length, count);
  });
}
