import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Examples } from '../src/learn/examples.ts';
import { logistic } from '../src/learn/trees/exponential.ts';
import { createRandom } from '../src/random/random.ts';

/** Rows of standard normal features (float32) with a binary target from a few of them, alone and in pairs. */
export function drawTable(rowCount: number, featureCount: number, seed: string): Examples {
  const random = createRandom(seed);
  const values = Float64Array.from({ length: rowCount * featureCount }, () => Math.fround(random.normal()));
  const target = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const x = (k: number): number => values[row * featureCount + k]!;
    const together = x(2) > 0 ? 0.6 * x(3) : 0;
    const margin =
      0.8 * x(0) - 0.6 * x(1) + together + 0.7 * Math.max(x(4), 0) - 0.3 * x(5) ** 2 + 0.4 * Math.abs(x(6));
    target[row] = random.uniform() < logistic(margin) ? 1 : 0;
  }
  return { inputs: { rowCount, stepCount: 1, featureCount, values }, target, weight: null, group: null };
}

/** Share of pairs (1, 0) in which the 1 has the higher score; ties count half. */
export function areaUnderCurve(scores: Float64Array, target: Float64Array): number {
  const order = Int32Array.from(scores, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  let [ranks, ones] = [0, 0];
  for (let k = 0; k < order.length; ) {
    let end = k + 1;
    while (end < order.length && scores[order[end]!] === scores[order[k]!]) end += 1;
    for (let j = k; j < end; j++)
      if (target[order[j]!] === 1) {
        ranks += (k + end + 1) / 2;
        ones += 1;
      }
    k = end;
  }
  return (ranks - (ones * (ones + 1)) / 2) / (ones * (order.length - ones));
}

/** Writes features and then targets as float32, for a peer. Returns where. */
export function writeTable({ inputs, target }: Examples, folder: string): string {
  const path = join(folder, 'table.f32');
  const both = new Float32Array(inputs.values.length + target.length);
  both.set(inputs.values);
  both.set(target, inputs.values.length);
  writeFileSync(path, new Uint8Array(both.buffer));
  return path;
}

/** Rows from `start` on, up to `end`. */
export function rowsBetween(start: number, end: number): Int32Array {
  return Int32Array.from({ length: end - start }, (_, k) => start + k);
}
