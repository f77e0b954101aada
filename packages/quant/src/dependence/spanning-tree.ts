import { expect } from '../checks/expect.ts';

export type TreeEdge = {
  /** Below `b`. */
  a: number;
  b: number;
  distance: number;
};

/**
 * The tree through all points with the least sum of distances: what is nearest to what, without the rest. Where distances
 * are equal, the edge to the earlier point is taken. Time O(N²).
 *
 * @param distances Row-major N × N, symmetric, finite.
 * @returns N − 1 edges by ascending distance; none for fewer than two points.
 * @throws RangeError on a wrong shape or a distance that is not finite.
 * @see Prim 1957, doi:10.1002/j.1538-7305.1957.tb01515.x; Mantegna 1999, doi:10.1007/s100510050929.
 */
export function spanningTree(distances: Float64Array, count: number): TreeEdge[] {
  checkDistances(distances, count);
  if (count < 2) return [];
  const nearest = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const from = new Int32Array(count);
  const isIn = new Uint8Array(count);
  const edges: TreeEdge[] = [];
  let last = 0;
  isIn[0] = 1;
  for (let step = 1; step < count; step++) {
    let next = -1;
    for (let i = 0; i < count; i++) {
      if (isIn[i] === 1) continue;
      const distance = distances[last * count + i]!;
      if (distance < nearest[i]!) {
        nearest[i] = distance;
        from[i] = last;
      }
      if (next < 0 || nearest[i]! < nearest[next]!) next = i;
    }
    isIn[next] = 1;
    edges.push({ a: Math.min(next, from[next]!), b: Math.max(next, from[next]!), distance: nearest[next]! });
    last = next;
  }
  return edges.sort((x, y) => x.distance - y.distance || x.a - y.a || x.b - y.b);
}

/** √(2 (1 − ρ)): a metric, nought for equal movements and 2 for opposite ones. */
export function correlationDistances(correlation: Float64Array): Float64Array {
  return correlation.map((value) => Math.sqrt(Math.max(0, 2 * (1 - value))));
}

export function checkDistances(distances: Float64Array, count: number): void {
  expect(distances.length === count * count, `distances must be ${count} x ${count}, had ${distances.length} values`);
  expect(distances.every(Number.isFinite), 'distances must be finite');
}
