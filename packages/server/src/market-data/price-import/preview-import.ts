import type { ImportPreview, previewImport } from '@touchstone/contracts/data';
import type { z } from 'zod';
import type { StoredObject } from '../../platform/object-store/object-store.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import {
  CsvRefusal,
  type Detected,
  type ParsedTable,
  parseTable,
  previewCsv,
  readSample,
  type TableKind,
} from '../csv/index.ts';
import { TABLE_KIND, tableOptions } from './import-table.ts';
import { type FileChoices, overridesOf, placeOf } from './read-prices.ts';
import { openFile } from './run-import.ts';

export type PreviewImport = z.output<NonNullable<typeof previewImport.body>>;

const ROWS_MAX = 20;

/** How a stored file would be read, from its beginning only; nothing is written. @throws FILE_REFUSED */
export async function previewFile(body: PreviewImport, upload: StoredObject, path: string): Promise<ImportPreview> {
  const file = { path, name: body.fileName, byteCount: upload.byteCount };
  try {
    return body.kind === 'prices'
      ? await previewPrices(file, body.choices)
      : await previewTable(file, body.kind, body.choices);
  } catch (error) {
    if (error instanceof CsvRefusal) throw refusalProblem(error);
    throw error;
  }
}

/** A refusal as the API tells it. */
export function refusalProblem(error: CsvRefusal): ProblemError {
  const place = [
    error.file,
    error.line === null ? '' : `line ${error.line}`,
    error.column === null ? '' : `column ${error.column}`,
  ];
  return new ProblemError('FILE_REFUSED', error.sentence, {
    details: [{ path: place.filter(Boolean).join(', '), rule: error.rule }],
    cause: error,
  });
}

type File = { path: string; name: string; byteCount: number };
type Told<T> = { value: T; confidence: 'certain' | 'likely' | 'assumed' | 'given'; evidence: string };

function told<T, U>(detected: Detected<T>, value: U, choice: unknown): Told<U> {
  const { confidence, evidence } = detected;
  return { value, confidence: choice === undefined ? confidence : 'given', evidence };
}

async function previewPrices(file: File, choices: FileChoices): Promise<ImportPreview> {
  const first = await previewCsv(openFile(file), overridesOf(choices));
  const isOther = first.dialect.dateFormat.value === 'dmy' || first.dialect.dateFormat.value === 'mdy';
  const again = choices.dateOrder === 'ymd' && isOther;
  const { dialect, rows, errors, warnings } = again
    ? await previewCsv(openFile(file), { ...overridesOf(choices), dateFormat: 'ymd' })
    : first;
  const columns: Record<string, string> = {};
  for (const [role, index] of Object.entries(dialect.columns.value)) {
    if (index !== null) columns[role === 'adjClose' ? 'adjustedClose' : role] = dialect.columnNames[index] ?? '';
  }
  const basis = dialect.priceBasis.value === 'unknown' ? null : dialect.priceBasis.value;
  return {
    fileName: file.name,
    byteCount: file.byteCount,
    kind: 'prices',
    layout: told(dialect.layout, dialect.layout.value, undefined),
    separator: told(dialect.separator, dialect.separator.value, choices.separator),
    decimalMark: told(dialect.decimal, dialect.decimal.value, choices.decimalMark),
    dateOrder: told(dialect.dateFormat, dialect.dateFormat.value, choices.dateOrder),
    timeZone: told(dialect.timeZone, dialect.timeZone.value, choices.timeZone),
    currency: told(dialect.currency, dialect.currency.value, choices.currency),
    priceBasis: told(dialect.priceBasis, basis, choices.priceBasis),
    columns,
    unknownColumns: dialect.unknownColumns,
    rows: rows.slice(0, ROWS_MAX).map(({ adjClose, ...row }) => ({ ...row, adjustedClose: adjClose })),
    rowProblems: errors.map(placeOf),
    warnings: [...new Set([...warnings, ...dialect.questions.map((question) => question.sentence)])],
  };
}

async function previewTable(file: File, kind: keyof typeof TABLE_KIND, choices: FileChoices): Promise<ImportPreview> {
  const sample = await readSample(openFile(file));
  const head = Buffer.from(`${sample.lines.join('\n')}\n`);
  const chunks = async function* () {
    yield head;
  };
  const parsed: ParsedTable<TableKind> = await parseTable(
    { name: file.name, chunks: chunks() },
    TABLE_KIND[kind],
    tableOptions({ choices, onBadRow: 'keep-good' }),
  );
  const { dialect } = parsed;
  const assumed = (evidence: string): Detected<null> => ({ value: null, confidence: 'assumed', evidence });
  const currency = choices.currency ?? currencyOf(parsed);
  return {
    fileName: file.name,
    byteCount: file.byteCount,
    kind,
    layout: {
      value: dialect.layout,
      confidence: 'certain',
      evidence: `Columns ${dialect.columnNames.slice(0, 8).join(', ')}.`,
    },
    separator: told(dialect.separator, dialect.separator.value, choices.separator),
    decimalMark: told(dialect.decimal, dialect.decimal.value, choices.decimalMark),
    dateOrder: told(dialect.dateFormat, dialect.dateFormat.value, choices.dateOrder),
    timeZone: told(assumed('Days of a table are taken as written.'), null, undefined),
    currency: told(assumed('By the name of a column, else the default.'), currency, choices.currency),
    priceBasis: told(assumed('A table of this kind has no prices.'), null, undefined),
    columns: dialect.columns,
    unknownColumns: dialect.unknownColumns,
    rows: parsed.rows.slice(0, ROWS_MAX).map(flat),
    rowProblems: parsed.errors.slice(0, ROWS_MAX).map(placeOf),
    warnings: dialect.notes,
  };
}

function currencyOf({ rows, dialect }: ParsedTable<TableKind>): string {
  const first = rows[0];
  if (first !== undefined && 'currency' in first) return first.currency;
  return dialect.columns.rate === undefined && dialect.columns.base === undefined ? 'USD' : dialect.base.value;
}

/** A record as a row of texts and numbers: what it holds of further values stands beside the rest. */
function flat(row: object): Record<string, string | number | null> {
  const cells: Record<string, string | number | null> = {};
  for (const [name, value] of Object.entries(row)) {
    if (typeof value === 'string' || typeof value === 'number' || value === null) cells[name] = value;
    else if (typeof value === 'object') Object.assign(cells, flat(value));
  }
  return cells;
}
