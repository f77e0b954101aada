import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Database, Principal, Transaction } from '../../src/platform/database/database.ts';
import { appendEvidence } from '../../src/platform/evidence/evidence.ts';

/** A prediction as it is on record, with what happened. */
export type ScoredPrediction = {
  version: number;
  instrumentId: number;
  /** In the future, so that it was sealed before anybody could know. */
  eventDay: string;
  value: number | null;
  outcome: number;
  baseline?: number;
  volatility?: number;
};

const CONTENT = Buffer.from('inputs of a test');
const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
let nextId = 1_000_000;

/** Puts predictions and their outcomes on record past the models: sealed by one record of the evidence, as serving does. */
export async function addScored(
  database: Database,
  principal: Principal,
  modelId: number,
  predictions: readonly ScoredPrediction[],
): Promise<void> {
  await database.transaction(principal, async (tx) => {
    const tenant = principal.tenantId;
    await tx.query
      .insertInto('prediction_input')
      .values({ tenant_id: tenant, sha256: sha256(CONTENT), content: CONTENT })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const rows = predictions.map((told) => {
      const id = nextId++;
      const body = JSON.stringify({ id, ...told });
      return { id, told, body, sealed: sha256(body) };
    });
    await appendEvidence(tx, {
      ...{ kind: 'prediction.sealed', subjectKind: 'prediction', subjectId: rows[0]!.id },
      body: { seals: Object.fromEntries(rows.map(({ id, sealed }) => [String(id), sealed])) },
    });
    const sequence = await lastSequence(tx);
    for (const { id, told, body, sealed } of rows) {
      const { version, instrumentId, eventDay, value, outcome, baseline = 0.5, volatility = null } = told;
      await sql`
        INSERT INTO prediction (id, tenant_id, model_id, version_number, served_by, alias, way_sha256, subject_kind, subject_id,
          as_of, known_at, recorded_at, reconstructed, horizon_days, event_day, due_day, value, baseline, abstained,
          input_sha256, body, explanation, sealed_sha256, before_outcome, evidence_sequence)
        VALUES (${id}, ${tenant}, ${modelId}, ${version}, 'model', NULL, ${sha256('way')}, 'instrument', ${instrumentId},
          ${eventDay}::date, ${eventDay}::timestamptz, ${eventDay}::timestamptz, false, 5, ${eventDay}::date,
          ${eventDay}::date + 7, ${value}, ${baseline}, ${value === null ? 'not_sure_enough' : null}, ${sha256(CONTENT)},
          ${body}, '{}', ${sealed}, true, ${sequence})`.execute(tx.query);
      const loss = value === null ? null : (value - outcome) ** 2;
      await sql`
        INSERT INTO prediction_outcome (tenant_id, prediction_id, value, day, known_at, loss, baseline_loss, inside, volatility)
        VALUES (${tenant}, ${id}, ${outcome}, ${eventDay}::date + 7, clock_timestamp(), ${loss},
          ${(baseline - outcome) ** 2}, NULL, ${volatility})`.execute(tx.query);
    }
  });
}

async function lastSequence(tx: Transaction): Promise<number> {
  const row = await tx.query
    .selectFrom('evidence')
    .select('sequence')
    .where('tenant_id', '=', tx.principal.tenantId)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
  return row.sequence;
}
