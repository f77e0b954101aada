import { expect } from '../checks/expect.ts';
import { CHART_PATTERN_KINDS, type ChartPatternKind } from '../patterns/chart-pattern-kinds.ts';
import { createRandom, type Random } from '../random/random.ts';
import { SIMULATOR_A, simulateRegimePath } from './regime-simulator.ts';

export type PlantLevel = 'easy' | 'medium' | 'hard';

/**
 * How patterns are planted. Frozen before any detector existed: changing a number makes every earlier figure of the study
 * `patterns` another study.
 */
export const PATTERN_INJECTOR = {
  /** Days of a path of Simulator A (variant gaussian), and patterns in it. */
  dayCount: 2520,
  plantsPerPath: 8,
  /** Untouched bars at the start of a path, and on both sides of a plant at least. */
  cleanAtStart: 180,
  cleanAround: 20,
  /** AR(1) coefficient of the noise around the shape; its shocks are the path's own standardised returns. */
  noisePersistence: 0.5,
  levels: {
    /**
     * `signalToNoise`: height over the standard deviation of the noise. `height`: height in daily volatilities (of the
     * regime at the start) times the square root of the bars planted. `legJitter`: each leg's bars vary uniformly by up to
     * this share. `levelJitter`: each turning point's level varies uniformly by up to this share of the height.
     */
    easy: { signalToNoise: 16, height: 2, legJitter: 0.2, levelJitter: 0.03 },
    medium: { signalToNoise: 11, height: 1.5, legJitter: 0.3, levelJitter: 0.05 },
    hard: { signalToNoise: 8, height: 1.2, legJitter: 0.4, levelJitter: 0.07 },
  },
} as const;

type Shape = {
  /** Bars planted, drawn uniformly. */
  barsMin: number;
  barsMax: number;
  /** Multiplies the height of the level: 1 but for flags, whose height is the width of their channel, not the pole. */
  heightShare: number;
  /** Sign of the move after the break when the shape stands as written; turned upside down it has the other sign. */
  direction: 1 | -1;
  /** Levels in heights: where the entry begins, the turning points, where the break ends. */
  levels: readonly number[];
  /** Relative bars of the legs between those. */
  legs: readonly number[];
  /** Which turning points (numbers into `levels`) carry the line whose crossing confirms. */
  line: readonly number[];
  /** The leg that is a parabola through its middle at level 0 instead of a straight line; absent for none. */
  cupLeg?: number;
};

/**
 * The shapes as entered from below. A descending triangle is an ascending one upside down, and so on; symmetric triangles
 * and rectangles stand either way up under one name.
 */
const SHAPES = {
  'head-and-shoulders': {
    barsMin: 45,
    barsMax: 100,
    heightShare: 1,
    direction: -1,
    levels: [-0.6, 0.6, 0, 1, 0, 0.6, -0.5],
    legs: [6, 5, 7, 7, 5, 6],
    line: [2, 4],
  },
  'double-top': {
    barsMin: 35,
    barsMax: 80,
    heightShare: 1,
    direction: -1,
    levels: [-0.6, 1, 0, 1, -0.5],
    legs: [8, 7, 7, 8],
    line: [2],
  },
  'triple-top': {
    barsMin: 50,
    barsMax: 110,
    heightShare: 1,
    direction: -1,
    levels: [-0.6, 1, 0, 1, 0, 1, -0.5],
    legs: [7, 5, 5, 5, 5, 7],
    line: [2, 4],
  },
  'ascending-triangle': {
    barsMin: 50,
    barsMax: 110,
    heightShare: 1,
    direction: 1,
    levels: [-1.6, 0, -1, 0, -0.7, 0, -0.4, 0.5],
    legs: [8, 6, 6, 5, 5, 4, 6],
    line: [1, 3, 5],
  },
  'symmetric-triangle': {
    barsMin: 50,
    barsMax: 110,
    heightShare: 1,
    direction: 1,
    levels: [-0.6, 1, 0.07, 0.86, 0.21, 0.72, 0.35, 1.15],
    legs: [8, 5, 5, 5, 5, 5, 6],
    line: [1, 3, 5],
  },
  'rising-wedge': {
    barsMin: 45,
    barsMax: 100,
    heightShare: 1,
    direction: -1,
    levels: [-1.6, 0, -0.73, 0.24, -0.19, 0.48, -0.4],
    legs: [8, 5, 5, 5, 5, 6],
    line: [2, 4],
  },
  rectangle: {
    barsMin: 55,
    barsMax: 120,
    heightShare: 1,
    direction: 1,
    levels: [-0.6, 1, 0, 1, 0, 1, 0, 1.5],
    legs: [7, 5, 5, 5, 5, 5, 7],
    line: [1, 3, 5],
  },
  'bull-flag': {
    barsMin: 30,
    barsMax: 60,
    heightShare: 0.4,
    direction: 1,
    levels: [-4, 0, -1.2, -0.4, -1.6, 0.2],
    legs: [6, 4, 4, 4, 6],
    line: [1, 3],
  },
  'cup-and-handle': {
    barsMin: 60,
    barsMax: 120,
    heightShare: 1,
    direction: 1,
    levels: [-0.5, 1, 1, 0.65, 1.5],
    legs: [8, 26, 4, 8],
    line: [1, 2],
    cupLeg: 1,
  },
} as const satisfies Record<string, Shape>;

