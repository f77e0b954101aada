import { Link } from '@tanstack/react-router';
import { listCases } from '@touchstone/contracts/data';
import type { Answer } from '@touchstone/contracts/route';
import { caseKindName, caseStateName, caseStateTone } from '../../components/case-words.ts';
import { QueryView } from '../../components/query-view.tsx';
import { Badge, Empty, isAllSimulated, Panel, SimulatedMark } from '../../components/ui.tsx';
import { Provenance } from '../../components/where-from.tsx';
import { formatCount, formatDay, plural } from '../../lib/format.ts';

type Cases = Answer<typeof listCases>;
type CasesQuery = Parameters<typeof QueryView<Cases>>[0]['query'];

/** The newest findings of the quality court, each with its reason. */
export function FindingsPanel({ query }: { query: CasesQuery }) {
  const isMarked = isAllSimulated(query.data?.items);
  const open = query.data?.byKind.reduce((sum, kind) => sum + kind.open, 0) ?? 0;
  return (
    <Panel
      title="Data-quality findings"
      hint={
        query.data
          ? `${plural(query.data.total, 'finding')}, ${formatCount(open)} open. Suspicious bars are held back, never changed.`
          : null
      }
      actions={
        <>
          {isMarked && <SimulatedMark tenantId={0} />}
          <Link to="/data/cases" className="link text-sm">
            All findings
          </Link>
        </>
      }
      footer={query.data && <Provenance unit="findings" time={query.data.time} route={listCases} />}
      flush
    >
      <QueryView query={query}>
        {(data) =>
          data.items.length === 0 ? (
            <Empty title="Nothing suspicious was known at that moment." />
          ) : (
            <ul>
              {data.items.map((item) => (
                <li key={item.id} className="border-b border-line px-4 py-2 text-sm last:border-b-0">
                  <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
                    <Link to="/data/cases/$caseId" params={{ caseId: item.id }} className="link font-medium">
                      {caseKindName(item.kind)}
                      {item.symbol && `: ${item.symbol}`}
                    </Link>
                    <Badge tone={caseStateTone(item.state)}>{caseStateName(item.state)}</Badge>
                    {item.action === 'quarantine' && <Badge>held back</Badge>}
                    {!isMarked && <SimulatedMark tenantId={item.tenantId} />}
                    <span className="ml-auto text-xs text-soft">{formatDay(item.firstDay)}</span>
                  </p>
                  <p className="text-soft">{item.reason}</p>
                </li>
              ))}
            </ul>
          )
        }
      </QueryView>
    </Panel>
  );
}
