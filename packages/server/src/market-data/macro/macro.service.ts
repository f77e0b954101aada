import type { Database, Principal } from '../../platform/database/database.ts';
import { resolveTime, type TimeQuery } from '../facts/read-time.ts';
import { findSeries } from './macro.repository.ts';

export type MacroService = ReturnType<typeof createMacroService>;

export function createMacroService(database: Database) {
  return {
    async list(principal: Principal, query: TimeQuery & { series: string }) {
      return database.transaction(
        principal,
        async (tx) => {
          const time = await resolveTime(tx, query);
          return { time, items: await findSeries(tx, query.series, time) };
        },
        { readOnly: true, isolation: 'repeatable read' },
      );
    },
  };
}
