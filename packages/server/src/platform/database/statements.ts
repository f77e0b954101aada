import { EventEmitter } from 'node:events';
import type pg from 'pg';
import { currentTrace, type Trace } from '../trace/trace.ts';

/** One statement a connection has answered. */
export type Statement = Readonly<{
  text: string;
  /** Never kept or told: for whoever explains the very same statement again in a test. */
  values: readonly unknown[];
  ms: number;
  /** The database's code when it failed, else null. */
  problem: string | null;
  /** Where it belongs. */
  trace: Trace | null;
}>;
export type StatementListener = (statement: Statement) => void;

/** How the connections of a pool are used. Waiting is the time until a connection was free. */
export type PoolFigures = {
  size: number;
  max: number;
  idle: number;
  waiting: number;
  /** Of the last 1,000 connections taken; null before the first. */
  waitMsP95: number | null;
  waitMsMax: number | null;
  /** Since the start, for rates. */
  takenCount: number;
  waitMsTotal: number;
};

type Watched = {
  listeners: Set<StatementListener>;
  waits: number[];
  takenCount: number;
  waitMsTotal: number;
};
const WAITS_KEPT = 1_000;
const watched = new WeakMap<pg.Pool, Watched>();
const wrapped = new WeakSet<pg.PoolClient>();

/**
 * Measures every statement and every wait of a pool, whoever uses it. Safe to call twice.
 *
 * Connections are wrapped when they are handed out, so those opened before are measured as well.
 */
export function measurePool(pool: pg.Pool): void {
  if (watched.has(pool)) return;
  const state: Watched = { listeners: new Set(), waits: [], takenCount: 0, waitMsTotal: 0 };
  watched.set(pool, state);
  pool.on('acquire', (client) => {
    if (wrapped.has(client)) return;
    wrapped.add(client);
    // A connection lost between two statements of a transaction tells so by an event, and one nobody hears ends the process.
    // The next statement fails anyway.
    client.on('error', () => {});
    wrapQuery(client, state);
  });
  wrapConnect(pool, state);
}

/** Calls the listener with every statement of the pool from now on. Returns a function that ends it. */
export function watchStatements(pool: pg.Pool, listener: StatementListener): () => void {
  measurePool(pool);
  const { listeners } = watched.get(pool)!;
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function poolFigures(pool: pg.Pool): PoolFigures {
  const state = watched.get(pool);
  const waits = [...(state?.waits ?? [])].sort((a, b) => a - b);
  return {
    ...{ size: pool.totalCount, max: pool.options.max, idle: pool.idleCount, waiting: pool.waitingCount },
    waitMsP95: waits.length === 0 ? null : waits[Math.floor((waits.length - 1) * 0.95)]!,
    waitMsMax: waits.at(-1) ?? null,
    ...{ takenCount: state?.takenCount ?? 0, waitMsTotal: state?.waitMsTotal ?? 0 },
  };
}

/** The driver's functions take a callback or give a promise, in many forms; a wrapper passes on whatever comes. */
type Loose = (...args: unknown[]) => unknown;

function wrapConnect(pool: pg.Pool, state: Watched): void {
  const connect: Loose = pool.connect.bind(pool) as Loose;
  const taken = (startedAt: number) => {
    const ms = performance.now() - startedAt;
    state.takenCount++;
    state.waitMsTotal += ms;
    state.waits.push(ms);
    if (state.waits.length > WAITS_KEPT) state.waits.shift();
  };
  const measured: Loose = (...args) => {
    const startedAt = performance.now();
    const [callback] = args;
    if (typeof callback === 'function') {
      return connect((...answer: unknown[]) => {
        taken(startedAt);
        callback(...answer);
      });
    }
    const connecting = connect();
    if (!isPromise(connecting)) return connecting;
    return connecting.then((client) => {
      taken(startedAt);
      return client;
    });
  };
  Object.assign(pool, { connect: measured });
}

function wrapQuery(client: pg.PoolClient, state: Watched): void {
  const query: Loose = client.query.bind(client) as Loose;
  const measured: Loose = (...args) => {
    if (state.listeners.size === 0) return query(...args);
    const asked = readArguments(args);
    if (asked === null) return query(...args);
    const trace = currentTrace();
    const startedAt = performance.now();
    const tell = (problem: string | null) => {
      const statement: Statement = { ...asked, ms: performance.now() - startedAt, problem, trace };
      for (const listener of state.listeners) listener(statement);
    };
    const [first] = args;
    if (first instanceof EventEmitter) {
      // A stream (COPY) is answered when it ends; failing, it is closed without having ended.
      let isTold = false;
      const told = (problem: string | null) => () => {
        if (!isTold) tell(problem);
        isTold = true;
      };
      for (const name of ['end', 'finish']) first.once(name, told(null));
      first.once('close', told('closed'));
      return query(...args);
    }
    const last = args.at(-1);
    if (typeof last === 'function') {
      const callback: Loose = (error, ...rest) => {
        tell(error == null ? null : codeOf(error));
        return last(error, ...rest);
      };
      return query(...args.slice(0, -1), callback);
    }
    const answering = query(...args);
    if (!isPromise(answering)) return answering;
    return answering.then(
      (answer) => {
        tell(null);
        return answer;
      },
      (error: unknown) => {
        tell(codeOf(error));
        throw error;
      },
    );
  };
  Object.assign(client, { query: measured });
}

function readArguments([first, second]: unknown[]): { text: string; values: readonly unknown[] } | null {
  if (typeof first === 'string') return { text: first, values: Array.isArray(second) ? second : [] };
  if (typeof first !== 'object' || first === null || !('text' in first)) return null;
  const values = 'values' in first && Array.isArray(first.values) ? first.values : second;
  return { text: String(first.text), values: Array.isArray(values) ? values : [] };
}

function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'error';
}
