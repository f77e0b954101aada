import pg from 'pg';

/** One connection of a server process: tells and hears what happens to tasks, and holds the locks of running ones. */
export type TaskLine = {
  open(): Promise<void>;
  /** False while the connection is lost; it comes back by itself. */
  isOpen(): boolean;
  /** Takes a lock that ends with this process, however it ends. */
  lock(taskId: number): Promise<boolean>;
  unlock(taskId: number): Promise<void>;
  close(): Promise<void>;
};

export type TaskNews = { tenantId: number; taskId: number; what: 'queued' | 'cancel' | 'changed' };

type Log = { warn(fields: object, text: string): void };
type Listener = { onNews(news: TaskNews): void; onReconnect(): Promise<void> };

export const TASK_CHANNEL = 'touchstone_task';
/** First half of the advisory lock's key; the second is the task. */
const TASK_LOCK = 7420010;
const RECONNECT_MS = 1_000;

export function createTaskLine(connection: pg.ClientConfig, listener: Listener, log: Log): TaskLine {
  let client: pg.Client | null = null;
  let closed = false;

  async function connect(): Promise<void> {
    const fresh = new pg.Client({ application_name: 'touchstone-tasks', keepAlive: true, ...connection });
    fresh.on('error', (error) => log.warn({ err: error }, 'the task line was lost'));
    fresh.on('notification', (message) => {
      const news = parseNews(message.payload);
      if (news !== null) listener.onNews(news);
    });
    await fresh.connect();
    fresh.once('end', () => {
      if (client === fresh) client = null;
      if (!closed) reconnectLater();
    });
    await fresh.query(`LISTEN ${TASK_CHANNEL}`);
    client = fresh;
  }

  function reconnectLater(): void {
    const timer = setTimeout(async () => {
      if (closed) return;
      try {
        await connect();
        await listener.onReconnect();
      } catch {
        // Said already when the line was lost.
        if (client === null) reconnectLater();
      }
    }, RECONNECT_MS);
    timer.unref();
  }

  async function ask(text: string, taskId: number): Promise<boolean> {
    if (client === null) return false;
    const { rows } = await client.query({ text, values: [TASK_LOCK, taskId] });
    return rows[0].yes === true;
  }

  return {
    open: connect,
    isOpen: () => client !== null,
    lock: (taskId) => ask('SELECT pg_try_advisory_lock($1::int, $2::int) AS yes', taskId),
    async unlock(taskId) {
      // A lost line has lost its locks with it.
      await ask('SELECT pg_advisory_unlock($1::int, $2::int) AS yes', taskId).catch(() => false);
    },
    async close() {
      closed = true;
      await client?.end();
    },
  };
}

function parseNews(payload: string | undefined): TaskNews | null {
  const [tenantId, taskId, what] = (payload ?? '').split(' ');
  if (what !== 'queued' && what !== 'cancel' && what !== 'changed') return null;
  return { tenantId: Number(tenantId), taskId: Number(taskId), what };
}
