import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { getDependence, getRelations } from '@touchstone/contracts/dependence';
import type { Answer } from '@touchstone/contracts/route';
import { listUniverses } from '@touchstone/contracts/universes';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { SelectField } from '../../components/form.tsx';
import { HeatMap } from '../../components/heat-map.tsx';
import { MeasuredFigure, measuredOver } from '../../components/measured.tsx';
import { QueryPanel, QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { TreeGraph } from '../../components/tree-graph.tsx';
import { Empty, Note, PageHeader, Panel } from '../../components/ui.tsx';
import { Provenance } from '../../components/where-from.tsx';
import { formatCount, formatDay, formatNumber, formatPercent, plural, shortHash } from '../../lib/format.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery } from '../../lib/query.ts';
import { estimatorWords, pWords } from './market-words.ts';

type Dependence = Answer<typeof getDependence>;
type Relations = Answer<typeof getRelations>;
const UNIVERSES_MAX = 200;

export function RelationsPage() {
  const { universe } = useSearch({ from: '/market/relations' });
  const navigate = useNavigate();
  const universes = useQuery(apiQuery(listUniverses, { query: { limit: UNIVERSES_MAX } }));
  const chosen = universe ?? universes.data?.items[0]?.id;
  return (
    <>
      <SubNav of="market" />
      <PageHeader title="Relations">
        What moves with what, what is left when all others are held fixed, who leads whom, and what broke.
      </PageHeader>
      <QueryView query={universes}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title="No universe yet." />
          ) : (
            <div className="mb-4 max-w-sm">
              <SelectField
                label="Universe"
                value={String(chosen)}
                onValue={(value) =>
                  void navigate({ to: '.', search: (before) => ({ ...before, universe: Number(value) }) })
                }
                options={page.items.map((one) => [String(one.id), one.name] as const)}
              />
            </div>
          )
        }
      </QueryView>
      {chosen !== undefined && <RelationsOf universeId={chosen} />}
    </>
  );
}

function RelationsOf({ universeId }: { universeId: number }) {
  const known = useKnownTime();
  const dependence = useQuery(apiQuery(getDependence, { params: { universeId }, query: known }));
  const relations = useQuery(apiQuery(getRelations, { params: { universeId }, query: known }));
  return (
    <div className="grid min-w-0 gap-4">
      <QueryPanel title="Correlations" query={dependence} lines={12}>
        {(data) => <DependencePanels data={data} />}
      </QueryPanel>
      <QueryPanel title="Hidden relations" query={relations} lines={8}>
        {(data) => <RelationPanels data={data} />}
      </QueryPanel>
    </div>
  );
}

function Foot({
  of,
  unit,
  route,
}: {
  of: Dependence | Relations;
  unit: string;
  route: typeof getDependence | typeof getRelations;
}) {
  return (
    <Provenance
      unit={unit}
      time={of.time}
      route={route}
      extra={[
        ['Window', `${formatCount(of.sessions)} sessions, ${formatDay(of.firstDay)} to ${formatDay(of.lastDay)}`],
        ['Data', shortHash(of.lineage.dataSha256)],
        ['Settings', shortHash(of.lineage.configSha256)],
        ['Code', of.lineage.codeVersion],
        ['Seed', String(of.lineage.seed)],
      ]}
    />
  );
}

function DependencePanels({ data }: { data: Dependence }) {
  if (data.reason !== null)
    return (
      <Panel title="Correlations">
        <Empty title="Nothing can be told.">{data.reason.sentence}</Empty>
      </Panel>
    );
  const groups = new Map(data.clusters.flatMap(({ cluster, members }) => members.map((at) => [at, cluster])));
  const estimator = data.estimators.find((one) => one.estimator === data.estimator);
  return (
    <div className="grid min-w-0 gap-4">
      <div className="grid min-w-0 gap-4 xl:grid-cols-2 xl:items-start">
        <Panel
          title="Correlations"
          hint={`${estimatorWords(data.estimator)}, over ${plural(data.sessions, 'session')}, in the order of the clusters. ${plural(data.signalCount, 'eigenvalue')} of ${data.names.length} stand above chance.`}
          footer={<Foot of={data} unit="correlation" route={getDependence} />}
        >
          <HeatMap
            label="Correlations of the universe"
            names={data.names.map(({ symbol }) => symbol)}
            values={data.correlations}
          />
        </Panel>
        <Panel
          title="Tree"
          hint="The closest relations that join all names. Thick is close; one colour is one cluster."
          footer={<Foot of={data} unit="correlation" route={getDependence} />}
        >
          <TreeGraph
            label="Minimum spanning tree of the universe; the table below has its edges"
            nodes={data.names.map(({ symbol }, at) => ({ name: symbol, group: groups.get(at) ?? 0 }))}
            links={data.tree.map(({ a, b, correlation }) => ({ a, b, value: correlation }))}
          />
          <details className="mt-2 text-sm">
            <summary className="w-fit text-soft">Edges in words</summary>
            <ul className="mt-1 grid gap-x-6 text-xs sm:grid-cols-2">
              {data.tree
                .toSorted((one, other) => other.correlation - one.correlation)
                .map(({ a, b, correlation, stability }) => (
                  <li key={`${a}-${b}`}>
                    {symbolAt(data, a)} and {symbolAt(data, b)} {formatNumber(correlation, 2)}, in{' '}
                    {formatPercent(stability, 0)} of samples
                  </li>
                ))}
            </ul>
          </details>
        </Panel>
      </div>
      <div className="grid min-w-0 gap-4 xl:grid-cols-2 xl:items-start">
        <Panel title="Clusters" flush>
          <DataTable
            label="Clusters"
            columns={clusterColumns(data)}
            rows={data.clusters}
            rowKey={(row) => row.cluster}
            empty="No cluster."
          />
        </Panel>
        <Panel
          title="Which estimate holds up?"
          hint="Volatility a year, out of sample, of the portfolio each estimate says has the least."
          footer={estimator && <span>{measuredOver(estimator.realisedVolatility)}</span>}
          flush
        >
          <DataTable
            label="Estimators"
            columns={ESTIMATORS}
            rows={data.estimators}
            rowKey={(row) => row.estimator}
            empty="Too little history to compare."
          />
        </Panel>
      </div>
      {data.leftOut.length > 0 && (
        <Note title={`${plural(data.leftOut.length, 'name')} left out`}>
          {data.leftOut
            .slice(0, 8)
            .map(({ symbol, reason }) => `${symbol}: ${reason.sentence}`)
            .join(' ')}
        </Note>
      )}
    </div>
  );
}

