import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react';
import { formatNumber } from '../lib/format.ts';
import { useWidth } from '../lib/use-width.ts';

type HeatMapProps = {
  /** Says what is seen, for those who do not see it. */
  label: string;
  names: readonly string[];
  /** Row by row, from -1 to 1; null is left empty. */
  values: readonly (number | null)[];
};

const NAMES_WIDTH = 56;
const CELL_MAX = 34;
/** Below this a cell has no room for its number, below the other none for its name. */
const NUMBER_MIN = 30;
const NAME_MIN = 11;

/** A square of correlations. Arrow keys move the pair that is read. */
export function HeatMap({ label, names, values }: HeatMapProps) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const [at, setAt] = useState<readonly [row: number, column: number] | null>(null);
  const count = names.length;
  const cell = Math.min(CELL_MAX, Math.max(1, (width - NAMES_WIDTH) / Math.max(1, count)));
  const size = cell * count;
  const value = (row: number, column: number) => values[row * count + column] ?? null;
  const [row, column] = at ?? [0, Math.min(1, count - 1)];

  const onMove = (event: PointerEvent) => {
    const box = frame.current?.getBoundingClientRect();
    if (!box) return;
    const x = Math.floor((event.clientX - box.left - NAMES_WIDTH) / cell);
    const y = Math.floor((event.clientY - box.top) / cell);
    setAt(x >= 0 && x < count && y >= 0 && y < count ? [y, x] : null);
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const within = (place: number) => Math.min(count - 1, Math.max(0, place));
    setAt([within(row + (step[0] ?? 0)), within(column + (step[1] ?? 0))]);
  };

  const reading = `${names[row] ?? ''} and ${names[column] ?? ''} ${numberText(value(row, column))}`;
  return (
    <figure className="min-w-0">
      <figcaption className="mb-2 flex flex-wrap items-center gap-x-4 gap-y-1 text-sm">
        <span className="font-medium tabular-nums">{reading}</span>
        <Scale />
      </figcaption>
      <div
        ref={frame}
        role="slider"
        aria-label={`${label}. Arrow keys move the pair that is read.`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, count * count - 1)}
        aria-valuenow={row * count + column}
        aria-valuetext={reading}
        tabIndex={0}
        className="relative rounded"
        style={{ height: size }}
        onPointerMove={onMove}
        onPointerLeave={() => setAt(null)}
        onKeyDown={onKey}
      >
        {width > 0 && (
          <svg
            width={Math.min(width, NAMES_WIDTH + size)}
            height={size}
            aria-hidden="true"
            className="absolute inset-0 select-none"
          >
            {names.map((name, y) => (
              <g key={name}>
                {cell >= NAME_MIN && (
                  <text
                    x={NAMES_WIDTH - 6}
                    y={(y + 0.5) * cell + 4}
                    textAnchor="end"
                    className={`text-xs ${at !== null && (at[0] === y || at[1] === y) ? 'fill-ink' : 'fill-soft'}`}
                  >
                    {name}
                  </text>
                )}
                {names.map((other, x) => (
                  <Cell key={other} x={NAMES_WIDTH + x * cell} y={y * cell} size={cell} value={value(y, x)} />
                ))}
              </g>
            ))}
            {at !== null && (
              <rect
                x={NAMES_WIDTH + column * cell}
                y={row * cell}
                width={cell}
                height={cell}
                fill="none"
                className="stroke-ink"
                strokeWidth="1.5"
              />
            )}
          </svg>
        )}
      </div>
    </figure>
  );
}

function Cell({ x, y, size, value }: { x: number; y: number; size: number; value: number | null }) {
  const gap = size > 6 ? 1 : 0;
  const strength = Math.min(1, Math.abs(value ?? 0));
  return (
    <>
      <rect
        x={x}
        y={y}
        width={size - gap}
        height={size - gap}
        className={value === null ? 'fill-well' : value < 0 ? 'fill-bad' : 'fill-accent'}
        opacity={value === null ? 1 : 0.06 + 0.9 * strength}
      />
      {size >= NUMBER_MIN && value !== null && (
        <text
          x={x + size / 2}
          y={y + size / 2 + 4}
          textAnchor="middle"
          className={`text-xs tabular-nums ${strength > 0.6 ? 'fill-on-accent' : 'fill-ink'}`}
        >
          {formatNumber(value, 1)}
        </text>
      )}
    </>
  );
}

function Scale() {
  return (
    <span className="inline-flex items-center gap-1.5 text-xs text-soft" aria-hidden="true">
      −1
      {[-0.9, -0.5, -0.1, 0.1, 0.5, 0.9].map((value) => (
        <svg key={value} width="14" height="10" aria-hidden="true">
          <rect
            width="14"
            height="10"
            className={value < 0 ? 'fill-bad' : 'fill-accent'}
            opacity={0.06 + 0.9 * Math.abs(value)}
          />
        </svg>
      ))}
      1
    </span>
  );
}

function numberText(value: number | null): string {
  return value === null ? 'none' : formatNumber(value, 2);
}
