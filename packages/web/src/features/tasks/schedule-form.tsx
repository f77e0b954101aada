import { useMutation, useQuery } from '@tanstack/react-query';
import { ApiProblem } from '@touchstone/contracts/client';
import { listSources } from '@touchstone/contracts/data';
import { listFeeds } from '@touchstone/contracts/feeds';
import { listIndexes } from '@touchstone/contracts/indexes';
import {
  createSchedule,
  listSchedules,
  type Schedule,
  type ScheduleKind,
  updateSchedule,
} from '@touchstone/contracts/tasks';
import { listUniverses } from '@touchstone/contracts/universes';
import { useState } from 'react';
import { Conflict } from '../../components/conflict.tsx';
import { CheckField, ChoiceField, onSubmit, SelectField, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { SCHEDULE_KINDS, scheduleKindName } from '../../components/schedule-words.ts';
import { Button } from '../../components/ui.tsx';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

const LIST_MAX = 200;

/** All text, as the controls hold it. */
type Draft = {
  kind: ScheduleKind;
  title: string;
  way: 'close' | 'cron';
  cron: string;
  calendar: string;
  minutes: string;
  tradingDaysOnly: string;
  universeId: string;
  sourceId: string;
  indexId: string;
  years: string;
  isOn: boolean;
};

export function ScheduleForm({ before, onDone }: { before: Schedule | null; onDone: () => void }) {
  const [draft, setDraft] = useState(() => toDraft(before));
  const [version, setVersion] = useState(before?.version ?? 0);
  const save = useMutation({
    mutationFn: () =>
      before === null
        ? client.call(createSchedule, { body: toBody(draft) })
        : client.call(updateSchedule, { params: { scheduleId: before.id }, body: { ...toBody(draft), version } }),
    onSuccess: async () => {
      onDone();
      await refreshAll();
    },
  });
  const isConflict = save.error instanceof ApiProblem && save.error.problem.code === 'CONFLICT';
  const set = (part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part }));
  return (
    <form className="grid gap-5" onSubmit={onSubmit(() => save.mutate())}>
      <div className="grid gap-4 sm:grid-cols-2">
        <SelectField
          label="What"
          value={draft.kind}
          onValue={(value) => set({ kind: SCHEDULE_KINDS.find(([one]) => one === value)?.[0] ?? 'verify' })}
          options={SCHEDULE_KINDS}
        />
        <TextField
          label="Name"
          maxLength={200}
          placeholder={scheduleKindName(draft.kind)}
          path="body.title"
          error={save.error}
          value={draft.title}
          onValue={(title) => set({ title })}
        />
        <InputFields draft={draft} set={set} error={save.error} />
      </div>
      <TimeFields draft={draft} set={set} error={save.error} />
      <CheckField label="On" isChecked={draft.isOn} onChecked={(isOn) => set({ isOn })} />
      {isConflict && before !== null ? (
        <Conflict
          error={save.error}
          what="this schedule"
          load={async () => (await client.call(listSchedules)).items.find((one) => one.id === before.id) ?? before}
          onTake={(fresh, isTheirs) => {
            setVersion(fresh.version);
            if (isTheirs) setDraft(toDraft(fresh));
          }}
        />
      ) : (
        save.error && <ProblemNotice error={save.error} />
      )}
      <div>
        <Button type="submit" look="main" isBusy={save.isPending}>
          Save
        </Button>
      </div>
    </form>
  );
}

type PartProps = { draft: Draft; set: (part: Partial<Draft>) => void; error: unknown };

/** What each kind of work needs to be told. */
function InputFields({ draft, set, error }: PartProps) {
  const needsUniverse = ['refresh', 'court', 'market-record', 'materialise'].includes(draft.kind);
  const indexes = useQuery({
    ...apiQuery(listIndexes, { query: { limit: LIST_MAX } }),
    enabled: draft.kind === 'index-run',
  });
  const universes = useQuery({ ...apiQuery(listUniverses, { query: { limit: LIST_MAX } }), enabled: needsUniverse });
  const feeds = useQuery({ ...apiQuery(listFeeds), enabled: draft.kind === 'refresh' });
  const own = <T extends { id: number; tenantId: number; name: string }>(items: readonly T[] | undefined) =>
    (items ?? []).filter((one) => one.tenantId !== 0).map((one) => [String(one.id), one.name] as const);
  return (
    <>
      {needsUniverse && (
        <SelectField
          label="Universe"
          required
          path="body.input"
          error={error}
          value={draft.universeId}
          onValue={(universeId) => set({ universeId })}
          options={[['', 'Choose a universe'], ...own(universes.data?.items)]}
        />
      )}
      {draft.kind === 'refresh' && (
        <SelectField
          label="Feed"
          required
          hint={feeds.data?.items.length === 0 ? 'There is no feed yet; connect one under Data.' : undefined}
          value={draft.sourceId}
          onValue={(sourceId) => set({ sourceId })}
          options={[['', 'Choose a feed'], ...own(feeds.data?.items)]}
        />
      )}
      {draft.kind === 'index-run' && (
        <SelectField
          label="Index"
          required
          path="body.input"
          error={error}
          value={draft.indexId}
          onValue={(indexId) => set({ indexId })}
          options={[['', 'Choose an index'], ...own(indexes.data?.items)]}
        />
      )}
      {draft.kind === 'archive' && (
        <TextField
          label="Older than (whole years)"
          type="number"
          min={1}
          max={200}
          required
          path="body.input"
          error={error}
          value={draft.years}
          onValue={(years) => set({ years })}
        />
      )}
    </>
  );
}

