import { expect } from '../../checks/expect.ts';
import { createRandom } from '../../random/random.ts';
import { type Candidate, checkSpace, drawCandidate, type FamilySpace, keyOf } from './search-space.ts';
import { type Observation, proposeCandidate } from './tree-parzen.ts';

export type SearchSettings = {
  spaces: readonly FamilySpace[];
  /** Tried first, in this order, and never stopped early: what is known to work. */
  starts: readonly Candidate[];
  /** Blocks a trial has seen after each rung, ascending; the last are all blocks. */
  rungs: readonly number[];
  /** One of so many goes on from each rung. Default 3. */
  reduction?: number;
  /** Jobs given out together. A constant, not the number of processors: what is proposed depends on it. Default 4. */
  width?: number;
  seed: number;
};

export type Trial = {
  /** From 1, in the order of proposal. */
  number: number;
  candidate: Candidate;
  isStart: boolean;
  /** Rungs it has done. */
  rung: number;
  /** Loss after each rung done. */
  losses: number[];
  problem: string | null;
};

/** Blocks fromBlock..toBlock − 1 of a trial are to be done. */
export type Job = { trial: Trial; rung: number; fromBlock: number; toBlock: number };

/** Mean loss over blocks 0..toBlock − 1, less is better; or why there is none. */
export type JobResult = { loss: number } | { problem: string };

export type ModelSearch = {
  trials: readonly Trial[];
  /** Blocks given out so far. */
  unitsDone(): number;
  /**
   * The next jobs, at most `width` of them and within the units left; empty: nothing more fits, or nothing is left to try.
   *
   * @throws RangeError while results of the last jobs are missing.
   */
  next(unitsMax: number): Job[];
  /** Why the last `next` gave out nothing. */
  ending(): 'work_units' | 'space';
  /** Results of the jobs given out last, in their order. */
  tell(results: readonly JobResult[]): void;
};

/** Draws for a candidate that was not tried yet; then the space counts as searched. */
const REDRAWS = 64;
/** A rung with fewer results says too little about where to look. */
const OBSERVED_LEAST = 12;

/**
 * Searches models: proposes by what was good so far and stops early what is not among the best of its rung. What is given out
 * depends on the seed and the results alone: not on time, nor on how many jobs are done at a time. Results are told in whole
 * batches, so that a search that is ended sooner has done the first trials of one that is ended later.
 *
 * @see Li, Jamieson, Rostamizadeh, Gonina, Hardt, Recht and Talwalkar 2018, arXiv:1810.05934, for the rungs; that proposals rest
 * on the highest rung with enough results follows Falkner, Klein and Hutter 2018, arXiv:1807.01774.
 */
export function createModelSearch(settings: SearchSettings): ModelSearch {
  const { spaces, starts, rungs, reduction = 3, width = 4, seed } = settings;
  checkSpace(spaces);
  expect(
    rungs.length >= 1 && rungs.every((blocks, k) => blocks > (rungs[k - 1] ?? 0)),
    `rungs must ascend, were ${rungs.join(', ')}`,
  );
  expect(reduction > 1, `reduction must be above 1, was ${reduction}`);
  const random = createRandom(seed).split('model search');
  const trials: Trial[] = [];
  const known = new Set<string>();
  let pending: Job[] = [];
  let units = 0;
  let ending: 'work_units' | 'space' = 'space';

  function next(unitsMax: number): Job[] {
    expect(pending.length === 0, 'results of the last jobs must be told first');
    let left = unitsMax;
    ending = 'space';
    while (pending.length < width) {
      const trial = promotable() ?? propose();
      if (trial === null) break;
      const fromBlock = trial.rung === 0 ? 0 : rungs[trial.rung - 1]!;
      const job: Job = { trial, rung: trial.rung, fromBlock, toBlock: rungs[trial.rung]! };
      if (job.toBlock - fromBlock > left) {
        // What nobody has begun is no trial.
        if (trial.rung === 0) known.delete(keyOf(trials.pop()!.candidate));
        ending = 'work_units';
        break;
      }
      left -= job.toBlock - fromBlock;
      pending.push(job);
    }
    units += unitsMax - left;
    return pending;
  }

  /** The best trial of the highest rung from which one may go on. */
  function promotable(): Trial | null {
    const isFree = (trial: Trial) => trial.problem === null && pending.every((job) => job.trial !== trial);
    for (let rung = rungs.length - 1; rung >= 1; rung--) {
      const start = trials.find((trial) => trial.isStart && trial.rung === rung && isFree(trial));
      if (start !== undefined) return start;
      const reached = trials.filter((trial) => trial.losses.length >= rung);
      const count = Math.floor(reached.length / reduction);
      const best = reached
        .sort((a, b) => a.losses[rung - 1]! - b.losses[rung - 1]! || a.number - b.number)
        .slice(0, count)
        .find((trial) => trial.rung === rung && isFree(trial));
      if (best !== undefined) return best;
    }
    return null;
  }

  function propose(): Trial | null {
    const number = trials.length + 1;
    const start = starts[trials.length];
    if (start !== undefined) return add(start, true);
    const own = random.split(number);
    const observed = observations();
    for (let draw = 0; draw < REDRAWS; draw++) {
      const candidate = draw < REDRAWS / 2 ? proposeCandidate(spaces, observed, own) : drawCandidate(spaces, own);
      if (!known.has(keyOf(candidate))) return add(candidate, false);
    }
    return null;
  }

  function add(candidate: Candidate, isStart: boolean): Trial {
    known.add(keyOf(candidate));
    const trial: Trial = { number: trials.length + 1, candidate, isStart, rung: 0, losses: [], problem: null };
    trials.push(trial);
    return trial;
  }

  /** Losses of the highest rung that has enough of them to learn from. */
  function observations(): Observation[] {
    for (let rung = rungs.length; rung >= 1; rung--) {
      const reached = trials.filter(({ losses }) => losses.length >= rung);
      if (reached.length >= OBSERVED_LEAST || rung === 1)
        return reached.map(({ candidate, losses }) => ({ candidate, loss: losses[rung - 1]! }));
    }
    return [];
  }

  return {
    trials,
    unitsDone: () => units,
    ending: () => ending,
    next,
    tell(results) {
      expect(results.length === pending.length, `${pending.length} results must be told, were ${results.length}`);
      results.forEach((result, k) => {
        const { trial } = pending[k]!;
        if ('problem' in result) trial.problem = result.problem;
        else if (!Number.isFinite(result.loss)) trial.problem = 'its loss is not defined';
        else {
          trial.losses.push(result.loss);
          trial.rung += 1;
        }
      });
      pending = [];
    },
  };
}

export type SearchEnd = 'seconds' | 'work_units' | 'space';

/**
 * Runs a search within its budget. The seconds are looked at between batches only.
 *
 * @param budget What ends it: fits of one block, and `isOver`, asked before every batch but the first.
 * @param evaluate Does the jobs of a batch, in any order, as many at a time as it likes; answers in their order.
 */
export async function runModelSearch(
  search: ModelSearch,
  budget: { units: number; isOver: () => boolean },
  evaluate: (jobs: readonly Job[]) => Promise<JobResult[]>,
): Promise<SearchEnd> {
  for (let batch = 0; ; batch++) {
    if (batch > 0 && budget.isOver()) return 'seconds';
    const jobs = search.next(budget.units - search.unitsDone());
    if (jobs.length === 0) return search.ending();
    search.tell(await evaluate(jobs));
  }
}
