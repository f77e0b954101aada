import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { signIn, startProviderSignIn } from '@touchstone/contracts/auth';
import { useState } from 'react';
import { onSubmit, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Button } from '../../components/ui.tsx';
import { useAuth } from '../../lib/auth.ts';
import { client } from '../../lib/session.ts';
import { CodeForm, challengeOf } from './code-form.tsx';
import { Door } from './door.tsx';
import { useEnter } from './use-enter.ts';

export function SignInPage() {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const { hasOwner, provider } = useAuth();
  const enter = useEnter();
  const first = useMutation({
    mutationFn: () => client.call(signIn, { body: { email, password } }),
    onSuccess: enter,
  });
  const challenge = challengeOf(first.error);
  if (challenge !== null) {
    return (
      <Door title="One more step" below="Lost both? An owner can take your second factor away.">
        <CodeForm challenge={challenge} onBack={() => first.reset()} />
      </Door>
    );
  }
  return (
    <Door title="Sign in" below={<Below hasOwner={hasOwner} />}>
      <form className="space-y-4" onSubmit={onSubmit(() => first.mutate())}>
        <TextField
          label="E-mail"
          type="email"
          autoComplete="username"
          required
          path="body.email"
          error={first.error}
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
        {first.error && <ProblemNotice error={first.error} />}
        <Button type="submit" look="main" isBusy={first.isPending}>
          Sign in
        </Button>
      </form>
      {provider !== null && <ProviderButton provider={provider} />}
    </Door>
  );
}

function ProviderButton({ provider }: { provider: string }) {
  const start = useMutation({
    mutationFn: () => client.call(startProviderSignIn),
    onSuccess: ({ url }) => window.location.assign(url),
  });
  return (
    <div className="space-y-3 border-t border-line pt-4">
      {start.error && <ProblemNotice error={start.error} />}
      <Button isBusy={start.isPending} onClick={() => start.mutate()}>
        Sign in with {provider}
      </Button>
    </div>
  );
}

function Below({ hasOwner }: { hasOwner: boolean | null }) {
  if (hasOwner === false) {
    return (
      <p>
        This installation has no owner yet.{' '}
        <Link to="/owner" className="link">
          Make the owner account
        </Link>
      </p>
    );
  }
  return (
    <p>
      Password lost? An owner can make you a link that sets a new one. An owner who lost theirs runs{' '}
      <code className="font-mono text-xs">touchstone user reset</code> on the machine.
    </p>
  );
}
