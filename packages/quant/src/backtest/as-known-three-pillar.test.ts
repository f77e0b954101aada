import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../random/random.ts';
import {
  type AsKnownPanel,
  asKnownPanel,
  type CloseTellings,
  chainAsKnown,
  type KnownAction,
} from '../series/as-known-panel.ts';
import { threePillarAsKnown } from './as-known-three-pillar.ts';
import { threePillarTargets } from './three-pillar.ts';

type Telling = { column: number; row: number; knownAt: number; close: number };

function columns(tellings: Telling[]): CloseTellings {
  const sorted = tellings.toSorted((a, b) => a.column - b.column || a.row - b.row || a.knownAt - b.knownAt);
  return {
    column: Int32Array.from(sorted, (x) => x.column),
    row: Int32Array.from(sorted, (x) => x.row),
    knownAt: Float64Array.from(sorted, (x) => x.knownAt),
    close: Float64Array.from(sorted, (x) => x.close),
  };
}

/** Decisions of row t are taken at instant 10 t + 5; what is told on time is known at 10 t + 1. */
const knownBy = (rowCount: number) => Float64Array.from({ length: rowCount }, (_, t) => 10 * t + 5);
const onTime = (row: number) => 10 * row + 1;

function market(seed: number, rowCount: number, columnCount: number) {
  const random = createRandom(seed);
  const tellings: Telling[] = [];
  for (let column = 0; column < columnCount; column++) {
    let close = 50 + 50 * random.uniform();
    for (let row = 0; row < rowCount; row++) {
      close *= 1 + 0.02 * random.normal();
      if (random.uniform() < 0.03) continue;
      const wrong = random.uniform() < 0.01;
      const late = random.uniform() < 0.005 ? 25 : 0;
      tellings.push({ column, row, knownAt: onTime(row) + late, close: wrong ? close * 1.5 : close });
      if (wrong) tellings.push({ column, row, knownAt: onTime(row) + 10 * (1 + random.integer(8)), close });
    }
  }
  const actions: KnownAction[] = [
    { column: 0, exRow: 40, kind: 'split', value: 2, knownAt: 0 },
    { column: 1, exRow: 50, kind: 'dividend', value: 1, knownAt: 0 },
    { column: 2, exRow: 60, kind: 'split', value: 3, knownAt: onTime(63) },
  ];
  return { tellings, actions };
}

/** What a participant of row `t` had: everything known by then, nothing else, as one plain panel. */
function panelAt(tellings: Telling[], actions: KnownAction[], t: number, columnCount: number): AsKnownPanel {
  const now = 10 * t + 5;
  return asKnownPanel({
    tellings: columns(tellings.filter((x) => x.knownAt <= now && x.row <= t)),
    actions: actions.filter((x) => x.knownAt <= now && x.exRow <= t),
    rowCount: t + 1,
    columnCount,
    knownBy: new Float64Array(t + 1).fill(now),
  });
}

test('the decisions of every row are those of a participant who had only what was known then', () => {
  const [rowCount, columnCount] = [100, 6];
  const day = Int32Array.from({ length: rowCount }, (_, t) => 15_000 + t);
  for (const seed of [1, 2, 3]) {
    const { tellings, actions } = market(seed, rowCount, columnCount);
    const panel = asKnownPanel({
      tellings: columns(tellings),
      actions,
      rowCount,
      columnCount,
      knownBy: knownBy(rowCount),
    });
    assert.ok(panel.revisions.length > 3, 'the market must have late knowledge');
    const caps = {
      day: Int32Array.from([15_000, 15_030, 15_030]),
      column: Int32Array.from([0, 1, 2]),
      cap: Float64Array.from([1e9, 2e9, 3e9]),
      origin: 'reported' as const,
    };
    const whole = threePillarAsKnown({ day, panel, caps });
    for (let t = 0; t < rowCount; t++) {
      const then = threePillarAsKnown({
        day: day.subarray(0, t + 1),
        panel: panelAt(tellings, actions, t, columnCount),
        caps,
        parameters: { startRow: t },
      });
      const weights = (d: typeof whole, r: number) => {
        const row = new Float64Array(columnCount);
        for (let k = d.targets.offset[r]!; k < d.targets.offset[r + 1]!; k++)
          row[d.targets.column[k]!] = d.targets.weight[k]!;
        return row;
      };
      const [a, b] = [weights(whole, t), weights(then, 0)];
      for (let i = 0; i < columnCount; i++)
        assert.ok(Math.abs(a[i]! - b[i]!) < 1e-9, `seed ${seed}, row ${t}, column ${i}: ${a[i]} and ${b[i]}`);
    }
  }
});