function symbolAt(data: { names: Dependence['names'] }, at: number): string {
  return data.names[at]?.symbol ?? '?';
}

function clusterColumns(data: Dependence): Column<Dependence['clusters'][number]>[] {
  return [
    { key: 'cluster', header: 'Cluster', cell: (row) => formatCount(row.cluster + 1) },
    {
      key: 'members',
      header: 'Names',
      cell: (row) => (
        <span className="block min-w-48">{row.members.map((member) => symbolAt(data, member)).join(', ')}</span>
      ),
    },
    {
      key: 'mean',
      header: 'Mean correlation',
      isNumber: true,
      cell: (row) => formatNumber(row.meanCorrelation, 2),
    },
  ];
}

const ESTIMATORS: Column<Dependence['estimators'][number]>[] = [
  { key: 'name', header: 'Estimate', cell: (row) => estimatorWords(row.estimator) },
  {
    key: 'volatility',
    header: 'Realised volatility',
    isNumber: true,
    cell: (row) => <MeasuredFigure of={row.realisedVolatility} format={(value) => formatPercent(value, 2)} />,
  },
];

function RelationPanels({ data }: { data: Relations }) {
  if (data.reason !== null)
    return (
      <Panel title="Hidden relations">
        <Empty title="Nothing can be told.">{data.reason.sentence}</Empty>
      </Panel>
    );
  return (
    <div className="grid min-w-0 gap-4">
      <div className="grid min-w-0 gap-4 xl:grid-cols-2 xl:items-start">
        <Panel
          title="Hidden relations"
          hint="What is left between two names when all others are held fixed, found in at least 80 % of bootstrap samples."
          footer={<Foot of={data} unit="partial correlation" route={getRelations} />}
          flush
        >
          <DataTable
            label="Direct relations"
            columns={directColumns(data)}
            rows={data.direct}
            rowKey={(row) => `${row.a}-${row.b}`}
            empty="None is stable enough to tell."
          />
        </Panel>
        <Panel
          title="Who leads whom"
          hint={`${formatCount(data.leadTestCount)} pairs and lags tested together. ${data.sentence}`}
          footer={<Foot of={data} unit="correlation at a lag" route={getRelations} />}
          flush
        >
          <DataTable
            label="Leads"
            columns={leadColumns(data)}
            rows={data.leads}
            rowKey={(row) => `${row.leader}-${row.follower}-${row.lagSessions}`}
            empty="No lead can be told from chance."
          />
        </Panel>
      </div>
      <Panel
        title="What broke"
        hint={`${formatCount(data.breakTestCount)} pairs held against their own past.`}
        footer={<Foot of={data} unit="correlation" route={getRelations} />}
        flush
      >
        <DataTable
          label="Broken relations"
          columns={BREAKS}
          rows={data.breaks}
          rowKey={(row) => `${row.a}-${row.b}-${row.day}`}
          empty="No relation left the band of its own past."
        />
      </Panel>
    </div>
  );
}

function directColumns(data: Relations): Column<Relations['direct'][number]>[] {
  return [
    { key: 'pair', header: 'Between', cell: (row) => `${symbolAt(data, row.a)} and ${symbolAt(data, row.b)}` },
    {
      key: 'partial',
      header: 'Partial correlation',
      isNumber: true,
      cell: (row) => formatNumber(row.partialCorrelation, 2),
    },
    { key: 'stability', header: 'In samples', isNumber: true, cell: (row) => formatPercent(row.stability, 0) },
  ];
}

function leadColumns(data: Relations): Column<Relations['leads'][number]>[] {
  return [
    { key: 'leader', header: 'Leads', cell: (row) => symbolAt(data, row.leader) },
    { key: 'follower', header: 'Follows', cell: (row) => symbolAt(data, row.follower) },
    { key: 'lag', header: 'After', isNumber: true, cell: (row) => plural(row.lagSessions, 'session') },
    { key: 'correlation', header: 'Correlation', isNumber: true, cell: (row) => formatNumber(row.correlation, 2) },
    { key: 'p', header: 'Adjusted p', isNumber: true, cell: (row) => pWords(row.adjustedP) },
  ];
}

const BREAKS: Column<Relations['breaks'][number]>[] = [
  { key: 'day', header: 'Day', cell: (row) => <span className="whitespace-nowrap">{formatDay(row.day)}</span> },
  { key: 'what', header: 'What', cell: (row) => <span className="block min-w-56">{row.sentence}</span> },
  {
    key: 'band',
    header: 'Its past allows',
    isNumber: true,
    isWide: true,
    cell: (row) => `${formatNumber(row.low, 2)} to ${formatNumber(row.high, 2)}`,
  },
  { key: 'p', header: 'Adjusted p', isNumber: true, cell: (row) => pWords(row.adjustedP) },
];
