import { useMutation, useQuery } from '@tanstack/react-query';
import { CHECKLIST, getModel, promoteModel } from '@touchstone/contracts/models';
import { useState } from 'react';
import { Dialog } from '../../components/dialog.tsx';
import { AreaField, CheckField, onSubmit } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Button } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

const ITEMS: Record<(typeof CHECKLIST)[number], string> = {
  limits_read: 'I have read its limits.',
  bias_reviewed: 'I have seen where it is weak: sectors, sizes, volatility, regimes.',
  data_rights_clear: 'The data it learnt from may be used so.',
  monitoring_ready: 'Somebody is told when it drifts or falls back.',
  rollback_known: 'I know who rolls it back, and how.',
};

/** Puts a version that passed the gate into production, with a signed check list. */
export function PromoteButton({ model, version }: { model: string; version: number }) {
  const [isOpen, setIsOpen] = useState(false);
  const refusal = useRefusal('model:promote');
  return (
    <>
      <Button look="main" refusal={refusal} onClick={() => setIsOpen(true)}>
        Promote
      </Button>
      <Dialog title={`Serve version ${version} of ${model}`} isOpen={isOpen} onClose={() => setIsOpen(false)}>
        <PromoteForm model={model} version={version} onDone={() => setIsOpen(false)} />
      </Dialog>
    </>
  );
}

function PromoteForm({ model, version, onDone }: { model: string; version: number; onDone: () => void }) {
  const { data } = useQuery(apiQuery(getModel, { params: { model } }));
  const [signed, setSigned] = useState<ReadonlySet<string>>(new Set());
  const [reason, setReason] = useState('');
  const promote = useMutation({
    mutationFn: () =>
      client.call(promoteModel, {
        params: { model },
        body: {
          ...{ version, reason, expected: data?.champion?.version ?? null },
          checklist: CHECKLIST.map((item) => ({ item, signed: signed.has(item), note: '' })),
        },
      }),
    onSuccess: async () => {
      onDone();
      await refreshAll();
    },
  });
  const toggle = (item: string) => (isOn: boolean) => {
    const next = new Set(signed);
    if (isOn) next.add(item);
    else next.delete(item);
    setSigned(next);
  };
  return (
    <form className="space-y-4" onSubmit={onSubmit(() => promote.mutate())}>
      <p className="text-sm">
        {data?.champion
          ? `It takes over from version ${data.champion.version} on every server without a failed request.`
          : 'Nothing is served now.'}{' '}
        Your name, the moment and what you sign are kept for good.
      </p>
      <fieldset>
        <legend className="mb-1 text-sm font-medium">You sign</legend>
        <div className="space-y-1.5">
          {CHECKLIST.map((item) => (
            <CheckField key={item} label={ITEMS[item]} isChecked={signed.has(item)} onChecked={toggle(item)} />
          ))}
        </div>
      </fieldset>
      <AreaField label="Why" path="body.reason" error={promote.error} value={reason} onValue={setReason} />
      {promote.error && <ProblemNotice error={promote.error} />}
      <div className="flex flex-wrap gap-2">
        <Button
          type="submit"
          look="main"
          isBusy={promote.isPending}
          disabled={signed.size < CHECKLIST.length || reason.trim() === '' || data === undefined}
        >
          Promote version {version}
        </Button>
        <Button onClick={onDone}>Not now</Button>
      </div>
    </form>
  );
}
