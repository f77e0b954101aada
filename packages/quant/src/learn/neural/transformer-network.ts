import { cosine, exponential, sine } from './elementary-functions.ts';
import type { Kernels } from './kernels.ts';
import { createLayout, createTensors, drawMask, type Network } from './network.ts';

export type TransformerSizes = {
  stepCount: number;
  featureCount: number;
  /** Numbers a day is turned into; a multiple of `heads`. */
  width: number;
  heads: number;
  layers: number;
  /** Inner width of the perceptron of a layer. */
  feedForward: number;
  /** 1: layer norm before each part and once at the end; 0: after each part. */
  preNorm: 0 | 1;
  /** 1: mean over all days; 0: the last day. */
  meanPooling: 0 | 1;
};

/** ln 10,000: the longest wave of the positions, by the paper. */
const LOG_LONGEST_WAVE = 9.210340371976184;
/** Place of what this network does not need. */
const ABSENT = -1;

/**
 * A transformer encoder over the days of a window, pooled into one dense unit (Vaswani et al. 2017, arXiv:1706.03762; layer norm
 * before the parts by Xiong et al. 2020, arXiv:2002.04745; GELU by Hendrycks and Gimpel 2016, arXiv:1606.08415, in its tanh form).
 *
 * All products are row vector times matrix. x = window · input.weight + input.bias + positions. Per layer, LN being layer norm
 * with epsilon 1e-5:
 * pre: x += attention(LN1(x)); x += perceptron(LN2(x)); after the last layer x = LN(x).
 * post: x = LN1(x + attention(x)); x = LN2(x + perceptron(x)).
 * attention: q|k|v = x · attention.weight + attention.bias; per head softmax(q kᵀ / √(width / heads)) v; the heads side by side
 * times projection.weight, plus projection.bias. perceptron: GELU(x · expand.weight + expand.bias) · contract.weight + contract.bias.
 * margin = pooled x · dense.weight + dense.bias.
 *
 * | Tensor | Shape |
 * |---|---|
 * | `input.weight`, `input.bias` | features × width; width |
 * | `positions` | days × width |
 * | `layers.<l>.norm1.gain`, `.shift`, `layers.<l>.norm2.gain`, `.shift` | width |
 * | `layers.<l>.attention.weight`, `.bias` | width × 3 width, columns q, k, v, in each head after head; 3 width |
 * | `layers.<l>.projection.weight`, `.bias` | width × width; width |
 * | `layers.<l>.expand.weight`, `.bias` | width × feedForward; feedForward |
 * | `layers.<l>.contract.weight`, `.bias` | feedForward × width; width |
 * | `norm.gain`, `norm.shift` (pre only) | width |
 * | `dense.weight`, `dense.bias` | width; 1 |
 *
 * @param positions Learned from small random numbers, or the sines and cosines of the paper, which stay.
 * @param dropout Share of what a part adds that is dropped.
 * @param learns Whether there is room for gradients.
 */
