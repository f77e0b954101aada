import { useQuery } from '@tanstack/react-query';
import { deleteSchedule, listSchedules, type Schedule } from '@touchstone/contracts/tasks';
import { useState } from 'react';
import { ConfirmButton } from '../../components/confirm.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { LastOutcome, NextRuns } from '../../components/schedule-parts.tsx';
import { scheduleKindName, scheduleTime } from '../../components/schedule-words.ts';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Button, Empty, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { ScheduleForm } from './schedule-form.tsx';

const POLL_MS = 30_000;

export function SchedulesPage() {
  const schedules = useQuery({ ...apiQuery(listSchedules), refetchInterval: POLL_MS });
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
        Work that comes again by itself, at a time or after each close of an exchange.
      </PageHeader>
      <Panel title="All schedules" flush>
        <QueryView query={schedules}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="Nothing comes again by itself yet">
                <p>
                  Good first ones: back up and verify the evidence every night. The page of a universe has “Keep it
                  current”, which makes the rest.
                </p>
              </Empty>
            ) : (
              <ul>
                {items.map((schedule) => (
                  <ScheduleItem
                    key={schedule.id}
                    schedule={schedule}
                    mayChange={refusal === null}
                    onEdit={() => setEdited(schedule)}
                  />
                ))}
              </ul>
            )
          }
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

type ItemProps = { schedule: Schedule; mayChange: boolean; onEdit: () => void };

function ScheduleItem({ schedule, mayChange, onEdit }: ItemProps) {
  return (
    <li className="grid gap-x-6 gap-y-2 border-t border-line px-4 py-3 text-sm md:grid-cols-[1.2fr_1.5fr_1.1fr_auto]">
      <div>
        <span className="font-medium">{schedule.title}</span> {!schedule.enabled && <Badge tone="warn">off</Badge>}
        <span className="block text-xs text-soft">{scheduleKindName(schedule.kind)}</span>
      </div>
      <div>
        {scheduleTime(schedule)}
        <span className="block text-xs text-soft">
          Next: <NextRuns schedule={schedule} />
        </span>
      </div>
      <LastOutcome schedule={schedule} />
      {mayChange && (
        <span className="flex items-start gap-2">
          <Button onClick={onEdit}>Edit</Button>
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
      )}
    </li>
  );
}
