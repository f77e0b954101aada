import { plainName } from './column-names.ts';
import { detectDateFormat } from './detect-dates.ts';
import { detectShape, type TableShape } from './detect-dialect.ts';
import { detectNumberStyle } from './detect-numbers.ts';
import type { Detected, Separator } from './dialect.ts';
import {
  DATE_OUT_OF_RANGE,
  type DateFormat,
  dateFormatWords,
  FIRST_YEAR,
  LAST_YEAR,
  NO_DATE,
  parseDateText,
} from './parse-date.ts';
import { isMissing, type NumberStyle, parseNumberText } from './parse-number.ts';
import { type CsvSource, openText, readLines, readSample, type TextSample } from './read-text.ts';
import { CsvRefusal, createRowErrors, listed, type OnBadRow, type RowError, type RowErrors, shown } from './refusal.ts';
import { splitLine } from './split-line.ts';

/** Rows one small table may hold. They are records, not columns. */
const MAX_TABLE_ROWS = 500_000;

/**
 * One listing's size at a snapshot. `values` holds every other numeric column by its header name, `texts` every other
 * text; columns without a value in the row are left out. `currency` is the market cap's.
 */
export type FundamentalRow = {
  line: number;
  day: string;
  symbol: string;
  marketCap: number | null;
  currency: string;
  values: Record<string, number>;
  texts: Record<string, string>;
};

/** A split's value is new shares per old share; a dividend's an amount per share. */
export type CorporateActionRow = {
  line: number;
  day: string;
  symbol: string;
  type: 'split' | 'dividend';
  value: number;
};

/** Units of `quote` for one of `base`. */
export type ExchangeRateRow = { line: number; day: string; base: string; quote: string; rate: number };

/** `value` is null where the source says that there is none; `vintageDay` is the day the value was published, if known. */
export type MacroRow = { line: number; day: string; series: string; value: number | null; vintageDay: string | null };

type TableRows = {
  fundamentals: FundamentalRow;
  'corporate-actions': CorporateActionRow;
  'exchange-rates': ExchangeRateRow;
  macro: MacroRow;
};

export type TableKind = keyof TableRows;

export type TableDialect = {
  file: string;
  separator: Detected<Separator>;
  columnNames: string[];
  /** Column name of every role that was found. */
  columns: Record<string, string>;
  unknownColumns: string[];
  dateFormat: Detected<DateFormat>;
  decimal: Detected<NumberStyle['decimal']>;
  /** Exchange rates only: `wide` has one column per currency. */
  layout: 'long' | 'wide';
  /** Wide exchange rates: the currency that the columns are quoted against. */
  base: Detected<string>;
  notes: string[];
};

export type ParsedTable<K extends TableKind> = {
  kind: K;
  dialect: TableDialect;
  rows: TableRows[K][];
  errors: RowError[];
  errorCount: number;
  bytesRead: number;
  contentSha256: string;
};

export type TableOptions = {
  /** Column name per role, where the names are not known here. */
  columns?: Record<string, string>;
  dateFormat?: DateFormat;
  decimal?: NumberStyle['decimal'];
  /** Base of wide exchange rates; default EUR, as in the ECB's file. */
  base?: string;
  /** Currency of market caps; default from the column's name (`market_cap_usd`), else USD. */
  currency?: string;
  onBadRow?: OnBadRow;
};

const ROLE_NAMES: Record<TableKind, Record<string, string>> = {
  fundamentals: {
    date: 'snapshotdate date asof asofdate day',
    symbol: 'symbol ticker code',
    marketCap: 'marketcap marketcapusd marketcapeur marketcapgbp marketcapitalization marketcapitalisation mktcap',
    currency: 'currency ccy',
  },
  'corporate-actions': {
    date: 'date exdate effectivedate day',
    symbol: 'symbol ticker code',
    type: 'type action kind actiontype',
    value: 'value ratio amount factor',
  },
  'exchange-rates': {
    date: 'date day time',
    base: 'base from basecurrency',
    quote: 'quote to quotecurrency currency',
    rate: 'rate value close exchangerate',
  },
  macro: {
    date: 'date observationdate referencedate day period',
    series: 'series seriesid code indicator',
    value: 'value observation',
    vintage: 'vintagedate vintage realtimestart releasedate published publicationdate knownat',
  },
};

