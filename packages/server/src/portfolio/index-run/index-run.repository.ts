import type { IndexRun } from '@touchstone/contracts/indexes';
import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type { ReadTime } from '../../market-data/index.ts';
import type { Transaction } from '../../platform/database/database.ts';
import type { IndexRunTable } from '../../platform/database/schema-types.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';
import type { NewIndex } from '../index/index.repository.ts';
import type { IndexSummary } from './compute-index.ts';

export type NewIndexRun = {
  indexId: number;
  definition: NewIndex;
  datasetSha256: string;
  time: ReadTime;
  codeVersion: string;
  seed: number;
  trialId: number;
  summary: IndexSummary;
  resultSha256: string;
};

const RUN_LOCK = 7420005;

/** Writes the next version of an index and returns its number. Two at once wait for each other. */
export async function insertIndexRun(tx: Transaction, run: NewIndexRun): Promise<number> {
  await sql`SELECT pg_advisory_xact_lock(${RUN_LOCK}::int, ${run.indexId}::int)`.execute(tx.query);
  const { last } = await tx.query
    .selectFrom('index_run')
    .select(({ fn }) => fn.coalesce(fn.max('run_number'), sql<number>`0`).as('last'))
    .where('index_id', '=', run.indexId)
    .executeTakeFirstOrThrow();
  await tx.query
    .insertInto('index_run')
    .values({
      tenant_id: tx.principal.tenantId,
      index_id: run.indexId,
      run_number: last + 1,
      definition: JSON.stringify(run.definition),
      dataset_sha256: run.datasetSha256,
      as_of: run.time.asOf,
      known_at: run.time.knownAt,
      recorded_at: run.time.recordedAt,
      code_version: run.codeVersion,
      seed: run.seed,
      trial_id: run.trialId,
      summary: JSON.stringify(run.summary),
      result_sha256: run.resultSha256,
    })
    .execute();
  return last + 1;
}

/** Newest first, below the given number. */
export async function listIndexRunsPage(
  tx: Transaction,
  indexId: number,
  page: { before: number | undefined; limit: number },
): Promise<IndexRun[]> {
  let query = tx.query.selectFrom('index_run').selectAll().where('index_id', '=', indexId);
  if (page.before !== undefined) query = query.where('run_number', '<', page.before);
  const rows = await query.orderBy('run_number', 'desc').limit(page.limit).execute();
  return rows.map(toIndexRun);
}

/** The run named, or the newest this installation had made by `recordedAt` (any, when none is given). */
export async function findIndexRun(
  tx: Transaction,
  indexId: number,
  choice: { runNumber?: number | undefined; recordedAt?: string | undefined },
): Promise<(IndexRun & { definition: NewIndex }) | undefined> {
  let query = tx.query.selectFrom('index_run').selectAll().where('index_id', '=', indexId);
  if (choice.runNumber !== undefined) query = query.where('run_number', '=', choice.runNumber);
  else if (choice.recordedAt !== undefined) query = query.where('recorded_at', '<=', choice.recordedAt);
  const row = await query.orderBy('run_number', 'desc').limit(1).executeTakeFirst();
  return row && { ...toIndexRun(row), definition: JSON.parse(JSON.stringify(row.definition)) };
}

function toIndexRun(row: Selectable<IndexRunTable>): IndexRun {
  const summary: IndexSummary = JSON.parse(JSON.stringify(row.summary));
  return {
    indexId: row.index_id,
    runNumber: row.run_number,
    time: {
      asOf: row.as_of,
      knownAt: row.known_at,
      recordedAt: row.recorded_at,
      reconstructed:
        summary.firstDay !== null && Date.parse(summary.firstDay) < Date.parse(row.created_at) - 86_400_000,
    },
    lineage: {
      datasetSha256: row.dataset_sha256,
      codeVersion: row.code_version,
      configSha256: hashOf(row.definition),
      seed: row.seed,
      trialId: row.trial_id,
    },
    resultSha256: row.result_sha256,
    firstDay: summary.firstDay,
    lastDay: summary.lastDay,
    rebalanceCount: summary.rebalanceCount,
    instrumentCount: summary.instrumentCount,
    namesWithoutCap: summary.namesWithoutCap,
    infeasibleCount: summary.infeasibleCount,
    suspectStepCount: summary.suspectStepCount,
    cashDays: summary.cashDays,
    createdAt: row.created_at,
    createdBy: row.created_by,
  };
}
