import { expect } from '../checks/expect.ts';
import type { ChartPatternKind } from './chart-pattern-kinds.ts';
import { CHART_SETTINGS } from './chart-settings.ts';
import { advanceLegSums, createLegSums, fitCup, fitLegs, type LegSums, legSquares } from './leg-fit.ts';
import { advanceZigzag, createZigzag, type Zigzag } from './zigzag.ts';

/** Finds some seven times as many patterns in real prices as the judged settings do; half of those in simulated paths are chance. */
export const LOOSE_LENIENCY = 1.6;

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
 * @param leniency 1 are the settings the study judges; above it the limits on noise, strength and clarity are looser by that
 *   factor (clarity by its square): more is found in real prices, and more of it is chance.
 * @throws RangeError if `leniency` is below 1.
 * @see Lo, Mamaysky and Wang (2000), doi:10.1111/0022-1082.00265, for patterns told from smoothed extrema.
 */
export function detectChartPatterns(close: Float64Array, leniency = 1): ChartPattern[] {
  expect(leniency >= 1, `leniency must be at least 1, was ${leniency}`);
  const kept: number[] = [];
  for (let t = 0; t < close.length; t++) if (close[t]! > 0 && Number.isFinite(close[t]!)) kept.push(t);
  const logClose = Float64Array.from(kept, (t) => Math.log(close[t]!));
  const scan = createScan(logClose, leniency);
  for (let t = 0; t < logClose.length; t++) scan.advance(t);
  return scan.found.map((found) => toPattern(found, kept));
}

