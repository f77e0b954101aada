import type { RefreshSummary } from '@touchstone/contracts/feeds';
import type { RefreshRow } from './refresh.repository.ts';

/** A refresh as the wire tells it. */
export function summaryOf(row: RefreshRow): RefreshSummary {
  return {
    id: row.id,
    sourceId: row.source_id,
    sourceName: row.source_name,
    universeId: row.universe_id,
    taskId: row.task_id,
    state: row.state,
    symbolCount: row.symbol_count,
    currentCount: row.current_count,
    refreshedCount: row.refreshed_count,
    gapCount: row.gap_count,
    acceptedCount: row.accepted_count,
    revisedCount: row.revised_count,
    quarantinedCount: row.quarantined_count,
    caseCount: row.case_count,
    batchCount: row.batch_count,
    firstDay: row.first_day,
    lastDay: row.last_day,
    sentence: row.sentence,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}
