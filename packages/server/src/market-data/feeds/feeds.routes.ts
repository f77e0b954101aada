import { createFeed, deleteFeed, listFeeds, rotateFeedKey, testFeed, updateFeed } from '@touchstone/contracts/feeds';
import type { Serve } from '../../platform/http/serve.ts';
import type { FeedsService } from './feeds.service.ts';

export function registerFeedsRoutes(serve: Serve, service: FeedsService): void {
  serve(listFeeds, ({ caller }) => service.list(caller));
  serve(createFeed, ({ caller, body }) => service.create(caller, body));
  serve(updateFeed, ({ caller, params, body }) => service.update(caller, params.sourceId, body));
  serve(rotateFeedKey, ({ caller, params, body }) => service.rotateKey(caller, params.sourceId, body));
  serve(deleteFeed, async ({ caller, params }) => {
    await service.remove(caller, params.sourceId);
    return undefined;
  });
  serve(testFeed, ({ caller, params }) => service.test(caller, params.sourceId));
}
