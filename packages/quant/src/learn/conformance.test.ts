import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFORMANCE_CHECKS, checkLearner } from './conformance.ts';
import type { Learner } from './learner.ts';
import { findLearner, LEARNERS } from './learners.ts';
import { ridge } from './linear/ridge.ts';

/** Settings of a quick fit, for learners whose own take long. One line each. */
const QUICK: Record<string, object> = {
  lstm: { hidden: 8, epochs: 12, batchSize: 16, learningRate: 0.01 },
  transformer: { width: 8, heads: 2, layers: 1, feedForward: 8, epochs: 12, batchSize: 16, learningRate: 0.01 },
  gradient_boosted_trees: { treeCount: 20, maxDepth: 3 },
  random_forest: { treeCount: 20, maxDepth: 6 },
  column_subset: { columns: [0, 1, 2], settings: { treeCount: 20, maxDepth: 3 } },
};

for (const learner of LEARNERS)
  test(`${learner.name} keeps every promise of a learner`, () => {
    assert.deepEqual(checkLearner(learner, { ...learner.defaults, ...QUICK[learner.name] }), []);
  });

test('every learner is found by its name, once', () => {
  for (const learner of LEARNERS) assert.equal(findLearner(learner.name), learner);
  assert.equal(new Set(LEARNERS.map(({ name }) => name)).size, LEARNERS.length);
  assert.equal(findLearner('nobody'), undefined);
});

test('a learner that breaks a promise is found, each by the check for it', () => {
  let fits = 0;
  const wrong: Record<string, Partial<Learner<object>>> = {
    'the same examples, settings and seed give the same bytes': {
      fit: (examples, goal, _settings, seed, watch) => ridge.fit(examples, goal, { penalty: 1 + fits++ }, seed, watch),
    },
    'missing values are handled as declared': { missing: 'taken' },
    'goals it does not have are refused': {
      fit: (examples, goal, _settings, seed, watch) =>
        ridge.fit({ ...examples }, goal === 'binary' ? 'regression' : goal, { penalty: 1 }, seed, watch),
    },
    'learns a planted rule better than the constant, on rows it had not seen': {
      fit: (examples, goal, _settings, seed, watch) => ridge.fit(examples, goal, { penalty: 1e9 }, seed, watch),
    },
    'neither fit nor predict writes into what it is given': {
      fit(examples, goal, _settings, seed, watch) {
        const model = ridge.fit(examples, goal, { penalty: 1 }, seed, watch);
        examples.inputs.values[0] = 0;
        return model;
      },
    },
    'the order of rows does not matter, and rows that appear or vanish change no other answer': {
      fit(examples, goal, _settings, seed, watch) {
        const model = ridge.fit(examples, goal, { penalty: 1 }, seed, watch);
        return { ...model, predict: (inputs) => model.predict(inputs).map((value) => value / inputs.rowCount) };
      },
    },
  };
  for (const [title, change] of Object.entries(wrong)) {
    const breaches = checkLearner({ ...ridge, ...change }, { penalty: 1 });
    assert.ok(
      breaches.some((breach) => breach.title === title),
      `${title}: ${JSON.stringify(breaches)}`,
    );
  }
  assert.ok(CONFORMANCE_CHECKS.length >= 10);
});
