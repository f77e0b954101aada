import type { ColumnRole, PriceDialect } from './dialect.ts';
import {
  DATE_OUT_OF_RANGE,
  type DateFormat,
  dateFormatWords,
  FIRST_YEAR,
  LAST_YEAR,
  MAX_DATE_LENGTH,
  NO_DATE,
  parseDateText,
  parseIsoDay,
} from './parse-date.ts';
import { isMissing, type NumberStyle, parseDecimal, parseNumberText, parseVolumeText } from './parse-number.ts';
import { type CsvSource, checkLineLength, decodeText, openText } from './read-text.ts';
import {
  CsvRefusal,
  createRowErrors,
  listed,
  MAX_LINE_BYTES,
  MAX_ROWS,
  MAX_SYMBOLS,
  type OnBadRow,
  type RowError,
  type RowErrors,
  shown,
} from './refusal.ts';
import { splitLine } from './split-line.ts';

/**
 * Daily bars as columns of `rowCount` entries, in the order of the file until sorted.
 *
 * `symbol` indexes `symbols` (first appearance first); `day` counts days since 1970-01-01; prices are in
 * `currencies[symbol]` per share; missing is NaN (never in `close`). `line` is the line in the file, from 1.
 */
export type PriceColumns = {
  symbols: string[];
  /** Currency of each symbol, in the order of `symbols`. */
  currencies: string[];
  symbol: Int32Array;
  day: Int32Array;
  open: Float64Array;
  high: Float64Array;
  low: Float64Array;
  close: Float64Array;
  volume: Float64Array;
  adjClose: Float64Array | null;
  line: Int32Array;
  rowCount: number;
};

export type ParsedPrices = PriceColumns & {
  file: string;
  /** The first bad rows, at most MAX_ROW_ERRORS; `errorCount` counts all. None of them is in the columns. */
  errors: RowError[];
  errorCount: number;
  lineCount: number;
  /** Bytes of the file as it lay. */
  bytesRead: number;
  /** SHA-256 of the file as it lay, hex. */
  contentSha256: string;
  notes: string[];
};

export type ParseProgress = { bytesRead: number; bytesTotal: number | null; rowCount: number; errorCount: number };

export type ParseOptions = {
  onProgress?: (progress: ParseProgress) => void;
  /** Default `keep-good`. */
  onBadRow?: OnBadRow;
  /** Stops between chunks by throwing its reason. */
  signal?: AbortSignal;
};

const FIRST_CAPACITY = 1 << 15;
const BLOCK_BYTES = 256 * 1024;
const LF = 10;
const CR = 13;
const SPACE = 32;
/** Byte classes of the line scanner; every other byte is 0. */
const IS_SEPARATOR = 1;
const IS_NEWLINE = 2;
const IS_QUOTE = 3;
const MAX_SYMBOL_BYTES = 64;
/** Day texts remembered when they need the slow way: longer than a century of trading days. */
const MAX_CACHED_DAYS = 50_000;

const DATE_RULE = (format: DateFormat) => `a date must be a real day written as ${dateFormatWords(format)}`;
const RANGE_RULE = `a date must lie in ${FIRST_YEAR} to ${LAST_YEAR}`;
const NUMBER_RULE = 'a price must be a number';
const VOLUME_RULE = 'a volume must be a number';
const CLOSE_RULE = 'a row must have a close';
const SYMBOL_RULE = `a symbol must be 1 to ${MAX_SYMBOL_BYTES} printable bytes`;
const QUOTE_RULE = 'a quoted field must end on its line, before a separator';

/**
 * Parses a price file into columns, in one pass over its bytes.
 *
 * Bad rows are left out and reported (or refuse the file, by `onBadRow`). Negative and zero prices are kept: whether
 * they are sane is for the quality court. Numbers equal `Number(text)` to the last bit. Memory beyond the columns is
 * bounded by a few read buffers.
 *
 * @throws CsvRefusal for the file as a whole: damaged, not text, above a limit, other columns than the dialect, no rows.
 */
