import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../random/random.ts';
import { cholesky, inverseSpd, isPositiveDefinite, logDeterminant, solveCholesky } from './cholesky.ts';
import { leastSquares } from './least-squares.ts';
import { multiply, multiplyTranspose, transpose, transposeMultiply } from './multiply.ts';
import { nearestCorrelation } from './nearest-correlation.ts';
import { qr } from './qr.ts';
import { singularValues, svd } from './singular-values.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

const shape = fc.record({
  rows: fc.integer({ min: 1, max: 14 }),
  columns: fc.integer({ min: 1, max: 14 }),
  seed: fc.nat(),
});
const square = fc.record({ n: fc.integer({ min: 1, max: 24 }), seed: fc.nat() });

describe('cholesky', () => {
  test('gives the factor of a matrix worked out by hand', () => {
    const factor = cholesky(Float64Array.of(4, 12, -16, 12, 37, -43, -16, -43, 98), 3);
    assert.deepEqual(factor, Float64Array.of(2, 0, 0, 6, 1, 0, -8, 5, 3));
    assert.equal(logDeterminant(factor!, 3), 2 * (Math.log(2) + Math.log(1) + Math.log(3)));
  });

  test('L Lᵀ is the matrix, its solutions solve, and its inverse inverts', () => {
    fc.assert(
      fc.property(square, ({ n, seed }) => {
        const matrix = randomDefinite(n, seed);
        const factor = cholesky(matrix, n)!;
        near(multiplyTranspose(factor, n, n, factor, n), matrix, 1e-12 * n);
        const right = randomMatrix(n, 3, seed + 1);
        near(multiply(matrix, n, n, solveCholesky(factor, n, right, 3), 3), right, 1e-9);
        near(multiply(matrix, n, n, inverseSpd(matrix, n)!, n), identity(n), 1e-9);
      }),
      { numRuns: 60 },
    );
  });

  test('gives null for a matrix that is singular, indefinite, or holds a value that is not finite', () => {
    assert.equal(cholesky(Float64Array.of(1, 1, 1, 1), 2), null);
    assert.equal(cholesky(Float64Array.of(1, 2, 2, 1), 2), null);
    assert.equal(cholesky(Float64Array.of(1, Number.NaN, Number.NaN, 1), 2), null);
    assert.equal(cholesky(Float64Array.of(Number.POSITIVE_INFINITY), 1), null);
    assert.equal(cholesky(Float64Array.of(0), 1), null);
    assert.equal(inverseSpd(Float64Array.of(-1), 1), null);
    assert.ok(isPositiveDefinite(Float64Array.of(2), 1));
    assert.deepEqual(inverseSpd(Float64Array.of(4), 1), Float64Array.of(0.25));
    assert.deepEqual(cholesky(new Float64Array(0), 0), new Float64Array(0));
    assert.throws(() => cholesky(new Float64Array(3), 2), /matrix must be 2 x 2, had 3 values/);
    assert.throws(() => solveCholesky(new Float64Array(1), 1, new Float64Array(2)), RangeError);
  });
});

