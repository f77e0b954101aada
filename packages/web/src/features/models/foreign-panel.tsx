import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { foreignManifest, registerForeignModel, sendForeignModel } from '@touchstone/contracts/foreign';
import { useId, useState } from 'react';
import { onSubmit, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Button, Note, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { VerdictBadge } from './models-page.tsx';

type Chosen = { model: File | null; manifest: File | null };

/** Registers an ONNX file that learnt elsewhere; the gate judges it on the days after. */
export function ForeignPanel() {
  const refusal = useRefusal('model:write');
  const [name, setName] = useState('');
  const [files, setFiles] = useState<Chosen>({ model: null, manifest: null });
  const bring = useMutation({
    mutationFn: () => register(name, files),
    onSuccess: refreshAll,
  });
  const isWhole = name !== '' && files.model !== null && files.manifest !== null;
  return (
    <Panel
      title="Bring a model"
      hint="An ONNX file of PyTorch, scikit-learn or another trainer. It is judged by the same gate, on the days after it was trained."
    >
      <form className="grid gap-4 md:grid-cols-3" onSubmit={onSubmit(() => bring.mutate())}>
        <TextField
          label="Name of the model"
          path="params.model"
          error={bring.error}
          value={name}
          onValue={setName}
          hint="Lower case, digits, dashes."
        />
        <FileField
          label="Model (.onnx)"
          accept=".onnx"
          onFile={(model) => setFiles((before) => ({ ...before, model }))}
        />
        <FileField
          label="Manifest (.json)"
          accept=".json,application/json"
          onFile={(manifest) => setFiles((before) => ({ ...before, manifest }))}
        />
        <div className="md:col-span-3">
          <Button type="submit" refusal={refusal} isBusy={bring.isPending} disabled={!isWhole}>
            Register and judge it
          </Button>
        </div>
      </form>
      {bring.error && <ProblemNotice error={bring.error} />}
      {bring.data && (
        <Note title={`Version ${bring.data.version} of ${bring.data.model}`}>
          <p>
            {bring.data.verdict === null ? (
              'Not judged: the dataset holds no day after it was trained. It cannot be served.'
            ) : (
              <>
                <VerdictBadge passed={bring.data.verdict.passed} /> {bring.data.verdict.sentence}
              </>
            )}{' '}
            <Link
              to="/models/$model/versions/$version"
              params={{ model: bring.data.model, version: bring.data.version }}
              className="link"
            >
              Look at it
            </Link>
          </p>
        </Note>
      )}
    </Panel>
  );
}

async function register(model: string, files: Chosen) {
  if (files.model === null || files.manifest === null) throw new Error('Choose both files.');
  const manifest = foreignManifest.safeParse(readJson(await files.manifest.text()));
  if (!manifest.success) {
    const [first] = manifest.error.issues;
    throw new Error(`The manifest is not whole: ${first?.path.join('.')}: ${first?.message}.`);
  }
  const response = await client.raw(sendForeignModel, { body: files.model });
  const { fileSha256 } = sendForeignModel.answer!.parse(await response.json());
  return client.call(registerForeignModel, { params: { model }, body: { fileSha256, manifest: manifest.data } });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('The manifest holds no JSON.');
  }
}

function FileField({ label, accept, onFile }: { label: string; accept: string; onFile: (file: File | null) => void }) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        {label}
      </label>
      <input
        id={id}
        type="file"
        accept={accept}
        className="block w-full min-w-0 text-sm"
        onChange={(event) => onFile(event.currentTarget.files?.[0] ?? null)}
      />
    </div>
  );
}
