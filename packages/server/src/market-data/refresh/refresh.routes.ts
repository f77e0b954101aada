import { getRefresh, listGaps, listRefreshes, planRefresh, startRefresh } from '@touchstone/contracts/feeds';
import type { Serve } from '../../platform/http/serve.ts';
import type { RefreshService } from './refresh.service.ts';

export function registerRefreshRoutes(serve: Serve, service: RefreshService): void {
  serve(planRefresh, ({ caller, params, body }) => service.plan(caller, params.sourceId, body));
  serve(startRefresh, async ({ caller, params, body }) => ({
    task: await service.start(caller, params.sourceId, body),
  }));
  serve(listRefreshes, ({ caller, query }) => service.list(caller, query));
  serve(getRefresh, ({ caller, params }) => service.get(caller, params.refreshId));
  serve(listGaps, ({ caller, query }) => service.listGaps(caller, query));
}
