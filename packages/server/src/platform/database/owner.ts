import type pg from 'pg';
import { ProblemError } from '../problem-error.ts';
import { createDatabase, type Database } from './database.ts';
import { createPool } from './pool.ts';

/**
 * How the owner of the tables is reached. What the application must never do with its own rights (see every tenant's rows,
 * take rows out of a fact table) is done on such a connection, by a server that was told of it.
 */
export type ReachOwner = () => Promise<pg.PoolConfig>;

/** @throws ProblemError NOT_POSSIBLE_NOW if this server was not told. */
export function checkOwner(reachOwner: ReachOwner | null): ReachOwner {
  if (reachOwner !== null) return reachOwner;
  throw new ProblemError(
    'NOT_POSSIBLE_NOW',
    'The server does not know the owner of the tables, and the application may not do this. Set DATABASE_MIGRATION_URL and start it again.',
  );
}

/** Runs work with the rights of the owner, on one connection that ends with it. */
export async function asOwner<T>(reachOwner: ReachOwner | null, work: (database: Database) => Promise<T>): Promise<T> {
  const connection = await checkOwner(reachOwner)();
  const database = createDatabase(createPool({ ...connection, max: 1 }, () => {}));
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
