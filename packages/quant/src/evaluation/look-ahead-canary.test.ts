import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../random/random.ts';
import { checkNoLookAhead, checkNoLookAheadOf, garbleValues } from './look-ahead-canary.ts';

const T = 120;

function prices(width = 1): { close: Float64Array } {
  const random = createRandom('canary prices');
  const close = new Float64Array(T * width);
  for (let k = 0; k < close.length; k++)
    close[k] = k < width ? 100 : close[k - width]! * Math.exp(0.01 * random.normal());
  return { close };
}

function check(compute: (input: { close: Float64Array }) => Float64Array, labelEnd?: Int32Array) {
  return checkNoLookAhead({
    name: 'case',
    input: prices(),
    rowCount: T,
    compute,
    random: createRandom(7),
    day: Int32Array.from({ length: T }, (_, t) => 18_000 + t),
    ...(labelEnd ? { labelEnd } : {}),
  });
}

test('a trailing moving average passes, and is seen to depend on its input', () => {
  const verdict = check(({ close }) => close.map((_, t) => mean(close.subarray(Math.max(0, t - 4), t + 1))));
  assert.deepEqual([verdict.ok, verdict.ok && verdict.isSensitive], [true, true]);
  assert.ok(verdict.ok && verdict.comparedCount > 1000);
});

test('a centered moving average looks ahead, and the sentence says where', () => {
  const verdict = check(({ close }) => close.map((_, t) => mean(close.subarray(Math.max(0, t - 2), t + 3))));
  assert.ok(!verdict.ok);
  assert.ok(verdict.row > verdict.probeRow - 3 && verdict.row <= verdict.probeRow);
  assert.equal(verdict.day, 18_000 + verdict.row);
  assert.match(
    verdict.sentence,
    /^case looks ahead: when everything after row \d+ was cut off, row \d+, column 0 became /,
  );
});

test('a scaler fitted on all data looks ahead from the first row on', () => {
  const verdict = check(({ close }) => {
    const center = mean(close);
    return close.map((x) => x - center);
  });
  assert.deepEqual([verdict.ok, !verdict.ok && verdict.row], [false, 0]);
});

test('weights of the same day applied to the day they were made from are caught', () => {
  // The position of t earns the return from t − 1 to t, whose sign it already knows. As a panel of positions with the
  // day they act from, that is a row that depends on the row after it.
  const verdict = check(({ close }) => {
    const positionActiveFromHere = new Float64Array(close.length);
    for (let t = 0; t + 1 < close.length; t++) positionActiveFromHere[t] = Math.sign(close[t + 1]! - close[t]!);
    return positionActiveFromHere;
  });
  assert.equal(verdict.ok, false);
});

test('a label passes with its declared end, and is caught when the end is declared too early', () => {
  const label = ({ close }: { close: Float64Array }): Float64Array =>
    close.map((x, t) => (t + 5 < close.length ? close[t + 5]! / x - 1 : Number.NaN));
  const end = (horizon: number): Int32Array => Int32Array.from({ length: T }, (_, t) => t + horizon);
  assert.equal(check(label, end(5)).ok, true);
  assert.equal(check(label, end(4)).ok, false);
  assert.equal(check(label).ok, false);
});

test('a function that keeps state between calls does not repeat itself', () => {
  let calls = 0;
  const verdict = check(({ close }) => close.map((x) => x + calls++));
  assert.ok(!verdict.ok && verdict.kind === 'repeated');
  assert.match(verdict.sentence, /does not repeat itself/);
});

test('a function that throws on a changed future, or returns another shape, is caught', () => {
  const throws = check(({ close }) => {
    if (Number.isNaN(close.at(-1)!)) throw new Error('no last price');
    return close;
  });
  assert.ok(!throws.ok && throws.actual === null);
  assert.match(throws.sentence, /it threw "no last price"/);
  const first = check(({ close }) => close.slice(0, T));
  assert.equal(first.ok, true);
  const fixedLength = check(({ close }) => Float64Array.from({ length: T }, (_, t) => close[t] ?? 0));
  assert.ok(!fixedLength.ok && /returned 120 values/.test(fixedLength.sentence));
});

