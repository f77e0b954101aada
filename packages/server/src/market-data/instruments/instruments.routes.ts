import { getInstrument, listInstruments, updateInstrument } from '@touchstone/contracts/data';
import type { Serve } from '../../platform/http/serve.ts';
import type { InstrumentsService } from './instruments.service.ts';

export function registerInstrumentsRoutes(serve: Serve, service: InstrumentsService): void {
  serve(listInstruments, ({ caller, query }) => service.list(caller, query));
  serve(getInstrument, ({ caller, params, query }) => service.get(caller, params.instrumentId, query));
  serve(updateInstrument, ({ caller, params, body }) => service.update(caller, params.instrumentId, body));
}
