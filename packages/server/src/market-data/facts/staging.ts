import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';

/** Rows of one run for one fact table, in a table of their own without index or log, thrown away after publishing. */
export type StagedTable = {
  /** Schema and name of the staging table. */
  name: string;
  /** The fact table its rows are for. */
  table: string;
  columns: readonly string[];
  rowCount: number;
  /** Ends of the declared knowledge times, EpochMs; null without declared rows. */
  knownAtMin: number | null;
  knownAtMax: number | null;
  /** True when some rows are known by their publication. */
  hasRecorded: boolean;
};

/** Name of a staging table of a run. */
export function stagingName(runId: number, part: string): string {
  return `staging.run_${Math.trunc(runId)}_${part}`;
}

/** Makes an empty staging table with columns of a fact table and some of its own; drops what an earlier try left. */
export async function createStaging(
  tx: Transaction,
  name: string,
  table: string,
  columns: readonly string[],
  extra: readonly string[] = [],
): Promise<void> {
  await sql.raw(`DROP TABLE IF EXISTS ${name}`).execute(tx.query);
  const list = [...columns, ...extra.map((column) => `0::int4 AS ${column}`)].join(', ');
  await sql.raw(`CREATE UNLOGGED TABLE ${name} AS SELECT ${list} FROM ${table} WITH NO DATA`).execute(tx.query);
}

/** Drops everything a run has staged. */
export async function dropStaging(tx: Transaction, runId: number): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    SELECT tablename AS name FROM pg_tables
    WHERE schemaname = 'staging' AND tablename LIKE ${`run\\_${Math.trunc(runId)}\\_%`}
  `.execute(tx.query);
  for (const { name } of rows) await sql.raw(`DROP TABLE IF EXISTS staging.${name}`).execute(tx.query);
}
