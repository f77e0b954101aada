import type { Principal } from '../../platform/database/database.ts';
import type { OnlineValue } from './packed-value.ts';

/** A version of a view, as values are kept under. */
export type ViewKey = { view: string; version: number };
export type StoredRow = { instrumentId: number; packed: Buffer };

/**
 * Holds the newest values for serving. PostgreSQL is where they are at home; the others answer sooner and fill themselves
 * from it. Every implementation passes `online-store.test.ts`: equal bytes in, equal values out.
 */
export type OnlineStore = {
  kind: 'process' | 'database' | 'redis';
  /** Takes values in, whoever asks next sees them. Written to the database already. */
  keep(principal: Principal, key: ViewKey, rows: readonly StoredRow[]): Promise<void>;
  /** @returns for each view one value for each instrument; null where nothing is stored. */
  read(
    principal: Principal,
    keys: readonly ViewKey[],
    instrumentIds: readonly number[],
  ): Promise<(OnlineValue | null)[][]>;
  close(): Promise<void>;
};