export async function parsePrices(
  source: CsvSource,
  dialect: PriceDialect,
  options: ParseOptions = {},
): Promise<ParsedPrices> {
  const text = await openText(source);
  const parser = createPriceParser(text.file, dialect, options.onBadRow ?? 'keep-good');
  const report = () =>
    options.onProgress?.({
      bytesRead: text.bytesRead(),
      bytesTotal: text.bytesTotal,
      rowCount: parser.rowCount(),
      errorCount: parser.errorCount(),
    });
  try {
    for await (const chunk of text.chunks) {
      options.signal?.throwIfAborted();
      parser.push(chunk);
      report();
    }
  } finally {
    text.close();
  }
  const parsed = parser.finish();
  report();
  if (parsed.rowCount === 0 && parsed.errorCount === 0)
    throw new CsvRefusal('NO_ROWS', text.file, 'a price file must have rows', `${text.file} has no rows of prices.`);
  return {
    ...parsed,
    file: text.file,
    bytesRead: text.bytesRead(),
    contentSha256: text.contentSha256(),
    notes: text.notes,
  };
}

/** The parser behind {@link parsePrices}, fed with UTF-8 chunks cut anywhere. */
export function createPriceParser(file: string, dialect: PriceDialect, onBadRow: OnBadRow) {
  const errors = createRowErrors(file, onBadRow);
  const columnCount = dialect.columnNames.length;
  const roles = dialect.columns.value;
  const names = dialect.columnNames;
  const nameOf = (role: ColumnRole): string | null => {
    const i = roles[role];
    return i === null ? null : (names[i] ?? `column ${i + 1}`);
  };
  const atDate = roles.date ?? -1;
  const atSymbol = dialect.layout.value === 'long' ? (roles.symbol ?? -1) : -1;
  const atCurrency = roles.currency ?? -1;
  const numbers: NumberColumn[] = [];
  const addNumber = (role: ColumnRole, volume: boolean): Float64Array => {
    const at = roles[role];
    const values = new Float64Array(FIRST_CAPACITY);
    numbers.push({ at: at ?? -1, values, name: nameOf(role), close: role === 'close', volume });
    return values;
  };
  addNumber('open', false);
  addNumber('high', false);
  addNumber('low', false);
  addNumber('close', false);
  addNumber('volume', true);
  if (roles.adjClose !== null) addNumber('adjClose', false);

  const style: NumberStyle = { decimal: dialect.decimal.value, thousands: dialect.thousands.value };
  const plainNumbers = style.decimal === '.';
  const format = dialect.dateFormat.value;
  const dateRule = DATE_RULE(format);
  const plainDates = format === 'iso';
  const timeZone = dialect.timeZone.value;
  const days = new Map<string, number>();
  const separator = dialect.separator.value.charCodeAt(0);
  const quote = dialect.quote.value === null ? -1 : dialect.quote.value.charCodeAt(0);
  const classes = new Uint8Array(256);
  classes[separator] = IS_SEPARATOR;
  classes[LF] = IS_NEWLINE;
  if (quote >= 0) classes[quote] = IS_QUOTE;

  const symbols = createSymbolTable(file, dialect, errors, nameOf('symbol'), nameOf('currency'));
  const bounds = new Int32Array(columnCount + 1);
  let capacity = FIRST_CAPACITY;
  let symbol = new Int32Array(capacity);
  let day = new Int32Array(capacity);
  let lines = new Int32Array(capacity);
  let rowCount = 0;
  let line = 0;

  const grow = () => {
    // Transferred column by column, so that only one column at a time is there twice.
    const bytes = (itemBytes: number, rows: number) => rows * itemBytes;
    capacity = Math.min(capacity * 2, MAX_ROWS + 1);
    symbol = new Int32Array(symbol.buffer.transfer(bytes(4, capacity)));
    day = new Int32Array(day.buffer.transfer(bytes(4, capacity)));
    lines = new Int32Array(lines.buffer.transfer(bytes(4, capacity)));
    for (const column of numbers)
      column.values = new Float64Array(ownBuffer(column.values).transfer(bytes(8, capacity)));
  };

  /** The day of a field, or a code; the slow way, remembered by text. */
  const slowDay = (bytes: Uint8Array, start: number, end: number): number => {
    if (end - start > MAX_DATE_LENGTH) return NO_DATE;
    const text = decodeText(bytes.subarray(start, end));
    const known = days.get(text);
    if (known !== undefined) return known;
    const value = parseDateText(text, format, timeZone);
    if (days.size >= MAX_CACHED_DAYS) days.clear();
    days.set(text, value);
    return value;
  };

  /** A number the fast path did not take: its value, NaN where it is missing, undefined after a row error. */
  const slowNumber = (bytes: Uint8Array, start: number, end: number, column: NumberColumn): number | undefined => {
    const text = decodeText(bytes.subarray(start, end));
    const value = column.volume ? parseVolumeText(text, style) : parseNumberText(text, style);
    if (value === undefined || (value !== null && !Number.isFinite(value))) {
      errors.add('NUMBER', line, column.name, column.volume ? VOLUME_RULE : NUMBER_RULE, shown(text));
      return undefined;
    }
    if (value === null && column.close) {
      errors.add('CLOSE_MISSING', line, column.name, CLOSE_RULE, shown(text.trim()));
      return undefined;
    }
    return value ?? Number.NaN;
  };

  /** The day of the row between the bounds, or a code after a row error. */
  const readDay = (bytes: Uint8Array): number => {
    const start = bounds[atDate]! + 1;
    const end = bounds[atDate + 1]!;
    let value = plainDates && end - start === 10 ? parseIsoDay(bytes, start) : NO_DATE;
    if (value > DATE_OUT_OF_RANGE) return value;
    value = slowDay(bytes, start, end);
    if (value > DATE_OUT_OF_RANGE) return value;
    const text = shown(decodeText(bytes.subarray(start, end)));
    if (value === NO_DATE) errors.add('DATE', line, nameOf('date'), dateRule, text);
    else errors.add('DATE_RANGE', line, nameOf('date'), RANGE_RULE, text);
    return value;
  };

  /** Writes one number of the row being read; false after a row error. */
  const readNumber = (bytes: Uint8Array, column: NumberColumn): boolean => {
    let start = bounds[column.at]! + 1;
    let end = bounds[column.at + 1]!;
    while (start < end && bytes[start] === SPACE) start++;
    while (end > start && bytes[end - 1] === SPACE) end--;
    const value = plainNumbers ? parseDecimal(bytes, start, end) : Number.NaN;
    // False for NaN, and for the Infinity that 1e999 gives.
    if (value - value === 0) {
      column.values[rowCount] = value;
      return true;
    }
    const slow = slowNumber(bytes, start, end, column);
    column.values[rowCount] = slow ?? Number.NaN;
    return slow !== undefined;
  };

  /** Reads one row from field bounds: field f lies between `bounds[f] + 1` and `bounds[f + 1]`. */
  const readRow = (bytes: Uint8Array): void => {
    const dayNumber = readDay(bytes);
    if (dayNumber <= DATE_OUT_OF_RANGE) return;
    if (rowCount === capacity) grow();
    for (let c = 0; c < numbers.length; c++) {
      const column = numbers[c]!;
      if (column.at < 0) column.values[rowCount] = Number.NaN;
      else if (!readNumber(bytes, column)) return;
    }
    const id = atSymbol < 0 ? 0 : symbols.find(bytes, bounds[atSymbol]! + 1, bounds[atSymbol + 1]!, line);
    if (id < 0) return;
    if (atCurrency >= 0) {
      const text = decodeText(bytes.subarray(bounds[atCurrency]! + 1, bounds[atCurrency + 1]!));
      if (!symbols.checkCurrency(id, text, line)) return;
    }
    symbol[rowCount] = id;
    day[rowCount] = dayNumber;
    lines[rowCount] = line;
    rowCount++;
    if (rowCount > MAX_ROWS) refuseRows(file, line);
  };

  const checkFieldCount = (found: number): boolean => {
    if (found === columnCount) return true;
    errors.add('FIELD_COUNT', line, null, `a row must have ${columnCount} fields like the header`, `${found}`);
    return false;
  };

  /** A line with quotes, or with a number of fields that needs a second look. */
  const readOddLine = (bytes: Uint8Array, start: number, end: number): void => {
    const text = decodeText(bytes.subarray(start, end));
    if (text.trim() === '') return;
    const fields = splitLine(text, dialect.separator.value, dialect.quote.value);
    if (fields === null) {
      errors.add('QUOTE_NOT_CLOSED', line, null, QUOTE_RULE, shown(text));
      return;
    }
    // A separator at the end of every row is a habit of some exporters, not another column.
    while (fields.length > columnCount && fields.at(-1)!.trim() === '') fields.pop();
    if (!checkFieldCount(fields.length)) return;
    const encoded = fields.map((field) => Buffer.from(field));
    const row = new Uint8Array(encoded.reduce((sum, field) => sum + field.length, encoded.length));
    let at = 0;
    bounds[0] = -1;
    for (const [i, field] of encoded.entries()) {
      row.set(field, at);
      at += field.length;
      bounds[i + 1] = at++;
    }
    readRow(row);
  };

  const readHeaderLine = (bytes: Uint8Array, start: number, end: number): void => {
    if (line !== dialect.headerLine || !dialect.hasHeader.value) return;
    const fields = splitLine(decodeText(bytes.subarray(start, end)), dialect.separator.value, dialect.quote.value)?.map(
      (name) => name.trim(),
    );
    while (fields !== undefined && fields.length > columnCount && fields.at(-1) === '') fields.pop();
    if (fields !== undefined && fields.length === columnCount && fields.every((name, i) => name === names[i])) return;
    throw new CsvRefusal(
      'HEADER_CHANGED',
      file,
      'a file must have the columns it was previewed with',
      `${file}, line ${line}: the columns are not ${listed(names)}. Preview this file by itself.`,
      { line },
    );
  };

  let separators = 0;
  let quoted = false;

  /** Finds the line feed that ends the line at `start`, noting the field bounds on the way. */
  const scanLine = (bytes: Uint8Array, start: number): number => {
    let found = 0;
    quoted = false;
    bounds[0] = start - 1;
    for (let i = start; ; i++) {
      const kind = classes[bytes[i]!]!;
      if (kind === 0) continue;
      if (kind === IS_SEPARATOR) {
        if (++found < columnCount) bounds[found] = i;
      } else if (kind === IS_NEWLINE) {
        separators = found;
        return i;
      } else quoted = true;
    }
  };

  /** Reads whole lines: `bytes[to - 1]` is a line feed. */
  const readLines = (bytes: Uint8Array, from: number, to: number): void => {
    let start = from;
    while (start < to) {
      line++;
      const newline = scanLine(bytes, start);
      checkLineLength(newline - start, file, line);
      const end = newline > start && bytes[newline - 1] === CR ? newline - 1 : newline;
      if (line <= dialect.headerLine) readHeaderLine(bytes, start, end);
      else if (quoted || separators !== columnCount - 1) readOddLine(bytes, start, end);
      else {
        bounds[columnCount] = end;
        readRow(bytes);
      }
      start = newline + 1;
    }
  };

  // Lines cut by a chunk wait at the front of one buffer; a plain Uint8Array, because the hot loops then see one type.
  const work = new Uint8Array(MAX_LINE_BYTES + BLOCK_BYTES + 2);
  let filled = 0;

  const push = (chunk: Uint8Array): void => {
    for (let at = 0; at < chunk.length; ) {
      const size = Math.min(chunk.length - at, BLOCK_BYTES);
      work.set(chunk.subarray(at, at + size), filled);
      const newline = work.lastIndexOf(LF, filled + size - 1);
      at += size;
      filled += size;
      if (newline >= 0) {
        readLines(work, 0, newline + 1);
        work.copyWithin(0, newline + 1, filled);
        filled -= newline + 1;
      }
      checkLineLength(filled, file, line + 1);
    }
  };

  return {
    push,
    rowCount: () => rowCount,
    errorCount: errors.count,
    /** Reads an unfinished last line and gives the columns, trimmed. Call once. */
    finish(): PriceColumns & { errors: RowError[]; errorCount: number; lineCount: number } {
      if (filled > 0) {
        work[filled++] = LF;
        readLines(work, 0, filled);
      }
      const values = numbers.map((column) => {
        const trimmed = new Float64Array(ownBuffer(column.values).transfer(rowCount * 8));
        column.values = trimmed;
        return trimmed;
      });
      return {
        symbols: symbols.names,
        currencies: symbols.currencies.map((currency) => currency || dialect.currency.value),
        symbol: new Int32Array(symbol.buffer.transfer(rowCount * 4)),
        day: new Int32Array(day.buffer.transfer(rowCount * 4)),
        open: values[0]!,
        high: values[1]!,
        low: values[2]!,
        close: values[3]!,
        volume: values[4]!,
        adjClose: values[5] ?? null,
        line: new Int32Array(lines.buffer.transfer(rowCount * 4)),
        rowCount,
        errors: errors.errors,
        errorCount: errors.count(),
        lineCount: line,
      };
    },
  };
}

