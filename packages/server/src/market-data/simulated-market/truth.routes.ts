import { getSimulatedTruth } from '@touchstone/contracts/data';
import type { Serve } from '../../platform/http/serve.ts';
import type { TruthService } from './truth.service.ts';

export function registerTruthRoutes(serve: Serve, service: TruthService): void {
  serve(getSimulatedTruth, () => service.get());
}
