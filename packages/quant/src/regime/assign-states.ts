import { expect } from '../checks/expect.ts';

/**
 * The cheapest one-to-one assignment of rows to columns: the Hungarian method by shortest augmenting paths, O(N³).
 *
 * @param cost Row-major N × N, finite.
 * @returns For each row its column.
 * @throws RangeError if the matrix is not square or holds a value that is not finite.
 * @see Kuhn (1955), doi:10.1002/nav.3800020109; Jonker and Volgenant (1987), doi:10.1007/BF02278710
 */
export function assignStates(cost: Float64Array, size: number): Int32Array {
  expect(cost.length === size * size, `cost must have ${size * size} values, had ${cost.length}`);
  for (const value of cost) expect(Number.isFinite(value), `cost must be finite, was ${value}`);
  // Rows and columns count from 1; column 0 is the root of each path.
  const tree: Tree = {
    rowPrice: new Float64Array(size + 1),
    columnPrice: new Float64Array(size + 1),
    rowOfColumn: new Int32Array(size + 1),
    cameFrom: new Int32Array(size + 1),
  };
  for (let row = 1; row <= size; row++) {
    let column = growTree(cost, size, row, tree);
    while (column !== 0) {
      const before = tree.cameFrom[column]!;
      tree.rowOfColumn[column] = tree.rowOfColumn[before]!;
      column = before;
    }
  }
  const columnOfRow = new Int32Array(size);
  for (let column = 1; column <= size; column++) columnOfRow[tree.rowOfColumn[column]! - 1] = column - 1;
  return columnOfRow;
}

type Tree = { rowPrice: Float64Array; columnPrice: Float64Array; rowOfColumn: Int32Array; cameFrom: Int32Array };

/** Grows the tree of cheapest ways from a row until it meets a free column, which is returned. */
function growTree(cost: Float64Array, size: number, row: number, tree: Tree): number {
  const { rowPrice, columnPrice, rowOfColumn, cameFrom } = tree;
  rowOfColumn[0] = row;
  let column = 0;
  const shortest = new Float64Array(size + 1).fill(Number.POSITIVE_INFINITY);
  const isDone = new Uint8Array(size + 1);
  do {
    isDone[column] = 1;
    const from = rowOfColumn[column]!;
    let next = 0;
    for (let k = 1; k <= size; k++) {
      if (isDone[k] === 1) continue;
      const reduced = cost[(from - 1) * size + k - 1]! - rowPrice[from]! - columnPrice[k]!;
      if (reduced < shortest[k]!) {
        shortest[k] = reduced;
        cameFrom[k] = column;
      }
      if (next === 0 || shortest[k]! < shortest[next]!) next = k;
    }
    const step = shortest[next]!;
    for (let k = 0; k <= size; k++) {
      if (isDone[k] === 1) {
        rowPrice[rowOfColumn[k]!]! += step;
        columnPrice[k]! -= step;
      } else shortest[k]! -= step;
    }
    column = next;
  } while (rowOfColumn[column] !== 0);
  return column;
}
