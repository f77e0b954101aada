import { Link } from '@tanstack/react-router';
import type { Scope } from '@touchstone/contracts/policy';
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
