import { useMutation, useQuery } from '@tanstack/react-query';
import { listIndexes } from '@touchstone/contracts/indexes';
import {
  createSchedule,
  deleteSchedule,
  listSchedules,
  type Schedule,
  updateSchedule,
} from '@touchstone/contracts/tasks';
import { useState } from 'react';
import { ConfirmButton } from '../../components/confirm.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { CheckField, onSubmit, SelectField, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Button, Empty, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatInstant } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

const KINDS = [
  ['index-run', 'Compute an index'],
  ['verify', 'Verify the evidence'],
] as const;
type Kind = Schedule['kind'];

export function SchedulesPage() {
  const schedules = useQuery(apiQuery(listSchedules));
  const [edited, setEdited] = useState<Schedule | 'new' | null>(null);
  const refusal = useRefusal('task:write');
  return (
    <>
      <SubNav of="tasks" />
      <PageHeader
        title="Schedules"
        actions={
          <Button look="main" refusal={refusal} onClick={() => setEdited('new')}>
            New schedule
          </Button>
        }
      >
        Work that comes again by itself.
      </PageHeader>
      <Panel title="Schedules" flush>
        <QueryView query={schedules}>
          {({ items }) => (
            <DataTable
              label="Schedules"
              rows={items}
              rowKey={(schedule) => schedule.id}
              empty={
                <Empty title="Nothing comes again by itself yet">
                  <p>A good first one: verify the evidence every night.</p>
                </Empty>
              }
              columns={[
                {
                  key: 'title',
                  header: 'Schedule',
                  cell: (schedule) => (
                    <span className="block min-w-32">
                      <span className="font-medium">{schedule.title}</span>{' '}
                      {!schedule.enabled && <Badge tone="warn">off</Badge>}
                    </span>
                  ),
                },
                { key: 'kind', header: 'What', cell: (schedule) => kindName(schedule.kind) },
                {
                  key: 'cron',
                  header: 'When (UTC)',
                  cell: (schedule) => <code className="font-mono text-xs whitespace-nowrap">{schedule.cron}</code>,
                },
                {
                  key: 'last',
                  header: 'Last started',
                  isWide: true,
                  cell: (schedule) => formatInstant(schedule.lastStartedAt),
                },
                {
                  key: 'act',
                  header: <span className="sr-only">Actions</span>,
                  cell: (schedule) =>
                    refusal === null && (
                      <span className="flex justify-end gap-2">
                        <Button onClick={() => setEdited(schedule)}>Edit</Button>
                        <ConfirmButton
                          action="Delete"
                          look="bad"
                          title={`Delete “${schedule.title}”?`}
                          run={async () => {
                            await client.call(deleteSchedule, { params: { scheduleId: schedule.id } });
                            await refreshAll();
                          }}
                        >
                          It will not start again. Tasks it started stay.
                        </ConfirmButton>
                      </span>
                    ),
                },
              ]}
            />
          )}
        </QueryView>
      </Panel>
      <Dialog
        title={edited === 'new' ? 'New schedule' : 'Edit schedule'}
        isOpen={edited !== null}
        onClose={() => setEdited(null)}
      >
        {edited !== null && <ScheduleForm before={edited === 'new' ? null : edited} onDone={() => setEdited(null)} />}
      </Dialog>
    </>
  );
}

function ScheduleForm({ before, onDone }: { before: Schedule | null; onDone: () => void }) {
  const indexes = useQuery(apiQuery(listIndexes, { query: { limit: 200 } }));
  const [kind, setKind] = useState<Kind>(before?.kind ?? 'verify');
  const [title, setTitle] = useState(before?.title ?? '');
  const [cron, setCron] = useState(before?.cron ?? '0 3 * * *');
  const [indexId, setIndexId] = useState(String(before?.input.indexId ?? ''));
  const [isOn, setIsOn] = useState(before?.enabled ?? true);
  const save = useMutation({
    mutationFn: () => {
      const input: Record<string, unknown> = kind === 'index-run' ? { indexId: Number(indexId) } : {};
      const body = { kind, title, cron, input, enabled: isOn };
      return before === null
        ? client.call(createSchedule, { body })
        : client.call(updateSchedule, {
            params: { scheduleId: before.id },
            body: { ...body, version: before.version },
          });
    },
    onSuccess: async () => {
      onDone();
      await refreshAll();
    },
  });
  return (
    <form className="space-y-4" onSubmit={onSubmit(() => save.mutate())}>
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField
          label="Name"
          required
          maxLength={200}
          path="body.title"
          error={save.error}
          value={title}
          onValue={setTitle}
        />
        <SelectField
          label="What"
          value={kind}
          onValue={(value) => setKind(KINDS.find(([one]) => one === value)?.[0] ?? 'verify')}
          options={KINDS}
        />
        <TextField
          label="When (cron, UTC)"
          required
          pattern="(\S+ ){4}\S+"
          title="Five fields: minute, hour, day, month, weekday"
          hint="Minute, hour, day, month, weekday. 0 3 * * * is every night at 03:00."
          path="body.cron"
          error={save.error}
          value={cron}
          onValue={setCron}
        />
        {kind === 'index-run' && (
          <SelectField
            label="Index"
            required
            path="body.input"
            error={save.error}
            value={indexId}
            onValue={setIndexId}
            options={[
              ['', 'Choose an index'],
              ...(indexes.data?.items ?? [])
                .filter((index) => index.tenantId !== 0)
                .map((index) => [String(index.id), index.name] as const),
            ]}
          />
        )}
      </div>
      <CheckField label="On" isChecked={isOn} onChecked={setIsOn} />
      {save.error && <ProblemNotice error={save.error} />}
      <Button type="submit" look="main" isBusy={save.isPending}>
        Save
      </Button>
    </form>
  );
}

function kindName(kind: Kind): string {
  return KINDS.find(([one]) => one === kind)?.[1] ?? kind;
}
