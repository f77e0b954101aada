import type { ChartPatternKind } from './chart-pattern-kinds.ts';
import { CHART_SETTINGS } from './chart-settings.ts';
import { fitCup, fitLegs } from './leg-fit.ts';
import { advanceZigzag, createZigzag, type Zigzag } from './zigzag.ts';

export type ChartPoint = { bar: number; price: number };

/** A chart pattern as it stood on its confirmation bar. Bars are indexes into the closes handed over. */
export type ChartPattern = {
  kind: ChartPatternKind;
  /** 1 when the break was upwards. */
  direction: 1 | -1;
  /** First turning point. */
  firstBar: number;
  /** The first bar on which the pattern could be told; nothing after it was used. */
  confirmationBar: number;
  /** Turning points with the fitted price, first to last. */
  points: ChartPoint[];
  /** The line whose crossing confirmed, from its first turning point to the confirmation bar. */
  line: [ChartPoint, ChartPoint];
  /** Distance from the line to the far side of the pattern, as a log return. */
  height: number;
  /** Standard deviation around the fitted legs in heights; smaller is cleaner. */
  noise: number;
};

/**
 * Chart patterns in a series of daily closes, in the order of their confirmation.
 *
 * The method is in docs/methods/chart-patterns.md: at each bar turning points are confirmed at eight sizes by what had
 * happened by then, the last few are fitted with a continuous broken line in log prices, and a shape is told when its
 * levels keep the rules of a kind and the close crosses its line. A detection depends on closes up to its confirmation bar
 * only. Multiplying prices by a constant, or raising them to a positive power, changes no bar and no kind.
 *
 * Missing (NaN) and non-positive closes are skipped: bars then count the closes that exist. Without
 * `volatilityBars` returns, or with constant closes, the answer is empty. O(bars).
 *
 * @see Lo, Mamaysky and Wang (2000), doi:10.1111/0022-1082.00265, for patterns told from smoothed extrema.
 */
export function detectChartPatterns(close: Float64Array): ChartPattern[] {
  const kept: number[] = [];
  for (let t = 0; t < close.length; t++) if (close[t]! > 0 && Number.isFinite(close[t]!)) kept.push(t);
  const logClose = Float64Array.from(kept, (t) => Math.log(close[t]!));
  const scan = createScan(logClose);
  for (let t = 0; t < logClose.length; t++) scan.advance(t);
  return scan.found.map((found) => toPattern(found, kept));
}

/** A detection in log prices and in bars of the kept closes. */
type Found = {
  kind: ChartPatternKind;
  side: 1 | -1;
  direction: 1 | -1;
  bars: number[];
  levels: number[];
  lineFrom: number;
  lineTo: number;
  lineBar: number;
  confirmation: number;
  height: number;
  noise: number;
};

function toPattern(found: Found, kept: readonly number[]): ChartPattern {
  const price = (level: number) => Math.exp(found.side * level);
  return {
    kind: found.kind,
    direction: found.direction,
    firstBar: kept[found.bars[0]!]!,
    confirmationBar: kept[found.confirmation]!,
    points: found.bars.map((bar, k) => ({ bar: kept[bar]!, price: price(found.levels[k]!) })),
    line: [
      { bar: kept[found.lineBar]!, price: price(found.lineFrom) },
      { bar: kept[found.confirmation]!, price: price(found.lineTo) },
    ],
    height: found.height,
    noise: found.noise,
  };
}

function createScan(logClose: Float64Array) {
  const { volatilityBars, pivotMoves, overlapMax } = CHART_SETTINGS;
  const volatility = new Float64Array(logClose.length);
  const zigzags = pivotMoves.map(() => createZigzag());
  const found: Found[] = [];
  return {
    found,
    advance(t: number): void {
      volatility[t] = volatilityAt(logClose, t, volatilityBars);
      // A dead price has no turning points of its own; the level of 1e-9 a day is rounding.
      if (!(volatility[t]! > 1e-9)) return;
      let best: Found | null = null;
      for (let scale = 0; scale < zigzags.length; scale++) {
        const zigzag = zigzags[scale]!;
        advanceZigzag(zigzag, logClose, t, pivotMoves[scale]! * volatility[t]!);
        for (const candidate of candidatesAt(logClose, volatility, zigzag, t)) {
          if (found.some((other) => overlap(other, candidate) > overlapMax)) continue;
          if (best === null || candidate.noise < best.noise) best = candidate;
        }
      }
      if (best !== null) found.push(best);
    },
  };
}

