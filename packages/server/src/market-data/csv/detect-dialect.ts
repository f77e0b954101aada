import { findRole, plainName } from './column-names.ts';
import { detectDateFormat, detectTimeZone, looksLikeDate } from './detect-dates.ts';
import { detectNumberStyle } from './detect-numbers.ts';
import {
  type ColumnRole,
  type ColumnRoles,
  type Detected,
  type DialectOverrides,
  given,
  type PriceDialect,
  type Quote,
  type Separator,
} from './dialect.ts';
import { DATE_FORMATS, isTimeZone } from './parse-date.ts';
import { isMissing, parseVolumeText } from './parse-number.ts';
import { createPriceParser } from './parse-prices.ts';
import { computeBasisEvidence, detectPriceBasis } from './price-basis.ts';
import type { TextSample } from './read-text.ts';
import { CsvRefusal, listed } from './refusal.ts';
import { splitLine } from './split-line.ts';

/** Lines looked at for separator, quote, columns and numbers. Dates and the price basis use the whole sample. */
const SHAPE_LINES = 200;
const SEPARATORS: readonly Separator[] = ['\t', ';', '|', ','];
/** A separator must give most lines the same number of fields. Bad rows may be in the sample too. */
const SMALLEST_SHARE = 0.7;
const SHARE_TIE = 0.05;

/** The shape any delimited table has, prices or not. */
export type TableShape = {
  separator: Detected<Separator>;
  quote: Detected<Quote>;
  hasHeader: Detected<boolean>;
  headerLine: number;
  columnNames: string[];
  /** Sampled rows after the header, split; lines that cannot be split are left out. */
  rows: string[][];
};

/**
 * Detects how a price file is written from its first lines. Every answer says how sure it is and why; `overrides` win.
 *
 * @throws CsvRefusal when no reading is possible: no separator, no rows, no date or close column, a column twice,
 * dates of no known format, or a wrong override.
 */
export function detectDialect(sample: TextSample, overrides: DialectOverrides = {}): PriceDialect {
  checkOverrides(sample.file, overrides);
  const shape = detectShape(sample, overrides);
  const { columnNames, rows } = shape;
  if (rows.length === 0)
    throw new CsvRefusal('NO_ROWS', sample.file, 'a file must have rows', `${sample.file} has a header but no rows.`);
  const { columns, adjustedOnly, rawNames, warnings } = detectColumns(sample.file, shape, overrides);
  const roles = columns.value;
  const shapeRows = rows.slice(0, SHAPE_LINES);
  const texts = (role: ColumnRole, from = shapeRows) => {
    const at = roles[role];
    return at === null ? [] : from.map((row) => row[at] ?? '');
  };

  const prices = (['open', 'high', 'low', 'close', 'adjClose'] as const).flatMap((role) => texts(role));
  const numbers = detectNumberStyle(prices, texts('volume'), shape.separator.value);
  const dates = detectDateFormat(texts('date', rows));
  if (dates.readShare < 0.5 && overrides.dateFormat === undefined) refuseDates(sample.file, shape, roles);
  const dateFormat = overrides.dateFormat === undefined ? detected(dates) : given(overrides.dateFormat);
  const zone = detectTimeZone(texts('date'), dateFormat.value);
  const layout = detectLayout(sample.file, roles, texts('symbol'), columnNames, overrides);
  const dialect: PriceDialect = {
    file: sample.file,
    encoding: sample.encoding,
    compressed: sample.compressed,
    separator: shape.separator,
    quote: shape.quote,
    hasHeader: shape.hasHeader,
    headerLine: shape.headerLine,
    columnNames,
    columns,
    unknownColumns: columnNames.filter((_, i) => !Object.values(roles).includes(i)),
    decimal: overrides.decimal === undefined ? numbers.decimal : given(overrides.decimal),
    thousands: overrides.thousands === undefined ? numbers.thousands : given(overrides.thousands),
    dateFormat,
    timeZone: overrides.timeZone === undefined ? detected(zone) : given(overrides.timeZone),
    ...layout,
    currency: detectCurrency(roles, texts('currency'), prices, overrides),
    priceBasis: { value: 'unknown', confidence: 'assumed', evidence: '' },
    questions: [],
    warnings: [...sample.notes, ...warnings, ...intradayWarnings(roles, texts, zone)],
  };
  // An override of the decimal sign alone must not leave the same sign for groups.
  if (dialect.thousands.value === dialect.decimal.value)
    dialect.thousands = { ...dialect.thousands, value: dialect.decimal.value === '.' ? ',' : '.' };
  dialect.priceBasis = basisOf(sample, dialect, adjustedOnly, rawNames, overrides);
  if (dialect.unknownColumns.length > 0)
    dialect.warnings.push(`Nothing is read from ${listed(dialect.unknownColumns)}.`);
  addQuestions(dialect, dates.ambiguous && overrides.dateFormat === undefined, numbers.ambiguous, zone.question);
  return dialect;
}

