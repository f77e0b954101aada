import type { Task } from '@touchstone/contracts/tasks';
import type { Principal, Transaction } from '../database/database.ts';

export type TaskInput = Record<string, unknown>;

/** What running work is given beside its input. */
export type TaskContext = {
  principal: Principal;
  taskId: number;
  /** Aborted when somebody asks the task to stop, or the server stops. */
  signal: AbortSignal;
  /** Says how far it is, 0..1. Cheap to call often: written at most four times a second. */
  progress(fraction: number, note: string): void;
};

/** Safe to run twice and to stop halfway. Returns what it did, for the operator to read. */
export type TaskHandler = (input: TaskInput, context: TaskContext) => Promise<Record<string, unknown>>;

/** Durable background work: queued in the database, taken by any server process, seen by people as tasks. */
export type Tasks = {
  /** Names the work and says how it is done. `stage.slice.verb`. Called once per kind while wiring. */
  register(kind: string, handler: TaskHandler): void;
  /** Queues work in the caller's transaction: it starts after the commit, or never. */
  start(tx: Transaction, work: { kind: string; title: string; input: TaskInput }): Promise<Task>;
};
