import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import {
  type AliasEvent,
  getModel,
  getModelVersion,
  getServingHistory,
  listAliasHistory,
  rollbackModel,
  type ServingPeriod,
  type VersionDetail,
  withdrawModel,
} from '@touchstone/contracts/models';
import { ConfirmButton } from '../../components/confirm.tsx';
import { type Column, DataTable, MoreRows } from '../../components/data-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SignedBars } from '../../components/signed-bars.tsx';
import { Badge, Empty, Facts, Hash, Note, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatCount, formatDay, formatInstant, formatNumber, formatPercent, plural, words } from '../../lib/format.ts';
import { apiQuery, refreshAll, usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { ModelFrame, useModelName } from './model-frame.tsx';
import { learnerWords, targetWords } from './model-words.ts';
import { VerdictBadge } from './models-page.tsx';
import { PredictPanel } from './predict-panel.tsx';
import { PromoteButton } from './promote-button.tsx';
import { SkillBars } from './skill-parts.tsx';

export function ModelPage() {
  const model = useModelName();
  const query = useQuery(apiQuery(getModel, { params: { model } }));
  return (
    <ModelFrame actions={<ServingActions model={model} />}>
      <QueryView query={query} lines={10}>
        {({ champion, latestVersion }) => {
          const shown = champion?.version ?? latestVersion;
          if (shown === null) return <Empty title="No version yet.">A training or an upload makes the first.</Empty>;
          return (
            <div className="grid min-w-0 gap-4">
              {champion === null && (
                <Note tone="warn" title="Nothing is served.">
                  What you see is version {shown}, the newest. Asked for a forecast, the model abstains until somebody
                  promotes a version that passed the gate.
                </Note>
              )}
              <VersionOverview model={model} version={shown} />
              <PredictPanel model={model} />
              <div className="grid min-w-0 gap-4 xl:grid-cols-2 xl:items-start">
                <ServingPanel model={model} />
                <HistoryPanel model={model} />
              </div>
            </div>
          );
        }}
      </QueryView>
    </ModelFrame>
  );
}

function ServingActions({ model }: { model: string }) {
  const { data } = useQuery(apiQuery(getModel, { params: { model } }));
  const refusal = useRefusal('model:promote');
  const champion = data?.champion;
  if (!champion) return null;
  return (
    <>
      <ConfirmButton
        action="Roll back"
        title={`Roll ${model} back`}
        reasonLabel="Why"
        refusal={refusal}
        look="bad"
        run={async (reason) => {
          await client.call(rollbackModel, { params: { model }, body: { reason, expected: champion.version } });
          await refreshAll();
        }}
      >
        The champion before version {champion.version} answers again, within seconds on every server and without a
        failed request. Both changes stay on record.
      </ConfirmButton>
      <ConfirmButton
        action="Withdraw"
        title={`Withdraw ${model}`}
        reasonLabel="Why"
        refusal={refusal}
        run={async (reason) => {
          await client.call(withdrawModel, { params: { model }, body: { reason, expected: champion.version } });
          await refreshAll();
        }}
      >
        Nothing is served any more: the model abstains until a version is promoted.
      </ConfirmButton>
    </>
  );
}

/** What a version is worth and what it is made of. */
export function VersionOverview({ model, version }: { model: string; version: number }) {
  const query = useQuery(apiQuery(getModelVersion, { params: { model, version } }));
  return (
    <QueryView query={query} lines={8}>
      {(data) => (
        <div className="grid min-w-0 gap-4 xl:grid-cols-2 xl:items-start">
          <WorthPanel data={data} />
          <MadeOfPanel data={data} />
        </div>
      )}
    </QueryView>
  );
}

function WorthPanel({ data }: { data: VersionDetail }) {
  const { skill, verdict } = data.manifest;
  return (
    <Panel
      title={`What version ${data.version} is worth`}
      hint={targetWords(data.manifest.target)}
      actions={
        !data.aliases.includes('champion') &&
        verdict?.passed === true && <PromoteButton model={data.model} version={data.version} />
      }
      footer={<span>out of sample, purged walk-forward; hypothetical until predictions are sealed and due</span>}
    >
      {verdict && (
        <p className="mb-3 text-sm">
          <VerdictBadge passed={verdict.passed} /> {verdict.sentence}
        </p>
      )}
      {skill === null ? <p className="text-sm text-soft">Not measured here.</p> : <SkillBars skill={skill} />}
    </Panel>
  );
}

function MadeOfPanel({ data }: { data: VersionDetail }) {
  const { manifest } = data;
  const members = manifest.members.toSorted((a, b) => b.weight - a.weight);
  return (
    <Panel
      title="What it is made of"
      footer={
        <Link
          to="/models/$model/versions/$version"
          params={{ model: data.model, version: data.version }}
          className="link"
        >
          Card of version {data.version}
        </Link>
      }
    >
      {members.length > 0 && (
        <div className="mb-4">
          <SignedBars
            items={members.map(({ learner, weight }) => ({ name: learnerWords(learner), value: weight }))}
            format={(value) => formatPercent(value, 0)}
          />
        </div>
      )}
      <Facts
        items={[
          ['Learnt on', `${formatDay(manifest.firstDay)} to ${formatDay(manifest.trainedUntil)}`],
          ['Reads', `${plural(manifest.features.length, 'feature')}, ${plural(manifest.stepCount, 'day')} of each`],
          ['Outcome known after', plural(manifest.horizonDays, 'session')],
          ['Answers until', `${formatCount(manifest.expiresAfterDays)} days after its last day, then it abstains`],
          [
            'Cost',
            `${formatNumber(manifest.costSeconds, 1)} s of processor time${manifest.costJoules === null ? '' : `, about ${formatCount(Math.round(manifest.costJoules))} J`}`,
          ],
          [
            'Dataset',
            <Link
              key="dataset"
              to="/evidence/datasets/$sha256"
              params={{ sha256: manifest.datasetSha256 }}
              className="link"
            >
              <Hash value={manifest.datasetSha256} />
            </Link>,
          ],
          ['Features', <Hash key="features" value={manifest.featureSha256} />],
          ['Code, seed', `${manifest.codeVersion}, ${manifest.seed}`],
        ]}
      />
    </Panel>
  );
}

function ServingPanel({ model }: { model: string }) {
  const query = useQuery(apiQuery(getServingHistory, { params: { model }, query: {} }));
  return (
    <Panel title="Which version answered when" flush>
      <QueryView query={query}>
        {({ periods }) => (
          <DataTable
            label="Serving history"
            columns={SERVING_COLUMNS}
            rows={periods}
            rowKey={(row) => row.from}
            empty="No version was ever served."
          />
        )}
      </QueryView>
    </Panel>
  );
}

const SERVING_COLUMNS: Column<ServingPeriod>[] = [
  {
    key: 'version',
    header: 'Version',
    cell: (row) => (row.version === null ? <span className="text-soft">none</span> : row.version),
  },
  { key: 'from', header: 'From', cell: (row) => formatInstant(row.from) },
  { key: 'until', header: 'Until', cell: (row) => (row.until === null ? 'now' : formatInstant(row.until)) },
  { key: 'why', header: 'Why', isWide: true, cell: (row) => row.reason },
];

function HistoryPanel({ model }: { model: string }) {
  const { query, items } = usePages(['listAliasHistory', 'pages', model], (cursor) =>
    client.call(listAliasHistory, { params: { model }, query: { cursor, limit: 20 } }),
  );
  return (
    <Panel title="Who put what where" hint="Every change of an alias; never deleted." flush>
      <QueryView query={{ ...query, data: items }}>
        {(rows) => (
          <DataTable
            label="Changes of aliases"
            columns={HISTORY_COLUMNS}
            rows={rows}
            rowKey={(row) => row.id}
            empty="No alias was ever set."
          />
        )}
      </QueryView>
      <MoreRows query={query} />
    </Panel>
  );
}

const HISTORY_COLUMNS: Column<AliasEvent>[] = [
  { key: 'at', header: 'When', cell: (row) => formatInstant(row.at) },
  {
    key: 'what',
    header: 'What',
    cell: (row) => (
      <>
        <Badge tone={row.action === 'rolled_back' ? 'warn' : 'plain'}>{words(row.action).toLowerCase()}</Badge>{' '}
        <span className="whitespace-nowrap">
          {row.alias} {row.from ?? 'none'} → {row.to ?? 'none'}
        </span>
        <span className="block text-xs text-soft">{row.reason}</span>
      </>
    ),
  },
  { key: 'by', header: 'By', isWide: true, cell: (row) => (row.by === null ? 'the server' : `user ${row.by}`) },
];
