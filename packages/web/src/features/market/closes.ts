import { useQuery } from '@tanstack/react-query';
import { listBars } from '@touchstone/contracts/data';
import { getIndexLevels } from '@touchstone/contracts/indexes';
import { useMemo } from 'react';
import type { Subject } from '../../components/glance.tsx';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery } from '../../lib/query.ts';

export type Closes = { days: string[]; values: (number | null)[] };

/**
 * Closes of what is looked at, as known at the moment looked from, to draw a reading over.
 *
 * @param basis What the reading's prices stand on, so that both are drawn on the same; undefined while it loads.
 */
export function useCloses(
  subject: Subject,
  basis: 'raw' | 'split_adjusted' | 'total_return' | 'level' | null | undefined,
): Closes | undefined {
  const known = useKnownTime();
  const isIndex = subject.kind === 'index';
  const levels = useQuery({
    ...apiQuery(getIndexLevels, { params: { indexId: subject.id }, query: known }),
    enabled: isIndex,
  });
  const wanted = basis === null || basis === 'level' ? undefined : basis;
  const bars = useQuery({
    ...apiQuery(listBars, { params: { instrumentId: subject.id }, query: { ...known, basis: wanted } }),
    enabled: !isIndex && basis !== undefined,
  });
  return useMemo(() => {
    if (isIndex) return levels.data && { days: levels.data.days, values: levels.data.level };
    return (
      bars.data && { days: bars.data.items.map(({ day }) => day), values: bars.data.items.map(({ close }) => close) }
    );
  }, [isIndex, levels.data, bars.data]);
}

/** Closes on the days of a reading; null where there is none. */
export function closesOn(days: readonly string[], closes: Closes | undefined): (number | null)[] {
  const at = new Map(closes?.days.map((day, index) => [day, closes.values[index] ?? null]));
  return days.map((day) => at.get(day) ?? null);
}
