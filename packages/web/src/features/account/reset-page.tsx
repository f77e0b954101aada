import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { resetPasswordByLink } from '@touchstone/contracts/people';
import { useState } from 'react';
import { onSubmit, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Button, buttonClass, Note } from '../../components/ui.tsx';
import { client } from '../../lib/session.ts';
import { Door } from './door.tsx';
import { tokenOfLink } from './link-token.ts';

const PASSWORD_LENGTH_MIN = 12;

export function ResetPage() {
  const [token] = useState(tokenOfLink);
  const [newPassword, setPassword] = useState('');
  const save = useMutation({ mutationFn: () => client.call(resetPasswordByLink, { body: { token, newPassword } }) });
  if (token === '') {
    return (
      <Door title="New password">
        <Note tone="warn" title="The link is not whole">
          What stands after # is missing. Copy the whole link, or ask an owner for a new one.
        </Note>
      </Door>
    );
  }
  if (save.isSuccess) {
    return (
      <Door title="New password">
        <Note tone="accent">The password is set, and every session of yours has ended.</Note>
        <Link to="/sign-in" className={buttonClass('main')}>
          Sign in
        </Link>
      </Door>
    );
  }
  return (
    <Door title="New password">
      <form className="space-y-4" onSubmit={onSubmit(() => save.mutate())}>
        <TextField
          label="New password"
          type="password"
          autoComplete="new-password"
          hint={`At least ${PASSWORD_LENGTH_MIN} characters. Every session of yours ends.`}
          required
          minLength={PASSWORD_LENGTH_MIN}
          maxLength={200}
          path="body.newPassword"
          error={save.error}
          value={newPassword}
          onValue={setPassword}
        />
        {save.error && <ProblemNotice error={save.error} />}
        <Button type="submit" look="main" isBusy={save.isPending}>
          Set it
        </Button>
      </form>
    </Door>
  );
}