test('a function that writes into its input cannot hide behind it', () => {
  const input = prices();
  const before = input.close.slice();
  checkNoLookAhead({ name: 'writer', input, rowCount: T, random: createRandom(1), compute: (i) => i.close.fill(1) });
  assert.deepEqual(input.close, before);
});

test('a constant passes, but is reported as insensitive', () => {
  const verdict = check(({ close }) => new Float64Array(close.length).fill(3));
  assert.ok(verdict.ok && !verdict.isSensitive);
});

test('a panel, a mask and a calendar are garbled by kind: days stay, bits are drawn, fixed columns are untouched', () => {
  const width = 3;
  const seen = new Set<number>();
  const verdict = checkNoLookAhead({
    name: 'panel',
    input: {
      ...prices(width),
      day: Int32Array.from({ length: T }, (_, t) => t),
      member: new Uint8Array(T * width).fill(1),
      instrument: Int32Array.of(7, 8),
    },
    fixed: ['instrument'],
    rowCount: T,
    random: createRandom(3),
    compute: (input) => {
      assert.deepEqual([...input.instrument], [7, 8]);
      seen.add(input.day.at(-1)! + 1 - input.day.length);
      return input.close.map((x, k) => (input.member[k] ? x : 0));
    },
  });
  assert.ok(verdict.ok && verdict.isSensitive);
  assert.deepEqual([...seen], [0]);
});

test('an input of another shape brings its own hands: events with a day each', () => {
  type Events = { rows: number; at: number[]; value: number[] };
  const events: Events = { rows: 50, at: [3, 10, 30], value: [1, 2, 4] };
  const lastKnown = (e: Events, delay: number): Float64Array =>
    Float64Array.from({ length: e.rows }, (_, t) => e.value.findLast((_, k) => e.at[k]! <= t - delay) ?? Number.NaN);
  const hands = {
    copy: (e: Events) => structuredClone(e),
    truncate: (e: Events, row: number) => {
      const kept = e.at.filter((at) => at <= row).length;
      return { rows: row + 1, at: e.at.slice(0, kept), value: e.value.slice(0, kept) };
    },
    garble: (e: Events, row: number) => ({ ...e, value: e.value.map((v, k) => (e.at[k]! > row ? v * 1000 : v)) }),
  };
  const base = { name: 'events', input: events, rowCount: 50, random: createRandom(5), probeRows: [9, 29], ...hands };
  assert.equal(checkNoLookAheadOf({ ...base, compute: (e) => lastKnown(e, 0) }).ok, true);
  assert.equal(checkNoLookAheadOf({ ...base, compute: (e) => lastKnown(e, -1) }).ok, false);
});

test('garbling leaves the past alone and positive values positive', () => {
  for (const kind of ['huge', 'tiny', 'shuffled', 'noise'] as const) {
    const { close } = prices(2);
    const garbled = close.slice();
    garbleValues(garbled, 40, 2, kind, createRandom(kind));
    assert.deepEqual(garbled.subarray(0, 82), close.subarray(0, 82));
    assert.ok(garbled.every((x) => x > 0));
    assert.notDeepEqual(garbled.subarray(82), close.subarray(82));
  }
});

test('a wrong shape and a probe without a future are refused', () => {
  const input = { close: new Float64Array(7) };
  const base = { name: 'x', input, random: createRandom(1), compute: (i: typeof input) => i.close };
  assert.throws(() => checkNoLookAhead({ ...base, rowCount: 3 }), /column close must have a whole number of values/);
  assert.throws(() => checkNoLookAhead({ ...base, rowCount: 7, probeRows: [6] }), /a probe must leave a future/);
  assert.throws(() => checkNoLookAhead({ ...base, rowCount: 1 }), /needs at least 2 rows/);
});

function mean(values: Float64Array): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
