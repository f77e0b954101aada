import { decideCase, getCase, listCases } from '@touchstone/contracts/data';
import type { Serve } from '../../platform/http/serve.ts';
import type { CasesService } from './cases.service.ts';

export function registerCasesRoutes(serve: Serve, service: CasesService): void {
  serve(listCases, ({ caller, query }) => service.list(caller, query));
  serve(getCase, ({ caller, params }) => service.get(caller, params.caseId));
  serve(decideCase, ({ caller, params, body }) => service.decide(caller, params.caseId, body));
}
