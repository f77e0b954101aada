import { dayText } from '@touchstone/quant/series/day';
import { sql } from 'kysely';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import type { OnlineStore, StoredRow, ViewKey } from './online-store.ts';
import { type OnlineValue, unpackValue } from './packed-value.ts';

/** Answers from PostgreSQL, one row an instrument. */
export function createDatabaseStore(database: Database): OnlineStore {
  return {
    kind: 'database',
    keep: async () => {},
    async read(principal, keys, instrumentIds) {
      const packed = await readPacked(database, principal, keys, instrumentIds);
      return packed.map((row) => row.map((bytes) => (bytes === null ? null : unpackValue(bytes))));
    },
    close: async () => {},
  };
}

/** The bytes that are stored, for each view and instrument. */
export async function readPacked(
  database: Database,
  principal: Principal,
  keys: readonly ViewKey[],
  instrumentIds: readonly number[],
): Promise<(Buffer | null)[][]> {
  // One statement on one connection: the tenant is set in the same breath, for this transaction only.
  const { rows } = await database.transaction(
    principal,
    (tx) =>
      sql<{ key: number; id: number; packed: Buffer }>`
      SELECT k.ordinal::int - 1 AS key, v.instrument_id AS id, v.packed
      FROM unnest(${keys.map(({ view }) => view)}::text[], ${keys.map(({ version }) => version)}::int[])
        WITH ORDINALITY AS k(view, version, ordinal)
      JOIN online.feature_value v ON v.tenant_id = ${principal.tenantId} AND v.view = k.view AND v.view_version = k.version
        AND v.instrument_id = ANY (${[...instrumentIds]}::int[])`.execute(tx.query),
    { readOnly: true },
  );
  const places = new Map(instrumentIds.map((id, place) => [id, place]));
  const found = keys.map(() => new Array<Buffer | null>(instrumentIds.length).fill(null));
  for (const { key, id, packed } of rows) found[key]![places.get(id)!] = packed;
  // An instrument that is asked for twice is told twice.
  for (const row of found) for (const [place, id] of instrumentIds.entries()) row[place] = row[places.get(id)!]!;
  return found;
}

/** All that is stored of one version of a view. */
export async function readWholeView(
  database: Database,
  principal: Principal,
  { view, version }: ViewKey,
): Promise<Map<number, OnlineValue>> {
  const { rows } = await database.transaction(
    principal,
    (tx) =>
      sql<{ id: number; packed: Buffer }>`
      SELECT instrument_id AS id, packed FROM online.feature_value
      WHERE tenant_id = ${principal.tenantId} AND view = ${view} AND view_version = ${version}`.execute(tx.query),
    { readOnly: true },
  );
  const values = new Map<number, OnlineValue>();
  for (const { id, packed } of rows) {
    const value = unpackValue(packed);
    if (value !== null) values.set(id, value);
  }
  return values;
}

/** Puts the newest values where they are at home. */
export async function writeValues(
  tx: Transaction,
  { view, version }: ViewKey,
  rows: readonly StoredRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const heads = rows.map(({ packed }) => ({ eventDay: packed.readInt32LE(8), knownAt: packed.readDoubleLE(16) }));
  await sql`
    INSERT INTO online.feature_value (tenant_id, view, view_version, instrument_id, event_day, known_at, packed)
    SELECT ${tx.principal.tenantId}, ${view}, ${version}, *
    FROM unnest(${rows.map(({ instrumentId }) => instrumentId)}::int[], ${heads.map(({ eventDay }) => dayText(eventDay))}::date[],
      ${heads.map(({ knownAt }) => new Date(knownAt).toISOString())}::timestamptz[], ${rows.map(({ packed }) => packed)}::bytea[])
    ON CONFLICT (tenant_id, view, view_version, instrument_id)
    DO UPDATE SET event_day = excluded.event_day, known_at = excluded.known_at, packed = excluded.packed`.execute(
    tx.query,
  );
}
