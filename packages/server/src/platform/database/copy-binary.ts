import { once } from 'node:events';
import type { PoolClient } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

/**
 * Typed arrays in and out of the database by binary COPY.
 *
 * `float8` and `timestamptz` (milliseconds since 1970) hold NULL as NaN; `int4` and `date` (days since 1970) have no NULL.
 */
export type CopyColumn =
  | { type: 'int4' | 'date'; values: Int32Array }
  | { type: 'float8' | 'timestamptz'; values: Float64Array };

export type CopyType = CopyColumn['type'];

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const HEADER_BYTES = 19;
const DAYS_TO_2000 = 10_957;
const MS_TO_2000 = DAYS_TO_2000 * 86_400_000;
const CHUNK_BYTES = 1 << 20;

/** Encodes rows as chunks of a binary COPY stream of about a megabyte, header and trailer included. */
export function* encodeCopy(columns: readonly CopyColumn[], rowCount: number): Generator<Buffer> {
  const rowBytesMax = 2 + columns.reduce((sum, column) => sum + 4 + widthOf(column.type), 0);
  const header = Buffer.alloc(HEADER_BYTES);
  SIGNATURE.copy(header);
  yield header;
  let chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let at = 0;
  for (let row = 0; row < rowCount; row++) {
    if (at + rowBytesMax > chunk.length) {
      yield chunk.subarray(0, at);
      chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      at = 0;
    }
    at = chunk.writeInt16BE(columns.length, at);
    for (const column of columns) at = writeField(chunk, at, column, row);
  }
  yield chunk.subarray(0, at);
  yield Buffer.from([0xff, 0xff]);
}

function writeField(chunk: Buffer, at: number, column: CopyColumn, row: number): number {
  const value = column.values[row]!;
  if (Number.isNaN(value)) return chunk.writeInt32BE(-1, at);
  switch (column.type) {
    case 'int4':
      return chunk.writeInt32BE(value, chunk.writeInt32BE(4, at));
    case 'date':
      return chunk.writeInt32BE(value - DAYS_TO_2000, chunk.writeInt32BE(4, at));
    case 'float8':
      return chunk.writeDoubleBE(value, chunk.writeInt32BE(8, at));
    case 'timestamptz':
      return writeInt64(chunk, chunk.writeInt32BE(8, at), (value - MS_TO_2000) * 1000);
  }
}

/** Below 2^53 in size, so two 32-bit halves do what a BigInt would do slowly. */
function writeInt64(chunk: Buffer, at: number, value: number): number {
  const high = Math.floor(value / 4294967296);
  chunk.writeInt32BE(high, at);
  return chunk.writeUInt32BE(value - high * 4294967296, at + 4);
}

function widthOf(type: CopyType): number {
  return type === 'int4' || type === 'date' ? 4 : 8;
}

/** Runs `COPY … FROM STDIN (FORMAT binary)` with encoded chunks, minding the socket's pace. */
export async function copyIn(
  client: PoolClient,
  target: string,
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
): Promise<void> {
  const stream = client.query(copyFrom(`COPY ${target} FROM STDIN (FORMAT binary)`));
  const done = once(stream, 'finish');
  // The error is also delivered by `done`; without a catch here it would count as unhandled while chunks are made.
  done.catch(() => {});
  try {
    for await (const chunk of chunks) {
      if (!stream.write(chunk)) await Promise.race([once(stream, 'drain'), done]);
    }
  } catch (error) {
    stream.destroy(error instanceof Error ? error : new Error(String(error)));
    await done.catch(() => {});
    throw error;
  }
  stream.end();
  await done;
}

/** Columns read by `copyOut`, in the order asked, each of `rowCount` values. */
export type CopyResult = { rowCount: number; columns: (Int32Array | Float64Array)[] };

