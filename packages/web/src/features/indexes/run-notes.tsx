import { Link } from '@tanstack/react-router';
import type { IndexRun } from '@touchstone/contracts/indexes';
import { Note } from '../../components/ui.tsx';
import { plural } from '../../lib/format.ts';

/** The finding of the quality court whose days an index pays as no return. */
const SUSPECT_KIND = 'split_suspicion';

/** What a reader of this version must know before believing its figures; nothing where nothing is the matter. */
export function RunNotes({ run }: { run: IndexRun }) {
  return (
    <>
      {run.suspectStepCount > 0 && (
        <Note tone="warn">
          {run.suspectStepCount === 1
            ? '1 price step looks like a split nobody told of and is paid as no return; see '
            : `${plural(run.suspectStepCount, 'price step')} look like a split nobody told of and are paid as no return; see `}
          <Link to="/data/cases" search={(before) => ({ ...before, kind: SUSPECT_KIND })} className="link">
            findings
          </Link>
          . A split told on the page of the name, or a case decided, and the next version pays what it was.
        </Note>
      )}
      {run.namesWithoutCap > 0 && (
        <Note>
          {run.namesWithoutCap === 1 ? '1 name' : plural(run.namesWithoutCap, 'name')} had no known market cap at some
          rebalance. A cap is never invented: such a name scores on the other pillars alone.
        </Note>
      )}
      {run.infeasibleCount > 0 && (
        <Note tone="warn">
          {plural(run.infeasibleCount, 'rebalance')} had no feasible weights; the index kept what it held.
        </Note>
      )}
    </>
  );
}
