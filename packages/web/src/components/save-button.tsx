import { useMutation } from '@tanstack/react-query';
import type { Route } from '@touchstone/contracts/route';
import type { ReactNode } from 'react';
import { saveResponse } from '../lib/save-response.ts';
import { client } from '../lib/session.ts';
import { ProblemNotice } from './problem-notice.tsx';
import { Button } from './ui.tsx';

type SaveProps = {
  route: Route;
  input: { params?: object; query?: object };
  fileName: string;
  children: ReactNode;
};

/** Saves what a route gives as a file; why it could not stands beside. */
export function SaveButton({ route, input, fileName, children }: SaveProps) {
  const save = useMutation({
    mutationFn: async () => saveResponse(await client.raw(route, input), fileName),
  });
  return (
    <>
      <Button isBusy={save.isPending} onClick={() => save.mutate()}>
        {children}
      </Button>
      {save.error && <ProblemNotice error={save.error} />}
    </>
  );
}
