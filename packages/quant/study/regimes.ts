import { createRandom } from '../src/random/random.ts';
import { confirmStates, likeliestState } from '../src/regime/confirm-states.ts';
import { filterHmm, fitHmm, type HmmModel } from '../src/regime/gaussian-hmm.ts';
import { fitJumpModel, readJumpStates } from '../src/regime/jump-model.ts';
import { nameStates } from '../src/regime/name-states.ts';
import { orderByVolatility, readRegimes } from '../src/regime/read-regimes.ts';
import { REGIME_FEATURES, regimeFeatures, scale, scalingOf } from '../src/regime/regime-features.ts';
import { REGIME_SETTINGS } from '../src/regime/regime-settings.ts';
import { ruleBorders, ruleState, ruleVolatility } from '../src/regime/volatility-rule.ts';
import {
  type RegimePath,
  type RegimeVariant,
  regimeSimulatorParameters,
  SIMULATOR_A,
  SIMULATOR_A_DAY_COUNT,
  SIMULATOR_A_SEED_FIRST,
  SIMULATOR_A_SEED_LAST,
  SIMULATOR_A_TRAINING_DAYS,
  simulateRegimePath,
} from '../src/simulate/regime-simulator.ts';
import { blockBootstrap } from '../src/stats/block-bootstrap.ts';
import { regimeCodeHash } from './_regime-code.ts';
import type { StudyResult } from './quality-court.ts';

/** What was tried, on which seeds of the simulator, before the settings were frozen. None of them is judged. */
const TUNING = { seeds: '1001-1040', variantsTried: 94 } as const;
const SPELL_DAYS_MIN = 40;
/** Seeds from the first on whose band is also read as it is served. */
const SERVED_SEED_LAST = 40;
const TRAIN = SIMULATOR_A_TRAINING_DAYS;
const SCORED = SIMULATOR_A_DAY_COUNT - TRAIN;
const BOOTSTRAP = { seed: 20_261, blockLength: 63, resampleCount: 400 } as const;

type Namer = 'model' | 'oracle' | 'jump' | 'rule';
const NAMERS: readonly Namer[] = ['model', 'oracle', 'jump', 'rule'];

/** The filter with the true parameters and the true tails, which the model never sees. */
function oracleOf(variant: RegimeVariant): HmmModel {
  const { meanAnnual, volatilityAnnual, stayDays, nextRegime } = regimeSimulatorParameters(variant);
  return {
    stateCount: 3,
    transition: Float64Array.from({ length: 9 }, (_, at) => {
      const [from, to] = [Math.floor(at / 3), at % 3];
      const leave = 1 / stayDays[from]!;
      return from === to ? 1 - leave : leave * nextRegime[at]!;
    }),
    start: new Float64Array(3).fill(1 / 3),
    mean: Float64Array.from(meanAnnual, (mean) => mean / 252),
    sd: Float64Array.from(volatilityAnnual, (volatility) => volatility / Math.sqrt(252)),
    degreesOfFreedom: variant === 't5' ? 5 : Number.POSITIVE_INFINITY,
  };
}

