import { useQuery } from '@tanstack/react-query';
import { type Finding, getDoctor } from '@touchstone/contracts/keeping';
import { useState } from 'react';
import { Gate } from '../../components/gate.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Button, Note, PageHeader, Panel } from '../../components/ui.tsx';
import { formatInstant, plural } from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';

const ORDER = ['broken', 'warning', 'skipped', 'fine'] as const satisfies readonly Finding['state'][];
const TONES = { broken: 'bad', warning: 'warn', skipped: 'plain', fine: 'accent' } as const;
const COPIED_MS = 2_000;

export function DoctorPage() {
  return (
    <>
      <SubNav of="operate" />
      <PageHeader title="Doctor">
        Looks over the installation: what is wrong, why it matters, and what to do. The same as{' '}
        <code className="font-mono text-sm">touchstone doctor</code>.
      </PageHeader>
      <Gate scope="system:write">
        <Findings />
      </Gate>
    </>
  );
}

function Findings() {
  const doctor = useQuery(apiQuery(getDoctor));
  return (
    <QueryView query={doctor} lines={8}>
      {(data) => {
        const wrong = data.findings.filter((one) => one.state === 'broken' || one.state === 'warning');
        const rest = data.findings.filter((one) => !wrong.includes(one));
        return (
          <div className="grid gap-4">
            <div className="flex flex-wrap items-center gap-3">
              <Button isBusy={doctor.isFetching} onClick={() => doctor.refetch()}>
                Look again
              </Button>
              <span className="text-sm text-soft">Looked {formatInstant(data.checkedAt)}.</span>
            </div>
            {wrong.length === 0 ? (
              <Note tone="accent" title="Nothing is wrong.">
                {plural(data.findings.length, 'check')} done.
              </Note>
            ) : (
              <Panel
                title="What to do"
                hint={data.ok ? 'Nothing is broken; these are worth doing.' : 'Something is broken, or at risk now.'}
                flush
              >
                <FindingList findings={wrong} />
              </Panel>
            )}
            {rest.length > 0 && (
              <Panel title="The rest" flush>
                <FindingList findings={rest} />
              </Panel>
            )}
          </div>
        );
      }}
    </QueryView>
  );
}

function FindingList({ findings }: { findings: readonly Finding[] }) {
  const sorted = findings.toSorted((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state));
  return (
    <ul>
      {sorted.map((finding) => (
        <li key={`${finding.check} ${finding.what}`} className="border-t border-line px-4 py-3 text-sm">
          <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
            <Badge tone={TONES[finding.state]}>{finding.state}</Badge>
            <span className="font-medium">{finding.what}</span>
            <code className="ml-auto font-mono text-xs text-soft">{finding.check}</code>
          </div>
          {finding.why !== '' && <p className="mt-1 max-w-prose">{finding.why}</p>}
          {finding.command !== null && <Command text={finding.command} />}
        </li>
      ))}
    </ul>
  );
}

function Command({ text }: { text: string }) {
  const [isCopied, setIsCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setIsCopied(true);
    setTimeout(() => setIsCopied(false), COPIED_MS);
  };
  return (
    <p className="mt-2 flex flex-wrap items-center gap-2">
      <code className="rounded bg-well px-2 py-1 font-mono text-xs break-all select-all">{text}</code>
      {/* The clipboard exists only where the browser trusts the address. */}
      {isSecureContext && (
        <Button look="quiet" onClick={copy}>
          {isCopied ? 'Copied' : 'Copy'}
        </Button>
      )}
    </p>
  );
}
