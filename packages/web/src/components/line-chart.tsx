import { type KeyboardEvent, type PointerEvent, useId, useMemo, useRef, useState } from 'react';
import { areaPath, linePath, logTicks, niceTicks, timeTicks } from '../lib/chart-scale.ts';
import { dayNumber } from '../lib/day.ts';
import { formatDay, formatNumber, formatPlain } from '../lib/format.ts';
import { useWidth } from '../lib/use-width.ts';

export type Line = {
  name: string;
  values: readonly (number | null)[];
  look: 'main' | 'solid' | 'dashed' | 'dotted' | 'faint';
  note?: string;
};

type ChartProps = {
  /** Says what is seen, for those who do not see it. */
  label: string;
  days: readonly string[];
  lines: readonly Line[];
  isLog?: boolean;
  height?: number;
  format?: (value: number) => string;
  /** What stands at the axis; shorter than `format`. */
  formatTick?: (value: number) => string;
  marks?: readonly { day: string; value: number; label: string }[];
  /** Drawn behind the lines: between the two values of each day. */
  areas?: readonly Area[];
  /** Drawn behind everything: what state each day was in. */
  bands?: readonly Band[];
  /** The row that is read while nobody points at another; the last one otherwise. */
  restAt?: number;
};

export type Area = { name: string; low: readonly (number | null)[]; high: readonly (number | null)[] };
/** Rows `from` to `to`, both included, counted like the days. */
export type Band = { from: number; to: number; name: string; look: BandLook };
export type BandLook = 'calm' | 'plain' | 'bad';

/** One word a state, so that nobody has to tell it by colour alone: see the legend. */
const BANDS: Record<BandLook, string> = { calm: 'fill-accent-well', plain: 'fill-well', bad: 'fill-bad-well' };
const LOOKS: Record<Line['look'], { className: string; width: number; dash?: string }> = {
  main: { className: 'stroke-accent', width: 2 },
  solid: { className: 'stroke-ink', width: 1 },
  dashed: { className: 'stroke-soft', width: 1.25, dash: '5 3' },
  dotted: { className: 'stroke-strong-line', width: 1.5, dash: '1.5 2.5' },
  faint: { className: 'stroke-strong-line', width: 1 },
};
const LEFT = 8;
const RIGHT = 58;
const TOP = 10;
const BOTTOM = 24;

