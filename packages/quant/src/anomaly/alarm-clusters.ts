import { expect } from '../checks/expect.ts';

/** Rows within which two alarms are one. */
export const CLUSTER_ROWS = 10;

/** First and last row, both included. */
export type Cluster = { first: number; last: number };

/** Marked rows at most `apart` rows from the one before belong to its cluster. Ascending. */
export function clusterRows(
  isMarked: (row: number) => boolean,
  rowCount: number,
  apart: number = CLUSTER_ROWS,
): Cluster[] {
  expect(Number.isInteger(apart) && apart >= 0, `apart must be a whole number, was ${apart}`);
  const clusters: Cluster[] = [];
  for (let row = 0; row < rowCount; row++) {
    if (!isMarked(row)) continue;
    const last = clusters.at(-1);
    if (last && row - last.last <= apart) last.last = row;
    else clusters.push({ first: row, last: row });
  }
  return clusters;
}
