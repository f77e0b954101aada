import { listBars, listBarVersions } from '@touchstone/contracts/data';
import type { Serve } from '../../platform/http/serve.ts';
import type { BarsService } from './bars.service.ts';

export function registerBarsRoutes(serve: Serve, service: BarsService): void {
  serve(listBars, ({ caller, params, query }) => service.list(caller, params.instrumentId, query));
  serve(listBarVersions, ({ caller, params }) => service.versions(caller, params.instrumentId, params.day));
}
