import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { simulatedTable } from '../src/evaluation/forecast-training/_simulated-table.ts';
import { fitPart, type PartResult, type PartSpec, type Walk } from '../src/evaluation/forecast-training/fit-part.ts';
import type { TrainingTable } from '../src/evaluation/forecast-training/training-table.ts';
import {
  chooseSimplest,
  innerTable,
  lossInterval,
  lossSums,
  meanLoss,
  OUTER_WALK,
} from '../src/evaluation/search/nested-panel.ts';
import { createModelSearch, runModelSearch } from '../src/learn/search/model-search.ts';
import type { Candidate, FamilySpace } from '../src/learn/search/search-space.ts';
import type { StudyResult } from './quality-court.ts';

const RUNS = 200;
const UNITS = 60;
/** Little enough that luck decides much of what is chosen. */
const SKILL = 0.15;
const WORLD = { assetCount: 2, dayCount: 600, skill: SKILL };
const INNER: Walk = { foldCount: 3, firstShare: 0.4, embargoDays: 0 };
const TARGET = 1;
const ORDER = ['linear', 'trees'];

const SPACES: FamilySpace[] = [
  {
    family: 'linear',
    dimensions: [
      { kind: 'number', name: 'penalty', low: 1, high: 100_000, isLog: true, isWhole: false },
      { kind: 'choice', name: 'trainDays', values: [0, 200, 100] },
      { kind: 'choice', name: 'columns', values: ['all', 'first', 'second'] },
    ],
  },
  {
    family: 'trees',
    dimensions: [
      { kind: 'number', name: 'treeCount', low: 3, high: 30, isLog: true, isWhole: true },
      { kind: 'number', name: 'maxDepth', low: 1, high: 4, isLog: false, isWhole: true },
      { kind: 'number', name: 'learningRate', low: 0.02, high: 0.5, isLog: true, isWhole: false },
      { kind: 'choice', name: 'columns', values: ['all', 'first', 'second'] },
    ],
  },
];

function specOf({ family, values }: Candidate, width: number, walk: Walk, fold: number): PartSpec {
  const { columns: seen, trainDays, ...settings } = values;
  const half = Math.floor(width / 2);
  const columns = Array.from({ length: width }, (_, j) => j).filter(
    (j) => seen === 'all' || (seen === 'first' ? j < half : j >= half),
  );
  return {
    ...{ family, learner: 'column_subset', seed: 1, stepCount: 1, rowsMax: null, walk, fold },
    settings: { learner: family === 'linear' ? 'logistic' : 'gradient_boosted_trees', settings, columns },
    trainDays: typeof trainDays === 'number' && trainDays > 0 ? trainDays : null,
  };
}

/** What the loss of these forecasts is in the mean, as the odds of every row are planted: ±skill times the first feature. */
function trueLoss(table: TrainingTable, results: readonly PartResult[]): number {
  const width = table.featureNames.length;
  let [sum, count] = [0, 0];
  for (const result of results) {
    if (result.kind !== 'forecasts') continue;
    result.rows.forEach((row, i) => {
      if (Number.isNaN(table.label[row]!) || Number.isNaN(result.forecast[i]!)) return;
      const p = 1 / (1 + Math.exp(-SKILL * table.values[row * width]!));
      const told = Math.min(1 - 1e-6, Math.max(1e-6, result.forecast[i]!));
      sum -= p * Math.log(told) + (1 - p) * Math.log(1 - told);
      count += 1;
    });
  }
  return sum / count;
}

type Outcome = { outer: number; inner: number; standardError: number; trials: number };