function volatilityAt(logClose: Float64Array, t: number, bars: number): number {
  if (t < bars) return Number.NaN;
  const center = (logClose[t]! - logClose[t - bars]!) / bars;
  let sum = 0;
  for (let k = t - bars + 1; k <= t; k++) sum += (logClose[k]! - logClose[k - 1]! - center) ** 2;
  return Math.sqrt(sum / (bars - 1));
}

function overlap(a: Found, b: Found): number {
  const common = Math.min(a.confirmation, b.confirmation) - Math.max(a.bars[0]!, b.bars[0]!);
  const union = Math.max(a.confirmation, b.confirmation) - Math.min(a.bars[0]!, b.bars[0]!);
  return common / union;
}

type Family = {
  upright: ChartPatternKind;
  turned: ChartPatternKind;
  /** Turning points, the first a high when upright. */
  count: number;
  /** Turning points, as numbers from the first, whose line confirms. */
  line: readonly number[];
  /** Sign of the break when upright. */
  breaks: 1 | -1;
  /** Height: the first leg of shapes that close in, else from the mean bottom to the highest top. */
  kindHeight: 'first' | 'whole';
  keeps: (shape: Shape) => boolean;
};

/** Fitted levels of an upright shape, the first a high, and what they say. */
type Shape = { levels: Float64Array; bars: readonly number[]; height: number; base: number };

const { equalWithin, shoulder, triangle, wedge, flag, cup } = CHART_SETTINGS;

const FAMILIES: readonly Family[] = [
  {
    upright: 'double-top',
    turned: 'double-bottom',
    count: 3,
    line: [1],
    breaks: -1,
    kindHeight: 'whole',
    keeps: ({ levels, height }) => isEqual([levels[0]!, levels[2]!], height),
  },
  {
    upright: 'head-and-shoulders',
    turned: 'inverse-head-and-shoulders',
    count: 5,
    line: [1, 3],
    breaks: -1,
    kindHeight: 'whole',
    keeps: ({ levels, height, base }) => {
      const left = (levels[0]! - base) / height;
      const right = (levels[4]! - base) / height;
      return (
        Math.min(left, right) >= shoulder.min &&
        Math.max(left, right) <= shoulder.max &&
        Math.abs(left - right) <= shoulder.differenceMax &&
        Math.abs(levels[1]! - levels[3]!) <= shoulder.necklineMax * height
      );
    },
  },
  {
    upright: 'triple-top',
    turned: 'triple-bottom',
    count: 5,
    line: [1, 3],
    breaks: -1,
    kindHeight: 'whole',
    keeps: ({ levels, height }) =>
      isEqual([levels[0]!, levels[2]!, levels[4]!], height) &&
      Math.abs(levels[1]! - levels[3]!) <= 2 * equalWithin * height,
  },
  {
    upright: 'rising-wedge',
    turned: 'falling-wedge',
    count: 5,
    line: [1, 3],
    breaks: -1,
    kindHeight: 'first',
    keeps: ({ levels, height }) => {
      const widthFirst = levels[0]! - levels[1]!;
      const widthLast = levels[4]! - levels[3]!;
      return (
        levels[4]! - levels[0]! >= wedge.riseMin * height &&
        levels[2]! > levels[0]! &&
        levels[4]! > levels[2]! &&
        levels[3]! - levels[1]! >= wedge.riseMin * height &&
        // The bottoms rise faster than the tops over the same time: the lines close in.
        levels[3]! - levels[1]! >= wedge.gainMin * (levels[4]! - levels[0]!) * wedge.spanShare &&
        widthLast <= widthFirst * wedge.widthRatioMax + wedge.riseMin * height
      );
    },
  },
  {
    upright: 'ascending-triangle',
    turned: 'descending-triangle',
    count: 6,
    line: [0, 2, 4],
    breaks: 1,
    kindHeight: 'first',
    keeps: ({ levels, height }) =>
      isEqual([levels[0]!, levels[2]!, levels[4]!], height) &&
      Math.abs(levels[4]! - levels[0]!) <= triangle.slopeMin * height &&
      levels[3]! - levels[1]! >= triangle.riseMin * height &&
      levels[5]! - levels[3]! >= triangle.riseMin * height &&
      levels[4]! - levels[5]! <= triangle.widthRatioMax * height,
  },
  {
    upright: 'symmetric-triangle',
    turned: 'symmetric-triangle',
    count: 6,
    line: [0, 2, 4],
    breaks: 1,
    kindHeight: 'first',
    keeps: ({ levels, height }) =>
      levels[0]! - levels[4]! >= triangle.slopeMin * height &&
      levels[5]! - levels[1]! >= triangle.slopeMin * height &&
      levels[4]! - levels[5]! <= triangle.widthRatioMax * height,
  },
  {
    upright: 'rectangle',
    turned: 'rectangle',
    count: 6,
    line: [0, 2, 4],
    breaks: 1,
    kindHeight: 'whole',
    keeps: ({ levels, height }) =>
      isEqual([levels[0]!, levels[2]!, levels[4]!], height) && isEqual([levels[1]!, levels[3]!, levels[5]!], height),
  },
];

