import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../../random/random.ts';
import { createModelSearch, type Job, type JobResult, runModelSearch, type SearchSettings } from './model-search.ts';
import { type Dimension, type FamilySpace, keyOf, placeOf, valueAt } from './search-space.ts';

const SPACES: FamilySpace[] = [
  { family: 'flat', dimensions: [{ kind: 'number', name: 'x', low: 0, high: 1, isLog: false, isWhole: false }] },
  {
    family: 'bowl',
    dimensions: [
      { kind: 'number', name: 'rate', low: 0.001, high: 1, isLog: true, isWhole: false },
      { kind: 'number', name: 'depth', low: 1, high: 12, isLog: false, isWhole: true },
      { kind: 'choice', name: 'window', values: [5, 10, 20] },
    ],
  },
];
const SETTINGS: SearchSettings = {
  ...{ spaces: SPACES, rungs: [1, 2, 4], seed: 3 },
  starts: [{ family: 'flat', values: { x: 0.5 } }],
};

/** Least in the bowl at rate 0.05, depth 7, window 10; noise falls with the blocks. */
function lossOf({ trial, toBlock }: Job): JobResult {
  const { family, values } = trial.candidate;
  const noise = 0.05 * createRandom(`${keyOf(trial.candidate)} ${toBlock}`).normal() * toBlock ** -0.5;
  if (family === 'flat') return { loss: 1 + noise };
  const far = Math.log(Number(values.rate) / 0.05) ** 2 / 4 + (Number(values.depth) - 7) ** 2 / 16;
  return { loss: 0.2 + far + (values.window === 10 ? 0 : 0.3) + noise };
}

async function searched(units: number, change: Partial<SearchSettings> = {}, evaluate = lossOf) {
  const search = createModelSearch({ ...SETTINGS, ...change });
  const end = await runModelSearch(search, { units, isOver: () => false }, async (jobs) => jobs.map(evaluate));
  return { search, end };
}

test('the same seed and budget do the same trials to the last bit, however many are done at a time', async () => {
  const first = await searched(120);
  const slow = createModelSearch(SETTINGS);
  await runModelSearch(slow, { units: 120, isOver: () => false }, async (jobs) => {
    // Done in another order, and later.
    const told = new Map<Job, JobResult>();
    for (const job of [...jobs].reverse()) {
      await Promise.resolve();
      told.set(job, lossOf(job));
    }
    return jobs.map((job) => told.get(job)!);
  });
  assert.deepEqual(slow.trials, first.search.trials);
  assert.equal(first.end, 'work_units');
  assert.notDeepEqual((await searched(120, { seed: 4 })).search.trials, first.search.trials);
});

test('a search that is ended sooner by its clock has done the first trials of one that is ended later', async () => {
  const long = (await searched(200)).search.trials.map(({ candidate }) => keyOf(candidate));
  for (const batches of [1, 3, 9]) {
    const search = createModelSearch(SETTINGS);
    let done = 0;
    const end = await runModelSearch(search, { units: 200, isOver: () => done >= batches }, async (jobs) => {
      done += 1;
      return jobs.map(lossOf);
    });
    assert.equal(end, 'seconds');
    assert.deepEqual(
      search.trials.map(({ candidate }) => keyOf(candidate)),
      long.slice(0, search.trials.length),
    );
  }
});

