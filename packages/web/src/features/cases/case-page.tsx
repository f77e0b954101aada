import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { decideCase, getCase } from '@touchstone/contracts/data';
import type { Answer } from '@touchstone/contracts/route';
import { useState } from 'react';
import { caseKindName, caseStateName, caseStateTone } from '../../components/case-words.ts';
import { DataTable } from '../../components/data-table.tsx';
import { AreaField } from '../../components/form.tsx';
import { LineChart } from '../../components/line-chart.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Button, Facts, PageHeader, Panel, SimulatedMark } from '../../components/ui.tsx';
import { WhereFrom } from '../../components/where-from.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatCount, formatDay, formatInstant, formatPlain, formatPrice } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

type Case = Answer<typeof getCase>;

export function CasePage() {
  const { caseId } = useParams({ from: '/data/cases/$caseId' });
  const found = useQuery(apiQuery(getCase, { params: { caseId } }));
  return (
    <>
      <SubNav of="data" />
      <QueryView query={found}>{(data) => <CaseDetail found={data} key={`${data.id} ${data.version}`} />}</QueryView>
    </>
  );
}

function CaseDetail({ found }: { found: Case }) {
  return (
    <>
      <PageHeader
        title={`${caseKindName(found.kind)}${found.symbol ? `: ${found.symbol}` : ''}`}
        marks={
          <>
            <Badge tone={caseStateTone(found.state)}>{caseStateName(found.state)}</Badge>
            {found.action === 'quarantine' && <Badge>held back</Badge>}
            <SimulatedMark tenantId={found.tenantId} />
          </>
        }
      >
        {found.reason}
      </PageHeader>
      <div className="grid gap-4 lg:grid-cols-[minmax(0,1.6fr)_minmax(0,1fr)] lg:items-start">
        <div className="grid min-w-0 gap-4">
          {found.neighbours.length + found.heldBars.length > 0 && <CaseChart found={found} />}
          <HeldBars found={found} />
        </div>
        <div className="grid min-w-0 gap-4">
          <Decision found={found} />
          <Panel title="About">
            <Facts
              items={[
                [
                  'Days',
                  found.firstDay === found.lastDay
                    ? formatDay(found.firstDay)
                    : `${formatDay(found.firstDay)} to ${formatDay(found.lastDay)}`,
                ],
                ['Bars', formatCount(found.rowCount)],
                ['Measured', formatPlain(found.measure)],
                ['Held against', formatPlain(found.threshold)],
                ['Known', formatInstant(found.knownAt)],
                [
                  'Delivery',
                  <Link key="run" to="/data/runs/$runId" params={{ runId: found.runId }} className="link">
                    {found.runId}
                  </Link>,
                ],
                [
                  'Instrument',
                  found.instrumentId === null ? (
                    'none'
                  ) : (
                    <Link
                      key="instrument"
                      to="/data/instruments/$instrumentId"
                      params={{ instrumentId: found.instrumentId }}
                      className="link"
                    >
                      {found.symbol}
                    </Link>
                  ),
                ],
              ]}
            />
          </Panel>
        </div>
      </div>
    </>
  );
}

/** The held bars among their neighbours: mostly one look is enough to decide. */
function CaseChart({ found }: { found: Case }) {
  const held = new Map(found.heldBars.map((bar) => [bar.day, bar.close]));
  const published = new Map(found.neighbours.map((bar) => [bar.day, bar.close]));
  const days = [...new Set([...held.keys(), ...published.keys()])].sort();
  return (
    <Panel
      title="The bars and their neighbours"
      hint="Closes. Rings mark what is held back."
      footer={
        <>
          <span>price as delivered</span>
          <span>
            as of {formatDay(days.at(-1))}, known {formatInstant(found.knownAt)}
          </span>
          <WhereFrom route={getCase} extra={[['Delivery', String(found.runId)]]} />
        </>
      }
    >
      <LineChart
        label={`Closes around ${caseKindName(found.kind)}`}
        days={days}
        height={220}
        lines={[{ name: 'Published close', values: days.map((day) => published.get(day) ?? null), look: 'main' }]}
        marks={found.heldBars.flatMap((bar) =>
          bar.close === null
            ? []
            : [{ day: bar.day, value: bar.close, label: `${formatDay(bar.day)}: ${formatPrice(bar.close)}` }],
        )}
      />
    </Panel>
  );
}

function HeldBars({ found }: { found: Case }) {
  return (
    <Panel title="Held bars" hint="As they came in, to the last digit." flush>
      <DataTable
        label="Held bars"
        rows={found.heldBars}
        rowKey={(bar) => `${bar.day} ${bar.line}`}
        empty="This finding holds nothing back; it is a note."
        columns={[
          { key: 'day', header: 'Day', cell: (bar) => <span className="whitespace-nowrap">{formatDay(bar.day)}</span> },
          { key: 'open', header: 'Open', isNumber: true, cell: (bar) => formatPrice(bar.open) },
          { key: 'high', header: 'High', isNumber: true, cell: (bar) => formatPrice(bar.high) },
          { key: 'low', header: 'Low', isNumber: true, cell: (bar) => formatPrice(bar.low) },
          { key: 'close', header: 'Close', isNumber: true, cell: (bar) => formatPrice(bar.close) },
          { key: 'volume', header: 'Volume', isNumber: true, isWide: true, cell: (bar) => formatCount(bar.volume) },
          { key: 'line', header: 'Line', isNumber: true, isWide: true, cell: (bar) => formatCount(bar.line) },
        ]}
      />
    </Panel>
  );
}

function Decision({ found }: { found: Case }) {
  const refusal = useRefusal('market:write', found.tenantId);
  const [note, setNote] = useState(found.decisionNote);
  const decide = useMutation({
    mutationFn: (state: 'confirmed' | 'false') =>
      client.call(decideCase, { params: { caseId: found.id }, body: { state, note, version: found.version } }),
    onSuccess: refreshAll,
  });
  if (found.state !== 'open') {
    return (
      <Panel title="Decision">
        <p className="text-sm">
          {found.state === 'confirmed'
            ? 'Confirmed: it stays held back.'
            : 'A false alarm: its bars were released as they were.'}
        </p>
        <p className="mt-1 text-sm text-soft">
          {formatInstant(found.decidedAt)}
          {found.decisionNote && `: ${found.decisionNote}`}
        </p>
      </Panel>
    );
  }
  return (
    <Panel title="Decide" hint="Confirmed bars stay held back. A false alarm releases them as they were.">
      <div className="space-y-3">
        {refusal === null && (
          <AreaField
            label="Note"
            maxLength={2000}
            path="body.note"
            error={decide.error}
            value={note}
            onValue={setNote}
          />
        )}
        {decide.error && <ProblemNotice error={decide.error} />}
        {refusal === null ? (
          <div className="flex flex-wrap gap-2">
            <Button
              look="main"
              isBusy={decide.isPending && decide.variables === 'confirmed'}
              onClick={() => decide.mutate('confirmed')}
            >
              Confirm
            </Button>
            <Button isBusy={decide.isPending && decide.variables === 'false'} onClick={() => decide.mutate('false')}>
              False alarm
            </Button>
          </div>
        ) : (
          <p className="text-sm text-soft">{refusal}</p>
        )}
      </div>
    </Panel>
  );
}
