import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import { createElsewhere, type Elsewhere } from './elsewhere.ts';
import type { DB } from './schema-types.ts';
import { measurePool } from './statements.ts';

/** On whose behalf a transaction runs. Row-level security reads it. */
export type Principal = {
  tenantId: number;
  /** The acting user, or null for the server itself. */
  actorId: number | null;
};

/** The tenant everybody may read and only the server writes. */
export const SYSTEM_TENANT_ID = 0;
export const SYSTEM_PRINCIPAL: Principal = { tenantId: SYSTEM_TENANT_ID, actorId: null };

/** A running transaction of one principal. */
export type Transaction = {
  principal: Principal;
  /** Typed queries. */
  query: Kysely<DB>;
  /** The connection itself, for COPY. */
  client: pg.PoolClient;
  /** Where the object store lies, for facts that were archived into it; null where no archive is read. */
  objectsFolder: string | null;
  /** Stands for what was brought back from archives in this transaction; the same for every copy of this value. */
  restored: object;
};

/** Thrown by read-only work that needs a temporary table: it is made, and the work runs again. */
export class TemporaryTableMissing extends Error {
  readonly statement: string;
  constructor(statement: string) {
    super('a read-only transaction cannot make the temporary table that it needs');
    this.name = 'TemporaryTableMissing';
    this.statement = statement;
  }
}

export type TransactionOptions = {
  /** Also see soft-deleted rows; needed to delete and undelete. */
  includeDeleted?: boolean;
  /** Refuse writes. */
  readOnly?: boolean;
  /** `repeatable read` gives several reads one view of the data. */
  isolation?: 'read committed' | 'repeatable read' | 'serializable';
};

/** A state change that evidence tells of: something of a kind, of a tenant, is not what it was. */
export type Change = { tenantId: number; subjectKind: string };

/** Takes part in every transaction of this process. */
export type CommitListener = {
  /** In a transaction that may write, last before its COMMIT. What it throws rolls back. */
  before?(tx: Transaction): Promise<void>;
  /** After a COMMIT, also after one whose outcome is unknown. Whoever ran the transaction waits for it. Never throws. */
  after?(changes: readonly Change[]): Promise<void>;
};

export type Database = {
  /** Adds a listener for good; called while wiring. */
  onCommit(listener: CommitListener): void;
  /** What other processes changed. */
  elsewhere: Elsewhere;
  /** Runs work in one transaction on behalf of a principal; commits when it returns, rolls back when it throws. */
  transaction<T>(principal: Principal, work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** True when the server answers. */
  isReachable(): Promise<boolean>;
  pool: pg.Pool;
  /** Handed to every transaction. */
  objectsFolder: string | null;
  close(): Promise<void>;
};

/** Changes noted in transactions that still run, by their connection: a transaction's value may be copied on its way. */
const noted = new WeakMap<pg.PoolClient, Change[]>();

/** Tells listeners of a change once its transaction is committed. */
export function noteChange(tx: Transaction, change: Change): void {
  const changes = noted.get(tx.client);
  if (changes === undefined) noted.set(tx.client, [change]);
  else changes.push(change);
}

export function createDatabase(pool: pg.Pool, objectsFolder: string | null = null): Database {
  measurePool(pool);
  const listeners: CommitListener[] = [];
  return {
    pool,
    objectsFolder,
    elsewhere: createElsewhere(),
    onCommit: (listener) => void listeners.push(listener),
    async transaction(principal, work, options = {}) {
      const client = await pool.connect();
      let broken: Error | undefined;
      // The pool listens to idle connections only. Lost in use, and without a listener, one would end the process; what
      // is asked of it next says what happened.
      const onLost = (error: Error) => {
        broken = error;
      };
      client.on('error', onLost);
      let isCommitting = false;
      const commit = async () => {
        isCommitting = true;
        await client.query('COMMIT');
      };
      const tellChanges = async () => {
        const changes = noted.get(client);
        noted.delete(client);
        if (changes === undefined || !isCommitting) return;
        for (const listener of listeners) await listener.after?.(changes);
      };
      const attempt = async () => {
        try {
          await client.query(begin(principal, options));
          const tx: Transaction = { principal, client, query: kyselyOn(client), objectsFolder, restored: {} };
          const result = await work(tx);
          if (!options.readOnly) for (const listener of listeners) await listener.before?.(tx);
          await commit();
          return result;
        } catch (error) {
          await client.query('ROLLBACK').catch((failure: Error) => {
            broken = failure;
          });
          throw error;
        }
      };
      try {
        return await attempt().catch(async (error: unknown) => {
          // Once a connection, and only where something is archived. Work that only reads may run twice.
          if (!(error instanceof TemporaryTableMissing) || broken !== undefined) throw error;
          await client.query(error.statement);
          return attempt();
        });
      } finally {
        await tellChanges();
        // A connection that cannot roll back is thrown away instead of returned.
        if (broken === undefined) client.off('error', onLost);
        client.release(broken);
      }
    },
    async isReachable() {
      try {
        await pool.query('SELECT 1');
        return true;
      } catch {
        return false;
      }
    },
    close: () => pool.end(),
  };
}

/** Sees soft-deleted rows for the length of some work: row security lets nobody hide a row from itself otherwise. */
export async function seeingDeleted<T>(tx: Transaction, work: () => Promise<T>): Promise<T> {
  await tx.client.query("SET LOCAL touchstone.include_deleted = 'on'");
  const result = await work();
  await tx.client.query("SET LOCAL touchstone.include_deleted = 'off'");
  return result;
}

/** One round trip opens the transaction and says on whose behalf it runs. Only integers are put into the text. */
function begin(principal: Principal, options: TransactionOptions): string {
  const isolation = (options.isolation ?? 'read committed').toUpperCase();
  const actor = principal.actorId === null ? '' : String(Math.trunc(principal.actorId));
  return [
    `BEGIN ISOLATION LEVEL ${isolation}${options.readOnly ? ' READ ONLY' : ''}`,
    `SET LOCAL touchstone.tenant_id = '${Math.trunc(principal.tenantId)}'`,
    `SET LOCAL touchstone.actor_id = '${actor}'`,
    `SET LOCAL touchstone.include_deleted = '${options.includeDeleted ? 'on' : 'off'}'`,
  ].join('; ');
}

function kyselyOn(client: pg.PoolClient): Kysely<DB> {
  // Kysely asks a pool for a connection; this one always has the transaction's own and never gives it back.
  const single = { query: client.query.bind(client), release: () => {} };
  const pool = { connect: async () => single, end: async () => {}, options: {} };
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });
}
