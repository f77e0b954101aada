import * as contract from '@touchstone/contracts/alerts';
import type { FastifyInstance } from 'fastify';
import type { Database, Principal } from '../database/database.ts';
import { appendEvidence } from '../evidence/evidence.ts';
import { decodeIdCursor, toPage } from '../http/cursor.ts';
import { openEventStream } from '../http/event-stream.ts';
import type { Serve } from '../http/serve.ts';
import { ProblemError } from '../problem-error.ts';
import {
  type AlertRow,
  countOpenAlerts,
  findAlertRow,
  listAlertRows,
  markAcknowledged,
  principalsOf,
  toAlert,
} from './alert.repository.ts';
import { createAlertLine } from './alert-line.ts';
import { tellAlert } from './alerts.ts';

type Log = { warn(fields: object, text: string): void };

export function registerAlertRoutes(serve: Serve, database: Database, app: FastifyInstance, log: Log): void {
  const line = createAlertLine(database, log);
  const read = { readOnly: true };

  serve(contract.listAlerts, async ({ caller, query }) => {
    const { state, severity, limit } = query;
    const before = decodeIdCursor(query.cursor);
    const principals = principalsOf(caller);
    const rows: AlertRow[] = [];
    const open = { info: 0, warning: 0, critical: 0 };
    for (const principal of principals) {
      await database.transaction(
        principal,
        async (tx) => {
          rows.push(...(await listAlertRows(tx, { before, state, severity, limit })));
          const counted = await countOpenAlerts(tx);
          for (const name of ['info', 'warning', 'critical'] as const) open[name] += counted[name];
        },
        read,
      );
    }
    rows.sort((a, b) => b.id - a.id);
    return { ...toPage(rows.map(toAlert), limit, (alert) => [alert.id]), open };
  });

  serve(contract.acknowledgeAlert, async ({ caller, params }) => {
    const principals = principalsOf(caller);
    for (const principal of principals) {
      // What is the installation's is changed as the installation; who did it stands in the row and in the evidence.
      const owner: Principal = { tenantId: principal.tenantId, actorId: caller.actorId };
      const row = await database.transaction(owner, async (tx) => {
        const before = await findAlertRow(tx, params.alertId, true);
        if (before === undefined) return null;
        if (before.resolved_at !== null) {
          throw new ProblemError('NOT_POSSIBLE_NOW', `Alert ${before.id} is resolved already.`);
        }
        if (before.acknowledged_at !== null) return before;
        const after = await markAcknowledged(tx, before.id, caller.actorId);
        await appendEvidence(tx, {
          ...{ kind: 'alert.acknowledged', subjectKind: 'alert', subjectId: before.id },
          body: { alertKind: before.kind },
        });
        await tellAlert(tx, before.id);
        return after;
      });
      if (row !== null) return toAlert(row);
    }
    throw new ProblemError('NOT_FOUND', `There is no alert ${params.alertId}.`);
  });

  serve(contract.watchAlerts, async ({ caller, reply }) => {
    const principals = principalsOf(caller);
    const stream = openEventStream(reply);
    const stop = line.watch(({ tenantId, alertId }) => {
      const principal = principals.find((candidate) => candidate.tenantId === tenantId);
      if (principal === undefined) return;
      database
        .transaction(principal, (tx) => findAlertRow(tx, alertId), read)
        .then((row) => {
          if (row !== undefined) stream.tell('alert', toAlert(row));
        })
        .catch((error: unknown) => log.warn({ err: error }, 'an alert was not told'));
    });
    stream.onClose(stop);
    return reply;
  });

  app.addHook('preClose', () => line.close());
}
