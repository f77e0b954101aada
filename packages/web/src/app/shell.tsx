import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { signOut } from '@touchstone/contracts/auth';
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from 'react';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Loading } from '../components/ui.tsx';
import { AUTH_KEY, useAuth } from '../lib/auth.ts';
import { client, forgetSession } from '../lib/session.ts';
import { type Theme, useTheme } from '../lib/theme.ts';
import { TimeMachine } from './time-machine.tsx';

const AlertBell = lazy(() =>
  import('../features/alerts/alert-center.tsx').then((part) => ({ default: part.AlertBell })),
);
const AlertBanner = lazy(() =>
  import('../features/alerts/alert-center.tsx').then((part) => ({ default: part.AlertBanner })),
);

const PLACES = [
  ['/', 'Overview'],
  ['/market', 'Market'],
  ['/models', 'Models'],
  ['/indexes', 'Indexes'],
  ['/universes', 'Universes'],
  ['/data', 'Data'],
  ['/tasks', 'Tasks'],
  ['/evidence', 'Evidence'],
  ['/operate', 'Operate'],
  ['/settings', 'Settings'],
] as const;
/** Pages that need nobody to be signed in. */
const OPEN_PLACES = ['/sign-in', '/sign-in/provider', '/owner', '/invitation', '/reset-password'];
/** Work, evidence, accounts and files to come are about now, whatever moment is looked at elsewhere. */
const TIMELESS_PLACES = [
  ...[
    '/tasks',
    '/evidence',
    '/settings',
    '/operate',
    '/alerts',
    '/trainings',
    '/searches',
    '/predictions',
    '/ab-tests',
  ],
  ...['/data/import', '/data/connect', '/data/feeds', '/data/refreshes', '/data/gaps'],
];

/** The frame of every page. */
export function Shell() {
  const { query, signedIn, hasOwner } = useAuth();
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const isOpenPlace = OPEN_PLACES.includes(pathname);
  const hasTimeMachine = !isOpenPlace && !TIMELESS_PLACES.some((place) => pathname.startsWith(place));
  const mustSignIn = query.isSuccess && signedIn === null && !isOpenPlace;
  useEffect(() => {
    if (mustSignIn) void navigate({ to: hasOwner ? '/sign-in' : '/owner', search: (before) => before, replace: true });
  }, [mustSignIn, hasOwner, navigate]);
  return (
    <div className="flex min-h-dvh flex-col">
      <a
        href="#main"
        className="sr-only rounded bg-accent px-3 py-2 text-on-accent focus:not-sr-only focus:absolute focus:top-2 focus:left-2 focus:z-50"
      >
        Skip to the content
      </a>
      <div className="z-40 bg-paper lg:sticky lg:top-0">
        <Header />
      </div>
      <Watch>
        <AlertBanner />
      </Watch>
      {/* On a phone only the time machine stays in sight; the rest of the head would take too much of the page. */}
      <div className="sticky top-0 z-30 border-b border-line bg-paper lg:top-13">
        {signedIn && hasTimeMachine && (
          <div className="mx-auto w-full max-w-[84rem] px-4 pt-1 pb-1.5 md:px-6">
            <TimeMachine />
          </div>
        )}
      </div>
      <main id="main" tabIndex={-1} className="mx-auto w-full max-w-[84rem] flex-1 px-4 py-6 outline-none md:px-6">
        {query.isPending && <Loading lines={6} />}
        {query.error && <ProblemNotice error={query.error} onRetry={() => query.refetch()} />}
        {query.isSuccess && !mustSignIn && <Outlet />}
      </main>
      <footer className="mx-auto flex w-full max-w-[84rem] flex-wrap gap-x-5 gap-y-1 px-4 py-5 text-xs text-soft md:px-6">
        <span>Touchstone</span>
        <span>Times are UTC.</span>
        <span>Backtested figures are hypothetical.</span>
      </footer>
    </div>
  );
}