export function planTransformer(
  sizes: TransformerSizes,
  positions: 'learned' | 'sinusoidal',
  rowCountMax: number,
  dropout: number,
  learns: boolean,
): Network {
  const { stepCount, featureCount, width, heads, layers, feedForward, preNorm, meanPooling } = sizes;
  const headWidth = width / heads;
  const triple = 3 * width;
  const { tensors, add, end } = createTensors();
  const zeros = { values: () => 0 };
  const ones = { values: () => 1 };
  const uniform = (from: number, to: number) => ({ bound: Math.sqrt(6 / (from + to)) });
  const addNorm = (name: string) => ({
    gain: add(`${name}.gain`, [width], ones, 'vector'),
    shift: add(`${name}.shift`, [width], zeros, 'vector'),
  });
  const addLinear = (name: string, from: number, to: number) => ({
    weight: add(`${name}.weight`, [from, to], uniform(from, to), 'matrix'),
    bias: add(`${name}.bias`, [to], zeros, 'vector'),
  });
  const input = addLinear('input', featureCount, width);
  const position =
    positions === 'learned'
      ? add('positions', [stepCount, width], { bound: 0.02 }, 'vector')
      : add('positions', [stepCount, width], { values: (k) => wave(Math.floor(k / width), k % width, width) }, 'fixed');
  const weights = Array.from({ length: layers }, (_, layer) => ({
    norm1: addNorm(`layers.${layer}.norm1`),
    attention: addLinear(`layers.${layer}.attention`, width, triple),
    projection: addLinear(`layers.${layer}.projection`, width, width),
    norm2: addNorm(`layers.${layer}.norm2`),
    expand: addLinear(`layers.${layer}.expand`, width, feedForward),
    contract: addLinear(`layers.${layer}.contract`, feedForward, width),
  }));
  const lastNorm = preNorm ? addNorm('norm') : null;
  const dense = {
    weight: add('dense.weight', [width], uniform(width, 1), 'matrix'),
    bias: add('dense.bias', [1], zeros, 'vector'),
  };
  const weightCount = end();

  const { take, end: endOfMemory } = createLayout(learns ? 4 * weightCount : weightCount);
  const dayCount = rowCountMax * stepCount;
  const scoreCount = stepCount * stepCount;
  const takeIf = (wanted: boolean, length: number) => (wanted ? take(length) : ABSENT);
  const takeNorm = () => ({ hat: take(dayCount * width), inverse: take(dayCount) });
  const inputs = take(dayCount * featureCount);
  const x = take(dayCount * width);
  const part = take(dayCount * width);
  const takeLayer = () => ({
    source1: take(dayCount * width),
    heads: take(dayCount * triple),
    scores: take(rowCountMax * heads * scoreCount),
    mixed: take(dayCount * width),
    kept1: takeNorm(),
    source2: take(dayCount * width),
    expanded: take(dayCount * feedForward),
    active: take(dayCount * feedForward),
    kept2: takeNorm(),
    mask1: takeIf(dropout > 0 && learns, dayCount * width),
    mask2: takeIf(dropout > 0 && learns, dayCount * width),
  });
  // A network that only answers needs nothing of a layer once the next one has begun.
  const shared = learns ? null : takeLayer();
  const work = weights.map((weight) => ({ ...weight, ...(shared ?? takeLayer()) }));
  const keptLast = takeNorm();
  const turnedHead = take(headWidth * stepCount);
  const pooling = take(stepCount);
  const pooled = take(rowCountMax * width);
  const margins = take(rowCountMax);
  const dMargins = take(rowCountMax);
  const dPooled = takeIf(learns, rowCountMax * width);
  const dX = takeIf(learns, dayCount * width);
  const dSource = takeIf(learns, dayCount * width);
  const dMixed = takeIf(learns, dayCount * width);
  const dHeads = takeIf(learns, dayCount * triple);
  const dScores = takeIf(learns, scoreCount);
  const dExpanded = takeIf(learns, dayCount * feedForward);
  const turned = takeIf(learns, width * Math.max(triple, feedForward));
  const count = endOfMemory();
  const gradient = (at: number) => at + weightCount;
  const scale = 1 / Math.sqrt(headWidth);
  let masked = false;

  type Layer = (typeof work)[number];
  type Linear = Layer['expand'];
  type Norm = Layer['norm1'];
  type Kept = Layer['kept1'];

  function linear(
    kernels: Kernels,
    days: number,
    from: number,
    source: number,
    layer: Linear,
    to: number,
    out: number,
  ) {
    kernels.multiply(days, to, from, source, from, 1, layer.weight, to, out, to, 0);
    kernels.addRow(days, to, out, layer.bias);
  }

  /** From the gradient `d` of what `linear` gave to those of its weights, and of its source where wanted. */
  function linearBack(
    kernels: Kernels,
    days: number,
    from: number,
    source: number,
    layer: Linear,
    to: number,
    d: number,
    dFrom: number,
  ) {
    kernels.sumRows(days, to, d, gradient(layer.bias));
    kernels.multiply(from, to, days, source, 1, from, d, to, gradient(layer.weight), to, 1);
    if (dFrom === ABSENT) return;
    kernels.transpose(from, to, layer.weight, to, turned, from);
    kernels.multiply(days, from, to, d, to, 1, turned, from, dFrom, from, 0);
  }

  function normalise(kernels: Kernels, days: number, { gain, shift }: Norm, { hat, inverse }: Kept, to: number) {
    kernels.normForward(days, width, x, gain, shift, hat, inverse, to);
  }

  /** Adds to dX what the norm hands back from the gradient `d` of its result. */
  function normaliseBack(kernels: Kernels, days: number, { gain, shift }: Norm, { hat, inverse }: Kept, d: number) {
    kernels.normBackward(days, width, d, hat, inverse, gain, gradient(gain), gradient(shift), dX);
  }

  /** Attention of every row and head, from `heads` (q, k, v) into `mixed`. */
  function attend(kernels: Kernels, rows: number, layer: Layer) {
    for (let row = 0; row < rows; row++)
      for (let head = 0; head < heads; head++) {
        const query = layer.heads + row * stepCount * triple + head * headWidth;
        const scores = layer.scores + (row * heads + head) * scoreCount;
        const out = layer.mixed + row * stepCount * width + head * headWidth;
        kernels.transpose(stepCount, headWidth, query + width, triple, turnedHead, stepCount);
        kernels.multiply(
          stepCount,
          stepCount,
          headWidth,
          query,
          triple,
          1,
          turnedHead,
          stepCount,
          scores,
          stepCount,
          0,
        );
        kernels.softmaxForward(stepCount, stepCount, scores, scale);
        const value = query + 2 * width;
        kernels.multiply(stepCount, headWidth, stepCount, scores, stepCount, 1, value, triple, out, width, 0);
      }
  }

  /** From dMixed into dHeads. */
  function attendBack(kernels: Kernels, rows: number, layer: Layer) {
    for (let row = 0; row < rows; row++)
      for (let head = 0; head < heads; head++) {
        const offset = row * stepCount * triple + head * headWidth;
        const query = layer.heads + offset;
        const dQuery = dHeads + offset;
        const scores = layer.scores + (row * heads + head) * scoreCount;
        const d = dMixed + row * stepCount * width + head * headWidth;
        kernels.transpose(stepCount, headWidth, query + 2 * width, triple, turnedHead, stepCount);
        kernels.multiply(stepCount, stepCount, headWidth, d, width, 1, turnedHead, stepCount, dScores, stepCount, 0);
        const dValue = dQuery + 2 * width;
        kernels.multiply(stepCount, headWidth, stepCount, scores, 1, stepCount, d, width, dValue, triple, 0);
        kernels.softmaxBackward(stepCount, stepCount, scores, dScores, scale);
        const key = query + width;
        kernels.multiply(stepCount, headWidth, stepCount, dScores, stepCount, 1, key, triple, dQuery, triple, 0);
        kernels.multiply(
          stepCount,
          headWidth,
          stepCount,
          dScores,
          1,
          stepCount,
          query,
          triple,
          dQuery + width,
          triple,
          0,
        );
      }
  }

  /** Adds a part of a layer to x, with some of it dropped. */
  function addPart(kernels: Kernels, days: number, mask: number, random: Parameters<Network['forward']>[2]) {
    if (random && masked) {
      drawMask(kernels.memory, mask, days * width, dropout, random);
      kernels.scaleEach(days * width, part, mask);
    }
    kernels.addEach(days * width, x, part);
  }

  function forward(kernels: Kernels, rows: number, random: Parameters<Network['forward']>[2]): void {
    const { memory } = kernels;
    const days = rows * stepCount;
    const copy = (to: number) => memory.copyWithin(to, x, x + days * width);
    masked = random !== null && dropout > 0;
    linear(kernels, days, featureCount, inputs, input, width, x);
    for (let row = 0; row < rows; row++) kernels.addEach(stepCount * width, x + row * stepCount * width, position);
    for (const layer of work) {
      if (preNorm) normalise(kernels, days, layer.norm1, layer.kept1, layer.source1);
      else copy(layer.source1);
      linear(kernels, days, width, layer.source1, layer.attention, triple, layer.heads);
      attend(kernels, rows, layer);
      linear(kernels, days, width, layer.mixed, layer.projection, width, part);
      addPart(kernels, days, layer.mask1, random);
      if (preNorm) normalise(kernels, days, layer.norm2, layer.kept2, layer.source2);
      else {
        normalise(kernels, days, layer.norm1, layer.kept1, x);
        copy(layer.source2);
      }
      linear(kernels, days, width, layer.source2, layer.expand, feedForward, layer.expanded);
      kernels.geluForward(days * feedForward, layer.expanded, layer.active);
      linear(kernels, days, feedForward, layer.active, layer.contract, width, part);
      addPart(kernels, days, layer.mask2, random);
      if (!preNorm) normalise(kernels, days, layer.norm2, layer.kept2, x);
    }
    if (lastNorm) normalise(kernels, days, lastNorm, keptLast, x);
    for (let row = 0; row < rows; row++) {
      const from = x + row * stepCount * width;
      kernels.multiply(1, width, stepCount, pooling, stepCount, 1, from, width, pooled + row * width, width, 0);
    }
    linear(kernels, rows, width, pooled, dense, 1, margins);
  }

  function backward(kernels: Kernels, rows: number): void {
    const { memory } = kernels;
    const days = rows * stepCount;
    const length = days * width;
    /** The gradient of what a part added: that of x, less what was dropped. */
    const partGradient = (mask: number): number => {
      if (!masked) return dX;
      memory.copyWithin(part, dX, dX + length);
      kernels.scaleEach(length, part, mask);
      return part;
    };
    /** The gradient in front of a norm that x went through. */
    const throughNorm = (norm: Norm, kept: Kept) => {
      memory.copyWithin(dSource, dX, dX + length);
      memory.fill(0, dX, dX + length);
      normaliseBack(kernels, days, norm, kept, dSource);
    };
    linearBack(kernels, rows, width, pooled, dense, 1, dMargins, dPooled);
    for (let row = 0; row < rows; row++) {
      const to = dX + row * stepCount * width;
      kernels.multiply(stepCount, width, 1, pooling, 1, 1, dPooled + row * width, width, to, width, 0);
    }
    if (lastNorm) throughNorm(lastNorm, keptLast);
    for (const layer of work.toReversed()) {
      if (!preNorm) throughNorm(layer.norm2, layer.kept2);
      const dPart2 = partGradient(layer.mask2);
      linearBack(kernels, days, feedForward, layer.active, layer.contract, width, dPart2, dExpanded);
      kernels.geluBackward(days * feedForward, layer.expanded, dExpanded);
      linearBack(kernels, days, width, layer.source2, layer.expand, feedForward, dExpanded, dSource);
      if (preNorm) normaliseBack(kernels, days, layer.norm2, layer.kept2, dSource);
      else {
        kernels.addEach(length, dX, dSource);
        throughNorm(layer.norm1, layer.kept1);
      }
      const dPart1 = partGradient(layer.mask1);
      linearBack(kernels, days, width, layer.mixed, layer.projection, width, dPart1, dMixed);
      attendBack(kernels, rows, layer);
      linearBack(kernels, days, width, layer.source1, layer.attention, triple, dHeads, dSource);
      if (preNorm) normaliseBack(kernels, days, layer.norm1, layer.kept1, dSource);
      else kernels.addEach(length, dX, dSource);
    }
    kernels.sumRows(rows, stepCount * width, dX, gradient(position));
    linearBack(kernels, days, featureCount, inputs, input, width, dX, ABSENT);
  }

  return {
    tensors,
    weightCount,
    count,
    rowCountMax,
    margins,
    dMargins,
    prepare(memory) {
      for (let t = 0; t < stepCount; t++)
        memory[pooling + t] = meanPooling ? 1 / stepCount : t === stepCount - 1 ? 1 : 0;
    },
    place(memory, source, from, row) {
      const length = stepCount * featureCount;
      for (let k = 0; k < length; k++) memory[inputs + row * length + k] = source[from + k]!;
    },
    forward,
    backward,
  };
}

/** sin(t / 10,000^(j / width)) for even j, the cosine of the same wave for the odd j behind it. */
function wave(t: number, j: number, width: number): number {
  const even = j - (j % 2);
  const angle = t * exponential((-even / width) * LOG_LONGEST_WAVE);
  return j % 2 === 0 ? sine(angle) : cosine(angle);
}
