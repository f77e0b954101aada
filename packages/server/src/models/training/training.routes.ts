import { FAMILIES, getTraining, listTargets, listTrainings, train } from '@touchstone/contracts/training';
import { decodeIdCursor, toPage } from '../../platform/http/cursor.ts';
import type { Serve } from '../../platform/http/serve.ts';
import { listTargetDefinitions } from './targets.ts';
import type { TrainingService } from './training.service.ts';

export function registerTrainingRoutes(serve: Serve, service: TrainingService): void {
  serve(listTargets, async () => ({ items: listTargetDefinitions(), families: [...FAMILIES] }));
  serve(train, ({ caller, body }) => service.start(caller, body));
  serve(listTrainings, async ({ caller, query }) => {
    const before = decodeIdCursor(query.cursor) ?? undefined;
    const rows = await service.list(caller, { before, limit: query.limit + 1 });
    return toPage(rows, query.limit, ({ id }) => [id]);
  });
  serve(getTraining, ({ caller, params }) => service.get(caller, params.trainingId));
}
