import { sql } from 'kysely';
import type { Principal, Transaction } from '../src/platform/database/database.ts';

/** Facts for tests of the stages after market-data, put in as publishing does: invisible rows, then one publication. */

export type TestBar = {
  instrumentId: number;
  day: string;
  close: number;
  /** Absent: the close. */
  open?: number;
  high?: number;
  low?: number;
  knownAt?: string | null;
};

export async function addSource(tx: Transaction, code: string, priceBasis = 'raw'): Promise<number> {
  const { id } = await tx.query
    .insertInto('source')
    .values({
      tenant_id: tx.principal.tenantId,
      code,
      name: code,
      kind: 'file',
      price_basis: priceBasis,
      calendar: 'XNYS',
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

export async function addInstrument(
  tx: Transaction,
  symbol: string,
  currency = 'USD',
  kind = 'equity',
): Promise<number> {
  const { id } = await tx.query
    .insertInto('instrument')
    .values({ tenant_id: tx.principal.tenantId, symbol, name: `${symbol} Company`, currency, kind })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Adds an unpublished run; insert its facts, then publish it. */
export async function addRun(tx: Transaction, sourceId: number, kind = 'prices'): Promise<number> {
  const { id } = await tx.query
    .insertInto('ingest_run')
    .values({ tenant_id: tx.principal.tenantId, source_id: sourceId, kind, state: 'published' })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

export async function publish(
  tx: Transaction,
  runId: number,
  known: { min: string | null; max: string | null } = { min: null, max: null },
  kind: 'publish' | 'retract' = 'publish',
  rowCount = 0,
): Promise<string> {
  const { rows } = await sql<{ stamp: string }>`SELECT touchstone_stamp() AS stamp`.execute(tx.query);
  const { stamp } = rows[0]!;
  await tx.query
    .insertInto('publication')
    .values({
      tenant_id: tx.principal.tenantId,
      run_id: runId,
      kind,
      published_at: stamp,
      row_count: rowCount,
      content_sha256: Buffer.alloc(32),
      known_at_min: known.min ?? stamp,
      known_at_max: known.max ?? stamp,
    })
    .execute();
  return stamp;
}

/** Adds bars with the declared knowledge time of an hour after a New York winter close, unless said otherwise. */
export async function addBars(tx: Transaction, sourceId: number, bars: readonly TestBar[]): Promise<number> {
  const runId = await addRun(tx, sourceId);
  const years = bars.map((bar) => Number(bar.day.slice(0, 4)));
  await sql`SELECT touchstone_ensure_price_years(${Math.min(...years)}, ${Math.max(...years)})`.execute(tx.query);
  const knownAt = (bar: TestBar) => (bar.knownAt === undefined ? `${bar.day}T21:00:00.000Z` : bar.knownAt);
  for (let from = 0; from < bars.length; from += 2000) {
    await tx.query
      .insertInto('price_observation')
      .values(
        bars.slice(from, from + 2000).map((bar) => ({
          tenant_id: tx.principal.tenantId,
          instrument_id: bar.instrumentId,
          day: bar.day,
          run_id: runId,
          source_id: sourceId,
          known_at: knownAt(bar),
          open: bar.open ?? bar.close,
          high: bar.high ?? bar.close,
          low: bar.low ?? bar.close,
          close: bar.close,
          volume: 1000,
        })),
      )
      .execute();
  }
  const declared = bars.map(knownAt).filter((instant) => instant !== null);
  const known = { min: declared.length === 0 ? null : declared.sort()[0]!, max: declared.at(-1) ?? null };
  await publish(tx, runId, known, 'publish', bars.length);
  return runId;
}

/** Makes a tenant as the owner of the tables would. */
export async function addTenant(migrator: { query(text: string): Promise<unknown> }, id: number): Promise<Principal> {
  await migrator.query(`INSERT INTO tenant (id, name) VALUES (${Math.trunc(id)}, 'tenant ${Math.trunc(id)}')`);
  return { tenantId: id, actorId: null };
}