/** Lines over days, drawn as SVG. Arrow keys move the reading day; the legend shows its values. */
export function LineChart(props: ChartProps) {
  const { label, days, lines, isLog = false, height = 320, format = twoDigits, formatTick = formatPlain } = props;
  const { marks, areas, bands, restAt } = props;
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const readingId = useId();
  const [reading, setReading] = useState<number | null>(null);
  const last = days.length - 1;
  const at = Math.min(reading ?? restAt ?? last, last);

  const scale = useMemo(
    () => makeScale(days, lines, marks, areas, isLog, width, height),
    [days, lines, marks, areas, isLog, width, height],
  );
  const paths = useMemo(
    () => lines.map((line) => linePath(line.values, scale.x, scale.y, line.look !== 'main')),
    [lines, scale],
  );

  const onMove = (event: PointerEvent) => {
    const box = frame.current?.getBoundingClientRect();
    if (box) setReading(scale.nearest(event.clientX - box.left));
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -21, PageDown: 21, Home: -last, End: last }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    setReading(Math.min(last, Math.max(0, at + step)));
  };

  return (
    <figure className="min-w-0">
      <figcaption id={readingId} className="mb-2 flex flex-wrap items-baseline gap-x-5 gap-y-1 text-sm">
        <span className="min-w-24 font-medium whitespace-nowrap">{formatDay(days[at])}</span>
        {lines.map((line) => (
          <span key={line.name} className="inline-flex items-baseline gap-1.5 whitespace-nowrap" title={line.note}>
            <svg width="22" height="6" aria-hidden="true" className="self-center">
              <line
                x1="0"
                x2="22"
                y1="3"
                y2="3"
                className={LOOKS[line.look].className}
                strokeWidth={LOOKS[line.look].width}
                strokeDasharray={LOOKS[line.look].dash}
              />
            </svg>
            <span className="text-soft">{line.name}</span>
            <span className="tabular-nums">{readingText(line.values[at], format)}</span>
          </span>
        ))}
        {areas?.map((area) => (
          <span key={area.name} className="inline-flex items-baseline gap-1.5 whitespace-nowrap">
            <span className="size-3 self-center rounded-sm bg-accent-well" aria-hidden="true" />
            <span className="text-soft">{area.name}</span>
            <span className="tabular-nums">{rangeText(area, at, format)}</span>
          </span>
        ))}
        {bands && <BandLegend bands={bands} name={bandAt(bands, at)?.name} />}
      </figcaption>
      <div
        ref={frame}
        role="slider"
        aria-label={`${label}. Arrow keys move the day that is read.`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, last)}
        aria-valuenow={Math.max(0, at)}
        aria-valuetext={valueText(days[at], lines, at, format, bands)}
        aria-describedby={readingId}
        tabIndex={0}
        className="relative touch-pan-y rounded"
        style={{ height }}
        onPointerMove={onMove}
        onPointerLeave={() => setReading(null)}
        onKeyDown={onKey}
        onBlur={() => setReading(null)}
      >
        {width > 0 && (
          <svg width={width} height={height} aria-hidden="true" className="absolute inset-0 block select-none">
            {bands?.map((band) => (
              <rect
                key={`${band.from} ${band.name}`}
                x={scale.x(band.from - 0.5)}
                width={Math.max(0, scale.x(band.to + 0.5) - scale.x(band.from - 0.5))}
                y={TOP}
                height={height - TOP - BOTTOM}
                className={BANDS[band.look]}
              />
            ))}
            {scale.yTicks.map((tick) => (
              <g key={tick}>
                <line x1={LEFT} x2={width - RIGHT} y1={scale.y(tick)} y2={scale.y(tick)} className="stroke-line" />
                <text x={width - RIGHT + 8} y={scale.y(tick) + 4} className="fill-soft text-xs">
                  {formatTick(tick)}
                </text>
              </g>
            ))}
            {scale.xTicks.map((tick) => (
              <text
                key={tick.label + tick.index}
                x={scale.x(tick.index)}
                y={height - 6}
                textAnchor="middle"
                className="fill-soft text-xs"
              >
                {tick.label}
              </text>
            ))}
            {areas?.map((area) => (
              <path key={area.name} d={areaPath(area, scale.x, scale.y)} className="fill-accent-well" />
            ))}
            {/* The main line is drawn last, on top. */}
            {[...lines.keys()].reverse().map((line) => {
              const look = LOOKS[lines[line]?.look ?? 'solid'];
              return (
                <path
                  key={lines[line]?.name}
                  d={paths[line]}
                  fill="none"
                  className={look.className}
                  strokeWidth={look.width}
                  strokeDasharray={look.dash}
                  strokeLinejoin="round"
                />
              );
            })}
            {marks?.map((mark) => (
              <g key={mark.day + mark.label}>
                <circle
                  cx={scale.xOfDay(mark.day)}
                  cy={scale.y(mark.value)}
                  r="5"
                  className="fill-sheet stroke-bad"
                  strokeWidth="2"
                />
                <title>{mark.label}</title>
              </g>
            ))}
            {reading !== null && <Reading x={scale.x(at)} lines={lines} at={at} y={scale.y} height={height} />}
          </svg>
        )}
      </div>
    </figure>
  );
}

/** Every state that is drawn, the one of the day that is read in ink. */
function BandLegend({ bands, name }: { bands: readonly Band[]; name: string | undefined }) {
  const looks = new Map(bands.map((band) => [band.name, band.look]));
  return (
    <>
      {[...looks].map(([state, look]) => (
        <span key={state} className="inline-flex items-center gap-1.5 whitespace-nowrap">
          <svg width="12" height="12" aria-hidden="true">
            <rect x="0.5" y="0.5" width="11" height="11" rx="2" className={`${BANDS[look]} stroke-strong-line`} />
          </svg>
          <span className={state === name ? 'font-medium' : 'text-soft'}>{state}</span>
        </span>
      ))}
      {name === undefined && <span className="whitespace-nowrap text-soft">no state</span>}
    </>
  );
}

