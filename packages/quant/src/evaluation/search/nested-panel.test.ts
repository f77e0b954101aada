import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plantedExamples } from '../../learn/conformance.ts';
import { findLearner } from '../../learn/learners.ts';
import { simulatedTable } from '../forecast-training/_simulated-table.ts';
import { fitPart, type PartSpec } from '../forecast-training/fit-part.ts';
import {
  chooseSimplest,
  innerTable,
  lossInterval,
  lossSums,
  meanLoss,
  mixForecasts,
  OUTER_WALK,
} from './nested-panel.ts';

const SPEC: PartSpec = {
  ...{ family: 'linear', learner: 'logistic', settings: { penalty: 10 }, seed: 1, stepCount: 1, rowsMax: null },
  ...{ walk: { foldCount: 3, firstShare: 0.35, embargoDays: 0 }, fold: 0 },
};
const foldsOf = (table: ReturnType<typeof simulatedTable>, change: Partial<PartSpec>) =>
  [0, 1, 2].map((fold) => fitPart(table, { ...SPEC, ...change, fold }));

test('the choice sees no row and no outcome of the judged blocks', () => {
  const table = simulatedTable('volatility_direction', { dayCount: 500 });
  const inner = innerTable(table);
  assert.ok(inner.table.rowCount > 0.5 * table.rowCount && inner.table.rowCount < 0.75 * table.rowCount);
  assert.ok(inner.table.day.every((day) => day < inner.outerFrom));
  assert.ok(inner.table.labelEnd.every((end) => end <= inner.outerFrom));
  const changed = { ...table, label: table.label.slice(), values: table.values.slice() };
  for (let row = 0; row < table.rowCount; row++) {
    if (table.labelEnd[row]! > inner.outerFrom) changed.label[row] = 1 - table.label[row]!;
    if (table.day[row]! >= inner.outerFrom)
      changed.values.fill(9, row * table.featureNames.length, (row + 1) * table.featureNames.length);
  }
  assert.deepEqual(innerTable(changed), inner);
  assert.equal(OUTER_WALK.foldCount, 4);
});

test('of equals the simplest is taken, and what is plainly worse is not among them', () => {
  const table = innerTable(simulatedTable('volatility_direction', { skill: 1.2, dayCount: 800 })).table;
  const sums = (change: Partial<PartSpec>) => lossSums(table, foldsOf(table, change));
  const linear = { family: 'linear', sums: sums({}) };
  const twin = { family: 'lstm', sums: sums({ settings: { penalty: 11 } }) };
  const deaf = { family: 'linear', sums: sums({ settings: { penalty: 1e9 } }) };
  const order = ['linear', 'lstm'];
  const told = chooseSimplest([deaf, twin, linear], order, { seed: 1, horizonDays: 5 });
  assert.deepEqual([told.inSet[0], told.chosen === 1 || told.chosen === 2], [false, true]);
  if (told.inSet[2]) assert.equal(told.chosen, 2);
  assert.equal(chooseSimplest([deaf], order, { seed: 1, horizonDays: 5 }).chosen, 0);
  assert.throws(
    () => chooseSimplest([{ ...deaf, family: 'oracle' }], order, { seed: 1, horizonDays: 5 }),
    /oracle has no place/,
  );
  const { value, low, high } = lossInterval(linear.sums, 1);
  assert.ok(Math.abs(value - meanLoss(linear.sums)) < 1e-12 && low < value && value < high);
});

test('a mixture is not worse than its worst member, and leans on the better one from the second block on', () => {
  const table = simulatedTable('forward_volatility', { skill: 0.8, dayCount: 500 });
  const good = foldsOf(table, { learner: 'ridge' });
  const deaf = foldsOf(table, { learner: 'ridge', settings: { penalty: 1e9 } });
  const mixed = mixForecasts(table, [good, deaf]);
  const loss = (results: typeof good) => meanLoss(lossSums(table, results));
  assert.ok(loss(mixed) < loss(deaf));
  assert.ok(Math.abs(loss(mixed.slice(1)) - loss(good.slice(1))) < 0.02 * loss(good));
});

test('ranks are compared by one less their correlation', () => {
  const table = simulatedTable('return_rank', { skill: 1, dayCount: 400 });
  const loss = meanLoss(lossSums(table, foldsOf(table, { learner: 'ridge' })));
  assert.ok(loss > 0 && loss < 1, `${loss}`);
});

test('learning from the latest days alone is another model on the same scale', () => {
  const table = simulatedTable('volatility_direction', { skill: 1, dayCount: 500 });
  const all = fitPart(table, SPEC);
  const latest = fitPart(table, { ...SPEC, trainDays: 60 });
  assert.deepEqual(fitPart(table, { ...SPEC, trainDays: 10_000 }), all);
  assert.ok(latest.trainedRows === 60 * 4 && latest.trainedRows < all.trainedRows);
});

test('a learner of some columns does not hear the others, and its body gives them no weight', () => {
  const examples = plantedExamples('binary');
  const { inputs } = examples;
  const subset = findLearner('column_subset')!;
  const changed = { ...inputs, values: inputs.values.map((x, k) => (k % inputs.featureCount > 1 ? 3 - x : x)) };
  const quick = { epochs: 1, batchSize: 32 };
  const learners = {
    logistic: {},
    gradient_boosted_trees: { treeCount: 5 },
    lstm: { ...quick, hidden: 4 },
    transformer: { ...quick, width: 4, heads: 2, layers: 1, feedForward: 4 },
  };
  for (const [learner, settings] of Object.entries(learners)) {
    const model = subset.fit(examples, 'binary', { ...subset.defaults, learner, settings, columns: [0, 1] }, 1);
    assert.deepEqual(model.predict(changed), model.predict(inputs), learner);
    assert.deepEqual(subset.load(model.save()).predict(inputs), model.predict(inputs), learner);
    const { body } = model;
    if (body.kind === 'linear') assert.deepEqual(Array.from(body.weights.slice(2)), [0, 0, 0]);
    if (body.kind === 'trees') assert.ok(body.trees.feature.every((feature) => feature < 2));
    if (body.kind === 'network') {
      const { shape, values } = body.network.tensors['layers.0.input'] ?? body.network.tensors['input.weight']!;
      assert.ok(values.slice(2 * shape[1]!).every((weight) => weight === 0));
    }
  }
  assert.throws(
    () => subset.fit(examples, 'binary', { ...subset.defaults, columns: [1, 0] }, 1),
    /columns must ascend/,
  );
  assert.throws(
    () => subset.fit(examples, 'binary', { ...subset.defaults, learner: 'oracle' }, 1),
    /no learner oracle/,
  );
});
