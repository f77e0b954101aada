import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { getHealth } from '@touchstone/contracts/diagnostics';
import { listFeeds, listGaps } from '@touchstone/contracts/feeds';
import { listIndexes } from '@touchstone/contracts/indexes';
import { keepCurrent, listSchedules, type Schedule, startCourt } from '@touchstone/contracts/tasks';
import type { Universe } from '@touchstone/contracts/universes';
import { useState } from 'react';
import { Dialog } from '../../components/dialog.tsx';
import { onSubmit, SelectField, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { scheduleKindName, scheduleTime } from '../../components/schedule-words.ts';
import { TaskProgress } from '../../components/task-progress.tsx';
import { Badge, Button, buttonClass, Facts, Note, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatDay, formatInstant, plural } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

const INDEXES_MAX = 200;

/** How old its prices are, what keeps them current, and when that runs next. */
export function CurrentPanel({ universe }: { universe: Universe }) {
  const refusal = useRefusal('task:write', universe.tenantId);
  const [isOpen, setIsOpen] = useState(false);
  const [taskId, setTaskId] = useState<number | null>(null);
  const health = useQuery(apiQuery(getHealth));
  const gaps = useQuery(apiQuery(listGaps, { query: { universeId: universe.id, limit: 1 } }));
  const schedules = useSchedulesOf(universe);
  const court = useMutation({
    mutationFn: () => client.call(startCourt, { params: { universeId: universe.id } }),
    onSuccess: ({ task }) => setTaskId(task.id),
  });
  const fresh = health.data?.freshness.find((row) => row.universeId === universe.id);
  const isKept = schedules.some((one) => one.kind === 'refresh' && one.enabled);
  const ageWords = () => {
    if (!fresh) return health.isPending ? 'asking' : 'not told';
    if (fresh.ageTradingDays === null) return fresh.reason ?? 'no bars yet';
    return fresh.ageTradingDays === 0 ? 'up to date' : `${plural(fresh.ageTradingDays, 'trading day')} old`;
  };
  return (
    <Panel
      title="Keep it current"
      actions={
        fresh &&
        (fresh.isStale ? (
          <Badge tone="warn">stale</Badge>
        ) : (
          <Badge tone={fresh.isExpectedFresh ? 'accent' : 'plain'}>{fresh.isExpectedFresh ? 'fresh' : 'history'}</Badge>
        ))
      }
    >
      <div className="grid gap-4">
        <Facts
          items={[
            ['Last bar', fresh ? formatDay(fresh.lastDay) : '–'],
            ['Age', ageWords()],
            [
              'Gaps',
              gaps.data === undefined || gaps.data.items.length === 0 ? (
                'none open'
              ) : (
                <Link
                  key="gaps"
                  to="/data/gaps"
                  search={(before) => ({ ...before, universe: universe.id })}
                  className="link"
                >
                  Look at what is missing
                </Link>
              ),
            ],
          ]}
        />
        {schedules.length > 0 && <NextSteps schedules={schedules} />}
        {schedules.length === 0 && refusal === null && (
          <p className="text-sm text-soft">
            Nothing comes again by itself. One button makes it: refresh after each close, judge, compute.
          </p>
        )}
        <div className="flex flex-wrap gap-2">
          <Button look={isKept ? 'plain' : 'main'} refusal={refusal} onClick={() => setIsOpen(true)}>
            {isKept ? 'Change' : 'Keep it current'}
          </Button>
          {refusal === null && (
            <Button isBusy={court.isPending} onClick={() => court.mutate()}>
              Judge it again now
            </Button>
          )}
        </div>
        {court.error && <ProblemNotice error={court.error} />}
        {taskId !== null && <TaskProgress taskId={taskId} />}
      </div>
      <Dialog title={`Keep “${universe.name}” current`} isOpen={isOpen} onClose={() => setIsOpen(false)}>
        <KeepForm universe={universe} schedules={schedules} onDone={() => setIsOpen(false)} />
      </Dialog>
    </Panel>
  );
}

/** Schedules about the universe or an index over it, in the order in which they start. */
function useSchedulesOf(universe: Universe): Schedule[] {
  const schedules = useQuery(apiQuery(listSchedules));
  const indexes = useQuery(apiQuery(listIndexes, { query: { limit: INDEXES_MAX } }));
  const over = new Set(indexes.data?.items.filter((one) => one.universeId === universe.id).map((one) => one.id));
  return (schedules.data?.items ?? [])
    .filter(({ input }) => input.universeId === universe.id || over.has(Number(input.indexId)))
    .toSorted((one, other) => (one.nextRuns[0] ?? '9').localeCompare(other.nextRuns[0] ?? '9'));
}

function NextSteps({ schedules }: { schedules: readonly Schedule[] }) {
  return (
    <div>
      <h3 className="text-sm font-semibold">Next runs</h3>
      <ol className="mt-1 grid gap-2 border-l-2 border-line pl-3 text-sm">
        {schedules.map((one) => (
          <li key={one.id}>
            <span className="font-medium">{one.title || scheduleKindName(one.kind)}</span>{' '}
            {!one.enabled && <Badge tone="warn">off</Badge>}
            <span className="block text-xs text-soft">
              {one.nextRuns[0] ? formatInstant(one.nextRuns[0]) : 'no next run'} · {scheduleTime(one)}
            </span>
            {one.lastTask?.state === 'failed' && (
              <span className="block text-xs text-bad">The last one failed. {one.lastTask.detail}</span>
            )}
          </li>
        ))}
      </ol>
      <p className="mt-2 text-xs">
        <Link to="/tasks/schedules" className="link">
          All schedules
        </Link>
      </p>
    </div>
  );
}

type KeepProps = { universe: Universe; schedules: readonly Schedule[]; onDone: () => void };

function KeepForm({ universe, schedules, onDone }: KeepProps) {
  const before = schedules.find((one) => one.kind === 'refresh');
  const feeds = useQuery(apiQuery(listFeeds));
  const usable = (feeds.data?.items ?? []).filter((one) => one.gives === 'prices' && one.tenantId !== 0);
  const [chosen, setChosen] = useState<string | null>(before ? String(before.input.sourceId) : null);
  const own = usable.find((one) => one.id === universe.sourceId) ?? usable[0];
  const sourceId = chosen ?? (own ? String(own.id) : '');
  const [minutes, setMinutes] = useState(String(before?.afterClose?.minutes ?? 75));
  const save = useMutation({
    mutationFn: () =>
      client.call(keepCurrent, {
        params: { universeId: universe.id },
        body: { sourceId: Number(sourceId), minutes: Number(minutes) },
      }),
    onSuccess: refreshAll,
  });
  if (feeds.isSuccess && usable.length === 0) {
    return (
      <div className="grid gap-4 text-sm">
        <p>Prices are fetched from a feed, and no feed of prices is connected yet.</p>
        <p>
          <Link to="/data/connect" className={buttonClass('main')}>
            Connect a feed
          </Link>
        </p>
      </div>
    );
  }
  if (save.data) {
    return (
      <div className="grid gap-4">
        <Note
          tone="accent"
          title={save.data.changedCount === 0 ? 'It was kept so already.' : 'It is kept current from now on.'}
        >
          After each close: refresh, judge, compute the indexes over it.
        </Note>
        <NextSteps schedules={save.data.items} />
        <div>
          <Button look="main" onClick={onDone}>
            Good
          </Button>
        </div>
      </div>
    );
  }
  return (
    <form className="grid gap-4" onSubmit={onSubmit(() => save.mutate())}>
      <p className="text-sm">
        After each close of its exchange the prices are refreshed, then judged by the quality court, then every index
        over it is computed again. Holidays are left out.
      </p>
      <div className="grid gap-4 sm:grid-cols-2">
        <SelectField
          label="Prices from"
          required
          path="body.sourceId"
          error={save.error}
          value={sourceId}
          onValue={setChosen}
          options={[
            ['', feeds.isPending ? 'Loading' : 'Choose a feed'],
            ...usable.map((one) => [String(one.id), one.name] as const),
          ]}
        />
        <TextField
          label="Minutes after the close"
          type="number"
          min={0}
          max={1200}
          required
          hint="Vendors need a while to have the day."
          path="body.minutes"
          error={save.error}
          value={minutes}
          onValue={setMinutes}
        />
      </div>
      {save.error && <ProblemNotice error={save.error} />}
      <div>
        <Button type="submit" look="main" isBusy={save.isPending} disabled={feeds.isPending}>
          Keep it current
        </Button>
      </div>
    </form>
  );
}
