import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { listCases } from '@touchstone/contracts/data';
import { caseKindName, caseStateName, caseStateTone } from '../../components/case-words.ts';
import { DataTable, MoreRows } from '../../components/data-table.tsx';
import { SelectField } from '../../components/form.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Empty, isAllSimulated, PageHeader, Panel, SimulatedMark } from '../../components/ui.tsx';
import { Provenance } from '../../components/where-from.tsx';
import { formatCount, formatDay, plural } from '../../lib/format.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

const STATES = ['open', 'confirmed', 'false'] as const;

export function CaseListPage() {
  const { kind, state, run: runId } = useSearch({ from: '/data/cases' });
  const navigate = useNavigate({ from: '/data/cases' });
  const known = useKnownTime();
  const filter = { ...known, kind, state, runId };
  const { query, items, first } = usePages(['listCases', 'pages', filter], (cursor) =>
    client.call(listCases, { query: { ...filter, cursor } }),
  );
  const isMarked = isAllSimulated(items);
  return (
    <>
      <SubNav of="data" />
      <PageHeader title="Findings">
        What the quality court found. Suspicious bars are held back with a reason; they are never changed and never
        dropped.
      </PageHeader>
      {first && first.byKind.length > 0 && (
        <div className="max-w-3xl">
          <Panel title="By kind" footer={<Provenance unit="findings" time={first.time} route={listCases} />} flush>
            <DataTable
              label="Findings by kind"
              rows={first.byKind}
              rowKey={(row) => row.kind}
              empty="None."
              columns={[
                {
                  key: 'kind',
                  header: 'Kind',
                  cell: (row) => (
                    <Link
                      to="/data/cases"
                      search={(before) => ({ ...before, kind: kind === row.kind ? undefined : row.kind })}
                      className="link font-medium"
                      aria-current={kind === row.kind ? 'true' : undefined}
                    >
                      {caseKindName(row.kind)}
                    </Link>
                  ),
                },
                { key: 'open', header: 'Open', isNumber: true, cell: (row) => formatCount(row.open) },
                { key: 'confirmed', header: 'Confirmed', isNumber: true, cell: (row) => formatCount(row.confirmed) },
                { key: 'false', header: 'False alarm', isNumber: true, cell: (row) => formatCount(row.false) },
              ]}
            />
          </Panel>
        </div>
      )}
      <div className="my-4 flex max-w-2xl flex-wrap items-end gap-4">
        <div className="min-w-40 flex-1">
          <SelectField
            label="State"
            value={state ?? ''}
            onValue={(value) =>
              navigate({
                search: (before) => ({ ...before, state: STATES.find((one) => one === value) }),
                replace: true,
              })
            }
            options={[['', 'All'], ...STATES.map((one) => [one, caseStateName(one)] as const)]}
          />
        </div>
        <div className="min-w-40 flex-1">
          <SelectField
            label="Kind"
            value={kind ?? ''}
            onValue={(value) =>
              navigate({ search: (before) => ({ ...before, kind: value || undefined }), replace: true })
            }
            options={[
              ['', 'All'],
              ...(first?.byKind ?? (kind ? [{ kind }] : [])).map((row) => [row.kind, caseKindName(row.kind)] as const),
            ]}
          />
        </div>
        {runId !== undefined && (
          <p className="pb-2 text-sm">
            Of delivery {runId}.{' '}
            <Link to="/data/cases" search={(before) => ({ ...before, run: undefined })} className="link">
              Show all
            </Link>
          </p>
        )}
      </div>
      <Panel
        title="Findings"
        hint={first && plural(first.total, 'finding')}
        actions={isMarked && <SimulatedMark tenantId={0} />}
        flush
      >
        <QueryView query={{ ...query, data: items }} lines={8}>
          {(rows) => (
            <DataTable
              label="Findings"
              rows={rows}
              rowKey={(row) => row.id}
              empty={<Empty title="Nothing of that kind was known at that moment." />}
              columns={[
                {
                  key: 'case',
                  header: 'Finding',
                  cell: (row) => (
                    <span className="block min-w-32">
                      <Link to="/data/cases/$caseId" params={{ caseId: row.id }} className="link font-medium">
                        {caseKindName(row.kind)}
                      </Link>
                      <span className="block text-xs text-soft">{row.symbol ?? 'whole delivery'}</span>
                      {!isMarked && <SimulatedMark tenantId={row.tenantId} />}
                      <span className="mt-0.5 block md:hidden">{row.reason}</span>
                    </span>
                  ),
                },
                {
                  key: 'state',
                  header: 'State',
                  cell: (row) => (
                    <span className="flex flex-col items-start gap-1">
                      <Badge tone={caseStateTone(row.state)}>{caseStateName(row.state)}</Badge>
                      {row.action === 'quarantine' && <Badge>held back</Badge>}
                    </span>
                  ),
                },
                {
                  key: 'reason',
                  header: 'Reason',
                  isWide: true,
                  cell: (row) => <span className="block min-w-52">{row.reason}</span>,
                },
                {
                  key: 'days',
                  header: 'Days',
                  isWide: true,
                  cell: (row) =>
                    row.firstDay === row.lastDay
                      ? formatDay(row.firstDay)
                      : `${formatDay(row.firstDay)} to ${formatDay(row.lastDay)}`,
                },
                { key: 'rows', header: 'Bars', isNumber: true, isWide: true, cell: (row) => formatCount(row.rowCount) },
              ]}
            />
          )}
        </QueryView>
        <MoreRows query={query} />
      </Panel>
    </>
  );
}
