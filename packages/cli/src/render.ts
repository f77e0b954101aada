/** A column of a table for people. */
export type Column<T> = {
  title: string;
  value: (row: T) => unknown;
  right?: boolean /** Never cut. */;
  whole?: boolean;
};

const CELL_LENGTH_MAX = 72;

/**
 * Lines up rows under their titles; numbers stand right. A missing value is a dash.
 *
 * @returns text ending with a line break; the sentence for no rows when there are none.
 */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[], none: string): string {
  if (rows.length === 0) return `${none}\n`;
  const cells = rows.map((row) => columns.map((column) => column.value(row)));
  const texts = cells.map((row) => row.map((cell, i) => (columns[i]?.whole ? show(cell) : shorten(show(cell)))));
  const right = columns.map(
    (column, i) => column.right ?? cells.every((row) => row[i] === null || typeof row[i] === 'number'),
  );
  const widths = columns.map((column, i) => Math.max(width(column.title), ...texts.map((row) => width(row[i] ?? ''))));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (right[i] ? pad(cell, widths[i] ?? 0) + cell : cell + pad(cell, widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return `${[line(columns.map((column) => column.title)), ...texts.map(line)].join('\n')}\n`;
}

/** Names and values below each other. */
export function facts(pairs: readonly (readonly [string, unknown])[]): string {
  const longest = Math.max(...pairs.map(([name]) => width(name)));
  return pairs.map(([name, value]) => `${name}${pad(name, longest)}  ${show(value)}\n`).join('');
}

/** A value as a person reads it: thousands grouped, instants to the minute, nothing as a dash. */
export function show(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–';
  if (typeof value === 'number') return number(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'string') return inner(value);
  const instant = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}):\d{2}(?:\.\d+)?Z$/.exec(value);
  return instant ? `${instant[1]} ${instant[2]}` : value.replace(/\s+/g, ' ');
}

/** A list or a record within a line. */
function inner(value: unknown): string {
  if (Array.isArray(value)) return value.map(show).join('; ') || 'none';
  if (typeof value !== 'object' || value === null) return String(value);
  const pairs = Object.entries(value).map(([key, one]) => `${key} ${show(one)}`);
  return pairs.join(', ') || 'none';
}

/** Whole numbers in full, others to six significant digits. */
export function number(value: number): string {
  if (Number.isInteger(value)) return Math.abs(value) < 1e15 ? value.toLocaleString('en') : String(value);
  return String(Number(value.toPrecision(8)));
}

/** A fraction as a percentage: 0.0125 is "1.25 %". */
export function percent(value: number | null): string {
  return value === null ? '–' : `${(value * 100).toFixed(2)} %`;
}

export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** The first digits of a hash: enough to tell two apart. */
export function short(sha256: string | null): string {
  return sha256 === null ? '–' : sha256.slice(0, 12);
}

function shorten(text: string): string {
  const points = [...text];
  return points.length <= CELL_LENGTH_MAX ? text : `${points.slice(0, CELL_LENGTH_MAX - 1).join('')}…`;
}

function width(text: string): number {
  return [...text].length;
}

function pad(text: string, to: number): string {
  return ' '.repeat(Math.max(0, to - width(text)));
}
