import { useQuery } from '@tanstack/react-query';
import { getTimeline } from '@touchstone/contracts/data';
import type { IndexRun } from '@touchstone/contracts/indexes';
import { formatInstant } from '../lib/format.ts';
import { useKnownTime } from '../lib/known-time.ts';
import { apiQuery } from '../lib/query.ts';
import { Note } from './ui.tsx';

/** Says that a run is old: data were published after it. Looking back in time, that is no news. */
export function RunAge({ run, tenantId }: { run: IndexRun; tenantId: number }) {
  const known = useKnownTime();
  const timeline = useQuery(apiQuery(getTimeline));
  const latest = timeline.data?.recordedAt;
  if (tenantId === 0 || known.knownAt || !latest || Date.parse(latest) <= Date.parse(run.time.recordedAt)) return null;
  return (
    <Note tone="warn" title="Older than the newest data">
      Version {run.runNumber} knows what was recorded by {formatInstant(run.time.recordedAt)}; more was published on{' '}
      {formatInstant(latest)}. Compute the index again to take it in.
    </Note>
  );
}
