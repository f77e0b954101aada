import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type AutomlAnswer, type AutomlTrial, getAutoml, type LossInterval } from '@touchstone/contracts/automl';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { TaskProgress } from '../../components/task-progress.tsx';
import { Badge, Facts, Hash, PageHeader, Panel } from '../../components/ui.tsx';
import { formatCount, formatDay, formatInstant, formatNumber, formatPlain, plural, words } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { learnerWords, targetWords } from './model-words.ts';
import { VerdictBadge } from './models-page.tsx';
import { SkillBars } from './skill-parts.tsx';

const ENDED = {
  seconds: 'the time was over',
  work_units: 'the fits were done',
  space: 'nothing was left to try',
} as const;

export function SearchPage() {
  const { automlId } = useParams({ from: '/searches/$automlId' });
  const query = useQuery(apiQuery(getAutoml, { params: { automlId } }));
  return (
    <>
      <SubNav of="models" />
      <PageHeader title={`Search ${automlId}`}>
        {query.data && `${targetWords(query.data.target)} Started ${formatInstant(query.data.createdAt)}.`}
      </PageHeader>
      <QueryView query={query} lines={10}>
        {(data) => (
          <div className="grid min-w-0 gap-4">
            {data.state !== 'done' && <TaskProgress taskId={data.taskId} onDone={() => void refreshAll()} />}
            {data.chosen !== null && <ChosenPanel chosen={data.chosen} bias={data.bias} />}
            <TrialsPanel data={data} />
            <HowPanel data={data} />
          </div>
        )}
      </QueryView>
    </>
  );
}

function ChosenPanel({ chosen, bias }: { chosen: NonNullable<AutomlAnswer['chosen']>; bias: string | null }) {
  return (
    <Panel
      title={`Chosen: ${learnerWords(chosen.family)}`}
      hint={chosen.sentence}
      footer={
        chosen.version !== null && (
          <Link
            to="/models/$model/versions/$version"
            params={{ model: chosen.model, version: chosen.version }}
            className="link"
          >
            Version {chosen.version} of {chosen.model}
          </Link>
        )
      }
    >
      <p className="mb-3 text-sm">
        <VerdictBadge passed={chosen.verdict.passed} /> {chosen.verdict.sentence}
      </p>
      {chosen.skill && <SkillBars skill={chosen.skill} />}
      <p className="mt-3 text-sm">
        Loss it was chosen by {lossWords(chosen.inner)}; on days the choice never saw {lossWords(chosen.outer)}. {bias}
      </p>
    </Panel>
  );
}

function lossWords(loss: LossInterval | null): string {
  if (loss === null) return 'not measured';
  return `${formatNumber(loss.value, 4)} (${formatNumber(loss.low, 4)} to ${formatNumber(loss.high, 4)})`;
}

function TrialsPanel({ data }: { data: AutomlAnswer }) {
  const best = data.trials.toSorted(
    (one, other) => Number(other.inSet) - Number(one.inSet) || lossOf(one) - lossOf(other),
  );
  return (
    <Panel
      title={plural(data.trials.length, 'trial')}
      hint={`The best first; those marked cannot be told from the best. ${words(data.loss)} a day, less is better.`}
      footer={
        <span>
          {plural(data.unitsDone, 'fit')} of one block, {plural(data.trialsReused, 'trial')} kept from before
          {data.ended && `; ended because ${ENDED[data.ended]}`}
        </span>
      }
      flush
    >
      <DataTable
        label="Trials"
        columns={trialColumns(data.rungCount)}
        rows={best}
        rowKey={(row) => row.number}
        empty="No trial yet."
      />
    </Panel>
  );
}

function lossOf({ inner }: AutomlTrial): number {
  return inner?.value ?? Number.POSITIVE_INFINITY;
}

function trialColumns(rungCount: number): Column<AutomlTrial>[] {
  return [
    { key: 'number', header: '#', isNumber: true, cell: (row) => row.number },
    {
      key: 'family',
      header: 'Model',
      cell: (row) => (
        <span className="block min-w-40">
          <span className="font-medium">{learnerWords(row.family)}</span>{' '}
          {row.isChosen ? <Badge tone="accent">chosen</Badge> : row.inSet && <Badge>as good as the best</Badge>}
          <span className="block text-xs text-soft">
            {row.featureSet}, {plural(row.stepCount, 'day')}
            {row.trainDays !== null && `, learns from the last ${formatCount(row.trainDays)}`}
          </span>
        </span>
      ),
    },
    {
      key: 'loss',
      header: 'Loss',
      isNumber: true,
      cell: (row) =>
        row.inner === null ? (
          <span className="text-xs whitespace-normal text-soft">{row.problem ?? 'failed'}</span>
        ) : (
          <>
            {formatNumber(row.inner.value, 4)}
            <span className="block text-xs text-soft">
              {formatNumber(row.inner.low, 4)} to {formatNumber(row.inner.high, 4)}
            </span>
          </>
        ),
    },
    { key: 'rung', header: 'Rung', isNumber: true, isWide: true, cell: (row) => `${row.rung} of ${rungCount}` },
    { key: 'state', header: 'State', isWide: true, cell: (row) => words(row.state) },
    {
      key: 'settings',
      header: 'Settings',
      isWide: true,
      cell: (row) => (
        <code className="font-mono text-xs break-all text-soft">
          {Object.entries(row.settings)
            .map(([name, value]) => `${name} ${typeof value === 'number' ? formatPlain(value) : String(value)}`)
            .join(', ')}
        </code>
      ),
    },
    { key: 'seconds', header: 'Seconds', isNumber: true, isWide: true, cell: (row) => formatNumber(row.seconds, 1) },
  ];
}

function HowPanel({ data }: { data: AutomlAnswer }) {
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
          ['Budget, seed', `${formatCount(data.settings.seconds)} s, ${data.settings.seed}`],
          ['Chosen on', plural(data.innerBlocks, 'inner block')],
          ['Reported on', data.outerFrom === null ? 'not planned yet' : `days from ${formatDay(data.outerFrom)} on`],
          [
            'Done by',
            data.ranOn === null ? 'not begun' : `${words(data.ranOn)}${data.runNote ? `: ${data.runNote}` : ''}`,
          ],
          ['Dataset', <Hash key="dataset" value={data.datasetSha256} />],
        ]}
      />
    </Panel>
  );
}
