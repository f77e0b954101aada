import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../../random/random.ts';
import { type Examples, takeExamples } from '../examples.ts';
import type { Goal } from '../learner.ts';
import { exponential } from './exponential.ts';
import { type BoostedTreesSettings, boost, gradientBoostedTrees } from './gradient-boosted-trees.ts';
import { gridFor, onGrid, orderlessSum } from './gradient-grid.ts';
import { fitIsolationForest, loadIsolationForest } from './isolation-forest.ts';
import { weightedQuantile } from './objectives.ts';
import { createPlainKernels } from './plain-tree-kernels.ts';
import { depthOf, findLeaf, predictMargin, predictRow } from './predict-trees.ts';
import { growForest, randomForest } from './random-forest.ts';
import type { TreeEnsemble } from './tree-ensemble.ts';
import { createTwinKernels } from './twin-tree-kernels.ts';
import { goesLeft } from './walk-trees.ts';

const DEFAULTS = gradientBoostedTrees.defaults;
const QUICK = { ...DEFAULTS, treeCount: 5, maxDepth: 3 };
const GOALS: readonly Goal[] = ['binary', 'regression', 'quantile', 'ranking'];

describe('the WebAssembly twin', () => {
  const shape = fc.record({
    rowCount: fc.integer({ min: 2, max: 90 }),
    featureCount: fc.integer({ min: 1, max: 10 }),
    missing: fc.constantFrom(0, 0.3),
    seed: fc.nat({ max: 1e6 }),
  });

  test('grows the same trees as the plain kernels, bit by bit, for every goal', () => {
    const settings = fc.record({
      rowShare: fc.constantFrom(1, 0.6),
      columnShare: fc.constantFrom(1, 0.5),
      l1: fc.constantFrom(0, 0.5),
      binCountMax: fc.constantFrom(2, 16, 256),
      minChildWeight: fc.constantFrom(0, 1),
      isCategorical: fc.boolean(),
      isMonotone: fc.boolean(),
    });
    fc.assert(
      fc.property(
        shape,
        settings,
        fc.constantFrom(...GOALS),
        (drawn, { isCategorical, isMonotone, ...given }, goal) => {
          const { featureCount } = drawn;
          const examples = drawExamples(goal, drawn, isCategorical ? 0 : -1);
          const monotone = Array.from({ length: featureCount }, (_, k) => (k > 0 ? 1 - (k % 3) : 0));
          const own = {
            ...{ ...QUICK, ...given, categorical: isCategorical ? [0] : [] },
            monotone: isMonotone && goal !== 'quantile' ? monotone : [],
          };
          const grow = (create: typeof createPlainKernels): TreeEnsemble =>
            boost({ examples, goal, settings: own, random: createRandom(drawn.seed) }, create);
          assert.deepEqual(grow(twinOf), grow(createPlainKernels));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('grows the same forest', () => {
    fc.assert(
      fc.property(shape, fc.constantFrom(null, 0.5, 1), (drawn, columnShare) => {
        const settings = { ...randomForest.defaults, treeCount: 3, columnShare };
        const job = { examples: drawExamples('regression', drawn), goal: 'regression' as const, settings };
        const grow = (create: typeof createPlainKernels) =>
          growForest({ ...job, random: createRandom(drawn.seed) }, create);
        assert.deepEqual(grow(twinOf), grow(createPlainKernels));
      }),
      { numRuns: 25 },
    );
  });

  test('sorts whatever is no NaN', () => {
    const values = fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(values, (list) => {
        const given = Float64Array.from(list, (value) => value + 0);
        const kernels = twinOf({ rowCount: given.length, columnCount: 1, histogramCount: 1 });
        kernels.room.sorted.set(given);
        kernels.sortValues(given.length);
        assert.deepEqual(kernels.room.sorted.slice(), given.toSorted());
      }),
    );
  });
});

describe('a split', () => {
  test('is the best there is, also for missing values: all are tried on small tables', () => {
    const drawn = fc.record({
      rowCount: fc.integer({ min: 2, max: 24 }),
      featureCount: fc.integer({ min: 1, max: 3 }),
      missing: fc.constantFrom(0, 0.3),
      seed: fc.nat({ max: 1e6 }),
    });
    fc.assert(
      fc.property(
        drawn,
        fc.constantFrom(0, 1),
        fc.constantFrom(0, 0.4),
        fc.constantFrom(0, 2),
        (table, l2, l1, least) => {
          const examples = drawExamples('regression', table);
          const settings = { ...QUICK, treeCount: 1, maxDepth: 1, l2, l1, minChildWeight: least };
          const { gain, base } = grown(examples, 'regression', settings);
          const wanted = bestGainByForce(examples, base, { l1, l2, least: Math.max(least, 1) });
          assert.ok(Math.abs(gain[0]! - wanted) <= 1e-5 * (1 + wanted), `${gain[0]} is not ${wanted}`);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('by categories is the best of all subsets', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1e6 }), fc.integer({ min: 2, max: 6 }), (seed, categoryCount) => {
        const random = createRandom(seed);
        const values = Float64Array.from({ length: 40 }, () => random.integer(categoryCount));
        const target = values.map((value) => ((value * 7 + seed) % 5) + random.normal());
        const examples = tableOf(values, 1, target);
        const settings = { ...QUICK, treeCount: 1, maxDepth: 1, l2: 0, categorical: [0] };
        const { gain, base } = grown(examples, 'regression', settings);
        let best = 0;
        for (let set = 1; set < 2 ** categoryCount; set++)
          best = Math.max(
            best,
            gainOf(examples, base, (row) => (set >> values[row]!) % 2 === 1, { l1: 0, l2: 0, least: 1 }),
          );
        assert.ok(Math.abs(gain[0]! - best) <= 1e-5 * (1 + best), `${gain[0]} is not ${best}`);
      }),
      { numRuns: 60 },
    );
  });

  test('is never made by a column that is missing everywhere, or is the same everywhere', () => {
    const examples = drawExamples('regression', { rowCount: 200, featureCount: 4, missing: 0.1, seed: 5 });
    for (let row = 0; row < 200; row++) {
      examples.inputs.values[row * 4 + 1] = Number.NaN;
      examples.inputs.values[row * 4 + 2] = 3;
    }
    const { feature } = grown(examples, 'regression', QUICK);
    assert.ok(!feature.includes(1) && !feature.includes(2) && feature.includes(0));
  });

  test('sends the missing where the loss falls more, and parts them from all others where that is best', () => {
    const values = Float64Array.from({ length: 60 }, (_, row) => (row % 3 === 0 ? Number.NaN : row % 7));
    const examples = tableOf(
      values,
      1,
      values.map((value) => (Number.isNaN(value) ? 5 : 0)),
    );
    const trees = grown(examples, 'regression', { ...QUICK, treeCount: 1, maxDepth: 1, learningRate: 1, l2: 0 });
    assert.ok(Math.abs(predictRow(trees, Float64Array.of(Number.NaN)) - 5) < 1e-6);
    for (const value of [-1e30, 0, 6, 1e30]) assert.ok(Math.abs(predictRow(trees, Float64Array.of(value))) < 1e-6);
  });

  test('that saw no missing value sends them with the most', () => {
    const values = Float64Array.from({ length: 50 }, (_, row) => row);
    for (const [cut, most] of [
      [10, 49],
      [40, 0],
    ] as const) {
      const examples = tableOf(
        values,
        1,
        values.map((value) => Number(value < cut)),
      );
      const trees = grown(examples, 'regression', { ...QUICK, treeCount: 1, maxDepth: 1 });
      assert.equal(predictRow(trees, Float64Array.of(Number.NaN)), predictRow(trees, Float64Array.of(most)));
    }
  });

  test('is taken back by gamma, and not made by children of too little weight', () => {
    const examples = drawExamples('regression', { rowCount: 120, featureCount: 3, missing: 0, seed: 3 });
    assert.equal(grown(examples, 'regression', { ...QUICK, gamma: 1e9 }).feature.length, QUICK.treeCount);
    const { feature, cover } = grown(examples, 'regression', { ...QUICK, minChildWeight: 20 });
    assert.ok(feature.length > QUICK.treeCount && cover.every((each) => each >= 20));
  });
});

describe('boosted trees', () => {
  test('are the same whatever the order of the rows', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1e6 }), fc.constantFrom<Goal>('binary', 'regression', 'quantile'), (seed, goal) => {
        const examples = drawExamples(goal, { rowCount: 80, featureCount: 3, missing: 0.1, seed });
        const random = createRandom(seed);
        const order = Int32Array.from({ length: 80 }, (_, row) => row);
        const keys = Float64Array.from(order, () => random.uniform());
        order.sort((a, b) => keys[a]! - keys[b]!);
        assert.deepEqual(grown(takeExamples(examples, order), goal, QUICK), grown(examples, goal, QUICK));
      }),
      { numRuns: 40 },
    );
  });

  test('tell the margins they ended with, for rows that were drawn and rows that were not', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 1e6 }),
        fc.constantFrom(...GOALS),
        fc.constantFrom(0.3, 0.7, 1),
        (seed, goal, rowShare) => {
          const examples = drawExamples(goal, { rowCount: 90, featureCount: 3, missing: 0.2, seed }, 0);
          const settings = { ...QUICK, rowShare, columnShare: 0.7, categorical: [0] };
          let margins: Float64Array = new Float64Array(0);
          const trees = boost({ examples, goal, settings, random: createRandom(seed) }, (shape) => {
            const kernels = twinOf(shape);
            margins = kernels.room.margins;
            return kernels;
          });
          for (const [row, margin] of predictMargin(trees, examples.inputs).entries())
            assert.ok(Math.abs(margin - margins[row]!) < 1e-12 * (1 + Math.abs(margin)), `row ${row}`);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('hold their monotone constraints everywhere', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1e6 }), fc.constantFrom<Goal>('binary', 'regression'), (seed, goal) => {
        const examples = drawExamples(goal, { rowCount: 150, featureCount: 3, missing: 0.1, seed });
        const trees = grown(examples, goal, { ...DEFAULTS, treeCount: 15, maxDepth: 4, monotone: [1, -1, 0] });
        const random = createRandom(seed);
        const row = Float64Array.from({ length: 3 }, () => 2 * random.normal());
        for (const [column, direction] of [
          [0, 1],
          [1, -1],
        ] as const) {
          let last = Number.NEGATIVE_INFINITY;
          for (let step = -30; step <= 30; step++) {
            const moved = row.slice();
            moved[column] = (direction * step) / 10;
            const margin = predictRow(trees, moved);
            assert.ok(margin >= last, `column ${column}: ${margin} after ${last}`);
            last = margin;
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test('give probabilities between 0 and 1, also for a class that never came', () => {
    const examples = drawExamples('binary', { rowCount: 60, featureCount: 2, missing: 0, seed: 1 });
    for (const target of [examples.target, new Float64Array(60), new Float64Array(60).fill(1)]) {
      const model = gradientBoostedTrees.fit({ ...examples, target }, 'binary', { ...QUICK, treeCount: 200 }, 1);
      assert.ok(model.predict(examples.inputs).every((p) => p > 0 && p < 1));
    }
  });

  test('have the quantile asked for: so many of the targets lie below', () => {
    const examples = drawExamples('quantile', { rowCount: 1000, featureCount: 2, missing: 0, seed: 9 });
    for (const quantile of [0.1, 0.5, 0.9]) {
      const told = gradientBoostedTrees
        .fit(examples, 'quantile', { ...QUICK, treeCount: 30, quantile }, 1)
        .predict(examples.inputs);
      const below = told.filter((q, row) => examples.target[row]! < q).length / 1000;
      assert.ok(Math.abs(below - quantile) < 0.04, `${below} lie below the quantile ${quantile}`);
    }
  });

  test('a row of weight two is as good as the row twice', () => {
    const once = drawExamples('binary', { rowCount: 60, featureCount: 2, missing: 0.1, seed: 4 });
    const rows = Int32Array.from({ length: 90 }, (_, k) => (k < 60 ? k : k - 60));
    const weight = Float64Array.from({ length: 60 }, (_, row) => (row < 30 ? 2 : 1));
    // Few values, so that cuts do not depend on how often a row is there.
    const rounded = { ...once, inputs: { ...once.inputs, values: once.inputs.values.map((x) => Math.round(4 * x)) } };
    const a = grown({ ...rounded, weight }, 'binary', QUICK);
    const b = grown(takeExamples(rounded, rows), 'binary', QUICK);
    assert.deepEqual(a.feature, b.feature);
    for (const [node, value] of a.leaf.entries()) assert.ok(Math.abs(value - b.leaf[node]!) < 1e-7);
  });

  test('stop when the last rows are told no better, and keep the trees up to the best', () => {
    const examples = drawExamples('binary', { rowCount: 400, featureCount: 4, missing: 0, seed: 2 });
    const settings = { ...DEFAULTS, treeCount: 400, learningRate: 0.3, validationShare: 0.3, patience: 5 };
    let asked = 0;
    const model = gradientBoostedTrees.fit(examples, 'binary', settings, 1, (done) => {
      asked = done;
    });
    const kept = treesOf(model.body).treeStart.length - 1;
    assert.ok(kept < 100 && asked === kept + 5, `${kept} trees of ${asked}`);
    const early = takeExamples(
      examples,
      Int32Array.from({ length: 280 }, (_, row) => row),
    );
    assert.deepEqual(treesOf(model.body), grown(early, 'binary', { ...DEFAULTS, learningRate: 0.3, treeCount: kept }));
    const ranking = drawExamples('ranking', { rowCount: 400, featureCount: 4, missing: 0, seed: 2 });
    assert.ok(grown(ranking, 'ranking', settings).treeStart.length > 1);
  });

  test('another seed draws other rows and columns, the same seed the same', () => {
    const examples = drawExamples('binary', { rowCount: 200, featureCount: 6, missing: 0, seed: 8 });
    const settings = { ...QUICK, rowShare: 0.5, columnShare: 0.5 };
    const bytes = (seed: number) => gradientBoostedTrees.fit(examples, 'binary', settings, seed).save();
    assert.deepEqual(bytes(1), bytes(1));
    assert.notDeepEqual(bytes(1), bytes(2));
  });

  test('name what they cannot do', () => {
    const examples = drawExamples('binary', { rowCount: 20, featureCount: 2, missing: 0, seed: 8 });
    const wrong: [Partial<BoostedTreesSettings>, RegExp][] = [
      [{ treeCount: 0 }, /treeCount must be a whole number in 1\.\.10000, was 0/],
      [{ maxDepth: 31 }, /maxDepth/],
      [{ binCountMax: 257 }, /binCountMax/],
      [{ learningRate: 0 }, /learningRate must be above 0/],
      [{ rowShare: 1.5 }, /rowShare/],
      [{ l2: -1 }, /l2/],
      [{ gamma: Number.NaN }, /gamma/],
      [{ quantile: 1 }, /quantile/],
      [{ validationShare: 1 }, /validationShare/],
      [{ validationShare: 0.999 }, /leaves nothing to learn from/],
      [{ patience: 0 }, /patience/],
      [{ categorical: [2] }, /categorical columns must be in 0\.\.1/],
      [{ categorical: [0] }, /categories of column 0 must be whole numbers/],
      [{ monotone: [1] }, /monotone must have 2 directions/],
      [{ monotone: [1, 2] }, /must be -1, 0 or 1/],
      [{ monotone: [1, 0], categorical: [0] }, /no order/],
    ];
    for (const [change, sentence] of wrong)
      assert.throws(() => grown(examples, 'binary', { ...QUICK, ...change }), sentence, JSON.stringify(change));
    const quantile = { ...QUICK, monotone: [1, 0] };
    assert.throws(() => grown(examples, 'quantile', quantile), /do not hold for the goal quantile/);
    examples.inputs.values[3] = Number.POSITIVE_INFINITY;
    assert.throws(() => grown(examples, 'binary', QUICK), /must be NaN where missing/);
    const many = tableOf(
      Float64Array.from({ length: 300 }, (_, k) => k),
      1,
      new Float64Array(300),
    );
    assert.throws(() => grown(many, 'regression', { ...QUICK, categorical: [0] }), /at most 255 categories, had 300/);
    const ranking = drawExamples('ranking', { rowCount: 20, featureCount: 2, missing: 0, seed: 8 });
    ranking.target[0] = 99;
    assert.throws(() => grown(ranking, 'ranking', QUICK), /relevance may spread over 31/);
  });
});

describe('a prediction', () => {
  test('is the walk from node to node, for shallow and deep trees, with and without missing values and categories', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1e6 }), fc.constantFrom(1, 4, 11), fc.boolean(), (seed, maxDepth, isCategorical) => {
        const examples = drawExamples(
          'regression',
          { rowCount: 150, featureCount: 3, missing: 0.1, seed },
          isCategorical ? 0 : -1,
        );
        const settings = { ...QUICK, maxDepth, categorical: isCategorical ? [0] : [] };
        const trees = grown(examples, 'regression', settings);
        for (const variant of [
          trees,
          { ...trees, comparison: 'less_or_equal' as const },
          { ...trees, roundsInputs: true },
        ]) {
          const margins = predictMargin(variant, examples.inputs);
          for (let row = 0; row < 150; row++)
            assert.equal(margins[row], walked(variant, examples.inputs.values.subarray(3 * row, 3 * row + 3)));
        }
      }),
      { numRuns: 20 },
    );
  });

  test('on a threshold goes right where less is asked, left where at most is asked', () => {
    const trees = grown(tableOf(Float64Array.of(-1, -1, 1, 1), 1, Float64Array.of(0, 0, 1, 1)), 'regression', {
      ...QUICK,
      treeCount: 1,
      maxDepth: 1,
    });
    for (const threshold of [trees.threshold[0]!, -2.5, 1e300]) {
      const at = { ...trees, threshold: trees.threshold.map(() => threshold) };
      const row = Float64Array.of(threshold);
      assert.equal(predictRow(at, row), predictRow(at, Float64Array.of(threshold + Math.abs(threshold) + 1)));
      assert.notEqual(predictRow({ ...at, comparison: 'less_or_equal' }, row), predictRow(at, row));
    }
  });

  test('of a category that was never seen goes right', () => {
    const values = Float64Array.from({ length: 40 }, (_, row) => row % 4);
    const examples = tableOf(
      values,
      1,
      values.map((value) => Number(value === 1 || value === 2)),
    );
    const trees = grown(examples, 'regression', { ...QUICK, treeCount: 1, maxDepth: 1, categorical: [0] });
    assert.equal(goesLeft(trees, 0, 77), false);
    assert.equal(predictRow(trees, Float64Array.of(1)), predictRow(trees, Float64Array.of(2)));
    assert.notEqual(predictRow(trees, Float64Array.of(1)), predictRow(trees, Float64Array.of(3)));
  });

  test('covers of children add up to that of their parent, and every training row falls into its leaf', () => {
    const examples = drawExamples('regression', { rowCount: 300, featureCount: 3, missing: 0.2, seed: 6 });
    const trees = grown(examples, 'regression', QUICK);
    const { cover, left, right, feature } = trees;
    for (let node = 0; node < feature.length; node++)
      if (feature[node]! >= 0) assert.equal(cover[node], cover[left[node]!]! + cover[right[node]!]!);
    const counts = new Float64Array(feature.length);
    for (let row = 0; row < 300; row++)
      counts[findLeaf(trees, 2, examples.inputs.values.subarray(3 * row, 3 * row + 3))]! += 1;
    for (const [node, count] of counts.entries()) if (count > 0) assert.equal(count, cover[node]);
    assert.equal(depthOf(trees), 3);
  });
});

