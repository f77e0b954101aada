import { expect } from '../checks/expect.ts';
import { checkDistances } from './spanning-tree.ts';

/** Two groups that became one. Groups below N are single points; group N + k came of merge k. */
export type Merge = { a: number; b: number; height: number; size: number };

export type Linkage = 'average' | 'ward';

/**
 * Merges points into ever larger groups, always the two that are nearest: `average`, the mean distance between their
 * members; `ward`, by the growth of the sum of squares within, as for Euclidean distances. Of equal ones the first pair is
 * taken. Time O(N³) at worst, near O(N²) in practice; allocates one N × N matrix.
 *
 * @param distances Row-major N × N, symmetric, finite.
 * @returns N − 1 merges, heights ascending.
 * @throws RangeError on a wrong shape or a distance that is not finite.
 * @see Lance and Williams 1967, doi:10.1093/comjnl/9.4.373.
 */
export function mergeClusters(distances: Float64Array, count: number, linkage: Linkage): Merge[] {
  checkDistances(distances, count);
  const work = distances.slice();
  const group = Int32Array.from({ length: count }, (_, i) => i);
  const size = new Int32Array(count).fill(1);
  const isGone = new Uint8Array(count);
  // The nearest later partner of each row; kept up to date, so that a step rarely looks at the whole matrix.
  const partner = new Int32Array(count).fill(-1);
  for (let i = 0; i < count; i++) partner[i] = nearestAfter(work, count, isGone, i);
  const merges: Merge[] = [];
  for (let step = 0; step < count - 1; step++) {
    let i = -1;
    for (let row = 0; row < count; row++) {
      if (isGone[row] === 1 || partner[row]! < 0) continue;
      if (i < 0 || work[row * count + partner[row]!]! < work[i * count + partner[i]!]!) i = row;
    }
    const j = partner[i]!;
    const height = work[i * count + j]!;
    const [ni, nj] = [size[i]!, size[j]!];
    for (let k = 0; k < count; k++) {
      if (isGone[k] === 1 || k === i || k === j) continue;
      const joined = join(linkage, work[i * count + k]!, work[j * count + k]!, height, ni, nj, size[k]!);
      work[i * count + k] = joined;
      work[k * count + i] = joined;
    }
    const [a, b] = [group[i]!, group[j]!];
    merges.push({ a: Math.min(a, b), b: Math.max(a, b), height, size: ni + nj });
    isGone[j] = 1;
    group[i] = count + step;
    size[i] = ni + nj;
    refreshPartners(work, count, isGone, partner, i, j);
  }
  return merges;
}

/** After j was merged into i, whose distances changed. */
function refreshPartners(
  work: Float64Array,
  count: number,
  isGone: Uint8Array,
  partner: Int32Array,
  i: number,
  j: number,
): void {
  partner[i] = nearestAfter(work, count, isGone, i);
  for (let row = 0; row < j; row++) {
    if (isGone[row] === 1 || row === i) continue;
    if (partner[row] === i || partner[row] === j) partner[row] = nearestAfter(work, count, isGone, row);
    else if (row < i && work[row * count + i]! < work[row * count + partner[row]!]!) partner[row] = i;
  }
}

function nearestAfter(work: Float64Array, count: number, isGone: Uint8Array, row: number): number {
  let nearest = -1;
  for (let k = row + 1; k < count; k++)
    if (isGone[k] === 0 && (nearest < 0 || work[row * count + k]! < work[row * count + nearest]!)) nearest = k;
  return nearest;
}

function join(linkage: Linkage, ik: number, jk: number, ij: number, ni: number, nj: number, nk: number): number {
  if (linkage === 'average') return (ni * ik + nj * jk) / (ni + nj);
  return Math.sqrt(Math.max(0, ((ni + nk) * ik * ik + (nj + nk) * jk * jk - nk * ij * ij) / (ni + nj + nk)));
}

/**
 * Points in the order of the tree, so that neighbours in the list are near: each merge puts its two groups beside each
 * other, turned so that the ends that meet are the nearest of the four choices.
 *
 * @param merges From `mergeClusters`. @param distances The same that were merged.
 * @returns N points.
 */
export function leafOrder(merges: readonly Merge[], distances: Float64Array, count: number): Int32Array {
  const groups: number[][] = Array.from({ length: count }, (_, i) => [i]);
  for (const { a, b } of merges) {
    const [left, right] = [groups[a]!, groups[b]!];
    const near = (x: number, y: number) => distances[x * count + y]!;
    const [lf, ll, rf, rl] = [left[0]!, left.at(-1)!, right[0]!, right.at(-1)!];
    const choices = [near(ll, rf), near(lf, rf), near(ll, rl), near(lf, rl)];
    const best = choices.indexOf(Math.min(...choices));
    const first = best === 1 || best === 3 ? left.toReversed() : left;
    const second = best >= 2 ? right.toReversed() : right;
    groups.push([...first, ...second]);
  }
  return Int32Array.from(count === 0 ? [] : groups.at(-1)!);
}

