import type { DateFormat } from './parse-date.ts';
import type { NumberStyle } from './parse-number.ts';
import type { TextEncoding } from './read-text.ts';

/** What a detection rests on: seen and unambiguous, seen but open to another reading, or not seen at all. */
export type Confidence = 'certain' | 'likely' | 'assumed';

/** A detected setting with the sentence a person can check it by. */
export type Detected<T> = { value: T; confidence: Confidence; evidence: string };

export type Separator = ',' | ';' | '\t' | '|';
export type Quote = '"' | "'" | null;

/** What a column is used for. `time` and `period` only tell daily from intraday files. */
export type ColumnRole =
  | 'date'
  | 'time'
  | 'period'
  | 'symbol'
  | 'open'
  | 'high'
  | 'low'
  | 'close'
  | 'adjClose'
  | 'volume'
  | 'currency';

/** Zero-based column of every role, null where the file has none. */
export type ColumnRoles = Record<ColumnRole, number | null>;

/** See ARCHITECTURE, Facts: what has been done to the prices. `unknown` must be answered by the caller. */
export type PriceBasis = 'raw' | 'split_adjusted' | 'total_return';

/** How a price file is to be read. Everything in `Detected` can be overridden by {@link DialectOverrides}. */
export type PriceDialect = {
  file: string;
  encoding: TextEncoding;
  compressed: boolean;
  separator: Detected<Separator>;
  quote: Detected<Quote>;
  hasHeader: Detected<boolean>;
  /** Line number of the header, or of the line before the first row: rows start on the next line. */
  headerLine: number;
  /** Header names as written, or `column 1` … without a header. */
  columnNames: string[];
  columns: Detected<ColumnRoles>;
  /** Names of columns that nothing is read from. */
  unknownColumns: string[];
  decimal: Detected<NumberStyle['decimal']>;
  thousands: Detected<NumberStyle['thousands']>;
  dateFormat: Detected<DateFormat>;
  /** Zone in which a stamp's day is taken; null: the day as written. */
  timeZone: Detected<string | null>;
  layout: Detected<'long' | 'single'>;
  /** The one symbol of a `single` file; null in a `long` one. */
  symbol: Detected<string | null>;
  /** Cut off the end of every symbol, such as `.US` in Stooq files; empty for none. */
  symbolSuffix: Detected<string>;
  /** Currency of the prices, ISO 4217. A currency column wins over it row by row. */
  currency: Detected<string>;
  /** Basis of open, high, low and close. adjClose, where it exists beside close, is total_return. */
  priceBasis: Detected<PriceBasis | 'unknown'>;
  /** Settings a person should answer before the import, with the question. */
  questions: { setting: keyof DialectOverrides; sentence: string }[];
  warnings: string[];
};

/** What the caller knows better. A column is named by its header or its zero-based place; null says there is none. */
export type DialectOverrides = {
  separator?: Separator;
  quote?: Quote;
  hasHeader?: boolean;
  columns?: { [role in ColumnRole]?: string | number | null };
  decimal?: NumberStyle['decimal'];
  thousands?: NumberStyle['thousands'];
  dateFormat?: DateFormat;
  timeZone?: string | null;
  symbol?: string;
  symbolSuffix?: string;
  currency?: string;
  priceBasis?: PriceBasis;
};

export function given<T>(value: T): Detected<T> {
  return { value, confidence: 'certain', evidence: 'As told.' };
}
