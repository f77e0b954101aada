import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkNoLookAheadOf, garbleValues } from '../evaluation/look-ahead-canary.ts';
import { checkStrategyNoLookAhead } from '../evaluation/strategy-canary.ts';
import { createRandom } from '../random/random.ts';
import { boundedWeights } from './bounded-weights.ts';
import { type CapSnapshots, capsAsKnown, checkKnownCaps, NO_SNAPSHOT } from './caps-as-known.ts';
import { runWeights, type WeightsRun } from './run-weights.ts';
import { denseTargets } from './target-weights.ts';
import { runThreePillar, threePillarTargets, threePillarTargetsWithoutCapCheck } from './three-pillar.ts';

const T = 160;
const N = 8;
const DAY: Int32Array = Int32Array.from({ length: T }, (_, t) => 16_000 + t + 2 * Math.floor(t / 5));

type Market = { close: Float64Array; snapshots: CapSnapshots };

function market(seed: string): Market {
  const random = createRandom(seed);
  const close = new Float64Array(T * N);
  for (let k = 0; k < close.length; k++)
    close[k] = k < N ? 50 + 10 * k : close[k - N]! * Math.exp((0.005 + 0.004 * (k % N)) * random.normal());
  // Column 7 never reports a capitalisation.
  const reports = [2, 45, 90, 131].flatMap((t) =>
    Array.from({ length: N - 1 }, (_, i) => ({ day: DAY[t]!, i, cap: 1e9 * (1 + i) * random.uniform() })),
  );
  return {
    close,
    snapshots: {
      day: Int32Array.from(reports, (r) => r.day),
      column: Int32Array.from(reports, (r) => r.i),
      cap: Float64Array.from(reports, (r) => r.cap),
      origin: 'reported',
    },
  };
}

function decide({ close, snapshots }: Market, day = DAY, parameters = {}) {
  const caps = capsAsKnown(day, close, N, 'split_adjusted', snapshots);
  return threePillarTargets({ day, close, columnCount: N, caps, parameters });
}

test('agrees with the definition written out for one day', () => {
  const { close, snapshots } = market('oracle');
  const caps = capsAsKnown(DAY, close, N, 'split_adjusted', snapshots);
  const { targets, noCapCount, pillars } = threePillarTargets({
    day: DAY,
    close,
    columnCount: N,
    caps,
    parameters: { namesMax: 5, weightMax: 1, startRow: 100, rebalanceEvery: T },
  });
  const t = 100;
  const at = (s: number, i: number): number => close[s * N + i]!;
  const columns = Array.from({ length: N }, (_, i) => i);
  const momentum = columns.map((i) => Math.max(at(t, i) / at(t - 20, i) - 1, 0));
  const cap = columns.map((i) => {
    // The third report, of row 90, is the last one before row 100.
    const report = snapshots.cap[2 * (N - 1) + i]!;
    return i === 7 ? 0 : (report * at(t, i)) / at(90, i);
  });
  const calm = columns.map((i) => {
    const returns = Array.from({ length: 60 }, (_, k) => at(t - k, i) / at(t - k - 1, i) - 1);
    const mean = returns.reduce((a, b) => a + b) / 60;
    return 1 / Math.sqrt(returns.reduce((a, r) => a + (r - mean) ** 2, 0) / 59);
  });
  const sum = (list: number[]): number => list.reduce((a, b) => a + b);
  const score = columns.map(
    (i) => (0.4 * momentum[i]!) / sum(momentum) + (0.3 * cap[i]!) / sum(cap) + (0.3 * calm[i]!) / sum(calm),
  );
  const best = columns.toSorted((a, b) => score[b]! - score[a]!).slice(0, 5);
  const total = sum(best.map((i) => score[i]!));
  assert.deepEqual([...targets.column], best);
  // No bound binds here, so weights are scores over their sum.
  for (const [k, i] of best.entries()) near(targets.weight[k]!, score[i]! / total);
  assert.deepEqual([noCapCount[0], pillars[0]], [1, 0b111]);
});

test('weights sum to one, keep their bounds, and hold at most the allowed names', () => {
  for (const namesMax of [3, 5, 50]) {
    const { targets } = decide(market('bounds'), DAY, { namesMax });
    for (let r = 0; r < targets.row.length; r++) {
      const weights = targets.weight.subarray(targets.offset[r], targets.offset[r + 1]);
      if (weights.length === 0) continue;
      near(
        weights.reduce((a, b) => a + b, 0),
        1,
      );
      assert.ok(weights.length <= namesMax);
      const low = Math.min(0.01, 1 / (2 * weights.length));
      assert.ok(weights.every((w) => w >= low - 1e-15 && w <= 0.4 + 1e-15));
    }
  }
});

