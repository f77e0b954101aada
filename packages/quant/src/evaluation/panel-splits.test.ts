import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { combinatorialSplits, walkForwardSplits } from './panel-splits.ts';

/** Assets with days of their own, and labels of a few days; some not known yet. */
const panels = fc
  .record({
    assets: fc.integer({ min: 1, max: 4 }),
    days: fc.integer({ min: 30, max: 60 }),
    horizon: fc.integer({ min: 1, max: 6 }),
    gaps: fc.array(fc.nat(200), { maxLength: 20 }),
  })
  .map(({ assets, days, horizon, gaps }) => {
    const rows: { day: number; labelEnd: number }[] = [];
    for (let asset = 0; asset < assets; asset++) {
      const own = Array.from({ length: days }, (_, t) => 100 + t).filter((_, t) => !gaps.includes(asset * 60 + t));
      own.forEach((day, t) => {
        rows.push({ day, labelEnd: own[t + horizon] ?? -1 });
      });
    }
    return { day: Int32Array.from(rows, (row) => row.day), labelEnd: Int32Array.from(rows, (row) => row.labelEnd) };
  });

test('walking forward, what is learnt from was decided by the first day that is told, over all assets', () => {
  fc.assert(
    fc.property(panels, fc.integer({ min: 1, max: 4 }), fc.nat(5), (panel, foldCount, embargoDays) => {
      const splits = walkForwardSplits(panel, { foldCount, firstShare: 0.4, embargoDays });
      const told = splits.flatMap(({ testRows }) => Array.from(testRows));
      assert.equal(new Set(told).size, told.length);
      const first = splits[0]!.firstTestDay;
      assert.equal(told.length, panel.day.filter((day) => day >= first).length);
      for (const { trainRows, firstTestDay } of splits)
        for (const row of trainRows) {
          assert.ok(panel.labelEnd[row]! >= 0 && panel.labelEnd[row]! <= firstTestDay);
          assert.ok(panel.day[row]! < firstTestDay);
        }
    }),
    { numRuns: 60, seed: 2 },
  );
});

test('combinatorial splits share no day of an outcome, and their paths tell every day once', () => {
  fc.assert(
    fc.property(panels, fc.nat(3), (panel, embargoDays) => {
      const { splits, paths } = combinatorialSplits(panel, { groupCount: 5, testCount: 2, embargoDays });
      assert.equal(splits.length, 10);
      assert.equal(paths.length, 4);
      for (const { trainRows, testRows } of splits) {
        const tested = new Set<number>();
        for (const row of testRows) {
          const end = panel.labelEnd[row]! < 0 ? Math.max(...panel.day) : panel.labelEnd[row]!;
          for (let day = panel.day[row]! + 1; day <= end; day++) tested.add(day);
        }
        for (const row of trainRows)
          for (let day = panel.day[row]! + 1; day <= panel.labelEnd[row]!; day++)
            assert.ok(!tested.has(day), `row ${row} learns from day ${day}, on which a test is decided`);
      }
      for (const path of paths)
        for (const [group, split] of path.entries()) assert.ok(splits[split]!.groups.includes(group));
      const used = paths.flatMap((path) => Array.from(path, (split, group) => `${split}/${group}`));
      assert.equal(new Set(used).size, used.length);
    }),
    { numRuns: 30, seed: 3 },
  );
});

test('what cannot be split is refused by name', () => {
  const panel = { day: Int32Array.of(1, 2, 3), labelEnd: Int32Array.of(2, 3, -1) };
  assert.throws(() => walkForwardSplits(panel, { foldCount: 4, firstShare: 0.5 }), /3 days are too few for 4 blocks/);
  assert.throws(() => walkForwardSplits(panel, { foldCount: 1, firstShare: 1 }), /firstShare must lie between/);
  assert.throws(
    () => combinatorialSplits(panel, { groupCount: 2, testCount: 2, embargoDays: 0 }),
    /groupCount must be above testCount/,
  );
  assert.throws(
    () => walkForwardSplits({ ...panel, labelEnd: Int32Array.of(0, 3, -1) }, { foldCount: 1, firstShare: 0.5 }),
    /label of row 0 must not end before its day/,
  );
});
