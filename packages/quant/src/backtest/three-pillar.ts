import { expect } from '../checks/expect.ts';
import { rollingStandardDeviation } from '../stats/rolling-standard-deviation.ts';
import { boundedWeights } from './bounded-weights.ts';
import { checkKnownCaps, type KnownCaps } from './caps-as-known.ts';
import { runWeights, type WeightsRun } from './run-weights.ts';
import { createTargetWriter, rebalanceRows, type TargetWeights } from './target-weights.ts';

export type ThreePillarParameters = {
  /** Names held at most, the best by score. Default 50. */
  namesMax?: number;
  /** Most of one name, 0..1. Default 0.4. */
  weightMax?: number;
  /** Least of one held name. Default 0.01. */
  weightMin?: number;
  /** `relaxed`: the least weight is min(weightMin, 1 / (2n)) for n held names. `strict`: weightMin itself, which may be infeasible. */
  weightMinRule?: 'relaxed' | 'strict';
  /** Shares of momentum, market capitalisation and inverse volatility in the score, each >= 0. Default .4, .3, .3. */
  pillarWeights?: readonly [momentum: number, cap: number, inverseVolatility: number];
  /** First row that decides. Default 0. */
  startRow?: number;
  /** Rows between decisions. Default 1. */
  rebalanceEvery?: number;
};

export type ThreePillarInput = {
  /** T ascending days since 1970-01-01. */
  day: Int32Array;
  /** Row-major T × N closes on one basis and in one currency; NaN: no price that day. */
  close: Float64Array;
  columnCount: number;
  /** Capitalisations as known, from `capsAsKnown`. Absent: that pillar is dropped. */
  caps?: KnownCaps;
  /** Row-major T × N, 1 where the instrument belonged to the universe as known that day. Absent: all do. */
  member?: Uint8Array;
  parameters?: ThreePillarParameters;
};

/** What was decided, with counts per decision (R entries, one for each of `targets.row`). */
export type ThreePillarDecisions = {
  targets: TargetWeights;
  /** Names that could have been held. */
  candidateCount: Int32Array;
  /** Candidates without a known capitalisation: zero in that pillar, never imputed. */
  noCapCount: Int32Array;
  /** Candidates without a volatility (too short a history, or prices that did not move): zero in that pillar. */
  noVolatilityCount: Int32Array;
  /** Pillars in use: bit 0 momentum, bit 1 capitalisation, bit 2 inverse volatility. */
  pillars: Uint8Array;
  /** What momentum, capitalisation and inverse volatility gave to the score of target entry k: `[3k .. 3k + 2]`. */
  pillarScores: Float64Array;
};

const NAMES_MAX_DEFAULT = 50;
const WEIGHT_MAX_DEFAULT = 0.4;
const WEIGHT_MIN_DEFAULT = 0.01;
const PILLAR_WEIGHTS_DEFAULT = [0.4, 0.3, 0.3] as const;
const MOMENTUM_ROWS = 20;
const VOLATILITY_ROWS = 60;
// One missed day (a local holiday in a panel of several exchanges) must not cost an instrument this pillar for 60 days.
const VOLATILITY_RETURNS_MIN = 50;
const REFERENCE_PRICE_ROWS_BACK_MAX = 5;

