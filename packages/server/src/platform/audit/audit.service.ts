import { sql } from 'kysely';
import type { Database, Principal } from '../database/database.ts';
import { evidenceBodyOf } from '../evidence/evidence.ts';
import { decodeIdCursor, toPage } from '../http/cursor.ts';

/** What to look for. `kind` with a dot at its end means the whole family. */
export type AuditQuestion = {
  cursor?: string | undefined;
  limit: number;
  actorId?: number | undefined;
  subjectKind?: string | undefined;
  subjectId?: string | undefined;
  kind?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
};

type AuditRow = {
  sequence: number;
  recorded_at: string;
  kind: string;
  subject_kind: string;
  subject_id: string;
  subject_name: string | null;
  actor_id: number | null;
  actor_name: string | null;
  body: string;
};

/** Who did what: the evidence, with the names that person still holds. */
export function createAuditService(database: Database) {
  return {
    list: (principal: Principal, question: AuditQuestion) =>
      database.transaction(
        principal,
        async (tx) => {
          const { actorId, subjectKind, subjectId, kind, from, to, limit } = question;
          const before = decodeIdCursor(question.cursor);
          const conditions = [sql`e.tenant_id = ${principal.tenantId}`];
          if (before !== null) conditions.push(sql`e.sequence < ${before}`);
          if (actorId !== undefined) conditions.push(sql`e.actor_id = ${actorId}`);
          if (subjectKind !== undefined) conditions.push(sql`e.subject_kind = ${subjectKind}`);
          if (subjectId !== undefined) conditions.push(sql`e.subject_id = ${subjectId}`);
          if (kind !== undefined) {
            conditions.push(kind.endsWith('.') ? sql`starts_with(e.kind, ${kind})` : sql`e.kind = ${kind}`);
          }
          if (from !== undefined) conditions.push(sql`e.recorded_at >= ${from}`);
          if (to !== undefined) conditions.push(sql`e.recorded_at < ${to}`);
          const { rows } = await sql<AuditRow>`
            SELECT e.sequence, e.recorded_at, e.kind, e.subject_kind, e.subject_id, e.actor_id, e.body,
                   coalesce(a.display_name, au.service_name) AS actor_name,
                   coalesce(s.display_name, su.service_name) AS subject_name
            FROM evidence e
            LEFT JOIN app_user au ON au.tenant_id = e.tenant_id AND au.id = e.actor_id
            LEFT JOIN person a ON a.tenant_id = e.tenant_id AND a.user_id = e.actor_id
            LEFT JOIN app_user su ON su.tenant_id = e.tenant_id AND e.subject_kind = 'user' AND su.id::text = e.subject_id
            LEFT JOIN person s ON s.tenant_id = e.tenant_id AND s.user_id = su.id
            WHERE ${sql.join(conditions, sql` AND `)}
            ORDER BY e.sequence DESC LIMIT ${limit + 1}`.execute(tx.query);
          return toPage(rows.map(told), limit, (row) => [row.sequence]);
        },
        { readOnly: true },
      ),
  };
}

function told(row: AuditRow) {
  return {
    ...{ sequence: row.sequence, recordedAt: row.recorded_at, kind: row.kind },
    ...{ subjectKind: row.subject_kind, subjectId: row.subject_id, subjectName: row.subject_name },
    actor: row.actor_id === null ? null : { userId: row.actor_id, displayName: row.actor_name },
    body: evidenceBodyOf(row.body),
  };
}