describe('qr', () => {
  test('Q R is the matrix, Q has orthonormal columns, R is a triangle with no negative diagonal, for any rank', () => {
    fc.assert(
      fc.property(shape, fc.boolean(), ({ rows, columns, seed }, isLowRank) => {
        const matrix = randomMatrix(rows, columns, seed);
        if (isLowRank) for (let i = 0; i < rows; i++) matrix[i * columns + columns - 1] = 3 * matrix[i * columns]!;
        const { q, r, size } = qr(matrix, rows, columns);
        near(multiply(q, rows, size, r, columns), matrix, 1e-12);
        near(transposeMultiply(q, rows, size, q, size), identity(size), 1e-13);
        for (let i = 0; i < size; i++) {
          assert.ok(r[i * columns + i]! >= 0);
          for (let j = 0; j < i; j++) assert.equal(r[i * columns + j], 0);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('works for one value, zeros, and values near the ends of the range', () => {
    assert.deepEqual(qr(Float64Array.of(-3), 1, 1).r, Float64Array.of(3));
    assert.deepEqual(qr(new Float64Array(4), 2, 2).r, new Float64Array(4));
    const { r } = qr(Float64Array.of(3e300, 4e-300, 4e300, 3e-300), 2, 2);
    near(Float64Array.of(r[0]! / 1e300, r[1]! / 1e-300, r[3]! / 1e-300), Float64Array.of(5, 4.8, 1.4), 1e-12);
    assert.throws(() => qr(Float64Array.of(Number.NaN), 1, 1), /finite/);
    assert.throws(() => qr(new Float64Array(3), 2, 2), RangeError);
  });
});

describe('leastSquares', () => {
  test('finds a line through points worked out by hand', () => {
    const fit = leastSquares(Float64Array.of(1, 0, 1, 1, 1, 2), 3, 2, Float64Array.of(1, 2, 2));
    assert.ok(fit.status === 'ok');
    near(fit.coefficients, Float64Array.of(7 / 6, 0.5), 1e-14);
    near(fit.residuals, Float64Array.of(-1 / 6, 1 / 3, -1 / 6), 1e-14);
    assert.ok(Math.abs(fit.squaredResiduals - 1 / 6) < 1e-14);
    near(fit.inverseGram, Float64Array.of(5 / 6, -0.5, -0.5, 0.5), 1e-14);
  });

  test('leaves residuals at right angles to every column, and does not mind the scale of a column', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 10 }), (seed, columns, more) => {
        const rows = columns + more;
        const matrix = randomMatrix(rows, columns, seed);
        const right = randomMatrix(rows, 1, seed + 1);
        const fit = leastSquares(matrix, rows, columns, right);
        assert.ok(fit.status === 'ok');
        near(transposeMultiply(matrix, rows, columns, fit.residuals, 1), new Float64Array(columns), 1e-11);
        const large = leastSquares(
          matrix.map((value, k) => (k % columns === 0 ? value * 2 ** 300 : value)),
          rows,
          columns,
          right,
        );
        assert.ok(large.status === 'ok');
        assert.equal(large.coefficients[0]! * 2 ** 300, fit.coefficients[0]);
        assert.deepEqual(large.residuals, fit.residuals);
      }),
      { numRuns: 60 },
    );
  });

  test('names the columns that are a combination of those before them', () => {
    const rows = 12;
    const matrix = randomMatrix(rows, 5, 3);
    for (let i = 0; i < rows; i++) {
      matrix[i * 5] = 1;
      matrix[i * 5 + 2] = 1e6 * (2 * matrix[i * 5 + 1]! - 3);
      matrix[i * 5 + 4] = 0;
    }
    const fit = leastSquares(matrix, rows, 5, new Float64Array(rows));
    assert.ok(fit.status === 'dependent');
    assert.deepEqual(fit.columns, [2, 4]);
    assert.match(fit.reason, /2, 4/);
    const short = leastSquares(Float64Array.of(1, 2), 1, 2, Float64Array.of(1));
    assert.ok(short.status === 'dependent' && short.reason === '1 rows cannot fix 2 coefficients');
    assert.throws(() => leastSquares(Float64Array.of(1), 1, 1, Float64Array.of(Number.NaN)), /finite/);
    assert.throws(() => leastSquares(Float64Array.of(1), 1, 1, new Float64Array(2)), RangeError);
  });
});

describe('symmetricEigen', () => {
  test('finds the closed form of the second-difference matrix', () => {
    const n = 40;
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      matrix[i * n + i] = 2;
      if (i > 0) matrix[i * n + i - 1] = matrix[(i - 1) * n + i] = -1;
    }
    const exact = Float64Array.from({ length: n }, (_, k) => 2 - 2 * Math.cos(((n - k) * Math.PI) / (n + 1)));
    near(symmetricEigen(matrix, n).values, exact, 1e-13);
  });

  test('V diag Vᵀ is the matrix, V is orthogonal, values descend, and the largest component is positive', () => {
    fc.assert(
      fc.property(square, fc.boolean(), ({ n, seed }, isLowRank) => {
        const some = randomMatrix(n, n, seed);
        // With equal and zero eigenvalues, too.
        const matrix = isLowRank
          ? multiplyTranspose(some.subarray(0, n), n, 1, some.subarray(0, n), n)
          : some.map((_, k) => some[k]! + some[(k % n) * n + Math.floor(k / n)]!);
        const { values, vectors } = symmetricEigen(matrix, n);
        const scaled = vectors.map((value, k) => value * values[k % n]!);
        near(multiplyTranspose(scaled, n, n, vectors, n), matrix, 1e-12 * n);
        near(transposeMultiply(vectors, n, n, vectors, n), identity(n), 1e-13 * n);
        assert.deepEqual(values, values.slice().sort().reverse());
        for (let k = 0; k < n; k++) {
          const column = Array.from({ length: n }, (_, i) => vectors[i * n + k]!);
          assert.ok(Math.max(...column) >= -Math.min(...column));
        }
      }),
      { numRuns: 80 },
    );
  });

  test('works for one value, zeros, a diagonal, and sizes near the ends of the range', () => {
    assert.deepEqual(symmetricEigen(Float64Array.of(-2), 1), {
      values: Float64Array.of(-2),
      vectors: Float64Array.of(1),
    });
    assert.deepEqual(symmetricEigen(new Float64Array(4), 2).values, new Float64Array(2));
    assert.deepEqual(symmetricEigen(Float64Array.of(1, 0, 0, 3), 2), {
      values: Float64Array.of(3, 1),
      vectors: Float64Array.of(0, 1, 1, 0),
    });
    for (const scale of [1e-300, 1e300]) {
      const { values } = symmetricEigen(Float64Array.of(2 * scale, scale, scale, 2 * scale), 2);
      near(
        values.map((value) => value / scale),
        Float64Array.of(3, 1),
        1e-14,
      );
    }
    // Beside the diagonal the squares underflow.
    const faint = Float64Array.from({ length: 400 }, (_, k) => (k % 21 === 0 ? 1 : 1e-160 * (1 + (k % 20))));
    near(symmetricEigen(faint, 20).values, new Float64Array(20).fill(1), 1e-14);
    near(singularValues(faint, 20, 20), new Float64Array(20).fill(1), 1e-14);
    assert.throws(() => symmetricEigen(Float64Array.of(Number.NaN), 1), /finite/);
    assert.throws(() => symmetricEigen(new Float64Array(3), 2), RangeError);
  });
});

