import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type AbTest, type AbTestResult, getAbTest, stopAbTest } from '@touchstone/contracts/experiments';
import { ConfirmButton } from '../../components/confirm.tsx';
import { Figure } from '../../components/glance.tsx';
import { LineChart } from '../../components/line-chart.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Facts, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatCount, formatDay, formatInstant, formatNumber, formatPercent, plural, words } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

export function AbTestPage() {
  const { testId } = useParams({ from: '/ab-tests/$testId' });
  const query = useQuery(apiQuery(getAbTest, { params: { testId } }));
  const refusal = useRefusal('model:promote');
  const test = query.data?.test;
  return (
    <>
      <SubNav of="models" />
      <PageHeader
        title={test ? `${test.model}: version ${test.treatmentVersion} against ${test.controlVersion}` : 'A/B test'}
        marks={test && <Badge tone={test.state === 'running' ? 'accent' : 'plain'}>{test.state}</Badge>}
        actions={
          test?.state === 'running' && (
            <ConfirmButton
              action="Stop"
              title="Stop the test"
              reasonLabel="Why"
              refusal={refusal}
              run={async (reason) => {
                await client.call(stopAbTest, { params: { testId }, body: { reason } });
                await refreshAll();
              }}
            >
              What was measured stays; nothing more is counted.
            </ConfirmButton>
          )
        }
      >
        {test && (
          <Link to="/models/$model/ab-tests" params={{ model: test.model }} className="link">
            All A/B tests of {test.model}
          </Link>
        )}
      </PageHeader>
      <QueryView query={query} lines={8}>
        {(data) => (
          <div className="grid min-w-0 gap-4">
            <ResultPanel result={data.result} />
            <SetUpPanel test={data.test} />
          </div>
        )}
      </QueryView>
    </>
  );
}

function ResultPanel({ result }: { result: AbTestResult }) {
  const { path } = result;
  return (
    <Panel
      title={words(result.decision)}
      hint={result.sentence}
      footer={
        <span>
          {plural(result.pairCount, 'pair')} of forecasts, {formatCount(result.unpairedCount)} left out because one
          version did not answer; the bounds hold at every look
        </span>
      }
    >
      {result.reason !== null && <p className="text-sm text-soft">{result.reason.sentence}</p>}
      {path.days.length > 1 && (
        <LineChart
          label="Difference of mean loss with its bounds"
          days={path.days}
          lines={[
            { name: 'Difference', values: path.mean, look: 'main' },
            { name: 'Nought', values: path.days.map(() => 0), look: 'faint' },
          ]}
          areas={[{ name: 'Bounds for every look', low: path.low, high: path.high }]}
          height={240}
          format={(value) => formatNumber(value, 4)}
          formatTick={(value) => formatNumber(value, 3)}
        />
      )}
      <ul className="mt-4 flex flex-wrap gap-x-10 gap-y-3">
        <li>
          <Figure value={formatNumber(result.controlLoss, 4)} note="mean loss, control" />
        </li>
        <li>
          <Figure value={formatNumber(result.treatmentLoss, 4)} note="mean loss, treatment" />
        </li>
        <li>
          <Figure
            value={formatNumber(result.difference, 4)}
            note={`bounds ${formatNumber(result.sequential.low, 4)} to ${formatNumber(result.sequential.high, 4)}`}
          />
        </li>
        <li>
          <Figure
            value={formatNumber(result.hac.pValue, 3)}
            note={`p of one look; block bootstrap ${formatNumber(result.bootstrap.low, 4)} to ${formatNumber(result.bootstrap.high, 4)}`}
          />
        </li>
      </ul>
    </Panel>
  );
}

function SetUpPanel({ test }: { test: AbTest }) {
  return (
    <Panel title="How it was set up">
      <Facts
        items={[
          ['Loss', words(test.metric)],
          ['Looks for', `${formatNumber(test.effect, 4)} less`],
          [
            'Needs',
            `${plural(test.neededDays, 'session')} at ${formatPercent(test.power, 0)} power, ${formatPercent(test.level, 0)} false differences over all looks`,
          ],
          ['Ends after', plural(test.maximumDays, 'session')],
          ['Who answers', words(test.assignment)],
          [
            'Noise',
            `${formatNumber(test.noise.longRunDeviation, 4)} a day, ${words(test.noise.basis).toLowerCase()}, ${plural(test.noise.dayCount, 'session')}`,
          ],
          ['Started', formatInstant(test.startedAt)],
          ['First session counted', formatDay(test.firstDay)],
          ...(test.stoppedAt === null
            ? []
            : [['Stopped', `${formatInstant(test.stoppedAt)}: ${test.stopReason}`] as const]),
        ]}
      />
    </Panel>
  );
}
