import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { confidenceSequence } from '../src/evaluation/experiments/confidence-sequence.ts';
import {
  JUDGED_WORLD,
  type LossWorld,
  longRunDeviation,
  simulateLosses,
} from '../src/evaluation/experiments/loss-simulator.ts';
import { effectForSessions, longRunDeviationOf } from '../src/evaluation/experiments/power.ts';
import { createRandom } from '../src/random/random.ts';
import { clopperPearson } from '../src/stats/binomial-interval.ts';
import type { StudyResult } from './quality-court.ts';

const DAYS = 250;
const LEVEL = 0.05;
const RUNS = { judged: 2000, others: 500 } as const;
/** Seeds 100,000 and above were used while the bounds were built; these were not. */
const SEED_FIRST = { same: 1, other: 10_001 } as const;
/** Forms of the bounds that were compared on those. */
const VARIANTS_TRIED = 4;
const TARGETS = { falsePositives: 0.06, power: 0.8 } as const;

type World = { name: string; world: LossWorld; deviation: number };

/** The judged world, and others that are printed beside it. */
const WORLDS: readonly World[] = [
  { name: 'judged: five-day outcomes', world: JUDGED_WORLD, deviation: longRunDeviation(JUDGED_WORLD) },
  named('one-day outcomes', { ...JUDGED_WORLD, overlapDays: 1 }),
  {
    name: 'first-order autoregression .5',
    world: { ...JUDGED_WORLD, overlapDays: 1, persistence: 0.5 },
    deviation: longRunDeviationOf(JUDGED_WORLD.differenceDeviation, 0.5),
  },
  named('five-day outcomes, tails of t(3)', { ...JUDGED_WORLD, shockDegrees: 3 }),
  named('21-day outcomes', { ...JUDGED_WORLD, overlapDays: 21 }),
];

function named(name: string, world: LossWorld): World {
  return { name, world, deviation: longRunDeviation(world) };
}

type Score = {
  runs: number;
  effect: number;
  falsePositives: number;
  found: number;
  wrongWay: number;
  /** Share of runs in which the bounds ever left out the true effect. */
  leftOut: number;
  /** Sessions after which a found effect was found, median. */
  foundAfter: number;
  /** What looking every day at the usual test of independent days, and at the usual robust one, would have called. */
  naive: number;
  robust: number;
};

function score({ world, deviation }: World, runs: number): Score {
  const horizon = world.overlapDays;
  const effect = effectForSessions(DAYS, deviation, { level: LEVEL, isSequential: true, horizon });
  const told = { falsePositives: 0, found: 0, wrongWay: 0, leftOut: 0, naive: 0, robust: 0 };
  const foundAfter: number[] = [];
  for (let run = 0; run < runs; run++) {
    const same = differences(world, 0, SEED_FIRST.same + run);
    const bounds = confidenceSequence(same, { level: LEVEL, tightestAt: DAYS, horizon });
    if (decidedAt(bounds) >= 0) told.falsePositives += 1;
    if (isEverCalled(same, (t) => independentDeviation(same, t))) told.naive += 1;
    if (isEverCalled(same, (t) => bounds.deviation[t]!)) told.robust += 1;

    const other = differences(world, effect, SEED_FIRST.other + run);
    const path = confidenceSequence(other, { level: LEVEL, tightestAt: DAYS, horizon });
    const at = decidedAt(path);
    if (at >= 0 && path.low[at]! > 0) {
      told.found += 1;
      foundAfter.push(at + 1);
    }
    if (at >= 0 && path.low[at]! <= 0) told.wrongWay += 1;
    if (path.low.some((low, t) => low > effect || path.high[t]! < effect)) told.leftOut += 1;
  }
  foundAfter.sort((a, b) => a - b);
  return { runs, effect, ...told, foundAfter: foundAfter[foundAfter.length >> 1] ?? Number.NaN };
}

function differences(world: LossWorld, effect: number, seed: number): Float64Array {
  const { control, treatment } = simulateLosses(world, DAYS, effect, createRandom(seed));
  return treatment.map((loss, t) => loss - control[t]!);
}

