/** Values at the knots and the standard deviation around the lines that join them. */
export type LegFit = { levels: Float64Array; residualSd: number };

/**
 * Least-squares continuous broken line through values[bars[0]..bars.at(-1)] with its corners at `bars`, which ascend
 * strictly. Every bar of a leg has a say in where its corners lie, so that one noisy extreme does not place them alone.
 *
 * The normal equations in the hat basis are tridiagonal and positive definite. O(bars).
 *
 * @param sign 1, or −1 to fit the values turned upside down.
 */
export function fitLegs(values: Float64Array, bars: readonly number[], sign: 1 | -1): LegFit {
  const knots = bars.length;
  const diagonal = new Float64Array(knots);
  const beside = new Float64Array(knots);
  const right = new Float64Array(knots);
  let squares = 0;
  for (let leg = 0; leg + 1 < knots; leg++) {
    const from = bars[leg]!;
    const length = bars[leg + 1]! - from;
    // The last bar of a leg is the first of the next and counts once.
    const end = leg + 2 === knots ? length : length - 1;
    for (let k = 0; k <= end; k++) {
      const b = k / length;
      const a = 1 - b;
      const y = sign * values[from + k]!;
      diagonal[leg]! += a * a;
      beside[leg]! += a * b;
      diagonal[leg + 1]! += b * b;
      right[leg]! += a * y;
      right[leg + 1]! += b * y;
      squares += y * y;
    }
  }
  const levels = solveTridiagonal(diagonal, beside, right);
  let rest = 0;
  let count = 0;
  for (let leg = 0; leg + 1 < knots; leg++) {
    const from = bars[leg]!;
    const length = bars[leg + 1]! - from;
    const end = leg + 2 === knots ? length : length - 1;
    for (let k = 0; k <= end; k++) {
      const fitted = levels[leg]! + (k / length) * (levels[leg + 1]! - levels[leg]!);
      rest += (sign * values[from + k]! - fitted) ** 2;
      count += 1;
    }
  }
  return { levels, residualSd: squares > 0 ? Math.sqrt(rest / Math.max(1, count - knots)) : 0 };
}

function solveTridiagonal(diagonal: Float64Array, beside: Float64Array, right: Float64Array): Float64Array {
  const n = diagonal.length;
  const pivot = diagonal.slice();
  const x = right.slice();
  for (let i = 1; i < n; i++) {
    const factor = beside[i - 1]! / pivot[i - 1]!;
    pivot[i]! -= factor * beside[i - 1]!;
    x[i]! -= factor * x[i - 1]!;
  }
  x[n - 1]! /= pivot[n - 1]!;
  for (let i = n - 2; i >= 0; i--) x[i] = (x[i]! - beside[i]! * x[i + 1]!) / pivot[i]!;
  return x;
}

/** Running sums of a series as far as it is known: those of bars 0..t−1 stand at t. */
export type LegSums = { value: Float64Array; byBar: Float64Array; square: Float64Array };

export function createLegSums(barCount: number): LegSums {
  const zeros = () => new Float64Array(barCount + 1);
  return { value: zeros(), byBar: zeros(), square: zeros() };
}

/** Takes in bar `t`; bars come in order. Values are taken from the first one, so that little is lost in differences. */
export function advanceLegSums(sums: LegSums, values: Float64Array, t: number): void {
  const value = values[t]! - values[0]!;
  sums.value[t + 1] = sums.value[t]! + value;
  sums.byBar[t + 1] = sums.byBar[t]! + t * value;
  sums.square[t + 1] = sums.square[t]! + value * value;
}

const KNOTS_MAX = 16;
const diagonalScratch = new Float64Array(KNOTS_MAX);
const besideScratch = new Float64Array(KNOTS_MAX);
const rightScratch = new Float64Array(KNOTS_MAX);

