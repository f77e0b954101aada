import type { IndexDefinition, IndexRun } from '@touchstone/contracts/indexes';
import { formatDay, formatInstant, plural } from '../lib/format.ts';
import { useKnownTime } from '../lib/known-time.ts';
import { Note } from './ui.tsx';

/** Says that facts under a version have changed since it was computed. Looking back in time, that is no news. */
export function RunAge({ run, index }: { run: IndexRun; index: Pick<IndexDefinition, 'stale'> }) {
  const known = useKnownTime();
  if (index.stale === null || known.knownAt) return null;
  const { since, changeCount, firstDay } = index.stale;
  return (
    <Note tone="warn" title="Stale: facts changed since its last version">
      Version {run.runNumber} knows what was recorded by {formatInstant(run.time.recordedAt)}. Since{' '}
      {formatInstant(since)}, {plural(changeCount, 'change')} touched its data
      {firstDay !== null && `, from ${formatDay(firstDay)} on`}. Compute the index again to take it in.
    </Note>
  );
}
