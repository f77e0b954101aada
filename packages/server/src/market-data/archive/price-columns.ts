/** Every column of `price_observation` in an order of their own: an archive written today is read by it for ever. */
export const PRICE_COLUMNS = [
  { name: 'tenant_id', parquet: 'INTEGER' },
  { name: 'instrument_id', parquet: 'INTEGER' },
  { name: 'day', parquet: 'DATE' },
  { name: 'run_id', parquet: 'INTEGER' },
  { name: 'source_id', parquet: 'INTEGER' },
  { name: 'revision', parquet: 'INTEGER' },
  { name: 'known_at', parquet: 'TIMESTAMP' },
  { name: 'open', parquet: 'DOUBLE' },
  { name: 'high', parquet: 'DOUBLE' },
  { name: 'low', parquet: 'DOUBLE' },
  { name: 'close', parquet: 'DOUBLE' },
  { name: 'volume', parquet: 'DOUBLE' },
  { name: 'adjusted_close', parquet: 'DOUBLE' },
] as const;

export const COLUMN_LIST = PRICE_COLUMNS.map(({ name }) => name).join(', ');
