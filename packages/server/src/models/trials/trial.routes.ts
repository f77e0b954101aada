import { listTrials } from '@touchstone/contracts/diagnostics';
import type { Database } from '../../platform/database/database.ts';
import { decodeIdCursor, toPage } from '../../platform/http/cursor.ts';
import type { Serve } from '../../platform/http/serve.ts';
import { countDistinctTrials, listTrialsPage } from './trial.repository.ts';

export function registerTrialRoutes(serve: Serve, database: Database): void {
  serve(listTrials, ({ caller, query }) =>
    database.transaction(caller, async (tx) => {
      const { cursor, limit, datasetSha256 } = query;
      const before = decodeIdCursor(cursor) ?? undefined;
      const rows = await listTrialsPage(tx, { before, limit: limit + 1, datasetSha256 });
      return { ...toPage(rows, limit, (row) => [row.id]), distinctCount: await countDistinctTrials(tx, datasetSha256) };
    }),
  );
}
