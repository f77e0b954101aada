import { Link, type LinkProps } from '@tanstack/react-router';

export type Tab = readonly [to: NonNullable<LinkProps['to']>, label: string];

type TabsProps = {
  /** Names them for those who do not see them. */
  label: string;
  /** The first is the home of the others. */
  tabs: readonly Tab[];
  params: NonNullable<LinkProps['params']>;
};

/** The pages about one thing, and the way between them. */
export function PageTabs({ label, tabs, params }: TabsProps) {
  const [home] = tabs[0] ?? [];
  return (
    <nav aria-label={label} className="relative mb-4 overflow-x-auto">
      <ul className="flex gap-1">
        {tabs.map(([to, text]) => (
          <li key={to}>
            <Link
              to={to}
              params={params}
              activeOptions={{ exact: to === home, includeSearch: false }}
              className="block rounded px-2.5 py-1.5 text-sm whitespace-nowrap text-soft hover:bg-well hover:text-ink aria-[current=page]:bg-accent-well aria-[current=page]:font-medium aria-[current=page]:text-ink"
            >
              {text}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
