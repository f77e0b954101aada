import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buyAndHoldTargets } from './buy-and-hold.ts';
import { equalWeightTargets } from './equal-weight.ts';
import { type Fill, runWeights, type WeightsRun } from './run-weights.ts';
import { createTargetWriter, denseTargets, rebalanceRows, type TargetWeights } from './target-weights.ts';

const NONE = Number.NaN;

function decide(...decisions: [row: number, weights: number[]][]): TargetWeights {
  const writer = createTargetWriter();
  for (const [row, weights] of decisions) {
    const columns = weights.map((_, i) => i).filter((i) => weights[i]! > 0);
    const status = columns.length > 0 ? ({ status: 'ok' } as const) : ({ status: 'cash', reason: 'told so' } as const);
    writer.add(
      row,
      status,
      columns,
      columns.map((i) => weights[i]!),
      columns.length,
    );
  }
  return writer.finish();
}

function run(
  rows: number[][],
  targets: TargetWeights,
  costBasisPoints = 0,
  fill: Fill = 'close',
  delistAfterRows = 3,
): WeightsRun {
  return runWeights({
    close: Float64Array.from(rows.flat()),
    rowCount: rows.length,
    columnCount: rows[0]!.length,
    targets,
    costBasisPoints,
    fill,
    delistAfterRows,
  });
}

test('a decision of today earns from today to tomorrow, and the next row pays for it', () => {
  const result = run(
    [
      [100, 50],
      [110, 50],
      [110, 60],
    ],
    decide([0, [0.5, 0.5]]),
    10,
  );
  assert.ok(Number.isNaN(result.returnsGross[0]!));
  near(result.returnsGross[1]!, 0.05); // half of it made 10 %
  near(result.returnsNet[1]!, (1 - 0.001) * 1.05 - 1); // buying everything costs 10 bp of one
  near(result.returnsGross[2]!, (0.5 / 1.05) * 0.2); // the second half had drifted to .5 / 1.05
  assert.deepEqual([...result.turnover], [1, 0, 0]);
  near(result.invested[2]!, 1);
});

test('the later fill earns one day later', () => {
  const result = run([[100], [200], [300], [300]], decide([0, [1]]), 0, 'next-close');
  assert.deepEqual([...result.returnsGross.subarray(1)], [0, 0.5, 0]);
  assert.deepEqual([...result.turnover], [0, 1, 0, 0]);
});

test('a full switch is charged on both legs, against what the weights had drifted to', () => {
  const result = run(
    [
      [100, 100],
      [300, 100],
      [300, 100],
    ],
    decide([0, [0.5, 0.5]], [1, [0.5, 0.5]]),
    100,
  );
  // Drifted to 1.5 / 2 and .5 / 2, so a quarter is sold and a quarter bought.
  near(result.turnover[1]!, 0.5);
  near(result.returnsNet[2]!, -0.005);
});

test('cash earns nothing, and cash as a decision sells everything', () => {
  const result = run([[100], [110], [121], [133.1]], decide([0, [0.5]], [1, [0]]), 0);
  near(result.returnsGross[1]!, 0.05);
  near(result.returnsGross[2]!, 0);
  assert.deepEqual([...result.holdingCount], [1, 0, 0, 0]);
});

test('an infeasible decision trades nothing and keeps what is held', () => {
  const writer = createTargetWriter();
  writer.add(0, { status: 'ok' }, [0], [1], 1);
  writer.add(1, { status: 'infeasible', reason: 'minimum weights sum to 1.2' }, [], [], 0);
  const result = run([[100], [110], [121]], writer.finish());
  assert.deepEqual([result.turnover[1], result.holdingCount[1]], [0, 1]);
  near(result.returnsGross[2]!, 0.1);
});

test('a holding without a price keeps its last one, is not traded, and is made up when the price comes back', () => {
  const rows = [
    [100, 100],
    [NONE, 100],
    [120, 100],
  ];
  const result = run(rows, decide([0, [0.5, 0.5]], [1, [0, 1]]));
  assert.deepEqual([...result.staleCount], [0, 1, 0]);
  assert.equal(result.untradableCount[1], 1);
  near(result.returnsGross[1]!, 0);
  near(result.returnsGross[2]!, 0.1); // still half of it, and it made 20 %
  near(result.finalWeights[0]!, 0.6 / 1.1);
});

test('after enough rows without a price a holding is cash at its last price, and comes back as a new holding', () => {
  const rows = [
    [100, 100],
    [NONE, 100],
    [NONE, 100],
    [NONE, 200],
    [500, 200],
    [500, 200],
  ];
  const result = run(rows, decide([0, [0.5, 0.5]], [4, [1, 0]]));
  assert.deepEqual([...result.delistedCount], [0, 0, 0, 1, 0, 0]);
  near(result.returnsGross[3]!, 0.5);
  near(result.invested[3]!, 1 / 1.5);
  near(result.returnsGross[4]!, 0);
  near(result.turnover[4]!, 1 / 1.5 + 1);
});

