/** A line longer than this is no row of numbers; refusing it early keeps a one-line file of any size cheap. */
export const MAX_LINE_BYTES = 64 * 1024;

/** Rows one import may hold. Five million daily bars are 500 symbols over forty years. */
export const MAX_ROWS = 5_000_000;

/** Bad rows kept with their reason; the rest is counted. */
export const MAX_ROW_ERRORS = 1_000;

/** Symbols one file may hold; more means that another column was taken for the symbol. */
export const MAX_SYMBOLS = 100_000;

/** Decompressed bytes one file may hold. Bounds a small archive that unpacks for ever. */
export const MAX_TEXT_BYTES = 2 * 1024 ** 3;

export type RefusalCode =
  | 'FILE_NOT_READABLE'
  | 'EMPTY_FILE'
  | 'NO_ROWS'
  | 'ARCHIVE'
  | 'BINARY'
  | 'TRUNCATED_GZIP'
  | 'CORRUPT_GZIP'
  | 'LINE_TOO_LONG'
  | 'FILE_TOO_LARGE'
  | 'TOO_MANY_ROWS'
  | 'TOO_MANY_SYMBOLS'
  | 'NO_SEPARATOR'
  | 'DUPLICATE_COLUMN'
  | 'MISSING_COLUMN'
  | 'UNKNOWN_COLUMN'
  | 'UNREADABLE_DATES'
  | 'HEADER_CHANGED'
  | 'BAD_SETTING'
  | 'BAD_ROW';

export type RowErrorCode =
  | 'FIELD_COUNT'
  | 'QUOTE_NOT_CLOSED'
  | 'DATE'
  | 'DATE_RANGE'
  | 'NUMBER'
  | 'CLOSE_MISSING'
  | 'SYMBOL'
  | 'CURRENCY'
  | 'VALUE_MISSING'
  | 'TYPE';

/** One bad row: where it stands, the rule it breaks and a sentence for people. Lines count from 1 and include the header. */
export type RowError = {
  code: RowErrorCode;
  file: string;
  line: number;
  /** Header name of the column, or `column 3` without one; null when the whole row is meant. */
  column: string | null;
  rule: string;
  sentence: string;
};

/** A file that is not taken, with the place and the rule. The sentence is fit to be shown as it is. */
export class CsvRefusal extends Error {
  readonly code: RefusalCode;
  readonly file: string;
  readonly line: number | null;
  readonly column: string | null;
  readonly rule: string;
  readonly sentence: string;

  constructor(
    code: RefusalCode,
    file: string,
    rule: string,
    sentence: string,
    place: { line?: number; column?: string | null; cause?: unknown } = {},
  ) {
    super(sentence, place.cause === undefined ? undefined : { cause: place.cause });
    this.name = 'CsvRefusal';
    this.code = code;
    this.file = file;
    this.line = place.line ?? null;
    this.column = place.column ?? null;
    this.rule = rule;
    this.sentence = sentence;
  }
}

/** What to do with a row that cannot be read: leave it out and report it, or refuse the whole file at the first one. */
export type OnBadRow = 'keep-good' | 'refuse-file';

/** Collects row errors up to {@link MAX_ROW_ERRORS}, counting all, or refuses the file at the first. */
export function createRowErrors(file: string, onBadRow: OnBadRow) {
  const errors: RowError[] = [];
  let errorCount = 0;
  return {
    errors,
    count: () => errorCount,
    add(code: RowErrorCode, line: number, column: string | null, rule: string, found: string): void {
      const where = column === null ? `${file}, line ${line}` : `${file}, line ${line}, column ${column}`;
      const sentence = `${where}: ${rule}; found ${found}.`;
      if (onBadRow === 'refuse-file') throw new CsvRefusal('BAD_ROW', file, rule, sentence, { line, column });
      errorCount++;
      if (errors.length < MAX_ROW_ERRORS) errors.push({ code, file, line, column, rule, sentence });
    },
  };
}

export type RowErrors = ReturnType<typeof createRowErrors>;

/** A field's text as a sentence may show it: quoted, printable, at most forty characters. */
export function shown(text: string): string {
  if (text === '') return 'an empty field';
  const printable = Array.from(text.slice(0, 41), (c) => (c < ' ' || c === '\u007f' ? '\ufffd' : c));
  return `'${printable.slice(0, 40).join('')}${printable.length > 40 ? '…' : ''}'`;
}

/** Column names as a sentence may list them. */
export function listed(names: string[]): string {
  const shownNames = names.slice(0, 20).join(', ');
  return names.length > 20 ? `${shownNames} and ${names.length - 20} more` : shownNames;
}