const FORMS: Record<ChartPatternKind, { shape: keyof typeof SHAPES; side: 1 | -1 | 0 }> = {
  'head-and-shoulders': { shape: 'head-and-shoulders', side: 1 },
  'inverse-head-and-shoulders': { shape: 'head-and-shoulders', side: -1 },
  'double-top': { shape: 'double-top', side: 1 },
  'double-bottom': { shape: 'double-top', side: -1 },
  'triple-top': { shape: 'triple-top', side: 1 },
  'triple-bottom': { shape: 'triple-top', side: -1 },
  'ascending-triangle': { shape: 'ascending-triangle', side: 1 },
  'descending-triangle': { shape: 'ascending-triangle', side: -1 },
  'symmetric-triangle': { shape: 'symmetric-triangle', side: 0 },
  'rising-wedge': { shape: 'rising-wedge', side: 1 },
  'falling-wedge': { shape: 'rising-wedge', side: -1 },
  rectangle: { shape: 'rectangle', side: 0 },
  'bull-flag': { shape: 'bull-flag', side: 1 },
  'bear-flag': { shape: 'bull-flag', side: -1 },
  'cup-and-handle': { shape: 'cup-and-handle', side: 1 },
  'inverse-cup-and-handle': { shape: 'cup-and-handle', side: -1 },
};

/** The truth about one planted pattern. Bars are indexes into the path. */
export type PlantedPattern = {
  kind: ChartPatternKind;
  /** 1 when it breaks upwards. */
  direction: 1 | -1;
  /** First changed bar: where the entry begins. */
  start: number;
  /** Bars of the turning points. */
  pivots: number[];
  /** First bar on which the shape without noise stands beyond its line. */
  confirmation: number;
  /** Last changed bar. */
  end: number;
  /** Log units. */
  height: number;
};

export type PlantedPath = { close: Float64Array; plants: PlantedPattern[] };

/**
 * A path of Simulator A with eight patterns planted. Between the plants the path keeps its own returns; inside, a plant's
 * log price is its shape plus AR(1) noise driven by the path's own standardised shocks, from the last close before it.
 *
 * Of two neighbouring seeds, 2k and 2k + 1, one path has one half of the sixteen kinds and the other the rest.
 *
 * @param seed Integer in 0..2^32-1.
 */
