import { expect } from '../checks/expect.ts';

/**
 * p-values adjusted by Benjamini and Hochberg: rejecting those at or below q keeps the expected share of false alarms among
 * the rejected at or below q, for tests that are independent or positively dependent.
 *
 * NaN stays NaN and does not count as a test.
 *
 * @param pValues 0..1 or NaN.
 * @returns Adjusted values in the order given, at most 1.
 * @throws RangeError on a value outside 0..1; so do the functions below.
 * @see Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.
 */
export function benjaminiHochberg(pValues: Float64Array): Float64Array {
  return stepUp(pValues, () => 1);
}

/**
 * The same for any dependence between the tests, at the price of a factor 1 + 1/2 + ... + 1/m.
 *
 * @see Benjamini and Yekutieli 2001, doi:10.1214/aos/1013699998.
 */
export function benjaminiYekutieli(pValues: Float64Array): Float64Array {
  return stepUp(pValues, (count) => {
    let sum = 0;
    for (let k = 1; k <= count; k++) sum += 1 / k;
    return sum;
  });
}

/**
 * p-values adjusted by Holm: rejecting those at or below α keeps the chance of any false alarm at or below α, for any
 * dependence.
 *
 * @see Holm 1979, https://www.jstor.org/stable/4615733.
 */
export function holm(pValues: Float64Array): Float64Array {
  const { order, adjusted } = prepare(pValues);
  let running = 0;
  for (const [place, index] of order.entries()) {
    running = Math.max(running, Math.min(1, (order.length - place) * pValues[index]!));
    adjusted[index] = running;
  }
  return adjusted;
}

function stepUp(pValues: Float64Array, factorOf: (count: number) => number): Float64Array {
  const { order, adjusted } = prepare(pValues);
  const count = order.length;
  const factor = factorOf(count);
  let running = 1;
  for (let place = count - 1; place >= 0; place--) {
    const index = order[place]!;
    running = Math.min(running, (factor * count * pValues[index]!) / (place + 1));
    // Rounding of the product may fall short of the value itself.
    adjusted[index] = Math.max(running, pValues[index]!);
  }
  return adjusted;
}

/** Indices of the tests by ascending p-value, and a result that is NaN so far. */
function prepare(pValues: Float64Array): { order: number[]; adjusted: Float64Array } {
  const order: number[] = [];
  for (const [index, p] of pValues.entries()) {
    if (Number.isNaN(p)) continue;
    expect(p >= 0 && p <= 1, `p-values must be in 0..1, one was ${p}`);
    order.push(index);
  }
  order.sort((a, b) => pValues[a]! - pValues[b]! || a - b);
  return { order, adjusted: new Float64Array(pValues.length).fill(Number.NaN) };
}