describe('forests', () => {
  test('give shares between 0 and 1, the same for the same seed, and survive saving', () => {
    const examples = drawExamples('binary', { rowCount: 200, featureCount: 5, missing: 0.1, seed: 1 });
    const fit = (seed: number) =>
      randomForest.fit(examples, 'binary', { ...randomForest.defaults, treeCount: 7 }, seed);
    const told = fit(1).predict(examples.inputs);
    assert.ok(told.every((p) => p >= 0 && p <= 1) && new Set(told).size > 4);
    assert.deepEqual(fit(1).save(), fit(1).save());
    assert.notDeepEqual(fit(1).save(), fit(2).save());
    assert.deepEqual(randomForest.load(fit(1).save()).predict(examples.inputs), told);
    for (const change of [{ columnShare: 0 }, { minLeafWeight: 0 }, { treeCount: 0 }])
      assert.throws(() => randomForest.fit(examples, 'binary', { ...randomForest.defaults, ...change }, 1), RangeError);
  });

  test('an isolation forest tells what is alone, survives saving, and does not tell of rows with missing values', () => {
    const { inputs } = drawExamples('regression', { rowCount: 300, featureCount: 2, missing: 0, seed: 3 });
    inputs.values.set([9, -9], 20);
    const forest = fitIsolationForest(inputs, { treeCount: 50 }, 1);
    const scores = forest.score(inputs);
    assert.equal(scores.indexOf(Math.max(...scores)), 10);
    assert.deepEqual(loadIsolationForest(forest.save()).score(inputs), scores);
    assert.deepEqual(fitIsolationForest(inputs, { treeCount: 50 }, 1).save(), forest.save());
    inputs.values[4] = Number.NaN;
    const holed = forest.score(inputs);
    assert.ok(Number.isNaN(holed[2]) && holed[3] === scores[3]);
    assert.throws(() => fitIsolationForest(inputs, {}, 1), /must be finite/);
    assert.throws(() => loadIsolationForest(new Uint8Array(4)), RangeError);
  });
});

