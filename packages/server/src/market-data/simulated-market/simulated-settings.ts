import { dayNumber } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { type MarketSettings, marketSettings } from '@touchstone/quant/simulate/market-settings';
import { type SimulatedMarket, simulateMarket } from '@touchstone/quant/simulate/market-simulator';

/** What every installation shows before it has data of its own. Changing any of these makes another market. */
export const SIMULATED_SEED = 20_260_115;
const FIRST_DAY = '2014-01-02';
const LAST_DAY = '2025-12-31';
const COMPANY_COUNT = 40;

export function simulatedSettings(): MarketSettings {
  const dayCount = tradingDays('XNYS', dayNumber(FIRST_DAY), dayNumber(LAST_DAY)).length;
  return marketSettings('medium', { companyCount: COMPANY_COUNT, first: FIRST_DAY, dayCount, calendar: 'XNYS' });
}

/** The simulated market with its planted truth, made again from seed and settings: the same to the last bit. */
export function simulatedTruth(): SimulatedMarket {
  return simulateMarket(simulatedSettings(), SIMULATED_SEED);
}

/** The truth as a record: everything that was planted. Bars as they truly were follow from seed and settings. */
export function truthRecord({ seed, settings, truth, instruments }: SimulatedMarket): Record<string, unknown> {
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  return {
    seed,
    settings,
    symbols: instruments.map((instrument) => instrument.symbol),
    regime: [...truth.regime],
    marketReturn: Array.from(truth.marketReturn, finite),
    marketVolatilityDaily: Array.from(truth.marketVolatilityDaily, finite),
    jumps: truth.jumps,
    faults: truth.faults.map((fault) => ({ ...fault, relativeError: finite(fault.relativeError) })),
    splits: truth.splits,
    delistings: truth.delistings,
    alphaAnnual: truth.alphaAnnual,
  };
}
