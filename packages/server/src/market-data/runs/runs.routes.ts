import { getRun, listRuns, retractRun } from '@touchstone/contracts/data';
import type { Serve } from '../../platform/http/serve.ts';
import type { RunsService } from './runs.service.ts';

export function registerRunsRoutes(serve: Serve, service: RunsService): void {
  serve(listRuns, ({ caller, query }) => service.list(caller, query));
  serve(getRun, ({ caller, params }) => service.get(caller, params.runId));
  serve(retractRun, ({ caller, params, body }) => service.retract(caller, params.runId, body.reason));
}
