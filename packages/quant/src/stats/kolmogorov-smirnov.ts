import { type Unanswered, unanswered } from '../checks/unanswered.ts';

export type KolmogorovSmirnov =
  | {
      status: 'ok';
      /** Largest distance between the two distribution functions, 0..1. */
      statistic: number;
      /** Two-sided, against one common distribution. */
      pValue: number;
      method: 'exact' | 'asymptotic';
    }
  | Unanswered;

/** Up to this product of the sizes the p-value is counted out, which costs as many steps. */
const EXACT_PRODUCT_MAX = 1_000_000;

/**
 * Two-sample Kolmogorov-Smirnov test. NaN values are left out. Exact for continuous data up to a product of the sizes of a
 * million, else by Kolmogorov's limit; ties make the p-value too large, never too small.
 *
 * @returns `undefined` when a sample is empty.
 * @see Hodges 1958, doi:10.1007/BF02589501; Kolmogorov's limit: Smirnov 1948, doi:10.1214/aoms/1177730256.
 */
export function kolmogorovSmirnov(first: Float64Array, second: Float64Array): KolmogorovSmirnov {
  const a = first.filter((x) => !Number.isNaN(x)).sort();
  const b = second.filter((x) => !Number.isNaN(x)).sort();
  if (a.length === 0 || b.length === 0) return unanswered('a sample is empty');
  const product = a.length * b.length;
  const gap = largestGap(a, b);
  const statistic = gap / product;
  if (product <= EXACT_PRODUCT_MAX)
    return { status: 'ok', statistic, pValue: chanceOfGap(a.length, b.length, gap), method: 'exact' };
  const size = Math.sqrt(product / (a.length + b.length));
  return { status: 'ok', statistic, pValue: kolmogorovTail(statistic * size), method: 'asymptotic' };
}

/** P(K > x) of Kolmogorov's distribution, the limit of √n times the largest distance. */
export function kolmogorovTail(x: number): number {
  if (!(x > 0)) return Number.isNaN(x) ? Number.NaN : 1;
  if (x < 1) {
    // The theta function turned around converges at once where the alternating sum does not.
    let sum = 0;
    for (let k = 1; k <= 9; k += 2) sum += Math.exp(-(k * k * Math.PI * Math.PI) / (8 * x * x));
    return 1 - (Math.sqrt(2 * Math.PI) / x) * sum;
  }
  let sum = 0;
  for (let k = 1; k <= 8; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * x * x);
  return sum;
}

/** Largest |i · nb − j · na| where the two step functions stand at i / na and j / nb: whole numbers compare exactly. */
function largestGap(a: Float64Array, b: Float64Array): number {
  let i = 0;
  let j = 0;
  let gap = 0;
  while (i < a.length && j < b.length) {
    const x = Math.min(a[i]!, b[j]!);
    while (i < a.length && a[i] === x) i++;
    while (j < b.length && b[j] === x) j++;
    gap = Math.max(gap, Math.abs(i * b.length - j * a.length));
  }
  return gap;
}

/** Chance that a random order of the two samples reaches the gap: the way back from the end of the lattice, step by step. */
function chanceOfGap(m: number, n: number, gap: number): number {
  if (gap === 0) return 1;
  const chance = new Float64Array(n + 1);
  for (let i = 0; i <= m; i++)
    for (let j = 0; j <= n; j++) {
      if (Math.abs(i * n - j * m) >= gap) chance[j] = 1;
      else if (i === 0 || j === 0) chance[j] = i === 0 ? (j === 0 ? 0 : chance[j - 1]!) : chance[j]!;
      else chance[j] = (chance[j]! * i + chance[j - 1]! * j) / (i + j);
    }
  return Math.min(1, chance[n]!);
}
