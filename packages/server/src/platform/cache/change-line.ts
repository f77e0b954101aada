import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Change } from '../database/database.ts';

/** Hears of state changes of other processes. */
export type ChangeLine = {
  open(): Promise<void>;
  /** False while a change elsewhere could be missed: nothing kept may be used then. */
  isOpen(): boolean;
  close(): Promise<void>;
};

type Listener = {
  onChange(change: Change): void;
  /** The line stands again; what changed meanwhile is unknown. */
  onGap(): Promise<void>;
};
type Log = { warn(fields: object, text: string): void };

const CHANNEL = 'touchstone_change';
const RECONNECT_MS = 1_000;
/** A line that lost its network says nothing; so it is asked, and believed to be down without an answer. */
const BEAT_EVERY_MS = 2_000;
const BEAT_TIMEOUT_MS = 2_000;

/** This process or thread; it hears its own changes without the line, and sooner. */
const ORIGIN = randomBytes(6).toString('hex');

/** What is sent in the transaction of a change. */
export function changeNews({ tenantId, subjectKind }: Change): { channel: string; payload: string } {
  return { channel: CHANNEL, payload: `${tenantId} ${subjectKind} ${ORIGIN}` };
}

export function createChangeLine(
  connection: pg.ClientConfig,
  listener: Listener,
  log: Log,
  { origin = ORIGIN }: { origin?: string } = {},
): ChangeLine {
  let client: pg.Client | null = null;
  let closed = false;
  let beat: NodeJS.Timeout | undefined;

  async function connect(): Promise<void> {
    const fresh = new pg.Client({
      ...{ application_name: 'touchstone-changes', keepAlive: true, query_timeout: BEAT_TIMEOUT_MS },
      ...connection,
    });
    fresh.on('error', (error) => log.warn({ err: error }, 'the line that tells of changes was lost'));
    fresh.on('notification', ({ payload }) => {
      const [tenantId, subjectKind, from] = (payload ?? '').split(' ');
      if (subjectKind === undefined || from === origin) return;
      listener.onChange({ tenantId: Number(tenantId), subjectKind });
    });
    await fresh.connect();
    fresh.once('end', () => {
      if (client === fresh) client = null;
      if (!closed) reconnectLater();
    });
    await fresh.query(`LISTEN ${CHANNEL}`);
    await listener.onGap();
    client = fresh;
  }

  function reconnectLater(): void {
    setTimeout(() => {
      if (closed) return;
      connect().catch(() => {
        // Said already when the line was lost.
        if (client === null) reconnectLater();
      });
    }, RECONNECT_MS).unref();
  }

  async function check(): Promise<void> {
    const asked = client;
    try {
      await asked?.query('SELECT 1');
    } catch {
      if (client === asked) client = null;
      asked?.end().catch(() => {});
    }
  }

  return {
    async open() {
      beat = setInterval(check, BEAT_EVERY_MS);
      beat.unref();
      await connect().catch((error: unknown) => {
        // Without the line nothing is kept; that is slower and no reason not to start.
        log.warn({ err: error }, 'the line that tells of changes could not be opened');
        reconnectLater();
      });
    },
    isOpen: () => client !== null,
    async close() {
      closed = true;
      clearInterval(beat);
      await client?.end().catch(() => {});
    },
  };
}
