import { areFinite, expect } from '../checks/expect.ts';
import { createRandom } from '../random/random.ts';
import { type Examples, type Inputs, lastStep, takeExamples, takeInputs } from './examples.ts';
import type { FittedModel, Goal, Learner } from './learner.ts';

/** One promise that every learner makes. */
export type ConformanceCheck = {
  /** A sentence. */
  title: string;
  /** @throws RangeError that names what was broken. */
  check(learner: Learner<object>, settings: object): void;
};

export type ConformanceBreach = { title: string; problem: string };

const GOALS: readonly Goal[] = ['binary', 'regression', 'quantile', 'ranking'];
const SEED = 7;
const ROWS = 480;
const STEPS = 4;
const FEATURES = 5;
/** Rows of one group; the sizes of groups differ, as names come and go. */
const GROUP_ROWS_MAX = 12;
const RELEVANCE_MAX = 4;
/** Order of told and true values that chance alone does not reach on half of the rows. */
const CORRELATION_MIN = 0.3;

/**
 * Whether a learner keeps the contract of `learner.ts`, on small drawn examples.
 *
 * @param settings Those of a quick fit; default: the learner's own.
 * @returns What it breaks; empty for a learner that keeps it.
 */
export function checkLearner(learner: Learner<object>, settings: object = learner.defaults): ConformanceBreach[] {
  return CONFORMANCE_CHECKS.flatMap(({ title, check }) => {
    try {
      check(learner, settings);
      return [];
    } catch (error) {
      return [{ title, problem: error instanceof Error ? error.message : String(error) }];
    }
  });
}

export const CONFORMANCE_CHECKS: readonly ConformanceCheck[] = [
  {
    title: 'the same examples, settings and seed give the same bytes',
    check: (learner, settings) =>
      forGoals(learner, (goal) => {
        const bytes = () => learner.fit(plantedExamples(goal), goal, settings, SEED).save();
        expect(sameBytes(bytes(), bytes()), `${goal}: two fits wrote different bytes`);
      }),
  },
  {
    title: 'a model that was saved and loaded answers the same bits and writes the same bytes',
    check: (learner, settings) =>
      forGoals(learner, (goal) => {
        const { model, inputs } = fitted(learner, goal, settings);
        const loaded = learner.load(model.save());
        expect(sameBits(model.predict(inputs), loaded.predict(inputs)), `${goal}: answers changed`);
        expect(sameBytes(model.save(), loaded.save()), `${goal}: bytes changed`);
        expect(
          loaded.learner === learner.name &&
            loaded.goal === goal &&
            loaded.featureCount === model.featureCount &&
            loaded.stepCount === model.stepCount &&
            loaded.body.kind === model.body.kind,
          `${goal}: name, goal, shape or body changed`,
        );
      }),
  },
  {
    title: 'bytes that it did not write are refused',
    check(learner, settings) {
      const goal = learner.goals[0]!;
      const bytes = fitted(learner, goal, settings).model.save();
      const damaged = bytes.slice();
      damaged[damaged.length >> 1]! ^= 1;
      mustRefuse('one changed bit', () => learner.load(damaged));
      mustRefuse('half of the bytes', () => learner.load(bytes.slice(0, bytes.length >> 1)));
      mustRefuse('no bytes', () => learner.load(new Uint8Array(0)));
    },
  },
  {
    title: 'the order of rows does not matter, and rows that appear or vanish change no other answer',
    check: (learner, settings) =>
      forGoals(learner, (goal) => {
        const { model, inputs } = fitted(learner, goal, settings);
        const all = model.predict(inputs);
        const order = Int32Array.from({ length: inputs.rowCount }, (_, i) => inputs.rowCount - 1 - i);
        const few = Int32Array.of(5, 3, 5, 11, 0, 2, 9);
        for (const rows of [order, few, Int32Array.of(4), new Int32Array(0)]) {
          const told = model.predict(takeInputs(inputs, rows));
          const wanted = Float64Array.from(rows, (row) => all[row]!);
          expect(sameBits(told, wanted), `${goal}: answers for ${rows.length} rows changed`);
        }
      }),
  },
  {
    title: 'missing values are handled as declared',
    check: (learner, settings) => forGoals(learner, (goal) => checkMissing(learner, goal, settings)),
  },
  {
    title: 'a learner of tables reads the last day of a window and nothing else',
    check: (learner, settings) =>
      forGoals(learner, (goal) => {
        if (learner.reads !== 'table') return;
        const examples = plantedExamples(goal);
        const inputs = plantedExamples(goal, 2).inputs;
        const ofWindows = learner.fit(examples, goal, settings, SEED).predict(inputs);
        const table = { ...examples, inputs: lastStep(examples.inputs) };
        const ofTable = learner.fit(table, goal, settings, SEED).predict(lastStep(inputs));
        expect(sameBits(ofWindows, ofTable), `${goal}: windows and their last days give different answers`);
      }),
  },
  {
    title: 'wrong shapes are refused by name',
    check: (learner, settings) => forGoals(learner, (goal) => checkShapes(learner, goal, settings)),
  },
  {
    title: 'goals it does not have are refused',
    check(learner, settings) {
      for (const goal of GOALS.filter((other) => !learner.goals.includes(other)))
        mustRefuse(`goal ${goal}`, () => learner.fit(plantedExamples(goal), goal, settings, SEED), goal);
    },
  },
  {
    title: 'learns a planted rule better than the constant, on rows it had not seen',
    check: (learner, settings) => forGoals(learner, (goal) => checkPlanted(learner, goal, settings)),
  },
  {
    title: 'neither fit nor predict writes into what it is given',
    check: (learner, settings) =>
      forGoals(learner, (goal) => {
        const given = plantedExamples(goal);
        const kept = plantedExamples(goal);
        const givenSettings = structuredClone(settings);
        const model = learner.fit(given, goal, givenSettings, SEED);
        model.predict(given.inputs);
        const same =
          sameBits(given.inputs.values, kept.inputs.values) &&
          sameBits(given.target, kept.target) &&
          sameBits(given.weight!, kept.weight!) &&
          (given.group === null || given.group.every((id, row) => id === kept.group![row]));
        expect(same, `${goal}: the examples were written into`);
        expect(JSON.stringify(givenSettings) === JSON.stringify(settings), `${goal}: the settings were written into`);
      }),
  },
  {
    title: 'weights count: a row of weight zero teaches nothing',
    check: (learner, settings) =>
      forGoals(learner, (goal) => {
        const examples = plantedExamples(goal);
        // The second half is turned around, and must not be heard.
        const turned = { binary: 1, ranking: RELEVANCE_MAX, regression: 0, quantile: 0 }[goal];
        const target = examples.target.map((y, row) => (2 * row < ROWS ? y : turned - y));
        const weight = examples.target.map((_, row) => (2 * row < ROWS ? 1 : 0));
        const model = learner.fit({ ...examples, target, weight }, goal, settings, SEED);
        const fresh = plantedExamples(goal, 3);
        const order = correlation(model.predict(fresh.inputs), fresh.target);
        expect(order > CORRELATION_MIN, `${goal}: correlation was ${order} beside rows of weight zero`);
      }),
  },
  {
    title: 'the watch is told about the way, and may stop it',
    check(learner, settings) {
      const goal = learner.goals[0]!;
      let calls = 0;
      learner.fit(plantedExamples(goal), goal, settings, SEED, (done, total) => {
        calls++;
        expect(done >= 0 && done <= total, `told ${done} of ${total}`);
      });
      expect(calls > 0, 'the watch was not called');
      mustRefuse('a watch that throws', () =>
        learner.fit(plantedExamples(goal), goal, settings, SEED, () => expect(false, 'stopped')),
      );
    },
  },
];

