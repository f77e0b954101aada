export type SignedBar = {
  name: string;
  value: number | null;
  /** Interval of the value. */
  low?: number | null;
  high?: number | null;
  /** Told in place of a value that is not there. */
  reason?: string | null;
};

/** Figures as bars to both sides of nought, with their intervals. Each row has its number, so nothing hangs on the picture. */
export function SignedBars({ items, format }: { items: readonly SignedBar[]; format: (value: number) => string }) {
  const ends = items.flatMap(({ value, low, high }) => [value, low, high]).filter((end) => typeof end === 'number');
  const reach = Math.max(1e-12, ...ends.map(Math.abs));
  const hasNegative = ends.some((end) => end < 0);
  const place = (value: number) => (hasNegative ? 50 + (50 * value) / reach : (100 * value) / reach);
  return (
    <ul className="grid gap-1.5">
      {items.map((item) => (
        <li key={item.name} className="grid grid-cols-[max(9rem,36%)_minmax(0,1fr)_5rem] items-center gap-3 text-sm">
          <span className="truncate text-soft" title={item.name}>
            {item.name}
          </span>
          <svg viewBox="0 0 100 10" preserveAspectRatio="none" className="h-3.5 w-full" aria-hidden="true">
            <line
              x1={place(0)}
              x2={place(0)}
              y1="0"
              y2="10"
              className="stroke-line"
              vectorEffect="non-scaling-stroke"
            />
            {item.value !== null && (
              <rect
                x={Math.min(place(0), place(item.value))}
                width={Math.abs(place(item.value) - place(0))}
                y="1.5"
                height="7"
                className={item.value < 0 ? 'fill-bad' : 'fill-accent'}
                opacity="0.75"
              />
            )}
            {typeof item.low === 'number' && typeof item.high === 'number' && (
              <line
                x1={place(item.low)}
                x2={place(item.high)}
                y1="5"
                y2="5"
                className="stroke-ink"
                vectorEffect="non-scaling-stroke"
              />
            )}
          </svg>
          <span className="text-right tabular-nums">
            {item.value === null ? (
              <span className="text-xs text-soft">{item.reason ?? 'none'}</span>
            ) : (
              format(item.value)
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
