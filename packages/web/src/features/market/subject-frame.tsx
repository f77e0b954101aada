import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { getInstrument } from '@touchstone/contracts/data';
import { getIndex } from '@touchstone/contracts/indexes';
import type { ReactNode } from 'react';
import type { Subject } from '../../components/glance.tsx';
import { PageTabs, type Tab } from '../../components/page-tabs.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, PageHeader, SimulatedMark } from '../../components/ui.tsx';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery } from '../../lib/query.ts';

const PLACES: readonly Tab[] = [
  ['/market/$kind/$id', 'Summary'],
  ['/market/$kind/$id/volatility', 'Volatility'],
  ['/market/$kind/$id/risk', 'Risk'],
  ['/market/$kind/$id/regimes', 'Regimes'],
  ['/market/$kind/$id/anomalies', 'Anomalies'],
  ['/market/$kind/$id/patterns', 'Patterns'],
  ['/market/$kind/$id/factors', 'Factors'],
  ['/market/$kind/$id/features', 'Features'],
];

/** What is looked at, from the address. */
export function useSubject(): Subject {
  const { kind, id } = useParams({ strict: false });
  return { kind: kind === 'index' ? 'index' : 'instrument', id: Number(id) };
}

/** The head of every page about one subject, and the way between them. */
export function SubjectFrame({ about, children }: { about: string; children: ReactNode }) {
  const subject = useSubject();
  const known = useKnownTime();
  const isIndex = subject.kind === 'index';
  const index = useQuery({ ...apiQuery(getIndex, { params: { indexId: subject.id } }), enabled: isIndex });
  const instrument = useQuery({
    ...apiQuery(getInstrument, { params: { instrumentId: subject.id }, query: known }),
    enabled: !isIndex,
  });
  const title = isIndex ? index.data?.name : instrument.data?.symbol;
  return (
    <>
      <SubNav of="market" />
      <PageHeader
        title={title ?? 'Market'}
        marks={
          <>
            <SimulatedMark tenantId={isIndex ? index.data?.tenantId : instrument.data?.tenantId} />
            <Badge>{subject.kind}</Badge>
          </>
        }
      >
        {about}
      </PageHeader>
      <PageTabs label="Pages of what is looked at" tabs={PLACES} params={subject} />
      {children}
    </>
  );
}
