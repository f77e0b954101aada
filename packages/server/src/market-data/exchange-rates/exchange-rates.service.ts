import type { Database, Principal } from '../../platform/database/database.ts';
import { resolveTime, type TimeQuery } from '../facts/read-time.ts';
import { findRates } from './exchange-rates.repository.ts';

export type RatesQuery = TimeQuery & {
  base: string;
  quote: string;
  from?: string | undefined;
  to?: string | undefined;
};
export type ExchangeRatesService = ReturnType<typeof createExchangeRatesService>;

export function createExchangeRatesService(database: Database) {
  return {
    /** Units of quote for one base. Only what was told: no pair is turned round or crossed here. */
    async list(principal: Principal, query: RatesQuery) {
      return database.transaction(
        principal,
        async (tx) => {
          const time = await resolveTime(tx, query);
          return { time, items: await findRates(tx, { ...query, time }) };
        },
        { readOnly: true, isolation: 'repeatable read' },
      );
    },
  };
}
