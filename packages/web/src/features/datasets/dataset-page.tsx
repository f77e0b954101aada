import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type Dataset, diffDatasets, downloadDataset, getDataset, listDatasets } from '@touchstone/contracts/datasets';
import type { Answer } from '@touchstone/contracts/route';
import { DataTable } from '../../components/data-table.tsx';
import { SelectField } from '../../components/form.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SaveButton } from '../../components/save-button.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Facts, PageHeader, Panel } from '../../components/ui.tsx';
import { formatBytes, formatCount, formatDay, formatInstant, formatPlain, shortHash, words } from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';

const DATASETS_MAX = 200;

export function DatasetPage() {
  const { sha256 } = useParams({ from: '/evidence/datasets/$sha256' });
  const dataset = useQuery(apiQuery(getDataset, { params: { sha256 } }));
  return (
    <>
      <SubNav of="evidence" />
      <QueryView query={dataset}>{(data) => <DatasetDetail dataset={data} />}</QueryView>
    </>
  );
}

function DatasetDetail({ dataset }: { dataset: Dataset }) {
  return (
    <>
      <PageHeader
        title={`Dataset ${shortHash(dataset.sha256)}`}
        marks={<Badge>{words(dataset.kind)}</Badge>}
        actions={
          <SaveButton
            route={downloadDataset}
            input={{ params: { sha256: dataset.sha256 } }}
            fileName={`${shortHash(dataset.sha256)}.arrow`}
          >
            Download (Arrow)
          </SaveButton>
        }
      >
        Immutable: the same hash is the same bytes for ever.
      </PageHeader>
      <div className="grid gap-4">
        <div className="grid gap-4 lg:grid-cols-2 lg:items-start">
          <Panel title="Manifest">
            <Facts
              items={[
                [
                  'SHA-256',
                  <code key="hash" className="font-mono text-xs break-all">
                    {dataset.sha256}
                  </code>,
                ],
                ['As of', formatDay(dataset.time.asOf)],
                ['Known at', formatInstant(dataset.time.knownAt)],
                ['Recorded at', formatInstant(dataset.time.recordedAt)],
                ['Rows', formatCount(dataset.rowCount)],
                ['Size', formatBytes(dataset.byteCount)],
                ['Frozen', formatInstant(dataset.createdAt)],
                [
                  'Question',
                  <code key="query" className="font-mono text-xs break-all whitespace-pre-wrap">
                    {JSON.stringify(dataset.query, null, 1)}
                  </code>,
                ],
              ]}
            />
          </Panel>
          <Panel title="Columns" flush>
            <DataTable
              label="Columns"
              rows={dataset.columns}
              rowKey={(column) => column.name}
              empty="It has no columns."
              columns={[
                { key: 'name', header: 'Column', cell: (column) => column.name },
                {
                  key: 'type',
                  header: 'Type',
                  cell: (column) => <code className="font-mono text-xs">{column.type}</code>,
                },
              ]}
            />
          </Panel>
        </div>
        <Compare dataset={dataset} />
      </div>
    </>
  );
}

function Compare({ dataset }: { dataset: Dataset }) {
  const { against } = useSearch({ from: '/evidence/datasets/$sha256' });
  const navigate = useNavigate({ from: '/evidence/datasets/$sha256' });
  const all = useQuery(apiQuery(listDatasets, { query: { limit: DATASETS_MAX } }));
  const diff = useQuery({
    ...apiQuery(diffDatasets, { params: { sha256: dataset.sha256, otherSha256: against ?? '' }, query: {} }),
    enabled: against !== undefined,
  });
  return (
    <Panel title="Compare" hint="What changed from this dataset to another.">
      <div className="max-w-xl">
        <SelectField
          label="With"
          value={against ?? ''}
          onValue={(value) =>
            navigate({ search: (before) => ({ ...before, against: value || undefined }), replace: true })
          }
          options={[
            ['', 'Choose a dataset'],
            ...(all.data?.items ?? [])
              .filter((other) => other.sha256 !== dataset.sha256)
              .map(
                (other) =>
                  [
                    other.sha256,
                    `${shortHash(other.sha256)}, ${words(other.kind)}, as of ${formatDay(other.time.asOf)}`,
                  ] as const,
              ),
          ]}
        />
      </div>
      {against !== undefined && (
        <div className="mt-4">
          <QueryView query={diff}>{(data) => <Difference data={data} />}</QueryView>
        </div>
      )}
    </Panel>
  );
}

function Difference({ data }: { data: Answer<typeof diffDatasets> }) {
  return (
    <>
      <p className="mb-3 flex flex-wrap gap-x-6 gap-y-1 text-sm">
        <span>{formatCount(data.added)} added</span>
        <span>{formatCount(data.removed)} removed</span>
        <span>{formatCount(data.changed)} changed</span>
        <span className="text-soft">{formatCount(data.unchanged)} unchanged</span>
      </p>
      <div className="-mx-4 border-t border-line">
        <DataTable
          label="Examples of what changed"
          rows={data.examples}
          rowKey={(example) => `${example.instrumentId} ${example.day} ${example.change}`}
          empty="The two hold the same rows."
          columns={[
            { key: 'change', header: 'Change', cell: (example) => <Badge>{example.change}</Badge> },
            {
              key: 'instrument',
              header: 'Instrument',
              cell: (example) => (
                <Link
                  to="/data/instruments/$instrumentId"
                  params={{ instrumentId: example.instrumentId }}
                  className="link"
                >
                  {example.instrumentId}
                </Link>
              ),
            },
            {
              key: 'day',
              header: 'Day',
              cell: (example) => <span className="whitespace-nowrap">{formatDay(example.day)}</span>,
            },
            { key: 'before', header: 'Before', cell: (example) => valuesText(example.before) },
            { key: 'after', header: 'After', cell: (example) => valuesText(example.after) },
          ]}
        />
      </div>
    </>
  );
}

function valuesText(values: Record<string, number | null> | null): string {
  if (values === null) return 'not there';
  return Object.entries(values)
    .map(([name, value]) => `${name} ${formatPlain(value)}`)
    .join(', ');
}