const REQUIRED: Record<TableKind, string[]> = {
  fundamentals: ['date', 'symbol'],
  'corporate-actions': ['date', 'symbol', 'type', 'value'],
  'exchange-rates': ['date'],
  macro: ['date', 'series', 'value'],
};

const DATE_ROLES = new Set(['date', 'vintage']);
const TEXT_ROLES = new Set(['symbol', 'type', 'series', 'base', 'quote', 'currency']);
const ECB_BASE = 'EUR';

/**
 * Reads one of the small tables into records, bad rows reported like those of prices.
 *
 * A stream is kept in memory, because a table is read twice: once to detect how it is written.
 *
 * @throws CsvRefusal for the file as a whole.
 */
export async function parseTable<K extends TableKind>(
  source: CsvSource,
  kind: K,
  options: TableOptions = {},
): Promise<ParsedTable<K>> {
  const again = await replayable(source);
  const sample = await readSample(again());
  const shape = detectShape(sample);
  const layout = findLayout(sample, shape, kind, options);
  const text = await openText(again());
  const errors = createRowErrors(text.file, options.onBadRow ?? 'keep-good');
  const rows: TableRows[K][] = [];
  const names = layout.dialect.columnNames;
  const read = READERS[kind];
  for await (const { line, text: lineText } of readLines(text)) {
    if (line <= shape.headerLine || lineText.trim() === '') continue;
    const fields = splitLine(lineText, shape.separator.value, shape.quote.value);
    while (fields !== null && fields.length > names.length && fields.at(-1)!.trim() === '') fields.pop();
    if (fields === null || fields.length !== names.length) {
      if (fields === null)
        errors.add('QUOTE_NOT_CLOSED', line, null, 'a quoted field must end on its line', shown(lineText));
      else
        errors.add(
          'FIELD_COUNT',
          line,
          null,
          `a row must have ${names.length} fields like the header`,
          `${fields.length}`,
        );
      continue;
    }
    for (const row of read(createRow(fields, line, layout, errors))) rows.push(row);
    if (rows.length > MAX_TABLE_ROWS)
      throw new CsvRefusal(
        'TOO_MANY_ROWS',
        text.file,
        `a table must have at most ${MAX_TABLE_ROWS} rows`,
        `${text.file} has more than ${MAX_TABLE_ROWS.toLocaleString('en')} rows. Split it by date.`,
        { line },
      );
  }
  if (rows.length === 0 && errors.count() === 0)
    throw new CsvRefusal('NO_ROWS', text.file, 'a table must have rows', `${text.file} has no rows.`);
  return {
    kind,
    dialect: layout.dialect,
    rows,
    errors: errors.errors,
    errorCount: errors.count(),
    bytesRead: text.bytesRead(),
    contentSha256: text.contentSha256(),
  };
}

/** Small tables are read twice, so a stream is kept in memory; the bound is the one of a table file. */
async function replayable(source: CsvSource): Promise<() => CsvSource> {
  if (typeof source === 'string') return () => source;
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source.chunks) {
    parts.push(chunk);
    size += chunk.length;
    if (size > MAX_TABLE_BYTES)
      throw new CsvRefusal(
        'FILE_TOO_LARGE',
        source.name,
        `a table must have at most ${MAX_TABLE_BYTES} bytes`,
        `${source.name} has more than ${MAX_TABLE_BYTES / 1024 ** 2} MiB, too many for a table like this.`,
      );
  }
  return () => ({
    name: source.name,
    chunks: (async function* () {
      yield* parts;
    })(),
  });
}

