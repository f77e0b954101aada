import { listExchangeRates } from '@touchstone/contracts/data';
import type { Serve } from '../../platform/http/serve.ts';
import type { ExchangeRatesService } from './exchange-rates.service.ts';

export function registerExchangeRatesRoutes(serve: Serve, service: ExchangeRatesService): void {
  serve(listExchangeRates, ({ caller, query }) => service.list(caller, query));
}
