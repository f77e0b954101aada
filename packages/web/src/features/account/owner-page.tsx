import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { createOwner } from '@touchstone/contracts/auth';
import { useState } from 'react';
import { onSubmit, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Button, Note } from '../../components/ui.tsx';
import { useAuth } from '../../lib/auth.ts';
import { client } from '../../lib/session.ts';
import { useEnter } from './use-enter.ts';

const PASSWORD_LENGTH_MIN = 12;

export function OwnerPage() {
  const { hasOwner } = useAuth();
  const [form, setForm] = useState({ displayName: '', tenantName: '', email: '', password: '' });
  const enter = useEnter('/data/import');
  const make = useMutation({
    mutationFn: () => client.call(createOwner, { body: form }),
    onSuccess: enter,
  });
  const set = (key: keyof typeof form) => (value: string) => setForm({ ...form, [key]: value });
  return (
    <div className="mx-auto max-w-md py-6">
      <h1 className="text-2xl font-semibold tracking-tight">Make the owner account</h1>
      <p className="mt-1 mb-4 text-soft">
        Possible once. The owner may do everything; the account lives on this machine and is sent nowhere.
      </p>
      {hasOwner ? (
        <Note title="There is an owner already.">
          <Link to="/sign-in" className="link">
            Sign in
          </Link>
        </Note>
      ) : (
        <form className="space-y-4 rounded-md border border-line bg-sheet p-5" onSubmit={onSubmit(() => make.mutate())}>
          <TextField
            label="Your name"
            autoComplete="name"
            required
            maxLength={200}
            path="body.displayName"
            error={make.error}
            value={form.displayName}
            onValue={set('displayName')}
          />
          <TextField
            label="Name of your house"
            hint="A household, a desk, a firm: everything you import belongs to it."
            autoComplete="organization"
            required
            maxLength={200}
            path="body.tenantName"
            error={make.error}
            value={form.tenantName}
            onValue={set('tenantName')}
          />
          <TextField
            label="E-mail"
            hint="The name you sign in with; no mail is sent."
            type="email"
            autoComplete="username"
            required
            path="body.email"
            error={make.error}
            value={form.email}
            onValue={set('email')}
          />
          <TextField
            label="Password"
            hint={`At least ${PASSWORD_LENGTH_MIN} characters.`}
            type="password"
            autoComplete="new-password"
            required
            minLength={PASSWORD_LENGTH_MIN}
            maxLength={200}
            path="body.password"
            error={make.error}
            value={form.password}
            onValue={set('password')}
          />
          {make.error && <ProblemNotice error={make.error} />}
          <Button type="submit" look="main" isBusy={make.isPending}>
            Make the owner account
          </Button>
        </form>
      )}
    </div>
  );
}
