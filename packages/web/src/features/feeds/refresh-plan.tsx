import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type Feed, listRefreshes, planRefresh, startRefresh } from '@touchstone/contracts/feeds';
import type { Answer } from '@touchstone/contracts/route';
import { listUniverses } from '@touchstone/contracts/universes';
import { useState } from 'react';
import { AreaField, ChoiceField, onSubmit, SelectField, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { TaskProgress } from '../../components/task-progress.tsx';
import { Button, Facts, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatCount, formatDay, formatNumber, plural } from '../../lib/format.ts';
import { apiQuery, queryClient } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

const UNIVERSES_MAX = 500;
const REFRESHES_LOOKED_AT = 20;
type What = { universeId?: number; symbols?: string[] };

/** What a refresh would cost, told before anything is asked; then the refresh itself, as it goes on. */
export function RefreshPlanPanel({ feed }: { feed: Feed }) {
  const { task: taskId } = useSearch({ from: '/data/feeds/$sourceId' });
  const navigate = useNavigate({ from: '/data/feeds/$sourceId' });
  const refusal = useRefusal('market:write', feed.tenantId);
  const isPrices = feed.gives === 'prices';
  const universes = useQuery({ ...apiQuery(listUniverses, { query: { limit: UNIVERSES_MAX } }), enabled: isPrices });
  const own = (universes.data?.items ?? []).filter((one) => one.tenantId !== 0 && one.deletedAt === null);
  const first = own.find((one) => one.sourceId === feed.id) ?? own[0];
  const [by, setBy] = useState<'universe' | 'symbols' | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const [symbols, setSymbols] = useState('');
  const [universeName, setUniverseName] = useState('');
  const way = by ?? (first ? 'universe' : 'symbols');
  const universeId = chosen ?? (first ? String(first.id) : '');
  const named = symbols
    .toUpperCase()
    .split(/[\s,;]+/)
    .filter((word) => word !== '');
  const what: What = !isPrices ? {} : way === 'universe' ? { universeId: Number(universeId) } : { symbols: named };
  const asked = JSON.stringify(what);
  const plan = useMutation({
    mutationFn: async () => ({
      asked,
      ...(await client.call(planRefresh, { params: { sourceId: feed.id }, body: what })),
    }),
  });
  const start = useMutation({
    mutationFn: () =>
      client.call(startRefresh, {
        params: { sourceId: feed.id },
        body: { ...what, ...(way === 'symbols' && universeName !== '' && { universeName }) },
      }),
    onSuccess: async ({ task }) => {
      plan.reset();
      await queryClient.invalidateQueries({ queryKey: [listRefreshes.id] });
      await navigate({ search: (before) => ({ ...before, task: task.id }), replace: true });
    },
  });
  // A plan for something else than what is asked for now would mislead.
  const told = plan.data?.asked === asked ? plan.data : null;
  return (
    <Panel
      title="Refresh"
      hint="First the plan: what would be asked, and what it costs. Nothing known is ever lost by it."
    >
      <div className="grid gap-4">
        <form className="grid gap-4" onSubmit={onSubmit(() => plan.mutate())}>
          {isPrices && (
            <>
              <ChoiceField
                legend="What"
                value={way}
                onValue={(value) => setBy(value === 'universe' ? 'universe' : 'symbols')}
                options={[
                  { value: 'universe', label: 'Everything of a universe' },
                  { value: 'symbols', label: 'These symbols' },
                ]}
              />
              {way === 'universe' ? (
                <SelectField
                  label="Universe"
                  required
                  path="body.universeId"
                  error={plan.error}
                  hint={
                    universes.isSuccess && own.length === 0
                      ? 'You have no universe yet; name symbols instead.'
                      : undefined
                  }
                  value={universeId}
                  onValue={setChosen}
                  options={[
                    ['', universes.isPending ? 'Loading' : 'Choose a universe'],
                    ...own.map((one) => [String(one.id), `${one.name} (${one.memberCount})`] as const),
                  ]}
                />
              ) : (
                <div className="grid gap-4 sm:grid-cols-[minmax(0,1.6fr)_minmax(0,1fr)]">
                  <AreaField
                    label="Symbols"
                    required
                    path="body.symbols"
                    error={plan.error}
                    hint="With commas or spaces between."
                    value={symbols}
                    onValue={(value) => {
                      // Whoever types here has chosen, also when a first universe turns up meanwhile.
                      setBy('symbols');
                      setSymbols(value);
                    }}
                  />
                  <TextField
                    label="Also make a universe of it"
                    placeholder="Its name"
                    maxLength={200}
                    hint="Of everything this feed has. Empty: none."
                    value={universeName}
                    onValue={setUniverseName}
                  />
                </div>
              )}
            </>
          )}
          <div>
            <Button
              type="submit"
              look={told ? 'plain' : 'main'}
              isBusy={plan.isPending}
              disabled={isPrices && way === 'universe' && universeId === ''}
            >
              Plan the refresh
            </Button>
          </div>
        </form>
        {plan.error && <ProblemNotice error={plan.error} />}
        <div aria-live="polite" className="empty:hidden">
          {told && <PlanView plan={told} refusal={refusal} isBusy={start.isPending} onStart={() => start.mutate()} />}
        </div>
        {start.error && <ProblemNotice error={start.error} />}
        {taskId !== undefined && <Running taskId={taskId} sourceId={feed.id} />}
      </div>
    </Panel>
  );
}

type PlanProps = {
  plan: Answer<typeof planRefresh>;
  refusal: string | null;
  isBusy: boolean;
  onStart: () => void;
};

function PlanView({ plan, refusal, isBusy, onStart }: PlanProps) {
  return (
    <section aria-label="The plan" className="rounded border border-accent/30 bg-accent-well px-3.5 py-3">
      <p className="font-medium">{plan.sentence}</p>
      <div className="mt-2">
        <Facts
          items={[
            ['Asked', plural(plan.symbolCount, 'symbol')],
            ['Up to date', plural(plan.currentCount, 'symbol')],
            ...(plan.newCount > 0
              ? ([['New', `${plural(plan.newCount, 'symbol')}, with their whole history`]] as const)
              : []),
            ['Questions', formatCount(plan.requestCount)],
            ...(plan.credits > 0
              ? ([['Credits', `${formatCount(plan.credits)}, about ${formatMinutes(plan.minutes)}`]] as const)
              : []),
            ...(plan.finishesOn ? ([['Complete on', formatDay(plan.finishesOn)]] as const) : []),
            ['Through', formatDay(plan.throughDay)],
          ]}
        />
      </div>
      <div className="mt-3">
        <Button
          look="main"
          refusal={refusal}
          isBusy={isBusy}
          disabled={plan.symbolCount === 0 && plan.requestCount === 0}
          onClick={onStart}
        >
          Start the refresh
        </Button>
      </div>
    </section>
  );
}

function Running({ taskId, sourceId }: { taskId: number; sourceId: number }) {
  const [isDone, setIsDone] = useState(false);
  const refreshes = useQuery({
    ...apiQuery(listRefreshes, { query: { sourceId, limit: REFRESHES_LOOKED_AT } }),
    enabled: isDone,
  });
  const refresh = refreshes.data?.items.find((one) => one.taskId === taskId);
  return (
    <div className="grid gap-2">
      <TaskProgress taskId={taskId} onDone={() => setIsDone(true)} />
      {refresh && (
        <p className="text-sm">
          {refresh.sentence}{' '}
          <Link to="/data/refreshes/$refreshId" params={{ refreshId: refresh.id }} className="link">
            Read the report
          </Link>
        </p>
      )}
    </div>
  );
}

function formatMinutes(minutes: number): string {
  if (minutes < 1) return 'under a minute';
  if (minutes < 120) return plural(Math.ceil(minutes), 'minute');
  return `${formatNumber(minutes / 60, 1)} hours`;
}