function Reading(props: {
  x: number;
  lines: readonly Line[];
  at: number;
  y: (value: number) => number;
  height: number;
}) {
  return (
    <>
      <line
        x1={props.x}
        x2={props.x}
        y1={TOP}
        y2={props.height - BOTTOM}
        className="stroke-strong-line"
        strokeDasharray="2 2"
      />
      {props.lines.map((line) => {
        const value = line.values[props.at];
        if (value === null || value === undefined) return null;
        return (
          <circle
            key={line.name}
            cx={props.x}
            cy={props.y(value)}
            r="3"
            className={`fill-sheet ${LOOKS[line.look].className}`}
            strokeWidth="1.5"
          />
        );
      })}
    </>
  );
}

function makeScale(
  days: readonly string[],
  lines: readonly Line[],
  marks: ChartProps['marks'],
  areas: ChartProps['areas'],
  isLog: boolean,
  width: number,
  height: number,
) {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const all = [
    ...lines.flatMap((line) => line.values),
    ...(marks ?? []).map((mark) => mark.value),
    ...(areas ?? []).flatMap((area) => [...area.low, ...area.high]),
  ];
  for (const value of all) {
    if (value === null || (isLog && value <= 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const isEmpty = low > high;
  if (isEmpty) [low, high] = isLog ? [1, 2] : [0, 1];
  const room = (high - low || Math.abs(high) || 1) * 0.04;
  const [bottom, top] = isLog ? [low / 1.03, high * 1.03] : [low - room, high + room];
  const place = isLog ? Math.log : (value: number) => value;
  const perUnit = (height - TOP - BOTTOM) / (place(top) - place(bottom) || 1);
  const perDay = (width - LEFT - RIGHT) / Math.max(1, days.length - 1);
  const y = (value: number) => TOP + (place(top) - place(value)) * perUnit;
  const x = (index: number) => LEFT + index * perDay;
  const numbers = days.map(dayNumber);
  return {
    x,
    y,
    xOfDay: (day: string) => {
      const after = numbers.findIndex((number) => number >= dayNumber(day));
      return x(after < 0 ? days.length - 1 : after);
    },
    nearest: (pixel: number) => Math.min(days.length - 1, Math.max(0, Math.round((pixel - LEFT) / perDay))),
    yTicks: isEmpty ? [] : isLog ? logTicks(bottom, top) : niceTicks(bottom, top, Math.max(2, Math.round(height / 64))),
    xTicks: timeTicks(days, Math.max(2, Math.floor((width - LEFT - RIGHT) / 84))).filter(
      (tick) => x(tick.index) > 22 && x(tick.index) < width - RIGHT - 4,
    ),
  };
}

function twoDigits(value: number): string {
  return formatNumber(value, 2);
}

function readingText(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? 'none' : format(value);
}

function valueText(
  day: string | undefined,
  lines: readonly Line[],
  at: number,
  format: (value: number) => string,
  bands: readonly Band[] | undefined,
): string {
  const state = bands && bandAt(bands, at)?.name;
  return [
    formatDay(day),
    ...lines.map((line) => `${line.name} ${readingText(line.values[at], format)}`),
    ...(state ? [state] : []),
  ].join(', ');
}

function rangeText({ low, high }: Area, at: number, format: (value: number) => string): string {
  const [from, to] = [low[at], high[at]];
  return from === null || from === undefined || to === null || to === undefined
    ? 'none'
    : `${format(from)} to ${format(to)}`;
}

function bandAt(bands: readonly Band[], at: number): Band | undefined {
  return bands.find(({ from, to }) => from <= at && at <= to);
}
