import type { ImportPreview } from '@touchstone/contracts/data';
import { type DragEvent, useId, useState } from 'react';
import { SelectField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Badge, Panel, Progress } from '../../components/ui.tsx';
import { formatBytes, words } from '../../lib/format.ts';

export type SentFile = {
  key: string;
  name: string;
  blob: Blob;
  progress: number;
  uploadId: string | null;
  preview: ImportPreview | null;
  error: unknown;
};

const KINDS = ['prices', 'corporate_actions', 'market_caps', 'exchange_rates', 'macro'] as const;

type DropProps = {
  files: readonly SentFile[];
  shownKey: string | null;
  kind: ImportPreview['kind'];
  onKind: (kind: ImportPreview['kind']) => void;
  onAdd: (files: readonly File[]) => void;
  onShow: (key: string) => void;
  onRemove: (key: string) => void;
};

/** First step: files by drop or by choice, each sent at once. */
export function FileDrop({ files, shownKey, kind, onKind, onAdd, onShow, onRemove }: DropProps) {
  const inputId = useId();
  const [isOver, setIsOver] = useState(false);
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    onAdd([...event.dataTransfer.files]);
  };
  return (
    <Panel title="1. Files" hint="One long file with a symbol column, or one file for each symbol.">
      <div className="grid gap-4 md:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        <label
          htmlFor={inputId}
          onDragOver={(event) => {
            event.preventDefault();
            setIsOver(true);
          }}
          onDragLeave={() => setIsOver(false)}
          onDrop={onDrop}
          className={`block cursor-pointer rounded border-2 border-dashed px-4 py-7 text-center text-sm focus-within:border-accent ${isOver ? 'border-accent bg-accent-well' : 'border-line bg-well hover:border-strong-line'}`}
        >
          <span className="font-medium">Drop files here</span>, or <span className="link">choose them</span>
          <span className="mt-1 block text-xs text-soft">.csv, .txt, .tsv, also .gz</span>
          <input
            id={inputId}
            type="file"
            multiple
            accept=".csv,.txt,.tsv,.gz"
            className="sr-only"
            onChange={(event) => {
              onAdd([...(event.currentTarget.files ?? [])]);
              event.currentTarget.value = '';
            }}
          />
        </label>
        <SelectField
          label="They hold"
          value={kind}
          onValue={(value) => onKind(KINDS.find((one) => one === value) ?? 'prices')}
          options={KINDS.map((one) => [one, words(one)] as const)}
        />
      </div>
      {files.length > 0 && (
        <ul className="mt-4 divide-y divide-line border-t border-line text-sm">
          {files.map((file) => (
            <li key={file.key} className="py-2">
              <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
                <button
                  type="button"
                  className="link font-medium break-all"
                  aria-current={file.key === shownKey}
                  onClick={() => onShow(file.key)}
                >
                  {file.name}
                </button>
                <span className="text-soft">{formatBytes(file.blob.size)}</span>
                {file.key === shownKey && files.length > 1 && <Badge tone="accent">shown below</Badge>}
                <button type="button" className="link ml-auto text-xs" onClick={() => onRemove(file.key)}>
                  Remove
                </button>
              </div>
              {file.error !== null && <ProblemNotice error={file.error} />}
              {file.error === null && file.preview === null && (
                <div className="mt-1.5">
                  <Progress fraction={file.progress} label={`Sending ${file.name}`} />
                  <p className="mt-1 text-xs text-soft">
                    {file.progress < 1 ? 'Sending' : 'Looking how it is written'}
                  </p>
                </div>
              )}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
