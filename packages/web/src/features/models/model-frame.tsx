import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { getModel } from '@touchstone/contracts/models';
import type { ReactNode } from 'react';
import { PageTabs, type Tab } from '../../components/page-tabs.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, PageHeader } from '../../components/ui.tsx';
import { apiQuery } from '../../lib/query.ts';
import { targetWords } from './model-words.ts';

const PLACES: readonly Tab[] = [
  ['/models/$model', 'Summary'],
  ['/models/$model/versions', 'Versions'],
  ['/models/$model/calibration', 'Calibration'],
  ['/models/$model/drift', 'Drift'],
  ['/models/$model/groups', 'Where it is weak'],
  ['/models/$model/ab-tests', 'A/B tests'],
];

/** The model of the address. */
export function useModelName(): string {
  const { model } = useParams({ strict: false });
  return model ?? '';
}

/** The head of every page about one model, and the way between them. */
export function ModelFrame({ children, actions }: { children: ReactNode; actions?: ReactNode }) {
  const model = useModelName();
  const { data } = useQuery(apiQuery(getModel, { params: { model } }));
  return (
    <>
      <SubNav of="models" />
      <PageHeader
        title={model}
        marks={
          data &&
          (data.champion === null ? (
            <Badge tone="warn">not served</Badge>
          ) : (
            <Badge tone="accent">serves version {data.champion.version}</Badge>
          ))
        }
        actions={actions}
      >
        {data && (data.description || targetWords(data.target))}
      </PageHeader>
      <PageTabs label="Pages of the model" tabs={PLACES} params={{ model }} />
      {children}
    </>
  );
}
