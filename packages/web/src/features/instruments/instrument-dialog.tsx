import { useMutation } from '@tanstack/react-query';
import { type Instrument, updateInstrument } from '@touchstone/contracts/data';
import { useState } from 'react';
import { Dialog } from '../../components/dialog.tsx';
import { onSubmit, SelectField, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Button } from '../../components/ui.tsx';
import { words } from '../../lib/format.ts';
import { refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

const KINDS = ['equity', 'fund', 'index', 'currency', 'crypto', 'other'] as const;

export function InstrumentDialog(props: { instrument: Instrument; isOpen: boolean; onClose: () => void }) {
  const { instrument, isOpen, onClose } = props;
  const [form, setForm] = useState({
    name: instrument.name,
    kind: instrument.kind as string,
    sector: instrument.sector ?? '',
    currency: instrument.currency,
    calendar: instrument.calendar,
  });
  const save = useMutation({
    mutationFn: () =>
      client.call(updateInstrument, {
        params: { instrumentId: instrument.id },
        body: {
          ...form,
          kind: KINDS.find((kind) => kind === form.kind) ?? instrument.kind,
          sector: form.sector === '' ? null : form.sector,
          version: instrument.version,
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
    <Dialog title={`Edit ${instrument.symbol}`} isOpen={isOpen} onClose={onClose}>
      <form className="grid gap-4 sm:grid-cols-2" onSubmit={onSubmit(() => save.mutate())}>
        <TextField label="Name" required {...field('name')} />
        <SelectField label="Kind" options={KINDS.map((kind) => [kind, words(kind)] as const)} {...field('kind')} />
        <TextField label="Sector" {...field('sector')} />
        <TextField label="Currency" pattern="[A-Z]{3}" title="Three capital letters" required {...field('currency')} />
        <TextField label="Calendar" pattern="[A-Z_]{4,12}" title="Code such as XNYS" required {...field('calendar')} />
        <div className="space-y-3 sm:col-span-2">
          {save.error && <ProblemNotice error={save.error} />}
          <Button type="submit" look="main" isBusy={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
