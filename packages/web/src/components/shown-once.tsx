import { useState } from 'react';
import { Dialog } from './dialog.tsx';
import { Button, Note } from './ui.tsx';

/** A secret that can be seen now and never again, with a button that copies it. */
export function ShownOnce(props: {
  title: string;
  label: string;
  value: string | null;
  note: string;
  onDone: () => void;
}) {
  const [isCopied, setIsCopied] = useState(false);
  const copy = async (value: string) => {
    await navigator.clipboard.writeText(value);
    setIsCopied(true);
  };
  const done = () => {
    setIsCopied(false);
    props.onDone();
  };
  return (
    <Dialog title={props.title} isOpen={props.value !== null} onClose={done}>
      <div className="space-y-4">
        <Note tone="warn" title="Shown this once">
          {props.note}
        </Note>
        <div>
          <p className="mb-1 text-sm font-medium">{props.label}</p>
          <code className="block rounded border border-line bg-well p-3 font-mono text-xs break-all whitespace-pre-wrap select-all">
            {props.value}
          </code>
        </div>
        <div className="flex flex-wrap items-center gap-2">
          {/* Browsers give the clipboard to pages of a trusted address only. */}
          {isSecureContext && (
            <Button look="main" onClick={() => props.value !== null && copy(props.value)}>
              Copy
            </Button>
          )}
          <Button onClick={done}>I have it</Button>
          <span role="status" className="text-sm text-soft">
            {isCopied ? 'Copied.' : ''}
          </span>
        </div>
      </div>
    </Dialog>
  );
}
