import { useMutation } from '@tanstack/react-query';
import { answerSecondFactor } from '@touchstone/contracts/auth';
import { ApiProblem } from '@touchstone/contracts/client';
import { useState } from 'react';
import { onSubmit, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Button } from '../../components/ui.tsx';
import { client } from '../../lib/session.ts';
import { useEnter } from './use-enter.ts';

/** The challenge of a first step that succeeded and asks for a second one; null for any other outcome. */
export function challengeOf(error: unknown): string | null {
  const isAsked = error instanceof ApiProblem && error.problem.code === 'SECOND_FACTOR_NEEDED';
  return isAsked ? (error.problem.challenge ?? null) : null;
}

/** Second step of signing in. */
export function CodeForm({ challenge, onBack }: { challenge: string; onBack: () => void }) {
  const [code, setCode] = useState('');
  const enter = useEnter();
  const answer = useMutation({
    mutationFn: () => client.call(answerSecondFactor, { body: { challenge, code } }),
    onSuccess: enter,
  });
  return (
    <form className="space-y-4" onSubmit={onSubmit(() => answer.mutate())}>
      <TextField
        label="Code"
        hint="Six digits from your authenticator, or one of your recovery codes."
        autoComplete="one-time-code"
        inputMode="text"
        autoFocus
        required
        minLength={6}
        maxLength={40}
        path="body.code"
        error={answer.error}
        value={code}
        onValue={setCode}
      />
      {answer.error && <ProblemNotice error={answer.error} />}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="main" isBusy={answer.isPending}>
          Sign in
        </Button>
        <Button onClick={onBack}>Begin again</Button>
      </div>
    </form>
  );
}
