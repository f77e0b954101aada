import { expect } from '../../checks/expect.ts';
import type { Goal } from '../learner.ts';
import type { BoostedTreesSettings } from './gradient-boosted-trees.ts';

const WHOLE = { treeCount: [1, 10_000], maxDepth: [1, 30], binCountMax: [2, 256] } as const;

/** @throws RangeError for a count out of its range. */
export function checkWhole(counts: Record<keyof typeof WHOLE, number>): void {
  for (const name of ['treeCount', 'maxDepth', 'binCountMax'] as const) {
    const [least, most] = WHOLE[name];
    const value = counts[name];
    expect(
      Number.isInteger(value) && value >= least && value <= most,
      `${name} must be a whole number in ${least}..${most}, was ${value}`,
    );
  }
}

/** @throws RangeError for a column that is not there, or a direction that is none. */
export function checkColumns(categorical: readonly number[], monotone: readonly number[], featureCount: number): void {
  for (const column of categorical)
    expect(
      Number.isInteger(column) && column >= 0 && column < featureCount,
      `categorical columns must be in 0..${featureCount - 1}, one was ${column}`,
    );
  expect(
    monotone.length === 0 || monotone.length === featureCount,
    `monotone must have ${featureCount} directions or none, had ${monotone.length}`,
  );
  for (const [column, direction] of monotone.entries()) {
    expect([-1, 0, 1].includes(direction), `a monotone direction must be -1, 0 or 1, was ${direction}`);
    expect(
      direction === 0 || !categorical.includes(column),
      `column ${column} is categorical: its values have no order to be monotone in`,
    );
  }
}

/** @throws RangeError for a setting out of its range. */
export function checkBoostedSettings(settings: BoostedTreesSettings, featureCount: number, goal: Goal): void {
  const { treeCount, maxDepth, binCountMax, rankTruncation, patience, quantile, validationShare } = settings;
  checkWhole({ treeCount, maxDepth, binCountMax });
  for (const [name, value] of Object.entries({ rankTruncation, patience }))
    expect(Number.isInteger(value) && value >= 1, `${name} must be a whole number from 1 on, was ${value}`);
  for (const name of ['minChildWeight', 'l1', 'l2', 'gamma'] as const)
    expect(
      settings[name] >= 0 && settings[name] < Number.POSITIVE_INFINITY,
      `${name} must be a number from 0 on, was ${settings[name]}`,
    );
  for (const name of ['learningRate', 'rowShare', 'columnShare'] as const)
    expect(settings[name] > 0 && settings[name] <= 1, `${name} must be above 0 and at most 1, was ${settings[name]}`);
  expect(quantile > 0 && quantile < 1, `quantile must be between 0 and 1, was ${quantile}`);
  expect(
    validationShare >= 0 && validationShare < 1,
    `validationShare must be from 0 on and below 1, was ${validationShare}`,
  );
  checkColumns(settings.categorical, settings.monotone, featureCount);
  expect(
    goal !== 'quantile' || settings.monotone.every((direction) => direction === 0),
    'monotone constraints do not hold for the goal quantile: its leaves get other values than the splits were judged by',
  );
}