/**
 * Sum of squares around the broken line of `fitLegs`, O(corners): for comparing places of the corners. Differences of
 * running sums carry some 1e-8 of the result in rounding.
 *
 * @param bars At most 16, ascending strictly.
 */
export function legSquares(sums: LegSums, bars: readonly number[]): number {
  const knots = bars.length;
  const diagonal = diagonalScratch.fill(0);
  const beside = besideScratch.fill(0);
  const right = rightScratch.fill(0);
  for (let leg = 0; leg + 1 < knots; leg++) {
    const from = bars[leg]!;
    const length = bars[leg + 1]! - from;
    // The last bar of a leg is the first of the next and counts once.
    const count = leg + 2 === knots ? length + 1 : length;
    const end = from + count;
    const sumB = (count * (count - 1)) / 2 / length;
    const sumBB = ((count - 1) * count * (2 * count - 1)) / 6 / (length * length);
    const sumY = sums.value[end]! - sums.value[from]!;
    const sumBY = (sums.byBar[end]! - sums.byBar[from]! - from * sumY) / length;
    diagonal[leg]! += count - 2 * sumB + sumBB;
    beside[leg]! += sumB - sumBB;
    diagonal[leg + 1]! += sumBB;
    right[leg]! += sumY - sumBY;
    right[leg + 1]! += sumBY;
  }
  let explained = 0;
  for (let i = 0; i < knots; i++) {
    if (i > 0) {
      const factor = beside[i - 1]! / diagonal[i - 1]!;
      diagonal[i]! -= factor * beside[i - 1]!;
      right[i]! -= factor * right[i - 1]!;
    }
    // With the Cholesky factor of the equations the explained squares are a sum of what each corner adds.
    explained += (right[i]! * right[i]!) / diagonal[i]!;
  }
  return sums.square[bars.at(-1)! + 1]! - sums.square[bars[0]!]! - explained;
}

/**
 * Least-squares parabola against least-squares V over values[first..last], both symmetric around the middle.
 *
 * `depth` is how far the parabola hangs below its rims (positive for a cup), `rimChange` the right rim minus the left.
 */
export function fitCup(
  values: Float64Array,
  first: number,
  last: number,
  sign: 1 | -1,
): { depth: number; leftRim: number; rimChange: number; residualSd: number; vResidualSd: number } {
  const round = fitShape(values, first, last, sign, (u) => (2 * u - 1) ** 2);
  const sharp = fitShape(values, first, last, sign, (u) => Math.abs(2 * u - 1));
  return {
    depth: round.c,
    leftRim: round.a + round.c,
    rimChange: round.b,
    residualSd: round.residualSd,
    vResidualSd: sharp.residualSd,
  };
}

/** y = a + b·u + c·g(u) for u from 0 to 1, g symmetric around 1/2: the middle-centred slope is orthogonal to the rest. */
function fitShape(values: Float64Array, first: number, last: number, sign: 1 | -1, g: (u: number) => number) {
  const n = last - first + 1;
  let [sumY, sumG, sumGG, sumGY, sumUU, sumUY] = [0, 0, 0, 0, 0, 0];
  for (let k = 0; k < n; k++) {
    const u = k / (n - 1);
    const y = sign * values[first + k]!;
    sumY += y;
    sumG += g(u);
    sumGG += g(u) ** 2;
    sumGY += g(u) * y;
    sumUU += (u - 0.5) ** 2;
    sumUY += (u - 0.5) * y;
  }
  const c = (sumGY - (sumG * sumY) / n) / (sumGG - (sumG * sumG) / n);
  const b = sumUY / sumUU;
  const level = (sumY - c * sumG) / n;
  let rest = 0;
  for (let k = 0; k < n; k++) {
    const u = k / (n - 1);
    rest += (sign * values[first + k]! - level - b * (u - 0.5) - c * g(u)) ** 2;
  }
  return { a: level - b / 2, b, c, residualSd: Math.sqrt(rest / Math.max(1, n - 3)) };
}