test('it finds the bowl, and spends most blocks on what is good', async () => {
  const best = (trials: readonly { losses: number[]; candidate: { family: string } }[]) =>
    trials.filter(({ losses }) => losses.length === 3).sort((a, b) => a.losses[2]! - b.losses[2]!)[0]!;
  let wins = 0;
  for (let seed = 1; seed <= 10; seed++) {
    const { search } = await searched(160, { seed });
    const found = best(search.trials);
    assert.equal(found.candidate.family, 'bowl');
    assert.ok(found.losses[2]! < 0.6, `seed ${seed}: ${found.losses[2]}`);
    // As many blocks by chance alone, each trial to its end.
    const random = createRandom(`by chance ${seed}`);
    let byChance = Number.POSITIVE_INFINITY;
    for (let k = 0; k < 40; k++) {
      const space = SPACES[random.integer(2)]!;
      const values = Object.fromEntries(
        space.dimensions.map((d) => [
          d.name,
          valueAt(d, d.kind === 'choice' ? random.integer(d.values.length) : random.uniform()),
        ]),
      );
      const trial = {
        number: 1,
        candidate: { family: space.family, values },
        isStart: false,
        rung: 0,
        losses: [],
        problem: null,
      };
      const told = lossOf({ trial, rung: 2, fromBlock: 0, toBlock: 4 });
      if ('loss' in told) byChance = Math.min(byChance, told.loss);
    }
    if (found.losses[2]! <= byChance) wins += 1;
    const stopped = search.trials.filter(({ losses }) => losses.length === 1).length;
    assert.ok(
      stopped > search.trials.length / 2,
      `${stopped} of ${search.trials.length} were stopped on the first rung`,
    );
  }
  assert.ok(wins >= 7, `better than chance with ${wins} of 10 seeds`);
});

test('no candidate is tried twice, budgets are kept, and a start is never stopped early', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 0, max: 1e6 }), async (units, seed) => {
      let used = 0;
      const { search } = await searched(units, { seed }, (job) => {
        used += job.toBlock - job.fromBlock;
        return lossOf(job);
      });
      const keys = search.trials.map(({ candidate }) => keyOf(candidate));
      assert.equal(new Set(keys).size, keys.length);
      assert.ok(used <= units && used === search.unitsDone());
      assert.ok(search.trials.every(({ losses }) => losses.length >= 1));
      if (units >= 20) assert.equal(search.trials[0]!.losses.length, 3);
    }),
    { numRuns: 25 },
  );
});

test('trials that fail stay in the list with their reason and go no further', async () => {
  const { search } = await searched(60, {}, (job) =>
    job.trial.candidate.family === 'flat'
      ? { problem: 'no such thing' }
      : { loss: job.trial.number === 4 ? Number.NaN : 1 },
  );
  assert.equal(search.trials[0]!.problem, 'no such thing');
  assert.equal(search.trials[0]!.losses.length, 0);
  for (const trial of search.trials) if (trial.candidate.family === 'flat') assert.equal(trial.rung, 0);
  assert.ok(search.trials.some(({ losses }) => losses.length === 3));
});

test('a small space is searched to its end and says so', async () => {
  const spaces: FamilySpace[] = [{ family: 'only', dimensions: [{ kind: 'choice', name: 'k', values: [1, 2, 3] }] }];
  const { search, end } = await searched(1_000, { spaces, starts: [] }, () => ({ loss: 1 }));
  assert.equal(end, 'space');
  assert.equal(search.trials.length, 3);
});

test('places and values belong together, and bad spaces are refused', () => {
  const depth = SPACES[1]!.dimensions[1]!;
  for (const value of [1, 5, 12]) assert.equal(valueAt(depth, placeOf(depth, value)), value);
  const rate = SPACES[1]!.dimensions[0]!;
  for (const place of [0, 0.3, 1]) assert.ok(Math.abs(placeOf(rate, valueAt(rate, place)) - place) < 1e-3);
  assert.throws(() => placeOf(depth, 13), /depth must lie in 1..12, was 13/);
  const empty: Dimension = { kind: 'number', name: 'a', low: 1, high: 1, isLog: false, isWhole: false };
  assert.throws(
    () => createModelSearch({ ...SETTINGS, spaces: [{ family: 'a', dimensions: [empty] }] }),
    /a\.a must have a range/,
  );
  assert.throws(() => createModelSearch({ ...SETTINGS, rungs: [2, 2] }), /rungs must ascend/);
});
