import { Link, type LinkProps } from '@tanstack/react-router';
import type { Scope } from '@touchstone/contracts/policy';
import { useAuth } from '../lib/auth.ts';

/** A place with a scope is shown to those who have it; the others are shown to all and explain themselves. */
type Place = readonly [to: NonNullable<LinkProps['to']>, label: string, scope?: Scope];

const PLACES = {
  market: [
    ['/market', 'Look at'],
    ['/market/relations', 'Relations'],
    ['/market/views', 'Feature views'],
  ],
  models: [
    ['/models', 'Models'],
    ['/trainings', 'Trainings'],
    ['/searches', 'Searches'],
    ['/predictions', 'Predictions'],
  ],
  data: [
    ['/data', 'Sources'],
    ['/data/instruments', 'Instruments'],
    ['/data/runs', 'Deliveries'],
    ['/data/cases', 'Findings'],
    ['/data/gaps', 'Gaps'],
    ['/data/import', 'Import'],
  ],
  tasks: [
    ['/tasks', 'Tasks'],
    ['/tasks/schedules', 'Schedules'],
  ],
  evidence: [
    ['/evidence', 'Chain'],
    ['/evidence/trials', 'Trials'],
    ['/evidence/datasets', 'Datasets'],
    ['/evidence/audit', 'Audit'],
  ],
  operate: [
    ['/operate', 'Health'],
    ['/operate/slow-queries', 'Slow queries'],
    ['/operate/backups', 'Backups'],
    ['/operate/doctor', 'Doctor', 'system:write'],
  ],
  settings: [
    ['/settings', 'My account'],
    ['/settings/keys', 'Keys'],
    ['/settings/people', 'People'],
    ['/settings/tenants', 'Tenants', 'tenant:write'],
    ['/settings/roles', 'Roles'],
    ['/settings/installation', 'Installation'],
  ],
} satisfies Record<string, readonly Place[]>;

/** The pages of one room. */
export function SubNav({ of }: { of: keyof typeof PLACES }) {
  const { can } = useAuth();
  const places: readonly Place[] = PLACES[of];
  const [home] = places[0] ?? [];
  return (
    <nav aria-label={`Pages of ${of}`} className="relative mb-5 overflow-x-auto border-b border-line">
      <ul className="flex sm:gap-1">
        {places
          .filter(([, , scope]) => scope === undefined || can(scope))
          .map(([to, label]) => (
            <li key={to}>
              <Link
                to={to}
                activeOptions={{ exact: to === home, includeSearch: false }}
                className="-mb-px block border-b-2 border-transparent px-1.5 py-1.5 sm:px-2.5 text-sm whitespace-nowrap text-soft hover:text-ink aria-[current=page]:border-accent aria-[current=page]:font-medium aria-[current=page]:text-ink"
              >
                {label}
              </Link>
            </li>
          ))}
      </ul>
    </nav>
  );
}
