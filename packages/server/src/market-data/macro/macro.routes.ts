import { listMacroSeries } from '@touchstone/contracts/data';
import type { Serve } from '../../platform/http/serve.ts';
import type { MacroService } from './macro.service.ts';

export function registerMacroRoutes(serve: Serve, service: MacroService): void {
  serve(listMacroSeries, ({ caller, query }) => service.list(caller, query));
}
