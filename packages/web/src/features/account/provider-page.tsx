import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { finishProviderSignIn } from '@touchstone/contracts/auth';
import { useEffect, useRef } from 'react';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { buttonClass, Loading } from '../../components/ui.tsx';
import { client } from '../../lib/session.ts';
import { CodeForm, challengeOf } from './code-form.tsx';
import { Door } from './door.tsx';
import { useEnter } from './use-enter.ts';

/** Where the provider sends the browser back to. */
export function ProviderPage() {
  const enter = useEnter();
  const asked = useRef(false);
  const { mutate, error, reset } = useMutation({
    mutationFn: (query: string) => client.call(finishProviderSignIn, { body: { query } }),
    onSuccess: enter,
  });
  useEffect(() => {
    // What the provider sent along works once.
    if (asked.current) return;
    asked.current = true;
    mutate(window.location.search);
  }, [mutate]);
  const challenge = challengeOf(error);
  return (
    <Door title={challenge === null ? 'Signing in' : 'One more step'}>
      {challenge !== null && <CodeForm challenge={challenge} onBack={reset} />}
      {challenge === null && error && (
        <>
          <ProblemNotice error={error} />
          <Link to="/sign-in" className={buttonClass('main')}>
            Begin again
          </Link>
        </>
      )}
      {error === null && <Loading lines={3} label="Asking the provider" />}
    </Door>
  );
}
