import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { getTraining, type Training, train } from '@touchstone/contracts/training';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { TaskProgress } from '../../components/task-progress.tsx';
import { Badge, Button, Facts, Hash, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatCount, formatDay, formatInstant, formatNumber } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { learnerWords, targetWords } from './model-words.ts';
import { VerdictBadge } from './models-page.tsx';
import { SkillFigure } from './skill-parts.tsx';

type Trained = Training['models'][number];

export function TrainingPage() {
  const { trainingId } = useParams({ from: '/trainings/$trainingId' });
  const query = useQuery(apiQuery(getTraining, { params: { trainingId } }));
  return (
    <>
      <SubNav of="models" />
      <PageHeader title={`Training ${trainingId}`} actions={query.data && <GoOn training={query.data} />}>
        {query.data && `Started ${formatInstant(query.data.createdAt)}.`}
      </PageHeader>
      <QueryView query={query} lines={8}>
        {(data) => (
          <div className="grid min-w-0 gap-4">
            {data.state !== 'done' && <TaskProgress taskId={data.taskId} onDone={() => void refreshAll()} />}
            <ModelsPanel data={data} />
            <SettingsPanel data={data} />
          </div>
        )}
      </QueryView>
    </>
  );
}

/** A training that was stopped or failed is asked for again: its finished parts are found by their hash. */
function GoOn({ training }: { training: Training }) {
  const navigate = useNavigate();
  const refusal = useRefusal('model:write');
  const again = useMutation({
    mutationFn: () => client.call(train, { body: { universeId: training.universeId, ...training.settings } }),
    onSuccess: ({ trainingId }) => navigate({ to: '/trainings/$trainingId', params: { trainingId } }),
  });
  if (training.state !== 'failed' && training.state !== 'cancelled') return null;
  return (
    <>
      <Button look="main" refusal={refusal} isBusy={again.isPending} onClick={() => again.mutate()}>
        Go on
      </Button>
      {again.error && <ProblemNotice error={again.error} />}
    </>
  );
}

function ModelsPanel({ data }: { data: Training }) {
  return (
    <Panel
      title="What came out"
      hint="Each beside the simple rules and the linear model, on days none of them had seen."
      footer={<span>purged walk-forward; every row is a trial in the ledger, failed ones too; hypothetical</span>}
      flush
    >
      <DataTable
        label="Trained models"
        columns={COLUMNS}
        rows={data.models.map((row, at) => ({ ...row, isFirst: data.models[at - 1]?.target !== row.target }))}
        rowKey={(row) => `${row.target} ${row.family}`}
        empty={data.state === 'done' ? 'Nothing came out.' : 'The models stand here when it is done.'}
      />
    </Panel>
  );
}

/** The first row of a target names it for the eye; a reader is told in each. */
const COLUMNS: Column<Trained & { isFirst: boolean }>[] = [
  {
    key: 'what',
    header: 'Forecast',
    cell: (row) => (
      <span className={`block min-w-32 ${row.isFirst ? 'font-medium' : 'sr-only'}`}>{targetWords(row.target)}</span>
    ),
  },
  {
    key: 'family',
    header: 'With',
    cell: (row) => (
      <>
        {row.version === null ? (
          learnerWords(row.family)
        ) : (
          <Link
            to="/models/$model/versions/$version"
            params={{ model: row.model, version: row.version }}
            className="link font-medium"
          >
            {learnerWords(row.family)}
          </Link>
        )}{' '}
        {row.isRecommended && <Badge tone="accent">simplest that holds</Badge>}
        {row.promoted && <Badge tone="accent">served</Badge>}
      </>
    ),
  },
  { key: 'skill', header: 'Skill', cell: (row) => <SkillFigure skill={row.skill} /> },
  {
    key: 'verdict',
    header: 'Gate',
    cell: (row) => (
      <span className="block min-w-40">
        <VerdictBadge passed={row.verdict.passed} />
        <span className="block text-xs text-soft">{row.verdict.sentence}</span>
      </span>
    ),
  },
  { key: 'cost', header: 'Seconds', isNumber: true, isWide: true, cell: (row) => formatNumber(row.costSeconds, 1) },
];

function SettingsPanel({ data }: { data: Training }) {
  const { settings } = data;
  return (
    <Panel title="How">
      <Facts
        items={[
          [
            'Universe',
            <Link key="universe" to="/universes/$universeId" params={{ universeId: data.universeId }} className="link">
              {data.universeId}
            </Link>,
          ],
          ['Effort, seed', `${settings.effort}, ${settings.seed}`],
          ['From', settings.from === undefined ? 'the first day there is' : formatDay(settings.from)],
          [
            'Fits',
            `${formatCount(data.partsDone)} of ${formatCount(data.partCount)}, ${formatCount(data.partsReused)} kept from before, ${formatCount(data.partsFailed)} failed`,
          ],
          [
            'Dataset',
            data.datasetSha256 === null ? (
              'not frozen yet'
            ) : (
              <Link
                key="dataset"
                to="/evidence/datasets/$sha256"
                params={{ sha256: data.datasetSha256 }}
                className="link"
              >
                <Hash value={data.datasetSha256} />
              </Link>
            ),
          ],
        ]}
      />
    </Panel>
  );
}
