import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { startAutoml } from '@touchstone/contracts/automl';
import { TARGETS, type TargetName } from '@touchstone/contracts/model-manifest';
import { listTargets } from '@touchstone/contracts/training';
import { useState } from 'react';
import { Dialog } from '../../components/dialog.tsx';
import { onSubmit, SelectField, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Button } from '../../components/ui.tsx';
import { UniverseField } from '../../components/universe-field.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { apiQuery } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { targetWords } from './model-words.ts';

const SECONDS_A_MINUTE = 60;

/** Starts a search; its page shows the trials as they come. */
export function SearchButton() {
  const [isOpen, setIsOpen] = useState(false);
  const refusal = useRefusal('model:write');
  return (
    <>
      <Button look="main" refusal={refusal} onClick={() => setIsOpen(true)}>
        Search for a model
      </Button>
      <Dialog title="Search for a model" isOpen={isOpen} onClose={() => setIsOpen(false)}>
        <SearchForm onCancel={() => setIsOpen(false)} />
      </Dialog>
    </>
  );
}

function SearchForm({ onCancel }: { onCancel: () => void }) {
  const navigate = useNavigate();
  const targets = useQuery(apiQuery(listTargets));
  const [universe, setUniverse] = useState('');
  const [target, setTarget] = useState<TargetName>('volatility_direction');
  const [minutes, setMinutes] = useState('20');
  const isTarget = (value: string): value is TargetName => TARGETS.some((one) => one === value);
  const start = useMutation({
    mutationFn: () =>
      client.call(startAutoml, {
        body: {
          ...{ universeId: Number(universe), target },
          seconds: Math.round(Number(minutes) * SECONDS_A_MINUTE),
        },
      }),
    onSuccess: ({ automlId }) => navigate({ to: '/searches/$automlId', params: { automlId } }),
  });
  return (
    <form className="space-y-4" onSubmit={onSubmit(() => start.mutate())}>
      <UniverseField path="body.universeId" error={start.error} value={universe} onValue={setUniverse} />
      <SelectField
        label="What to forecast"
        value={target}
        onValue={(value) => isTarget(value) && setTarget(value)}
        options={(targets.data?.items ?? []).map((one) => [one.target, targetWords(one.target)] as const)}
      />
      <TextField
        label="Minutes"
        hint="Of the search; the judgement afterwards comes on top. At most four hours."
        path="body.seconds"
        error={start.error}
        type="number"
        min="1"
        max="240"
        value={minutes}
        onValue={setMinutes}
      />
      <p className="text-sm text-soft">Every trial is counted in the ledger, failed ones too.</p>
      {start.error && <ProblemNotice error={start.error} />}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="main" isBusy={start.isPending} disabled={universe === ''}>
          Start
        </Button>
        <Button onClick={onCancel}>Not now</Button>
      </div>
    </form>
  );
}