test('a pillar nobody has is dropped: capitalisation only, until there is a history', () => {
  const { targets, pillars } = decide(market('start'));
  assert.deepEqual(targets.status[0], { status: 'cash', reason: 'no candidate has a score' });
  assert.equal(pillars[10], 0b010);
  assert.equal(pillars[30]! & 0b100, 0);
  assert.equal(pillars[80]! & 0b110, 0b110);
});

test('nobody with a price means cash, two names at 40 % each are infeasible, and a strict least weight may be', () => {
  const empty = new Float64Array(T * N).fill(Number.NaN);
  const cash = threePillarTargets({ day: DAY, close: empty, columnCount: N });
  assert.ok(cash.targets.status.every((s) => s.status === 'cash' && s.reason === 'no candidate'));
  const two = decide(market('two'), DAY, { namesMax: 2 });
  assert.deepEqual(two.targets.status[120], {
    status: 'infeasible',
    reason: '2 names at most 40 % each reach only 80 %',
  });
  const strict = decide(market('two'), DAY, { namesMax: 6, weightMin: 0.2, weightMinRule: 'strict' });
  assert.deepEqual(strict.targets.status[120], { status: 'infeasible', reason: 'minimum weights sum to 1.2' });
});

test('an instrument without a price today, or outside the universe, is no candidate', () => {
  const { close, snapshots } = market('mask');
  close[120 * N + 1] = Number.NaN;
  const member = new Uint8Array(T * N).fill(1);
  member[120 * N + 2] = 0;
  const caps = capsAsKnown(DAY, close, N, 'split_adjusted', snapshots);
  const result = threePillarTargets({ day: DAY, close, columnCount: N, caps, member });
  const dense = denseTargets(result.targets, T, N);
  assert.deepEqual([dense[120 * N + 1], dense[120 * N + 2], result.candidateCount[120]], [0, 0, N - 2]);
  assert.ok(dense[119 * N + 1]! > 0 && dense[119 * N + 2]! > 0);
});

test('scaling the prices of everybody, or of one, changes no weight', () => {
  const base = market('scale');
  const scaled = { ...base, close: base.close.map((x, k) => x * (k % N === 3 ? 8 : 0.25)) };
  assert.deepEqual(decide(scaled).targets, decide(base).targets);
});

test('rewriting every later snapshot changes no weight', () => {
  const base = market('rewrite');
  const before = denseTargets(decide(base).targets, T, N);
  for (const row of [20, 45, 89, 130]) {
    const cap = base.snapshots.cap.map((c, k) => (base.snapshots.day[k]! >= DAY[row]! ? c * (1000 + k) : c));
    const after = denseTargets(decide({ ...base, snapshots: { ...base.snapshots, cap } }).targets, T, N);
    assert.deepEqual(after.subarray(0, (row + 1) * N), before.subarray(0, (row + 1) * N));
    assert.notDeepEqual(after, before);
  }
});

const hands = {
  copy: (m: Market): Market => structuredClone(m),
  truncate: (m: Market, row: number): Market => {
    const kept = [...m.snapshots.day.keys()].filter((k) => m.snapshots.day[k]! <= DAY[row]!);
    return {
      close: m.close.slice(0, (row + 1) * N),
      snapshots: {
        day: Int32Array.from(kept, (k) => m.snapshots.day[k]!),
        column: Int32Array.from(kept, (k) => m.snapshots.column[k]!),
        cap: Float64Array.from(kept, (k) => m.snapshots.cap[k]!),
        origin: 'reported',
      },
    };
  },
  garble: (
    m: Market,
    row: number,
    kind: 'missing' | 'huge' | 'tiny' | 'shuffled' | 'noise',
    random = createRandom(kind),
  ): Market => {
    const garbled = structuredClone(m);
    garbleValues(garbled.close, row, N, kind, random);
    for (let k = 0; k < garbled.snapshots.cap.length; k++)
      if (garbled.snapshots.day[k]! > DAY[row]!) garbled.snapshots.cap[k]! *= 1 + 9 * random.uniform();
    return garbled;
  },
};