describe('svd', () => {
  test('U diag Vᵀ is the matrix and both sides are orthonormal, for any shape and rank', () => {
    fc.assert(
      fc.property(shape, fc.boolean(), ({ rows, columns, seed }, isLowRank) => {
        const matrix = randomMatrix(rows, columns, seed);
        if (isLowRank) for (let i = 0; i < rows; i++) matrix[i * columns + columns - 1] = 3 * matrix[i * columns]!;
        const { left, values, right, size } = svd(matrix, rows, columns);
        const scaled = left.map((value, k) => value * values[k % size]!);
        near(multiplyTranspose(scaled, rows, size, right, columns), matrix, 1e-12);
        near(transposeMultiply(left, rows, size, left, size), identity(size), 1e-12);
        near(transposeMultiply(right, columns, size, right, size), identity(size), 1e-12);
        assert.deepEqual(values, values.slice().sort().reverse());
        assert.deepEqual(singularValues(matrix, rows, columns), values);
      }),
      { numRuns: 100 },
    );
  });

  test('keeps the digits of small singular values', () => {
    // A rotation of diag(1, 1e-12) on the left only: the second value has no digit in AᵀA.
    const [c, s] = [Math.cos(0.3), Math.sin(0.3)];
    const values = singularValues(Float64Array.of(c, -s * 1e-12, s, c * 1e-12), 2, 2);
    assert.ok(Math.abs(values[1]! / 1e-12 - 1) < 1e-14);
    assert.deepEqual(singularValues(new Float64Array(6), 2, 3), new Float64Array(2));
    assert.deepEqual(singularValues(Float64Array.of(-5), 1, 1), Float64Array.of(5));
    assert.throws(() => svd(Float64Array.of(Number.NaN), 1, 1), /finite/);
  });
});

