import type { Alert, alertSeverity, openAlerts } from '@touchstone/contracts/alerts';
import { type Selectable, sql } from 'kysely';
import type { z } from 'zod';
import { type Principal, SYSTEM_PRINCIPAL, SYSTEM_TENANT_ID, type Transaction } from '../database/database.ts';
import type { AlertTable } from '../database/schema-types.ts';
import type { Caller } from '../http/serve.ts';

export type AlertRow = Selectable<AlertTable>;
export type AlertQuestion = {
  before: number | null;
  state?: Alert['state'] | undefined;
  severity?: z.infer<typeof alertSeverity> | undefined;
  limit: number;
};

/**
 * On whose behalf a caller looks at alerts: the own tenant's, and those of the installation for whoever may operate it.
 * Before there is an owner, a visitor at the machine itself sees the installation's.
 */
export function principalsOf(caller: Caller): Principal[] {
  if (caller.tenantId === SYSTEM_TENANT_ID) return [SYSTEM_PRINCIPAL];
  return caller.scopes.includes('system:write') ? [caller, SYSTEM_PRINCIPAL] : [caller];
}

/** Newest first; one more than asked for tells that there is a next page. */
export function listAlertRows(tx: Transaction, { before, state, severity, limit }: AlertQuestion): Promise<AlertRow[]> {
  return tx.query
    .selectFrom('alert')
    .selectAll()
    .where('tenant_id', '=', tx.principal.tenantId)
    .$if(before !== null, (rows) => rows.where('id', '<', before!))
    .$if(severity !== undefined, (rows) => rows.where('severity', '=', severity!))
    .$if(state === 'resolved', (rows) => rows.where('resolved_at', 'is not', null))
    .$if(state === 'acknowledged' || state === 'open', (rows) =>
      rows.where('resolved_at', 'is', null).where('acknowledged_at', state === 'open' ? 'is' : 'is not', null),
    )
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
}

/** Open ones that nobody has acknowledged, by severity. */
export async function countOpenAlerts(tx: Transaction): Promise<z.infer<typeof openAlerts>> {
  const rows = await tx.query
    .selectFrom('alert')
    .select(({ fn }) => ['severity', fn.countAll<number>().as('count')])
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('resolved_at', 'is', null)
    .where('acknowledged_at', 'is', null)
    .groupBy('severity')
    .execute();
  const of = (severity: string) => Number(rows.find((row) => row.severity === severity)?.count ?? 0);
  return { info: of('info'), warning: of('warning'), critical: of('critical') };
}

export function findAlertRow(tx: Transaction, alertId: number, toChange = false): Promise<AlertRow | undefined> {
  const rows = tx.query
    .selectFrom('alert')
    .selectAll()
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('id', '=', alertId);
  return (toChange ? rows.forUpdate() : rows).executeTakeFirst();
}

export function markAcknowledged(tx: Transaction, alertId: number, actorId: number | null): Promise<AlertRow> {
  return tx.query
    .updateTable('alert')
    .set({ acknowledged_at: sql<string>`clock_timestamp()`, acknowledged_by: actorId })
    .where('id', '=', alertId)
    .returningAll()
    .executeTakeFirstOrThrow();
}

export function toAlert(row: AlertRow): Alert {
  return {
    ...{ id: row.id, tenantId: row.tenant_id, kind: row.kind, severity: toSeverity(row.severity) },
    state: row.resolved_at !== null ? 'resolved' : row.acknowledged_at !== null ? 'acknowledged' : 'open',
    ...{ title: row.title, detail: row.detail, subjectKind: row.subject_kind, subjectId: row.subject_id },
    ...{ times: row.times, raisedAt: row.created_at, lastRaisedAt: row.last_raised_at },
    ...{ acknowledgedAt: row.acknowledged_at, acknowledgedBy: row.acknowledged_by, resolvedAt: row.resolved_at },
  };
}

function toSeverity(text: string): Alert['severity'] {
  return text === 'critical' || text === 'warning' ? text : 'info';
}
