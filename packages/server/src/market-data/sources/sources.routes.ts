import { listSources, updateSource } from '@touchstone/contracts/data';
import type { Serve } from '../../platform/http/serve.ts';
import type { SourcesService } from './sources.service.ts';

export function registerSourcesRoutes(serve: Serve, service: SourcesService): void {
  serve(listSources, ({ caller }) => service.list(caller));
  serve(updateSource, ({ caller, params, body }) => service.rename(caller, params.sourceId, body));
}