/** One search: reported minus true loss of the chosen one, on the outer blocks and on those it was chosen by. */
async function searchOnce(seed: number): Promise<Outcome> {
  const table = simulatedTable('volatility_direction', { ...WORLD, seed });
  const width = table.featureNames.length;
  const { table: inner } = innerTable(table);
  const search = createModelSearch({ spaces: SPACES, starts: [], rungs: [1, 3], seed });
  const results = new Map<number, PartResult[]>();
  await runModelSearch(search, { units: UNITS, isOver: () => false }, async (jobs) =>
    jobs.map(({ trial, fromBlock, toBlock }) => {
      const all = results.get(trial.number) ?? [];
      for (let fold = fromBlock; fold < toBlock; fold++)
        all.push(fitPart(inner, specOf(trial.candidate, width, INNER, fold)));
      results.set(trial.number, all);
      return { loss: meanLoss(lossSums(inner, all)) };
    }),
  );
  const finalists = search.trials.filter(({ losses }) => losses.length === 2);
  // The best one, not the simplest: what flatters most.
  const best = finalists.toSorted((a, b) => a.losses[1]! - b.losses[1]!)[0]!;
  const { chosen } = chooseSimplest(
    finalists.map(({ number, candidate }) => ({
      family: candidate.family,
      sums: lossSums(inner, results.get(number)!),
    })),
    ORDER,
    { seed, horizonDays: 5 },
  );
  const folds = Array.from({ length: OUTER_WALK.foldCount }, (_, fold) => fold);
  const outer = folds
    .map((fold) => fitPart(table, specOf(finalists[chosen]!.candidate, width, OUTER_WALK, fold)))
    .slice(1);
  const told = lossInterval(lossSums(table, outer), seed, 300);
  const chosenBy = results.get(best.number)!;
  return {
    outer: told.value - trueLoss(table, outer),
    inner: meanLoss(lossSums(inner, chosenBy)) - trueLoss(inner, chosenBy),
    standardError: (told.high - told.low) / (2 * 1.96),
    trials: search.trials.length,
  };
}

/**
 * Whether a search reports its choice honestly: in simulated markets whose odds are planted, the loss it reports on outer days
 * less the true one, beside the loss it chose by less the true one. Less is better, so a negative difference flatters.
 *
 * @public
 */
export async function run(runs = RUNS): Promise<StudyResult> {
  const outcomes: Outcome[] = [];
  for (let seed = 1; seed <= runs; seed++) outcomes.push(await searchOnce(seed));
  const mean = (of: (outcome: Outcome) => number) => outcomes.reduce((sum, one) => sum + of(one), 0) / runs;
  const bias = mean(({ outer }) => outer);
  const spread = Math.sqrt(mean(({ outer }) => (outer - bias) ** 2) / (runs - 1));
  const standardError = mean((one) => one.standardError);
  const naive = mean(({ inner }) => inner);
  const naiveSpread = Math.sqrt(mean(({ inner }) => (inner - naive) ** 2) / (runs - 1));
  const figure = Math.abs(bias) / standardError;
  const half = (1.96 * spread) / standardError;
  const [low, high] = [Math.max(0, figure - half), figure + half];
  const met = figure <= TARGET;
  return {
    name: 'automl-bias',
    ...{ figure, unit: 'standard errors of a reported score', interval: [low, high] },
    ...{ target: TARGET, met, verdict: met ? 'met' : low > TARGET ? 'not met' : 'not resolvable' },
    goal: `<= ${TARGET}`,
    input: {
      runs,
      reportedMinusTrue: Number(bias.toFixed(5)),
      standardErrorOfThat: Number(spread.toFixed(5)),
      standardErrorOfOneReport: Number(standardError.toFixed(5)),
      chosenByMinusTrue: Number(naive.toFixed(5)),
      standardErrorOfThatOne: Number(naiveSpread.toFixed(5)),
    },
    settings: {
      ...{ ...WORLD, units: UNITS, inner: INNER, outer: OUTER_WALK },
      code: createHash('sha256')
        .update(readFileSync(join(import.meta.dirname, 'automl-bias.ts')))
        .update(readFileSync(join(import.meta.dirname, '../src/evaluation/search/nested-panel.ts')))
        .update(readFileSync(join(import.meta.dirname, '../src/learn/search/model-search.ts')))
        .digest('hex'),
    },
    detail: { outcomes: outcomes.map(({ outer, inner }) => [outer, inner]) },
    trials: outcomes.reduce((sum, { trials }) => sum + trials, 0),
  };
}
