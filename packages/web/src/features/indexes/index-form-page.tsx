import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { ApiProblem } from '@touchstone/contracts/client';
import {
  createIndex,
  getIndex,
  type IndexDefinition,
  type IndexMethod,
  listBenchmarks,
  listStrategies,
  updateIndex,
} from '@touchstone/contracts/indexes';
import { listUniverses } from '@touchstone/contracts/universes';
import { useState } from 'react';
import { Conflict } from '../../components/conflict.tsx';
import { AreaField, ChoiceField, onSubmit, SelectField, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { Button, Note, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { words } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

const UNIVERSES_MAX = 500;

/** All text, as the controls hold it; numbers are made of it on the way out. */
type Draft = {
  name: string;
  description: string;
  universeId: string;
  method: IndexMethod;
  rebalanceEveryDays: string;
  maxNames: string;
  maxWeight: string;
  momentumPillar: string;
  capPillar: string;
  riskPillar: string;
  currency: string;
  costBasisPoints: string;
  firstDay: string;
  baseValue: string;
  benchmark: string;
  visibility: 'private' | 'tenant';
};

export function NewIndexPage() {
  const { universe } = useSearch({ from: '/indexes/new' });
  const draft: Draft = {
    name: '',
    description: '',
    universeId: universe === undefined ? '' : String(universe),
    method: 'three_pillar',
    rebalanceEveryDays: '1',
    maxNames: '50',
    maxWeight: '40',
    momentumPillar: '40',
    capPillar: '30',
    riskPillar: '30',
    currency: 'USD',
    costBasisPoints: '10',
    firstDay: '',
    baseValue: '100',
    benchmark: '',
    visibility: 'tenant',
  };
  return <IndexForm start={draft} before={null} />;
}

export function EditIndexPage() {
  const { indexId } = useParams({ from: '/indexes/$indexId/edit' });
  const index = useQuery(apiQuery(getIndex, { params: { indexId } }));
  return (
    <QueryView query={index}>{(data) => <IndexForm start={toDraft(data)} before={data} key={data.id} />}</QueryView>
  );
}

function IndexForm({ start, before }: { start: Draft; before: IndexDefinition | null }) {
  const [draft, setDraft] = useState(start);
  const [version, setVersion] = useState(before?.version ?? 0);
  const universes = useQuery(apiQuery(listUniverses, { query: { limit: UNIVERSES_MAX } }));
  const strategies = useQuery(apiQuery(listStrategies));
  const benchmarks = useQuery(apiQuery(listBenchmarks, { query: {} }));
  const refusal = useRefusal('portfolio:write', before?.tenantId);
  const navigate = useNavigate();
  const save = useMutation({
    mutationFn: () =>
      before === null
        ? client.call(createIndex, { body: toBody(draft) })
        : client.call(updateIndex, { params: { indexId: before.id }, body: { ...toBody(draft), version } }),
    onSuccess: async (saved) => {
      await refreshAll();
      await navigate({ to: '/indexes/$indexId', params: { indexId: saved.id } });
    },
  });
  const isConflict = save.error instanceof ApiProblem && save.error.problem.code === 'CONFLICT';
  const set =
    <K extends keyof Draft>(key: K) =>
    (value: string) =>
      setDraft((old) => ({ ...old, [key]: value }));
  const field = (key: keyof Draft, path: string = key) => ({
    path: `body.${path}`,
    error: save.error,
    value: draft[key],
    onValue: set(key),
  });
  const parameter = (key: keyof Draft) => field(key, `parameters.${key}`);
  const definition = strategies.data?.items.find((strategy) => strategy.method === draft.method)?.definition;
  const pillarSum = Number(draft.momentumPillar) + Number(draft.capPillar) + Number(draft.riskPillar);
  return (
    <>
      <PageHeader title={before === null ? 'New index' : `Edit ${before.name}`}>
        {before !== null && 'Versions computed before keep the definition they were computed with.'}
      </PageHeader>
      <form className="grid max-w-4xl gap-4" onSubmit={onSubmit(() => save.mutate())}>
        {refusal && <Note tone="warn">{refusal}</Note>}
        <Panel title="What">
          <div className="grid gap-4 sm:grid-cols-2">
            <TextField label="Name" required maxLength={200} {...field('name')} />
            <SelectField
              label="Universe"
              required
              hint="The instruments it may hold."
              options={[
                ['', universes.isPending ? 'Loading' : 'Choose a universe'],
                ...(universes.data?.items ?? []).map(
                  (universe) => [String(universe.id), `${universe.name} (${universe.memberCount})`] as const,
                ),
              ]}
              {...field('universeId')}
            />
            <div className="sm:col-span-2">
              <AreaField label="Description" maxLength={2000} {...field('description')} />
            </div>
          </div>
        </Panel>
        <Panel title="Method" hint={definition}>
          <div className="grid gap-4 sm:grid-cols-3">
            <SelectField
              label="Method"
              options={(strategies.data?.items ?? [{ method: draft.method, title: words(draft.method) }]).map(
                (strategy) => [strategy.method, strategy.title] as const,
              )}
              {...field('method')}
            />
            {draft.method !== 'buy_and_hold' && (
              <TextField
                label="Rebalance every (trading days)"
                type="number"
                min={1}
                max={252}
                required
                {...parameter('rebalanceEveryDays')}
              />
            )}
            {draft.method === 'three_pillar' && (
              <>
                <TextField label="Names at most" type="number" min={1} max={500} required {...parameter('maxNames')} />
                <TextField
                  label="Weight at most (%)"
                  type="number"
                  min={1}
                  max={100}
                  step="any"
                  required
                  {...parameter('maxWeight')}
                />
                <TextField
                  label="Momentum pillar (%)"
                  type="number"
                  min={0}
                  max={100}
                  step="any"
                  required
                  hint={pillarSum === 100 ? undefined : `The three sum to ${pillarSum} %.`}
                  {...parameter('momentumPillar')}
                />
                <TextField
                  label="Cap pillar (%)"
                  type="number"
                  min={0}
                  max={100}
                  step="any"
                  required
                  {...parameter('capPillar')}
                />
                <TextField
                  label="Low-risk pillar (%)"
                  type="number"
                  min={0}
                  max={100}
                  step="any"
                  required
                  {...parameter('riskPillar')}
                />
              </>
            )}
          </div>
        </Panel>
        <Panel title="Account and comparison">
          <div className="grid gap-4 sm:grid-cols-3">
            <TextField
              label="Currency"
              pattern="[A-Z]{3}"
              title="Three capital letters"
              required
              {...field('currency')}
            />
            <TextField
              label="Cost (basis points, one way)"
              type="number"
              min={0}
              max={1000}
              step="any"
              required
              hint="10 means 0.10 % of what is traded."
              {...field('costBasisPoints')}
            />
            <SelectField
              label="Benchmark"
              options={[
                ['', 'None'],
                ...(benchmarks.data?.items ?? []).map(
                  (candidate) => [String(candidate.instrumentId), `${candidate.symbol}, ${candidate.name}`] as const,
                ),
              ]}
              {...field('benchmark', 'benchmarkInstrumentId')}
            />
            <TextField label="First day" type="date" hint="Empty: as early as the data allow." {...field('firstDay')} />
            <TextField label="Base value" type="number" min={0.01} step="any" required {...field('baseValue')} />
            <ChoiceField
              legend="Seen by"
              value={draft.visibility}
              onValue={set('visibility')}
              options={[
                { value: 'tenant', label: 'Everybody here' },
                { value: 'private', label: 'Only me' },
              ]}
            />
          </div>
        </Panel>
        {isConflict && before !== null ? (
          <Conflict
            error={save.error}
            what="this index"
            load={() => client.call(getIndex, { params: { indexId: before.id } })}
            onTake={(fresh, isTheirs) => {
              setVersion(fresh.version);
              if (isTheirs) setDraft(toDraft(fresh));
            }}
          />
        ) : (
          save.error && <ProblemNotice error={save.error} />
        )}
        <div>
          <Button type="submit" look="main" isBusy={save.isPending} disabled={refusal !== null}>
            {before === null ? 'Make the index' : 'Save'}
          </Button>
        </div>
      </form>
    </>
  );
}

function toDraft(index: IndexDefinition): Draft {
  const { parameters } = index;
  return {
    name: index.name,
    description: index.description,
    universeId: String(index.universeId),
    method: index.method,
    rebalanceEveryDays: String(parameters.rebalanceEveryDays),
    maxNames: String(parameters.maxNames),
    maxWeight: percentText(parameters.maxWeight),
    momentumPillar: percentText(parameters.momentumPillar),
    capPillar: percentText(parameters.capPillar),
    riskPillar: percentText(parameters.riskPillar),
    currency: index.currency,
    costBasisPoints: String(index.costBasisPoints),
    firstDay: index.firstDay ?? '',
    baseValue: String(index.baseValue),
    benchmark: index.benchmarkInstrumentId === null ? '' : String(index.benchmarkInstrumentId),
    visibility: index.visibility,
  };
}

function toBody(draft: Draft) {
  return {
    name: draft.name,
    description: draft.description,
    universeId: Number(draft.universeId),
    method: draft.method,
    parameters: {
      rebalanceEveryDays: Number(draft.rebalanceEveryDays),
      maxNames: Number(draft.maxNames),
      maxWeight: toFraction(draft.maxWeight),
      momentumPillar: toFraction(draft.momentumPillar),
      capPillar: toFraction(draft.capPillar),
      riskPillar: toFraction(draft.riskPillar),
    },
    currency: draft.currency,
    costBasisPoints: Number(draft.costBasisPoints),
    firstDay: draft.firstDay === '' ? null : draft.firstDay,
    baseValue: Number(draft.baseValue),
    benchmarkInstrumentId: draft.benchmark === '' ? null : Number(draft.benchmark),
    visibility: draft.visibility,
  };
}

/** Rounded, because 0.3 × 100 is not 30 in binary. */
function percentText(fraction: number): string {
  return String(Number((fraction * 100).toPrecision(12)));
}

function toFraction(percent: string): number {
  return Number((Number(percent) / 100).toPrecision(12));
}
