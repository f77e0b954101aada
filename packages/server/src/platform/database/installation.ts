import type pg from 'pg';

/** What a started server knows about where it runs. */
export type Installation = Readonly<{
  version: string;
  startedAt: string;
  home: string;
  databaseKind: 'embedded' | 'server';
  databaseVersion: string;
  /** Names of the migrations in force, oldest first. */
  migrations: readonly string[];
  /** How long tables are kept apart by time here. */
  partitioning: string;
}>;

/** Which optional parts the database server offers, and what is used instead. */
export async function describePartitioning(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query(`SELECT name FROM pg_available_extensions WHERE name = 'timescaledb'`);
  return `yearly partitions; timescaledb is ${rows.length > 0 ? 'available and not used' : 'not available'}`;
}