/**
 * Runs `COPY (query) TO STDOUT (FORMAT binary)` and decodes it into typed arrays that grow as needed.
 *
 * Parameters cannot be bound in COPY: put only numbers and quoted literals into the query.
 *
 * @throws RangeError if more rows than `rowCountMax` come.
 */
export async function copyOut(
  client: PoolClient,
  query: string,
  types: readonly CopyType[],
  rowCountMax = 50_000_000,
): Promise<CopyResult> {
  const stream = client.query(copyTo(`COPY (${query}) TO STDOUT (FORMAT binary)`));
  const decoder = createDecoder(types, rowCountMax);
  for await (const chunk of stream) decoder.push(chunk);
  return decoder.finish();
}

function createDecoder(types: readonly CopyType[], rowCountMax: number) {
  let capacity = 4096;
  let columns = types.map((type) => allocate(type, capacity));
  let rowCount = 0;
  let rest: Buffer = Buffer.alloc(0);
  let headerSeen = false;
  const rowBytesMax = 2 + types.reduce((sum, type) => sum + 4 + widthOf(type), 0);

  const grow = () => {
    capacity *= 2;
    columns = columns.map((column, i) => {
      const larger = allocate(types[i]!, capacity);
      larger.set(column);
      return larger;
    });
  };

  /** Takes one row and returns where the next begins; −1 when it has not come whole, or was the trailer. */
  const readRow = (data: Buffer, at: number): number => {
    if (data.length - at < 2) return -1;
    const fields = data.readInt16BE(at);
    if (fields === -1) return -1;
    // A whole row fits in rowBytesMax, so with that many bytes left no field can be cut off.
    if (data.length - at < rowBytesMax && !rowIsWhole(data, at, fields)) return -1;
    if (rowCount === rowCountMax) throw new RangeError(`more than ${rowCountMax} rows`);
    if (rowCount === capacity) grow();
    let next = at + 2;
    for (let i = 0; i < fields; i++) next = readField(data, next, types[i]!, columns[i]!, rowCount);
    rowCount++;
    return next;
  };

  return {
    push(chunk: Buffer): void {
      const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      if (!headerSeen && data.length >= HEADER_BYTES) {
        at = HEADER_BYTES;
        headerSeen = true;
      }
      while (headerSeen) {
        const next = readRow(data, at);
        if (next < 0) break;
        at = next;
      }
      rest = Buffer.from(data.subarray(at));
    },
    finish: (): CopyResult => ({ rowCount, columns: columns.map((column) => column.slice(0, rowCount)) }),
  };
}

function rowIsWhole(data: Buffer, start: number, fields: number): boolean {
  let at = start + 2;
  for (let i = 0; i < fields; i++) {
    if (data.length - at < 4) return false;
    at += 4 + Math.max(0, data.readInt32BE(at));
  }
  return at <= data.length;
}

function readField(data: Buffer, at: number, type: CopyType, column: Int32Array | Float64Array, row: number): number {
  const length = data.readInt32BE(at);
  const start = at + 4;
  if (length === -1) {
    if (type === 'int4' || type === 'date') throw new RangeError(`a column of type ${type} must not be NULL`);
    column[row] = Number.NaN;
    return start;
  }
  if (length !== widthOf(type))
    throw new RangeError(`a column of type ${type} has ${widthOf(type)} bytes, was ${length}`);
  switch (type) {
    case 'int4':
      column[row] = data.readInt32BE(start);
      break;
    case 'date':
      column[row] = data.readInt32BE(start) + DAYS_TO_2000;
      break;
    case 'float8':
      column[row] = data.readDoubleBE(start);
      break;
    case 'timestamptz':
      column[row] =
        Math.round((data.readInt32BE(start) * 4294967296 + data.readUInt32BE(start + 4)) / 1000) + MS_TO_2000;
      break;
  }
  return start + length;
}

function allocate(type: CopyType, length: number): Int32Array | Float64Array {
  return type === 'int4' || type === 'date' ? new Int32Array(length) : new Float64Array(length);
}
