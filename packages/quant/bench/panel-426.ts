import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { CapSnapshots } from '../src/backtest/caps-as-known.ts';
import { createRandom } from '../src/random/random.ts';
import { dayNumber } from '../src/series/day.ts';

/** Daily closes of the 426 US stocks, or a seeded walk of the same shape where the data folder is absent. */
export type Panel426 = {
  source: string;
  day: Int32Array;
  symbols: string[];
  /** Row-major T × N, adjusted for splits and dividends, NaN where missing. */
  close: Float64Array;
};

/** Folder of the real data, or null where there is none. Nothing in it is part of the project. */
export function findDataFolder(): string | null {
  const folder = process.env.TOUCHSTONE_DATA ?? join(import.meta.dirname, '../../../../shared/data');
  return existsSync(join(folder, PRICE_FILE)) ? folder : null;
}

const PRICE_FILE = 'equities/us_stocks_daily_2010_2019_yahoo_adj.csv.gz';
const CAP_FILE = 'equities/sp500_fundamentals_snapshots_2012_2026_pddl.csv.gz';

/** Reads `date,symbol,open,high,low,close,volume` into a panel; days and symbols ascend. */
export function loadPanel426(folder: string): Panel426 {
  const lines = gunzipSync(readFileSync(join(folder, PRICE_FILE)))
    .toString('latin1')
    .split('\n');
  const dayIndex = new Map<string, number>();
  const symbolIndex = new Map<string, number>();
  const dates: string[] = [];
  const symbols: string[] = [];
  const row = new Int32Array(lines.length);
  const column = new Int32Array(lines.length);
  const price = new Float64Array(lines.length);
  let count = 0;
  for (let l = 1; l < lines.length; l++) {
    const fields = lines[l]!.split(',');
    if (fields.length < 7) continue;
    row[count] = indexOf(dayIndex, dates, fields[0]!);
    column[count] = indexOf(symbolIndex, symbols, fields[1]!);
    price[count++] = Number(fields[5]);
  }
  const rowPlace = ranks(dates);
  const columnPlace = ranks(symbols);
  const close = new Float64Array(dates.length * symbols.length).fill(Number.NaN);
  for (let k = 0; k < count; k++) close[rowPlace[row[k]!]! * symbols.length + columnPlace[column[k]!]!] = price[k]!;
  return {
    source: 'us_stocks_daily_2010_2019_yahoo_adj.csv.gz',
    day: Int32Array.from(dates.toSorted(), dayNumber),
    symbols: symbols.toSorted(),
    close,
  };
}

/** Reported market capitalisations of the panel's symbols, one entry per snapshot and symbol. */
export function loadCapSnapshots(folder: string, symbols: readonly string[]): CapSnapshots {
  const lines = gunzipSync(readFileSync(join(folder, CAP_FILE)))
    .toString('utf8')
    .split('\n');
  const columnOf = new Map(symbols.map((symbol, i) => [symbol, i]));
  const rows: { day: number; column: number; cap: number }[] = [];
  for (const line of lines.slice(1)) {
    const fields = splitQuoted(line);
    const column = columnOf.get(fields[2] ?? '');
    const cap = Number(fields[6] || 'NaN');
    if (column !== undefined && cap > 0) rows.push({ day: dayNumber(fields[0]!), column, cap });
  }
  return {
    day: Int32Array.from(rows, (r) => r.day),
    column: Int32Array.from(rows, (r) => r.column),
    cap: Float64Array.from(rows, (r) => r.cap),
    origin: 'reported',
  };
}

/** A seeded panel of the same shape, and quarterly capitalisations for it. */
export function randomPanel426(): { panel: Panel426; snapshots: CapSnapshots } {
  const rowCount = 2516;
  const columnCount = 426;
  const random = createRandom('index-kernel');
  const close = new Float64Array(rowCount * columnCount);
  for (let i = 0; i < columnCount; i++) close[i] = 20 + 80 * random.uniform();
  for (let t = 1; t < rowCount; t++) {
    const market = 0.0004 + 0.009 * random.normal();
    for (let i = 0; i < columnCount; i++)
      close[t * columnCount + i] =
        close[(t - 1) * columnCount + i]! * Math.exp(market + (0.006 + 0.00003 * i) * random.normal());
  }
  const day = Int32Array.from({ length: rowCount }, (_, t) => 14_613 + t + 2 * Math.floor(t / 5));
  const quarters = Array.from({ length: Math.floor(rowCount / 63) }, (_, q) => 63 * q);
  const snapshots = quarters.flatMap((t) =>
    Array.from({ length: columnCount }, (_, i) => ({
      day: day[t]!,
      column: i,
      cap: 1e8 * (i + 1) * close[t * columnCount + i]!,
    })),
  );
  return {
    panel: {
      source: 'seeded random walk, 426 x 2516',
      day,
      symbols: Array.from({ length: columnCount }, (_, i) => `S${i}`),
      close,
    },
    snapshots: {
      day: Int32Array.from(snapshots, (s) => s.day),
      column: Int32Array.from(snapshots, (s) => s.column),
      cap: Float64Array.from(snapshots, (s) => s.cap),
      origin: 'reported',
    },
  };
}

function indexOf(index: Map<string, number>, list: string[], key: string): number {
  const known = index.get(key);
  if (known !== undefined) return known;
  index.set(key, list.length);
  list.push(key);
  return list.length - 1;
}

/** Place of each entry in ascending order. */
function ranks(list: readonly string[]): Int32Array {
  const place = new Map(list.toSorted().map((key, k) => [key, k]));
  return Int32Array.from(list, (key) => place.get(key)!);
}

/** Fields of one comma-separated line; a quoted field may hold commas. */
function splitQuoted(line: string): string[] {
  const fields: string[] = [];
  let field = '';
  let isQuoted = false;
  for (const letter of line) {
    if (letter === '"') isQuoted = !isQuoted;
    else if (letter === ',' && !isQuoted) {
      fields.push(field);
      field = '';
    } else field += letter;
  }
  fields.push(field);
  return fields;
}
