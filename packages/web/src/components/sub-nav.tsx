import { Link, type LinkProps } from '@tanstack/react-router';
import type { Scope } from '@touchstone/contracts/policy';
import { useAuth } from '../lib/auth.ts';

/** With a scope: only for those who have it. */
type Place = readonly [to: NonNullable<LinkProps['to']>, label: string, scope?: Scope];

const PLACES = {
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
  ],
  operate: [
    ['/operate', 'Health'],
    ['/operate/slow-queries', 'Slow queries'],
    ['/operate/backups', 'Backups'],
    ['/operate/doctor', 'Doctor', 'system:write'],
  ],
  settings: [
    ['/settings', 'My account'],
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
        {places.map(
          ([to, label, scope]) =>
            (scope === undefined || can(scope)) && (
              <li key={to}>
                <Link
                  to={to}
                  activeOptions={{ exact: to === home, includeSearch: false }}
                  className="-mb-px block border-b-2 border-transparent px-1.5 py-1.5 sm:px-2.5 text-sm whitespace-nowrap text-soft hover:text-ink aria-[current=page]:border-accent aria-[current=page]:font-medium aria-[current=page]:text-ink"
                >
                  {label}
                </Link>
              </li>
            ),
        )}
      </ul>
    </nav>
  );
}
