import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { championLine, previousChampion } from './champion-line.ts';

type Move = { action: 'promoted' | 'rolled_back' | 'removed'; to: number | null };
const promoted = (to: number): Move => ({ action: 'promoted', to });
const rolledBack = (to: number): Move => ({ action: 'rolled_back', to });
const removed: Move = { action: 'removed', to: null };
const NONE: ReadonlySet<number> = new Set();

test('what was left by a rollback is no champion before, and a withdrawal is not one either', () => {
  assert.equal(previousChampion([], NONE), null);
  assert.equal(previousChampion([promoted(1)], NONE), null);
  assert.equal(previousChampion([promoted(1), promoted(2)], NONE), 1);
  assert.equal(previousChampion([promoted(1), promoted(2), promoted(3), rolledBack(2)], NONE), 1);
  assert.equal(previousChampion([promoted(1), promoted(2), removed], NONE), 2);
  assert.equal(previousChampion([promoted(1), promoted(2), removed, rolledBack(2)], NONE), 1);
  assert.equal(previousChampion([promoted(1), promoted(2), promoted(1)], NONE), 2);
  assert.equal(previousChampion([promoted(1), promoted(2), promoted(3)], new Set([2])), 1);
});

test('however champions came and went, rolling back as often as possible ends at the first, each time at another', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('promote' as const), version: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constantFrom('rollback' as const, 'remove' as const), version: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const events: Move[] = [];
      const current = () => championLine(events).at(-1) ?? null;
      const rollBack = (): boolean => {
        const to = previousChampion(events, NONE);
        if (to === null) return false;
        assert.notEqual(to, current());
        events.push(rolledBack(to));
        assert.equal(current(), to);
        return true;
      };
      for (const { kind, version } of steps) {
        if (kind === 'promote' && version !== current()) events.push(promoted(version));
        else if (kind === 'remove' && current() !== null) events.push(removed);
        else if (kind === 'rollback') rollBack();
      }
      const first = championLine(events).find((version) => version !== null) ?? null;
      let count = 0;
      while (rollBack()) {
        count += 1;
        assert.ok(count <= events.length, 'it ends');
      }
      assert.equal(current(), current() === null ? null : first);
    }),
  );
});