function decidedAt({ low, high }: { low: Float64Array; high: Float64Array }): number {
  return low.findIndex((value, t) => value > 0 || high[t]! < 0);
}

/** Whether |mean| exceeds 1.96 standard errors at any session from the 30th on. */
function isEverCalled(values: Float64Array, deviationAt: (t: number) => number): boolean {
  let sum = 0;
  for (let t = 0; t < values.length; t++) {
    sum += values[t]!;
    if (t >= 29 && Math.abs(sum / (t + 1)) > (1.96 * deviationAt(t)) / Math.sqrt(t + 1)) return true;
  }
  return false;
}

function independentDeviation(values: Float64Array, t: number): number {
  let [sum, squares] = [0, 0];
  for (let k = 0; k <= t; k++) {
    sum += values[k]!;
    squares += values[k]! ** 2;
  }
  return Math.sqrt((squares - (sum * sum) / (t + 1)) / t);
}

export function run(): StudyResult[] {
  const scores = WORLDS.map((world, k) => ({ ...world, ...score(world, k === 0 ? RUNS.judged : RUNS.others) }));
  const judged = scores[0]!;
  const shared = {
    input: { simulator: 'evaluation/experiments/loss-simulator.ts', runs: judged.runs, peeks: DAYS },
    settings: {
      ...{ world: JUDGED_WORLD, level: LEVEL, seeds: SEED_FIRST, effect: judged.effect },
      variantsTried: VARIANTS_TRIED,
      ...{ longRunDeviation: judged.deviation, codeHash: codeHash() },
    },
    trials: 1,
    detail: Object.fromEntries(scores.map(({ name, world: _, ...rest }) => [name, rest])),
  };
  const falsePositives = clopperPearson(judged.falsePositives, judged.runs);
  const power = clopperPearson(judged.found, judged.runs);
  const isHeld = falsePositives.high <= TARGETS.falsePositives;
  const isStrong = judged.found / judged.runs >= TARGETS.power;
  const results: StudyResult[] = [
    {
      name: 'ab A/A, false positives, upper bound',
      figure: falsePositives.high,
      unit: 'share of runs',
      interval: [falsePositives.low, falsePositives.high],
      target: TARGETS.falsePositives,
      verdict: isHeld ? 'met' : 'not met',
      goal: `<= ${TARGETS.falsePositives}`,
      met: isHeld,
      ...shared,
    },
    {
      name: `ab A/B, power at an effect of ${(judged.effect / judged.deviation).toFixed(3)} long-run deviations`,
      figure: judged.found / judged.runs,
      unit: 'share of runs',
      interval: [power.low, power.high],
      target: TARGETS.power,
      verdict: isStrong ? 'met' : 'not met',
      goal: `>= ${TARGETS.power}`,
      met: isStrong,
      ...shared,
    },
  ];
  console.table(
    scores.map(({ name, runs, effect, falsePositives, found, wrongWay, leftOut, foundAfter, naive, robust }) => ({
      ...{ world: name, runs, effect: effect.toFixed(5), falsePositives: falsePositives / runs, power: found / runs },
      ...{ wrongWay: wrongWay / runs, leftOut: leftOut / runs, foundAfter },
      ...{ 'naive peeking': naive / runs, 'robust peeking': robust / runs },
    })),
  );
  for (const { name, figure, interval, goal, verdict } of results)
    console.log(`${name}: ${figure.toFixed(4)} [${interval.map((b) => b.toFixed(4)).join(', ')}], ${goal}: ${verdict}`);
  return results;
}

function codeHash(): string {
  const hash = createHash('sha256');
  const folder = join(import.meta.dirname, '../src/evaluation/experiments');
  for (const name of readdirSync(folder).sort())
    if (!name.endsWith('.test.ts')) hash.update(readFileSync(join(folder, name)));
  hash.update(readFileSync(import.meta.filename));
  return hash.digest('hex');
}

if (import.meta.main) run();
