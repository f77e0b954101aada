import { useQuery } from '@tanstack/react-query';
import { listSources } from '@touchstone/contracts/data';
import { ChoiceField, TextField } from '../../components/form.tsx';
import { Panel } from '../../components/ui.tsx';
import { apiQuery } from '../../lib/query.ts';

export type TargetDraft = { code: string; name: string; onBadRow: 'keep-good' | 'refuse-file'; universeName: string };

type TargetProps = { draft: TargetDraft; onDraft: (draft: TargetDraft) => void; withUniverse: boolean; error: unknown };

/** Third step: where the rows go, and what happens to those that cannot be read. */
export function TargetPanel({ draft, onDraft, withUniverse, error }: TargetProps) {
  const sources = useQuery(apiQuery(listSources));
  const same = sources.data?.items.find((source) => source.code === draft.code);
  return (
    <Panel title="3. Where it goes">
      <div className="grid gap-4 md:grid-cols-2">
        <TextField
          label="Source code"
          required
          pattern="[a-z0-9][a-z0-9._\-]{0,62}"
          title="Lower case letters, digits, dot, dash, underscore"
          hint={
            same
              ? `Adds to “${same.name}”: known rows are left as they are, changed ones become revisions.`
              : 'A new source is made under this name.'
          }
          path="body.source.code"
          error={error}
          value={draft.code}
          onValue={(code) => onDraft({ ...draft, code })}
        />
        <TextField
          label="Source name"
          maxLength={200}
          disabled={same !== undefined}
          path="body.source.name"
          error={error}
          value={same?.name ?? draft.name}
          onValue={(name) => onDraft({ ...draft, name })}
        />
        <ChoiceField
          legend="A row that cannot be read"
          value={draft.onBadRow}
          onValue={(value) => onDraft({ ...draft, onBadRow: value === 'refuse-file' ? 'refuse-file' : 'keep-good' })}
          options={[
            {
              value: 'keep-good',
              label: 'Keep the good rows',
              hint: 'The bad ones are listed with line, column and rule.',
            },
            { value: 'refuse-file', label: 'Refuse the whole file' },
          ]}
        />
        {withUniverse && (
          <TextField
            label="Also make a universe of everything the source has"
            hint="Empty: none. An index needs one."
            maxLength={200}
            path="body.universeName"
            error={error}
            value={draft.universeName}
            onValue={(universeName) => onDraft({ ...draft, universeName })}
          />
        )}
      </div>
    </Panel>
  );
}

/** A file name as a source code: lower case, no spaces, at most 63 characters. */
export function sourceCodeOf(fileStem: string): string {
  const code = fileStem
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|[-._]+$/g, '');
  return code.slice(0, 63) || 'my-prices';
}