/** Patterns whose line the close of bar `t` crosses, on one zigzag, either way up. */
function candidatesAt(logClose: Float64Array, volatility: Float64Array, zigzag: Zigzag, t: number): Found[] {
  const last = zigzag.bars.at(-1);
  if (last === undefined || t <= last) return [];
  const context = { logClose, volatility, t };
  const found: Found[] = [];
  // Direction 1 means that the last turning point is a low: upright, the next break is upwards.
  const sideUp: 1 | -1 = zigzag.direction === 1 ? 1 : -1;
  for (const family of FAMILIES) {
    const side = family.breaks === 1 ? sideUp : sideUp === 1 ? -1 : 1;
    const candidate = tryFamily(context, family, zigzag, side);
    if (candidate !== null) found.push(candidate);
  }
  const flagFound = tryFlag(context, zigzag, sideUp);
  if (flagFound !== null) found.push(flagFound);
  const cupFound = tryCup(context, zigzag, sideUp);
  if (cupFound !== null) found.push(cupFound);
  return found;
}

type Context = { logClose: Float64Array; volatility: Float64Array; t: number };

function tryFamily(context: Context, family: Family, zigzag: Zigzag, side: 1 | -1): Found | null {
  const { logClose, volatility, t } = context;
  const bars = zigzag.bars.slice(-family.count);
  if (bars.length < family.count || !legsFit([...bars, t])) return null;
  // The raw turning points say cheaply that most bars are no break; the fitted ones decide.
  const raw = Float64Array.from(bars, (bar) => side * logClose[bar]!);
  if (!isBroken(raw, bars, family, side * logClose[t]!, t, 0.5)) return null;
  const fit = fitLegs(logClose, [...bars, t], side);
  const levels = fit.levels.slice(0, family.count);
  const shape = shapeOf(levels, bars, family);
  if (!(shape.height > 0) || fit.residualSd > CHART_SETTINGS.noiseMax * shape.height) return null;
  if (!isBroken(levels, bars, family, side * logClose[t]!, t, 1)) return null;
  if (!family.keeps(shape)) return null;
  const strength = shape.height / (volatility[bars[0]!]! * Math.sqrt(t - bars[0]!));
  if (!(strength >= CHART_SETTINGS.strengthMin)) return null;
  if (!comesFromBelow(context, bars, side, Math.min(...levels), shape.height)) return null;
  const at = lineThrough(levels, bars, family.line);
  return {
    kind: side === 1 ? family.upright : family.turned,
    side,
    direction: family.breaks * side > 0 ? 1 : -1,
    bars,
    levels: [...levels],
    lineBar: bars[family.line[0]!]!,
    lineFrom: at(bars[family.line[0]!]!),
    lineTo: at(t),
    confirmation: t,
    height: shape.height,
    noise: fit.residualSd / shape.height,
  };
}