describe('small parts', () => {
  test('the exponential is that of the standard library, to the last bits', () => {
    fc.assert(
      fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (x) => {
        assert.ok(Math.abs(exponential(x) / Math.exp(x) - 1) < 1e-13);
      }),
    );
    assert.equal(exponential(0), 1);
    assert.ok(exponential(1e9) < Number.POSITIVE_INFINITY && exponential(-1e9) > 0);
  });

  test('sums on the grid do not depend on their order, and lose next to nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 }), (list) => {
        const values = Float64Array.from(list);
        const sum = orderlessSum(values);
        assert.equal(orderlessSum(values.toReversed()), sum);
        const largest = Math.max(...list.map(Math.abs), 1e-300);
        assert.ok(Math.abs(sum - list.reduce((a, b) => a + b, 0)) <= 1e-12 * largest * list.length);
        assert.ok(
          Math.abs(onGrid(values[0]!, gridFor(largest, list.length)) - values[0]!) <= 1e-12 * largest * list.length,
        );
      }),
    );
  });

  test('a weighted quantile stands in the middle of weights', () => {
    const quantile = (probability: number) =>
      weightedQuantile(Float64Array.of(3, 1, 2), Float64Array.of(1, 1, 2), probability);
    // Weights 1, 2, 1 end at 1, 3, 4; their middles are at 0.5, 2, 3.5 of 4.
    assert.equal(quantile(0.5), 2);
    assert.equal(quantile(0.125), 1);
    assert.equal(quantile(0), 1);
    assert.equal(quantile(1), 3);
    assert.equal(quantile((2 + 0.75) / 4), 2.5);
  });
});

