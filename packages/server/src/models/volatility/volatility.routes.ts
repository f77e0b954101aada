import { computePortfolioRisk, getDrawdown, getValueAtRisk, getVolatility } from '@touchstone/contracts/volatility';
import type { Serve } from '../../platform/http/serve.ts';
import type { VolatilityService } from './volatility.service.ts';

export function registerVolatilityRoutes(serve: Serve, volatility: VolatilityService): void {
  serve(getVolatility, ({ caller, params, query }) => volatility.volatility(caller, params, query));
  serve(getDrawdown, ({ caller, params, query }) => volatility.drawdown(caller, params, query));
  serve(getValueAtRisk, ({ caller, params, query }) => volatility.valueAtRisk(caller, params, query));
  serve(computePortfolioRisk, ({ caller, body: { holdings, ...time } }) =>
    volatility.portfolioRisk(caller, holdings, time),
  );
}
