import { areFinite, expect } from '../../checks/expect.ts';
import { createRandom, type Random } from '../../random/random.ts';

export type KMeans = {
  /** Row-major count × columns. */
  centers: Float64Array;
  /** Number of the nearest centre, one a row; the first of equally near ones. */
  assignment: Int32Array;
  /** Sum of squared distances of the rows to their centres. */
  inertia: number;
  /** Whether the last start settled before `STEPS_MAX` steps. */
  converged: boolean;
};

export type KMeansSettings = {
  /** Clusters, 1..rows. */
  count: number;
  seed: number;
  /** Starts by k-means++, of which the best is kept. Default 10; ignored with `initial`. */
  starts?: number;
  /** Row-major count × columns: the one start to take instead. */
  initial?: Float64Array;
};

const STEPS_MAX = 1000;
const STARTS_DEFAULT = 10;

/**
 * Clusters by Lloyd's steps from starts drawn by k-means++: each further centre is a row, drawn with a chance in proportion to
 * its squared distance to the centres there are. A centre that loses all its rows moves to the row farthest from its own.
 * The columns are taken as they are; scale them before. Time O(starts · steps · rows · count · columns).
 *
 * @param values Row-major rows × columns, finite; left as it is.
 * @throws RangeError on a wrong shape, a value that is not finite or a count outside 1..rows.
 * @see Lloyd 1982, doi:10.1109/TIT.1982.1056489; Arthur and Vassilvitskii 2007, doi:10.5555/1283383.1283494.
 */
export function kMeans(
  values: Float64Array,
  rowCount: number,
  columnCount: number,
  { count, seed, starts = STARTS_DEFAULT, initial }: KMeansSettings,
): KMeans {
  expect(
    values.length === rowCount * columnCount,
    `values must be ${rowCount} × ${columnCount}, were ${values.length}`,
  );
  expect(areFinite(values), 'values must be finite');
  expect(
    Number.isInteger(count) && count >= 1 && count <= rowCount,
    `count must be a whole number in 1..${rowCount}, was ${count}`,
  );
  if (initial !== undefined) {
    expect(initial.length === count * columnCount, `initial must be ${count} × ${columnCount}, was ${initial.length}`);
    return lloyd(values, rowCount, columnCount, initial.slice());
  }
  expect(Number.isInteger(starts) && starts >= 1, `starts must be a whole number >= 1, was ${starts}`);
  const random = createRandom(seed);
  let best: KMeans | null = null;
  for (let start = 0; start < starts; start++) {
    const centers = drawCenters(values, rowCount, columnCount, count, random.split(start));
    const found = lloyd(values, rowCount, columnCount, centers);
    if (best === null || found.inertia < best.inertia) best = found;
  }
  return best!;
}

/** Number of the nearest centre of each row; −1 for a row that holds a missing value. Rules as for `kMeans`. */
export function nearestCenters(
  centers: Float64Array,
  values: Float64Array,
  rowCount: number,
  columnCount: number,
): Int32Array {
  expect(
    values.length === rowCount * columnCount,
    `values must be ${rowCount} × ${columnCount}, were ${values.length}`,
  );
  return Int32Array.from({ length: rowCount }, (_, row) => nearest(centers, values, row, columnCount).center);
}

function drawCenters(values: Float64Array, rows: number, columns: number, count: number, random: Random): Float64Array {
  const centers = new Float64Array(count * columns);
  const distance = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  let row = random.integer(rows);
  for (let k = 0; k < count; k++) {
    centers.set(values.subarray(row * columns, (row + 1) * columns), k * columns);
    let sum = 0;
    for (let i = 0; i < rows; i++) {
      distance[i] = Math.min(distance[i]!, squaredDistance(centers, k, values, i, columns));
      sum += distance[i]!;
    }
    // Fewer distinct rows than centres: any row does.
    row = sum === 0 ? random.integer(rows) : drawByShare(distance, random.uniform() * sum);
  }
  return centers;
}

function drawByShare(shares: Float64Array, place: number): number {
  let left = place;
  let last = 0;
  for (let i = 0; i < shares.length; i++) {
    if (shares[i]! === 0) continue;
    last = i;
    left -= shares[i]!;
    if (left < 0) return i;
  }
  return last;
}

function lloyd(values: Float64Array, rows: number, columns: number, centers: Float64Array): KMeans {
  const count = centers.length / columns;
  const assignment = new Int32Array(rows).fill(-1);
  const distance = new Float64Array(rows);
  let converged = false;
  for (let step = 0; step < STEPS_MAX && !converged; step++) {
    converged = true;
    for (let row = 0; row < rows; row++) {
      const found = nearest(centers, values, row, columns);
      if (found.center !== assignment[row]) converged = false;
      assignment[row] = found.center;
      distance[row] = found.distance;
    }
    if (!converged) moveCenters(values, columns, centers, count, assignment, distance);
  }
  const inertia = distance.reduce((sum, d) => sum + d, 0);
  return { centers, assignment, inertia, converged };
}

function moveCenters(
  values: Float64Array,
  columns: number,
  centers: Float64Array,
  count: number,
  assignment: Int32Array,
  distance: Float64Array,
): void {
  const sizes = new Int32Array(count);
  for (const center of assignment) sizes[center]!++;
  for (let k = 0; k < count; k++) {
    if (sizes[k]! > 0) continue;
    let farthest = 0;
    for (let row = 1; row < distance.length; row++) if (distance[row]! > distance[farthest]!) farthest = row;
    sizes[assignment[farthest]!]!--;
    assignment[farthest] = k;
    sizes[k] = 1;
    distance[farthest] = 0;
  }
  centers.fill(0);
  assignment.forEach((center, row) => {
    for (let j = 0; j < columns; j++) centers[center * columns + j]! += values[row * columns + j]! / sizes[center]!;
  });
}

function nearest(centers: Float64Array, values: Float64Array, row: number, columns: number) {
  let [center, distance] = [-1, Number.POSITIVE_INFINITY];
  for (let k = 0; k * columns < centers.length; k++) {
    const found = squaredDistance(centers, k, values, row, columns);
    if (found < distance) [center, distance] = [k, found];
  }
  return { center, distance };
}

function squaredDistance(centers: Float64Array, k: number, values: Float64Array, row: number, columns: number): number {
  let sum = 0;
  for (let j = 0; j < columns; j++) sum += (values[row * columns + j]! - centers[k * columns + j]!) ** 2;
  return sum;
}