function twinOf(shape: Parameters<typeof createTwinKernels>[0]) {
  const kernels = createTwinKernels(shape);
  assert.ok(kernels, 'this machine has no WebAssembly with vectors');
  return kernels;
}

function grown(examples: Examples, goal: Goal, settings: BoostedTreesSettings): TreeEnsemble {
  return treesOf(gradientBoostedTrees.fit(examples, goal, settings, 1).body);
}

function treesOf(body: ReturnType<typeof gradientBoostedTrees.fit>['body']): TreeEnsemble {
  assert.ok(body.kind === 'trees');
  return body.trees;
}

function walked(trees: TreeEnsemble, row: Float64Array): number {
  const seen = trees.roundsInputs ? row.map(Math.fround) : row;
  let sum = 0;
  for (let tree = 0; tree + 1 < trees.treeStart.length; tree++) sum += trees.leaf[findLeaf(trees, tree, seen)]!;
  return trees.base + trees.scale * sum;
}

function tableOf(values: Float64Array, featureCount: number, target: Float64Array): Examples {
  const inputs = { rowCount: target.length, stepCount: 1, featureCount, values };
  return { inputs, target, weight: null, group: null };
}

type Drawn = { rowCount: number; featureCount: number; missing: number; seed: number };

function drawExamples(goal: Goal, { rowCount, featureCount, missing, seed }: Drawn, categorical = -1): Examples {
  const random = createRandom(seed);
  const values = Float64Array.from({ length: rowCount * featureCount }, (_, k) => {
    const value = k % featureCount === categorical ? random.integer(6) : random.normal();
    return random.uniform() < missing ? Number.NaN : value;
  });
  const signal = Float64Array.from({ length: rowCount }, (_, row) => {
    const [a, b] = [values[row * featureCount]!, values[row * featureCount + featureCount - 1]!];
    return (Number.isNaN(a) ? 1 : a) - (Number.isNaN(b) ? 0 : b / 2) + 0.5 * random.normal();
  });
  const target = signal.map((each) => {
    if (goal === 'binary') return Number(each > 0);
    return goal === 'ranking' ? Math.min(Math.max(Math.round(each), 0), 4) : each;
  });
  const group = goal === 'ranking' ? Int32Array.from({ length: rowCount }, (_, row) => Math.floor(row / 7)) : null;
  return { ...tableOf(values, featureCount, target), group };
}

