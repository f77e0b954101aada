import type { Kernels, Precision } from './kernels.ts';

const BETA_1 = 0.9;
const BETA_2 = 0.999;
const ADAM_EPSILON = 1e-8;
const NORM_EPSILON = 1e-5;
const GELU_SCALE = 0.7978845608028654;
const GELU_CUBE = 0.044715;
const GELU_CUBE_SLOPE = 0.134145;

/** What differs between the precisions: where e^x ends, ln 2 in two parts, and how far its series goes. */
const EXPONENTIALS = {
  float32: { end: 87, high: 0.693359375, low: -0.00021219444005469057, degree: 7 },
  float64: { end: 708, high: 0.6931471803691238, low: 1.9082149292705877e-10, degree: 13 },
};
const POWER_MIN = -1022;
const POWERS_OF_TWO = Float64Array.from({ length: 2046 }, (_, k) => 2 ** (k + POWER_MIN));

/**
 * The kernels in plain TypeScript: the oracle, and what works where there is no WebAssembly.
 *
 * A product or sum of two float32 numbers, taken in float64 and rounded once, is the float32 one: so `round` after every
 * step gives the bits of the twin.
 */
export function createPlainKernels(count: number, precision: Precision): Kernels {
  const single = precision === 'float32';
  const round: (x: number) => number = single ? Math.fround : (x) => x;
  const lanes = single ? 4 : 2;
  const memory = single ? new Float32Array(count) : new Float64Array(count);

  const { end, degree, ...parts } = EXPONENTIALS[precision];
  const log2e = round(Math.LOG2E);
  const ln2High = round(parts.high);
  const ln2Low = round(parts.low);
  const series = new Float64Array(degree + 1).fill(1);
  for (let k = 1, factorial = 1; k <= degree; k++) {
    factorial *= k;
    series[k] = round(1 / factorial);
  }
  const geluScale = round(GELU_SCALE);
  const geluCube = round(GELU_CUBE);
  const geluCubeSlope = round(GELU_CUBE_SLOPE);

  const exponential = (x: number): number => {
    const bounded = Math.max(-end, Math.min(end, x));
    const n = Math.floor(round(round(bounded * log2e) + 0.5));
    const r = round(round(bounded - round(n * ln2High)) - round(n * ln2Low));
    let y = series[degree]!;
    for (let k = degree - 1; k >= 0; k--) y = round(round(y * r) + series[k]!);
    return round(y * POWERS_OF_TWO[n - POWER_MIN]!);
  };
  const sigmoid = (x: number): number => round(1 / round(1 + exponential(-x)));
  const tanh = (x: number): number => {
    const share = sigmoid(round(x + x));
    return round(round(share + share) - 1);
  };
  const geluInner = (x: number): number =>
    tanh(round(round(geluScale * x) * round(1 + round(geluCube * round(x * x)))));

  /** The sum of term(0) … term(length − 1) in the order of the vectors: lanes first, then what is left of the row. */
  const sumLanes = (length: number, term: (j: number) => number): number => {
    const whole = length - (length % lanes);
    const sums = [0, 0, 0, 0];
    for (let j = 0; j < whole; j++) sums[j % lanes] = round(sums[j % lanes]! + term(j));
    let sum = round(sums[0]! + sums[1]!);
    if (single) sum = round(sum + round(sums[2]! + sums[3]!));
    for (let j = whole; j < length; j++) sum = round(sum + term(j));
    return sum;
  };

  return {
    memory,

    multiply(rows, columns, inner, a, strideRow, strideInner, b, strideB, c, strideC, keep) {
      for (let i = 0; i < rows; i++) {
        const to = c + i * strideC;
        if (!keep) memory.fill(0, to, to + columns);
        for (let k = 0; k < inner; k++) {
          const x = memory[a + i * strideRow + k * strideInner]!;
          const from = b + k * strideB;
          for (let j = 0; j < columns; j++) memory[to + j] = round(memory[to + j]! + round(x * memory[from + j]!));
        }
      }
    },

    transpose(rows, columns, a, strideA, b, strideB) {
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) memory[b + j * strideB + i] = memory[a + i * strideA + j]!;
    },

    addEach(length, x, y) {
      for (let j = 0; j < length; j++) memory[x + j] = memory[x + j]! + memory[y + j]!;
    },

    scaleEach(length, x, y) {
      for (let j = 0; j < length; j++) memory[x + j] = memory[x + j]! * memory[y + j]!;
    },

    addRow(rows, columns, x, row) {
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) memory[x + i * columns + j] = memory[x + i * columns + j]! + memory[row + j]!;
    },

    sumRows(rows, columns, x, sum) {
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) memory[sum + j] = memory[sum + j]! + memory[x + i * columns + j]!;
    },

    gatesForward(rows, hidden, z, bias, cellBefore, cell, squashed, output) {
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < hidden; j++) {
          const at = z + 4 * i * hidden + j;
          const biased = (gate: number) => round(memory[at + gate * hidden]! + memory[bias + gate * hidden + j]!);
          const input = sigmoid(biased(0));
          const forget = sigmoid(biased(1));
          const candidate = tanh(biased(2));
          const gate = sigmoid(biased(3));
          const k = i * hidden + j;
          const state = round(round(forget * memory[cellBefore + k]!) + round(input * candidate));
          const bounded = tanh(state);
          memory[at] = input;
          memory[at + hidden] = forget;
          memory[at + 2 * hidden] = candidate;
          memory[at + 3 * hidden] = gate;
          memory[cell + k] = state;
          memory[squashed + k] = bounded;
          memory[output + k] = gate * bounded;
        }
    },

    gatesBackward(rows, hidden, z, cellBefore, squashed, dOutput, dCell, dBias) {
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < hidden; j++) {
          const at = z + 4 * i * hidden + j;
          const k = i * hidden + j;
          const input = memory[at]!;
          const forget = memory[at + hidden]!;
          const candidate = memory[at + 2 * hidden]!;
          const gate = memory[at + 3 * hidden]!;
          const bounded = memory[squashed + k]!;
          const dOut = memory[dOutput + k]!;
          const slope = round(round(dOut * gate) * round(1 - round(bounded * bounded)));
          const dState = round(memory[dCell + k]! + slope);
          const gradients = [
            round(round(dState * candidate) * round(input * round(1 - input))),
            round(round(dState * memory[cellBefore + k]!) * round(forget * round(1 - forget))),
            round(round(dState * input) * round(1 - round(candidate * candidate))),
            round(round(dOut * bounded) * round(gate * round(1 - gate))),
          ];
          memory[dCell + k] = dState * forget;
          for (const [g, gradient] of gradients.entries()) {
            memory[at + g * hidden] = gradient;
            memory[dBias + g * hidden + j] = memory[dBias + g * hidden + j]! + gradient;
          }
        }
    },

    geluForward(length, x, y) {
      for (let j = 0; j < length; j++) {
        const value = memory[x + j]!;
        memory[y + j] = round(0.5 * value) * round(1 + geluInner(value));
      }
    },

    geluBackward(length, x, d) {
      for (let j = 0; j < length; j++) {
        const value = memory[x + j]!;
        const inner = geluInner(value);
        const slope = round(geluScale * round(1 + round(geluCubeSlope * round(value * value))));
        const bend = round(round(round(0.5 * value) * round(1 - round(inner * inner))) * slope);
        memory[d + j] = memory[d + j]! * round(round(0.5 * round(1 + inner)) + bend);
      }
    },

    normForward(rows, columns, x, gain, shift, hat, inverse, y) {
      const share = round(1 / columns);
      for (let i = 0; i < rows; i++) {
        const row = i * columns;
        const mean = round(sumLanes(columns, (j) => memory[x + row + j]!) * share);
        const square = sumLanes(columns, (j) => {
          const gap = round(memory[x + row + j]! - mean);
          return round(gap * gap);
        });
        const scale = round(1 / round(Math.sqrt(round(round(square * share) + round(NORM_EPSILON)))));
        memory[inverse + i] = scale;
        for (let j = 0; j < columns; j++) {
          const value = round(round(memory[x + row + j]! - mean) * scale);
          memory[hat + row + j] = value;
          memory[y + row + j] = round(value * memory[gain + j]!) + memory[shift + j]!;
        }
      }
    },

    normBackward(rows, columns, dY, hat, inverse, gain, dGain, dShift, dX) {
      const share = round(1 / columns);
      for (let i = 0; i < rows; i++) {
        const row = i * columns;
        for (let j = 0; j < columns; j++) {
          const d = memory[dY + row + j]!;
          memory[dGain + j] = memory[dGain + j]! + round(d * memory[hat + row + j]!);
          memory[dShift + j] = memory[dShift + j]! + d;
        }
        const inner = (j: number) => round(memory[dY + row + j]! * memory[gain + j]!);
        const mean = round(sumLanes(columns, inner) * share);
        const meanHat = round(sumLanes(columns, (j) => round(inner(j) * memory[hat + row + j]!)) * share);
        const scale = memory[inverse + i]!;
        for (let j = 0; j < columns; j++) {
          const rest = round(round(inner(j) - mean) - round(memory[hat + row + j]! * meanHat));
          memory[dX + row + j] = memory[dX + row + j]! + round(scale * rest);
        }
      }
    },

    softmaxForward(rows, columns, s, scale) {
      const factor = round(scale);
      for (let row = s; row < s + rows * columns; row += columns) {
        let most = memory[row]!;
        for (let j = 1; j < columns; j++) if (most < memory[row + j]!) most = memory[row + j]!;
        const sum = sumLanes(columns, (j) => {
          const power = exponential(round(factor * round(memory[row + j]! - most)));
          memory[row + j] = power;
          return power;
        });
        const share = round(1 / sum);
        for (let j = 0; j < columns; j++) memory[row + j] = memory[row + j]! * share;
      }
    },

    softmaxBackward(rows, columns, p, d, scale) {
      const factor = round(scale);
      for (let row = 0; row < rows * columns; row += columns) {
        const sum = sumLanes(columns, (j) => round(memory[p + row + j]! * memory[d + row + j]!));
        for (let j = 0; j < columns; j++)
          memory[d + row + j] = factor * round(memory[p + row + j]! * round(memory[d + row + j]! - sum));
      }
    },

    squares: (length, x) => sumLanes(length, (j) => round(memory[x + j]! * memory[x + j]!)),

    adam(length, w, g, m, v, scale, rate, correction1, correction2, keep) {
      const [scaling, stepping, unbias1, unbias2, keeping] = [scale, rate, correction1, correction2, keep].map(
        round,
      ) as [...[number, number, number, number, number]];
      const beta1 = round(BETA_1);
      const beta2 = round(BETA_2);
      const rest1 = round(1 - beta1);
      const rest2 = round(1 - beta2);
      const epsilon = round(ADAM_EPSILON);
      for (let j = 0; j < length; j++) {
        const gradient = round(memory[g + j]! * scaling);
        const first = round(round(beta1 * memory[m + j]!) + round(rest1 * gradient));
        const second = round(round(beta2 * memory[v + j]!) + round(rest2 * round(gradient * gradient)));
        const spread = round(round(Math.sqrt(round(second * unbias2))) + epsilon);
        const step = round(round(stepping * round(first * unbias1)) / spread);
        memory[m + j] = first;
        memory[v + j] = second;
        memory[w + j] = round(memory[w + j]! * keeping) - step;
      }
    },
  };
}
