import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { to as copyTo } from 'pg-copy-streams';
import type { Transaction } from '../../platform/database/database.ts';
import { openBars } from '../archive/open-bars.ts';

/** Columns of a fact table that a delivery fills (the rest is the run's), and the key that orders its rows. */
export type FactTable = { table: string; key: string; columns: readonly string[] };

export type RunKind =
  | 'prices'
  | 'corporate_actions'
  | 'market_caps'
  | 'exchange_rates'
  | 'macro'
  | 'listings'
  | 'holidays'
  | 'correction'
  | 'release';

/** The order of the columns is the order of the content hash: changing it breaks every hash ever written. */
export const PRICES: FactTable = {
  table: 'price_observation',
  key: 'instrument_id, day',
  columns: ['instrument_id', 'day', 'known_at', 'revision', 'open', 'high', 'low', 'close', 'volume', 'adjusted_close'],
};

/** Which tables a run of a kind may write. Adjusted readers and the content hash follow this list. */
export const FACT_TABLES: Record<RunKind, readonly FactTable[]> = {
  prices: [PRICES],
  correction: [PRICES],
  release: [PRICES],
  corporate_actions: [
    {
      table: 'corporate_action',
      key: 'instrument_id, day, kind COLLATE "C"',
      columns: ['instrument_id', 'day', 'kind', 'known_at', 'value'],
    },
  ],
  market_caps: [
    { table: 'market_cap', key: 'instrument_id, day', columns: ['instrument_id', 'day', 'known_at', 'value'] },
    {
      table: 'fundamental',
      key: 'instrument_id, field COLLATE "C", day',
      columns: ['instrument_id', 'field', 'day', 'known_at', 'value'],
    },
  ],
  exchange_rates: [
    {
      table: 'exchange_rate',
      key: 'base COLLATE "C", quote COLLATE "C", day',
      columns: ['base', 'quote', 'day', 'known_at', 'value'],
    },
  ],
  macro: [
    {
      table: 'macro_observation',
      key: 'series COLLATE "C", day, vintage',
      columns: ['series', 'day', 'vintage', 'known_at', 'value'],
    },
  ],
  listings: [
    {
      table: 'listing_event',
      key: 'instrument_id, day, kind COLLATE "C"',
      columns: ['instrument_id', 'day', 'kind', 'known_at', 'symbol', 'calendar'],
    },
  ],
  holidays: [
    {
      table: 'exchange_holiday',
      key: 'calendar COLLATE "C", day',
      columns: ['calendar', 'day', 'kind', 'known_at', 'name'],
    },
  ],
};

export function isRunKind(kind: string): kind is RunKind {
  return kind in FACT_TABLES;
}

/**
 * SHA-256 over the rows of a run in key order, as the database's binary COPY tells them (one stream a table).
 *
 * @param bars Where the bars of the run lie; a run that is published now has none in an archive.
 *
 * The same bytes are hashed while a price file is staged, so that `touchstone verify` needs no second definition.
 */
export async function computeContentSha256(
  tx: Transaction,
  run: { id: number; kind: RunKind },
  bars = PRICES.table,
): Promise<Buffer> {
  const hash = createHash('sha256');
  for (const { table, key, columns } of FACT_TABLES[run.kind]) {
    const relation = table === PRICES.table ? bars : table;
    const rows = `SELECT ${columns.join(', ')} FROM ${relation} o WHERE run_id = ${Math.trunc(run.id)} ORDER BY ${key}`;
    const stream = tx.client.query(copyTo(`COPY (${rows}) TO STDOUT (FORMAT binary)`));
    for await (const chunk of stream) hash.update(chunk);
  }
  return hash.digest();
}

/** The verdict on one published run whose rows no longer have the hash that was published. */
export type ContentMismatch = { runId: number; expected: string; found: string };

/** Computes the content hash of every published run of the tenant again. Empty when all rows are as published. */
export async function verifyContents(
  tx: Transaction,
  progress: (done: number, total: number) => void = () => {},
): Promise<{ runs: number; mismatches: ContentMismatch[] }> {
  const { rows } = await sql<{ id: number; kind: string; sha: Buffer }>`
    SELECT r.id, r.kind, p.content_sha256 AS sha FROM publication p JOIN ingest_run r ON r.id = p.run_id
    WHERE p.kind = 'publish' AND p.tenant_id = ${tx.principal.tenantId} ORDER BY r.id
  `.execute(tx.query);
  const mismatches: ContentMismatch[] = [];
  const bars = await openBars(tx, { tenantId: tx.principal.tenantId });
  for (const [i, { id, kind, sha }] of rows.entries()) {
    if (!isRunKind(kind)) throw new TypeError(`a run kind must be known, was ${kind}`);
    const found = await computeContentSha256(tx, { id, kind }, bars);
    if (!found.equals(sha)) mismatches.push({ runId: id, expected: sha.toString('hex'), found: found.toString('hex') });
    progress(i + 1, rows.length);
  }
  return { runs: rows.length, mismatches };
}
