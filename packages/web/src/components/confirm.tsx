import { type ReactNode, useState } from 'react';
import { Dialog } from './dialog.tsx';
import { AreaField, onSubmit } from './form.tsx';
import { ProblemNotice } from './problem-notice.tsx';
import { Button } from './ui.tsx';

type ConfirmProps = {
  action: string;
  title: string;
  children: ReactNode;
  refusal?: string | null;
  /** Ask for a reason of at least three characters. */
  reasonLabel?: string;
  look?: 'plain' | 'bad';
  run: (reason: string) => Promise<unknown>;
};

/** A button whose work is worth a second thought: says what will happen, and asks why where the record needs it. */
export function ConfirmButton({ action, title, children, refusal, reasonLabel, look = 'plain', run }: ConfirmProps) {
  const [isOpen, setIsOpen] = useState(false);
  const [reason, setReason] = useState('');
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const go = async () => {
    setIsBusy(true);
    setError(null);
    try {
      await run(reason);
      setIsOpen(false);
      setReason('');
    } catch (caught) {
      setError(caught);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <>
      <Button look={look} refusal={refusal} onClick={() => setIsOpen(true)}>
        {action}
      </Button>
      <Dialog title={title} isOpen={isOpen} onClose={() => setIsOpen(false)}>
        <form className="space-y-4" onSubmit={onSubmit(go)}>
          <div className="text-sm">{children}</div>
          {reasonLabel && (
            <AreaField
              label={reasonLabel}
              hint="At least three characters; kept in the record."
              path="body.reason"
              error={error}
              value={reason}
              onValue={setReason}
            />
          )}
          {error !== null && <ProblemNotice error={error} />}
          <div className="flex flex-wrap gap-2">
            <Button
              type="submit"
              look={look === 'bad' ? 'bad' : 'main'}
              isBusy={isBusy}
              disabled={reasonLabel !== undefined && reason.trim().length < 3}
            >
              {action}
            </Button>
            <Button onClick={() => setIsOpen(false)}>Keep as it is</Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
