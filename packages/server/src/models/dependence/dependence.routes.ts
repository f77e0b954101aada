import { getDependence, getRelations } from '@touchstone/contracts/dependence';
import type { Serve } from '../../platform/http/serve.ts';
import type { DependenceService } from './dependence.service.ts';

export function registerDependenceRoutes(serve: Serve, service: DependenceService): void {
  serve(getDependence, ({ caller, params, query }) => service.dependence(caller, params.universeId, query));
  serve(getRelations, ({ caller, params, query }) => service.relations(caller, params.universeId, query));
}
