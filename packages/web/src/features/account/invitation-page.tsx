import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { acceptInvitation, readInvitation } from '@touchstone/contracts/people';
import { useState } from 'react';
import { onSubmit, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { Button, Facts, Note } from '../../components/ui.tsx';
import { useAuth } from '../../lib/auth.ts';
import { formatInstant } from '../../lib/format.ts';
import { client } from '../../lib/session.ts';
import { Door } from './door.tsx';
import { tokenOfLink } from './link-token.ts';
import { useEnter } from './use-enter.ts';

const PASSWORD_LENGTH_MIN = 12;

export function InvitationPage() {
  const [token] = useState(tokenOfLink);
  const { signedIn, isVisitor } = useAuth();
  const invitation = useQuery({
    queryKey: ['readInvitation', token],
    queryFn: () => client.call(readInvitation, { body: { token } }),
    enabled: token !== '',
    retry: false,
  });
  if (token === '') {
    return (
      <Door title="Invitation">
        <Note tone="warn" title="The link is not whole">
          What stands after # is missing. Copy the whole link, or ask for a new one.
        </Note>
      </Door>
    );
  }
  return (
    <Door
      title="Join"
      below={
        <Link to="/sign-in" className="link">
          I have an account already
        </Link>
      }
    >
      {signedIn && !isVisitor && (
        <Note tone="warn">You are signed in as {signedIn.displayName}. Joining signs you in as somebody else.</Note>
      )}
      <QueryView query={{ ...invitation, isPlaceholderData: false }} lines={5}>
        {(data) => (
          <>
            <Facts
              items={[
                ['To', data.tenantName],
                ['As', data.role],
                ['For', data.email],
                ['Good until', formatInstant(data.expiresAt)],
              ]}
            />
            <Join token={token} />
          </>
        )}
      </QueryView>
    </Door>
  );
}

function Join({ token }: { token: string }) {
  const [displayName, setName] = useState('');
  const [password, setPassword] = useState('');
  const enter = useEnter();
  const join = useMutation({
    mutationFn: () => client.call(acceptInvitation, { body: { token, displayName, password } }),
    onSuccess: enter,
  });
  return (
    <form className="mt-4 space-y-4 border-t border-line pt-4" onSubmit={onSubmit(() => join.mutate())}>
      <TextField
        label="Your name"
        hint="As the others here will see it."
        autoComplete="name"
        required
        maxLength={200}
        path="body.displayName"
        error={join.error}
        value={displayName}
        onValue={setName}
      />
      <TextField
        label="Password"
        type="password"
        autoComplete="new-password"
        hint={`At least ${PASSWORD_LENGTH_MIN} characters.`}
        required
        minLength={PASSWORD_LENGTH_MIN}
        maxLength={200}
        path="body.password"
        error={join.error}
        value={password}
        onValue={setPassword}
      />
      {join.error && <ProblemNotice error={join.error} />}
      <Button type="submit" look="main" isBusy={join.isPending}>
        Join
      </Button>
    </form>
  );
}