describe('nearestCorrelation', () => {
  test('finds the matrix that Higham printed', () => {
    const nearest = nearestCorrelation(Float64Array.of(1, 1, 0, 1, 1, 1, 0, 1, 1), 3)!;
    near(nearest, Float64Array.of(1, 0.7607, 0.1573, 0.7607, 1, 0.7607, 0.1573, 0.7607, 1), 5e-5);
  });

  test('leaves a correlation matrix as it is, and else gives one that is semidefinite', () => {
    const own = Float64Array.of(1, 0.5, 0.5, 1);
    assert.deepEqual(nearestCorrelation(own, 2), own);
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), fc.nat(), (n, seed) => {
        const random = createRandom(seed);
        const matrix = identity(n);
        for (let i = 0; i < n; i++)
          for (let j = 0; j < i; j++) matrix[i * n + j] = matrix[j * n + i] = 2 * random.uniform() - 1;
        const nearest = nearestCorrelation(matrix, n, { eigenvalueMin: 1e-6 });
        assert.ok(nearest);
        for (let i = 0; i < n; i++) assert.equal(nearest[i * n + i], 1);
        assert.ok(symmetricEigen(nearest, n).values[n - 1]! > 0);
        assert.deepEqual(transpose(nearest, n, n), nearest);
      }),
      { numRuns: 30 },
    );
  });
});

describe('multiply', () => {
  test('agrees with the sum of products, and its transposed forms with transposing first', () => {
    fc.assert(
      fc.property(shape, fc.integer({ min: 1, max: 9 }), ({ rows, columns, seed }, others) => {
        const a = randomMatrix(rows, columns, seed);
        const b = randomMatrix(columns, others, seed + 1);
        const product = multiply(a, rows, columns, b, others);
        for (let i = 0; i < rows; i++)
          for (let j = 0; j < others; j++) {
            let sum = 0;
            for (let k = 0; k < columns; k++) sum += a[i * columns + k]! * b[k * others + j]!;
            assert.equal(product[i * others + j], sum);
          }
        assert.deepEqual(transposeMultiply(transpose(a, rows, columns), columns, rows, b, others), product);
        assert.deepEqual(multiplyTranspose(a, rows, columns, transpose(b, columns, others), others), product);
      }),
      { numRuns: 40 },
    );
    assert.throws(() => multiply(new Float64Array(3), 2, 2, new Float64Array(4), 2), /a must be 2 x 2, had 3 values/);
  });

  test('passes on what is missing', () => {
    assert.deepEqual(
      multiply(Float64Array.of(1, Number.NaN), 2, 1, Float64Array.of(2), 1),
      Float64Array.of(2, Number.NaN),
    );
  });
});

function randomMatrix(rows: number, columns: number, seed: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: rows * columns }, () => random.normal());
}

function randomDefinite(n: number, seed: number): Float64Array {
  const root = randomMatrix(n, n + 4, seed);
  return multiplyTranspose(root, n, n + 4, root, n);
}

function identity(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? 1 : 0));
}

function near(actual: Float64Array, wanted: Float64Array, tolerance: number): void {
  assert.equal(actual.length, wanted.length);
  for (const [k, value] of wanted.entries())
    assert.ok(Math.abs(actual[k]! - value) <= tolerance, `place ${k}: ${actual[k]} is not ${value}`);
}