/** Separator, quote, header and rows of a sample. @throws CsvRefusal NO_SEPARATOR, DUPLICATE_COLUMN or EMPTY_FILE. */
export function detectShape(
  sample: TextSample,
  overrides: Pick<DialectOverrides, 'separator' | 'quote' | 'hasHeader'> = {},
): TableShape {
  const { file, lines } = sample;
  let first = lines.findIndex((line) => line.trim() !== '');
  if (first < 0) throw new CsvRefusal('EMPTY_FILE', file, 'a file must have content', `${file} has only empty lines.`);
  // Spreadsheets write the separator on a line of its own.
  const hint = /^"?sep=(.)"?$/i.exec(lines[first]!.trim())?.[1];
  if (hint !== undefined) first = lines.findIndex((line, i) => i > first && line.trim() !== '');
  if (first < 0) throw new CsvRefusal('NO_ROWS', file, 'a file must have rows', `${file} has no rows.`);
  const head = lines.slice(first, first + SHAPE_LINES).filter((line) => line.trim() !== '');
  const quote = overrides.quote === undefined ? detectQuote(head) : given(overrides.quote);
  const separator =
    overrides.separator === undefined ? detectSeparator(file, head, quote.value, hint) : given(overrides.separator);
  const split = (line: string) => splitLine(line, separator.value, quote.value)?.map((field) => field.trim()) ?? null;
  const rows: string[][] = [];
  for (const line of lines.slice(first)) {
    const fields = line.trim() === '' ? null : split(line);
    if (fields !== null) rows.push(fields);
  }
  const top = split(lines[first]!) ?? [];
  const hasHeader = overrides.hasHeader === undefined ? detectHeader(top, rows[1] ?? null) : given(overrides.hasHeader);
  if (!hasHeader.value) {
    const width = top.length;
    const columnNames = top.map((_, i) => `column ${i + 1}`);
    return {
      separator,
      quote,
      hasHeader,
      headerLine: first,
      columnNames,
      rows: rows.filter((row) => row.length >= width),
    };
  }
  rows.shift();
  const columnNames = top.slice();
  while (columnNames.length > 1 && columnNames.at(-1) === '') columnNames.pop();
  checkDuplicates(file, columnNames, first + 1);
  return {
    separator,
    quote,
    hasHeader,
    headerLine: first + 1,
    columnNames,
    rows: rows.filter((row) => row.length >= columnNames.length),
  };
}

/** The symbol a file name stands for: `data/aapl.us.txt` is AAPL, `BRK-B.csv.gz` is BRK-B. */
export function symbolOfFile(file: string): string {
  const base = file.replace(/^.*[\\/]/, '').replace(/(?:\.(?:csv|txt|tsv|gz|dat))+$/i, '');
  return base.replace(/\.us$/i, '').toUpperCase();
}

function detected<T>({ value, confidence, evidence }: Detected<T>): Detected<T> {
  return { value, confidence, evidence };
}

