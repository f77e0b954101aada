import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { listAlerts } from '@touchstone/contracts/alerts';
import { Note } from '../../components/ui.tsx';
import { useAuth } from '../../lib/auth.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery } from '../../lib/query.ts';

/** The same question as the bell's, so that it is asked once. */
const OPEN = { query: { state: 'open', limit: 20 } } as const;

/** Says that the prices under an index should be newer than they are. Looking back in time, that is no news. */
export function StaleNotice({ universeId }: { universeId: number }) {
  const { can, isVisitor } = useAuth();
  const known = useKnownTime();
  const open = useQuery({ ...apiQuery(listAlerts, OPEN), enabled: can('system:read') && !isVisitor });
  const stale = open.data?.items.find((alert) => alert.kind === 'data.stale' && alert.subjectId === String(universeId));
  if (!stale || known.knownAt) return null;
  return (
    <Note tone="warn" title={stale.title}>
      {stale.detail}{' '}
      <Link to="/universes/$universeId" params={{ universeId }} className="link">
        The universe
      </Link>
    </Note>
  );
}
