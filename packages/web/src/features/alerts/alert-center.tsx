import { Link, useLocation } from '@tanstack/react-router';
import type { Alert } from '@touchstone/contracts/alerts';
import { useCallback, useEffect, useState } from 'react';
import { createPortal } from 'react-dom';
import { Button } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { plural } from '../../lib/format.ts';
import { SEVERITIES } from './alert-words.ts';
import { useAcknowledge, useOpenAlerts } from './open-alerts.ts';

const TOAST_MS = 12_000;
const TOASTS_MAX = 3;
const COUNT_SHOWN_MAX = 99;
const COUNT_LOOKS = {
  critical: 'bg-bad text-paper',
  warning: 'bg-warn text-paper',
  info: 'bg-accent text-on-accent',
};

/** The bell in the frame of the page: how many alerts are open, the worst of them by its colour and in words. */
export function AlertBell() {
  const [toasts, setToasts] = useState<readonly Alert[]>([]);
  // Critical ones stand in the banner, which announces itself.
  const whenChanged = useCallback((changed: Alert) => {
    setToasts((all) => {
      const others = all.filter((one) => one.id !== changed.id);
      const isNew = changed.state === 'open' && changed.severity !== 'critical';
      return isNew ? [...others, changed].slice(-TOASTS_MAX) : others;
    });
  }, []);
  const dismiss = useCallback((id: number) => setToasts((all) => all.filter((one) => one.id !== id)), []);
  const open = useOpenAlerts(whenChanged).data?.open;
  const total = open ? open.info + open.warning + open.critical : 0;
  const worst = SEVERITIES.find((severity) => (open?.[severity] ?? 0) > 0);
  const inWords = open
    ? SEVERITIES.filter((severity) => open[severity] > 0)
        .map((severity) => `${open[severity]} ${severity}`)
        .join(', ')
    : '';
  return (
    <>
      <Link
        to="/alerts"
        aria-label={total === 0 ? 'Alerts: none open' : `Alerts: ${inWords}`}
        title={total === 0 ? 'No open alerts' : inWords}
        className="relative inline-flex size-9 items-center justify-center rounded text-soft hover:bg-well hover:text-ink"
      >
        <svg
          viewBox="0 0 20 20"
          className="size-5"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.5"
          aria-hidden="true"
        >
          <path d="M10 2.5a5 5 0 0 0-5 5v3.2L3.5 14h13L15 10.7V7.5a5 5 0 0 0-5-5Z" strokeLinejoin="round" />
          <path d="M8 16.5a2 2 0 0 0 4 0" strokeLinecap="round" />
        </svg>
        {worst && (
          <span
            aria-hidden="true"
            className={`absolute -top-0.5 -right-0.5 min-w-4 rounded-full px-1 text-center text-[0.6875rem] leading-4 font-semibold ${COUNT_LOOKS[worst]}`}
          >
            {total > COUNT_SHOWN_MAX ? `${COUNT_SHOWN_MAX}+` : total}
          </span>
        )}
      </Link>
      {/* Outside the header, whose own layer would cut it off. */}
      {createPortal(
        <section
          aria-live="polite"
          aria-label="New alerts"
          className="fixed right-4 bottom-4 left-4 z-50 grid justify-items-end gap-2 empty:hidden sm:left-auto"
        >
          {toasts.map((alert) => (
            <Toast key={alert.id} alert={alert} onDone={dismiss} />
          ))}
        </section>,
        document.body,
      )}
    </>
  );
}

function Toast({ alert, onDone }: { alert: Alert; onDone: (id: number) => void }) {
  const [isHeld, setIsHeld] = useState(false);
  useEffect(() => {
    if (isHeld) return;
    const timer = setTimeout(() => onDone(alert.id), TOAST_MS);
    return () => clearTimeout(timer);
  }, [isHeld, alert.id, onDone]);
  return (
    <fieldset
      aria-label={alert.title}
      className={`flex w-full max-w-sm items-start gap-3 rounded-md border bg-sheet px-3.5 py-3 text-sm shadow-lg ${alert.severity === 'warning' ? 'border-warn' : 'border-accent'}`}
      onMouseEnter={() => setIsHeld(true)}
      onMouseLeave={() => setIsHeld(false)}
      onFocus={() => setIsHeld(true)}
      onBlur={() => setIsHeld(false)}
    >
      <div className="min-w-0 flex-1">
        <p className="text-xs text-soft">New {alert.severity === 'info' ? 'notice' : alert.severity}</p>
        <p className="font-medium">{alert.title}</p>
        <Link to="/alerts" className="link mt-1 inline-block text-xs" onClick={() => onDone(alert.id)}>
          See it
        </Link>
      </div>
      <button
        type="button"
        aria-label={`Close “${alert.title}”`}
        className="-mt-1 -mr-1 size-8 shrink-0 rounded text-lg leading-none text-soft hover:bg-well"
        onClick={() => onDone(alert.id)}
      >
        ×
      </button>
    </fieldset>
  );
}

/** Critical alerts stand over every page until somebody acknowledges them. */
export function AlertBanner() {
  const alerts = useOpenAlerts().data;
  const { pathname } = useLocation();
  const worst = alerts?.items.find((one) => one.severity === 'critical');
  // The page of alerts has it in its list.
  if (!alerts || !worst || pathname === '/alerts') return null;
  return <Critical alert={worst} moreCount={alerts.open.critical - 1} key={worst.id} />;
}

function Critical({ alert, moreCount }: { alert: Alert; moreCount: number }) {
  const refusal = useRefusal('task:write');
  const acknowledge = useAcknowledge(alert.id);
  return (
    <div role="alert" className="border-b border-bad/30 bg-bad-well text-sm">
      <div className="mx-auto flex w-full max-w-[84rem] flex-wrap items-center gap-x-4 gap-y-1.5 px-4 py-2 md:px-6">
        <p className="min-w-0 flex-1 basis-80">
          <span className="font-semibold text-bad">Critical: {alert.title}</span>{' '}
          <span className="line-clamp-2 sm:line-clamp-none">{alert.detail}</span>
        </p>
        <span className="flex flex-wrap items-center gap-3">
          <Link to="/alerts" className="link">
            {moreCount > 0 ? `See it and ${plural(moreCount, 'other')}` : 'See it'}
          </Link>
          {refusal === null && (
            <Button isBusy={acknowledge.isPending} onClick={() => acknowledge.mutate()}>
              Acknowledge
            </Button>
          )}
        </span>
      </div>
    </div>
  );
}
