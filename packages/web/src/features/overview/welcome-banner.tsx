import { Link } from '@tanstack/react-router';

/** For whoever meets an installation without an owner: what this is, and the three doors. */
export function WelcomeBanner({ indexId }: { indexId: number | null }) {
  return (
    <section aria-labelledby="welcome" className="mb-6 rounded-md border border-warn/40 bg-warn-well px-4 py-4">
      <h2 id="welcome" className="text-base font-semibold text-warn">
        Simulated market
      </h2>
      <p className="max-w-3xl text-sm">
        Invented companies, seeded; nothing here is real. It is here so that every page can be tried before any data of
        yours comes in.
      </p>
      <ul className="mt-3 grid gap-3 md:grid-cols-3">
        <Door
          to="/owner"
          title="Make the owner account"
          text="The first step to data of your own. Takes a minute."
          isMain
        />
        <Door
          to="/data/import"
          title="Import prices (CSV)"
          text="Daily bars from a file; the owner account comes first."
        />
        {indexId === null ? (
          <Door to="/indexes" title="Look at how it is computed" text="Rules, parameters and the look-ahead check." />
        ) : (
          <li>
            <Link to="/indexes/$indexId" params={{ indexId }} hash="method" className={DOOR}>
              <span className="block font-medium">Look at how it is computed</span>
              <span className="block text-sm text-soft">Rules, parameters and the look-ahead check.</span>
            </Link>
          </li>
        )}
      </ul>
    </section>
  );
}

const DOOR = 'block h-full rounded border border-strong-line bg-sheet px-3.5 py-2.5 text-ink hover:border-accent';

type DoorProps = { to: '/owner' | '/data/import' | '/indexes'; title: string; text: string; isMain?: boolean };

function Door({ to, title, text, isMain }: DoorProps) {
  const look = isMain ? 'border-accent bg-accent text-on-accent hover:brightness-110' : '';
  return (
    <li>
      <Link to={to} className={isMain ? `block h-full rounded border px-3.5 py-2.5 ${look}` : DOOR}>
        <span className="block font-medium">{title}</span>
        <span className={`block text-sm ${isMain ? '' : 'text-soft'}`}>{text}</span>
      </Link>
    </li>
  );
}