/** Height from the mean bottom (upward break: the first bottom) to the highest top. */
function shapeOf(levels: Float64Array, bars: readonly number[], family: Family): Shape {
  let top = Number.NEGATIVE_INFINITY;
  let base = 0;
  let bottoms = 0;
  for (let k = 0; k < levels.length; k++) {
    if (k % 2 === 0) top = Math.max(top, levels[k]!);
    else {
      base += levels[k]!;
      bottoms += 1;
    }
  }
  base /= bottoms;
  const height = family.kindHeight === 'first' ? levels[0]! - levels[1]! : top - base;
  return { levels, bars, height, base };
}

function lineThrough(levels: ArrayLike<number>, bars: readonly number[], line: readonly number[]) {
  let meanBar = 0;
  let meanLevel = 0;
  for (const k of line) {
    meanBar += bars[k]! / line.length;
    meanLevel += levels[k]! / line.length;
  }
  let above = 0;
  let below = 0;
  for (const k of line) {
    above += (bars[k]! - meanBar) * (levels[k]! - meanLevel);
    below += (bars[k]! - meanBar) ** 2;
  }
  const slope = below > 0 ? above / below : 0;
  return (bar: number) => meanLevel + slope * (bar - meanBar);
}

function isBroken(
  levels: Float64Array,
  bars: readonly number[],
  family: Family,
  value: number,
  t: number,
  marginShare: number,
): boolean {
  const { height } = shapeOf(levels, bars, family);
  const beyond = family.breaks * (value - lineThrough(levels, bars, family.line)(t));
  return beyond >= marginShare * CHART_SETTINGS.breakMargin * height && beyond <= CHART_SETTINGS.breakReachMax * height;
}

function legsFit(bars: readonly number[]): boolean {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  // The leg of the break is still under way and may be short.
  for (let k = 1; k + 1 < bars.length; k++) {
    const leg = bars[k]! - bars[k - 1]!;
    least = Math.min(least, leg);
    most = Math.max(most, leg);
  }
  const running = bars.at(-1)! - bars.at(-2)!;
  return (
    least >= CHART_SETTINGS.legBarsMin &&
    most <= CHART_SETTINGS.legRatioMax * least &&
    running <= CHART_SETTINGS.legRatioMax * most
  );
}

/** True when shortly before the first turning point the price stood `entryDepth` heights below `floor`. */
function comesFromBelow(
  { logClose }: Context,
  bars: readonly number[],
  side: 1 | -1,
  floor: number,
  height: number,
): boolean {
  const meanLeg = (bars.at(-1)! - bars[0]!) / (bars.length - 1);
  const first = Math.max(0, Math.floor(bars[0]! - CHART_SETTINGS.entryLegs * meanLeg));
  for (let t = bars[0]! - 1; t >= first; t--) {
    const y = side * logClose[t]!;
    if (y <= floor - CHART_SETTINGS.entryDepth * height) return true;
    // Higher before than at the first top: the move into the pattern came from above.
    if (y > side * logClose[bars[0]!]! + CHART_SETTINGS.equalWithin * height) return false;
  }
  return false;
}

function isEqual(levels: readonly number[], height: number): boolean {
  const center = levels.reduce((sum, level) => sum + level, 0) / levels.length;
  return levels.every((level) => Math.abs(level - center) <= equalWithin * height);
}