/** Labels of all days by each namer; only those after the training days are scored. */
function nameDays(
  path: RegimePath,
  variant: RegimeVariant,
  seed: number,
): Record<Namer, Uint8Array> & { tails: number } {
  const { logReturn } = path;
  const random = createRandom(seed).split('study/regimes');
  const training = logReturn.slice(0, TRAIN);
  const fit = fitHmm(training, random.split('hmm'), {
    stateCount: 3,
    degreesOfFreedom: 'estimated',
    restarts: REGIME_SETTINGS.restarts,
    stayPriorDays: REGIME_SETTINGS.stayPriorDays,
    stayPriorMean: REGIME_SETTINGS.stayPriorMean,
    tolerance: REGIME_SETTINGS.tolerance,
  });
  if (fit.status !== 'fitted') throw new Error(`seed ${seed}: ${fit.reason}`);
  const model = nameStates(fit.model);
  const oracle = filterHmm(logReturn, oracleOf(variant)).filtered;
  const count = REGIME_FEATURES.length;
  const features = regimeFeatures(logReturn);
  const scaled = scale(features, scalingOf(features, count, 0, TRAIN));
  const jump = fitJumpModel(scaled.subarray(0, TRAIN * count), count, random.split('jump'), {
    jumpPenalty: REGIME_SETTINGS.jumpPenalty,
    restarts: REGIME_SETTINGS.restarts,
  });
  if (jump.status !== 'fitted') throw new Error(`seed ${seed}: ${jump.reason}`);
  const rank = orderByVolatility(jump.model);
  const volatility = ruleVolatility(logReturn);
  const borders = ruleBorders(volatility.slice(0, TRAIN));
  return {
    model: confirmStates(filterHmm(logReturn, model).filtered, 3, REGIME_SETTINGS.switchAt),
    oracle: Uint8Array.from({ length: logReturn.length }, (_, t) => likeliestState(oracle.subarray(3 * t, 3 * t + 3))),
    jump: readJumpStates(scaled, jump.model).map((state) => rank[state]!),
    rule: Uint8Array.from(volatility, (value) => ruleState(value, borders)),
    tails: model.degreesOfFreedom,
  };
}

type Exam = {
  truth: Uint8Array;
  labels: Record<Namer, Uint8Array>;
  lags: Record<Namer, number[]>;
  switches: Record<Namer, number>;
  falseSwitches: Record<Namer, number>;
  trueSwitches: number;
  tails: Record<string, number>;
};

/** All seeds of a variant, their scored days one after another. */
function sitExam(variant: RegimeVariant): Exam {
  const seeds = SIMULATOR_A_SEED_LAST - SIMULATOR_A_SEED_FIRST + 1;
  const each = <T>(make: () => T): Record<Namer, T> => ({ model: make(), oracle: make(), jump: make(), rule: make() });
  const exam: Exam = {
    truth: new Uint8Array(seeds * SCORED),
    labels: each(() => new Uint8Array(seeds * SCORED)),
    lags: each((): number[] => []),
    switches: each(() => 0),
    falseSwitches: each(() => 0),
    trueSwitches: 0,
    tails: {},
  };
  for (let seed = SIMULATOR_A_SEED_FIRST; seed <= SIMULATOR_A_SEED_LAST; seed++) {
    const path = simulateRegimePath(seed, variant);
    const named = nameDays(path, variant, seed);
    const at = (seed - SIMULATOR_A_SEED_FIRST) * SCORED;
    exam.truth.set(path.regime.subarray(TRAIN), at);
    exam.tails[String(named.tails)] = (exam.tails[String(named.tails)] ?? 0) + 1;
    for (let t = TRAIN + 1; t < path.regime.length; t++)
      if (path.regime[t] !== path.regime[t - 1]) exam.trueSwitches += 1;
    for (const namer of NAMERS) {
      const label = named[namer];
      exam.labels[namer].set(label.subarray(TRAIN), at);
      exam.lags[namer].push(...lagsOf(path.regime, label));
      for (let t = TRAIN + 1; t < label.length; t++) {
        if (label[t] === label[t - 1]) continue;
        exam.switches[namer] += 1;
        if (label[t] !== path.regime[t]) exam.falseSwitches[namer] += 1;
      }
    }
  }
  return exam;
}

/** Days from each true switch into a spell of 40 days or more to the first day of that spell with its label; ∞: none. */
function lagsOf(truth: Uint8Array, label: Uint8Array): number[] {
  const lags: number[] = [];
  for (let start = TRAIN + 1; start < truth.length; start++) {
    if (truth[start] === truth[start - 1]) continue;
    let end = start;
    while (end < truth.length && truth[end] === truth[start]) end++;
    if (end - start < SPELL_DAYS_MIN) continue;
    let first = start;
    while (first < end && label[first] !== truth[start]) first++;
    lags.push(first < end ? first - start : Number.POSITIVE_INFINITY);
  }
  return lags;
}