/** A detection in log prices and in bars of the kept closes. */
type Found = {
  kind: ChartPatternKind;
  side: 1 | -1;
  direction: 1 | -1;
  bars: readonly number[];
  levels: readonly number[];
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

function createScan(logClose: Float64Array, leniency: number) {
  const { volatilityBars, pivotMoves, smoothing, overlapMax } = CHART_SETTINGS;
  const volatility = new Float64Array(logClose.length).fill(Number.NaN);
  const smoothed = smoothing.map(() => new Float64Array(logClose.length));
  const tracks = smoothing.flatMap((halfWidth, k) =>
    pivotMoves.map((moves) => ({
      halfWidth,
      values: smoothed[k]!,
      moves,
      zigzag: createZigzag(),
      armed: [] as Armed[],
    })),
  );
  const found: Found[] = [];
  const memo: Memo = new Map();
  const sums = createLegSums(logClose.length);
  return {
    found,
    advance(t: number): void {
      volatility[t] = volatilityAt(logClose, t, volatilityBars);
      advanceLegSums(sums, logClose, t);
      smoothing.forEach((halfWidth, k) => {
        if (t >= halfWidth) smoothed[k]![t - halfWidth] = smoothAt(logClose, t - halfWidth, halfWidth);
      });
      // A dead price has no turning points of its own; the level of 1e-9 a day is rounding.
      if (!(volatility[t]! > 1e-9)) return;
      const context = { logClose, sums, volatility, t, leniency };
      let best: Found | null = null;
      memo.clear();
      for (const track of tracks) {
        const at = t - track.halfWidth;
        if (advanceZigzag(track.zigzag, track.values, at, track.moves * volatility[t]!))
          track.armed = armedBy(context, track.zigzag, track.halfWidth);
        for (const armed of track.armed) {
          const candidate = confirm(context, armed, memo);
          if (candidate === null || (best !== null && candidate.noise >= best.noise)) continue;
          if (!found.some((other) => overlap(other, candidate) > overlapMax)) best = candidate;
        }
      }
      if (best !== null) found.push(best);
    },
  };
}

/** Mean with triangular weights over the bars within `halfWidth`; the bars before the first are left out. */
function smoothAt(values: Float64Array, t: number, halfWidth: number): number {
  let sum = 0;
  let weights = 0;
  for (let k = Math.max(0, t - halfWidth); k <= t + halfWidth; k++) {
    const weight = halfWidth + 1 - Math.abs(k - t);
    sum += weight * values[k]!;
    weights += weight;
  }
  return sum / weights;
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

/** What a family shares with every other: see CHART_SETTINGS. */
type Limits = { noiseMax: number; clarityMin: number; strengthMin: number; legRatioMax: number; breakMargin: number };

type Family = {
  upright: ChartPatternKind;
  turned: ChartPatternKind;
  limits: Limits;
  /** Turning points, the first a high when upright. */
  count: number;
  /** Turning points, as numbers from the first, whose line confirms. */
  line: readonly number[];
  /** Sign of the break when upright. */
  breaks: 1 | -1;
  /** Height: the first leg of shapes that close in, else from the mean bottom to the highest top. */
  heightOf: 'first-leg' | 'whole';
  keeps: (shape: Shape) => boolean;
};

/** Fitted levels of an upright shape, the first a high, and what they say. */
type Shape = { levels: Float64Array; bars: readonly number[]; height: number; base: number };

const { double, headAndShoulders, triple, wedge, range, flag, cup } = CHART_SETTINGS;

const FAMILIES: readonly Family[] = [
  {
    upright: 'double-top',
    turned: 'double-bottom',
    limits: double,
    count: 3,
    line: [1],
    breaks: -1,
    heightOf: 'whole',
    keeps: ({ levels, height }) => Math.abs(levels[0]! - levels[2]!) <= double.tops * height,
  },
  {
    upright: 'head-and-shoulders',
    turned: 'inverse-head-and-shoulders',
    limits: headAndShoulders,
    count: 5,
    line: [1, 3],
    breaks: -1,
    heightOf: 'whole',
    keeps: ({ levels, height, base }) => {
      const left = (levels[0]! - base) / height;
      const right = (levels[4]! - base) / height;
      return (
        levels[2]! > Math.max(levels[0]!, levels[4]!) &&
        Math.min(left, right) >= headAndShoulders.shoulderMin &&
        Math.max(left, right) <= headAndShoulders.shoulderMax &&
        (left + right) / 2 <= headAndShoulders.shoulderMeanMax &&
        Math.abs(left - right) <= headAndShoulders.shoulderDifferenceMax &&
        Math.abs(levels[1]! - levels[3]!) <= headAndShoulders.necklineMax * height
      );
    },
  },
  {
    upright: 'triple-top',
    turned: 'triple-bottom',
    limits: triple,
    count: 5,
    line: [1, 3],
    breaks: -1,
    heightOf: 'whole',
    keeps: ({ levels, height, base }) =>
      areEqual([levels[0]!, levels[2]!, levels[4]!], triple.tops * height) &&
      (levels[0]! + levels[4]!) / 2 - base > headAndShoulders.shoulderMeanMax * (levels[2]! - base) &&
      Math.abs(levels[1]! - levels[3]!) <= triple.bottoms * height,
  },
  {
    upright: 'rising-wedge',
    turned: 'falling-wedge',
    limits: wedge,
    count: 5,
    line: [1, 3],
    breaks: -1,
    heightOf: 'first-leg',
    keeps: ({ levels, bars, height }) => {
      const upper = lineThrough(levels, bars, [0, 2, 4]);
      const lower = lineThrough(levels, bars, [1, 3]);
      const widthAt = (bar: number) => upper.intercept - lower.intercept + (upper.slope - lower.slope) * bar;
      return (
        levels[4]! - levels[0]! >= wedge.topRiseMin * height &&
        levels[3]! - levels[1]! >= wedge.bottomRiseMin * height &&
        areStraight([levels[0]!, levels[2]!, levels[4]!], range.bendMax * height) &&
        widthAt(bars[4]!) <= wedge.widthRatioMax * widthAt(bars[0]!)
      );
    },
  },
  rangeFamily('ascending-triangle', 'descending-triangle', 'ascending'),
  rangeFamily('symmetric-triangle', 'symmetric-triangle', 'symmetric'),
  rangeFamily('rectangle', 'rectangle', 'rectangle'),
];

type RangeName = 'ascending' | 'symmetric' | 'rectangle';

/** Three tops and three bottoms between two lines, left the way it was entered. */
function rangeFamily(upright: ChartPatternKind, turned: ChartPatternKind, wanted: RangeName): Family {
  return {
    upright,
    turned,
    limits: range,
    count: 6,
    line: [0, 2, 4],
    breaks: 1,
    heightOf: wanted === 'rectangle' ? 'whole' : 'first-leg',
    keeps: (shape) => nearestRange(shape) === wanted,
  };
}

function nearestRange({ levels }: Shape): RangeName | null {
  const first = levels[0]! - levels[1]!;
  if (!areStraight([levels[0]!, levels[2]!, levels[4]!], range.bendMax * first)) return null;
  if (!areStraight([levels[1]!, levels[3]!, levels[5]!], range.bendMax * first)) return null;
  const fall = (levels[0]! - levels[4]!) / first;
  const rise = (levels[5]! - levels[1]!) / first;
  let best: RangeName | null = null;
  let least: number = range.distanceMax;
  for (const name of ['rectangle', 'ascending', 'symmetric'] as const) {
    const distance = Math.hypot(fall - range[name][0], rise - range[name][1]);
    if (distance > least) continue;
    best = name;
    least = distance;
  }
  return best;
}

function areEqual(levels: readonly number[], within: number): boolean {
  const center = levels.reduce((sum, level) => sum + level, 0) / levels.length;
  return levels.every((level) => Math.abs(level - center) <= within);
}

function areStraight([a, b, c]: readonly [number, number, number], within: number): boolean {
  return Math.abs(b - (a + c) / 2) <= within;
}

type Context = { logClose: Float64Array; sums: LegSums; volatility: Float64Array; t: number; leniency: number };

/** A shape that waits for the close to cross its line. Levels are as if upright: times `side`. */
type Armed = {
  name: string;
  bars: readonly number[];
  side: 1 | -1;
  breaks: 1 | -1;
  intercept: number;
  slope: number;
  height: number;
  confirm: (context: Context) => Found | null;
};

/** What the turning points of a zigzag could become, right after one was added. */
function armedBy(context: Context, zigzag: Zigzag, halfWidth: number): Armed[] {
  const armed: Armed[] = [];
  // Smoothing moves an extreme; the raw one is near.
  const bars = recentBars(zigzag.bars, context.t).map((bar, k, all) => {
    const isHigh = (all.length - 1 - k) % 2 === 0 ? zigzag.direction === -1 : zigzag.direction === 1;
    return rawExtreme(context, bar, halfWidth, isHigh ? 1 : -1);
  });
  // Direction 1 means that the last turning point is a low: upright, the next break is upwards.
  const sideUp: 1 | -1 = zigzag.direction === 1 ? 1 : -1;
  const add = (one: Armed | null) => {
    if (one !== null) armed.push(one);
  };
  // Cups look past the turning points of their own bottom, so that one reading is enough.
  add(armCup(context, bars, sideUp));
  let reading = bars;
  let changedFrom = 0;
  while (reading.length >= 3) {
    const isNew = (count: number) => reading.length >= count && changedFrom >= reading.length - count;
    for (const family of FAMILIES)
      if (changedFrom === 0 || isNew(family.count))
        add(armFamily(context, family, reading, family.breaks === 1 ? sideUp : sideUp === 1 ? -1 : 1));
    if (changedFrom === 0 || isNew(4)) add(armFlag(context, reading, sideUp));
    const removed = cheapestSwing(context, reading);
    reading = reading.filter((_, k) => k !== removed && k !== removed - 1);
    // The tail behind a removed swing is the tail it was; in front of it every count reaches one swing further back.
    changedFrom = Math.max(1, removed - 1);
  }
  return armed;
}

/**
 * Which swing (turning points k − 1 and k) is best taken for noise: the one whose replacement by a straight line costs the
 * least squares. A swing of noise is short, whatever its size, and costs less than a small but long leg of a pattern.
 */
function cheapestSwing({ logClose, t }: Context, bars: readonly number[]): number {
  let best = 1;
  let least = Number.POSITIVE_INFINITY;
  for (let k = 1; k < bars.length; k++) {
    const first = bars[Math.max(0, k - 2)]!;
    const last = bars[k + 1] ?? t;
    const cost =
      lineSquares(logClose, first, last) -
      lineSquares(logClose, first, bars[k - 1]!) -
      lineSquares(logClose, bars[k - 1]!, bars[k]!) -
      lineSquares(logClose, bars[k]!, last);
    if (cost >= least) continue;
    best = k;
    least = cost;
  }
  return best;
}

/** Sum of squares around the line from the value at `first` to the value at `last`. */
function lineSquares(values: Float64Array, first: number, last: number): number {
  const slope = last > first ? (values[last]! - values[first]!) / (last - first) : 0;
  let sum = 0;
  for (let k = first + 1; k < last; k++) sum += (values[k]! - values[first]! - slope * (k - first)) ** 2;
  return sum;
}

function recentBars(bars: readonly number[], t: number): number[] {
  let first = bars.length;
  while (
    first > 0 &&
    bars.length - first < CHART_SETTINGS.turningPointsMax &&
    t - bars[first - 1]! <= CHART_SETTINGS.spanMax
  )
    first -= 1;
  return bars.slice(first);
}

function rawExtreme({ logClose, t }: Context, bar: number, halfWidth: number, sign: 1 | -1): number {
  let best = bar;
  for (let k = Math.max(0, bar - halfWidth); k <= Math.min(t, bar + halfWidth); k++)
    if (sign * logClose[k]! > sign * logClose[best]!) best = k;
  return best;
}

/** What a shape gave on this bar: many zigzags wait for the same one. */
type Memo = Map<string, Found | null>;

function confirm(context: Context, armed: Armed, memo: Memo): Found | null {
  const { logClose, t } = context;
  const beyond = armed.breaks * (armed.side * logClose[t]! - armed.intercept - armed.slope * t);
  // The raw line says cheaply that most bars are no break; the fitted one decides.
  if (beyond < 0 || beyond > 2 * armed.height) return null;
  const key = `${armed.name}:${armed.side}:${armed.bars.join()}`;
  let found = memo.get(key);
  if (found === undefined) {
    found = armed.confirm(context);
    memo.set(key, found);
  }
  return found;
}

function armFamily(context: Context, family: Family, all: readonly number[], side: 1 | -1): Armed | null {
  const bars = all.slice(-family.count);
  if (bars.length < family.count || !legsFit(bars, family.limits)) return null;
  const raw = Float64Array.from(bars, (bar) => side * context.logClose[bar]!);
  const { height } = shapeOf(raw, bars, family);
  if (!(height > 0)) return null;
  const { intercept, slope } = lineThrough(raw, bars, family.line);
  return {
    name: family.upright,
    bars,
    side,
    breaks: family.breaks,
    intercept,
    slope,
    height,
    confirm: (now) => confirmFamily(now, family, bars, side),
  };
}

function confirmFamily(context: Context, family: Family, rawBars: readonly number[], side: 1 | -1): Found | null {
  const { logClose, volatility, t } = context;
  const last = rawBars.at(-1)!;
  if (t <= last || t - last > CHART_SETTINGS.runningLegs * ((last - rawBars[0]!) / (rawBars.length - 1))) return null;
  if (!spanFits(rawBars[0]!, t)) return null;
  const rough = fitLegs(logClose, [...rawBars, t], side);
  const roughShape = shapeOf(rough.levels.slice(0, family.count), rawBars, family);
  if (
    !(roughShape.height > 0) ||
    rough.residualSd > context.leniency * CHART_SETTINGS.roughNoise * family.limits.noiseMax * roughShape.height
  )
    return null;
  const bars = refine(context.sums, rawBars, t);
  const fit = fitLegs(logClose, [...bars, t], side);
  const levels = fit.levels.slice(0, family.count);
  const shape = shapeOf(levels, bars, family);
  if (!(shape.height > 0) || fit.residualSd > context.leniency * family.limits.noiseMax * shape.height) return null;
  const { intercept, slope } = lineThrough(levels, bars, family.line);
  const beyond = (family.breaks * (side * meanOfTwo(logClose, t) - intercept - slope * t)) / shape.height;
  if (beyond < family.limits.breakMargin || beyond > CHART_SETTINGS.breakReachMax) return null;
  if (!family.keeps(shape)) return null;
  const strength = shape.height / (volatility[bars[0]!]! * Math.sqrt(t - bars[0]!));
  const entry = entryBar(context, bars, side, Math.min(...levels), shape.height);
  if (entry < 0) return null;
  const whole = fitLegs(logClose, [entry, ...bars, t], side);
  const noise = whole.residualSd / shape.height;
  if (!isClear(context, family.limits, strength, noise)) return null;
  const lineBar = bars[family.line[0]!]!;
  return {
    kind: side === 1 ? family.upright : family.turned,
    side,
    direction: family.breaks * side > 0 ? 1 : -1,
    bars,
    levels: [...levels],
    lineBar,
    lineFrom: intercept + slope * lineBar,
    lineTo: intercept + slope * t,
    confirmation: t,
    height: shape.height,
    noise,
  };
}

/** Moves inner turning points to where the broken line fits best: the most extreme close is not always the corner. */
function refine(sums: LegSums, bars: readonly number[], t: number): number[] {
  const corners = [...bars, t];
  let best = legSquares(sums, corners);
  for (let k = 1; k < bars.length; k++) {
    for (const step of [-1, 1]) {
      for (let moves = 0; moves < CHART_SETTINGS.refineBarsMax; moves++) {
        const to = corners[k]! + step;
        if (to - corners[k - 1]! < 2 || corners[k + 1]! - to < 1) break;
        corners[k] = to;
        const squares = legSquares(sums, corners);
        if (squares >= best) {
          corners[k] = to - step;
          break;
        }
        best = squares;
      }
    }
  }
  return corners.slice(0, -1);
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
  const height = family.heightOf === 'first-leg' ? levels[0]! - levels[1]! : top - base;
  return { levels, bars, height, base };
}

/** Least-squares line through some turning points: level = intercept + slope · bar. */
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
  return { slope, intercept: meanLevel - slope * meanBar };
}

function legsFit(bars: readonly number[], { legRatioMax }: Limits): boolean {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (let k = 1; k < bars.length; k++) {
    const leg = bars[k]! - bars[k - 1]!;
    least = Math.min(least, leg);
    most = Math.max(most, leg);
  }
  return least >= CHART_SETTINGS.legBarsMin && most <= legRatioMax * least;
}

/** The last bar before the first turning point on which the price stood `entryDepth` heights below `floor`; −1 for none. */
function entryBar({ logClose }: Context, bars: readonly number[], side: 1 | -1, floor: number, height: number): number {
  const meanLeg = (bars.at(-1)! - bars[0]!) / (bars.length - 1);
  const first = Math.max(0, Math.floor(bars[0]! - CHART_SETTINGS.entryLegs * meanLeg));
  for (let t = bars[0]! - 1; t >= first; t--) {
    const y = side * logClose[t]!;
    if (y <= floor - CHART_SETTINGS.entryDepth * height) return t;
    // Higher before than at the first top: the move into the pattern came from above.
    if (y > side * logClose[bars[0]!]! + CHART_SETTINGS.entryAboveMax * height) return -1;
  }
  return -1;
}

/** One close beyond a line is often noise; the mean of two seldom is. */
function meanOfTwo(logClose: Float64Array, t: number): number {
  return (logClose[t]! + logClose[t - 1]!) / 2;
}

/** Clean and large enough for its family; `strength` is the height in daily volatilities times √bars, `noise` in heights. */
function isClear({ leniency }: Context, limits: Omit<Limits, 'legRatioMax'>, strength: number, noise: number): boolean {
  return (
    noise <= leniency * limits.noiseMax &&
    strength >= limits.strengthMin / leniency &&
    strength >= (limits.clarityMin / leniency ** 2) * noise
  );
}

function spanFits(first: number, last: number): boolean {
  return last - first >= CHART_SETTINGS.spanMin && last - first <= CHART_SETTINGS.spanMax;
}

/** A pole, then a short channel against it: high, low, high, low, and a break in the direction of the pole. */
function armFlag(context: Context, all: readonly number[], side: 1 | -1): Armed | null {
  const { logClose } = context;
  const bars = all.slice(-4);
  if (bars.length < 4 || !legsFit(bars, flag)) return null;
  const raw = Float64Array.from(bars, (bar) => side * logClose[bar]!);
  const height = (raw[0]! - raw[1]! + raw[2]! - raw[3]!) / 2;
  if (raw[2]! > raw[0]! || raw[3]! > raw[1]! || !(height > 0)) return null;
  const { intercept, slope } = lineThrough(raw, bars, [0, 2]);
  return {
    name: 'flag',
    bars,
    side,
    breaks: 1,
    intercept,
    slope,
    height,
    confirm: (now) => confirmFlag(now, bars, side),
  };
}

function confirmFlag(context: Context, bars: readonly number[], side: 1 | -1): Found | null {
  const { logClose, volatility, t } = context;
  const meanLeg = (bars[3]! - bars[0]!) / 3;
  if (t <= bars[3]! || t - bars[3]! > CHART_SETTINGS.runningLegs * meanLeg || !spanFits(bars[0]!, t)) return null;
  const fit = fitLegs(logClose, [...bars, t], side);
  const levels = [...fit.levels.slice(0, 4)];
  const upper = lineThrough(levels, bars, [0, 2]);
  const lower = lineThrough(levels, bars, [1, 3]);
  const widthFirst = upper.intercept + upper.slope * bars[1]! - levels[1]!;
  const widthLast = levels[2]! - lower.intercept - lower.slope * bars[2]!;
  const width = (widthFirst + widthLast) / 2;
  if (!(widthFirst > 0 && widthLast > 0) || fit.residualSd > context.leniency * flag.noiseMax * width) return null;
  if (Math.max(widthFirst, widthLast) > flag.widthRatio * Math.min(widthFirst, widthLast)) return null;
  const lineTo = upper.intercept + upper.slope * t;
  const beyond = (side * meanOfTwo(logClose, t) - lineTo) / width;
  if (beyond < flag.breakMargin || beyond > flag.breakReachMax) return null;
  const fallTop = (levels[0]! - levels[2]!) / width;
  const fallBottom = (levels[1]! - levels[3]!) / width;
  if (Math.min(fallTop, fallBottom) < flag.slopeMin || Math.max(fallTop, fallBottom) > flag.slopeMax) return null;
  const first = Math.max(0, Math.floor(bars[0]! - flag.poleLegs * meanLeg));
  let foot = bars[0]!;
  for (let k = bars[0]! - 1; k >= first; k--) if (side * logClose[k]! < side * logClose[foot]!) foot = k;
  const pole = levels[0]! - side * logClose[foot]!;
  if (pole < flag.poleMin * width || levels[0]! - levels[3]! > flag.retraceMax * pole) return null;
  // The pole itself raises the volatility at its top; the one at its foot is what it stands out from.
  const noise = fit.residualSd / width;
  const strength = width / (volatility[foot]! * Math.sqrt(t - bars[0]!));
  if (!isClear(context, flag, strength, noise)) return null;
  if (!(pole / (volatility[foot]! * Math.sqrt(bars[0]! - foot)) >= flag.poleStrengthMin)) return null;
  return {
    kind: side === 1 ? 'bull-flag' : 'bear-flag',
    side,
    direction: side,
    bars: [foot, ...bars],
    levels: [side * logClose[foot]!, ...levels],
    lineBar: bars[0]!,
    lineFrom: upper.intercept + upper.slope * bars[0]!,
    lineTo,
    confirmation: t,
    height: width,
    noise,
  };
}

/** A rounded hollow between two rims of one height, a shallow handle, and a break above the rims. */
function armCup(context: Context, bars: readonly number[], side: 1 | -1): Armed | null {
  const { logClose, volatility } = context;
  const low = bars.at(-1)!;
  const right = bars.at(-2);
  if (right === undefined) return null;
  for (let back = 4; back <= cup.lookBack; back += 2) {
    const left = bars.at(-back);
    if (left === undefined) return null;
    if (right - left < cup.barsMin) continue;
    if (right - left > CHART_SETTINGS.spanMax) return null;
    const rims = (side * (logClose[left]! + logClose[right]!)) / 2;
    const hollow = rims - side * logClose[Math.round((left + right) / 2)]!;
    if (!(hollow > 0) || Math.abs(logClose[left]! - logClose[right]!) > hollow) continue;
    const shape = fitCup(logClose, left, right, side);
    const { depth } = shape;
    if (!(depth > 0) || shape.residualSd > shape.vResidualSd) continue;
    if (Math.abs(shape.rimChange) > cup.rimsWithin * depth) continue;
    const rim = shape.leftRim + shape.rimChange;
    const line = shape.leftRim + shape.rimChange / 2;
    const handle = (rim - side * logClose[low]!) / depth;
    if (handle < cup.handleMin || handle > cup.handleMax) continue;
    const middle = Math.round((left + right) / 2);
    const strength = depth / (volatility[left]! * Math.sqrt(right - left));
    if (!isClear(context, cup, strength, shape.residualSd / depth)) continue;
    if (entryBar(context, [left, middle], side, line - depth * cup.entryFrom, depth) < 0) continue;
    const confirmCup = ({ t }: Context): Found | null => {
      if (t - right > cup.handleShareMax * (right - left) || !spanFits(left, t)) return null;
      const beyond = (side * meanOfTwo(logClose, t) - line) / depth;
      if (beyond < cup.breakMargin || beyond > CHART_SETTINGS.breakReachMax) return null;
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
    };
    return {
      name: 'cup',
      bars: [left, right, low],
      side,
      breaks: 1,
      intercept: line,
      slope: 0,
      height: depth,
      confirm: confirmCup,
    };
  }
  return null;
}
