import type { IndexDefinition, IndexLevels } from '@touchstone/contracts/indexes';
import type { Principal } from '../../platform/database/database.ts';
import type { GaugeSource, GaugeValue } from '../../platform/telemetry/gauges.ts';

/** What is asked of the indexes. */
export type IndexReader = {
  list(
    principal: Principal,
    page: { after: number; limit: number; includeDeleted: boolean },
  ): Promise<readonly IndexDefinition[]>;
  levels(principal: Principal, indexId: number): Promise<Pick<IndexLevels, 'days' | 'level'>>;
};

type Figures = { level: number; returnOneDay: number | null; returnYearToDate: number | null };
const INDEXES_MAX = 200;

/**
 * Level, return of the last day and of the year so far of each index, by number. They are results of a simulation on past
 * prices, and their help says so. Read again only when an index has a new run.
 */
export function createIndexGauges(reader: IndexReader, tenantIds: () => Promise<readonly number[]>): GaugeSource[] {
  const known = new Map<number, { runNumber: number; figures: Figures }>();
  const read = async (pick: (figures: Figures) => number | null): Promise<GaugeValue[]> => {
    const values: GaugeValue[] = [];
    for (const tenantId of await tenantIds()) {
      const principal: Principal = { tenantId, actorId: null };
      const indexes = await reader.list(principal, { after: 0, limit: INDEXES_MAX, includeDeleted: false });
      for (const index of indexes) {
        // The system's indexes are in every tenant's sight; they are counted once.
        if (index.tenantId !== tenantId || index.latestRunNumber === null) continue;
        let kept = known.get(index.id);
        if (kept?.runNumber !== index.latestRunNumber) {
          kept = { runNumber: index.latestRunNumber, figures: toFigures(await reader.levels(principal, index.id)) };
          known.set(index.id, kept);
        }
        const value = pick(kept.figures);
        if (value !== null)
          values.push({ value, tenantId, labels: { tenant: String(tenantId), index: String(index.id) } });
      }
    }
    return values;
  };
  const labelNames = ['tenant', 'index'];
  const note = 'Hypothetical: computed on past prices, not earned by anybody.';
  return [
    {
      ...{ name: 'index_level', help: `Last level of an index. ${note}`, labelNames },
      read: () => read((figures) => figures.level),
    },
    {
      ...{ name: 'index_return_1d', help: `Return of its last day, a fraction. ${note}`, labelNames },
      read: () => read((figures) => figures.returnOneDay),
    },
    {
      ...{
        name: 'index_return_ytd',
        help: `Return since the last level of the year before, a fraction. ${note}`,
        labelNames,
      },
      read: () => read((figures) => figures.returnYearToDate),
    },
  ];
}

function toFigures({ days, level }: Pick<IndexLevels, 'days' | 'level'>): Figures {
  const last = level.at(-1);
  const lastDay = days.at(-1);
  if (last === undefined || lastDay === undefined)
    return { level: Number.NaN, returnOneDay: null, returnYearToDate: null };
  const before = level.at(-2);
  const yearStart = days.findLastIndex((day) => day < `${lastDay.slice(0, 4)}-01-01`);
  const base = level[yearStart];
  return {
    level: last,
    returnOneDay: before === undefined ? null : last / before - 1,
    returnYearToDate: yearStart < 0 || base === undefined ? null : last / base - 1,
  };
}
