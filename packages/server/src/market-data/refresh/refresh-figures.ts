import type { RefreshFigures } from '../feeds/feeds.service.ts';
import { countOpenGaps, findLastRefreshes } from './refresh.repository.ts';
import { summaryOf } from './refresh-summary.ts';

/** What feeds tell of their refreshes. */
export const refreshFigures: RefreshFigures = {
  openGaps: (tx, sourceId) => countOpenGaps(tx, null, sourceId),
  lastRefreshes: async (tx) =>
    new Map((await findLastRefreshes(tx)).map((row) => [row.source_id, summaryOf(row)] as const)),
};
