import type { Run } from '@touchstone/contracts/data';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { decodeIdCursor, toPage } from '../../platform/http/cursor.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { basisOf } from '../facts/price-source.ts';
import { auditOf, checkOwn } from '../facts/rows.ts';
import * as repository from './runs.repository.ts';

export type RunsService = ReturnType<typeof createRunsService>;

export function createRunsService(database: Database) {
  const getRow = async (tx: Transaction, id: number) =>
    found((await repository.findRuns(tx, { id, limit: 1 }))[0], `There is no run ${id}.`);
  return {
    async list(
      principal: Principal,
      query: { cursor?: string | undefined; limit: number; sourceId?: number | undefined },
    ) {
      const { cursor, limit, sourceId } = query;
      const question = { sourceId, before: decodeIdCursor(cursor) ?? undefined, limit: limit + 1 };
      const rows = await database.transaction(principal, (tx) => repository.findRuns(tx, question), { readOnly: true });
      const { items, nextCursor } = toPage(rows, limit, (row) => [row.id]);
      return { items: items.map(runOf), nextCursor };
    },
    /** @throws NOT_FOUND */
    async get(principal: Principal, id: number): Promise<Run> {
      return database.transaction(principal, async (tx) => runOf(await getRow(tx, id)), { readOnly: true });
    },
    /**
     * Takes a run out of sight from now on. Its rows stay, and who asks with an earlier recordedAt still sees them.
     *
     * @throws NOT_FOUND, FORBIDDEN for a run of the system, NOT_POSSIBLE_NOW unless it is published and not retracted.
     */
    async retract(principal: Principal, id: number, reason: string): Promise<Run> {
      return database.transaction(principal, async (tx) => {
        checkOwn(principal, await getRow(tx, id), 'This run');
        await repository.lockRun(tx, id);
        const row = await getRow(tx, id);
        if (row.retracted_at !== null)
          throw new ProblemError('NOT_POSSIBLE_NOW', `Run ${id} was retracted at ${row.retracted_at} already.`);
        if (row.published_at === null || row.content_sha256 === null)
          throw new ProblemError(
            'NOT_POSSIBLE_NOW',
            `Run ${id} is ${row.state}: only a published run can be retracted.`,
          );
        const run = { id, rowCount: row.published_row_count ?? 0, contentSha256: row.content_sha256 };
        const retractedAt = await repository.insertRetraction(tx, run, reason);
        await repository.insertEvent(tx, 'prices.updated', {
          runId: id,
          sourceId: row.source_id,
          kind: 'retract',
          rowCount: run.rowCount,
          firstDay: row.first_day,
          lastDay: row.last_day,
        });
        await appendEvidence(tx, {
          kind: 'run.retracted',
          subjectKind: 'run',
          subjectId: id,
          body: { retractedAt, reason, rowCount: run.rowCount, contentSha256: run.contentSha256.toString('hex') },
        });
        return runOf(await getRow(tx, id));
      });
    },
  };
}

function runOf(row: repository.RunRow): Run {
  return {
    ...auditOf(row),
    id: row.id,
    tenantId: row.tenant_id,
    sourceId: row.source_id,
    sourceName: row.source_name,
    kind: row.kind,
    state: row.state,
    priceBasis: basisOf(row.price_basis),
    fileName: row.file_name,
    rowCount: row.row_count,
    acceptedCount: row.accepted_count,
    unchangedCount: row.unchanged_count,
    revisedCount: row.revised_count,
    quarantinedCount: row.quarantined_count,
    errorCount: row.error_count,
    errors: row.errors,
    firstDay: row.first_day,
    lastDay: row.last_day,
    publishedAt: row.published_at,
    retractedAt: row.retracted_at,
    retractReason: row.retract_reason,
    contentSha256: row.content_sha256?.toString('hex') ?? null,
    taskId: row.task_id,
    note: row.note,
  };
}
