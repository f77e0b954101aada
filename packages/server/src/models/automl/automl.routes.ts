import { getAutoml, listAutoml, startAutoml } from '@touchstone/contracts/automl';
import { decodeIdCursor, toPage } from '../../platform/http/cursor.ts';
import type { Serve } from '../../platform/http/serve.ts';
import type { AutomlService } from './automl.service.ts';

export function registerAutomlRoutes(serve: Serve, service: AutomlService): void {
  serve(startAutoml, ({ caller, body }) => service.start(caller, body));
  serve(listAutoml, async ({ caller, query }) => {
    const before = decodeIdCursor(query.cursor) ?? undefined;
    const rows = await service.list(caller, { before, limit: query.limit + 1 });
    return toPage(rows, query.limit, ({ id }) => [id]);
  });
  serve(getAutoml, ({ caller, params }) => service.get(caller, params.automlId));
}
