import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import {
  type CheckedFeature,
  deleteFeatureView,
  type FeatureView,
  getFeatureView,
} from '@touchstone/contracts/features';
import { ConfirmButton } from '../../components/confirm.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Facts, Hash, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatCount, formatInstant, plural } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { CheckBadge } from './features-page.tsx';

export function FeatureViewPage() {
  const { view } = useParams({ from: '/market/views/$view' });
  const query = useQuery(apiQuery(getFeatureView, { params: { view }, query: {} }));
  return (
    <>
      <SubNav of="market" />
      <QueryView query={query} lines={8}>
        {(data) => <ViewDetail view={data} />}
      </QueryView>
    </>
  );
}

function ViewDetail({ view }: { view: FeatureView }) {
  const refusal = useRefusal('portfolio:write');
  const navigate = useNavigate();
  return (
    <>
      <PageHeader
        title={view.name}
        marks={view.builtIn ? <Badge>built in</Badge> : <Badge>version {view.version}</Badge>}
        actions={
          view.builtIn ? undefined : (
            <ConfirmButton
              action="Delete"
              title={`Delete ${view.name}?`}
              look="bad"
              refusal={refusal}
              run={async () => {
                await client.call(deleteFeatureView, { params: { view: view.name } });
                await navigate({ to: '/market/views' });
                await refreshAll();
              }}
            >
              What was computed with it stays.
            </ConfirmButton>
          )
        }
      >
        {view.description}
      </PageHeader>
      <div className="grid min-w-0 gap-4 xl:grid-cols-[minmax(0,1.7fr)_minmax(0,1fr)] xl:items-start">
        <Panel title="Features" hint={plural(view.features.length, 'feature')} flush>
          <DataTable
            label="Features"
            columns={FEATURES}
            rows={view.features}
            rowKey={(row) => row.name}
            empty="No feature."
          />
        </Panel>
        <Panel title="About">
          <Facts
            items={[
              ['Owner', view.owner],
              ['Of', view.entity],
              ['Good for', view.ttlDays === null ? 'ever' : plural(view.ttlDays, 'day')],
              ['Values', view.source === 'bars' ? 'computed from bars' : 'pushed from outside'],
              ['Version', `${formatCount(view.version)} of ${formatCount(view.latestVersion)}`],
              ['Saved', view.createdAt === null ? 'part of this program' : formatInstant(view.createdAt)],
              ['Checked with', view.codeVersion],
              ['Definition', <Hash key="hash" value={view.sha256} />],
            ]}
          />
        </Panel>
      </div>
    </>
  );
}

const FEATURES: Column<CheckedFeature>[] = [
  {
    key: 'name',
    header: 'Feature',
    cell: (row) => (
      <span className="block min-w-40">
        <span className="font-medium">{row.name}</span>
        {row.expression && <code className="block font-mono text-xs text-soft">{row.expression}</code>}
      </span>
    ),
  },
  { key: 'warm', header: 'Warm-up', isNumber: true, cell: (row) => formatCount(row.warmUp) },
  {
    key: 'checks',
    header: 'Checks',
    cell: (row) =>
      row.badges === null ? (
        <span className="text-xs text-soft">pushed: cannot be computed again</span>
      ) : (
        <span className="flex flex-wrap gap-1">
          <CheckBadge label="canary" badge={row.badges.canary} />
          <CheckBadge label="warm-up" badge={row.badges.warmUp} />
        </span>
      ),
  },
];
