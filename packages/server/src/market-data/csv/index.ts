/** The door of the CSV library: bytes in, columns and records out. No database, no HTTP. */
export { detectDialect } from './detect-dialect.ts';
export type {
  Detected,
  DialectOverrides,
  PriceDialect,
} from './dialect.ts';
export {
  type ParsedPrices,
  parsePrices,
} from './parse-prices.ts';
export {
  type CorporateActionRow,
  type FundamentalRow,
  type MacroRow,
  type ParsedTable,
  parseTable,
  type TableKind,
} from './parse-table.ts';
export { previewCsv } from './preview.ts';
export { computeBasisEvidence, detectPriceBasis } from './price-basis.ts';
export { type CsvSource, readSample, type TextSample } from './read-text.ts';
export {
  CsvRefusal,
  type OnBadRow,
  type RowError,
} from './refusal.ts';
export { sortBySymbolAndDay } from './sort-prices.ts';
