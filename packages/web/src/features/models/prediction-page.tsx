import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import {
  type Explanation,
  getPrediction,
  getPredictionExplanation,
  type Hop,
  type Prediction,
  replayPrediction,
} from '@touchstone/contracts/predictions';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SignedBars } from '../../components/signed-bars.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Button, Facts, Hash, Note, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatCount, formatDay, formatInstant, formatNumber, formatPercent, words } from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { formatForecast, formatOutcome, learnerWords } from './model-words.ts';
import { PredictionFigure } from './predict-panel.tsx';

export function PredictionPage() {
  const { predictionId } = useParams({ from: '/predictions/$predictionId' });
  const query = useQuery(apiQuery(getPrediction, { params: { predictionId } }));
  const title = query.data
    ? `${query.data.subject.symbol ?? query.data.subject.name}, ${formatDay(query.data.time.asOf)}`
    : 'Prediction';
  return (
    <>
      <SubNav of="models" />
      <PageHeader title={title} marks={query.data && <Badge>prediction {formatCount(query.data.predictionId)}</Badge>}>
        {query.data && (
          <>
            By{' '}
            <Link to="/models/$model" params={{ model: query.data.model }} className="link">
              {query.data.model}
            </Link>
            , version {query.data.version}.
          </>
        )}
      </PageHeader>
      <QueryView query={query} lines={10}>
        {(data) => (
          <div className="grid min-w-0 gap-4 xl:grid-cols-2 xl:items-start">
            <div className="grid min-w-0 gap-4">
              <SaidPanel data={data} />
              <OriginPanel data={data} />
            </div>
            <div className="grid min-w-0 gap-4">
              <ExplanationPanel predictionId={data.predictionId} unit={data.forecast.unit} />
              <ReplayPanel data={data} />
            </div>
          </div>
        )}
      </QueryView>
    </>
  );
}

function SaidPanel({ data }: { data: Prediction }) {
  const { forecast, outcome } = data;
  return (
    <Panel title="What it said">
      <div className="space-y-4">
        <PredictionFigure prediction={data} isWhole />
        {outcome === null ? (
          <p className="text-sm text-soft">Its outcome is known on {formatDay(data.dueDay)}.</p>
        ) : (
          <Facts
            items={[
              ['Happened', `${formatOutcome(forecast.unit, outcome.value)},  ${formatDay(outcome.day)}`],
              ['Loss', formatNumber(outcome.loss, 4)],
              ['Loss of the simple rule', formatNumber(outcome.baselineLoss, 4)],
              ...(outcome.inside === null ? [] : [['Inside its interval', outcome.inside ? 'yes' : 'no'] as const]),
            ]}
          />
        )}
        {data.hops.length > 0 && (
          <DataTable
            label="Who should have answered"
            columns={HOP_COLUMNS}
            rows={data.hops}
            rowKey={(row) => row.from}
            empty=""
          />
        )}
        {forecast.members.length > 0 && (
          <DataTable
            label="Members"
            columns={memberColumns(forecast.unit)}
            rows={forecast.members}
            rowKey={(row) => row.learner}
            empty=""
          />
        )}
      </div>
    </Panel>
  );
}

const HOP_COLUMNS: Column<Hop>[] = [
  { key: 'from', header: 'Asked', cell: (row) => `${words(row.from)}${row.version === null ? '' : ` ${row.version}`}` },
  { key: 'why', header: 'Why not', cell: (row) => row.sentence },
  { key: 'to', header: 'Then', cell: (row) => words(row.to) },
];

function memberColumns(unit: string): Column<Prediction['forecast']['members'][number]>[] {
  return [
    { key: 'learner', header: 'Member', cell: (row) => learnerWords(row.learner) },
    { key: 'weight', header: 'Weight', isNumber: true, cell: (row) => formatPercent(row.weight, 0) },
    { key: 'value', header: 'Said alone', isNumber: true, cell: (row) => formatForecast(unit, row.value) },
  ];
}

function ExplanationPanel({ predictionId, unit }: { predictionId: number; unit: string }) {
  const query = useQuery(apiQuery(getPredictionExplanation, { params: { predictionId } }));
  return (
    <Panel
      title="Why"
      hint={query.data?.sentence}
      footer={
        query.data &&
        query.data.reason === null && (
          <span>
            {words(query.data.method.replaceAll('+', ' and '))},{' '}
            {query.data.exact ? 'exact' : `an estimate, standard error ${formatNumber(query.data.standardError, 4)}`},{' '}
            leaves {formatNumber(query.data.residual, 6)} open, sealed with the prediction
          </span>
        )
      }
    >
      <QueryView query={query} lines={6}>
        {(data) => (data.reason === null ? <Contributions data={data} unit={unit} /> : <p>{data.reason.sentence}</p>)}
      </QueryView>
    </Panel>
  );
}

