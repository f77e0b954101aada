import { detectDialect } from './detect-dialect.ts';
import type { DialectOverrides, PriceDialect } from './dialect.ts';
import { createPriceParser } from './parse-prices.ts';
import { type CsvSource, readSample } from './read-text.ts';
import type { RowError } from './refusal.ts';

/** Rows a preview shows. */
const PREVIEW_ROWS = 20;
/** Row errors a preview shows; the import keeps more. */
const PREVIEW_ERRORS = 20;

/** One parsed row; null where the file has no value. */
export type PreviewRow = {
  line: number;
  symbol: string;
  day: string;
  open: number | null;
  high: number | null;
  low: number | null;
  close: number | null;
  adjClose: number | null;
  volume: number | null;
};

export type CsvPreview = {
  dialect: PriceDialect;
  /** The first rows as they would be imported. */
  rows: PreviewRow[];
  errors: RowError[];
  counts: {
    /** Sampled lines, rows and bad rows: of the first 256 KiB, or of the whole file when `complete`. */
    lines: number;
    rows: number;
    errors: number;
    symbols: number;
    complete: boolean;
  };
  /** First and last day in the sample, null without rows. */
  firstDay: string | null;
  lastDay: string | null;
  warnings: string[];
};

/** How a file would be read, from its beginning only. @throws CsvRefusal */
export async function previewCsv(source: CsvSource, overrides: DialectOverrides = {}): Promise<CsvPreview> {
  const sample = await readSample(source);
  const dialect = detectDialect(sample, overrides);
  const parser = createPriceParser(sample.file, dialect, 'keep-good');
  parser.push(Buffer.from(`${sample.lines.join('\n')}\n`));
  const parsed = parser.finish();
  const value = (column: Float64Array | null, i: number) => {
    const number = column?.[i] ?? Number.NaN;
    return Number.isNaN(number) ? null : number;
  };
  const rows = Array.from({ length: Math.min(PREVIEW_ROWS, parsed.rowCount) }, (_, i) => ({
    line: parsed.line[i]!,
    symbol: parsed.symbols[parsed.symbol[i]!]!,
    day: dayText(parsed.day[i]!),
    open: value(parsed.open, i),
    high: value(parsed.high, i),
    low: value(parsed.low, i),
    close: value(parsed.close, i),
    adjClose: value(parsed.adjClose, i),
    volume: value(parsed.volume, i),
  }));
  const warnings = [...dialect.warnings];
  if (parsed.errorCount > 0) warnings.push(`${parsed.errorCount} of the sampled rows cannot be read.`);
  let first = Infinity;
  let last = -Infinity;
  for (const day of parsed.day) {
    first = Math.min(first, day);
    last = Math.max(last, day);
  }
  return {
    dialect,
    rows,
    errors: parsed.errors.slice(0, PREVIEW_ERRORS),
    counts: {
      lines: parsed.lineCount,
      rows: parsed.rowCount,
      errors: parsed.errorCount,
      symbols: parsed.symbols.length,
      complete: sample.complete,
    },
    firstDay: parsed.rowCount > 0 ? dayText(first) : null,
    lastDay: parsed.rowCount > 0 ? dayText(last) : null,
    warnings,
  };
}

function dayText(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}
