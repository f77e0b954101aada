import { useQuery } from '@tanstack/react-query';
import { getSimulatedTruth } from '@touchstone/contracts/data';
import { caseKindName } from '../../components/case-words.ts';
import { DataTable } from '../../components/data-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { Hash, Panel, SimulatedMark } from '../../components/ui.tsx';
import { formatCount, formatDay, plural } from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';

/** What was done to the simulated market on purpose, and how much of it the quality court found. */
export function PlantedPanel() {
  const query = useQuery(apiQuery(getSimulatedTruth));
  const truth = query.data;
  return (
    <Panel
      title="What was planted"
      hint={
        truth &&
        `${plural(truth.faults.length, 'fault')} in the simulated market, ${formatDay(truth.firstDay)} to ${formatDay(truth.lastDay)}, and how many the quality court found: same instrument, same day give or take one session.`
      }
      actions={<SimulatedMark tenantId={0} />}
      footer={
        truth && (
          <>
            <span>seed {truth.seed}</span>
            <span>settings {truth.settings}</span>
            <span>
              kept before the court judged, as <Hash value={truth.truthSha256} />
            </span>
          </>
        )
      }
      flush
    >
      <QueryView query={query}>
        {({ byKind }) => (
          <DataTable
            label="What was planted"
            rows={byKind}
            rowKey={(row) => row.kind}
            empty="Nothing was planted."
            columns={[
              { key: 'kind', header: 'Fault', cell: (row) => caseKindName(row.kind) },
              { key: 'planted', header: 'Planted', isNumber: true, cell: (row) => formatCount(row.planted) },
              { key: 'found', header: 'Found', isNumber: true, cell: (row) => formatCount(row.found) },
              {
                key: 'findings',
                header: 'Found as',
                isWide: true,
                cell: (row) => row.findings.map(caseKindName).join(', '),
              },
              { key: 'note', header: 'Note', isWide: true, cell: (row) => row.note },
            ]}
          />
        )}
      </QueryView>
    </Panel>
  );
}