/**
 * The three-pillar baseline: decides at the close of each rebalance row what to hold from that close on.
 *
 * With r20 the simple return over 20 rows and s60 the sample standard deviation of the last 60 daily returns,
 *
 *   score = .4 · max(r20, 0) / Σ max(r20, 0) + .3 · cap / Σ cap + .3 · (1 / s60) / Σ (1 / s60)
 *
 * over the candidates: members with a price at this close. (The first sum is defined over names with r20 > −1 %; names
 * between −1 % and 0 add nothing to it, so the sum over all is the same.) A pillar without input for anyone is dropped and
 * the others are rescaled to one; a name without input for a used pillar gets zero there and is counted. A score of zero
 * is never held. The best `namesMax` by score (ties: the lower column) get weights proportional to score within
 * [min(1 %, 1 / (2n)), 40 %], n being how many they are. No candidate means cash.
 *
 * Missing prices. A member without a price at this close is no candidate. The price 20 rows ago may be up to five rows
 * older. s60 needs 50 of its 60 returns, each between two adjacent rows that both have a price.
 *
 * Row t of everything depends on closes and members up to t and on capitalisations reported before t.
 * Time O(T·N), allocates three T × N matrices.
 *
 * @throws RangeError on wrong shapes or parameters, and for capitalisations that could not have been known (see
 *   `checkKnownCaps`).
 * @see docs/methods/three-pillar-index.md
 */
export function threePillarTargets(input: ThreePillarInput): ThreePillarDecisions {
  if (input.caps) checkKnownCaps(input.caps, input.day, input.columnCount);
  return decide(input);
}

/**
 * The same decisions without the check that capitalisations could have been known.
 *
 * It exists to measure what a look-ahead is worth, and for tests that hold one on purpose. No result of it is a baseline.
 */
export function threePillarTargetsWithoutCapCheck(input: ThreePillarInput): ThreePillarDecisions {
  return decide(input);
}

/** A hypothetical run of the baseline, with the later fill beside it. */
export type ThreePillarRun = {
  label: 'hypothetical';
  decisions: ThreePillarDecisions;
  /** Filled at the close that decided. */
  atClose: WeightsRun;
  /** Filled one close later. */
  atNextClose: WeightsRun;
};

/** Decides and holds: see `threePillarTargets` and `runWeights` for timing, costs and missing prices. */
export function runThreePillar(input: ThreePillarInput & { costBasisPoints: number }): ThreePillarRun {
  const decisions = threePillarTargets(input);
  const shared = {
    close: input.close,
    rowCount: input.day.length,
    columnCount: input.columnCount,
    targets: decisions.targets,
    costBasisPoints: input.costBasisPoints,
  };
  return {
    label: 'hypothetical',
    decisions,
    atClose: runWeights({ ...shared, fill: 'close' }),
    atNextClose: runWeights({ ...shared, fill: 'next-close' }),
  };
}

type Settings = Required<ThreePillarParameters>;

function decide(input: ThreePillarInput): ThreePillarDecisions {
  const { day, close, columnCount } = input;
  const rowCount = day.length;
  expect(
    close.length === rowCount * columnCount,
    `close must be ${rowCount} x ${columnCount}, had ${close.length} values`,
  );
  expect(
    !input.member || input.member.length === close.length,
    `member must have the shape of close, had ${input.member?.length} values`,
  );
  const settings = checkParameters(input.parameters ?? {});
  const volatility = rollingStandardDeviation(
    dailyReturns(close, columnCount),
    columnCount,
    VOLATILITY_ROWS,
    VOLATILITY_RETURNS_MIN,
  );
  const rows = rebalanceRows(rowCount, settings.startRow, settings.rebalanceEvery);
  const writer = createTargetWriter();
  const decisions = {
    candidateCount: new Int32Array(rows.length),
    noCapCount: new Int32Array(rows.length),
    noVolatilityCount: new Int32Array(rows.length),
    pillars: new Uint8Array(rows.length),
  };
  const scratch = createScratch(columnCount);
  const pillarScores: number[] = [];
  for (let r = 0; r < rows.length; r++) {
    const t = rows[r]!;
    const candidateCount = findCandidates(input, t, scratch);
    decisions.candidateCount[r] = candidateCount;
    if (candidateCount === 0) {
      writer.add(t, { status: 'cash', reason: 'no candidate' }, scratch.best, scratch.bestScore, 0);
      continue;
    }
    const per = scoreCandidates(input.caps, volatility, t, settings, scratch, candidateCount, decisions, r);
    const count = selectBest(scratch, candidateCount, settings.namesMax);
    if (count === 0) {
      writer.add(t, { status: 'cash', reason: 'no candidate has a score' }, scratch.best, scratch.bestScore, 0);
      continue;
    }
    const low =
      settings.weightMinRule === 'strict' ? settings.weightMin : Math.min(settings.weightMin, 1 / (2 * count));
    const bounded = boundedWeights(scratch.bestScore, count, low, settings.weightMax);
    if (bounded.status === 'infeasible') writer.add(t, bounded, scratch.best, scratch.bestScore, 0);
    else {
      writer.add(t, { status: 'ok' }, scratch.best, bounded.weights, count);
      for (let k = 0; k < count; k++) {
        const candidate = scratch.candidateOf[scratch.best[k]!]!;
        pillarScores.push(
          per[0] * scratch.momentum[candidate]!,
          per[1] * scratch.cap[candidate]!,
          per[2] * scratch.calm[candidate]!,
        );
      }
    }
  }
  return { targets: writer.finish(), ...decisions, pillarScores: Float64Array.from(pillarScores) };
}

