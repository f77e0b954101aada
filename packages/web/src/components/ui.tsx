import { type ComponentProps, type ReactNode, useId } from 'react';

/** The small parts every screen is set with. */

type Tone = 'plain' | 'accent' | 'warn' | 'bad';

const TONES: Record<Tone, string> = {
  plain: 'border-line bg-well text-soft',
  accent: 'border-accent/30 bg-accent-well text-accent',
  warn: 'border-warn/30 bg-warn-well text-warn',
  bad: 'border-bad/30 bg-bad-well text-bad',
};

export function Badge({ tone = 'plain', children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span
      className={`inline-flex items-center rounded-sm border px-1.5 py-px text-xs leading-4 font-medium whitespace-nowrap ${TONES[tone]}`}
    >
      {children}
    </span>
  );
}

/** True when one mark at the head of a list is enough, because every row would carry it. */
export function isAllSimulated(items: readonly { tenantId: number }[] | undefined): boolean {
  return items !== undefined && items.length > 0 && items.every((item) => item.tenantId === 0);
}

/** Stands wherever data of tenant 0 are shown. */
export function SimulatedMark({ tenantId }: { tenantId: number | null | undefined }) {
  return tenantId === 0 ? <Badge tone="warn">Simulated market</Badge> : null;
}

export function Note({ tone = 'plain', title, children }: { tone?: Tone; title?: string; children?: ReactNode }) {
  return (
    <div className={`rounded border px-3.5 py-2.5 text-sm ${TONES[tone]}`} role={tone === 'bad' ? 'alert' : undefined}>
      {title && <p className="font-semibold">{title}</p>}
      {children && <div className="text-ink">{children}</div>}
    </div>
  );
}

const BUTTONS = {
  main: 'border-accent bg-accent text-on-accent hover:brightness-110',
  plain: 'border-strong-line bg-sheet text-ink hover:bg-well',
  quiet: 'border-transparent bg-transparent text-accent hover:bg-well',
  bad: 'border-bad bg-sheet text-bad hover:bg-bad-well',
};
const BUTTON_SHAPE =
  'inline-flex min-h-9 items-center justify-center gap-1.5 rounded border px-3 py-1 text-sm font-medium whitespace-nowrap';

export function buttonClass(look: keyof typeof BUTTONS = 'plain'): string {
  return `${BUTTON_SHAPE} ${BUTTONS[look]}`;
}

type ButtonProps = Omit<ComponentProps<'button'>, 'className'> & {
  look?: keyof typeof BUTTONS;
  /** Why the caller may not; disables the button and stands beside it. */
  refusal?: string | null;
  isBusy?: boolean;
};

export function Button({ look = 'plain', refusal, isBusy, children, disabled, ...rest }: ButtonProps) {
  const reasonId = useId();
  const isOff = disabled || isBusy || Boolean(refusal);
  return (
    <span className="inline-flex max-w-full flex-wrap items-center gap-x-2 gap-y-1">
      <button
        type="button"
        {...rest}
        disabled={isOff}
        aria-busy={isBusy || undefined}
        aria-describedby={refusal ? reasonId : undefined}
        className={`${buttonClass(look)} disabled:border-line disabled:bg-well disabled:text-soft disabled:hover:brightness-100`}
      >
        {isBusy && <Spinner />}
        {children}
      </button>
      {refusal && (
        <span id={reasonId} className="text-xs text-soft">
          {refusal}
        </span>
      )}
    </span>
  );
}

export function Spinner() {
  return (
    <span
      aria-hidden="true"
      className="inline-block size-3.5 animate-spin rounded-full border-2 border-current border-r-transparent"
    />
  );
}

export function PageHeader(props: { title: string; marks?: ReactNode; actions?: ReactNode; children?: ReactNode }) {
  return (
    <header className="mb-5 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <title>{`${props.title} · Touchstone`}</title>
      <div className="min-w-0 max-w-3xl">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <h1 className="text-2xl font-semibold tracking-tight">{props.title}</h1>
          {props.marks}
        </div>
        {props.children && <div className="mt-1 text-soft">{props.children}</div>}
      </div>
      {props.actions && <div className="flex flex-wrap items-center gap-2">{props.actions}</div>}
    </header>
  );
}

type PanelProps = {
  title: string;
  hint?: ReactNode;
  actions?: ReactNode;
  footer?: ReactNode;
  children: ReactNode;
  /** Tables go to the edge. */
  flush?: boolean;
};

export function Panel({ title, hint, actions, footer, children, flush }: PanelProps) {
  const titleId = useId();
  return (
    <section aria-labelledby={titleId} className="flex min-w-0 flex-col rounded-md border border-line bg-sheet">
      <header className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1.5 px-4 pt-3.5 pb-2">
        <div className="min-w-0">
          <h2 id={titleId} className="text-base font-semibold">
            {title}
          </h2>
          {hint && <div className="text-sm text-soft">{hint}</div>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      <div className={`min-w-0 flex-1 ${flush ? '' : 'px-4 pb-4'}`}>{children}</div>
      {footer && (
        <footer className="flex flex-wrap items-center gap-x-4 gap-y-1 border-t border-line px-4 py-2 text-xs text-soft">
          {footer}
        </footer>
      )}
    </section>
  );
}

/** What stands where there is nothing yet, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="px-4 py-8 text-center">
      <p className="font-medium">{title}</p>
      {children && <div className="mx-auto mt-1 max-w-prose text-sm text-soft">{children}</div>}
    </div>
  );
}

const LOADING_WIDTHS = [96, 72, 88, 64, 91, 79, 58, 84, 68, 93, 76, 61];

/** Holds the place of what is loading, so that the page does not jump. */
export function Loading({ lines = 4, label = 'Loading' }: { lines?: number; label?: string }) {
  return (
    <div role="status" aria-label={label} className="animate-pulse space-y-2.5 px-4 py-4">
      {LOADING_WIDTHS.slice(0, lines).map((width) => (
        <div key={width} className="h-3 rounded-sm bg-well" style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}

export function Facts({ items }: { items: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[minmax(7rem,auto)_1fr] gap-x-5 gap-y-1.5 text-sm">
      {items.map(([term, fact]) => (
        <div key={term} className="contents">
          <dt className="text-soft">{term}</dt>
          <dd className="min-w-0 break-words">{fact}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Progress({ fraction, label }: { fraction: number; label: string }) {
  const percent = Math.round(Math.min(1, Math.max(0, fraction)) * 100);
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
      className="h-1.5 w-full overflow-hidden rounded-full bg-line"
    >
      <div className="h-full rounded-full bg-accent transition-[width]" style={{ width: `${percent}%` }} />
    </div>
  );
}

/** A hash: its start for the eye, the whole for the pointer and for copying. */
export function Hash({ value }: { value: string | null }) {
  if (value === null) return <span className="text-soft">none</span>;
  return (
    <code title={value} className="font-mono text-xs break-all">
      {value.slice(0, 12)}…
    </code>
  );
}
