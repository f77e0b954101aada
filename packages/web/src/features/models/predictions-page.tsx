import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { joinOutcomes, listPredictions, type Prediction } from '@touchstone/contracts/predictions';
import { type Column, DataTable, MoreRows } from '../../components/data-table.tsx';
import { Segments } from '../../components/index-levels.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { TaskProgress } from '../../components/task-progress.tsx';
import { Button, Empty, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatDay, formatInstant, formatNumber } from '../../lib/format.ts';
import { refreshAll, usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { formatForecast, formatOutcome } from './model-words.ts';
import { ServedBadge } from './predict-panel.tsx';

const STATES = [
  ['All', undefined],
  ['Not due', 'pending'],
  ['Happened', 'resolved'],
  ['Abstained', 'abstained'],
] as const;

export function PredictionsPage() {
  const { model, which } = useSearch({ from: '/predictions' });
  const navigate = useNavigate();
  const refusal = useRefusal('task:write');
  const { query, items } = usePages(['listPredictions', 'pages', model, which], (cursor) =>
    client.call(listPredictions, { query: { cursor, model, state: which } }),
  );
  const join = useMutation({ mutationFn: () => client.call(joinOutcomes) });
  return (
    <>
      <SubNav of="models" />
      <PageHeader
        title={model === undefined ? 'Predictions' : `Predictions of ${model}`}
        actions={
          <Button refusal={refusal} isBusy={join.isPending} onClick={() => join.mutate()}>
            Join what happened
          </Button>
        }
      >
        As they were sealed, with what happened. None is ever changed or taken away.
      </PageHeader>
      {join.error && <ProblemNotice error={join.error} />}
      {join.data && (
        <div className="mb-4">
          <TaskProgress taskId={join.data.task.id} onDone={() => void refreshAll()} />
        </div>
      )}
      <Panel
        title="Newest first"
        actions={
          <Segments
            label="Which"
            options={STATES.map(([label, value]) => ({
              label,
              isOn: which === value,
              choose: () => void navigate({ to: '.', search: (before) => ({ ...before, which: value }) }),
            }))}
          />
        }
        flush
      >
        <QueryView query={{ ...query, data: items }}>
          {(rows) => (
            <DataTable
              label="Predictions"
              columns={COLUMNS}
              rows={rows}
              rowKey={(row) => row.predictionId}
              empty={
                <Empty title="No prediction here">
                  <p>Ask a model for a forecast, or let a schedule ask every day.</p>
                </Empty>
              }
            />
          )}
        </QueryView>
        <MoreRows query={query} />
      </Panel>
    </>
  );
}

const COLUMNS: Column<Prediction>[] = [
  {
    key: 'subject',
    header: 'About',
    cell: (row) => (
      <>
        <Link to="/predictions/$predictionId" params={{ predictionId: row.predictionId }} className="link font-medium">
          {row.subject.symbol ?? row.subject.name}
        </Link>
        <span className="block text-xs whitespace-nowrap text-soft">{formatDay(row.time.asOf)}</span>
      </>
    ),
  },
  {
    key: 'model',
    header: 'Model',
    isWide: true,
    cell: (row) => (
      <>
        <Link to="/models/$model" params={{ model: row.model }} className="link">
          {row.model}
        </Link>{' '}
        <span className="text-soft">version {row.version}</span>
      </>
    ),
  },
  {
    key: 'said',
    header: 'Said',
    isNumber: true,
    cell: ({ forecast }) =>
      forecast.value === null ? (
        <span className="text-soft">abstains</span>
      ) : (
        <>
          <span className="font-medium">{formatForecast(forecast.unit, forecast.value)}</span>
          {forecast.lower !== null && (
            <span className="block text-xs text-soft">
              {formatForecast(forecast.unit, forecast.lower)} to {formatForecast(forecast.unit, forecast.upper)}
            </span>
          )}
        </>
      ),
  },
  {
    key: 'baseline',
    header: 'Simple rule',
    isNumber: true,
    isWide: true,
    cell: ({ forecast }) => formatForecast(forecast.unit, forecast.baseline.value),
  },
  {
    key: 'happened',
    header: 'Happened',
    isNumber: true,
    cell: ({ forecast, outcome, dueDay }) =>
      outcome === null ? (
        <span className="text-xs text-soft">due {formatDay(dueDay)}</span>
      ) : (
        <>
          {formatOutcome(forecast.unit, outcome.value)}
          {outcome.loss !== null && (
            <span className="block text-xs text-soft">
              loss {formatNumber(outcome.loss, 3)}, rule {formatNumber(outcome.baselineLoss, 3)}
            </span>
          )}
        </>
      ),
  },
  {
    key: 'sealed',
    header: 'Sealed',
    isWide: true,
    cell: (row) => (
      <>
        <span className="block whitespace-nowrap">{formatInstant(row.seal.sealedAt)}</span>
        <ServedBadge prediction={row} />
      </>
    ),
  },
];