const MAX_TABLE_BYTES = 64 * 1024 ** 2;

type Layout = {
  dialect: TableDialect;
  /** Column of every role found. */
  places: Record<string, number>;
  /** Columns without a role: currencies of wide rates, further values of fundamentals. */
  others: number[];
  style: NumberStyle;
  currency: string;
};

function findLayout(sample: TextSample, shape: TableShape, kind: TableKind, options: TableOptions): Layout {
  const { columnNames: names, rows } = shape;
  if (!shape.hasHeader.value)
    throw new CsvRefusal(
      'MISSING_COLUMN',
      sample.file,
      'a table must begin with its column names',
      `${sample.file} has no header line; its columns cannot be told apart.`,
      { line: 1 },
    );
  if (rows.length === 0)
    throw new CsvRefusal('NO_ROWS', sample.file, 'a table must have rows', `${sample.file} has a header but no rows.`);
  const places = findPlaces(sample.file, names, kind, options.columns ?? {});
  const long = kind !== 'exchange-rates' || 'rate' in places;
  checkRequired(sample.file, shape, kind, long, places);
  const used = new Set(Object.values(places));
  const others = names.flatMap((_, i) => (used.has(i) ? [] : [i]));
  const rates = long ? [] : others.filter((i) => /^[A-Z]{3}$/.test(names[i]!));
  if (!long && rates.length === 0)
    throw new CsvRefusal(
      'MISSING_COLUMN',
      sample.file,
      'exchange rates need a rate column or one column per currency',
      `${sample.file} has neither a rate column nor columns named by currency among ${listed(names)}.`,
      { line: shape.headerLine, column: 'rate' },
    );
  const numberColumns = [
    ...Object.entries(places).flatMap(([role, i]) => (DATE_ROLES.has(role) || TEXT_ROLES.has(role) ? [] : [i])),
    ...(kind === 'fundamentals' ? others : rates),
  ];
  const sampled = rows
    .slice(0, 200)
    .flatMap((row) => numberColumns.map((i) => row[i] ?? '').filter((value) => /^[-+\d.,\s'’]+$/.test(value)));
  const numbers = detectNumberStyle(sampled, [], shape.separator.value);
  const decimal = options.decimal ?? numbers.decimal.value;
  const thousands = numbers.thousands.value === decimal ? (decimal === '.' ? ',' : '.') : numbers.thousands.value;
  const dates = detectDateFormat(rows.map((row) => row[places.date!] ?? ''));
  const given = 'As told.';
  const capName = names[places.marketCap ?? -1];
  return {
    places,
    others: long ? others : rates,
    style: { decimal, thousands },
    currency: options.currency ?? /(usd|eur|gbp)$/i.exec(plainName(capName ?? ''))?.[1]?.toUpperCase() ?? 'USD',
    dialect: {
      file: sample.file,
      separator: shape.separator,
      columnNames: names,
      columns: Object.fromEntries(Object.entries(places).map(([role, i]) => [role, names[i]!])),
      unknownColumns: kind === 'fundamentals' ? [] : others.filter((i) => !rates.includes(i)).map((i) => names[i]!),
      dateFormat:
        options.dateFormat === undefined
          ? { value: dates.value, confidence: dates.confidence, evidence: dates.evidence }
          : { value: options.dateFormat, confidence: 'certain', evidence: given },
      decimal:
        options.decimal === undefined ? numbers.decimal : { value: decimal, confidence: 'certain', evidence: given },
      layout: long ? 'long' : 'wide',
      base:
        options.base === undefined
          ? { value: ECB_BASE, confidence: 'assumed', evidence: 'Rates per euro, as the ECB publishes them.' }
          : { value: options.base, confidence: 'certain', evidence: given },
      notes: sample.notes,
    },
  };
}

function checkRequired(
  file: string,
  { columnNames, headerLine }: TableShape,
  kind: TableKind,
  long: boolean,
  places: Record<string, number>,
): void {
  const required = kind === 'exchange-rates' && long ? ['date', 'base', 'quote', 'rate'] : REQUIRED[kind];
  for (const role of required) {
    if (role in places) continue;
    throw new CsvRefusal(
      'MISSING_COLUMN',
      file,
      `a table of ${kind} must have a ${role} column`,
      `${file} has no ${role} column among ${listed(columnNames)}.`,
      { line: headerLine, column: role },
    );
  }
}

function findPlaces(
  file: string,
  names: string[],
  kind: TableKind,
  chosen: Record<string, string>,
): Record<string, number> {
  const places: Record<string, number> = {};
  const plain = names.map(plainName);
  for (const [role, spellings] of Object.entries(ROLE_NAMES[kind])) {
    const choice = chosen[role];
    if (choice !== undefined) {
      const at = plain.indexOf(plainName(choice));
      if (at < 0)
        throw new CsvRefusal(
          'UNKNOWN_COLUMN',
          file,
          'a chosen column must exist',
          `${file} has no column ${choice}; it has ${listed(names)}.`,
          { column: choice },
        );
      places[role] = at;
      continue;
    }
    const spelling = spellings.split(' ').find((name) => plain.includes(name));
    if (spelling !== undefined) places[role] = plain.indexOf(spelling);
  }
  return places;
}

/** One row's fields by role; every reader of a field reports what is wrong and answers undefined. */
function createRow(fields: string[], line: number, layout: Layout, errors: RowErrors) {
  const names = layout.dialect.columnNames;
  const text = (role: string): string => {
    const at = layout.places[role];
    return at === undefined ? '' : fields[at]!.trim();
  };
  const nameOf = (role: string) => layout.dialect.columns[role] ?? null;
  const toNumber = (value: string, column: string | null): number | null | undefined => {
    const number = parseNumberText(value, layout.style);
    if (number !== undefined && (number === null || Number.isFinite(number))) return number;
    errors.add('NUMBER', line, column, 'a value must be a number', shown(value));
    return undefined;
  };
  return {
    line,
    layout,
    text,
    has: (role: string) => role in layout.places,
    number: (role: string) => toNumber(text(role), nameOf(role)),
    others: () => layout.others.map((i) => ({ name: names[i]!, text: fields[i]!.trim() })),
    toNumber,
    day(role: string): string | undefined {
      const format = layout.dialect.dateFormat.value;
      const number = parseDateText(text(role), format, null);
      if (number > DATE_OUT_OF_RANGE) return new Date(number * 86_400_000).toISOString().slice(0, 10);
      if (number === NO_DATE)
        errors.add(
          'DATE',
          line,
          nameOf(role),
          `a date must be a real day written as ${dateFormatWords(format)}`,
          shown(text(role)),
        );
      else
        errors.add(
          'DATE_RANGE',
          line,
          nameOf(role),
          `a date must lie in ${FIRST_YEAR} to ${LAST_YEAR}`,
          shown(text(role)),
        );
      return undefined;
    },
    name(role: string): string | undefined {
      const value = text(role);
      if (value !== '' && value.length <= 64 && !/\p{Cc}/u.test(value)) return value;
      errors.add('SYMBOL', line, nameOf(role), `a ${role} must be 1 to 64 printable characters`, shown(value));
      return undefined;
    },
    currency(role: string): string | undefined {
      const value = text(role).toUpperCase();
      if (/^[A-Z]{3}$/.test(value)) return value;
      errors.add('CURRENCY', line, nameOf(role), 'a currency must be three letters', shown(text(role)));
      return undefined;
    },
    fail(code: 'TYPE' | 'VALUE_MISSING' | 'NUMBER', role: string, rule: string): void {
      errors.add(code, line, nameOf(role), rule, shown(text(role)));
    },
  };
}

type Row = ReturnType<typeof createRow>;

const READERS: { [K in TableKind]: (row: Row) => TableRows[K][] } = {
  fundamentals(row) {
    const day = row.day('date');
    const symbol = day === undefined ? undefined : row.name('symbol');
    const marketCap = symbol === undefined ? undefined : row.number('marketCap');
    if (day === undefined || symbol === undefined || marketCap === undefined) return [];
    const ownCurrency = row.text('currency') === '' ? row.layout.currency : row.currency('currency');
    if (ownCurrency === undefined) return [];
    const values: Record<string, number> = {};
    const texts: Record<string, string> = {};
    for (const { name, text } of row.others()) {
      const value = parseNumberText(text, row.layout.style);
      if (typeof value === 'number' && Number.isFinite(value)) values[name] = value;
      else if (value === undefined || !isMissing(text)) texts[name] = text;
    }
    return [{ line: row.line, day, symbol, marketCap, currency: ownCurrency, values, texts }];
  },

  'corporate-actions'(row) {
    const day = row.day('date');
    const symbol = day === undefined ? undefined : row.name('symbol');
    if (day === undefined || symbol === undefined) return [];
    const word = row.text('type').toLowerCase();
    const type = /^(?:stock.?)?split$/.test(word)
      ? 'split'
      : /^(?:cash.?)?div(?:idend)?s?$/.test(word)
        ? 'dividend'
        : null;
    if (type === null) {
      row.fail('TYPE', 'type', 'a type must be split or dividend');
      return [];
    }
    const value = type === 'split' ? splitValue(row) : row.number('value');
    if (value === undefined) return [];
    if (value === null) {
      row.fail('VALUE_MISSING', 'value', `a ${type} must have a value`);
      return [];
    }
    if (type === 'split' && !(value > 0)) {
      row.fail('NUMBER', 'value', 'a split must be a positive ratio of new to old shares');
      return [];
    }
    return [{ line: row.line, day, symbol, type, value }];
  },

  'exchange-rates'(row) {
    const day = row.day('date');
    if (day === undefined) return [];
    if (row.layout.dialect.layout === 'wide') {
      const base = row.layout.dialect.base.value;
      return row.others().flatMap(({ name, text }) => {
        const rate = row.toNumber(text, name);
        // A currency that was not quoted that day is no row, and no error.
        return typeof rate === 'number' ? [{ line: row.line, day, base, quote: name, rate }] : [];
      });
    }
    const base = row.currency('base');
    const quote = base === undefined ? undefined : row.currency('quote');
    const rate = quote === undefined ? undefined : row.number('rate');
    if (base === undefined || quote === undefined || rate === undefined) return [];
    if (rate === null) {
      row.fail('VALUE_MISSING', 'rate', 'an exchange rate must have a value');
      return [];
    }
    return [{ line: row.line, day, base, quote, rate }];
  },

  macro(row) {
    const day = row.day('date');
    const series = day === undefined ? undefined : row.name('series');
    const value = series === undefined ? undefined : row.number('value');
    if (day === undefined || series === undefined || value === undefined) return [];
    if (!row.has('vintage') || row.text('vintage') === '')
      return [{ line: row.line, day, series, value, vintageDay: null }];
    const vintageDay = row.day('vintage');
    return vintageDay === undefined ? [] : [{ line: row.line, day, series, value, vintageDay }];
  },
};

/** `4`, `4:1`, `4/1` and `4-for-1` all mean four new shares for one old. */
function splitValue(row: Row): number | null | undefined {
  const match = /^(\d+(?:[.,]\d+)?)\s*(?::|\/|-?for-?|\s+for\s+)\s*(\d+(?:[.,]\d+)?)$/i.exec(row.text('value'));
  if (match === null) return row.number('value');
  return Number(match[1]!.replace(',', '.')) / Number(match[2]!.replace(',', '.'));
}
