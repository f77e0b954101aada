import { useMutation } from '@tanstack/react-query';
import { listEvidence, startVerify } from '@touchstone/contracts/diagnostics';
import type { Task } from '@touchstone/contracts/tasks';
import { useState } from 'react';
import { DataTable, MoreRows } from '../../components/data-table.tsx';
import { Gate } from '../../components/gate.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { RecordFacts } from '../../components/record-facts.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { TaskProgress } from '../../components/task-progress.tsx';
import { Button, Hash, Note, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatInstant } from '../../lib/format.ts';
import { usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { Subject } from './subject.tsx';

export function ChainPage() {
  const refusal = useRefusal('evidence:read');
  const [verified, setVerified] = useState<Task | null>(null);
  const verify = useMutation({ mutationFn: () => client.call(startVerify), onMutate: () => setVerified(null) });
  return (
    <>
      <SubNav of="evidence" />
      <PageHeader
        title="Evidence"
        actions={
          refusal === null && (
            <Button look="main" isBusy={verify.isPending} onClick={() => verify.mutate()}>
              Verify the chain
            </Button>
          )
        }
      >
        Each record carries the hash of the one before it, so that none can be changed, added or taken out unseen.
      </PageHeader>
      <Gate scope="evidence:read">
        <div className="grid gap-4">
          {verify.error && <ProblemNotice error={verify.error} />}
          {verify.data && <TaskProgress key={verify.data.task.id} taskId={verify.data.task.id} onDone={setVerified} />}
          {verified?.result && <VerifyResult result={verified.result} />}
          <Chain />
        </div>
      </Gate>
    </>
  );
}

function VerifyResult({ result }: { result: Record<string, unknown> }) {
  const isBroken = result.ok === false || (Array.isArray(result.broken) && result.broken.length > 0);
  return (
    <Note tone={isBroken ? 'bad' : 'accent'} title={isBroken ? 'The chain does not hold' : 'The chain holds'}>
      <RecordFacts record={result} />
    </Note>
  );
}

function Chain() {
  const { query, items } = usePages(['listEvidence', 'pages'], (cursor) =>
    client.call(listEvidence, { query: { cursor } }),
  );
  return (
    <Panel title="Records" hint="Newest first. They hold numbers of people and things, never names." flush>
      <QueryView query={{ ...query, data: items }} lines={8}>
        {(rows) => (
          <DataTable
            label="Evidence records"
            rows={rows}
            rowKey={(record) => record.sequence}
            empty="Nothing was recorded yet."
            columns={[
              { key: 'sequence', header: 'No.', isNumber: true, cell: (record) => record.sequence },
              {
                key: 'at',
                header: 'Recorded',
                isWide: true,
                cell: (record) => <span className="whitespace-nowrap">{formatInstant(record.recordedAt)}</span>,
              },
              {
                key: 'kind',
                header: 'What',
                cell: (record) => (
                  <span className="block">
                    <code className="font-mono text-xs break-all">{record.kind}</code>
                    <span className="block text-xs text-soft md:hidden">{formatInstant(record.recordedAt)}</span>
                  </span>
                ),
              },
              {
                key: 'subject',
                header: 'Of',
                cell: (record) => <Subject kind={record.subjectKind} id={record.subjectId} />,
              },
              {
                key: 'actor',
                header: 'By',
                isWide: true,
                cell: (record) => (record.actorId === null ? 'the server' : `user ${record.actorId}`),
              },
              {
                key: 'body',
                header: 'Record',
                isWide: true,
                cell: (record) => (
                  <details>
                    <summary className="text-soft">open</summary>
                    <pre className="max-w-md font-mono text-xs break-all whitespace-pre-wrap">
                      {JSON.stringify(record.body, null, 1)}
                    </pre>
                  </details>
                ),
              },
              { key: 'hash', header: 'Hash', isWide: true, cell: (record) => <Hash value={record.hash} /> },
            ]}
          />
        )}
      </QueryView>
      <MoreRows query={query} />
    </Panel>
  );
}
