import { createHash } from 'node:crypto';
import { type CopyColumn, copyIn, encodeCopy } from '../../platform/database/copy-binary.ts';
import { failPoint } from '../../platform/fail-point.ts';
import { PRICES } from '../facts/fact-tables.ts';
import { createStaging, type StagedTable, stagingName } from '../facts/staging.ts';
import type { Within } from '../facts/within.ts';
import { ACCEPTED, type Delivery, type JudgedDelivery } from './judge-delivery.ts';

/** Rows of one COPY: large enough to be fast, small enough that progress moves and memory stays flat. */
const BATCH_ROWS = 50_000;
const HEADER_BYTES = 19;
const TRAILER = Buffer.from([0xff, 0xff]);

export type StagedBars = {
  bars: StagedTable;
  held: StagedTable;
  /** SHA-256 over the accepted rows in key order, as `computeContentSha256` finds it in the table. */
  contentSha256: string;
  /** Days since 1970 among the accepted rows; null without any. */
  firstDay: number | null;
  lastDay: number | null;
};

/** Copies the judged rows into staging tables of the run, in key order, hashing what it sends. */
export async function stageBars(
  within: Within,
  runId: number,
  delivery: Delivery,
  judged: JudgedDelivery,
  options: { signal?: AbortSignal | undefined; onProgress?: (fraction: number) => void; batchRows?: number } = {},
): Promise<StagedBars> {
  const names = { bars: stagingName(runId, 'bars'), held: stagingName(runId, 'held') };
  const batchRows = options.batchRows ?? BATCH_ROWS;
  await within(async (tx) => {
    await createStaging(tx, names.bars, PRICES.table, PRICES.columns);
    await createStaging(tx, names.held, PRICES.table, HELD_COLUMNS, ['line', 'case_no']);
  });
  const { accepted, held } = rowsInKeyOrder(delivery, judged);
  const instrument = instrumentOfRows(delivery);
  const hash = createHash('sha256');
  for (let from = 0; from < accepted.length || from === 0; from += batchRows) {
    options.signal?.throwIfAborted();
    const rows = accepted.subarray(from, from + batchRows);
    const chunks = hashed(encodeCopy(barColumns(delivery, judged, instrument, rows), rows.length), hash, from === 0);
    await within(({ client }) => copyIn(client, names.bars, chunks));
    if (from === 0) failPoint('import.during-copy');
    options.onProgress?.(Math.min(1, (from + batchRows) / Math.max(1, accepted.length)));
  }
  hash.update(TRAILER);
  if (held.length > 0) {
    const columns = heldColumns(delivery, judged, instrument, held);
    await within(({ client }) => copyIn(client, names.held, encodeCopy(columns, held.length)));
  }
  const [firstDay, lastDay] = daysOf(delivery.day, accepted);
  return {
    bars: describe(names.bars, PRICES.columns, judged.knownAt, accepted),
    held: describe(names.held, [...HELD_COLUMNS, 'line', 'case_no'], judged.knownAt, held),
    contentSha256: hash.digest('hex'),
    firstDay,
    lastDay,
  };
}

const HELD_COLUMNS = PRICES.columns.filter((column) => column !== 'revision');

/** The hash is over one stream: one header, all rows, one trailer, however many batches carried them. */
function* hashed(
  chunks: Iterable<Buffer>,
  hash: ReturnType<typeof createHash>,
  withHeader: boolean,
): Generator<Buffer> {
  for (const chunk of chunks) {
    const isHeader = chunk.length === HEADER_BYTES && chunk.toString('latin1', 0, 6) === 'PGCOPY';
    const isTrailer = chunk.length === TRAILER.length;
    if (!isTrailer && (!isHeader || withHeader)) hash.update(chunk);
    yield chunk;
  }
}

