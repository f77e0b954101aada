import { getBlastRadius } from '@touchstone/contracts/blast-radius';
import type { Serve } from '../../platform/http/serve.ts';
import type { BlastRadiusService } from './blast-radius.service.ts';

export function registerBlastRadiusRoutes(serve: Serve, blastRadius: BlastRadiusService): void {
  serve(getBlastRadius, ({ caller, query }) => blastRadius.ask(caller, query));
}
