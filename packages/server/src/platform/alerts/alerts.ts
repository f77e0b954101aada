import { sql } from 'kysely';
import type { Transaction } from '../database/database.ts';

/** Something a person of the tenant should see. Titles and details are sentences; they hold no secrets. */
export type NewAlert = {
  /** `stage.what`, for example `refresh.degraded`. */
  kind: string;
  severity: 'info' | 'warning' | 'critical';
  title: string;
  /** What it means and what to do. */
  detail: string;
  subjectKind: string;
  subjectId: string | number;
  /** What makes two alerts the same, `refresh.degraded:universe:3`: while one is open, the next only counts up. */
  sameAs: string;
};

/** Raises an alert in the transaction of what it tells of. Raising an open one again counts it and renews its words. */
export async function raiseAlert(tx: Transaction, alert: NewAlert): Promise<void> {
  await sql`
    INSERT INTO alert (tenant_id, kind, severity, title, detail, subject_kind, subject_id, same_as)
    VALUES (${tx.principal.tenantId}, ${alert.kind}, ${alert.severity}, ${alert.title}, ${alert.detail},
            ${alert.subjectKind}, ${String(alert.subjectId)}, ${alert.sameAs})
    ON CONFLICT (tenant_id, same_as) WHERE resolved_at IS NULL AND deleted_at IS NULL
    DO UPDATE SET times = alert.times + 1, last_raised_at = clock_timestamp(),
      severity = excluded.severity, title = excluded.title, detail = excluded.detail`.execute(tx.query);
}

/** The cause is gone: the open alert becomes history. Nothing happens when there is none. */
export async function resolveAlert(tx: Transaction, sameAs: string): Promise<void> {
  await tx.query
    .updateTable('alert')
    .set({ resolved_at: sql<string>`clock_timestamp()` })
    .where('same_as', '=', sameAs)
    .where('resolved_at', 'is', null)
    .execute();
}
