import { Link, type LinkProps } from '@tanstack/react-router';

type Place = readonly [to: NonNullable<LinkProps['to']>, label: string];

const PLACES = {
  data: [
    ['/data', 'Sources'],
    ['/data/instruments', 'Instruments'],
    ['/data/runs', 'Deliveries'],
    ['/data/cases', 'Findings'],
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
  settings: [
    ['/settings', 'My account'],
    ['/settings/roles', 'Roles'],
    ['/settings/installation', 'Installation'],
  ],
} satisfies Record<string, readonly Place[]>;

/** The pages of one room. */
export function SubNav({ of }: { of: keyof typeof PLACES }) {
  const [home] = PLACES[of][0] ?? [];
  return (
    <nav aria-label={`Pages of ${of}`} className="relative mb-5 overflow-x-auto border-b border-line">
      <ul className="flex sm:gap-1">
        {PLACES[of].map(([to, label]) => (
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
