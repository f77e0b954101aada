import { startCourt } from '@touchstone/contracts/tasks';
import type { Serve } from '../../platform/http/serve.ts';
import type { CourtService } from './court.service.ts';

export function registerCourtRoutes(serve: Serve, court: CourtService): void {
  serve(startCourt, async ({ caller, params }) => ({ task: await court.start(caller, params.universeId) }));
}