/**
 * Drawn examples whose target is 1.5 · first − second feature of the last day, and noise; binary: whether that is above zero.
 *
 * @param draw Another number, other rows of the same rule.
 */
export function plantedExamples(goal: Goal, draw = 1): Examples {
  const random = createRandom(`conformance ${draw}`);
  const values = Float64Array.from({ length: ROWS * STEPS * FEATURES }, () => random.normal());
  const target = new Float64Array(ROWS);
  const group = new Int32Array(ROWS);
  let left = 0;
  let id = 100;
  for (let row = 0; row < ROWS; row++) {
    const at = (row * STEPS + STEPS - 1) * FEATURES;
    const score = 1.5 * values[at]! - values[at + 1]! + 0.5 * random.normal();
    target[row] = goal === 'binary' ? Number(score > 0) : score;
    if (left-- === 0) {
      id++;
      left = random.integer(GROUP_ROWS_MAX);
    }
    group[row] = id;
  }
  // Relevance in a group: whole numbers, larger is better.
  if (goal === 'ranking')
    target.set(target.map((score) => Math.max(0, Math.min(RELEVANCE_MAX, Math.round(score + 2)))));
  const inputs = { rowCount: ROWS, stepCount: STEPS, featureCount: FEATURES, values };
  return { inputs, target, weight: new Float64Array(ROWS).fill(1), group: goal === 'ranking' ? group : null };
}

function forGoals(learner: Learner<object>, check: (goal: Goal) => void): void {
  expect(learner.goals.length >= 1, `${learner.name} has no goal`);
  for (const goal of learner.goals) check(goal);
}

function fitted(learner: Learner<object>, goal: Goal, settings: object): { model: FittedModel; inputs: Inputs } {
  const model = learner.fit(plantedExamples(goal), goal, settings, SEED);
  return { model, inputs: plantedExamples(goal, 2).inputs };
}

