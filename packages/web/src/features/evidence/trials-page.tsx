import { Link } from '@tanstack/react-router';
import { listTrials } from '@touchstone/contracts/diagnostics';
import { DataTable, MoreRows } from '../../components/data-table.tsx';
import { Gate } from '../../components/gate.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Hash, PageHeader, Panel } from '../../components/ui.tsx';
import { formatInstant, plural } from '../../lib/format.ts';
import { usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

export function TrialsPage() {
  return (
    <>
      <SubNav of="evidence" />
      <PageHeader title="Trials">
        Every evaluation ever run, also the failed ones. Nobody can delete a row: what was tried and left out is what
        makes the best one look lucky.
      </PageHeader>
      <Gate scope="evidence:read">
        <Ledger />
      </Gate>
    </>
  );
}

function Ledger() {
  const { query, items, first } = usePages(['listTrials', 'pages'], (cursor) =>
    client.call(listTrials, { query: { cursor } }),
  );
  return (
    <Panel title="Ledger" hint={first && `${plural(first.distinctCount, 'distinct trial')}, newest first`} flush>
      <QueryView query={{ ...query, data: items }} lines={8}>
        {(rows) => (
          <DataTable
            label="Trials"
            rows={rows}
            rowKey={(trial) => trial.id}
            empty="Nothing was tried yet."
            columns={[
              { key: 'id', header: 'No.', isNumber: true, cell: (trial) => trial.id },
              {
                key: 'name',
                header: 'Trial',
                cell: (trial) => (
                  <span className="block min-w-36">
                    <span className="font-medium">{trial.name}</span> {trial.imported && <Badge>imported</Badge>}
                    <span className="block text-xs text-soft">{trial.kind}</span>
                  </span>
                ),
              },
              {
                key: 'outcome',
                header: 'Outcome',
                cell: (trial) => <Badge tone={trial.outcome === 'failed' ? 'bad' : 'plain'}>{trial.outcome}</Badge>,
              },
              { key: 'at', header: 'When', isWide: true, cell: (trial) => formatInstant(trial.createdAt) },
              {
                key: 'dataset',
                header: 'Dataset',
                cell: (trial) =>
                  trial.datasetSha256 === null ? (
                    <span className="text-soft">none</span>
                  ) : (
                    <Link to="/evidence/datasets/$sha256" params={{ sha256: trial.datasetSha256 }} className="link">
                      <Hash value={trial.datasetSha256} />
                    </Link>
                  ),
              },
              { key: 'seed', header: 'Seed', isNumber: true, isWide: true, cell: (trial) => trial.seed ?? '–' },
              {
                key: 'more',
                header: 'Parameters and result',
                isWide: true,
                cell: (trial) => (
                  <details>
                    <summary className="text-soft">open</summary>
                    <pre className="max-w-md font-mono text-xs break-all whitespace-pre-wrap">
                      {JSON.stringify(
                        { parameters: trial.parameters, result: trial.result, code: trial.codeVersion },
                        null,
                        1,
                      )}
                    </pre>
                  </details>
                ),
              },
            ]}
          />
        )}
      </QueryView>
      <MoreRows query={query} />
    </Panel>
  );
}
