import type { Bar } from '@touchstone/contracts/data';
import {
  type CandlestickData,
  CandlestickSeries,
  ColorType,
  createChart,
  createSeriesMarkers,
  type LineData,
  LineSeries,
  type SeriesMarker,
  type Time,
  type WhitespaceData,
} from 'lightweight-charts';
import { useEffect, useRef } from 'react';

type CandleProps = {
  bars: readonly Bar[];
  look: 'candles' | 'line';
  label: string;
  onPick?: (day: string) => void;
  drawings?: readonly Drawing[];
};
type Place = { day: string; value: number };
/** A shape over the bars: a mark on its day, the points it goes through, and straight lines. */
export type Drawing = {
  day: string;
  label: string;
  isUp: boolean;
  points: readonly Place[];
  lines: readonly { from: Place; to: Place }[];
};
const NO_DRAWINGS: readonly Drawing[] = [];
const HEIGHT = 360;

/**
 * Prices of one instrument, drawn by Lightweight Charts. Its logo brings an inline style sheet that a strict CSP refuses,
 * so the attribution it asks for stands as a link under the chart.
 */
export default function CandleChart({ bars, look, label, onPick, drawings = NO_DRAWINGS }: CandleProps) {
  const frame = useRef<HTMLDivElement>(null);
  const pick = useRef(onPick);
  pick.current = onPick;
  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const draw = () => drawChart(element, bars, look, drawings, (day) => pick.current?.(day));
    let remove = draw();
    const redraw = () => {
      remove();
      remove = draw();
    };
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', redraw);
    window.addEventListener('touchstone:theme', redraw);
    return () => {
      dark.removeEventListener('change', redraw);
      window.removeEventListener('touchstone:theme', redraw);
      remove();
    };
  }, [bars, look, drawings]);
  return (
    <figure className="min-w-0">
      <div ref={frame} role="img" aria-label={label} className="min-w-0" style={{ height: HEIGHT }} />
      <figcaption className="mt-1 text-right text-xs text-soft">
        Chart by{' '}
        <a className="link" href="https://www.tradingview.com/" rel="noreferrer" target="_blank">
          TradingView Lightweight Charts™
        </a>
      </figcaption>
    </figure>
  );
}

function drawChart(
  element: HTMLElement,
  bars: readonly Bar[],
  look: 'candles' | 'line',
  drawings: readonly Drawing[],
  pick: (day: string) => void,
) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const [ink, soft, line, accent, sheet] = ['--ink', '--soft', '--line', '--accent', '--sheet'].map(colour);
  const chart = createChart(element, {
    autoSize: true,
    layout: {
      background: { type: ColorType.Solid, color: 'transparent' },
      textColor: soft ?? '',
      attributionLogo: false,
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSize: 12,
    },
    grid: { vertLines: { visible: false }, horzLines: { color: line ?? '' } },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderColor: line ?? '', rightOffset: 2 },
    localization: { locale: 'en-GB' },
  });
  if (look === 'candles') {
    const candles = chart.addSeries(CandlestickSeries, {
      upColor: sheet,
      downColor: accent,
      borderUpColor: accent,
      borderDownColor: accent,
      wickUpColor: accent,
      wickDownColor: accent,
      priceLineColor: ink,
    });
    candles.setData(bars.map(toCandle));
    const marks = drawings.map((drawing) => toMark(drawing, ink ?? ''));
    if (marks.length > 0) createSeriesMarkers(candles, marks);
    const quiet = { priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false } as const;
    for (const { points, lines } of drawings) {
      const strokes = [points, ...lines.map(({ from, to }) => [from, to])].filter((places) => places.length > 1);
      for (const [index, places] of strokes.entries())
        chart
          .addSeries(LineSeries, { ...quiet, color: soft, lineWidth: 1, lineStyle: index === 0 ? 0 : 2 })
          .setData(ascending(places));
    }
  } else {
    chart.addSeries(LineSeries, { color: accent, lineWidth: 2, priceLineColor: ink }).setData(bars.map(toPoint));
  }
  chart.timeScale().setVisibleLogicalRange({ from: Math.max(0, bars.length - 250), to: bars.length + 2 });
  chart.subscribeClick((event) => {
    if (typeof event.time === 'string') pick(event.time);
  });
  return () => chart.remove();
}

function toCandle(bar: Bar): CandlestickData | WhitespaceData {
  const { day, open, high, low, close } = bar;
  if (open === null || high === null || low === null || close === null) return { time: day };
  return { time: day, open, high, low, close };
}

function toPoint(bar: Bar): LineData | WhitespaceData {
  return bar.close === null ? { time: bar.day } : { time: bar.day, value: bar.close };
}

function toMark({ day, label, isUp }: Drawing, color: string): SeriesMarker<Time> {
  return isUp
    ? { time: day, position: 'belowBar', shape: 'arrowUp', color, text: label }
    : { time: day, position: 'aboveBar', shape: 'arrowDown', color, text: label };
}

/** One place a day, in order: what the chart asks of a line. */
function ascending(places: readonly Place[]): LineData[] {
  const byDay = new Map(places.map(({ day, value }) => [day, value]));
  return [...byDay].sort(([one], [other]) => (one < other ? -1 : 1)).map(([time, value]) => ({ time, value }));
}
