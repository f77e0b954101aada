import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type BarPanel, concatenateBars } from '../src/quality/bar-panel.ts';
import type { Bars } from '../src/series/bars.ts';
import { dayNumber } from '../src/series/day.ts';

export type NamedPanel = { panel: BarPanel; symbols: string[] };

const REPOSITORY_ROOT = resolve(import.meta.dirname, '../../..');

/** Path of a file in the shared data folder, or undefined where it is absent. */
export function findDataFile(name: string): string | undefined {
  const folder = resolve(REPOSITORY_ROOT, process.env.TOUCHSTONE_DATA ?? '../shared/data');
  const path = join(folder, name);
  return existsSync(path) ? path : undefined;
}

/**
 * Reads a long CSV of daily bars: `date,symbol,open,high,low,close,volume` under any order of columns, plain or gzip.
 * Column names may end in `_raw`. Rows of a symbol are sorted by day and keep file order on equal days. An empty field
 * is NaN.
 */
export function readDailyPanel(path: string): NamedPanel {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
  const lines = text.split('\n');
  const header = lines[0]!.split(',').map((name) => name.trim().toLowerCase().replace(/_raw$/, ''));
  const column = (name: string): number => {
    const at = header.indexOf(name);
    if (at < 0) throw new RangeError(`${path} has no column ${name}`);
    return at;
  };
  const columns = ['date', 'symbol', 'open', 'high', 'low', 'close', 'volume'].map(column);
  const rows = new Map<string, number[]>();
  const days = new Map<string, number>();
  for (let k = 1; k < lines.length; k++) {
    if (lines[k] === '') continue;
    const fields = lines[k]!.split(',');
    const [date, symbol] = [fields[columns[0]!]!, fields[columns[1]!]!];
    let day = days.get(date);
    if (day === undefined) {
      day = dayNumber(date);
      days.set(date, day);
    }
    let values = rows.get(symbol);
    if (values === undefined) {
      values = [];
      rows.set(symbol, values);
    }
    values.push(day);
    for (let c = 2; c < 7; c++) {
      const field = fields[columns[c]!]!.trim();
      values.push(field === '' ? Number.NaN : Number(field));
    }
  }
  const symbols = [...rows.keys()].sort();
  return { symbols, panel: concatenateBars(symbols.map((symbol) => toBars(rows.get(symbol)!))) };
}

function toBars(values: readonly number[]): Bars {
  const size = values.length / 6;
  const order = Array.from({ length: size }, (_, k) => k).sort((a, b) => values[6 * a]! - values[6 * b]! || a - b);
  const pick = (field: number) => Float64Array.from(order, (k) => values[6 * k + field]!);
  return {
    day: Int32Array.from(order, (k) => values[6 * k]!),
    open: pick(1),
    high: pick(2),
    low: pick(3),
    close: pick(4),
    volume: pick(5),
  };
}