/** Mean over the three true states of the share of days named rightly. */
function balancedAccuracy(truth: Uint8Array, label: Uint8Array, rows: ArrayLike<number>): number {
  const right = new Float64Array(3);
  const all = new Float64Array(3);
  for (let k = 0; k < rows.length; k++) {
    const t = rows[k]!;
    all[truth[t]!]! += 1;
    if (label[t] === truth[t]) right[truth[t]!]! += 1;
  }
  return (right[0]! / all[0]! + right[1]! / all[1]! + right[2]! / all[2]!) / 3;
}

function quantileOf(lags: readonly number[], share: number): number {
  const sorted = lags.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!;
}

/**
 * The same score of the band as it is served: fits every 252 days from day 757 on, names carried from fit to fit. Fewer seeds,
 * because each takes seventeen fits; printed, not judged.
 */
function scoreServed(variant: RegimeVariant): Record<string, number> {
  const truth: number[] = [];
  const label: number[] = [];
  let [switches, falseSwitches] = [0, 0];
  const lags: number[] = [];
  for (let seed = SIMULATOR_A_SEED_FIRST; seed <= SERVED_SEED_LAST; seed++) {
    const path = simulateRegimePath(seed, variant);
    const { band } = readRegimes(path.logReturn, createRandom(1));
    lags.push(...lagsOf(path.regime, band));
    for (let t = TRAIN; t < band.length; t++) {
      truth.push(path.regime[t]!);
      label.push(band[t]!);
      if (t === TRAIN || band[t] === band[t - 1]) continue;
      switches += 1;
      if (band[t] !== path.regime[t]) falseSwitches += 1;
    }
  }
  const years = truth.length / 252;
  const all = Uint32Array.from(truth.keys());
  return {
    balancedAccuracy: round(balancedAccuracy(Uint8Array.from(truth), Uint8Array.from(label), all)),
    lagMedian: quantileOf(lags, 0.5),
    lagNinety: quantileOf(lags, 0.9),
    spells: lags.length,
    missed: lags.filter((lag) => lag === Number.POSITIVE_INFINITY).length,
    switchesPerYear: round(switches / years),
    falseSwitchesPerYear: round(falseSwitches / years),
  };
}

const round = (value: number): number => Math.round(1e4 * value) / 1e4;

function describe(exam: Exam): Record<Namer, Record<string, number>> {
  const years = exam.truth.length / 252;
  const rows = Uint32Array.from(exam.truth.keys());
  const row = (namer: Namer): Record<string, number> => ({
    balancedAccuracy: round(balancedAccuracy(exam.truth, exam.labels[namer], rows)),
    lagMedian: quantileOf(exam.lags[namer], 0.5),
    lagNinety: quantileOf(exam.lags[namer], 0.9),
    spells: exam.lags[namer].length,
    missed: exam.lags[namer].filter((lag) => lag === Number.POSITIVE_INFINITY).length,
    switchesPerYear: round(exam.switches[namer] / years),
    falseSwitchesPerYear: round(exam.falseSwitches[namer] / years),
  });
  return { model: row('model'), oracle: row('oracle'), jump: row('jump'), rule: row('rule') };
}

type Interval = { value: number; low: number; high: number };

function bootstrapDays(exam: Exam, label: string, statistic: (rows: Uint32Array) => number): Interval {
  return blockBootstrap(exam.truth.length, statistic, {
    random: createRandom(BOOTSTRAP.seed).split(label),
    blockLength: BOOTSTRAP.blockLength,
    resampleCount: BOOTSTRAP.resampleCount,
  });
}

/** Of counts and lags per path: whole paths are drawn, because a lag belongs to a spell and not to a day. */
function bootstrapLags(lags: readonly number[], label: string): Interval {
  return blockBootstrap(
    lags.length,
    (rows) =>
      quantileOf(
        Array.from(rows, (k) => lags[k]!),
        0.5,
      ),
    {
      random: createRandom(BOOTSTRAP.seed).split(label),
      blockLength: 1,
      resampleCount: BOOTSTRAP.resampleCount,
    },
  );
}

