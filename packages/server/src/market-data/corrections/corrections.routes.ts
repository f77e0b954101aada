import { addCorporateAction, correctBar } from '@touchstone/contracts/data';
import type { Serve } from '../../platform/http/serve.ts';
import type { CorrectionsService } from './corrections.service.ts';

export function registerCorrectionsRoutes(serve: Serve, service: CorrectionsService): void {
  serve(correctBar, ({ caller, body }) => service.correctBar(caller, body));
  serve(addCorporateAction, ({ caller, body }) => service.addCorporateAction(caller, body));
}