type Rules = { l1: number; l2: number; least: number };

/** The largest gain over all features, all places between values, and both sides for the missing. */
function bestGainByForce(examples: Examples, base: number, rules: Rules): number {
  const { values, featureCount, rowCount } = examples.inputs;
  let best = 0;
  for (let column = 0; column < featureCount; column++) {
    const valueHere = (row: number): number => values[row * featureCount + column]!;
    for (let at = 0; at < rowCount; at++)
      for (const missingLeft of [true, false]) {
        const isLeft = (row: number) => (Number.isNaN(valueHere(row)) ? missingLeft : valueHere(row) <= valueHere(at));
        best = Math.max(best, gainOf(examples, base, isLeft, rules));
      }
  }
  return best;
}

function gainOf(
  { target }: Examples,
  base: number,
  isLeft: (row: number) => boolean,
  { l1, l2, least }: Rules,
): number {
  const sums = { left: [0, 0], right: [0, 0], all: [0, 0] };
  for (const [row, y] of target.entries())
    for (const side of [isLeft(row) ? 'left' : 'right', 'all'] as const) {
      sums[side][0]! += base - y;
      sums[side][1]! += 1;
    }
  if (sums.left[1]! < least || sums.right[1]! < least) return 0;
  const score = ([gradient, hessian]: number[]) => Math.max(Math.abs(gradient!) - l1, 0) ** 2 / (hessian! + l2);
  return score(sums.left) + score(sums.right) - score(sums.all);
}
