import { expect } from '../checks/expect.ts';

/**
 * A seeded, splittable generator. The same seed gives the same numbers on every machine and for every number of workers.
 *
 * `split(label)` derives an independent child from the seed and the label only, not from how many numbers were drawn
 * before, so that work may be done in any order.
 */
export type Random = {
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Uniform integer in [0, bound), without modulo bias. */
  integer(bound: number): number;
  /** Standard normal. */
  normal(): number;
  /** Exponential with mean 1. */
  exponential(): number;
  /** Student t with the given degrees of freedom, > 0; not scaled to unit variance. */
  studentT(degreesOfFreedom: number): number;
  /** Gamma with the given shape > 0 and scale 1. */
  gamma(shape: number): number;
  /** A child generator that depends on this seed and the label only. */
  split(label: string | number): Random;
};

/**
 * Creates a generator from an unsigned 32-bit seed or a text.
 *
 * The core is sfc32 (Doty-Humphrey, PractRand 0.94), seeded through splitmix32 steps; twelve outputs are thrown away so
 * that close seeds part.
 */
export function createRandom(seed: number | string): Random {
  if (typeof seed === 'number') {
    expect(
      Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff,
      `seed must be an integer in 0..2^32-1, was ${seed}`,
    );
  }
  return fromKey(typeof seed === 'number' ? `#${seed}` : seed);
}

function fromKey(key: string): Random {
  let [a, b, c, counter] = hash128(key);
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) next();

  const uniform = (): number => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992;

  let spare = Number.NaN;
  const normal = (): number => {
    if (!Number.isNaN(spare)) {
      const value = spare;
      spare = Number.NaN;
      return value;
    }
    // Polar method (Marsaglia 1964): no trigonometry, so no difference between mathematics libraries in sin and cos.
    for (;;) {
      const u = 2 * uniform() - 1;
      const v = 2 * uniform() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) {
        const factor = Math.sqrt((-2 * Math.log(s)) / s);
        spare = v * factor;
        return u * factor;
      }
    }
  };

  // Marsaglia and Tsang (2000), doi:10.1145/358407.358414; shapes below one are lifted by U^(1/shape).
  const gamma = (shape: number): number => {
    expect(shape > 0, `gamma shape must be positive, was ${shape}`);
    if (shape < 1) return gamma(shape + 1) * (1 - uniform()) ** (1 / shape);
    const d = shape - 1 / 3;
    const scale = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = normal();
      const v = (1 + scale * x) ** 3;
      if (v > 0 && Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  };

  return {
    uniform,
    integer(bound) {
      expect(Number.isInteger(bound) && bound > 0 && bound <= 0x100000000, `bound must be in 1..2^32, was ${bound}`);
      const limit = 0x100000000 - (0x100000000 % bound);
      let value = next();
      while (value >= limit) value = next();
      return value % bound;
    },
    normal,
    exponential: () => -Math.log(1 - uniform()),
    studentT: (degreesOfFreedom) => normal() / Math.sqrt((2 * gamma(degreesOfFreedom / 2)) / degreesOfFreedom),
    gamma,
    split: (label) => fromKey(`${key}/${typeof label}:${label}`),
  };
}

/** Four 32-bit words from a text: FNV-1a into splitmix32. Not cryptographic; it only has to spread seeds. */
function hash128(text: string): [number, number, number, number] {
  let h = 0x811c9dc5;
  let g = 0x9e3779b9;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    h = Math.imul(h ^ code, 0x01000193);
    g = Math.imul(g ^ code, 0x85ebca6b) + 0x165667b1;
  }
  const words: number[] = [];
  let state = h ^ (g >>> 3);
  for (let i = 0; i < 4; i++) {
    state = (state + 0x9e3779b9 + (i % 2 === 0 ? g : h)) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    words.push(z ^ (z >>> 15));
  }
  return [words[0]!, words[1]!, words[2]!, words[3]!];
}
