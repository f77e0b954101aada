import { Link } from '@tanstack/react-router';
import type { Route } from '@touchstone/contracts/route';
import { useState } from 'react';
import { formatDay, formatInstant } from '../lib/format.ts';
import { Dialog } from './dialog.tsx';
import { Badge, Facts, Hash } from './ui.tsx';

export type Told = { asOf: string; knownAt: string; recordedAt: string; reconstructed: boolean };
export type Made = {
  runNumber: number;
  resultSha256: string;
  lineage: { datasetSha256: string; codeVersion: string; configSha256: string; seed: number; trialId: number | null };
};

type Origin = { route: Route; time?: Told; run?: Made; extra?: readonly (readonly [string, string])[] };

/** The foot of every figure and chart: its unit, its day, and the way back to where it comes from. */
export function Provenance({ unit, time, ...origin }: Origin & { unit: string; time: Told }) {
  return (
    <>
      <span>{unit}</span>
      <span>as of {formatDay(time.asOf)}</span>
      {time.reconstructed && (
        <span title="The knowledge times are declared by a rule; nobody recorded them when it happened.">
          <Badge>reconstructed</Badge>
        </span>
      )}
      <WhereFrom time={time} {...origin} />
    </>
  );
}

export function WhereFrom({ route, time, run, extra = [] }: Origin) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <button type="button" className="link whitespace-nowrap" onClick={() => setIsOpen(true)}>
        where from
      </button>
      <Dialog title="Where this comes from" isOpen={isOpen} onClose={() => setIsOpen(false)}>
        <p className="mb-3 text-sm text-soft">{route.summary}.</p>
        <Facts
          items={[
            ['Route', <code key="route" className="font-mono text-xs">{`${route.method} /api/v1${route.path}`}</code>],
            ...(time ? timeFacts(time) : []),
            ...(run ? runFacts(run) : []),
            ...extra,
          ]}
        />
        <p className="mt-4 text-xs text-soft">
          The same known-at and recorded-at give the same answer for ever.
          {run && (
            <>
              {' '}
              <Link
                to="/evidence/datasets/$sha256"
                params={{ sha256: run.lineage.datasetSha256 }}
                className="link"
                onClick={() => setIsOpen(false)}
              >
                Open the frozen input
              </Link>
            </>
          )}
        </p>
      </Dialog>
    </>
  );
}

function timeFacts(time: Told) {
  return [
    ['As of', formatDay(time.asOf)],
    ['Known at', formatInstant(time.knownAt)],
    ['Recorded at', formatInstant(time.recordedAt)],
    ['Knowledge', time.reconstructed ? 'Reconstructed: declared by a rule of the source' : 'Recorded when it happened'],
  ] as const;
}

function runFacts(run: Made) {
  return [
    ['Run', `Version ${run.runNumber}`],
    ['Dataset', <Hash key="dataset" value={run.lineage.datasetSha256} />],
    ['Result', <Hash key="result" value={run.resultSha256} />],
    [
      'Code',
      <code key="code" className="font-mono text-xs">
        {run.lineage.codeVersion}
      </code>,
    ],
    ['Settings', <Hash key="settings" value={run.lineage.configSha256} />],
    ['Seed', String(run.lineage.seed)],
    ['Trial', run.lineage.trialId === null ? 'not in the ledger' : `No. ${run.lineage.trialId}`],
  ] as const;
}
