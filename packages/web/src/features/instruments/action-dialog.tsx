import { useMutation } from '@tanstack/react-query';
import { addCorporateAction } from '@touchstone/contracts/data';
import { useState } from 'react';
import { Dialog } from '../../components/dialog.tsx';
import { ChoiceField, onSubmit, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Button, Note } from '../../components/ui.tsx';
import { refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

type ActionProps = {
  instrument: { id: number; symbol: string; currency: string };
  sourceId: number | null;
  isOpen: boolean;
  onClose: () => void;
};

export function ActionDialog({ instrument, sourceId, isOpen, onClose }: ActionProps) {
  const [kind, setKind] = useState<'split' | 'dividend'>('split');
  const [form, setForm] = useState({ day: '', value: '', reason: '' });
  const save = useMutation({
    mutationFn: () =>
      client.call(addCorporateAction, {
        body: {
          instrumentId: instrument.id,
          sourceId: sourceId ?? 0,
          day: form.day,
          kind,
          value: Number(form.value),
          reason: form.reason,
        },
      }),
    onSuccess: async () => {
      onClose();
      await refreshAll();
    },
  });
  const field = (key: keyof typeof form) => ({
    path: `body.${key}`,
    error: save.error,
    value: form[key],
    onValue: (value: string) => setForm({ ...form, [key]: value }),
  });
  return (
    <Dialog title={`Split or dividend of ${instrument.symbol}`} isOpen={isOpen} onClose={onClose}>
      <form className="space-y-4" onSubmit={onSubmit(() => save.mutate())}>
        {sourceId === null && (
          <Note tone="warn">It has no prices of one source yet, so there is nothing to adjust.</Note>
        )}
        <ChoiceField
          legend="Kind"
          value={kind}
          onValue={(value) => setKind(value === 'split' ? 'split' : 'dividend')}
          options={[
            { value: 'split', label: 'Split', hint: 'New shares for each old one: 2 for a two-for-one split.' },
            { value: 'dividend', label: 'Dividend', hint: `Cash per share, in ${instrument.currency}.` },
          ]}
        />
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField label="Ex-day" type="date" required {...field('day')} />
          <TextField
            label={kind === 'split' ? 'New shares per old share' : `Cash per share (${instrument.currency})`}
            type="number"
            step="any"
            min={0}
            required
            {...field('value')}
          />
        </div>
        <TextField
          label="Why"
          required
          minLength={3}
          maxLength={500}
          placeholder="Company notice"
          {...field('reason')}
        />
        {save.error && <ProblemNotice error={save.error} />}
        <Button type="submit" look="main" isBusy={save.isPending} disabled={sourceId === null}>
          Add
        </Button>
      </form>
    </Dialog>
  );
}