function checkOverrides(file: string, { timeZone, currency, dateFormat, symbol }: DialectOverrides): void {
  const refuse = (rule: string, value: string) => {
    throw new CsvRefusal('BAD_SETTING', file, rule, `${rule}, was ${value}.`);
  };
  if (timeZone !== undefined && timeZone !== null && !isTimeZone(timeZone))
    refuse('A time zone must be an IANA name like America/New_York', timeZone);
  if (currency !== undefined && !/^[A-Z]{3}$/.test(currency)) refuse('A currency must be three capitals', currency);
  if (dateFormat !== undefined && !DATE_FORMATS.includes(dateFormat))
    refuse(`A date format must be one of ${DATE_FORMATS.join(', ')}`, dateFormat);
  if (symbol !== undefined && symbol.trim() === '') refuse('A symbol must not be empty', 'empty');
}

function detectQuote(lines: string[]): Detected<Quote> {
  const count = (quote: string) => lines.filter((line) => new RegExp(`(?:^|[,;|\\t]) *${quote}`).test(line)).length;
  const double = count('"');
  const single = count("'");
  if (double > 0)
    return { value: '"', confidence: 'certain', evidence: `${double} sampled lines have fields in double quotes.` };
  const closed = lines.filter((line) => /(?:^|[,;|\t]) *'[^']*' *(?:[,;|\t]|$)/.test(line)).length;
  if (single > 0 && closed === single)
    return { value: "'", confidence: 'likely', evidence: `${single} sampled lines have fields in single quotes.` };
  return { value: '"', confidence: 'assumed', evidence: 'No field in the sample is quoted.' };
}

function detectSeparator(file: string, lines: string[], quote: Quote, hint: string | undefined): Detected<Separator> {
  const hinted = SEPARATORS.find((separator) => separator === hint);
  if (hinted !== undefined)
    return { value: hinted, confidence: 'certain', evidence: 'The file says so in its first line.' };
  let best: { separator: Separator; share: number; width: number } | null = null;
  for (const separator of SEPARATORS) {
    const widths = lines.map((line) => splitLine(line, separator, quote)?.length ?? 0);
    const counts = new Map<number, number>();
    for (const width of widths) counts.set(width, (counts.get(width) ?? 0) + 1);
    const [width, count] = [...counts].filter(([w]) => w > 1).sort((a, b) => b[1] - a[1])[0] ?? [0, 0];
    const share = count / lines.length;
    if (share < SMALLEST_SHARE) continue;
    // Earlier candidates win a tie: a comma is also a decimal sign, a tab hardly ever anything else.
    if (best === null || share > best.share + SHARE_TIE) best = { separator, share, width };
  }
  if (best === null)
    throw new CsvRefusal(
      'NO_SEPARATOR',
      file,
      'fields must be parted by comma, semicolon, tab or |',
      `${file}: no comma, semicolon, tab or | parts its lines evenly. Is this a CSV file?`,
      { line: 1 },
    );
  const name = { ',': 'a comma', ';': 'a semicolon', '\t': 'a tab', '|': 'a vertical bar' }[best.separator];
  return {
    value: best.separator,
    confidence: best.share === 1 ? 'certain' : 'likely',
    evidence: `Parted by ${name}, ${Math.round(best.share * 100)} % of ${lines.length} sampled lines have ${best.width} fields.`,
  };
}

const EITHER_STYLE = [
  { decimal: '.', thousands: ',' },
  { decimal: ',', thousands: '.' },
] as const;

