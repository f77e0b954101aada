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
  /** What makes two alerts the same, `refresh.degraded:source:3`: while one is open, the next only counts up. */
  sameAs: string;
};

/** Says which alert of which tenant changed: `7 12`. */
export const ALERT_CHANNEL = 'touchstone_alert';
const TITLE_LENGTH_MAX = 200;
const DETAIL_LENGTH_MAX = 2_000;

/** Raises an alert in the transaction of what it tells of. Raising an open one again counts it and renews its words. */
export async function raiseAlert(tx: Transaction, alert: NewAlert): Promise<void> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO alert (tenant_id, kind, severity, title, detail, subject_kind, subject_id, same_as)
    VALUES (${tx.principal.tenantId}, ${alert.kind}, ${alert.severity}, ${alert.title.slice(0, TITLE_LENGTH_MAX)},
            ${alert.detail.slice(0, DETAIL_LENGTH_MAX)}, ${alert.subjectKind}, ${String(alert.subjectId)}, ${alert.sameAs})
    ON CONFLICT (tenant_id, same_as) WHERE resolved_at IS NULL AND deleted_at IS NULL
    DO UPDATE SET times = alert.times + 1, last_raised_at = clock_timestamp(),
      severity = excluded.severity, title = excluded.title, detail = excluded.detail
    RETURNING id`.execute(tx.query);
  await tellAlert(tx, rows[0]!.id);
}

/** The cause is gone: the open alert becomes history. Nothing happens when there is none. */
export async function resolveAlert(tx: Transaction, sameAs: string): Promise<void> {
  const rows = await tx.query
    .updateTable('alert')
    .set({ resolved_at: sql<string>`clock_timestamp()` })
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('same_as', '=', sameAs)
    .where('resolved_at', 'is', null)
    .returning('id')
    .execute();
  for (const { id } of rows) await tellAlert(tx, id);
}

/** Tells whoever watches, at commit. */
export async function tellAlert(tx: Transaction, alertId: number): Promise<void> {
  await sql`SELECT pg_notify(${ALERT_CHANNEL}, ${`${tx.principal.tenantId} ${alertId}`})`.execute(tx.query);
}
