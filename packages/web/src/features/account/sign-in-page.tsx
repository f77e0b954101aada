import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { signIn } from '@touchstone/contracts/auth';
import { useState } from 'react';
import { onSubmit, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Button } from '../../components/ui.tsx';
import { AUTH_KEY, useAuth } from '../../lib/auth.ts';
import { adoptSession, client } from '../../lib/session.ts';

export function SignInPage() {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const { hasOwner } = useAuth();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const enter = useMutation({
    mutationFn: () => client.call(signIn, { body: { email, password } }),
    onSuccess: async (session) => {
      queries.clear();
      queries.setQueryData(AUTH_KEY, adoptSession(session));
      await navigate({ to: '/' });
    },
  });
  return (
    <div className="mx-auto max-w-sm py-6">
      <h1 className="mb-4 text-2xl font-semibold tracking-tight">Sign in</h1>
      <form className="space-y-4 rounded-md border border-line bg-sheet p-5" onSubmit={onSubmit(() => enter.mutate())}>
        <TextField
          label="E-mail"
          type="email"
          autoComplete="username"
          required
          path="body.email"
          error={enter.error}
          value={email}
          onValue={setEmail}
        />
        <TextField
          label="Password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onValue={setPassword}
        />
        {enter.error && <ProblemNotice error={enter.error} />}
        <Button type="submit" look="main" isBusy={enter.isPending}>
          Sign in
        </Button>
      </form>
      <p className="mt-4 text-sm text-soft">
        {hasOwner === false ? (
          <>
            This installation has no owner yet.{' '}
            <Link to="/owner" className="link">
              Make the owner account
            </Link>
          </>
        ) : (
          <>
            Password lost? Whoever runs this installation can set a new one with{' '}
            <code className="font-mono text-xs">touchstone user reset</code>.
          </>
        )}
      </p>
    </div>
  );
}
