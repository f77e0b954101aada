import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { TargetName } from '@touchstone/contracts/model-manifest';
import { FAMILIES, type FamilyName, listTargets, train } from '@touchstone/contracts/training';
import { useState } from 'react';
import { Dialog } from '../../components/dialog.tsx';
import { CheckField, ChoiceField, onSubmit } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Button } from '../../components/ui.tsx';
import { UniverseField } from '../../components/universe-field.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { apiQuery } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { learnerWords, targetWords } from './model-words.ts';

type Effort = 'quick' | 'normal';

/** Trains all models of a universe; the page of the training shows how far it is. */
export function TrainButton() {
  const [isOpen, setIsOpen] = useState(false);
  const refusal = useRefusal('model:write');
  return (
    <>
      <Button look="main" refusal={refusal} onClick={() => setIsOpen(true)}>
        Train models
      </Button>
      <Dialog title="Train models" isOpen={isOpen} onClose={() => setIsOpen(false)}>
        <TrainForm onCancel={() => setIsOpen(false)} />
      </Dialog>
    </>
  );
}

function TrainForm({ onCancel }: { onCancel: () => void }) {
  const navigate = useNavigate();
  const targets = useQuery(apiQuery(listTargets));
  const [universe, setUniverse] = useState('');
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [effort, setEffort] = useState<Effort>('normal');
  const start = useMutation({
    mutationFn: () =>
      client.call(train, {
        body: {
          ...{ universeId: Number(universe), effort },
          targets: (targets.data?.items ?? []).map(({ target }) => target).filter((target) => !left.has(target)),
          families: FAMILIES.filter((family) => !left.has(family)),
        },
      }),
    onSuccess: ({ trainingId }) => navigate({ to: '/trainings/$trainingId', params: { trainingId } }),
  });
  const toggle = (one: TargetName | FamilyName) => (isOn: boolean) => {
    const next = new Set(left);
    if (isOn) next.delete(one);
    else next.add(one);
    setLeft(next);
  };
  return (
    <form className="space-y-4" onSubmit={onSubmit(() => start.mutate())}>
      <UniverseField
        hint="Its members are learnt from and judged on."
        path="body.universeId"
        error={start.error}
        value={universe}
        onValue={setUniverse}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <fieldset>
          <legend className="mb-1 text-sm font-medium">What to forecast</legend>
          <div className="space-y-1.5">
            {targets.data?.items.map(({ target }) => (
              <CheckField
                key={target}
                label={targetWords(target)}
                isChecked={!left.has(target)}
                onChecked={toggle(target)}
              />
            ))}
          </div>
        </fieldset>
        <fieldset>
          <legend className="mb-1 text-sm font-medium">With</legend>
          <div className="space-y-1.5">
            {FAMILIES.map((family) => (
              <CheckField
                key={family}
                label={learnerWords(family)}
                isChecked={!left.has(family)}
                onChecked={toggle(family)}
                disabled={family === 'linear'}
              />
            ))}
          </div>
        </fieldset>
      </div>
      <ChoiceField
        legend="Effort"
        value={effort}
        onValue={(value) => setEffort(value === 'quick' ? 'quick' : 'normal')}
        options={[
          { value: 'normal', label: 'Normal', hint: 'Minutes for twenty instruments on two cores.' },
          { value: 'quick', label: 'Quick', hint: 'Fewer folds, smaller models: to see that all of it works.' },
        ]}
      />
      <p className="text-sm text-soft">
        Every variant is counted in the trials ledger. Nothing is served before somebody promotes it.
      </p>
      {start.error && <ProblemNotice error={start.error} />}
      <div className="flex flex-wrap gap-2">
        <Button
          type="submit"
          look="main"
          isBusy={start.isPending}
          disabled={universe === '' || targets.data === undefined}
        >
          Start training
        </Button>
        <Button onClick={onCancel}>Not now</Button>
      </div>
    </form>
  );
}
