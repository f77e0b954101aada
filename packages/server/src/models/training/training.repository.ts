import type { TrainedModel } from '@touchstone/contracts/training';
import type { PartSpec } from '@touchstone/quant/evaluation/forecast-training/fit-part';
import { type Selectable, sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import type { TrainingTable } from '../../platform/database/schema-types.ts';

/** With where its task stands. */
export type TrainingRow = Selectable<TrainingTable> & {
  state: string;
  progress: number;
  progress_note: string;
};

export type PlannedPart = { key: string; tableSha256: string; spec: PartSpec };
export type ClaimedPart = PlannedPart & { ordinal: number };
export type DonePart = {
  ordinal: number;
  key: string;
  resultSha256: string | null;
  seconds: number;
  problem: string | null;
};
export type PartCounts = { partCount: number; partsDone: number; partsReused: number; partsFailed: number };

export async function insertTraining(
  tx: Transaction,
  training: { universeTenantId: number; universeId: number; taskId: number; settings: object },
): Promise<number> {
  const { id } = await tx.query
    .insertInto('training')
    .values({
      tenant_id: tx.principal.tenantId,
      universe_tenant_id: training.universeTenantId,
      universe_id: training.universeId,
      task_id: training.taskId,
      settings: JSON.stringify(training.settings),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

export function findTrainingOfTask(tx: Transaction, taskId: number): Promise<TrainingRow | undefined> {
  return trainings(tx).where('training.task_id', '=', taskId).executeTakeFirst();
}

export function findTraining(tx: Transaction, id: number): Promise<TrainingRow | undefined> {
  return trainings(tx).where('training.id', '=', id).executeTakeFirst();
}

/** Newest first, below the given number. */
export function listTrainingRows(tx: Transaction, page: { before: number | undefined; limit: number }) {
  const { before } = page;
  return trainings(tx)
    .$if(before !== undefined, (rows) => rows.where('training.id', '<', before ?? 0))
    .orderBy('training.id', 'desc')
    .limit(page.limit)
    .execute();
}

function trainings(tx: Transaction) {
  return tx.query
    .selectFrom('training')
    .innerJoin('task', (join) =>
      join.onRef('task.tenant_id', '=', 'training.tenant_id').onRef('task.id', '=', 'training.task_id'),
    )
    .selectAll('training')
    .select(['task.state', 'task.progress', 'task.progress_note'])
    .where('training.tenant_id', '=', tx.principal.tenantId);
}

export async function setDataset(tx: Transaction, id: number, datasetSha256: string): Promise<void> {
  await tx.query.updateTable('training').set({ dataset_sha256: datasetSha256 }).where('id', '=', id).execute();
}

export async function setModels(tx: Transaction, id: number, models: readonly TrainedModel[]): Promise<void> {
  await tx.query
    .updateTable('training')
    .set({ models: JSON.stringify(models) })
    .where('id', '=', id)
    .execute();
}

/** Tenant of a universe that may be seen. */
export async function findUniverseTenant(tx: Transaction, id: number): Promise<number | undefined> {
  const row = await tx.query.selectFrom('universe').select('tenant_id').where('id', '=', id).executeTakeFirst();
  return row?.tenant_id;
}

/**
 * Writes the parts of a training; those another training of this tenant has finished before are finished at once. Writing the
 * same plan again changes nothing; another plan replaces it.
 */
export async function planParts(tx: Transaction, trainingId: number, parts: readonly PlannedPart[]): Promise<void> {
  const { tenantId } = tx.principal;
  const { rows } = await sql<{ keys: string[] | null }>`
    SELECT array_agg(key ORDER BY ordinal) AS keys FROM work.training_part
    WHERE tenant_id = ${tenantId} AND training_id = ${trainingId}`.execute(tx.query);
  const known = rows[0]?.keys ?? [];
  if (known.length === parts.length && parts.every(({ key }, ordinal) => known[ordinal] === key)) return;
  await sql`DELETE FROM work.training_part WHERE tenant_id = ${tenantId} AND training_id = ${trainingId}`.execute(
    tx.query,
  );
  const told = JSON.stringify(parts.map((part, ordinal) => ({ ordinal, ...part })));
  await sql`
    INSERT INTO work.training_part (tenant_id, training_id, ordinal, key, table_sha256, spec, result_sha256, reused, seconds)
    SELECT ${tenantId}, ${trainingId}, p.ordinal, p.key, p."tableSha256", p.spec, d.result_sha256, d.result_sha256 IS NOT NULL,
           coalesce(d.seconds, 0)
    FROM jsonb_to_recordset(${told}::jsonb) AS p (ordinal integer, key text, "tableSha256" text, spec jsonb)
    LEFT JOIN LATERAL (
      SELECT result_sha256, seconds FROM work.training_part t
      WHERE t.tenant_id = ${tenantId} AND t.key = p.key AND t.result_sha256 IS NOT NULL
      ORDER BY t.training_id LIMIT 1) d ON true`.execute(tx.query);
}

/** Takes back what is said to be finished: its result is gone. */
export async function reopenPart(tx: Transaction, trainingId: number, ordinal: number): Promise<void> {
  await sql`
    UPDATE work.training_part SET result_sha256 = NULL, reused = false, seconds = 0, claimed_by = NULL, lease_until = NULL
    WHERE tenant_id = ${tx.principal.tenantId} AND training_id = ${trainingId} AND ordinal = ${ordinal}`.execute(
    tx.query,
  );
}

/**
 * Takes the next part nobody does, or whose worker is gone, of a training that runs. Parts of one table come after each other.
 * Several workers never take the same one.
 */
export async function claimPart(
  tx: Transaction,
  trainingId: number,
  worker: string,
  leaseMs: number,
): Promise<ClaimedPart | undefined> {
  const { rows } = await sql<{ ordinal: number; key: string; table_sha256: string; spec: PartSpec }>`
    UPDATE work.training_part SET claimed_by = ${worker}::uuid, lease_until = clock_timestamp() + ${leaseMs} * interval '1 ms'
    WHERE tenant_id = ${tx.principal.tenantId} AND training_id = ${trainingId} AND ordinal = (
      SELECT p.ordinal FROM work.training_part p
      JOIN training t ON t.tenant_id = p.tenant_id AND t.id = p.training_id
      JOIN task k ON k.tenant_id = t.tenant_id AND k.id = t.task_id
      WHERE p.tenant_id = ${tx.principal.tenantId} AND p.training_id = ${trainingId} AND p.result_sha256 IS NULL
        AND p.problem IS NULL AND (p.lease_until IS NULL OR p.lease_until < clock_timestamp())
        AND k.state = 'running' AND k.cancel_requested_at IS NULL
      ORDER BY p.ordinal LIMIT 1 FOR UPDATE OF p SKIP LOCKED)
    RETURNING ordinal, key, table_sha256, spec`.execute(tx.query);
  const [row] = rows;
  return row && { ordinal: row.ordinal, key: row.key, tableSha256: row.table_sha256, spec: row.spec };
}

/** Says that a worker is still at its parts. */
export async function renewLeases(tx: Transaction, trainingId: number, worker: string, leaseMs: number): Promise<void> {
  await sql`
    UPDATE work.training_part SET lease_until = clock_timestamp() + ${leaseMs} * interval '1 ms'
    WHERE tenant_id = ${tx.principal.tenantId} AND training_id = ${trainingId} AND claimed_by = ${worker}::uuid
      AND result_sha256 IS NULL AND problem IS NULL`.execute(tx.query);
}

/** Lets the parts of a worker go that ends. */
export async function releaseParts(tx: Transaction, trainingId: number, worker: string): Promise<void> {
  await sql`
    UPDATE work.training_part SET claimed_by = NULL, lease_until = NULL
    WHERE tenant_id = ${tx.principal.tenantId} AND training_id = ${trainingId} AND claimed_by = ${worker}::uuid
      AND result_sha256 IS NULL`.execute(tx.query);
}

/** Whoever is first counts: parts are equal whoever did them. */
export async function finishPart(
  tx: Transaction,
  trainingId: number,
  done: { ordinal: number; resultSha256: string; seconds: number },
): Promise<void> {
  await sql`
    UPDATE work.training_part SET result_sha256 = ${done.resultSha256}, seconds = ${done.seconds}, lease_until = NULL
    WHERE tenant_id = ${tx.principal.tenantId} AND training_id = ${trainingId} AND ordinal = ${done.ordinal}
      AND result_sha256 IS NULL`.execute(tx.query);
}

/** Counts a failure; after so many it is not tried again. */
export async function failPart(
  tx: Transaction,
  trainingId: number,
  failed: { ordinal: number; problem: string; failuresMax: number },
): Promise<void> {
  await sql`
    UPDATE work.training_part SET failures = failures + 1, claimed_by = NULL, lease_until = NULL,
      problem = CASE WHEN failures + 1 >= ${failed.failuresMax} THEN ${failed.problem.slice(0, 500)} END
    WHERE tenant_id = ${tx.principal.tenantId} AND training_id = ${trainingId} AND ordinal = ${failed.ordinal}
      AND result_sha256 IS NULL`.execute(tx.query);
}

/** Gives parts that failed another chance: somebody asked to run the training again. */
export async function forgiveParts(tx: Transaction, trainingId: number): Promise<void> {
  await sql`
    UPDATE work.training_part SET failures = 0, problem = NULL
    WHERE tenant_id = ${tx.principal.tenantId} AND training_id = ${trainingId} AND problem IS NOT NULL`.execute(
    tx.query,
  );
}

export async function countParts(tx: Transaction, trainingId: number): Promise<PartCounts> {
  const counts = await countPartsOf(tx, [trainingId]);
  return counts.get(trainingId) ?? { partCount: 0, partsDone: 0, partsReused: 0, partsFailed: 0 };
}

export async function countPartsOf(tx: Transaction, trainingIds: readonly number[]): Promise<Map<number, PartCounts>> {
  const { rows } = await sql<PartCounts & { trainingId: number }>`
    SELECT training_id AS "trainingId", count(*)::integer AS "partCount",
      count(*) FILTER (WHERE result_sha256 IS NOT NULL)::integer AS "partsDone",
      count(*) FILTER (WHERE reused AND result_sha256 IS NOT NULL)::integer AS "partsReused",
      count(*) FILTER (WHERE problem IS NOT NULL)::integer AS "partsFailed"
    FROM work.training_part WHERE tenant_id = ${tx.principal.tenantId} AND training_id = ANY (${[...trainingIds]})
    GROUP BY training_id`.execute(tx.query);
  return new Map(rows.map(({ trainingId, ...counts }) => [trainingId, counts]));
}

export async function listDoneParts(tx: Transaction, trainingId: number): Promise<DonePart[]> {
  const { rows } = await sql<DonePart>`
    SELECT ordinal, key, result_sha256 AS "resultSha256", seconds, problem FROM work.training_part
    WHERE tenant_id = ${tx.principal.tenantId} AND training_id = ${trainingId} ORDER BY ordinal`.execute(tx.query);
  return rows;
}

/** Other processes that said within the last minute that they are there. */
export async function countOtherProcesses(tx: Transaction): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT greatest(0, count(*) - 1)::integer AS count FROM server_process
    WHERE stopped_at IS NULL AND last_seen_at > clock_timestamp() - interval '60 seconds'`.execute(tx.query);
  return rows[0]!.count;
}
