import type { DuckDBConnection } from '@duckdb/node-api';
import { PRICE_COLUMNS } from './price-columns.ts';

/** So much memory one conversion may take; larger ones go through the disk. */
const MEMORY_MAX = '512MB';
/** About eighty instruments of one year: small enough that asking for one reads little. */
const ROW_GROUP_ROWS = 20_480;

/**
 * Turns rows as CSV, which the database writes, into a Parquet file. The rows keep their order.
 *
 * The same rows give the same bytes: one thread, fixed groups. Runs outside of JavaScript, so requests are answered
 * meanwhile. Floats go through their shortest text, which gives the very same float back; instants keep microseconds.
 */
export async function writeParquet(csvFile: string, parquetFile: string): Promise<void> {
  const columns = PRICE_COLUMNS.map(({ name, parquet }) => `'${name}': '${parquet}'`).join(', ');
  await withDuckDb(async (duck) => {
    await duck.run(
      `COPY (SELECT * FROM read_csv(${text(csvFile)}, header = false, delim = ',', nullstr = '', auto_detect = false,
                                    columns = {${columns}}))
       TO ${text(parquetFile)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_ROWS})`,
    );
  });
}

/** Writes the rows of some instruments (null: all) as CSV that the database reads. */
export async function readParquet(
  parquetFile: string,
  csvFile: string,
  instrumentIds: readonly number[] | null,
): Promise<void> {
  const where = instrumentIds === null ? '' : `WHERE instrument_id IN (${instrumentIds.map(Math.trunc).join(', ')})`;
  await withDuckDb(async (duck) => {
    await duck.run(
      `COPY (SELECT ${PRICE_COLUMNS.map(({ name }) => name).join(', ')} FROM read_parquet(${text(parquetFile)}) ${where})
       TO ${text(csvFile)} (FORMAT csv, HEADER false)`,
    );
  });
}

async function withDuckDb(work: (duck: DuckDBConnection) => Promise<void>): Promise<void> {
  // Loaded by who needs it: most installations never archive.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: MEMORY_MAX,
    // Parquet is built in; nothing is ever fetched from elsewhere.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  try {
    const duck = await instance.connect();
    try {
      await work(duck);
    } finally {
      duck.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