type NumberColumn = {
  at: number;
  values: Float64Array<ArrayBuffer>;
  name: string | null;
  close: boolean;
  volume: boolean;
};

function ownBuffer(values: Float64Array<ArrayBuffer>): ArrayBuffer {
  return values.buffer;
}

function refuseRows(file: string, line: number): never {
  throw new CsvRefusal(
    'TOO_MANY_ROWS',
    file,
    `a file must have at most ${MAX_ROWS} rows`,
    `${file} has more than ${MAX_ROWS.toLocaleString('en')} rows. Split it by symbol or by year.`,
    { line },
  );
}

/**
 * Symbols to numbers from their bytes, in order of appearance. Rows mostly repeat the symbol of the row before, which
 * one comparison settles; otherwise an open-addressing table is asked. No text is made for a symbol seen before.
 */
function createSymbolTable(
  file: string,
  dialect: PriceDialect,
  errors: RowErrors,
  symbolColumn: string | null,
  currencyColumn: string | null,
) {
  const names: string[] = [];
  const currencies: string[] = [];
  const spellings: Uint8Array[] = [];
  const ids: number[] = [];
  const byName = new Map<string, number>();
  let table = new Int32Array(1024).fill(-1);
  let last: Uint8Array = new Uint8Array(0);
  let lastId = -1;
  const suffix = dialect.symbolSuffix.value;
  const fixed = dialect.layout.value === 'single' ? dialect.symbol.value : null;
  const withCurrency = dialect.columns.value.currency !== null;

  const addName = (name: string): number => {
    const known = byName.get(name);
    if (known !== undefined) return known;
    if (names.length === MAX_SYMBOLS)
      throw new CsvRefusal(
        'TOO_MANY_SYMBOLS',
        file,
        `a file must have at most ${MAX_SYMBOLS} symbols`,
        `${file} has more than ${MAX_SYMBOLS.toLocaleString('en')} symbols in column ${symbolColumn}. Is it the right column?`,
        { column: symbolColumn },
      );
    const id = names.push(name) - 1;
    currencies.push(withCurrency ? '' : dialect.currency.value);
    byName.set(name, id);
    return id;
  };
  if (fixed !== null) addName(fixed);

  const insert = (slots: Int32Array, spelling: number): void => {
    let slot = hashOf(spellings[spelling]!, 0, spellings[spelling]!.length) & (slots.length - 1);
    while (slots[slot]! >= 0) slot = (slot + 1) & (slots.length - 1);
    slots[slot] = spelling;
  };

  const add = (bytes: Uint8Array, start: number, end: number, line: number): number => {
    const text = decodeText(bytes.subarray(start, end));
    let name = text.trim();
    if (suffix !== '' && name.toUpperCase().endsWith(suffix)) name = name.slice(0, -suffix.length);
    if (name === '' || end - start > MAX_SYMBOL_BYTES || /\p{Cc}/u.test(name)) {
      errors.add('SYMBOL', line, symbolColumn, SYMBOL_RULE, shown(text));
      return -1;
    }
    const spelling = spellings.push(bytes.slice(start, end)) - 1;
    ids.push(addName(name));
    if (spellings.length * 2 > table.length) {
      table = new Int32Array(table.length * 2).fill(-1);
      for (let i = 0; i < spellings.length; i++) insert(table, i);
    } else insert(table, spelling);
    return spelling;
  };

  return {
    names,
    currencies,
    find(bytes: Uint8Array, start: number, end: number, line: number): number {
      if (lastId >= 0 && isSame(last, bytes, start, end)) return lastId;
      let slot = hashOf(bytes, start, end) & (table.length - 1);
      let spelling = table[slot]!;
      while (spelling >= 0 && !isSame(spellings[spelling]!, bytes, start, end)) {
        slot = (slot + 1) & (table.length - 1);
        spelling = table[slot]!;
      }
      if (spelling < 0) spelling = add(bytes, start, end, line);
      if (spelling < 0) return -1;
      last = spellings[spelling]!;
      lastId = ids[spelling]!;
      return lastId;
    },
    checkCurrency(id: number, text: string, line: number): boolean {
      const code = text.trim().toUpperCase();
      const currency = isMissing(code) ? dialect.currency.value : code;
      if (!/^[A-Z]{3}$/.test(currency)) {
        errors.add('CURRENCY', line, currencyColumn, 'a currency must be three letters', shown(text));
        return false;
      }
      if (currencies[id] === '') currencies[id] = currency;
      if (currencies[id] === currency) return true;
      const rule = `a symbol must keep one currency, ${names[id]} has ${currencies[id]}`;
      errors.add('CURRENCY', line, currencyColumn, rule, shown(text));
      return false;
    },
  };
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash ^ (hash >>> 15);
}

function isSame(spelling: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (spelling.length !== end - start) return false;
  for (let i = 0; i < spelling.length; i++) if (spelling[i] !== bytes[start + i]) return false;
  return true;
}