function isNumber(text: string): boolean {
  // Grouping by spaces and apostrophes does not matter to whether it is a number.
  const plain = text.replace(/(\d)[ \u00a0\u202f'’](?=\d{3})/g, '$1');
  return EITHER_STYLE.some((style) => typeof parseVolumeText(plain, style) === 'number');
}

function detectHeader(top: string[], second: string[] | null): Detected<boolean> {
  const known = top.filter((name) => findRole(name) !== null);
  const values = top.filter((text) => looksLikeDate(text) || isNumber(text));
  if (values.length === 0 && known.length > 0)
    return { value: true, confidence: 'certain', evidence: `The first line names ${listed(known)}.` };
  if (values.length > 0 && top.some(looksLikeDate))
    return { value: false, confidence: 'certain', evidence: 'The first line holds a date and numbers.' };
  const later = second?.filter((text) => looksLikeDate(text) || isNumber(text)).length ?? 0;
  if (values.length < later)
    return { value: true, confidence: 'likely', evidence: 'The first line holds fewer numbers than the second.' };
  return { value: values.length === 0, confidence: 'assumed', evidence: 'The first line could be either.' };
}

function checkDuplicates(file: string, names: string[], line: number): void {
  const places = new Map<string, number>();
  for (const [i, name] of names.entries()) {
    const plain = plainName(name);
    const earlier = places.get(plain);
    places.set(plain, i);
    if (earlier === undefined || plain === '') continue;
    throw new CsvRefusal(
      'DUPLICATE_COLUMN',
      file,
      'every column must have its own name',
      `${file}, line ${line}: columns ${earlier + 1} and ${i + 1} are both named ${name}.`,
      { line, column: name },
    );
  }
}

const NO_ROLES: ColumnRoles = {
  date: null,
  time: null,
  period: null,
  symbol: null,
  open: null,
  high: null,
  low: null,
  close: null,
  adjClose: null,
  volume: null,
  currency: null,
};

type Columns = { columns: Detected<ColumnRoles>; adjustedOnly: boolean; rawNames: boolean; warnings: string[] };

function detectColumns(file: string, shape: TableShape, overrides: DialectOverrides): Columns {
  const { columnNames, rows } = shape;
  const found = shape.hasHeader.value ? rolesByName(columnNames) : { roles: rolesByContent(rows), warnings: [] };
  const roles = { ...found.roles };
  for (const [role, choice] of Object.entries(overrides.columns ?? {})) {
    if (!isRole(role) || choice === undefined) continue;
    const at = columnPlace(file, choice, columnNames);
    // A column the caller gives away no longer has the role it was found in.
    for (const other of ROLES) if (at !== null && roles[other] === at) roles[other] = null;
    roles[role] = at;
  }
  let adjustedOnly = false;
  if (roles.close === null && roles.adjClose !== null) {
    roles.close = roles.adjClose;
    roles.adjClose = null;
    adjustedOnly = true;
  }
  for (const role of ['date', 'close'] as const) {
    if (roles[role] !== null) continue;
    throw new CsvRefusal(
      'MISSING_COLUMN',
      file,
      `a price file must have a ${role} column`,
      `${file} has no ${role} column among ${listed(columnNames)}. Say which one it is.`,
      { line: Math.max(shape.headerLine, 1), column: role },
    );
  }
  const closeName = roles.close === null ? '' : plainName(columnNames[roles.close] ?? '');
  const used = ROLES.filter((role) => roles[role] !== null);
  const evidence = used.map((role) => `${role} from ${columnNames[roles[role]!]}`).join(', ');
  return {
    columns: {
      value: roles,
      confidence: shape.hasHeader.value ? 'certain' : 'assumed',
      evidence: `${shape.hasHeader.value ? 'By name' : 'By place and content'}: ${evidence}.`,
    },
    adjustedOnly,
    rawNames: closeName === 'closeraw',
    warnings: found.warnings,
  };
}

const ROLES = Object.keys(NO_ROLES).filter(isRole);

function isRole(name: string): name is ColumnRole {
  return name in NO_ROLES;
}

function columnPlace(file: string, choice: string | number | null, names: string[]): number | null {
  if (choice === null) return null;
  const at =
    typeof choice === 'number'
      ? choice
      : Math.max(
          names.indexOf(choice),
          names.findIndex((name) => plainName(name) === plainName(choice)),
        );
  if (Number.isInteger(at) && at >= 0 && at < names.length) return at;
  throw new CsvRefusal(
    'UNKNOWN_COLUMN',
    file,
    'a chosen column must exist',
    `${file} has no column ${choice}; it has ${listed(names)}.`,
    { column: String(choice) },
  );
}

function rolesByName(names: string[]): { roles: ColumnRoles; warnings: string[] } {
  const roles = { ...NO_ROLES };
  const ranks = new Map<ColumnRole, number>();
  const warnings: string[] = [];
  for (const [i, name] of names.entries()) {
    const found = findRole(name);
    if (found === null) continue;
    const before = roles[found.role];
    if (before !== null) {
      const better = found.rank < ranks.get(found.role)! ? i : before;
      const other = better === i ? before : i;
      warnings.push(`Both ${names[before]} and ${name} could be ${found.role}; ${names[better]} is used.`);
      if (other === i) continue;
    }
    roles[found.role] = i;
    ranks.set(found.role, found.rank);
  }
  if (roles.date === null && roles.time !== null) {
    roles.date = roles.time;
    roles.time = null;
  }
  return { roles, warnings };
}

/** Without names: the first dates, the first texts as symbols, and the numbers in their customary order. */
function rolesByContent(rows: string[][]): ColumnRoles {
  const roles = { ...NO_ROLES };
  const sample = rows.slice(0, SHAPE_LINES);
  const width = sample[0]?.length ?? 0;
  const numbers: number[] = [];
  for (let i = 0; i < width; i++) {
    const texts = sample.map((row) => row[i] ?? '').filter((text) => !isMissing(text));
    if (texts.length === 0) continue;
    const most = (test: (text: string) => boolean) => texts.filter(test).length > 0.9 * texts.length;
    if (roles.date === null && most(looksLikeDate)) roles.date = i;
    else if (most(isNumber)) numbers.push(i);
    else if (roles.symbol === null && most((text) => /^[\w.^=-]{1,20}$/.test(text))) roles.symbol = i;
    else if (roles.currency === null && most((text) => /^[A-Z]{3}$/.test(text))) roles.currency = i;
  }
  const orders: Record<number, ColumnRole[]> = {
    1: ['close'],
    2: ['close', 'volume'],
    4: ['open', 'high', 'low', 'close'],
    5: ['open', 'high', 'low', 'close', 'volume'],
    6: ['open', 'high', 'low', 'close', 'adjClose', 'volume'],
  };
  for (const [i, role] of (orders[numbers.length] ?? []).entries()) roles[role] = numbers[i]!;
  return roles;
}

function refuseDates(file: string, shape: TableShape, roles: ColumnRoles): never {
  const column = shape.columnNames[roles.date!]!;
  throw new CsvRefusal(
    'UNREADABLE_DATES',
    file,
    'dates must be written in a known way',
    `${file}: column ${column} holds ${shape.rows[0]?.[roles.date!]}, which is no date known here.`,
    { line: shape.headerLine + 1, column },
  );
}

function detectLayout(
  file: string,
  roles: ColumnRoles,
  symbols: string[],
  columnNames: string[],
  overrides: DialectOverrides,
): Pick<PriceDialect, 'layout' | 'symbol' | 'symbolSuffix'> {
  const none = { value: '', confidence: 'certain', evidence: 'Symbols are taken as written.' } as const;
  if (overrides.symbol !== undefined)
    return {
      layout: { value: 'single', confidence: 'certain', evidence: 'The caller gave the one symbol.' },
      symbol: given(overrides.symbol.trim()),
      symbolSuffix: none,
    };
  if (roles.symbol === null) {
    const symbol = symbolOfFile(file);
    return {
      layout: { value: 'single', confidence: 'certain', evidence: 'No column names a symbol.' },
      symbol: { value: symbol, confidence: 'likely', evidence: `Taken from the file name ${file}.` },
      symbolSuffix: none,
    };
  }
  const name = columnNames[roles.symbol]!;
  // Stooq brackets its headers and ends every symbol in its market.
  const stooq = name.startsWith('<') && symbols.length > 0 && symbols.every((text) => /\.us$/i.test(text));
  return {
    layout: { value: 'long', confidence: 'certain', evidence: `Column ${name} names the symbol of every row.` },
    symbol: { value: null, confidence: 'certain', evidence: `Read from column ${name}.` },
    symbolSuffix:
      overrides.symbolSuffix !== undefined
        ? given(overrides.symbolSuffix.toUpperCase())
        : stooq
          ? { value: '.US', confidence: 'likely', evidence: 'Every sampled symbol ends in .US, as in Stooq files.' }
          : none,
  };
}

function detectCurrency(
  roles: ColumnRoles,
  currencies: string[],
  prices: string[],
  overrides: DialectOverrides,
): Detected<string> {
  if (overrides.currency !== undefined) return given(overrides.currency);
  const first = currencies.find((text) => /^[a-z]{3}$/i.test(text.trim()));
  if (roles.currency !== null && first !== undefined)
    return { value: first.trim().toUpperCase(), confidence: 'certain', evidence: 'Read from the currency column.' };
  for (const [sign, value] of [
    ['€', 'EUR'],
    ['£', 'GBP'],
    ['$', 'USD'],
    ['¥', 'JPY'],
  ] as const)
    if (prices.some((text) => text.includes(sign)))
      return { value, confidence: 'likely', evidence: `Prices carry the sign ${sign}.` };
  return { value: 'USD', confidence: 'assumed', evidence: 'The file names no currency; US dollars are assumed.' };
}

function intradayWarnings(
  roles: ColumnRoles,
  texts: (role: ColumnRole) => string[],
  zone: { confidence: string; evidence: string },
): string[] {
  const warnings: string[] = [];
  const period = texts('period').find((text) => !/^(?:d|1d|daily|day)?$/i.test(text));
  if (period !== undefined) warnings.push(`The period column says ${period}, not D: is this a file of daily bars?`);
  const times = new Set(texts('time').filter((text) => !/^0*(?::00)*$/.test(text)));
  if (roles.time !== null && times.size > 1)
    warnings.push('The time column changes from row to row: is this a file of daily bars?');
  const stamps = texts('date');
  if (zone.confidence !== 'certain' && new Set(stamps.map((text) => text.slice(11))).size > 2)
    warnings.push('Stamps have different times of day: is this a file of daily bars?');
  return warnings;
}

function basisOf(
  sample: TextSample,
  dialect: PriceDialect,
  adjustedOnly: boolean,
  rawNames: boolean,
  overrides: DialectOverrides,
): PriceDialect['priceBasis'] {
  if (overrides.priceBasis !== undefined) return given(overrides.priceBasis);
  if (rawNames) return { value: 'raw', confidence: 'certain', evidence: 'The close column is named raw.' };
  if (adjustedOnly)
    return {
      value: 'total_return',
      confidence: 'likely',
      evidence: 'The only close is an adjusted close, which holds dividends and splits.',
    };
  const parser = createPriceParser(sample.file, dialect, 'keep-good');
  parser.push(Buffer.from(`${sample.lines.join('\n')}\n`));
  return detectPriceBasis(computeBasisEvidence(parser.finish()), dialect.columns.value.adjClose !== null);
}

function addQuestions(dialect: PriceDialect, dates: boolean, decimals: boolean, zone: boolean): void {
  const ask = (setting: keyof DialectOverrides, sentence: string) => dialect.questions.push({ setting, sentence });
  if (dialect.priceBasis.value === 'unknown')
    ask('priceBasis', `Are the prices raw, split-adjusted or total return? ${dialect.priceBasis.evidence}`);
  if (dates) ask('dateFormat', `Does the day or the month come first? ${dialect.dateFormat.evidence}`);
  if (decimals && dialect.decimal.confidence === 'assumed')
    ask('decimal', `Is the decimal sign a point or a comma? ${dialect.decimal.evidence}`);
  if (zone && dialect.timeZone.confidence === 'assumed')
    ask('timeZone', `In which time zone does a day begin? ${dialect.timeZone.evidence}`);
}
