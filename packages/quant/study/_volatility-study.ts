import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '../src/random/random.ts';
import { dayNumber } from '../src/series/day.ts';
import { type BootstrapInterval, blockBootstrap, pairedDifferenceInterval } from '../src/stats/block-bootstrap.ts';
import type { StudyResult } from './quality-court.ts';

export type { StudyResult };

/** Resamples behind each interval, and their seed. */
export const BOOTSTRAP = { resampleCount: 2000, blockLength: 63, seed: 20_260 } as const;

/** Rows whose day lies within both days, both included. */
export function rowsBetween(day: Int32Array, first: string, last: string): Uint32Array {
  const [from, to] = [dayNumber(first), dayNumber(last)];
  const rows: number[] = [];
  day.forEach((d, t) => {
    if (d >= from && d <= to) rows.push(t);
  });
  return Uint32Array.from(rows);
}

export function pick(values: Float64Array, rows: Uint32Array): Float64Array {
  return Float64Array.from(rows, (t) => values[t]!);
}

/** 1 − mean(loss) / mean(baseline), resampled by whole days so that the pairs stay together. */
export function lossGain(loss: Float64Array, baseline: Float64Array, label: string): BootstrapInterval {
  return blockBootstrap(
    loss.length,
    (indices) => {
      let [ours, theirs] = [0, 0];
      for (let k = 0; k < indices.length; k++) {
        ours += loss[indices[k]!]!;
        theirs += baseline[indices[k]!]!;
      }
      return 1 - ours / theirs;
    },
    {
      random: createRandom(BOOTSTRAP.seed).split(label),
      blockLength: Math.min(BOOTSTRAP.blockLength, loss.length),
      resampleCount: BOOTSTRAP.resampleCount,
    },
  );
}

/** Hash of the kernels and of the study itself: another hash, another figure. */
export function codeHash(study: string): string {
  const hash = createHash('sha256');
  const folder = join(import.meta.dirname, '../src/volatility');
  const kernels = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  for (const name of kernels.sort()) hash.update(readFileSync(join(folder, name)));
  for (const name of ['_volatility-study.ts', '_index-bars.ts', `${study}.ts`])
    hash.update(readFileSync(join(import.meta.dirname, name)));
  return hash.digest('hex');
}

export function printResults(results: readonly StudyResult[]): void {
  for (const { name, figure, unit, interval, goal, verdict } of results)
    console.log(
      `${name}: ${figure.toFixed(4)} ${unit} [${interval.map((bound) => bound.toFixed(4)).join(', ')}], ${goal}: ${verdict}`,
    );
  console.log(`code ${String(results[0]!.settings.codeHash).slice(0, 12)}`);
}

/** Mean of a − b with its interval, paired by day. */
export function meanDifference(a: Float64Array, b: Float64Array, label: string): BootstrapInterval {
  const interval = pairedDifferenceInterval(a, b, {
    random: createRandom(BOOTSTRAP.seed).split(label),
    blockLength: Math.min(BOOTSTRAP.blockLength, a.length),
    resampleCount: BOOTSTRAP.resampleCount,
  });
  if (interval === null) throw new Error('no day has both losses');
  return interval;
}
