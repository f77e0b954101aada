import type { Database, Principal, Transaction, TransactionOptions } from '../../platform/database/database.ts';

/**
 * Runs a step in a transaction: one of its own for each step of a long delivery, or the one that a small delivery shares.
 * A shared transaction keeps its own isolation.
 */
export type Within = <T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions) => Promise<T>;

export function withinOwn(database: Database, principal: Principal): Within {
  return (work, options) => database.transaction(principal, work, options);
}

export function withinOne(tx: Transaction): Within {
  return (work) => work(tx);
}
