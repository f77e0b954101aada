import {
  createIndex,
  deleteIndex,
  getIndex,
  listBenchmarks,
  listIndexes,
  undeleteIndex,
  updateIndex,
} from '@touchstone/contracts/indexes';
import { decodeIdCursor, toPage } from '../../platform/http/cursor.ts';
import type { Serve } from '../../platform/http/serve.ts';
import type { IndexService } from './index.service.ts';

export function registerIndexRoutes(serve: Serve, indexes: IndexService): void {
  serve(listIndexes, async ({ caller, query }) => {
    const after = decodeIdCursor(query.cursor) ?? -1;
    const rows = await indexes.list(caller, { after, limit: query.limit + 1, includeDeleted: query.includeDeleted });
    return toPage(rows, query.limit, (row) => [row.id]);
  });
  serve(getIndex, ({ caller, params }) => indexes.get(caller, params.indexId));
  serve(createIndex, ({ caller, body }) => indexes.create(caller, body));
  serve(updateIndex, ({ caller, params, body }) => indexes.update(caller, params.indexId, body));
  serve(deleteIndex, async ({ caller, params }) => {
    await indexes.delete(caller, params.indexId);
    return undefined;
  });
  serve(undeleteIndex, ({ caller, params }) => indexes.undelete(caller, params.indexId));
  serve(listBenchmarks, async ({ caller, query }) => ({ items: await indexes.benchmarks(caller, query.search) }));
}
