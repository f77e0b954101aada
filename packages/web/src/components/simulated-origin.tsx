import { useQuery } from '@tanstack/react-query';
import { listSources } from '@touchstone/contracts/data';
import { listUniverses } from '@touchstone/contracts/universes';
import { apiQuery } from '../lib/query.ts';
import { SimulatedMark } from './ui.tsx';

const UNIVERSES_MAX = 500;

/** The mark for a universe: one of our own over the simulated market's prices is as invented as those. */
export function UniverseMark({ universe }: { universe: { tenantId: number; sourceId: number } }) {
  const sources = useQuery({ ...apiQuery(listSources), enabled: universe.tenantId !== 0 });
  const source = sources.data?.items.find((one) => one.id === universe.sourceId);
  return <SimulatedMark tenantId={universe.tenantId === 0 ? 0 : source?.tenantId} />;
}

/** The same for an index, by the universe it is over. */
export function IndexMark({ index }: { index: { tenantId: number; universeId: number } }) {
  const universes = useQuery({
    ...apiQuery(listUniverses, { query: { limit: UNIVERSES_MAX } }),
    enabled: index.tenantId !== 0,
  });
  if (index.tenantId === 0) return <SimulatedMark tenantId={0} />;
  const universe = universes.data?.items.find((one) => one.id === index.universeId);
  return universe ? <UniverseMark universe={universe} /> : null;
}
