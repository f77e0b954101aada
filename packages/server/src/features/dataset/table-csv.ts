import { dayText } from '@touchstone/quant/series/day';
import type { BundleTable } from '../../platform/object-store/bundle.ts';

const ROWS_A_PIECE = 1_000;

/** A table as CSV (RFC 4180), piece by piece: days as texts, missing values empty. */
export function* csvOf(table: BundleTable): Generator<string> {
  const columns = Object.entries(table.columns);
  yield `${columns.map(([name]) => quoted(name)).join(',')}\n`;
  for (let from = 0; from < table.rowCount; from += ROWS_A_PIECE) {
    let piece = '';
    for (let row = from; row < Math.min(from + ROWS_A_PIECE, table.rowCount); row++)
      piece += `${columns.map(([, { type, values }]) => fieldOf(type, values[row]!)).join(',')}\n`;
    yield piece;
  }
}

function fieldOf(type: string, value: number): string {
  if (Number.isNaN(value)) return '';
  // Days before 1970 are days; −1 stands for none only where there is no day at all.
  return type === 'date' ? (value === -1 ? '' : dayText(value)) : String(value);
}

function quoted(name: string): string {
  return /[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}
