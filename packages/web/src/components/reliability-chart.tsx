import { useRef } from 'react';
import { niceTicks } from '../lib/chart-scale.ts';
import { formatCount, formatPercent } from '../lib/format.ts';
import { useWidth } from '../lib/use-width.ts';

type Point = { forecastMean: number; realised: number; low: number; high: number; count: number };

const HEIGHT = 260;
const LEFT = 40;
const BOTTOM = 26;
const TOP = 8;

/** What was said against what came: on the diagonal the two agree. The table below has the numbers. */
export function ReliabilityChart({ points }: { points: readonly Point[] }) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const top = Math.min(1, Math.max(0.1, ...points.flatMap(({ forecastMean, high }) => [forecastMean, high])) * 1.08);
  const x = (value: number) => LEFT + (value / top) * Math.max(0, width - LEFT - 8);
  const y = (value: number) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);
  const ticks = niceTicks(0, top, 5);
  return (
    <>
      <div ref={frame} role="img" aria-label="Forecast probability against realised share" style={{ height: HEIGHT }}>
        {width > 0 && (
          <svg width={width} height={HEIGHT} aria-hidden="true" className="block select-none">
            {ticks.map((tick) => (
              <g key={tick}>
                <line x1={LEFT} x2={width - 8} y1={y(tick)} y2={y(tick)} className="stroke-line" />
                <text x={LEFT - 6} y={y(tick) + 4} textAnchor="end" className="fill-soft text-xs">
                  {formatPercent(tick, 0)}
                </text>
                <text x={x(tick)} y={HEIGHT - 8} textAnchor="middle" className="fill-soft text-xs">
                  {formatPercent(tick, 0)}
                </text>
              </g>
            ))}
            <line x1={x(0)} y1={y(0)} x2={x(top)} y2={y(top)} className="stroke-strong-line" strokeDasharray="4 3" />
            {points.map((point) => (
              <g key={point.forecastMean}>
                <line
                  x1={x(point.forecastMean)}
                  x2={x(point.forecastMean)}
                  y1={y(point.low)}
                  y2={y(point.high)}
                  className="stroke-accent"
                  strokeWidth="1.5"
                />
                <circle cx={x(point.forecastMean)} cy={y(point.realised)} r="4" className="fill-accent" />
              </g>
            ))}
          </svg>
        )}
      </div>
      <table className="mt-2 w-full text-xs tabular-nums">
        <thead className="text-soft">
          <tr>
            <th scope="col" className="text-left font-normal">
              Said
            </th>
            <th scope="col" className="text-right font-normal">
              Came
            </th>
            <th scope="col" className="text-right font-normal">
              95 % interval
            </th>
            <th scope="col" className="text-right font-normal">
              Days
            </th>
          </tr>
        </thead>
        <tbody>
          {points.map((point) => (
            <tr key={point.forecastMean}>
              <td>{formatPercent(point.forecastMean)}</td>
              <td className="text-right">{formatPercent(point.realised)}</td>
              <td className="text-right">
                {formatPercent(point.low)} to {formatPercent(point.high)}
              </td>
              <td className="text-right">{formatCount(point.count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
