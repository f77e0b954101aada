import { Link } from '@tanstack/react-router';
import { hasScope, OPERATOR_SCOPES, PERSON_ROLES, type Scope } from '@touchstone/contracts/policy';
import type { ReactNode } from 'react';
import { useAuth, useRefusal } from '../lib/auth.ts';
import { buttonClass, Panel } from './ui.tsx';

/** Shows a part only to those who may read it; everybody else learns why not and what to do. */
export function Gate({ scope, children }: { scope: Scope; children: ReactNode }) {
  const refusal = useRefusal(scope);
  const { isVisitor, hasOwner } = useAuth();
  if (refusal === null) return children;
  return (
    <Panel title="Not with this account">
      <p className="text-sm">{refusal}</p>
      {!isVisitor && (
        <p className="mt-1 text-sm text-soft">
          {whoMay(scope)}{' '}
          <Link to="/settings/roles" className="link">
            What each role may do
          </Link>
        </p>
      )}
      {isVisitor && (
        <p className="mt-3">
          <Link to={hasOwner ? '/sign-in' : '/owner'} className={buttonClass('main')}>
            {hasOwner ? 'Sign in' : 'Make the owner account'}
          </Link>
        </p>
      )}
    </Panel>
  );
}

function whoMay(scope: Scope): string {
  if (OPERATOR_SCOPES.includes(scope)) return 'It is for owners of the first tenant, who run this installation.';
  const roles = PERSON_ROLES.filter((role) => hasScope(role, scope));
  return `Roles that may: ${roles.join(', ')}. An owner gives roles.`;
}
