import { Redis } from 'ioredis';

type Log = { warn(fields: object, text: string): void; info(fields: object, text: string): void };

/** One connection to Redis that reconnects by itself and never keeps a caller waiting for a server that is away. */
export type RedisLine = {
  client: Redis;
  /** False while Redis does not answer. */
  isUp(): boolean;
  /** Called each time the connection stands, the first time included; nothing is asked of it before that is done. */
  onUp(listener: () => Promise<void>): void;
  close(): Promise<void>;
};

const COMMAND_TIMEOUT_MS = 500;
const RECONNECT_MS_MAX = 1_000;

/** @param url `redis://` or `rediss://`, may hold a password, so it is never told. */
export function createRedisLine(url: string, log: Log): RedisLine {
  const client = new Redis(url, {
    // A command that cannot be sent fails at once: there is always another way.
    ...{ enableOfflineQueue: false, maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false },
    ...{ commandTimeout: COMMAND_TIMEOUT_MS, connectTimeout: COMMAND_TIMEOUT_MS * 4 },
    retryStrategy: (times: number) => Math.min(times * 50, RECONNECT_MS_MAX),
  });
  const listeners: (() => Promise<void>)[] = [];
  let isUp = false;
  let told: 'up' | 'away' | null = null;
  const away = () => {
    isUp = false;
    if (told === 'away') return;
    told = 'away';
    log.warn({}, 'Redis does not answer; the database and the process itself stand in for it');
  };
  client.on('error', away);
  client.on('close', away);
  const up = async () => {
    try {
      for (const listener of listeners) await listener();
      isUp = client.status === 'ready';
      if (told === 'away') log.info({}, 'Redis answers again');
      told = 'up';
    } catch (error) {
      log.warn({ err: error }, 'Redis answers, but not as it should');
      client.disconnect(true);
    }
  };
  client.on('ready', up);
  return {
    client,
    isUp: () => isUp,
    onUp(listener) {
      listeners.push(listener);
    },
    async close() {
      client.removeAllListeners();
      client.on('error', () => {});
      client.disconnect();
    },
  };
}
