import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StudyResult } from './_volatility-study.ts';

/** Folders of kernels that the studies of learnt forecasts stand on. */
const KERNELS = [
  'learn',
  'learn/calibration',
  'learn/conformal',
  'learn/linear',
  'volatility',
  'labels',
  'expressions',
] as const;

/** Hash of the kernels and of the study itself: another hash, another figure. */
export function learnCodeHash(study: string): string {
  const hash = createHash('sha256');
  for (const folder of KERNELS) {
    const path = join(import.meta.dirname, '../src', folder);
    const kernels = readdirSync(path).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
    for (const name of kernels.sort()) hash.update(readFileSync(join(path, name)));
  }
  for (const name of ['_learn-study.ts', '_volatility-study.ts', '_index-bars.ts', `${study}.ts`])
    hash.update(readFileSync(join(import.meta.dirname, name)));
  return hash.digest('hex');
}

/** Calendar year of a day number. */
export function yearOf(day: number): number {
  return new Date(day * 86_400_000).getUTCFullYear();
}

/** Mean of values by year, in the order of the years. */
export function meanByYear(values: Float64Array, days: Int32Array): Map<number, { mean: number; count: number }> {
  const years = new Map<number, { mean: number; count: number }>();
  values.forEach((value, i) => {
    const year = yearOf(days[i]!);
    const held = years.get(year) ?? { mean: 0, count: 0 };
    held.count++;
    held.mean += (value - held.mean) / held.count;
    years.set(year, held);
  });
  return years;
}

/** Met where the figure holds; where it does not and the interval holds the target too, nobody can tell. */
export function verdictOf(met: boolean, isResolved: boolean): StudyResult['verdict'] {
  if (met) return 'met';
  return isResolved ? 'not met' : 'not resolvable';
}