/** Rows by instrument id and day, accepted and held apart. */
function rowsInKeyOrder(delivery: Delivery, judged: JudgedDelivery): { accepted: Int32Array; held: Int32Array } {
  const { instrumentIds, offsets } = delivery;
  const symbols = Array.from(instrumentIds, (_, s) => s).sort((a, b) => instrumentIds[a]! - instrumentIds[b]!);
  const accepted = new Int32Array(judged.acceptedCount);
  const held = new Int32Array(judged.quarantinedCount);
  let acceptedAt = 0;
  let heldAt = 0;
  for (const s of symbols) {
    for (let row = offsets[s]!; row < offsets[s + 1]!; row++) {
      if (judged.fate[row] === ACCEPTED) accepted[acceptedAt++] = row;
      else if (judged.fate[row]! >= 0) held[heldAt++] = row;
    }
  }
  return { accepted, held };
}

function instrumentOfRows({ instrumentIds, offsets, day }: Delivery): Int32Array {
  const instrument = new Int32Array(day.length);
  for (let s = 0; s < instrumentIds.length; s++) instrument.fill(instrumentIds[s]!, offsets[s]!, offsets[s + 1]!);
  return instrument;
}

function ints(column: Int32Array, rows: Int32Array): Int32Array {
  const picked = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = column[rows[i]!]!;
  return picked;
}

function floats(column: Float64Array | null, rows: Int32Array): Float64Array {
  const picked = new Float64Array(rows.length);
  if (column === null) return picked.fill(Number.NaN);
  for (let i = 0; i < rows.length; i++) picked[i] = column[rows[i]!]!;
  return picked;
}

function priceColumns(delivery: Delivery, rows: Int32Array): CopyColumn[] {
  const { open, high, low, close, volume, adjClose } = delivery;
  return [open, high, low, close, volume, adjClose].map((column) => ({ type: 'float8', values: floats(column, rows) }));
}

function barColumns(
  delivery: Delivery,
  judged: JudgedDelivery,
  instrument: Int32Array,
  rows: Int32Array,
): CopyColumn[] {
  return [
    { type: 'int4', values: ints(instrument, rows) },
    { type: 'date', values: ints(delivery.day, rows) },
    { type: 'timestamptz', values: Float64Array.from(rows, judged.knownAt) },
    { type: 'int4', values: judged.revision === null ? new Int32Array(rows.length) : ints(judged.revision, rows) },
    ...priceColumns(delivery, rows),
  ];
}

function heldColumns(
  delivery: Delivery,
  judged: JudgedDelivery,
  instrument: Int32Array,
  rows: Int32Array,
): CopyColumn[] {
  const caseNumbers = ints(judged.fate, rows).map((index) => index + 1);
  return [
    { type: 'int4', values: ints(instrument, rows) },
    { type: 'date', values: ints(delivery.day, rows) },
    { type: 'timestamptz', values: Float64Array.from(rows, judged.knownAt) },
    ...priceColumns(delivery, rows),
    { type: 'int4', values: ints(delivery.line, rows) },
    { type: 'int4', values: caseNumbers },
  ];
}

function describe(
  name: string,
  columns: readonly string[],
  knownAt: (row: number) => number,
  rows: Int32Array,
): StagedTable {
  let min = Infinity;
  let max = -Infinity;
  let hasRecorded = false;
  for (const row of rows) {
    const at = knownAt(row);
    if (Number.isNaN(at)) hasRecorded = true;
    else {
      if (at < min) min = at;
      if (at > max) max = at;
    }
  }
  const knownAtMin = min === Infinity ? null : min;
  const knownAtMax = max === -Infinity ? null : max;
  return { name, table: PRICES.table, columns, rowCount: rows.length, knownAtMin, knownAtMax, hasRecorded };
}

function daysOf(day: Int32Array, rows: Int32Array): [number | null, number | null] {
  let first: number | null = null;
  let last: number | null = null;
  for (const row of rows) {
    const value = day[row]!;
    if (first === null || value < first) first = value;
    if (last === null || value > last) last = value;
  }
  return [first, last];
}
