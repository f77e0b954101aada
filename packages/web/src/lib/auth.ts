import { useQuery } from '@tanstack/react-query';
import { hasScope, type Scope } from '@touchstone/contracts/policy';
import { loadAuthState } from './session.ts';

export const AUTH_KEY = ['auth'];

export function useAuth() {
  const query = useQuery({ queryKey: AUTH_KEY, queryFn: loadAuthState, staleTime: Number.POSITIVE_INFINITY });
  const signedIn = query.data?.signedIn ?? null;
  return {
    query,
    hasOwner: query.data?.hasOwner ?? null,
    provider: query.data?.provider ?? null,
    signedIn,
    isVisitor: signedIn !== null && signedIn.userId === null,
    role: signedIn?.role ?? null,
    can: (scope: Scope) => signedIn?.scopes.includes(scope) ?? false,
  };
}

/** Null when the caller may; otherwise the sentence that says why not. */
export function useRefusal(scope: Scope, tenantId?: number): string | null {
  const { can, isVisitor, hasOwner, role } = useAuth();
  if (isVisitor && !hasScope('visitor', scope)) {
    return hasOwner ? 'Sign in to do this.' : 'Make the owner account first; a visitor can only look.';
  }
  if (!can(scope)) return `Your role (${role ?? 'none'}) may not do this; it needs ${scope}.`;
  if (tenantId === 0) return 'The simulated market belongs to the installation and cannot be changed.';
  return null;
}