function Contributions({ data, unit }: { data: Explanation; unit: string }) {
  const isMargin = data.scale === 'margin' && unit === 'probability';
  return (
    <div className="space-y-4">
      <SignedBars
        items={data.groups.map(({ name, contribution }) => ({ name, value: contribution }))}
        format={(value) => `${value > 0 ? '+' : ''}${formatNumber(value, 3)}`}
      />
      <p className="text-sm text-soft">
        From {formatNumber(data.baseValue, 3)} for the average case to {formatNumber(data.total, 3)} here
        {isMargin && ', in log-odds'}.
      </p>
      <p className="text-sm">{data.counterfactual.sentence}</p>
      <p className="text-sm text-soft">{data.stability.sentence}</p>
      <details className="text-sm">
        <summary className="cursor-pointer text-soft">Every input</summary>
        <table className="mt-2 w-full text-xs tabular-nums">
          <tbody>
            {data.groups.flatMap((group) =>
              group.features.map((feature) => (
                <tr key={feature.name}>
                  <td className="pr-2 break-all">{feature.name}</td>
                  <td className="text-right">{formatNumber(feature.value, 4)}</td>
                  <td className="pl-3 text-right">{formatNumber(feature.contribution, 4)}</td>
                </tr>
              )),
            )}
          </tbody>
        </table>
      </details>
    </div>
  );
}

function OriginPanel({ data }: { data: Prediction }) {
  const { lineage, seal, time } = data;
  return (
    <Panel title="Where it comes from">
      <Facts
        items={[
          ['Sealed', formatInstant(seal.sealedAt)],
          [
            'Before its outcome',
            seal.beforeOutcome ? 'yes' : <Badge key="reconstructed">no: reconstructed afterwards</Badge>,
          ],
          ['Seal', <Hash key="seal" value={seal.sha256} />],
          [
            'In the chain',
            <Link key="chain" to="/evidence" className="link">
              record {formatCount(seal.evidenceSequence)}
            </Link>,
          ],
          ['As of', `${formatDay(time.asOf)}, known at ${formatInstant(time.knownAt)}`],
          ['Bars', <Hash key="bars" value={lineage.dataSha256} />],
          ['Inputs', <Hash key="inputs" value={lineage.inputSha256} />],
          ['Features', <Hash key="features" value={lineage.featureSha256} />],
          ['Model', <Hash key="model" value={lineage.artefactSha256} />],
          ['Code, seed', `${lineage.codeVersion}, ${lineage.seed}`],
        ]}
      />
    </Panel>
  );
}

function ReplayPanel({ data }: { data: Prediction }) {
  const refusal = useRefusal('model:read');
  const replay = useMutation({
    mutationFn: () => client.call(replayPrediction, { params: { predictionId: data.predictionId } }),
  });
  return (
    <Panel
      title="Compute it again"
      hint="From the inputs that were kept, with the model that answered; compared to the byte."
      actions={
        <Button refusal={refusal} isBusy={replay.isPending} onClick={() => replay.mutate()}>
          Replay
        </Button>
      }
    >
      {replay.error && <ProblemNotice error={replay.error} />}
      {replay.data && (
        <div className="space-y-3">
          <Note tone={replay.data.equal ? 'accent' : 'bad'} title={replay.data.equal ? 'Equal.' : 'Not equal.'}>
            {replay.data.sentence}
          </Note>
          <Facts
            items={[
              ['Sealed', <Hash key="sealed" value={replay.data.sealedSha256} />],
              ['Now', <Hash key="now" value={replay.data.replayedSha256} />],
              ['Code then, now', `${replay.data.codeVersionThen}, ${replay.data.codeVersionNow}`],
            ]}
          />
          {replay.data.differences.length > 0 && (
            <DataTable
              label="Differences"
              columns={[
                { key: 'part', header: 'Part', cell: (row) => row.part },
                { key: 'sealed', header: 'Sealed', cell: (row) => row.sealed },
                { key: 'now', header: 'Now', cell: (row) => row.replayed },
              ]}
              rows={replay.data.differences}
              rowKey={(row) => row.part}
              empty=""
            />
          )}
        </div>
      )}
    </Panel>
  );
}
