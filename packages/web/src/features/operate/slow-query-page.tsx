import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { getSlowQuery } from '@touchstone/contracts/diagnostics';
import type { Answer } from '@touchstone/contracts/route';
import { Gate } from '../../components/gate.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Facts, PageHeader, Panel } from '../../components/ui.tsx';
import { formatCount, formatInstant, formatNumber } from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';

type Slow = Answer<typeof getSlowQuery>;
const SIGNS = { same: ' ', added: '+', removed: '−' };
const LINE_LOOKS = { same: '', added: 'bg-accent-well text-accent', removed: 'bg-warn-well text-warn' };
const CHANGE_WORDS = { same: '', added: 'new: ', removed: 'gone: ' };

export function SlowQueryPage() {
  const { queryId } = useParams({ from: '/operate/slow-queries/$queryId' });
  return (
    <>
      <SubNav of="operate" />
      <PageHeader title={`Statement ${queryId}`}>
        <Link to="/operate/slow-queries" className="link">
          All slow queries
        </Link>
      </PageHeader>
      <Gate scope="system:read">
        <SlowQuery queryId={queryId} />
      </Gate>
    </>
  );
}

function SlowQuery({ queryId }: { queryId: number }) {
  const slow = useQuery(apiQuery(getSlowQuery, { params: { queryId } }));
  return (
    <QueryView query={slow} lines={8}>
      {(data) => <SlowQueryDetail slow={data} />}
    </QueryView>
  );
}

function SlowQueryDetail({ slow }: { slow: Slow }) {
  return (
    <div className="grid gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)] lg:items-start">
      <div className="grid min-w-0 gap-4">
        <Panel title="Statement" hint="Every value is replaced.">
          <Code label="The statement" text={slow.text} isWrapped />
        </Panel>
        {slow.planDiff.length > 0 && (
          <Panel
            title="How its plan changed"
            hint={`On ${formatInstant(slow.planChangedAt)}. Lines with + are new, lines with − are gone.`}
          >
            <section aria-label="Plan difference" className="overflow-x-auto rounded bg-well py-2">
              <ul className="min-w-max font-mono text-xs leading-5">
                {numbered(slow.planDiff).map(({ key, change, line }) => (
                  <li key={key} className={`px-3 whitespace-pre ${LINE_LOOKS[change]}`}>
                    <span aria-hidden="true">{SIGNS[change]} </span>
                    <span className="sr-only">{CHANGE_WORDS[change]}</span>
                    {line}
                  </li>
                ))}
              </ul>
            </section>
          </Panel>
        )}
        <Panel title="Plan" hint={slow.plan ? `Taken ${formatInstant(slow.plan.takenAt)}, without costs.` : undefined}>
          {slow.plan ? (
            <Code label="The plan" text={slow.plan.text} />
          ) : (
            <p className="text-sm text-soft">{slow.planReason ?? 'No plan was taken.'}</p>
          )}
        </Panel>
        {slow.previousPlan && (
          <Panel title="The plan before" hint={`Taken ${formatInstant(slow.previousPlan.takenAt)}.`}>
            <Code label="The plan before" text={slow.previousPlan.text} />
          </Panel>
        )}
      </div>
      <Panel title="Figures">
        <Facts
          items={[
            ['Times', formatCount(slow.count)],
            ['In all', `${formatNumber(slow.totalMs / 1000, 1)} s`],
            ['Mean', `${formatNumber(slow.meanMs, 0)} ms`],
            ['95 of 100 below', `${formatNumber(slow.p95Ms, 0)} ms`],
            ['Slowest', `${formatNumber(slow.maxMs, 0)} ms`],
            ['First seen', formatInstant(slow.firstSeenAt)],
            ['Last seen', formatInstant(slow.lastSeenAt)],
            ['Plan changed', slow.planChangedAt === null ? 'never' : formatInstant(slow.planChangedAt)],
          ]}
        />
      </Panel>
    </div>
  );
}

/** A statement may be one long line and is wrapped; a plan lives from its indents and scrolls. */
function Code({ label, text, isWrapped }: { label: string; text: string; isWrapped?: boolean }) {
  return (
    <section aria-label={label} className="max-h-96 overflow-auto rounded bg-well px-3 py-2">
      <pre
        className={`font-mono text-xs leading-5 ${isWrapped ? 'break-words whitespace-pre-wrap' : 'whitespace-pre'}`}
      >
        {text}
      </pre>
    </section>
  );
}

/** A plan may hold the same line twice. */
function numbered(lines: Slow['planDiff']) {
  return lines.map((line, at) => ({ ...line, key: `${at} ${line.change}` }));
}
