import type { Database, Principal } from '../../platform/database/database.ts';
import { readTimeline } from '../facts/read-time.ts';
import { findPublications } from './timeline.repository.ts';

const PUBLICATIONS_MAX = 100;

export type TimelineService = ReturnType<typeof createTimelineService>;

export function createTimelineService(database: Database) {
  return {
    /** The first and last knowledge, and what was published last. */
    async get(principal: Principal) {
      return database.transaction(
        principal,
        async (tx) => {
          const ends = await readTimeline(tx);
          const rows = await findPublications(tx, PUBLICATIONS_MAX);
          const publications = rows.map((row) => ({
            id: row.id,
            runId: row.run_id,
            kind: row.kind === 'retract' ? ('retract' as const) : ('publish' as const),
            publishedAt: row.published_at,
            rowCount: row.row_count,
            reason: row.reason,
          }));
          return { ...ends, publications };
        },
        { readOnly: true, isolation: 'repeatable read' },
      );
    },
  };
}
