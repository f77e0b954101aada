import { useState } from 'react';
import { ProblemNotice } from './problem-notice.tsx';
import { Button, Note } from './ui.tsx';

type ConflictProps<T> = {
  error: unknown;
  /** What was edited, in the middle of a sentence: `this schedule`. */
  what: string;
  load: () => Promise<T>;
  /** Their record: its version is the one to save against; its content only where the reader wants it. */
  onTake: (fresh: T, isTheirs: boolean) => void;
};

/** Somebody saved in between: nothing typed is lost, and the reader chooses whose words stand. */
export function Conflict<T>({ error, what, load, onTake }: ConflictProps<T>) {
  const [isBusy, setIsBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const [taken, setTaken] = useState<string | null>(null);
  const take = async (isTheirs: boolean) => {
    setIsBusy(true);
    setFailure(null);
    try {
      onTake(await load(), isTheirs);
      setTaken(isTheirs ? 'Theirs is loaded; look it over and save.' : 'Yours is kept; saving now replaces theirs.');
    } catch (caught) {
      setFailure(caught);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <div className="space-y-2">
      <ProblemNotice error={error} />
      <Note tone="warn" title={`Somebody changed ${what} while you were editing it.`}>
        <p>Nothing you typed is lost. Reload what they saved, or keep yours.</p>
        <div className="mt-2 flex flex-wrap gap-2">
          <Button isBusy={isBusy} onClick={() => take(true)}>
            Load theirs
          </Button>
          <Button isBusy={isBusy} onClick={() => take(false)}>
            Keep mine
          </Button>
        </div>
        {taken && <p className="mt-2 font-medium">{taken}</p>}
      </Note>
      {failure !== null && <ProblemNotice error={failure} />}
    </div>
  );
}
