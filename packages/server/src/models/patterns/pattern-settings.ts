import { CANDLE_MEANINGS } from '@touchstone/quant/indicators/candles/index';
import { CHART_PATTERN_KINDS, type ChartPatternKind } from '@touchstone/quant/patterns/chart-pattern-kinds';
import { LOOSE_LENIENCY } from '@touchstone/quant/patterns/chart-patterns';
import { CHART_SETTINGS } from '@touchstone/quant/patterns/chart-settings';

export type MarkDirection = 'up' | 'down' | 'none';
export type PatternKey = {
  family: 'chart' | 'candle';
  kind: string;
  name: string;
  direction: MarkDirection;
  /** Bars it looks at; of a chart pattern as many as it takes. */
  bars: number;
};

export const CHANGE_SETTINGS = { cost: 'mean-and-variance', penalty: 30, stretchMin: 21 } as const;
/** Returns that change points cannot do without: two stretches of the shortest kind. */
export const CHANGE_BARS_MIN = 2 * CHANGE_SETTINGS.stretchMin + 1;
/** Closes the chart detector cannot do without: its volatility and its shortest pattern. */
export const CHART_BARS_MIN = CHART_SETTINGS.volatilityBars + CHART_SETTINGS.spanMin + 1;
export const CANDLE_BARS_MIN = 15;

export type Strictness = 'strict' | 'loose';
export const LENIENCY = { strict: 1, loose: LOOSE_LENIENCY } as const;

/** What is measured, and on how much: enough for thousands of cases, little enough for an answer within two seconds. */
export const MEASURE_SETTINGS = { membersMax: 30, daysBack: 3670, seed: 1, level: 0.05 } as const;

export const PATTERN_SETTINGS = { chart: CHART_SETTINGS, change: CHANGE_SETTINGS, measure: MEASURE_SETTINGS } as const;

const BREAKS: Partial<Record<ChartPatternKind, 'up' | 'down'>> = {
  'head-and-shoulders': 'down',
  'inverse-head-and-shoulders': 'up',
  'double-top': 'down',
  'double-bottom': 'up',
  'triple-top': 'down',
  'triple-bottom': 'up',
  'ascending-triangle': 'up',
  'descending-triangle': 'down',
  'rising-wedge': 'down',
  'falling-wedge': 'up',
  'bull-flag': 'up',
  'bear-flag': 'down',
  'cup-and-handle': 'up',
  'inverse-cup-and-handle': 'down',
};

/** Every kind and direction there is, found or not: all of them are tests. */
export const PATTERN_KEYS: ReadonlyMap<string, PatternKey> = new Map(
  [...chartKeys(), ...candleKeys()].map((key) => [keyOf(key.family, key.kind, key.direction), key]),
);

export function keyOf(family: 'chart' | 'candle', kind: string, direction: MarkDirection): string {
  return `${family}:${kind}:${direction}`;
}

function chartKeys(): PatternKey[] {
  return CHART_PATTERN_KINDS.flatMap((kind) => {
    const breaks = BREAKS[kind];
    const directions: MarkDirection[] = breaks === undefined ? ['up', 'down'] : [breaks];
    const words = kind.replaceAll('-', ' ');
    const name = words.charAt(0).toUpperCase() + words.slice(1);
    return directions.map((direction): PatternKey => ({ family: 'chart', kind, name, direction, bars: 0 }));
  });
}

function candleKeys(): PatternKey[] {
  return CANDLE_MEANINGS.flatMap(({ name: kind, title, direction, bars }) => {
    const directions: MarkDirection[] =
      direction === 'both' ? ['up', 'down'] : [direction === 'none' ? 'none' : direction === 'bullish' ? 'up' : 'down'];
    return directions.map((one): PatternKey => ({ family: 'candle', kind, name: title, direction: one, bars }));
  });
}
