import {
  CsvRefusal,
  computeBasisEvidence,
  type DialectOverrides,
  detectDialect,
  detectPriceBasis,
  type ParsedPrices,
  type PriceDialect,
  parsePrices,
  type RowError,
  readSample,
  sortBySymbolAndDay,
  type TextSample,
} from '../csv/index.ts';
import type { PriceBasis } from './judge-delivery.ts';
import { type ImportJob, openFile, type Progress } from './run-import.ts';

/** What a person may say about a price file; see the contract. */
export type FileChoices = {
  separator?: ',' | ';' | '\t' | '|' | undefined;
  decimalMark?: '.' | ',' | undefined;
  dateOrder?: 'ymd' | 'dmy' | 'mdy' | undefined;
  timeZone?: string | undefined;
  currency?: string | undefined;
  priceBasis?: PriceBasis | undefined;
  symbol?: string | undefined;
  columns?: Record<string, string> | undefined;
};

export type RowProblem = { file: string; line: number; column: string | null; rule: string };

/** A file that was read and cannot be used, with the sentence to show. */
export class FileRefusal extends Error {
  readonly errors: RowProblem[];
  readonly errorCount: number;
  readonly rowCount: number;

  constructor(sentence: string, found: { errors?: RowProblem[]; errorCount?: number; rowCount?: number } = {}) {
    super(sentence);
    this.name = 'FileRefusal';
    this.errors = found.errors ?? [];
    this.errorCount = found.errorCount ?? 0;
    this.rowCount = found.rowCount ?? 0;
  }
}

const SYMBOL_LENGTH_MAX = 32;

/** A bad row as the API tells it: the rule with what was found. */
export function placeOf({ file, line, column, sentence }: RowError): RowProblem {
  const colon = sentence.indexOf(': ');
  return { file, line, column, rule: colon < 0 ? sentence : sentence.slice(colon + 2) };
}

/** Parses a price file and settles its basis. @throws CsvRefusal or FileRefusal */
export async function readPrices(job: ImportJob, progress: Progress) {
  const dialect = detectWithChoices(await readSample(openFile(job.file)), job.choices);
  const parsed = await parsePrices(openFile(job.file), dialect, {
    onBadRow: job.onBadRow,
    onProgress: ({ bytesRead, rowCount }) =>
      progress(
        0.45 * Math.min(1, bytesRead / Math.max(1, job.file.byteCount)),
        `Read ${rowCount.toLocaleString('en')} rows`,
      ),
  });
  const errors = parsed.errors.slice(0, 100).map(placeOf);
  if (parsed.rowCount === 0) {
    const first = parsed.errors[0]?.sentence ?? '';
    throw new FileRefusal(`None of the ${parsed.errorCount} rows of ${parsed.file} can be read. ${first}`, {
      errors,
      errorCount: parsed.errorCount,
      rowCount: parsed.errorCount,
    });
  }
  const long = parsed.symbols.find((symbol) => symbol.length > SYMBOL_LENGTH_MAX);
  if (long !== undefined)
    throw new FileRefusal(`A symbol must have at most ${SYMBOL_LENGTH_MAX} characters, ${long} has ${long.length}.`);
  const offsets = sortBySymbolAndDay(parsed);
  return {
    parsed,
    offsets,
    dialect,
    basis: settleBasis(parsed, dialect, job),
    notes: [...parsed.notes, ...dialect.warnings],
  };
}

/** What a person said, else what the file or the source makes certain or likely; otherwise the person is asked. */
function settleBasis(parsed: ParsedPrices, dialect: PriceDialect, job: ImportJob): PriceBasis {
  if (job.choices.priceBasis !== undefined) return job.choices.priceBasis;
  for (const { value, confidence } of [
    dialect.priceBasis,
    detectPriceBasis(computeBasisEvidence(parsed), parsed.adjClose !== null),
  ]) {
    if (value !== 'unknown' && confidence !== 'assumed') return value;
  }
  if (job.source.priceBasis !== null) return job.source.priceBasis;
  throw new FileRefusal(
    `${parsed.file} does not say whether its prices are adjusted. Say so: raw, split_adjusted or total_return. ${dialect.priceBasis.evidence}`,
    { rowCount: parsed.rowCount },
  );
}

/** Detects how a file is written; what a person said wins. */
export function detectWithChoices(sample: TextSample, choices: FileChoices): PriceDialect {
  const overrides = overridesOf(choices);
  if (choices.dateOrder !== 'ymd') return detectDialect(sample, overrides);
  // Several formats put the year first; only when another order was found does the choice say anything new.
  const found = detectDialect(sample, overrides);
  const isOther = found.dateFormat.value === 'dmy' || found.dateFormat.value === 'mdy';
  return isOther ? detectDialect(sample, { ...overrides, dateFormat: 'ymd' }) : found;
}

const ROLES: Record<string, keyof NonNullable<DialectOverrides['columns']>> = {
  date: 'date',
  symbol: 'symbol',
  open: 'open',
  high: 'high',
  low: 'low',
  close: 'close',
  adjustedClose: 'adjClose',
  volume: 'volume',
  currency: 'currency',
};

export function overridesOf(choices: FileChoices): DialectOverrides {
  const { separator, decimalMark, dateOrder, timeZone, currency, priceBasis, symbol } = choices;
  const columns: NonNullable<DialectOverrides['columns']> = {};
  for (const [role, column] of Object.entries(choices.columns ?? {})) {
    const known = ROLES[role];
    if (known === undefined) {
      const rule = `a column must have one of the roles ${Object.keys(ROLES).join(', ')}`;
      throw new CsvRefusal('BAD_SETTING', '', rule, `${rule}, was ${role}.`);
    }
    columns[known] = column;
  }
  return {
    ...(separator === undefined ? {} : { separator }),
    ...(decimalMark === undefined ? {} : { decimal: decimalMark }),
    ...(dateOrder === undefined || dateOrder === 'ymd' ? {} : { dateFormat: dateOrder }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(currency === undefined ? {} : { currency }),
    ...(priceBasis === undefined ? {} : { priceBasis }),
    ...(symbol === undefined ? {} : { symbol }),
    ...(Object.keys(columns).length === 0 ? {} : { columns }),
  };
}