export function run(): StudyResult[] {
  const exams = {
    gaussian: sitExam('gaussian'),
    t5: sitExam('t5'),
    'equal-volatility': sitExam('equal-volatility'),
  };
  const table = Object.fromEntries(Object.entries(exams).map(([variant, exam]) => [variant, describe(exam)]));
  const { gaussian, t5 } = exams;
  const ratio = (exam: Exam) => (rows: Uint32Array) =>
    balancedAccuracy(exam.truth, exam.labels.model, rows) / balancedAccuracy(exam.truth, exam.labels.oracle, rows);
  const accuracy = bootstrapDays(gaussian, 'accuracy', (rows) =>
    balancedAccuracy(gaussian.truth, gaussian.labels.model, rows),
  );
  const switchRate = bootstrapDays(gaussian, 'switches', (rows) => {
    let switches = 0;
    for (const t of rows)
      if (t % SCORED !== 0 && gaussian.labels.model[t] !== gaussian.labels.model[t - 1]) switches += 1;
    return switches / (rows.length / 252);
  });
  const shared = {
    input: { simulator: 'A', seeds: `${SIMULATOR_A_SEED_FIRST}-${SIMULATOR_A_SEED_LAST}`, days: SIMULATOR_A_DAY_COUNT },
    settings: {
      regime: REGIME_SETTINGS,
      simulator: SIMULATOR_A,
      tuning: TUNING,
      bootstrap: BOOTSTRAP,
      codeHash: regimeCodeHash('regimes', 'regime'),
    },
    trials: 1,
    detail: {
      table,
      trueSwitchesPerYear: round(gaussian.trueSwitches / (gaussian.truth.length / 252)),
      served: { gaussian: scoreServed('gaussian'), t5: scoreServed('t5') },
      tails: Object.fromEntries(Object.entries(exams).map(([variant, exam]) => [variant, exam.tails])),
    },
  };
  const result = (name: string, unit: string, of: Interval, target: number, isFloor: boolean): StudyResult => {
    const met = isFloor ? of.value >= target : of.value <= target;
    return {
      name: `regimes ${name}`,
      figure: of.value,
      unit,
      interval: [of.low, of.high],
      target,
      verdict: met ? 'met' : 'not met',
      goal: `${isFloor ? '>=' : '<='} ${target}`,
      met,
      ...shared,
    };
  };
  const results = [
    result('balanced accuracy', 'share', accuracy, 0.85, true),
    result('of the oracle', 'ratio', bootstrapDays(gaussian, 'ratio', ratio(gaussian)), 0.95, true),
    result('median lag', 'days', bootstrapLags(gaussian.lags.model, 'lag'), 20, false),
    result('switches', 'a year', switchRate, 3, false),
    result('of the oracle, t(5)', 'ratio', bootstrapDays(t5, 'ratio-t5', ratio(t5)), 0.9, true),
  ];
  print(results);
  return results;
}

function print(results: readonly StudyResult[]): void {
  const { detail, settings } = results[0]!;
  for (const [variant, rows] of Object.entries(detail.table as Record<string, unknown>)) {
    console.log(variant);
    console.table(rows);
  }
  console.log(`as served, seeds ${SIMULATOR_A_SEED_FIRST}-${SERVED_SEED_LAST}`);
  console.table(detail.served);
  console.log(
    'degrees of freedom chosen',
    JSON.stringify(detail.tails),
    'true switches a year',
    detail.trueSwitchesPerYear,
  );
  for (const { name, figure, interval, goal, verdict } of results)
    console.log(`${name}: ${figure.toFixed(4)} [${interval.map((b) => b.toFixed(4)).join(', ')}], ${goal}: ${verdict}`);
  console.log(`code ${String(settings.codeHash).slice(0, 12)}`);
}

if (import.meta.main) run();
