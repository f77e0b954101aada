import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../random/random.ts';
import { plainKernels } from './plain-kernels.ts';
import { chooseKernels, findTwin, twinKernels } from './twin-kernels.ts';

// Sizes around the widths of vectors, tiles and blocks, and some beyond all of them.
const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(31, 32, 33, 47, 64, 65));

describe('the WebAssembly twin', () => {
  test('is there, and is chosen for large sizes only', () => {
    assert.ok(findTwin());
    assert.equal(chooseKernels(4), plainKernels);
    assert.equal(chooseKernels(500), twinKernels);
  });

  test('multiplies to the same bits as the plain kernel, also what is missing or infinite', () => {
    fc.assert(
      fc.property(
        size,
        fc.oneof(size, fc.constantFrom(255, 256, 257, 515)),
        size,
        fc.nat(),
        (rows, inner, columns, seed) => {
          const a = numbers(rows * inner, seed);
          const b = numbers(inner * columns, seed + 1);
          if (seed % 5 === 0) a[seed % a.length] = seed % 2 === 0 ? Number.NaN : Number.POSITIVE_INFINITY;
          same(twinKernels.multiply(a, rows, inner, b, columns), plainKernels.multiply(a, rows, inner, b, columns));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('factors to the same bits, and refuses the same matrices', () => {
    fc.assert(
      fc.property(size, fc.nat(), fc.constantFrom(0, 1, 5), (n, seed, more) => {
        const root = numbers(n * (n + more), seed);
        const matrix = new Float64Array(n * n);
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++)
            for (let k = 0; k < n + more; k++)
              matrix[i * n + j]! += root[i * (n + more) + k]! * root[j * (n + more) + k]!;
        if (seed % 4 === 0) matrix[(seed % n) * (n + 1)] = seed % 8 === 0 ? Number.NaN : -1;
        const plain = plainKernels.factor(matrix, n, 1e-12);
        const twin = twinKernels.factor(matrix, n, 1e-12);
        if (plain && twin) same(twin, plain);
        else assert.equal(twin, plain);
      }),
      { numRuns: 60 },
    );
  });

  test('finds the same eigenvalues and vectors to the last bit, also where a matrix falls apart into blocks', () => {
    fc.assert(
      fc.property(size, fc.nat(), fc.constantFrom(0, 0.5, 0.95), (n, seed, zeros) => {
        const random = createRandom(seed);
        const matrix = new Float64Array(n * n);
        for (let i = 0; i < n; i++)
          for (let j = 0; j <= i; j++) matrix[i * n + j] = random.uniform() < zeros ? 0 : 2 * random.uniform() - 1;
        const plain = plainKernels.diagonalise(matrix, n);
        const twin = twinKernels.diagonalise(matrix, n);
        same(twin.values, plain.values);
        for (let i = 0; i < n; i++)
          same(twin.basis.subarray(i * twin.stride, i * twin.stride + n), plain.basis.subarray(i * n, (i + 1) * n));
      }),
      { numRuns: 60 },
    );
  });

  test('agrees at a size that fills many blocks', () => {
    const n = 131;
    const matrix = numbers(n * n, 8);
    same(twinKernels.diagonalise(matrix, n).values.slice(), plainKernels.diagonalise(matrix, n).values);
    same(twinKernels.multiply(matrix, n, n, matrix, n), plainKernels.multiply(matrix, n, n, matrix, n));
  });
});

function numbers(count: number, seed: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: count }, () => random.normal());
}

/** Equal to the last bit; any NaN is as good as another. */
function same(actual: Float64Array, wanted: Float64Array): void {
  assert.equal(actual.length, wanted.length);
  for (const [k, value] of wanted.entries())
    assert.ok(Object.is(actual[k], value), `place ${k}: ${actual[k]} is not ${value}`);
}
