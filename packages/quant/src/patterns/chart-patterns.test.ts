import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkNoLookAhead } from '../evaluation/look-ahead-canary.ts';
import { createRandom } from '../random/random.ts';
import { plantPatterns, scorePatterns } from '../simulate/pattern-injector.ts';
import { type ChartPattern, detectChartPatterns } from './chart-patterns.ts';
import { zigzagPivots } from './zigzag.ts';

const outline = (patterns: readonly ChartPattern[]) =>
  patterns.map(({ kind, direction, firstBar, confirmationBar }) => ({ kind, direction, firstBar, confirmationBar }));

test('planted patterns are found at the easy level, on seeds the detector was tuned on', () => {
  let [found, planted, wrong] = [0, 0, 0];
  for (const seed of [0, 1, 2, 3]) {
    const { close, plants } = plantPatterns(seed, 'easy');
    const score = scorePatterns(plants, detectChartPatterns(close));
    found += score.found;
    planted += score.planted;
    wrong += score.wrong;
  }
  assert.ok(found >= 0.9 * planted && wrong <= 0.25 * found, `${found} of ${planted}, ${wrong} wrong`);
});

test('a detection does not look ahead: a shorter series has the same ones', () => {
  const { close } = plantPatterns(6, 'medium');
  const whole = outline(detectChartPatterns(close.subarray(0, 900)));
  assert.ok(whole.length > 0);
  for (const length of [300, 517, 640, 788, 899]) {
    const known = outline(detectChartPatterns(close.slice(0, length)));
    assert.deepEqual(
      known,
      whole.filter(({ confirmationBar }) => confirmationBar < length),
    );
  }
});

test('the canary stays silent on detections marked at their confirmation bar, and sings when they are marked earlier', () => {
  const close = plantPatterns(2, 'easy').close.slice(0, 700);
  const marks = (field: 'confirmationBar' | 'firstBar') => (input: { close: Float64Array }) => {
    const marked = new Float64Array(input.close.length);
    for (const pattern of detectChartPatterns(input.close)) marked[pattern[field]] = pattern.noise;
    return marked;
  };
  const canary = (field: 'confirmationBar' | 'firstBar') =>
    checkNoLookAhead({
      name: 'chart patterns',
      input: { close },
      rowCount: close.length,
      compute: marks(field),
      random: createRandom(3),
      probeRows: Int32Array.of(250, 330, 480, 600, 690),
    });
  const verdict = canary('confirmationBar');
  assert.ok(verdict.ok, verdict.ok ? '' : verdict.sentence);
  const confirmed = detectChartPatterns(close)[0]!;
  const early = checkNoLookAhead({
    name: 'marked at the first turning point',
    input: { close },
    rowCount: close.length,
    compute: marks('firstBar'),
    random: createRandom(3),
    probeRows: Int32Array.of(confirmed.firstBar + 1),
  });
  assert.equal(early.ok, false);
});

test('prices in another unit and another volatility give the same patterns', () => {
  const { close } = plantPatterns(9, 'medium');
  const short = close.slice(0, 1000);
  const reference = outline(detectChartPatterns(short));
  assert.ok(reference.length > 0);
  fc.assert(
    fc.property(fc.integer({ min: -8, max: 8 }), fc.constantFrom(0.5, 1, 2), (exponent, power) => {
      const changed = short.map((price) => 2 ** exponent * price ** power);
      assert.deepEqual(outline(detectChartPatterns(changed)), reference);
    }),
    { numRuns: 6 },
  );
});

test('a drift of fifteen percent a year up or down leaves seventeen in twenty of the planted patterns found', () => {
  for (const drift of [-0.15, 0.15]) {
    let [found, planted] = [0, 0];
    for (const seed of [20, 21, 22]) {
      const { close, plants } = plantPatterns(seed, 'easy');
      const drifted = close.map((price, t) => price * Math.exp((drift * t) / 252));
      const score = scorePatterns(plants, detectChartPatterns(drifted));
      found += score.found;
      planted += score.planted;
    }
    assert.ok(found >= 0.85 * planted, `${found} of ${planted} with a drift of ${drift}`);
  }
});

test('a pattern upside down is its mirror image', () => {
  const mirror: Record<string, string> = { 'double-top': 'double-bottom', 'bull-flag': 'bear-flag' };
  const { close } = plantPatterns(4, 'easy');
  const turned = detectChartPatterns(close.map((price) => 1 / price));
  const upright = detectChartPatterns(close);
  assert.equal(turned.length, upright.length);
  upright.forEach((pattern, k) => {
    assert.equal(turned[k]!.confirmationBar, pattern.confirmationBar);
    assert.equal(turned[k]!.direction, -pattern.direction);
    if (mirror[pattern.kind] !== undefined) assert.equal(turned[k]!.kind, mirror[pattern.kind]);
  });
});

test('the points lie on the pattern: ascending bars, the line ends on the confirmation bar beyond which the close stands', () => {
  const { close } = plantPatterns(12, 'medium');
  for (const { points, line, confirmationBar, direction, firstBar } of detectChartPatterns(close)) {
    assert.equal(points[0]!.bar, firstBar);
    points.forEach(({ bar, price }, k) => {
      assert.ok(k === 0 || bar > points[k - 1]!.bar);
      assert.ok(Math.abs(Math.log(price / close[bar]!)) < 0.2);
    });
    assert.equal(line[1].bar, confirmationBar);
    const mean = Math.sqrt(close[confirmationBar]! * close[confirmationBar - 1]!);
    assert.ok((mean - line[1].price) * direction > 0);
  }
});

test('missing and impossible closes are skipped; nothing is told of a constant, a short or an empty series', () => {
  const { close } = plantPatterns(9, 'easy');
  const gaps: number[] = [];
  const places: number[] = [];
  close.slice(0, 900).forEach((price, t) => {
    if (t % 40 === 7) gaps.push(t % 80 === 7 ? Number.NaN : 0);
    places.push(gaps.length);
    gaps.push(price);
  });
  const reference = detectChartPatterns(close.slice(0, 900));
  const withGaps = detectChartPatterns(Float64Array.from(gaps));
  assert.deepEqual(
    withGaps.map((pattern) => pattern.confirmationBar),
    reference.map((pattern) => places[pattern.confirmationBar]),
  );
  for (const empty of [[], [100], new Array(300).fill(50), new Array(300).fill(Number.NaN)])
    assert.deepEqual(detectChartPatterns(Float64Array.from(empty)), []);
});

test('a zigzag alternates, confirms after the turning point, and by the threshold', () => {
  const random = createRandom(5);
  let level = 0;
  const values = Float64Array.from({ length: 500 }, () => {
    level += random.normal();
    return level;
  });
  const pivots = zigzagPivots(values, 3);
  assert.ok(pivots.length > 10);
  pivots.forEach(({ bar, confirmationBar, isHigh }, k) => {
    assert.ok(confirmationBar > bar);
    assert.ok(Math.abs(values[confirmationBar]! - values[bar]!) >= 3);
    if (k > 0) assert.equal(isHigh, !pivots[k - 1]!.isHigh);
  });
  assert.throws(() => zigzagPivots(values, 0), /threshold must be positive/);
});