function TimeFields({ draft, set, error }: PartProps) {
  const sources = useQuery(apiQuery(listSources));
  const known = (sources.data?.items ?? []).map((source) => source.calendar);
  const calendars = [...new Set(['XNYS', draft.calendar, draft.tradingDaysOnly, ...known])]
    .filter((code) => code !== '')
    .sort()
    .map((code) => [code, code] as const);
  return (
    <>
      <ChoiceField
        legend="When"
        value={draft.way}
        onValue={(value) => set({ way: value === 'close' ? 'close' : 'cron' })}
        options={[
          {
            value: 'close',
            label: 'After each close of an exchange',
            hint: 'Holidays are left out; early closes and daylight saving are followed.',
          },
          { value: 'cron', label: 'At a time', hint: 'Five cron fields in UTC: minute, hour, day, month, weekday.' },
        ]}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        {draft.way === 'close' ? (
          <>
            <TextField
              label="Minutes after the close"
              type="number"
              min={0}
              max={1440}
              required
              path="body.afterClose.minutes"
              error={error}
              value={draft.minutes}
              onValue={(minutes) => set({ minutes })}
            />
            <SelectField
              label="Calendar"
              path="body.afterClose.calendar"
              error={error}
              value={draft.calendar}
              onValue={(calendar) => set({ calendar })}
              options={calendars}
            />
          </>
        ) : (
          <>
            <TextField
              label="Cron (UTC)"
              required
              pattern="(\S+ ){4}\S+"
              title="Five fields: minute, hour, day, month, weekday"
              hint="0 3 * * * is every night at 03:00."
              path="body.cron"
              error={error}
              value={draft.cron}
              onValue={(cron) => set({ cron })}
            />
            <SelectField
              label="Days"
              path="body.tradingDaysOnly"
              error={error}
              value={draft.tradingDaysOnly}
              onValue={(tradingDaysOnly) => set({ tradingDaysOnly })}
              options={[
                ['', 'All days it names'],
                ...calendars.map(([code]) => [code, `Only trading days of ${code}`] as const),
              ]}
            />
          </>
        )}
      </div>
    </>
  );
}

function toDraft(before: Schedule | null): Draft {
  const given = (key: string, otherwise = '') => String(before?.input[key] ?? otherwise);
  return {
    kind: before?.kind ?? 'refresh',
    title: before?.title ?? '',
    way: before === null || before.afterClose !== null ? 'close' : 'cron',
    cron: before?.cron || '0 3 * * *',
    calendar: before?.afterClose?.calendar ?? 'XNYS',
    minutes: String(before?.afterClose?.minutes ?? 75),
    tradingDaysOnly: before?.tradingDaysOnly ?? '',
    universeId: given('universeId'),
    sourceId: given('sourceId'),
    indexId: given('indexId'),
    years: given('years', '10'),
    isOn: before?.enabled ?? true,
  };
}

function toBody(draft: Draft) {
  const when =
    draft.way === 'close'
      ? { afterClose: { calendar: draft.calendar, minutes: Number(draft.minutes) } }
      : { cron: draft.cron, tradingDaysOnly: draft.tradingDaysOnly === '' ? null : draft.tradingDaysOnly };
  return {
    kind: draft.kind,
    title: draft.title.trim() === '' ? scheduleKindName(draft.kind) : draft.title,
    ...when,
    input: toInput(draft),
    enabled: draft.isOn,
  };
}

function toInput(draft: Draft): Record<string, unknown> {
  if (draft.kind === 'refresh') return { universeId: Number(draft.universeId), sourceId: Number(draft.sourceId) };
  if (['court', 'market-record', 'materialise'].includes(draft.kind)) return { universeId: Number(draft.universeId) };
  if (draft.kind === 'index-run') return { indexId: Number(draft.indexId) };
  return draft.kind === 'archive' ? { years: Number(draft.years) } : {};
}
