import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Bars } from '../src/series/bars.ts';
import { dayNumber } from '../src/series/day.ts';
import { findDataFile } from './_daily-panel.ts';

export type IndexBars = Bars & {
  /** Adjusted close where the file has one, else the close. */
  adjustedClose: Float64Array;
  sha256: string;
  file: string;
};

/**
 * Reads a CSV of one index, `date,open,high,low,close[,adj_close]…`, plain or gzip, rows in file order.
 *
 * @throws Error with the reason where the file is absent.
 */
export function readIndexBars(file: string): IndexBars {
  const path = findDataFile(file);
  if (path === undefined) throw new Error(`${file} is not in the data folder; set TOUCHSTONE_DATA`);
  const bytes = readFileSync(path);
  const lines = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1').trim().split('\n');
  const header = lines[0]!.split(',').map((name) => name.trim().toLowerCase());
  const rows = lines.slice(1).map((line) => line.split(','));
  const column = (name: string): Float64Array => {
    const at = header.indexOf(name);
    return Float64Array.from(rows, (row) => (at < 0 || row[at] === '' ? Number.NaN : Number(row[at])));
  };
  return {
    day: Int32Array.from(rows, (row) => dayNumber(row[header.indexOf('date')]!)),
    open: column('open'),
    high: column('high'),
    low: column('low'),
    close: column('close'),
    volume: column('volume'),
    adjustedClose: header.includes('adj_close') ? column('adj_close') : column('close'),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    file,
  };
}