export function plantPatterns(seed: number, level: PlantLevel): PlantedPath {
  const { dayCount, plantsPerPath, cleanAtStart, cleanAround } = PATTERN_INJECTOR;
  const path = simulateRegimePath(seed, 'gaussian', dayCount);
  const random = createRandom(seed).split('pattern-injector').split(level);
  const kinds = kindsOfSeed(seed);
  const logClose = path.close.map(Math.log);
  const plants: PlantedPattern[] = [];
  const slot = Math.floor((dayCount - cleanAtStart) / plantsPerPath);
  kinds.forEach((kind, k) => {
    const child = random.split(k);
    const form = FORMS[kind];
    const side = form.side === 0 ? (child.uniform() < 0.5 ? 1 : -1) : form.side;
    const drawn = drawShape(SHAPES[form.shape], level, child);
    const bars = drawn.bars.at(-1)!;
    const room = slot - bars - 2 * cleanAround;
    expect(room >= 0, `a plant of ${bars} bars must fit into ${slot}`);
    const start = cleanAtStart + k * slot + cleanAround + child.integer(room + 1);
    plants.push(plant(logClose, path, kind, side, drawn, start, level));
  });
  return { close: logClose.map(Math.exp), plants };
}

function kindsOfSeed(seed: number): ChartPatternKind[] {
  const random = createRandom(Math.floor(seed / 2)).split('pattern-kinds');
  const kinds = [...CHART_PATTERN_KINDS];
  for (let k = kinds.length - 1; k > 0; k--) {
    const other = random.integer(k + 1);
    [kinds[k], kinds[other]] = [kinds[other]!, kinds[k]!];
  }
  const half = PATTERN_INJECTOR.plantsPerPath;
  return seed % 2 === 0 ? kinds.slice(0, half) : kinds.slice(half, 2 * half);
}

type DrawnShape = { shape: Shape; levels: number[]; bars: number[] };

/** Bars and levels of one plant, jittered. `bars[i]` is where level i stands, counted from the bar before the plant. */
function drawShape(shape: Shape, level: PlantLevel, random: Random): DrawnShape {
  const { legJitter, levelJitter } = PATTERN_INJECTOR.levels[level];
  const length = shape.barsMin + random.integer(shape.barsMax - shape.barsMin + 1);
  const sum = shape.legs.reduce((total, leg) => total + leg, 0);
  const around = (share: number) => share * (2 * random.uniform() - 1);
  const bars = [0];
  for (const leg of shape.legs) {
    bars.push(bars.at(-1)! + Math.max(3, Math.round(((length * leg) / sum) * (1 + around(legJitter)))));
  }
  const last = shape.levels.length - 1;
  const levels = shape.levels.map((value, k) => (k === 0 || k === last ? value : value + around(levelJitter)));
  return { shape, levels, bars };
}

function plant(
  logClose: Float64Array,
  path: { regime: Uint8Array; logReturn: Float64Array },
  kind: ChartPatternKind,
  side: 1 | -1,
  drawn: DrawnShape,
  start: number,
  level: PlantLevel,
): PlantedPattern {
  const { noisePersistence: phi, levels } = PATTERN_INJECTOR;
  const { shape, bars } = drawn;
  const length = bars.at(-1)!;
  const daily = SIMULATOR_A.volatilityAnnual[path.regime[start]!]! / Math.sqrt(252);
  const height = levels[level].height * shape.heightShare * daily * Math.sqrt(length);
  const noiseSd = height / levels[level].signalToNoise;
  const before = logClose[start - 1]!;
  const tailShift = logClose[start + length - 1]!;
  let noise = 0;
  let confirmation = -1;
  for (let k = 1; k <= length; k++) {
    const t = start + k - 1;
    const regime = path.regime[t]!;
    const mean = SIMULATOR_A.meanAnnual[regime]! / 252;
    const sd = SIMULATOR_A.volatilityAnnual[regime]! / Math.sqrt(252);
    noise = phi * noise + Math.sqrt(1 - phi * phi) * noiseSd * ((path.logReturn[t]! - mean) / sd);
    const value = shapeAt(drawn, k);
    if (confirmation < 0 && k > bars.at(-2)! && (value - lineAt(drawn, k)) * shape.direction > 0) confirmation = t;
    logClose[t] = before + side * height * (value - drawn.levels[0]!) + noise;
  }
  const end = start + length - 1;
  const shift = logClose[end]! - tailShift;
  for (let t = end + 1; t < logClose.length; t++) logClose[t]! += shift;
  return {
    kind,
    direction: shape.direction * side > 0 ? 1 : -1,
    start,
    pivots: bars.slice(1, -1).map((bar) => start + bar - 1),
    confirmation,
    end,
    height,
  };
}

