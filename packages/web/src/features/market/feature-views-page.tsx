import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import {
  checkFeatureView,
  createFeatureView,
  getFeatureSkew,
  listFeatureViews,
  listMaterialisations,
  materialiseFeatures,
  startFeatureSkew,
  type ViewCheck,
} from '@touchstone/contracts/features';
import type { Answer } from '@touchstone/contracts/route';
import { listUniverses } from '@touchstone/contracts/universes';
import { useState } from 'react';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { onSubmit, SelectField, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { TaskProgress } from '../../components/task-progress.tsx';
import { Badge, Button, Facts, Note, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatCount, formatDay, formatInstant, plural } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { CheckBadge } from './features-page.tsx';

type View = Answer<typeof listFeatureViews>['items'][number];
type Skew = Answer<typeof getFeatureSkew>;
const UNIVERSES_MAX = 200;

export function FeatureViewsPage() {
  const views = useQuery(apiQuery(listFeatureViews));
  return (
    <>
      <SubNav of="market" />
      <PageHeader title="Feature views">
        Named sets of features, the same at training time and at serving time. A view that looks ahead is not saved.
      </PageHeader>
      <div className="grid min-w-0 gap-4">
        <Panel title="Views" flush>
          <QueryView query={views} lines={8}>
            {(data) => (
              <DataTable
                label="Feature views"
                columns={VIEWS}
                rows={data.items}
                rowKey={(row) => row.name}
                empty="No view."
              />
            )}
          </QueryView>
        </Panel>
        <div className="grid min-w-0 gap-4 xl:grid-cols-2 xl:items-start">
          <StorePanel />
          <SkewPanel />
        </div>
        <NewViewPanel />
      </div>
    </>
  );
}

const VIEWS: Column<View>[] = [
  {
    key: 'name',
    header: 'View',
    cell: (row) => (
      <span className="block min-w-36">
        <Link to="/market/views/$view" params={{ view: row.name }} className="link font-medium">
          {row.name}
        </Link>
        <span className="block text-xs text-soft">{row.description}</span>
      </span>
    ),
  },
  {
    key: 'features',
    header: 'Features',
    isNumber: true,
    cell: (row) => formatCount(row.featureNames.length),
  },
  { key: 'version', header: 'Version', isNumber: true, cell: (row) => formatCount(row.version) },
  { key: 'owner', header: 'Owner', isWide: true, cell: (row) => (row.builtIn ? <Badge>built in</Badge> : row.owner) },
  {
    key: 'checks',
    header: 'Checks',
    cell: (row) =>
      row.source === 'push' ? (
        <span className="text-xs text-soft">pushed</span>
      ) : (
        <Badge tone={row.checksPassed ? 'accent' : 'bad'}>{row.checksPassed ? 'passed' : 'failed'}</Badge>
      ),
  },
  {
    key: 'online',
    header: 'Online',
    cell: (row) =>
      row.materialised === null
        ? 'not yet'
        : `${plural(row.materialised.entityCount, 'instrument')}, ${formatDay(row.materialised.latestDay)}`,
  },
];

function StorePanel() {
  const refusal = useRefusal('task:write');
  const [taskId, setTaskId] = useState<number | null>(null);
  const [universeId, setUniverseId] = useState('');
  const universes = useQuery(apiQuery(listUniverses, { query: { limit: UNIVERSES_MAX } }));
  const state = useQuery(apiQuery(listMaterialisations));
  const chosen = universeId === '' ? universes.data?.items[0]?.id : Number(universeId);
  const start = useMutation({
    mutationFn: (id: number) => client.call(materialiseFeatures, { body: { universeId: id } }),
    onSuccess: ({ task }) => setTaskId(task.id),
  });
  return (
    <Panel title="Online store" hint="The newest values, ready to be served. Only what changed is computed again.">
      <div className="flex flex-wrap items-end gap-3">
        <SelectField
          label="Universe"
          value={String(chosen ?? '')}
          onValue={setUniverseId}
          options={(universes.data?.items ?? []).map((one) => [String(one.id), one.name] as const)}
        />
        <Button
          refusal={refusal}
          isBusy={start.isPending}
          disabled={chosen === undefined}
          onClick={() => chosen !== undefined && start.mutate(chosen)}
        >
          Bring up to date
        </Button>
      </div>
      {start.error && <ProblemNotice error={start.error} />}
      {taskId !== null && (
        <div className="mt-3">
          <TaskProgress taskId={taskId} onDone={() => void refreshAll()} />
        </div>
      )}
      <QueryView query={state} lines={3}>
        {(data) => (
          <div className="mt-3">
            <Facts
              items={[
                ['Kept in', { process: 'this process', database: 'the database', redis: 'Redis' }[data.store]],
                ['Views up to date', formatCount(data.items.filter(({ complete }) => complete).length)],
                [
                  'Newest',
                  formatInstant(
                    data.items
                      .map(({ updatedAt }) => updatedAt)
                      .toSorted()
                      .at(-1),
                  ),
                ],
              ]}
            />
          </div>
        )}
      </QueryView>
    </Panel>
  );
}

function SkewPanel() {
  const refusal = useRefusal('task:write');
  const [taskId, setTaskId] = useState<number | null>(null);
  const skew = useQuery(apiQuery(getFeatureSkew));
  const start = useMutation({
    mutationFn: () => client.call(startFeatureSkew),
    onSuccess: ({ task }) => setTaskId(task.id),
  });
  return (
    <Panel
      title="Served and recomputed"
      hint="Reads that were served are computed again from the facts of their moment; every bit must agree."
      actions={
        <Button refusal={refusal} isBusy={start.isPending} onClick={() => start.mutate()}>
          Check now
        </Button>
      }
    >
      {start.error && <ProblemNotice error={start.error} />}
      {taskId !== null && <TaskProgress taskId={taskId} onDone={() => void refreshAll()} />}
      <QueryView query={skew} lines={3}>
        {(data) => <SkewFacts data={data} />}
      </QueryView>
    </Panel>
  );
}

function SkewFacts({ data }: { data: Skew }) {
  const { latest } = data;
  if (latest === null)
    return <p className="text-sm text-soft">Not checked yet; {plural(data.waitingCount, 'read')} wait to be.</p>;
  return (
    <Facts
      items={[
        [
          'Mismatches',
          latest.mismatchCount === 0 ? (
            'none'
          ) : (
            <Badge key="m" tone="bad">
              {formatCount(latest.mismatchCount)}
            </Badge>
          ),
        ],
        ['Values compared', formatCount(latest.valueCount)],
        ['Reads', formatCount(latest.sampleCount)],
        ['Checked', formatInstant(latest.checkedAt)],
        ['Waiting', formatCount(data.waitingCount)],
      ]}
    />
  );
}

function NewViewPanel() {
  const refusal = useRefusal('portfolio:write');
  const [name, setName] = useState('');
  const [feature, setFeature] = useState('');
  const [expression, setExpression] = useState('(close - mean(close, 20)) / std(close, 20)');
  const [description, setDescription] = useState('');
  const body = () => ({
    name,
    description,
    owner: 'me',
    ttlDays: 10,
    features: [{ name: feature, expression }],
  });
  const check = useMutation({ mutationFn: () => client.call(checkFeatureView, { body: body() }) });
  const save = useMutation({
    mutationFn: () => client.call(createFeatureView, { body: body() }),
    onSuccess: refreshAll,
  });
  /** What was checked is no longer what would be saved. */
  const changes = (set: (value: string) => void) => (value: string) => {
    set(value);
    check.reset();
    save.reset();
  };
  return (
    <Panel
      title="A feature of your own"
      hint="Columns, indicators and rolling functions. It is held against its own future before it may be saved."
    >
      <form className="grid gap-3 md:grid-cols-2" onSubmit={onSubmit(() => check.mutate())}>
        <TextField label="Name of the view" placeholder="stretch" value={name} onValue={changes(setName)} required />
        <TextField
          label="Name of the feature"
          placeholder="stretch_20"
          value={feature}
          onValue={changes(setFeature)}
          required
        />
        <div className="md:col-span-2">
          <TextField label="Expression" value={expression} onValue={changes(setExpression)} required />
        </div>
        <div className="md:col-span-2">
          <TextField
            label="What it is"
            placeholder="How far the close is from its mean."
            value={description}
            onValue={changes(setDescription)}
          />
        </div>
        <div className="flex flex-wrap gap-2 md:col-span-2">
          <Button type="submit" isBusy={check.isPending}>
            Check
          </Button>
          <Button
            look="main"
            refusal={refusal}
            isBusy={save.isPending}
            disabled={check.data?.accepted !== true}
            onClick={() => save.mutate()}
          >
            Save
          </Button>
        </div>
      </form>
      {(check.error ?? save.error) && (
        <div className="mt-3">
          <ProblemNotice error={check.error ?? save.error} />
        </div>
      )}
      {check.data && <CheckResult of={check.data} />}
      {save.data && (
        <div className="mt-3">
          <Note title={`${save.data.name} is saved as version ${save.data.version}.`} />
        </div>
      )}
    </Panel>
  );
}

function CheckResult({ of }: { of: ViewCheck }) {
  return (
    <div className="mt-3 grid gap-2">
      {of.problems.map((problem) => (
        <Note key={`${problem.feature} ${problem.position}`} tone="bad" title={problem.sentence}>
          <code className="font-mono text-xs">{problem.part}</code>
        </Note>
      ))}
      {of.features.map((feature) => (
        <p key={feature.name} className="flex flex-wrap items-center gap-2 text-sm">
          <span className="font-medium">{feature.name}</span>
          {feature.badges && (
            <>
              <CheckBadge label="canary" badge={feature.badges.canary} />
              <CheckBadge label="warm-up" badge={feature.badges.warmUp} />
            </>
          )}
          <span className="text-soft">first value after {plural(feature.warmUp, 'bar')}</span>
        </p>
      ))}
    </div>
  );
}
