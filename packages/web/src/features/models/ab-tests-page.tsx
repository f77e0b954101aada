import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import {
  type AbTest,
  type Assignment,
  createAbTest,
  type LossMetric,
  listAbTests,
  lossMetric,
} from '@touchstone/contracts/experiments';
import { listModelVersions } from '@touchstone/contracts/models';
import { useState } from 'react';
import { type Column, DataTable, MoreRows } from '../../components/data-table.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { ChoiceField, onSubmit, SelectField, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { Badge, Button, Empty, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatCount, formatInstant, formatNumber, words } from '../../lib/format.ts';
import { apiQuery, usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { ModelFrame, useModelName } from './model-frame.tsx';
import { PowerPanel } from './power-panel.tsx';

export function AbTestsPage() {
  const model = useModelName();
  const refusal = useRefusal('model:promote');
  const [isOpen, setIsOpen] = useState(false);
  const { query, items } = usePages(['listAbTests', 'pages', model], (cursor) =>
    client.call(listAbTests, { params: { model }, query: { cursor } }),
  );
  return (
    <ModelFrame
      actions={
        <Button look="main" refusal={refusal} onClick={() => setIsOpen(true)}>
          Compare two versions
        </Button>
      }
    >
      <div className="grid min-w-0 gap-4">
        <Panel
          title="A/B tests"
          hint="Two versions on what both said before it happened. Looking every day is allowed: the bounds know it."
          flush
        >
          <QueryView query={{ ...query, data: items }}>
            {(rows) => (
              <DataTable
                label="A/B tests"
                columns={COLUMNS}
                rows={rows}
                rowKey={(row) => row.id}
                empty={
                  <Empty title="No A/B test yet.">
                    One that could not find the difference it looks for is refused, with the number of sessions it would
                    take.
                  </Empty>
                }
              />
            )}
          </QueryView>
          <MoreRows query={query} />
        </Panel>
        <PowerPanel />
      </div>
      <Dialog title={`Compare two versions of ${model}`} isOpen={isOpen} onClose={() => setIsOpen(false)}>
        <CompareForm model={model} onCancel={() => setIsOpen(false)} />
      </Dialog>
    </ModelFrame>
  );
}

const COLUMNS: Column<AbTest>[] = [
  {
    key: 'what',
    header: 'Test',
    cell: (row) => (
      <Link to="/ab-tests/$testId" params={{ testId: row.id }} className="link font-medium">
        version {row.treatmentVersion} against {row.controlVersion}
      </Link>
    ),
  },
  {
    key: 'state',
    header: 'State',
    cell: (row) => <Badge tone={row.state === 'running' ? 'accent' : 'plain'}>{row.state}</Badge>,
  },
  { key: 'metric', header: 'By', cell: (row) => words(row.metric) },
  { key: 'effect', header: 'Looks for', isNumber: true, cell: (row) => formatNumber(row.effect, 4) },
  {
    key: 'needed',
    header: 'Sessions needed',
    isNumber: true,
    isWide: true,
    cell: (row) => formatCount(row.neededDays),
  },
  { key: 'started', header: 'Started', isWide: true, cell: (row) => formatInstant(row.startedAt) },
];

const ASSIGNMENTS: readonly { value: Assignment; label: string; hint: string }[] = [
  { value: 'shadow', label: 'Shadow', hint: 'The control answers; the other one is only written down.' },
  { value: 'interleaved', label: 'By days', hint: 'They take turns in blocks of sessions.' },
  { value: 'sticky', label: 'By subject', hint: 'Each instrument keeps one of them.' },
];

function CompareForm({ model, onCancel }: { model: string; onCancel: () => void }) {
  const navigate = useNavigate();
  const versions = useQuery(apiQuery(listModelVersions, { params: { model }, query: { limit: 100 } }));
  const options = (versions.data?.items ?? []).map(
    ({ version, aliases }) => [String(version), [version, ...aliases].join(', ')] as const,
  );
  const [control, setControl] = useState('');
  const [treatment, setTreatment] = useState('');
  const [metric, setMetric] = useState<LossMetric>('brier');
  const [effect, setEffect] = useState('0.01');
  const [assignment, setAssignment] = useState<Assignment>('shadow');
  const controlVersion = Number(control || (options[1] ?? options[0])?.[0]);
  const treatmentVersion = Number(treatment || options[0]?.[0]);
  const create = useMutation({
    mutationFn: () =>
      client.call(createAbTest, {
        params: { model },
        body: { controlVersion, treatmentVersion, metric, effect: Number(effect), assignment },
      }),
    onSuccess: ({ id }) => navigate({ to: '/ab-tests/$testId', params: { testId: id } }),
  });
  const isMetric = (value: string): value is LossMetric => lossMetric.options.some((one) => one === value);
  const isAssignment = (value: string): value is Assignment => ASSIGNMENTS.some((one) => one.value === value);
  return (
    <form className="space-y-4" onSubmit={onSubmit(() => create.mutate())}>
      <div className="grid gap-4 sm:grid-cols-2">
        <SelectField label="Control" value={String(controlVersion)} onValue={setControl} options={options} />
        <SelectField label="Treatment" value={String(treatmentVersion)} onValue={setTreatment} options={options} />
        <SelectField
          label="Loss"
          hint="Of one forecast; smaller is better."
          value={metric}
          onValue={(value) => isMetric(value) && setMetric(value)}
          options={lossMetric.options.map((one) => [one, words(one)] as const)}
        />
        <TextField
          label="Difference to find"
          hint="Mean loss by which the treatment should be lower."
          path="body.effect"
          error={create.error}
          type="number"
          step="any"
          value={effect}
          onValue={setEffect}
        />
      </div>
      <ChoiceField
        legend="Who answers"
        value={assignment}
        onValue={(value) => isAssignment(value) && setAssignment(value)}
        options={ASSIGNMENTS}
      />
      {create.error && <ProblemNotice error={create.error} />}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="main" isBusy={create.isPending} disabled={controlVersion === treatmentVersion}>
          Start
        </Button>
        <Button onClick={onCancel}>Not now</Button>
      </div>
    </form>
  );
}