function shapeAt({ shape, levels, bars }: DrawnShape, k: number): number {
  let leg = 0;
  while (k > bars[leg + 1]!) leg++;
  const share = (k - bars[leg]!) / (bars[leg + 1]! - bars[leg]!);
  const straight = levels[leg]! + share * (levels[leg + 1]! - levels[leg]!);
  // The parabola hangs from the two rims and touches level 0 halfway.
  return leg === shape.cupLeg ? straight * (1 - 4 * share * (1 - share)) : straight;
}

/** Least-squares line through the turning points that carry it. */
function lineAt({ shape, levels, bars }: DrawnShape, k: number): number {
  const n = shape.line.length;
  const meanBar = shape.line.reduce((sum, i) => sum + bars[i]!, 0) / n;
  const meanLevel = shape.line.reduce((sum, i) => sum + levels[i]!, 0) / n;
  let above = 0;
  let below = 0;
  for (const i of shape.line) {
    above += (bars[i]! - meanBar) * (levels[i]! - meanLevel);
    below += (bars[i]! - meanBar) ** 2;
  }
  return meanLevel + (below > 0 ? (above / below) * (k - meanBar) : 0);
}

/** What the score needs of a detection. */
export type ScoredDetection = { kind: string; firstBar: number; confirmationBar: number };

export type PatternScore = {
  planted: number;
  found: number;
  detections: number;
  /** Detections that matched no plant of their kind, duplicates included. */
  wrong: number;
  byKind: Record<string, { planted: number; found: number; detections: number; wrong: number }>;
  /** Bars from the true confirmation to the detected one, of the found. */
  lags: number[];
};

/** Part of the union of both spans that must be common. */
const OVERLAP_MIN = 0.5;
/** Bars after the end of a plant at which its confirmation still counts. */
const LATE_BARS_MAX = 5;

/**
 * Holds detections against the truth. A detection finds a plant of the same kind if it was confirmed between the plant's
 * last turning point and five bars after its end, and the spans from first to confirmation bar share half of their union.
 * Each plant is found once; every other detection anywhere in the path is wrong, a pattern that chance made included.
 */
export function scorePatterns(plants: readonly PlantedPattern[], detections: readonly ScoredDetection[]): PatternScore {
  const score: PatternScore = { planted: 0, found: 0, detections: 0, wrong: 0, byKind: {}, lags: [] };
  const row = (kind: string) => {
    score.byKind[kind] ??= { planted: 0, found: 0, detections: 0, wrong: 0 };
    return score.byKind[kind];
  };
  const open = new Set(plants);
  for (const { kind } of plants) {
    score.planted += 1;
    row(kind).planted += 1;
  }
  for (const detection of [...detections].sort((a, b) => a.confirmationBar - b.confirmationBar)) {
    score.detections += 1;
    row(detection.kind).detections += 1;
    const match = [...open].find((truth) => isMatch(truth, detection));
    if (match === undefined) {
      score.wrong += 1;
      row(detection.kind).wrong += 1;
      continue;
    }
    open.delete(match);
    score.found += 1;
    row(detection.kind).found += 1;
    score.lags.push(detection.confirmationBar - match.confirmation);
  }
  return score;
}

function isMatch(truth: PlantedPattern, detection: ScoredDetection): boolean {
  const { kind, firstBar, confirmationBar } = detection;
  if (kind !== truth.kind) return false;
  if (confirmationBar < truth.pivots.at(-1)! || confirmationBar > truth.end + LATE_BARS_MAX) return false;
  const common = Math.min(confirmationBar, truth.confirmation) - Math.max(firstBar, truth.start);
  const union = Math.max(confirmationBar, truth.confirmation) - Math.min(firstBar, truth.start);
  return common >= OVERLAP_MIN * union;
}
