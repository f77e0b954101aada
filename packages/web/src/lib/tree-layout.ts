/** A place in the unit circle for every node of a tree. */
export type TreePlace = { x: number; y: number; depth: number };
export type TreeEdge = { a: number; b: number };

/**
 * Lays a tree out in rings around the node with the most neighbours: each branch gets a slice as wide as it has leaves.
 * The same tree has the same picture. Nodes that no edge reaches stand on the outermost ring.
 */
export function layOutTree(nodeCount: number, edges: readonly TreeEdge[]): TreePlace[] {
  const neighbours: number[][] = Array.from({ length: nodeCount }, () => []);
  for (const { a, b } of edges) {
    neighbours[a]?.push(b);
    neighbours[b]?.push(a);
  }
  const root = neighbours.reduce(
    (most, list, node) => (list.length > (neighbours[most]?.length ?? 0) ? node : most),
    0,
  );
  const parent = new Map<number, number>([[root, -1]]);
  const order = [root];
  for (const node of order) {
    for (const next of neighbours[node] ?? []) {
      if (parent.has(next)) continue;
      parent.set(next, node);
      order.push(next);
    }
  }
  const leaves = new Array<number>(nodeCount).fill(0);
  for (const node of order.toReversed()) {
    if (leaves[node] === 0) leaves[node] = 1;
    const above = parent.get(node) ?? -1;
    if (above >= 0) leaves[above] = (leaves[above] ?? 0) + (leaves[node] ?? 0);
  }
  const places: TreePlace[] = Array.from({ length: nodeCount }, () => ({ x: 0, y: 0, depth: 0 }));
  const slices = new Map<number, readonly [from: number, to: number]>([[root, [0, 2 * Math.PI]]]);
  let deepest = 1;
  for (const node of order) {
    const [from, to] = slices.get(node) ?? [0, 0];
    const depth = places[node]?.depth ?? 0;
    deepest = Math.max(deepest, depth);
    let start = from;
    for (const next of (neighbours[node] ?? []).filter((other) => parent.get(other) === node)) {
      const width = ((to - from) * (leaves[next] ?? 1)) / Math.max(1, leaves[node] ?? 1);
      slices.set(next, [start, start + width]);
      places[next] = { x: 0, y: 0, depth: depth + 1 };
      start += width;
    }
  }
  const alone = places.keys().filter((node) => !parent.has(node));
  for (const [index, node] of [...alone].entries()) {
    slices.set(node, [index * 0.3, index * 0.3]);
    places[node] = { x: 0, y: 0, depth: deepest };
  }
  return places.map((place, node) => {
    const [from, to] = slices.get(node) ?? [0, 0];
    const angle = (from + to) / 2 - Math.PI / 2;
    // The middle is crowded, the rim is not: the inner rings stand further out.
    const radius = (place.depth / deepest) ** 0.65;
    return { x: radius * Math.cos(angle), y: radius * Math.sin(angle), depth: place.depth };
  });
}