function checkParameters(given: ThreePillarParameters): Settings {
  const settings: Settings = {
    namesMax: given.namesMax ?? NAMES_MAX_DEFAULT,
    weightMax: given.weightMax ?? WEIGHT_MAX_DEFAULT,
    weightMin: given.weightMin ?? WEIGHT_MIN_DEFAULT,
    weightMinRule: given.weightMinRule ?? 'relaxed',
    pillarWeights: given.pillarWeights ?? PILLAR_WEIGHTS_DEFAULT,
    startRow: given.startRow ?? 0,
    rebalanceEvery: given.rebalanceEvery ?? 1,
  };
  const { namesMax, weightMax, weightMin, pillarWeights } = settings;
  expect(Number.isInteger(namesMax) && namesMax >= 1, `namesMax must be a whole number >= 1, was ${namesMax}`);
  expect(weightMax > 0 && weightMax <= 1, `weightMax must be above 0 and at most 1, was ${weightMax}`);
  expect(weightMin >= 0 && weightMin <= 1, `weightMin must be in 0..1, was ${weightMin}`);
  expect(
    pillarWeights.every((w) => w >= 0) && pillarWeights.some((w) => w > 0),
    `pillarWeights must be >= 0 and not all zero, were ${pillarWeights.join(', ')}`,
  );
  return settings;
}

/** Simple returns between adjacent rows, row-major T × N; NaN where either price is missing. */
function dailyReturns(close: Float64Array, columnCount: number): Float64Array {
  const returns = new Float64Array(close.length);
  returns.fill(Number.NaN, 0, columnCount);
  for (let cell = columnCount; cell < close.length; cell++) {
    const before = close[cell - columnCount]!;
    const now = close[cell]!;
    returns[cell] = before > 0 && now > 0 ? now / before - 1 : Number.NaN;
  }
  return returns;
}

type Scratch = {
  /** Candidate columns, and the place of a column among the candidates. */
  column: Int32Array;
  candidateOf: Int32Array;
  /** Return over 20 rows by candidate, NaN where unknown. */
  momentum: Float64Array;
  /** Capitalisation and inverse volatility by candidate, zero where unknown. */
  cap: Float64Array;
  calm: Float64Array;
  score: Float64Array;
  /** Chosen columns and their scores. */
  best: Int32Array;
  bestScore: Float64Array;
};

function createScratch(columnCount: number): Scratch {
  return {
    column: new Int32Array(columnCount),
    candidateOf: new Int32Array(columnCount),
    momentum: new Float64Array(columnCount),
    cap: new Float64Array(columnCount),
    calm: new Float64Array(columnCount),
    score: new Float64Array(columnCount),
    best: new Int32Array(columnCount),
    bestScore: new Float64Array(columnCount),
  };
}

