import { useMutation, useQuery } from '@tanstack/react-query';
import { type DriftCheck, type DriftFinding, getDrift, startDriftCheck } from '@touchstone/contracts/drift';
import { useState } from 'react';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { CheckField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { TaskProgress } from '../../components/task-progress.tsx';
import { Badge, Button, Empty, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatDay, formatInstant, formatNumber, plural, words } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { ModelFrame, useModelName } from './model-frame.tsx';

export function DriftPage() {
  const model = useModelName();
  const refusal = useRefusal('model:write');
  const [chosen, setChosen] = useState<number | undefined>();
  const [alarmsOnly, setAlarmsOnly] = useState(false);
  const query = useQuery(
    apiQuery(getDrift, { params: { model }, query: { checkId: chosen, alarmsOnly: String(alarmsOnly) } }),
  );
  const check = useMutation({ mutationFn: () => client.call(startDriftCheck, { params: { model } }) });
  return (
    <ModelFrame
      actions={
        <Button refusal={refusal} isBusy={check.isPending} onClick={() => check.mutate()}>
          Check now
        </Button>
      }
    >
      {check.error && <ProblemNotice error={check.error} />}
      {check.data && (
        <div className="mb-4">
          <TaskProgress taskId={check.data.task.id} onDone={() => void refreshAll()} />
        </div>
      )}
      <QueryView query={query} lines={8}>
        {(data) =>
          data.check === null ? (
            <Empty title="Never checked.">
              A check compares what the model is fed, what it says and how wrong it is with its own past. A schedule can
              do it after every refresh.
            </Empty>
          ) : (
            <div className="grid min-w-0 gap-4 xl:grid-cols-[minmax(0,2fr)_minmax(0,1fr)] xl:items-start">
              <Panel
                title={
                  data.check.alarmCount === 0
                    ? `Nothing drifts, as of ${formatDay(data.check.asOf)}`
                    : `${plural(data.check.alarmCount, 'alarm')}, as of ${formatDay(data.check.asOf)}`
                }
                hint={data.budget.sentence}
                actions={<CheckField label="Only alarms" isChecked={alarmsOnly} onChecked={setAlarmsOnly} />}
                footer={
                  <span>
                    version {data.check.version}, checked {formatInstant(data.check.checkedAt)}, code{' '}
                    {data.check.codeVersion}; ranked by what it does to the predictions
                  </span>
                }
                flush
              >
                <DataTable
                  label="Findings"
                  columns={FINDING_COLUMNS}
                  rows={data.findings}
                  rowKey={(row) => row.id}
                  empty="No finding is over its limit."
                />
              </Panel>
              <Panel title="Checks" flush>
                <DataTable
                  label="Checks"
                  columns={checkColumns(data.check.id, setChosen)}
                  rows={data.items}
                  rowKey={(row) => row.id}
                  empty="No check before."
                />
              </Panel>
            </div>
          )
        }
      </QueryView>
    </ModelFrame>
  );
}

const FINDING_COLUMNS: Column<DriftFinding>[] = [
  { key: 'rank', header: '#', isNumber: true, cell: (row) => row.rank },
  {
    key: 'what',
    header: 'What',
    cell: (row) => (
      <span className="block min-w-32">
        <span className="font-medium break-all">{row.feature ?? words(row.area)}</span>{' '}
        {row.alarm && <Badge tone="warn">alarm</Badge>}
        <span className="block text-xs text-soft">
          {words(row.area)}: {words(row.rule).toLowerCase()}
        </span>
      </span>
    ),
  },
  {
    key: 'statistic',
    header: 'Measured',
    isNumber: true,
    cell: (row) => (
      <>
        {formatNumber(row.statistic)}
        <span className="block text-xs text-soft">limit {formatNumber(row.threshold)}</span>
      </>
    ),
  },
  { key: 'effect', header: 'Moves the mean by', isNumber: true, cell: (row) => formatNumber(row.effect, 4) },
  {
    key: 'sentence',
    header: 'In words',
    isWide: true,
    cell: (row) => <span className="text-xs text-soft">{row.reason?.sentence ?? row.sentence}</span>,
  },
];

function checkColumns(shown: number, choose: (checkId: number) => void): Column<DriftCheck>[] {
  return [
    {
      key: 'asOf',
      header: 'As of',
      cell: (row) =>
        row.id === shown ? (
          <span className="font-medium">{formatDay(row.asOf)}</span>
        ) : (
          <button type="button" className="link" onClick={() => choose(row.id)}>
            {formatDay(row.asOf)}
          </button>
        ),
    },
    { key: 'version', header: 'Version', isNumber: true, cell: (row) => row.version },
    { key: 'alarms', header: 'Alarms', isNumber: true, cell: (row) => row.alarmCount },
  ];
}
