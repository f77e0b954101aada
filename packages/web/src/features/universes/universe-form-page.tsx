import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { listSources } from '@touchstone/contracts/data';
import type { Answer } from '@touchstone/contracts/route';
import { createUniverse, getUniverse, updateUniverse } from '@touchstone/contracts/universes';
import { useState } from 'react';
import { AreaField, ChoiceField, onSubmit, SelectField, TextField } from '../../components/form.tsx';
import { InstrumentPicker, type Picked } from '../../components/instrument-picker.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { Button, Note, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { plural } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

type Whole = Answer<typeof getUniverse>;

export function NewUniversePage() {
  return <UniverseForm before={null} />;
}

export function EditUniversePage() {
  const { universeId } = useParams({ from: '/universes/$universeId/edit' });
  const universe = useQuery(apiQuery(getUniverse, { params: { universeId } }));
  return <QueryView query={universe}>{(data) => <UniverseForm before={data} key={data.id} />}</QueryView>;
}

function UniverseForm({ before }: { before: Whole | null }) {
  const [name, setName] = useState(before?.name ?? '');
  const [description, setDescription] = useState(before?.description ?? '');
  const [rule, setRule] = useState<string>(before?.rule ?? 'all_of_source');
  const [sourceId, setSourceId] = useState(before === null ? '' : String(before.sourceId));
  const [visibility, setVisibility] = useState<string>(before?.visibility ?? 'tenant');
  const [members, setMembers] = useState<Picked[]>(before?.members ?? []);
  const sources = useQuery(apiQuery(listSources));
  const refusal = useRefusal('portfolio:write', before?.tenantId);
  const navigate = useNavigate();
  const save = useMutation({
    mutationFn: () => {
      const common = {
        name,
        description,
        visibility: visibility === 'private' ? ('private' as const) : ('tenant' as const),
        ...(rule === 'list' && {
          members: members.map(({ instrumentId, firstDay, lastDay }) => ({ instrumentId, firstDay, lastDay })),
        }),
      };
      if (before !== null) {
        return client.call(updateUniverse, {
          params: { universeId: before.id },
          body: { ...common, version: before.version },
        });
      }
      const made = { ...common, rule: rule === 'list' ? ('list' as const) : ('all_of_source' as const) };
      return client.call(createUniverse, { body: { ...made, sourceId: Number(sourceId) } });
    },
    onSuccess: async (saved) => {
      await refreshAll();
      await navigate({ to: '/universes/$universeId', params: { universeId: saved.id } });
    },
  });
  return (
    <>
      <PageHeader title={before === null ? 'New universe' : `Edit ${before.name}`} />
      <form className="grid max-w-4xl gap-4" onSubmit={onSubmit(() => save.mutate())}>
        {refusal && <Note tone="warn">{refusal}</Note>}
        <Panel title="What">
          <div className="grid gap-4 sm:grid-cols-2">
            <TextField
              label="Name"
              required
              maxLength={200}
              path="body.name"
              error={save.error}
              value={name}
              onValue={setName}
            />
            <SelectField
              label="Prices from"
              required
              disabled={before !== null}
              hint={before !== null ? 'A universe keeps its source.' : undefined}
              path="body.sourceId"
              error={save.error}
              value={sourceId}
              onValue={setSourceId}
              options={[
                ['', sources.isPending ? 'Loading' : 'Choose a source'],
                ...(sources.data?.items ?? [])
                  .filter((source) => source.kind !== 'calendar')
                  .map((source) => [String(source.id), `${source.name} (${source.instrumentCount})`] as const),
              ]}
            />
            <div className="sm:col-span-2">
              <AreaField
                label="Description"
                maxLength={2000}
                path="body.description"
                error={save.error}
                value={description}
                onValue={setDescription}
              />
            </div>
            {before === null ? (
              <ChoiceField
                legend="Members"
                value={rule}
                onValue={setRule}
                options={[
                  {
                    value: 'all_of_source',
                    label: 'Everything the source has',
                    hint: 'New instruments join by themselves.',
                  },
                  { value: 'list', label: 'A list of my own' },
                ]}
              />
            ) : (
              <p className="text-sm text-soft">
                {rule === 'list' ? 'Its members are a list.' : 'Its members are everything the source has.'}
              </p>
            )}
            <ChoiceField
              legend="Seen by"
              value={visibility}
              onValue={setVisibility}
              options={[
                { value: 'tenant', label: 'Everybody here' },
                { value: 'private', label: 'Only me' },
              ]}
            />
          </div>
        </Panel>
        {rule === 'list' && (
          <Panel title="Members" hint={plural(members.length, 'instrument')}>
            {sourceId === '' ? (
              <p className="text-sm text-soft">Choose the source first.</p>
            ) : (
              <InstrumentPicker sourceId={Number(sourceId)} picked={members} onPicked={setMembers} />
            )}
          </Panel>
        )}
        {save.error && <ProblemNotice error={save.error} />}
        <div>
          <Button type="submit" look="main" isBusy={save.isPending} disabled={refusal !== null}>
            {before === null ? 'Make the universe' : 'Save'}
          </Button>
        </div>
      </form>
    </>
  );
}
