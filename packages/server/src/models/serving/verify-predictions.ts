import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';

export type BrokenPrediction = { id: number; fault: string };

/**
 * Holds every prediction of the tenant against its seal and the record that names it: body, explanation and inputs are
 * hashed again, the columns for questions compared with the body, and a sealed prediction that is gone is found.
 */
export async function verifyPredictions(tx: Transaction): Promise<{ count: number; broken: BrokenPrediction[] }> {
  const { tenantId } = tx.principal;
  const { rows: counted } = await sql<{ count: number }>`
    SELECT count(*)::int AS count FROM prediction WHERE tenant_id = ${tenantId}`.execute(tx.query);
  const { rows: changed } = await sql<BrokenPrediction>`
    SELECT * FROM (
      SELECT p.id, CASE
        WHEN encode(sha256(convert_to(p.body, 'UTF8')), 'hex') <> p.sealed_sha256 THEN 'has another body than was sealed'
        WHEN encode(sha256(convert_to(p.explanation, 'UTF8')), 'hex') <> p.body::jsonb ->> 'explanationSha256'
          THEN 'has another explanation than was sealed'
        WHEN p.input_sha256 <> p.body::jsonb ->> 'inputSha256' OR encode(sha256(i.content), 'hex') <> p.input_sha256
          THEN 'rests on other inputs than were sealed'
        WHEN p.value IS DISTINCT FROM (p.body::jsonb #>> '{forecast,value}')::float8
          OR p.lower IS DISTINCT FROM (p.body::jsonb #>> '{forecast,lower}')::float8
          OR p.upper IS DISTINCT FROM (p.body::jsonb #>> '{forecast,upper}')::float8
          OR p.due_day <> (p.body::jsonb ->> 'dueDay')::date
          OR p.event_day <> (p.body::jsonb ->> 'eventDay')::date THEN 'is told otherwise than it was sealed'
        WHEN e.body IS NULL OR strpos(e.body, '"' || p.id || '":"' || p.sealed_sha256 || '"') = 0
          THEN 'is not named by its record of the evidence'
      END AS fault
      FROM prediction p
      LEFT JOIN prediction_input i ON i.tenant_id = p.tenant_id AND i.sha256 = p.input_sha256
      LEFT JOIN evidence e ON e.tenant_id = p.tenant_id AND e.sequence = p.evidence_sequence
      WHERE p.tenant_id = ${tenantId}
    ) judged WHERE fault IS NOT NULL ORDER BY id`.execute(tx.query);
  const { rows: gone } = await sql<BrokenPrediction>`
    SELECT s.key::bigint AS id, 'was sealed, and is gone' AS fault
    FROM evidence e CROSS JOIN LATERAL jsonb_each_text(e.body::jsonb #> '{body,seals}') s
    LEFT JOIN prediction p ON p.tenant_id = e.tenant_id AND p.id = s.key::bigint
    WHERE e.tenant_id = ${tenantId} AND e.kind = 'prediction.sealed' AND p.id IS NULL ORDER BY 1`.execute(tx.query);
  return { count: counted[0]!.count, broken: [...changed, ...gone] };
}
