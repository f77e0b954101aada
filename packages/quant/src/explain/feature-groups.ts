import { expect } from '../checks/expect.ts';
import { cutClusters, mergeClusters } from '../dependence/clusters.ts';
import { checkInputs, type Inputs, lastStep } from '../learn/examples.ts';
import { spearman } from '../stats/rank-correlation.ts';

/** Features that say the same thing, and what they contribute together. */
export type GroupAttribution = {
  /** Column numbers, ascending. */
  features: number[];
  contribution: number;
};

const CORRELATION_MIN = 0.7;

/**
 * Groups of features whose mean |rank correlation| with each other is above a bound (average linkage). Shapley values of
 * one such feature alone are arbitrary: the trees could have used its twin.
 *
 * @param background Of windows, the last day is read. Rows where one of two features is missing are left out for that pair; a
 * pair without a correlation is unrelated.
 * @returns One group number a feature, numbered by their first feature.
 * @throws RangeError if the bound is not between 0 and 1.
 */
export function groupFeatures(background: Inputs, correlationMin = CORRELATION_MIN): Int32Array {
  checkInputs(background);
  expect(correlationMin > 0 && correlationMin < 1, `correlationMin must be between 0 and 1, was ${correlationMin}`);
  const { rowCount, featureCount, values } = lastStep(background);
  const columns = Array.from({ length: featureCount }, (_, k) =>
    Float64Array.from({ length: rowCount }, (_, row) => values[row * featureCount + k]!),
  );
  const distances = new Float64Array(featureCount * featureCount);
  for (let i = 0; i < featureCount; i++)
    for (let j = 0; j < i; j++) {
      const found = spearman(columns[i]!, columns[j]!);
      const distance = found.status === 'ok' ? 1 - Math.abs(found.coefficient) : 1;
      distances[i * featureCount + j] = distance;
      distances[j * featureCount + i] = distance;
    }
  const merges = mergeClusters(distances, featureCount, 'average');
  const joined = merges.filter(({ height }) => height < 1 - correlationMin).length;
  return cutClusters(merges, featureCount, featureCount - joined);
}

/**
 * Contributions summed over groups, largest first by size.
 *
 * @param groups One group number a feature, given or from `groupFeatures`.
 * @throws RangeError if there are not as many as contributions.
 */
export function groupAttributions(contributions: Float64Array, groups: Int32Array): GroupAttribution[] {
  expect(
    groups.length === contributions.length,
    `groups must be one for each of ${contributions.length} features, were ${groups.length}`,
  );
  const found = new Map<number, GroupAttribution>();
  groups.forEach((group, feature) => {
    const sum = found.get(group) ?? { features: [], contribution: 0 };
    sum.features.push(feature);
    sum.contribution += contributions[feature]!;
    found.set(group, sum);
  });
  return [...found.values()].sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
}
