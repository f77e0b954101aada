import { randomUUID } from 'node:crypto';
import type { ServerProcess } from '@touchstone/contracts/tasks';
import { sql } from 'kysely';
import { type Database, type Principal, SYSTEM_PRINCIPAL, SYSTEM_TENANT_ID } from '../database/database.ts';

export type Processes = ReturnType<typeof createProcesses>;

type Log = { warn(fields: object, text: string): void };

const BEAT_MS = 15_000;
/** Four beats missed. */
const LOST_AFTER = '60 seconds';
const SHOWN_FOR = '1 day';
const SHOWN_MAX = 200;

/** Says that this process is there, and lists those that share the database. The database's clock counts for all. */
export function createProcesses(
  database: Database,
  about: { kind: ServerProcess['kind']; codeVersion: string },
  log: Log,
) {
  const id = randomUUID();
  let timer: NodeJS.Timeout | undefined;

  const write = (change: ReturnType<typeof sql>) =>
    database.transaction(SYSTEM_PRINCIPAL, async (tx) => {
      await sql`
        INSERT INTO server_process (name, tenant_id, kind, code_version)
        VALUES (${id}::uuid, ${SYSTEM_TENANT_ID}, ${about.kind}, ${about.codeVersion})
        ON CONFLICT (name) DO UPDATE SET ${change}`.execute(tx.query);
    });

  return {
    id,
    /** Enters this process and keeps saying that it is there. */
    async open(): Promise<void> {
      await write(sql`last_seen_at = clock_timestamp()`);
      timer = setInterval(() => {
        // The next beat tells as well; only the list is a little late.
        write(sql`last_seen_at = clock_timestamp()`).catch((error: unknown) =>
          log.warn({ err: error }, 'the process could not say that it is there'),
        );
      }, BEAT_MS);
      timer.unref();
    },
    /** Says goodbye. */
    async close(): Promise<void> {
      clearInterval(timer);
      await write(sql`last_seen_at = clock_timestamp(), stopped_at = clock_timestamp()`).catch((error: unknown) =>
        log.warn({ err: error }, 'the process could not say that it stops'),
      );
    },
    /** Those of the last day, newest first. They name no machine, so everybody may see them. */
    list: (principal: Principal): Promise<ServerProcess[]> =>
      database.transaction(
        principal,
        async (tx) => {
          const { rows } = await sql<Omit<ServerProcess, 'isThis'>>`
            SELECT name AS id, kind, code_version AS "codeVersion", started_at AS "startedAt", last_seen_at AS "lastSeenAt",
                   CASE WHEN stopped_at IS NOT NULL THEN 'stopped'
                        WHEN last_seen_at < clock_timestamp() - ${LOST_AFTER}::interval THEN 'lost' ELSE 'running' END AS state
            FROM server_process WHERE last_seen_at > clock_timestamp() - ${SHOWN_FOR}::interval
            ORDER BY started_at DESC, name LIMIT ${SHOWN_MAX}`.execute(tx.query);
          return rows.map((row) => ({ ...row, isThis: row.id === id }));
        },
        { readOnly: true },
      ),
  };
}