test('a wanted instrument without a price is not bought and its part stays cash', () => {
  const result = run(
    [
      [NONE, 100],
      [10, 110],
    ],
    decide([0, [0.5, 0.5]]),
  );
  near(result.invested[0]!, 0.5);
  near(result.returnsGross[1]!, 0.05);
  assert.equal(result.untradableCount[0], 1);
});

test('without costs, daily rebalancing is the weighted mean of the returns; without trading, wealth adds up', () => {
  const panel = fc.array(fc.array(fc.double({ min: 1, max: 50, noNaN: true }), { minLength: 3, maxLength: 3 }), {
    minLength: 2,
    maxLength: 12,
  });
  fc.assert(
    fc.property(panel, (rows) => {
      const close = Float64Array.from(rows.flat());
      const shape = { close, rowCount: rows.length, columnCount: 3 };
      const daily = run(rows, equalWeightTargets(shape));
      const hold = run(rows, buyAndHoldTargets(shape));
      let wealth = 1;
      for (let t = 1; t < rows.length; t++) {
        near(
          daily.returnsGross[t]!,
          rows[t]!.reduce((sum, p, i) => sum + (p / rows[t - 1]![i]! - 1) / 3, 0),
        );
        wealth *= 1 + hold.returnsGross[t]!;
        near(
          wealth,
          rows[t]!.reduce((sum, p, i) => sum + p / rows[0]![i]! / 3, 0),
        );
      }
    }),
  );
});

test('scaling the prices of an instrument changes nothing', () => {
  const rows = [
    [10, 20, 30],
    [11, 19, 33],
    [12, 18, 30],
    [10, 21, 29],
  ];
  const targets = decide([0, [0.2, 0.3, 0.5]], [2, [0.6, 0.1, 0.1]]);
  const scaled = run(
    rows.map(([a, b, c]) => [a! * 4, b! / 8, c!]),
    targets,
    7,
  );
  assert.deepEqual(scaled, run(rows, targets, 7));
});

test('higher costs never earn more', () => {
  const rows = Array.from({ length: 30 }, (_, t) => [100 + t, 100 + 10 * Math.sin(t)]);
  const targets = equalWeightTargets({ close: Float64Array.from(rows.flat()), rowCount: 30, columnCount: 2 });
  const [free, cheap, dear] = [0, 10, 25].map((bp) => run(rows, targets, bp).returnsNet);
  for (let t = 1; t < 30; t++) assert.ok(free![t]! >= cheap![t]! && cheap![t]! >= dear![t]!);
});

test('equal weight asks members with a price only, and says cash when there is none', () => {
  const close = Float64Array.of(1, 2, NONE, NONE, NONE, NONE);
  const member = Uint8Array.of(1, 1, 1, 1, 1, 1);
  const targets = equalWeightTargets({ close, rowCount: 2, columnCount: 3, member });
  assert.deepEqual([...denseTargets(targets, 2, 3)], [0.5, 0.5, 0, 0, 0, 0]);
  assert.deepEqual(targets.status, [{ status: 'ok' }, { status: 'cash', reason: 'no member has a price' }]);
  member[0] = 0;
  const fewer = equalWeightTargets({ close, rowCount: 2, columnCount: 3, member, rebalanceEvery: 2 });
  assert.deepEqual([...denseTargets(fewer, 2, 3).subarray(0, 3)], [0, 1, 0]);
});

test('buy and hold waits for a price, decides once, and follows given weights', () => {
  const close = Float64Array.of(NONE, NONE, 1, 2, 1, 2);
  const initialWeights = Float64Array.of(3, 1);
  const targets = buyAndHoldTargets({ close, rowCount: 3, columnCount: 2, initialWeights });
  assert.deepEqual([[...targets.row], [...targets.weight]], [[1], [0.75, 0.25]]);
  assert.equal(buyAndHoldTargets({ close: close.fill(NONE), rowCount: 3, columnCount: 2 }).row.length, 0);
});

test('shapes, costs and schedules that make no sense are refused', () => {
  const targets = decide([0, [1]]);
  assert.throws(() => run([[1, 2]], decide([0, [0.7, 0.7]])), /must sum to at most 1, was 1.4/);
  assert.throws(() => run([[1]], decide([3, [1]])), /target row must be in 0..0/);
  assert.throws(() => run([[1]], targets, -1), /costBasisPoints must be/);
  assert.throws(() => run([[1]], targets, 0, 'close', 0), /delistAfterRows/);
  assert.throws(() => rebalanceRows(10, 0, 0), /rebalanceEvery/);
  assert.deepEqual([...rebalanceRows(10, 1, 4)], [1, 5, 9]);
});

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);
}