/** Alerts are for those who are signed in; they come after the page, which does not wait for them. */
function Watch({ children }: { children: ReactNode }) {
  const { can, isVisitor } = useAuth();
  return can('system:read') && !isVisitor ? <Suspense fallback={null}>{children}</Suspense> : null;
}

function Header() {
  const { can } = useAuth();
  const [isOpen, setIsOpen] = useState(false);
  const { pathname } = useLocation();
  const shownFor = useRef(pathname);
  useEffect(() => {
    if (shownFor.current !== pathname) setIsOpen(false);
    shownFor.current = pathname;
  }, [pathname]);
  return (
    <header className="mx-auto flex w-full max-w-[84rem] flex-wrap items-center gap-x-6 gap-y-1 px-4 py-2 md:px-6 lg:h-13">
      <Link to="/" className="flex items-center gap-2 text-base font-semibold tracking-tight">
        <img src="/icon.svg" alt="" className="size-6" width="24" height="24" />
        Touchstone
      </Link>
      <span className="ml-auto size-9 lg:order-last lg:ml-0 lg:empty:hidden">
        <Watch>
          <AlertBell />
        </Watch>
      </span>
      <button
        type="button"
        className="-ml-3 min-h-9 rounded border border-line bg-sheet px-3 text-sm lg:hidden"
        aria-expanded={isOpen}
        aria-controls="places"
        onClick={() => setIsOpen(!isOpen)}
      >
        Menu
      </button>
      <div
        id="places"
        className={`${isOpen ? 'flex' : 'hidden'} w-full flex-col gap-3 pb-2 lg:flex lg:w-auto lg:flex-1 lg:flex-row lg:items-center lg:justify-between lg:pb-0`}
      >
        <nav aria-label="Main">
          <ul className="flex flex-col lg:flex-row">
            {PLACES.filter(([to]) => to !== '/operate' || can('system:read')).map(([to, label]) => (
              <li key={to}>
                <Link
                  to={to}
                  activeOptions={{ exact: to === '/', includeSearch: false }}
                  className="block rounded px-2.5 py-1.5 text-sm text-soft hover:bg-well hover:text-ink aria-[current=page]:font-semibold aria-[current=page]:text-ink"
                >
                  {label}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div className="flex flex-wrap items-center gap-3">
          <ThemeToggle />
          <Account />
        </div>
      </div>
    </header>
  );
}

function ThemeToggle() {
  const [theme, choose] = useTheme();
  const isTheme = (value: string): value is Theme => value === 'system' || value === 'light' || value === 'dark';
  return (
    <label className="flex items-center gap-1.5 text-xs text-soft">
      {/* Between a tablet and a desk there is no room for every word. */}
      <span className="lg:max-xl:sr-only">Theme</span>
      <select
        className="min-h-8 rounded border border-line bg-sheet px-1.5 text-xs text-ink"
        value={theme}
        onChange={(event) => isTheme(event.currentTarget.value) && choose(event.currentTarget.value)}
      >
        <option value="system">System</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}

function Account() {
  const { signedIn, isVisitor, hasOwner, query } = useAuth();
  const queries = useQueryClient();
  const navigate = useNavigate();
  if (!query.isSuccess) return null;
  if (signedIn === null || isVisitor) {
    return (
      <span className="flex items-center gap-2 text-sm">
        {isVisitor && <span className="text-soft">Visitor</span>}
        <Link to={hasOwner ? '/sign-in' : '/owner'} className="link font-medium">
          {hasOwner ? 'Sign in' : 'Make the owner'}
        </Link>
      </span>
    );
  }
  const leave = async () => {
    await client.call(signOut, { body: {} }).catch(() => {});
    forgetSession();
    queries.clear();
    await queries.invalidateQueries({ queryKey: AUTH_KEY });
    await navigate({ to: '/' });
  };
  return (
    <span className="flex items-center gap-2 text-sm">
      <span className="max-w-56 truncate lg:max-xl:hidden">
        {signedIn.displayName} <span className="text-soft">({signedIn.role})</span>
      </span>
      <button type="button" className="link whitespace-nowrap" onClick={leave}>
        Sign out
      </button>
    </span>
  );
}