test('the canary passes the decisions, the capitalisations and both runs', () => {
  const days = (m: Market): Int32Array => DAY.subarray(0, m.close.length / N);
  const base = { input: market('canary'), rowCount: T, random: createRandom(11), ...hands };
  const weights = checkNoLookAheadOf({
    ...base,
    name: 'three-pillar weights',
    compute: (m) => denseTargets(decide(m, days(m)).targets, days(m).length, N),
  });
  assert.ok(weights.ok && weights.isSensitive, JSON.stringify(weights));
  const caps = checkNoLookAheadOf({
    ...base,
    name: 'caps as known',
    compute: (m) => capsAsKnown(days(m), m.close, N, 'split_adjusted', m.snapshots).cap,
  });
  assert.ok(caps.ok && caps.isSensitive, JSON.stringify(caps));
  const returns = checkNoLookAheadOf({
    ...base,
    name: 'three-pillar returns',
    compute: (m) => {
      const day = days(m);
      const known = capsAsKnown(day, m.close, N, 'split_adjusted', m.snapshots);
      const run = runThreePillar({ day, close: m.close, columnCount: N, caps: known, costBasisPoints: 10 });
      return Float64Array.from(
        { length: 2 * day.length },
        (_, k) => (k % 2 ? run.atNextClose : run.atClose).returnsNet[k >> 1]!,
      );
    },
  });
  assert.ok(returns.ok && returns.isSensitive, JSON.stringify(returns));
});

test('the look-ahead of same-day weights, held here on purpose, is worth a fortune and is caught by the canary', () => {
  const input = { close: market('greedy').close };
  const honest = runThreePillar({ day: DAY, close: input.close, columnCount: N, costBasisPoints: 0 }).atClose
    .returnsGross;
  // The mistake: the weights decided at the close of t are paid the return from t − 1 to t.
  const sameDay = (close: Float64Array): Float64Array => {
    const rows = close.length / N;
    const weights = denseTargets(
      threePillarTargets({ day: DAY.subarray(0, rows), close, columnCount: N }).targets,
      rows,
      N,
    );
    return Float64Array.from({ length: rows }, (_, t) => {
      let sum = 0;
      for (let i = 0; t > 0 && i < N; i++)
        sum += weights[t * N + i]! * (close[t * N + i]! / close[(t - 1) * N + i]! - 1);
      return sum;
    });
  };
  const wealth = (returns: Float64Array): number => returns.subarray(61).reduce((w, r) => w * (1 + r), 1);
  assert.ok(wealth(sameDay(input.close)) > 1.05 * wealth(honest));

  const strategy = (close: Float64Array, pays: (run: WeightsRun) => Float64Array) => {
    const rows = close.length / N;
    const { targets } = threePillarTargets({ day: DAY.subarray(0, rows), close, columnCount: N });
    const run = runWeights({
      close,
      rowCount: rows,
      columnCount: N,
      targets,
      costBasisPoints: 0,
      fill: 'close',
      recordHeldWeights: true,
    });
    return { heldWeights: run.heldWeights!, returnsGross: pays(run) };
  };
  const base = { input, rowCount: T, columnCount: N, random: createRandom(12), day: DAY };
  const right = checkStrategyNoLookAhead({
    ...base,
    name: 'three-pillar',
    run: (i) => strategy(i.close, (run) => run.returnsGross),
  });
  assert.ok(right.ok && right.isSensitive, JSON.stringify(right));
  const paid = checkStrategyNoLookAhead({
    ...base,
    name: 'same-day three-pillar',
    run: (i) => strategy(i.close, () => sameDay(i.close)),
  });
  assert.ok(!paid.ok && paid.kind === 'accounting');
  assert.match(paid.sentence, /same-day three-pillar looks ahead: row \d+ is paid/);
  // The other way to hide it: to say that the weights of tomorrow's close were held since today's.
  const backdated = checkStrategyNoLookAhead({
    ...base,
    name: 'backdated three-pillar',
    run: (i) => {
      const { heldWeights } = strategy(i.close, (run) => run.returnsGross);
      return { heldWeights: heldWeights.map((_, k) => heldWeights[k + N] ?? 0), returnsGross: sameDay(i.close) };
    },
  });
  assert.ok(!backdated.ok && backdated.kind !== 'accounting');
});

