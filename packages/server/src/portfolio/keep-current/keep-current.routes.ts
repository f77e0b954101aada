import { keepCurrent } from '@touchstone/contracts/tasks';
import type { Serve } from '../../platform/http/serve.ts';
import type { KeepCurrentService } from './keep-current.service.ts';

export function registerKeepCurrentRoutes(serve: Serve, service: KeepCurrentService): void {
  serve(keepCurrent, ({ caller, params, body }) => service.keepCurrent(caller, params.universeId, body));
}
