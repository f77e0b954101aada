import { getFactors } from '@touchstone/contracts/factors';
import type { Serve } from '../../platform/http/serve.ts';
import type { FactorsService } from './factors.service.ts';

export function registerFactorsRoutes(serve: Serve, service: FactorsService): void {
  serve(getFactors, ({ caller, params, query }) => service.factors(caller, params, query));
}
