import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ImportPreview } from '@touchstone/contracts/data';
import { previewImport, startImport, uploadFile } from '@touchstone/contracts/data';
import { useState } from 'react';
import { onSubmit } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Button, buttonClass, PageHeader, Panel } from '../../components/ui.tsx';
import { useAuth, useRefusal } from '../../lib/auth.ts';
import { plural } from '../../lib/format.ts';
import { client, uploadWithProgress } from '../../lib/session.ts';
import { ChoicesPanel, type Chosen } from './choices-panel.tsx';
import { FileDrop, type SentFile } from './file-drop.tsx';
import { ImportResults } from './import-results.tsx';
import { PreviewPanel } from './preview-panel.tsx';
import { sourceCodeOf, type TargetDraft, TargetPanel } from './target-panel.tsx';

type FileKind = ImportPreview['kind'];

/** Files in, step by step; each step stays in sight, so that an earlier answer can be mended. */
export function ImportPage() {
  const refusal = useRefusal('market:write');
  const { hasOwner } = useAuth();
  return (
    <>
      <SubNav of="data" />
      <PageHeader title="Import prices">
        Daily bars from CSV files, plain or gzipped. Nothing is published before you have seen how a file will be read.
      </PageHeader>
      {refusal === null ? (
        <Wizard />
      ) : (
        <Panel title="Not with this account">
          <p className="text-sm">{refusal}</p>
          <p className="mt-3">
            <Link to={hasOwner ? '/sign-in' : '/owner'} className={buttonClass('main')}>
              {hasOwner ? 'Sign in' : 'Make the owner account'}
            </Link>
          </p>
        </Panel>
      )}
    </>
  );
}

const NO_TARGET = { code: '', name: '', universeName: '' };

function Wizard() {
  const [files, setFiles] = useState<SentFile[]>([]);
  const [kind, setKind] = useState<FileKind>('prices');
  const [choices, setChoices] = useState<Chosen>({});
  const [shown, setShown] = useState(0);
  const [target, setTarget] = useState<TargetDraft>({ ...NO_TARGET, onBadRow: 'keep-good' });
  const [taskIds, setTaskIds] = useState<number[]>([]);
  const patch = (key: string, part: Partial<SentFile>) =>
    setFiles((all) => all.map((file) => (file.key === key ? { ...file, ...part } : file)));

  const preview = async (file: SentFile, uploadId: string, asked: Chosen, as: FileKind) => {
    try {
      const body = { uploadId, fileName: file.name, kind: as, choices: asked };
      patch(file.key, { preview: await client.call(previewImport, { body }), error: null });
    } catch (error) {
      patch(file.key, { error });
    }
  };
  const send = async (file: SentFile) => {
    try {
      const path = client.address(uploadFile, { query: { fileName: file.name } });
      const answer = await uploadWithProgress(path, file.blob, (progress) => patch(file.key, { progress }));
      const sent = uploadFile.answer?.parse(answer);
      if (!sent) return;
      patch(file.key, { uploadId: sent.uploadId, progress: 1 });
      await preview(file, sent.uploadId, choices, kind);
    } catch (error) {
      patch(file.key, { error });
    }
  };
  const add = (added: readonly File[]) => {
    const fresh = added.map((file, at) => ({
      key: `${file.name} ${file.size} ${files.length + at}`,
      name: file.name,
      blob: file,
      progress: 0,
      uploadId: null,
      preview: null,
      error: null,
    }));
    const first = fresh[0];
    if (first && target.code === '') setTarget({ ...target, ...suggestTarget(first.name) });
    setFiles((all) => [...all, ...fresh]);
    void fresh.reduce<Promise<void>>(async (before, file) => {
      await before;
      await send(file);
    }, Promise.resolve());
  };
  const remove = (key: string) => {
    const left = files.filter((file) => file.key !== key);
    setFiles(left);
    setShown(0);
    const gone = files.find((file) => file.key === key);
    // Names taken from a file go with it; names somebody typed stay.
    if (gone && target.code === suggestTarget(gone.name).code) {
      const next = left[0] ? suggestTarget(left[0].name) : NO_TARGET;
      setTarget({ ...target, ...next });
    }
    if (left.length === 0) setChoices({});
  };
  const redo = (asked: Chosen, as: FileKind) => {
    setChoices(asked);
    setKind(as);
    for (const file of files) if (file.uploadId) void preview(file, file.uploadId, asked, as);
  };

  const ready = files.filter((file) => file.uploadId !== null && file.preview !== null && file.error === null);
  const current = files[shown]?.preview ? files[shown] : ready[0];
  const lacksBasis = kind === 'prices' && ready.some((file) => file.preview?.priceBasis.value === null);
  const start = useMutation({
    mutationFn: async () => {
      const started: number[] = [];
      for (const [at, file] of ready.entries()) {
        const isLast = at === ready.length - 1;
        const { task } = await client.call(startImport, {
          body: {
            uploadId: file.uploadId ?? '',
            fileName: file.name,
            kind,
            source: { code: target.code, ...(target.name !== '' && { name: target.name }) },
            choices,
            onBadRow: target.onBadRow,
            // Once is enough: the universe is everything the source has, whatever file brings it.
            ...(isLast && target.universeName !== '' && { universeName: target.universeName }),
          },
        });
        started.push(task.id);
        setTaskIds([...started]);
      }
    },
  });

  if (taskIds.length > 0) {
    return (
      <ImportResults
        taskIds={taskIds}
        isStarting={start.isPending}
        error={start.error}
        onAgain={() => {
          setTaskIds([]);
          setFiles([]);
          setChoices({});
          setTarget({ ...target, ...NO_TARGET });
          start.reset();
        }}
      />
    );
  }
  return (
    <form className="grid gap-4" onSubmit={onSubmit(() => start.mutate())}>
      <FileDrop
        files={files}
        shownKey={current?.key ?? null}
        kind={kind}
        onKind={(as) => redo({}, as)}
        onAdd={add}
        onShow={(key) => setShown(files.findIndex((file) => file.key === key))}
        onRemove={remove}
      />
      {current?.preview && (
        <>
          <ChoicesPanel
            preview={current.preview}
            choices={choices}
            lacksBasis={lacksBasis}
            onChoices={(asked) => redo(asked, kind)}
          />
          <PreviewPanel preview={current.preview} />
          <TargetPanel draft={target} onDraft={setTarget} withUniverse={kind === 'prices'} error={start.error} />
          {start.error && <ProblemNotice error={start.error} />}
          <div>
            <Button
              type="submit"
              look="main"
              isBusy={start.isPending}
              disabled={lacksBasis || ready.length === 0 || ready.length < files.length}
            >
              Import {plural(ready.length, 'file')}
            </Button>
            {lacksBasis && (
              <span className="ml-3 text-sm text-warn">
                Say in step 2 what the prices are adjusted for; the file does not tell.
              </span>
            )}
            {ready.length < files.length && (
              <span className="ml-3 text-sm text-soft">Remove or mend the files that cannot be read first.</span>
            )}
          </div>
        </>
      )}
    </form>
  );
}

function suggestTarget(fileName: string): Partial<TargetDraft> {
  const stem = fileName.replace(/\.(csv|txt|tsv)?(\.gz)?$/i, '');
  const words = stem.replace(/[_-]+/g, ' ').trim();
  return { code: sourceCodeOf(stem), name: words, universeName: `All of ${words}`.slice(0, 200) };
}