/** A pole, then a short channel against it: high, low, high, low, and a break in the direction of the pole. */
function tryFlag(context: Context, zigzag: Zigzag, side: 1 | -1): Found | null {
  const { logClose, volatility, t } = context;
  const bars = zigzag.bars.slice(-4);
  if (bars.length < 4 || !legsFit([...bars, t])) return null;
  const fit = fitLegs(logClose, [...bars, t], side);
  const levels = [...fit.levels.slice(0, 4)];
  const at = lineThrough(levels, bars, [0, 2]);
  const below = lineThrough(levels, bars, [1, 3]);
  const widthFirst = at(bars[1]!) - levels[1]!;
  const widthLast = levels[2]! - below(bars[2]!);
  const width = (widthFirst + widthLast) / 2;
  if (!(widthFirst > 0 && widthLast > 0) || fit.residualSd > CHART_SETTINGS.noiseMax * width) return null;
  if (Math.max(widthFirst, widthLast) > flag.widthRatio * Math.min(widthFirst, widthLast)) return null;
  const beyond = side * logClose[t]! - at(t);
  if (beyond < CHART_SETTINGS.breakMargin * width || beyond > 1.5 * width) return null;
  const fallTop = (levels[0]! - levels[2]!) / width;
  const fallBottom = (levels[1]! - levels[3]!) / width;
  if (Math.min(fallTop, fallBottom) < flag.slopeMin || Math.max(fallTop, fallBottom) > flag.slopeMax) return null;
  if (!(width / (volatility[bars[0]!]! * Math.sqrt(t - bars[0]!)) >= flag.strengthMin)) return null;
  const meanLeg = (bars[3]! - bars[0]!) / 3;
  const first = Math.max(0, Math.floor(bars[0]! - flag.poleLegs * meanLeg));
  let foot = bars[0]!;
  for (let k = bars[0]! - 1; k >= first; k--) if (side * logClose[k]! < side * logClose[foot]!) foot = k;
  const pole = levels[0]! - side * logClose[foot]!;
  if (pole < flag.poleMin * width || levels[0]! - levels[3]! > flag.retraceMax * pole) return null;
  return {
    kind: side === 1 ? 'bull-flag' : 'bear-flag',
    side,
    direction: side,
    bars: [foot, ...bars],
    levels: [side * logClose[foot]!, ...levels],
    lineBar: bars[0]!,
    lineFrom: at(bars[0]!),
    lineTo: at(t),
    confirmation: t,
    height: width,
    noise: fit.residualSd / width,
  };
}

/** A rounded hollow between two rims of one height, a shallow handle, and a break above the rims. */
function tryCup(context: Context, zigzag: Zigzag, side: 1 | -1): Found | null {
  const { logClose, volatility, t } = context;
  const { bars } = zigzag;
  const low = bars.at(-1)!;
  const right = bars.at(-2);
  if (right === undefined) return null;
  for (let back = 4; back <= cup.lookBack; back += 2) {
    const left = bars.at(-back);
    if (left === undefined) return null;
    if (right - left < cup.barsMin) continue;
    const shape = fitCup(logClose, left, right, side);
    const { depth } = shape;
    if (!(depth > 0) || shape.residualSd > cup.noiseMax * depth || shape.residualSd > shape.vResidualSd) continue;
    if (Math.abs(shape.rimChange) > cup.rimsWithin * depth) continue;
    const rim = shape.leftRim + shape.rimChange;
    const line = shape.leftRim + shape.rimChange / 2;
    const handle = (rim - side * logClose[low]!) / depth;
    if (handle < cup.handleMin || handle > cup.handleMax) continue;
    if (t - right > cup.handleShareMax * (right - left)) continue;
    const beyond = (side * logClose[t]! - line) / depth;
    if (beyond < CHART_SETTINGS.breakMargin || beyond > CHART_SETTINGS.breakReachMax) continue;
    if (!(depth / (volatility[left]! * Math.sqrt(t - left)) >= CHART_SETTINGS.strengthMin)) continue;
    const middle = Math.round((left + right) / 2);
    if (!comesFromBelow(context, [left, middle], side, line - depth / 2, depth)) continue;
    return {
      kind: side === 1 ? 'cup-and-handle' : 'inverse-cup-and-handle',
      side,
      direction: side,
      bars: [left, middle, right, low],
      levels: [shape.leftRim, line - depth, rim, side * logClose[low]!],
      lineBar: left,
      lineFrom: line,
      lineTo: line,
      confirmation: t,
      height: depth,
      noise: shape.residualSd / depth,
    };
  }
  return null;
}
