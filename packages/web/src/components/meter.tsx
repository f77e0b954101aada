import { formatCount } from '../lib/format.ts';

/** How much of something is left: a bar, and the same in words. */
export function Meter({ label, left, of, note }: { label: string; left: number; of: number; note?: string }) {
  const percent = of === 0 ? 0 : Math.round(Math.min(1, Math.max(0, left / of)) * 100);
  return (
    <div className="text-sm">
      <p className="flex flex-wrap items-baseline justify-between gap-x-3">
        <span className="text-soft">{label}</span>
        <span className={left === 0 ? 'font-medium text-warn' : ''}>
          {formatCount(left)} of {formatCount(of)} left
        </span>
      </p>
      {/* The words above say the same. */}
      <div aria-hidden="true" className="mt-1 h-1.5 w-full overflow-hidden rounded-full bg-line">
        <div
          className={`h-full rounded-full ${left === 0 ? 'bg-warn' : 'bg-accent'}`}
          style={{ width: `${percent}%` }}
        />
      </div>
      {note && <p className="mt-1 text-xs text-soft">{note}</p>}
    </div>
  );
}
