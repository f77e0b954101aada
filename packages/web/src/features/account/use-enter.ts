import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { Session } from '@touchstone/contracts/auth';
import { AUTH_KEY } from '../../lib/auth.ts';
import { adoptSession } from '../../lib/session.ts';

/** What every way of signing in ends with: nothing of the one before stays, and the next page is shown. */
export function useEnter(to: '/' | '/data/import' = '/') {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return async (session: Session) => {
    queries.clear();
    queries.setQueryData(AUTH_KEY, adoptSession(session));
    await navigate({ to });
  };
}