function checkMissing(learner: Learner<object>, goal: Goal, settings: object): void {
  const { model, inputs } = fitted(learner, goal, settings);
  const whole = model.predict(inputs);
  expect(areFinite(whole), `${goal}: an answer for whole rows is not finite`);
  const values = inputs.values.slice();
  const row = 3;
  values[((row + 1) * STEPS - 1) * FEATURES + 2] = Number.NaN;
  const told = model.predict({ ...inputs, values });
  const others = told.map((value, i) => (i === row ? whole[i]! : value));
  expect(sameBits(others, whole), `${goal}: a missing value changed the answer of another row`);
  const examples = plantedExamples(goal);
  const holed = examples.inputs.values.map((value, i) => (i % 17 === 4 ? Number.NaN : value));
  const fit = () => learner.fit({ ...examples, inputs: { ...examples.inputs, values: holed } }, goal, settings, SEED);
  if (learner.missing === 'refused') {
    expect(Number.isNaN(told[row]!), `${goal}: a row with a missing value was answered with ${told[row]}`);
    mustRefuse('a missing value in the examples', fit, 'missing');
    return;
  }
  expect(Number.isFinite(told[row]!), `${goal}: a row with a missing value was answered with ${told[row]}`);
  const answers = fit().predict({ ...inputs, values });
  expect(areFinite(answers), `${goal}: a model learnt with missing values cannot tell`);
}

function checkShapes(learner: Learner<object>, goal: Goal, settings: object): void {
  const { model, inputs } = fitted(learner, goal, settings);
  const examples = plantedExamples(goal);
  const fit = (changed: Partial<Examples>) => () => learner.fit({ ...examples, ...changed }, goal, settings, SEED);
  const narrow = {
    ...inputs,
    featureCount: FEATURES - 1,
    values: inputs.values.slice(0, ROWS * STEPS * (FEATURES - 1)),
  };
  mustRefuse('one feature less', () => model.predict(narrow), 'features');
  mustRefuse('values too short', () => model.predict({ ...inputs, values: inputs.values.slice(1) }), 'values');
  const short = { ...inputs, stepCount: STEPS - 1, values: inputs.values.slice(0, ROWS * (STEPS - 1) * FEATURES) };
  if (learner.reads === 'window') mustRefuse('one day less', () => model.predict(short), 'days');
  mustRefuse('no rows', () => learner.fit(takeExamples(examples, new Int32Array(0)), goal, settings, SEED));
  mustRefuse('a target too short', fit({ target: examples.target.slice(1) }), 'target');
  const missing = examples.target.slice();
  missing[2] = Number.NaN;
  mustRefuse('a target that is NaN', fit({ target: missing }), 'target');
  mustRefuse('a weight too short', fit({ weight: new Float64Array(3).fill(1) }), 'weight');
  mustRefuse('a negative weight', fit({ weight: new Float64Array(ROWS).fill(-1) }), 'weight');
  if (goal === 'binary') mustRefuse('a target of 2', fit({ target: new Float64Array(ROWS).fill(2) }), 'target');
  if (goal === 'ranking') mustRefuse('a ranking without groups', fit({ group: null }), 'group');
}

function checkPlanted(learner: Learner<object>, goal: Goal, settings: object): void {
  const { target, inputs, group } = plantedExamples(goal, 2);
  const told = fitted(learner, goal, settings).model.predict(inputs);
  if (goal === 'quantile' || goal === 'ranking') {
    const order = goal === 'ranking' ? correlation(told, target, group) : correlation(told, target);
    expect(order > CORRELATION_MIN, `${goal}: correlation with the planted rule was ${order}`);
    return;
  }
  if (goal === 'binary')
    expect(
      told.every((p) => p >= 0 && p <= 1),
      'binary: a probability lies outside 0..1',
    );
  const mean = target.reduce((sum, y) => sum + y, 0) / target.length;
  const loss = (value: number, y: number) =>
    goal === 'binary' ? -Math.log(Math.max(1e-12, y === 1 ? value : 1 - value)) : (value - y) ** 2;
  const ours = told.reduce((sum, value, i) => sum + loss(value, target[i]!), 0);
  const constant = target.reduce((sum, y) => sum + loss(mean, y), 0);
  expect(ours < 0.9 * constant, `${goal}: loss is ${ours / constant} of the constant's`);
}

/** Pearson correlation; with groups, of the differences to the group's mean. */
function correlation(a: Float64Array, b: Float64Array, group: Int32Array | null = null): number {
  const [x, y] = [centred(a, group), centred(b, group)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xy += x[i]! * y[i]!;
    xx += x[i]! ** 2;
    yy += y[i]! ** 2;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0;
}

function centred(values: Float64Array, group: Int32Array | null): Float64Array {
  const sums = new Map<number, [sum: number, count: number]>();
  values.forEach((value, i) => {
    const [sum, count] = sums.get(group?.[i] ?? 0) ?? [0, 0];
    sums.set(group?.[i] ?? 0, [sum + value, count + 1]);
  });
  return values.map((value, i) => {
    const [sum, count] = sums.get(group?.[i] ?? 0)!;
    return value - sum / count;
  });
}

function mustRefuse(what: string, act: () => unknown, word = ''): void {
  try {
    act();
  } catch (error) {
    expect(error instanceof RangeError, `${what} must be refused with a RangeError, came ${error}`);
    const { message } = error as RangeError;
    expect(message.includes(word), `the refusal of ${what} must name "${word}", was: ${message}`);
    return;
  }
  expect(false, `${what} must be refused`);
}

function sameBits(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