test('a later correction changes no earlier decision and no earlier level', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 0, max: 69 }), (seed, row) => {
      const { tellings, actions } = market(seed, 80, 4);
      const day = Int32Array.from({ length: 80 }, (_, t) => t);
      const knownRow = 75;
      const build = (all: Telling[]) =>
        asKnownPanel({ tellings: columns(all), actions, rowCount: 80, columnCount: 4, knownBy: knownBy(80) });
      const before = build(tellings);
      const after = build([...tellings, { column: 1, row, knownAt: onTime(knownRow), close: 999 }]);
      assert.deepEqual(chainAsKnown(before).subarray(0, 4 * knownRow), chainAsKnown(after).subarray(0, 4 * knownRow));
      const cut = (panel: AsKnownPanel) => {
        const { targets } = threePillarAsKnown({ day, panel });
        return [...targets.weight.subarray(0, targets.offset[knownRow])];
      };
      const [a, b] = [cut(before), cut(after)];
      assert.equal(a.length, b.length);
      for (let k = 0; k < a.length; k++) assert.ok(Math.abs(a[k]! - b[k]!) < 1e-12);
    }),
    { numRuns: 30 },
  );
});

test('without late knowledge the panel decides as one, to the last bit', () => {
  const { tellings } = market(9, 90, 5);
  const first = new Map(tellings.map((x) => [`${x.column}/${x.row}`, { ...x, knownAt: onTime(x.row) }]));
  const panel = asKnownPanel({
    tellings: columns([...first.values()]),
    actions: [],
    rowCount: 90,
    columnCount: 5,
    knownBy: knownBy(90),
  });
  const day = Int32Array.from({ length: 90 }, (_, t) => t);
  assert.equal(panel.revisions.length, 0);
  assert.deepEqual(chainAsKnown(panel), panel.totalReturn);
  assert.deepEqual(
    threePillarAsKnown({ day, panel }),
    threePillarTargets({ day, close: panel.totalReturn, columnCount: 5 }),
  );
});

test('a split and a dividend known in time leave no jump; a split known late is a loss until it is known', () => {
  const closes = [100, 102, 51.5, 52, 50, 51];
  const tellings = columns(closes.map((close, row) => ({ column: 0, row, knownAt: onTime(row), close })));
  const at = (actions: KnownAction[]) =>
    asKnownPanel({ tellings, actions, rowCount: 6, columnCount: 1, knownBy: knownBy(6) });
  const split = { column: 0, exRow: 2, kind: 'split', value: 2, knownAt: 0 } as const;
  const dividend = { column: 0, exRow: 4, kind: 'dividend', value: 1.5, knownAt: 0 } as const;
  const known = at([split, dividend]);
  assert.deepEqual(
    [...known.totalReturn].map((x) => Math.round(x * 1e6) / 1e6),
    [
      100,
      102,
      103, // 102 * 2 * 51.5 / 102
      104, // 103 * 52 / 51.5
      103, // 104 * (50 + 1.5) / 52
      105.06, // 103 * 51 / 50
    ],
  );
  assert.deepEqual(known.revisions, []);
  const late = at([{ ...split, knownAt: onTime(3) }]);
  assert.equal(late.totalReturn[2], 51.5);
  assert.equal(late.revisions[0]!.row, 3);
  // 100 → 102 → 51.5 as seen; at row 3 the split is known, and 52 against 51.5 is a small gain.
  assert.ok(Math.abs(chainAsKnown(late)[3]! - (51.5 * 52) / 51.5) < 1e-9);
});

test('a step that looks like an untold split is paid as nothing; a split known at that row is paid as itself', () => {
  const closes = [100, 102, 51.5, 52];
  const tellings = columns(closes.map((close, row) => ({ column: 0, row, knownAt: onTime(row), close })));
  const at = (actions: KnownAction[]) =>
    asKnownPanel({
      tellings,
      actions,
      rowCount: 4,
      columnCount: 1,
      knownBy: knownBy(4),
      suspectSteps: [{ column: 0, row: 2 }],
    });
  assert.deepEqual([...at([]).totalReturn.slice(0, 3)], [100, 102, 102]);
  assert.ok(Math.abs(at([]).totalReturn[3]! - (102 * 52) / 51.5) < 1e-9);
  assert.ok(Math.abs(at([{ column: 0, exRow: 2, kind: 'split', value: 2, knownAt: 0 }]).totalReturn[2]! - 103) < 1e-9);
});

test('unsorted tellings and impossible actions are named', () => {
  const tellings = {
    column: Int32Array.of(1, 0),
    row: Int32Array.of(0, 0),
    knownAt: Float64Array.of(0, 0),
    close: Float64Array.of(1, 1),
  };
  assert.throws(
    () => asKnownPanel({ tellings, actions: [], rowCount: 1, columnCount: 2, knownBy: knownBy(1) }),
    /tellings must be sorted/,
  );
});
