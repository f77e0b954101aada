/** The door of the CSV library: bytes in, columns and records out. No database, no HTTP. */
export { detectDialect, symbolOfFile } from './detect-dialect.ts';
export type {
  ColumnRole,
  ColumnRoles,
  Confidence,
  Detected,
  DialectOverrides,
  PriceBasis,
  PriceDialect,
} from './dialect.ts';
export {
  type ParsedPrices,
  type ParseOptions,
  type ParseProgress,
  type PriceColumns,
  parsePrices,
} from './parse-prices.ts';
export {
  type CorporateActionRow,
  type ExchangeRateRow,
  type FundamentalRow,
  type MacroRow,
  type ParsedTable,
  parseTable,
  type TableDialect,
  type TableKind,
  type TableOptions,
} from './parse-table.ts';
export { type CsvPreview, type PreviewRow, previewCsv } from './preview.ts';
export { type BasisEvidence, computeBasisEvidence, detectPriceBasis } from './price-basis.ts';
export { type CsvSource, readSample, type TextSample } from './read-text.ts';
export {
  CsvRefusal,
  MAX_LINE_BYTES,
  MAX_ROW_ERRORS,
  MAX_ROWS,
  MAX_SYMBOLS,
  type OnBadRow,
  type RowError,
} from './refusal.ts';
export { sortBySymbolAndDay } from './sort-prices.ts';