test('a report counts from the day after it, is carried by the price, and is gone after 400 days', () => {
  const day = Int32Array.of(100, 101, 102, 103, 500, 501);
  const close = Float64Array.of(10, 11, 12, Number.NaN, 20, 20);
  const snapshots: CapSnapshots = {
    day: Int32Array.of(101),
    column: Int32Array.of(0),
    cap: Float64Array.of(1100),
    origin: 'reported',
  };
  const known = capsAsKnown(day, close, 1, 'split_adjusted', snapshots);
  assert.deepEqual([...known.cap], [Number.NaN, Number.NaN, 1200, Number.NaN, 2000, 2000]);
  assert.deepEqual([...known.snapshotDay], [NO_SNAPSHOT, NO_SNAPSHOT, 101, NO_SNAPSHOT, 101, 101]);
  const later = capsAsKnown(Int32Array.of(100, 101, 102, 103, 501, 502), close, 1, 'total_return', snapshots);
  assert.deepEqual([later.cap[4], later.cap[5], later.exact], [2000, Number.NaN, false]);
});

test('capitalisations that could not have been known are refused', () => {
  const { close, snapshots } = market('refuse');
  const known = capsAsKnown(DAY, close, N, 'split_adjusted', snapshots);
  const use = (caps: typeof known) => threePillarTargets({ day: DAY, close, columnCount: N, caps });
  const sameDay = { ...known, snapshotDay: known.snapshotDay.slice() };
  sameDay.snapshotDay[100 * N + 2] = DAY[100]!;
  assert.throws(() => use(sameDay), /reported 1 to 400 days before its use: row 100, column 2 is 0 days old/);
  assert.throws(() => use({ ...known, day: DAY.map((d) => d + 1) }), /caps of another day are refused: row 0/);
  assert.throws(() => use({ ...known, snapshotDay: known.snapshotDay.map((d) => d - 401) }), /days before its use/);
  const madeUp = { ...snapshots, origin: 'adjusted-price-times-shares' as const };
  assert.throws(() => capsAsKnown(DAY, close, N, 'split_adjusted', madeUp), /adjusted prices is refused/);
  assert.throws(() => checkKnownCaps(known, DAY, N + 1), /caps must be 160 x 9/);
  assert.equal(
    threePillarTargetsWithoutCapCheck({ day: DAY, close, columnCount: N, caps: sameDay }).targets.row.length,
    T,
  );
});

test('bounded weights solve their definition: one factor for all free names', () => {
  const scores = fc.array(fc.double({ min: 1e-6, max: 1, noNaN: true }), { minLength: 3, maxLength: 40 });
  fc.assert(
    fc.property(scores, (list) => {
      const n = list.length;
      const low = Math.min(0.01, 1 / (2 * n));
      const result = boundedWeights(Float64Array.from(list), n, low, 0.4);
      assert.ok(result.status === 'ok');
      const w = result.weights;
      near(
        w.reduce((a, b) => a + b, 0),
        1,
      );
      // Bisection on the factor is the oracle.
      let [down, up] = [0, 1e9];
      for (let k = 0; k < 200; k++) {
        const middle = (down + up) / 2;
        if (list.reduce((a, s) => a + Math.min(Math.max(middle * s, low), 0.4), 0) > 1) up = middle;
        else down = middle;
      }
      for (let k = 0; k < n; k++) assert.ok(Math.abs(w[k]! - Math.min(Math.max(up * list[k]!, low), 0.4)) < 1e-7);
    }),
  );
});

test('the cost of a run is what its turnover says', () => {
  const { close } = market('cost');
  const { decisions, atClose } = runThreePillar({ day: DAY, close, columnCount: N, costBasisPoints: 25 });
  const free = runWeights({
    close,
    rowCount: T,
    columnCount: N,
    targets: decisions.targets,
    costBasisPoints: 0,
    fill: 'close',
  });
  for (let t = 1; t < T; t++) {
    near(atClose.cost[t - 1]!, 0.0025 * free.turnover[t - 1]!);
    near(1 + atClose.returnsNet[t]!, (1 + free.returnsGross[t]!) * (1 - atClose.cost[t - 1]!));
  }
});

test('parameters that make no sense are refused', () => {
  const close = new Float64Array(N);
  const day = DAY.subarray(0, 1);
  for (const [parameters, sentence] of [
    [{ namesMax: 0 }, /namesMax/],
    [{ weightMax: 1.5 }, /weightMax/],
    [{ weightMin: -1 }, /weightMin/],
    [{ pillarWeights: [0, 0, 0] as const }, /pillarWeights/],
  ] as const)
    assert.throws(() => threePillarTargets({ day, close, columnCount: N, parameters }), sentence);
  assert.throws(() => threePillarTargets({ day, close, columnCount: 3 }), /close must be 1 x 3/);
});

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-11, `${actual} is not ${expected}`);
}
