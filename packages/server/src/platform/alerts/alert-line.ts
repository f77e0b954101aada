import pg from 'pg';
import type { Database } from '../database/database.ts';
import { ALERT_CHANNEL } from './alerts.ts';

export type AlertNews = { tenantId: number; alertId: number };

/** Hears of alerts, on a connection of its own that is open only while somebody listens. */
export type AlertLine = {
  /** Returns a function that ends it. */
  watch(listener: (news: AlertNews) => void): () => void;
  close(): Promise<void>;
};

type Log = { warn(fields: object, text: string): void };
const RECONNECT_MS = 1_000;

export function createAlertLine(database: Database, log: Log): AlertLine {
  const listeners = new Set<(news: AlertNews) => void>();
  let connecting: Promise<pg.Client> | null = null;
  let closed = false;

  async function connect(): Promise<pg.Client> {
    // The pool's settings are those of the moment: an embedded database that came back may lie elsewhere.
    const client = new pg.Client({ ...database.pool.options, application_name: 'touchstone-alerts', keepAlive: true });
    client.on('error', (error) => log.warn({ err: error }, 'the alert line was lost'));
    client.on('notification', ({ payload }) => {
      const [tenantId, alertId] = (payload ?? '').split(' ').map(Number);
      if (!Number.isInteger(tenantId) || !Number.isInteger(alertId)) return;
      for (const listener of listeners) listener({ tenantId: tenantId!, alertId: alertId! });
    });
    await client.connect();
    client.once('end', () => {
      connecting = null;
      openLater();
    });
    await client.query(`LISTEN ${ALERT_CHANNEL}`);
    return client;
  }

  function open(): void {
    if (connecting !== null || closed || listeners.size === 0) return;
    connecting = connect();
    connecting.catch((error: unknown) => {
      log.warn({ err: error }, 'alerts are not heard of');
      connecting = null;
      openLater();
    });
  }

  function openLater(): void {
    setTimeout(open, RECONNECT_MS).unref();
  }

  async function hangUp(): Promise<void> {
    const client = await connecting?.catch(() => null);
    await client?.end().catch(() => {});
  }

  return {
    watch(listener) {
      listeners.add(listener);
      open();
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) void hangUp();
      };
    },
    async close() {
      closed = true;
      listeners.clear();
      await hangUp();
    },
  };
}
