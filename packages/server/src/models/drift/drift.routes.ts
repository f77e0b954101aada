import * as contract from '@touchstone/contracts/drift';
import { decodeIdCursor, toPage } from '../../platform/http/cursor.ts';
import type { Serve } from '../../platform/http/serve.ts';
import type { BiasService } from './bias.service.ts';
import type { DriftService } from './drift.service.ts';
import type { DriftTask } from './drift.task.ts';
import type { LeaderboardService } from './leaderboard.service.ts';

export type WatchingParts = {
  drift: DriftService;
  driftTask: DriftTask;
  bias: BiasService;
  leaderboard: LeaderboardService;
};

export function registerWatchingRoutes(serve: Serve, { drift, driftTask, bias, leaderboard }: WatchingParts): void {
  serve(contract.getDrift, async ({ caller, params, query }) => {
    const { cursor, limit, checkId, alarmsOnly } = query;
    const before = decodeIdCursor(cursor) ?? undefined;
    const page = { before, limit: limit + 1, checkId, alarmsOnly: alarmsOnly ?? false };
    const { checks, ...shown } = await drift.read(caller, params.model, page);
    return { ...toPage(checks, limit, (row) => [row.id]), ...shown };
  });
  serve(contract.startDriftCheck, async ({ caller, params }) => ({
    task: await driftTask.start(caller, params.model),
  }));
  serve(contract.getBiasReport, ({ caller, params, query }) => bias.read(caller, params.model, query.version));
  serve(contract.getLeaderboard, ({ caller, query }) => leaderboard.read(caller, query));
}