function findCandidates(input: ThreePillarInput, t: number, scratch: Scratch): number {
  const { close, columnCount, member } = input;
  const base = t * columnCount;
  let count = 0;
  for (let i = 0; i < columnCount; i++) {
    const price = close[base + i]!;
    if (!(price > 0) || (member && member[base + i] !== 1)) continue;
    scratch.column[count] = i;
    scratch.candidateOf[i] = count;
    scratch.momentum[count++] = price / referencePrice(close, columnCount, i, t) - 1;
  }
  return count;
}

/** The close 20 rows before `t`, or the last one up to five rows before that; NaN when there is none. */
function referencePrice(close: Float64Array, columnCount: number, column: number, t: number): number {
  const row = t - MOMENTUM_ROWS;
  for (let back = 0; back <= REFERENCE_PRICE_ROWS_BACK_MAX && row - back >= 0; back++) {
    const price = close[(row - back) * columnCount + column]!;
    if (price > 0) return price;
  }
  return Number.NaN;
}

/** Writes the scores of the candidates, what they lacked into the counts of decision `r`, and returns score per unit of each pillar. */
function scoreCandidates(
  caps: KnownCaps | undefined,
  volatility: Float64Array,
  t: number,
  settings: Settings,
  scratch: Scratch,
  count: number,
  counts: Pick<ThreePillarDecisions, 'noCapCount' | 'noVolatilityCount' | 'pillars'>,
  r: number,
): [momentum: number, cap: number, calm: number] {
  const { column, momentum, cap, calm, score } = scratch;
  const base = t * column.length;
  const sums = [0, 0, 0];
  for (let k = 0; k < count; k++) {
    const cell = base + column[k]!;
    // From here on "no input" is zero: it adds nothing to a sum and scores nothing.
    if (!(momentum[k]! > 0)) momentum[k] = 0;
    cap[k] = caps && caps.cap[cell]! > 0 ? caps.cap[cell]! : 0;
    calm[k] = volatility[cell]! > 0 ? 1 / volatility[cell]! : 0;
    sums[0]! += momentum[k]!;
    sums[1]! += cap[k]!;
    sums[2]! += calm[k]!;
    if (cap[k] === 0) counts.noCapCount[r]!++;
    if (calm[k] === 0) counts.noVolatilityCount[r]!++;
  }
  let used = 0;
  for (let pillar = 0; pillar < 3; pillar++) {
    if (sums[pillar]! <= 0) continue;
    used += settings.pillarWeights[pillar]!;
    counts.pillars[r]! |= 1 << pillar;
  }
  const per = (pillar: number): number =>
    sums[pillar]! > 0 && used > 0 ? settings.pillarWeights[pillar]! / used / sums[pillar]! : 0;
  const [perMomentum, perCap, perCalm] = [per(0), per(1), per(2)];
  for (let k = 0; k < count; k++) score[k] = perMomentum * momentum[k]! + perCap * cap[k]! + perCalm * calm[k]!;
  return [perMomentum, perCap, perCalm];
}

/** Puts the columns with the highest positive scores into `best` and returns how many there are. */
function selectBest(scratch: Scratch, candidateCount: number, namesMax: number): number {
  const { column, score, best, bestScore } = scratch;
  const isChoice = candidateCount > namesMax;
  let count = 0;
  for (let k = 0; k < candidateCount; k++) {
    const s = score[k]!;
    if (!(s > 0) || (count === namesMax && s <= bestScore[count - 1]!)) continue;
    // Insertion into at most `namesMax` sorted entries: most candidates fail the test above, so few are ever moved.
    // Where everybody is taken anyway, nothing needs an order.
    let place = count < namesMax ? count++ : count - 1;
    while (isChoice && place > 0 && bestScore[place - 1]! < s) {
      bestScore[place] = bestScore[place - 1]!;
      best[place] = best[place - 1]!;
      place--;
    }
    bestScore[place] = s;
    best[place] = column[k]!;
  }
  return count;
}