/**
 * Which group each point is in when the last merges are undone until `clusterCount` groups are left. Groups are numbered
 * by their first point.
 */
export function cutClusters(merges: readonly Merge[], count: number, clusterCount: number): Int32Array {
  expect(
    Number.isInteger(clusterCount) && clusterCount >= 1 && clusterCount <= Math.max(1, count),
    `clusterCount must be in 1..${Math.max(1, count)}, was ${clusterCount}`,
  );
  const parent = Int32Array.from({ length: count + merges.length }, (_, i) => i);
  const rootOf = (i: number): number => {
    let at = i;
    while (parent[at] !== at) at = parent[at]!;
    return at;
  };
  for (let k = 0; k < count - clusterCount; k++) {
    parent[rootOf(merges[k]!.a)] = count + k;
    parent[rootOf(merges[k]!.b)] = count + k;
  }
  const numbers = new Map<number, number>();
  return Int32Array.from({ length: count }, (_, i) => {
    const root = rootOf(i);
    if (!numbers.has(root)) numbers.set(root, numbers.size);
    return numbers.get(root)!;
  });
}

/**
 * Mean silhouette of a partition, −1..1: how much nearer points are to their own group than to the next one. A point alone
 * in its group counts nought.
 *
 * @see Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7.
 */
export function meanSilhouette(distances: Float64Array, count: number, clusters: Int32Array): number {
  const clusterCount = 1 + Math.max(-1, ...clusters);
  const sizes = new Int32Array(clusterCount);
  for (const cluster of clusters) sizes[cluster]! += 1;
  if (clusterCount < 2) return 0;
  let total = 0;
  const sums = new Float64Array(clusterCount);
  for (let i = 0; i < count; i++) {
    const own = clusters[i]!;
    if (sizes[own] === 1) continue;
    sums.fill(0);
    for (let j = 0; j < count; j++) sums[clusters[j]!]! += distances[i * count + j]!;
    const inside = sums[own]! / (sizes[own]! - 1);
    let next = Number.POSITIVE_INFINITY;
    for (let c = 0; c < clusterCount; c++) if (c !== own) next = Math.min(next, sums[c]! / sizes[c]!);
    const larger = Math.max(inside, next);
    if (larger > 0) total += (next - inside) / larger;
  }
  return total / count;
}

export type Clusters = {
  /** Group of each point, numbered in the order of `order`. */
  cluster: Int32Array;
  clusterCount: number;
  /** Points so that groups lie together and neighbours are near. */
  order: Int32Array;
  /** Mean silhouette of the chosen partition. */
  silhouette: number;
  merges: Merge[];
};

/** More groups than this tell nobody anything on one screen. */
const CLUSTER_COUNT_MAX = 20;

/**
 * Groups by Ward's linkage. Without `clusterCount` their number is the one in 2..min(20, N − 1) with the highest mean
 * silhouette, the smaller one when equal, and one group when none is above nought.
 *
 * @param distances Row-major N × N, symmetric, finite.
 * @param clusterCount Groups wanted, at most N: of correlations, as many as eigenvalues stand out from chance.
 */
export function findClusters(
  distances: Float64Array,
  count: number,
  { linkage = 'ward', clusterCount }: { linkage?: Linkage; clusterCount?: number | undefined } = {},
): Clusters {
  const merges = mergeClusters(distances, count, linkage);
  const silhouetteOf = (groups: number) => meanSilhouette(distances, count, cutClusters(merges, count, groups));
  let best = { clusterCount: Math.min(1, count), silhouette: 0 };
  if (clusterCount !== undefined && count > 0) best = { clusterCount, silhouette: silhouetteOf(clusterCount) };
  else
    for (let k = 2; k <= Math.min(CLUSTER_COUNT_MAX, count - 1); k++) {
      const silhouette = silhouetteOf(k);
      if (silhouette > best.silhouette) best = { clusterCount: k, silhouette };
    }
  const order = leafOrder(merges, distances, count);
  const cut = count === 0 ? new Int32Array(0) : cutClusters(merges, count, best.clusterCount);
  const numbers = new Map<number, number>();
  for (const point of order) if (!numbers.has(cut[point]!)) numbers.set(cut[point]!, numbers.size);
  return { cluster: cut.map((cluster) => numbers.get(cluster)!), order, merges, ...best };
}
