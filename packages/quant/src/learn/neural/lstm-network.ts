import type { Kernels } from './kernels.ts';
import { createLayout, createTensors, drawMask, type Network } from './network.ts';

export type LstmSizes = {
  stepCount: number;
  featureCount: number;
  hidden: number;
  layers: number;
};

const GATES = 4;
/** Place of what this network does not need. */
const ABSENT = -1;

/**
 * An LSTM whose last hidden state goes through one dense unit (Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735,
 * with the forget gate of Gers et al. 2000, doi:10.1162/089976600300015015).
 *
 * With x_t the input of a layer (the features, or the hidden states of the layer below), all products row vector times matrix:
 * z = x_t · input + h_{t−1} · recurrent + bias, in four runs of `hidden`: i, f, g, o;
 * c_t = σ(f) c_{t−1} + σ(i) tanh(g), h_t = σ(o) tanh(c_t), h_0 = c_0 = 0; margin = h_T · dense.weight + dense.bias.
 *
 * | Tensor | Shape |
 * |---|---|
 * | `layers.<l>.input` | width × 4 hidden, width = features for l = 0, else hidden |
 * | `layers.<l>.recurrent` | hidden × 4 hidden |
 * | `layers.<l>.bias` | 4 hidden (PyTorch's and ONNX's two biases are its summands) |
 * | `dense.weight`, `dense.bias` | hidden; 1 |
 *
 * Gates stand in the order input, forget, candidate (cell), output: PyTorch's, while ONNX wants i, o, f, c.
 *
 * @param dropout Share of the hidden states that is dropped between layers and before the dense unit.
 * @param learns Whether there is room for gradients.
 */
export function planLstm(sizes: LstmSizes, rowCountMax: number, dropout: number, learns: boolean): Network {
  const { stepCount, featureCount, hidden, layers } = sizes;
  const gates = GATES * hidden;
  const start = { bound: 1 / Math.sqrt(hidden) };
  const { tensors, add, end } = createTensors();
  const weights = Array.from({ length: layers }, (_, layer) => {
    const width = layer === 0 ? featureCount : hidden;
    return {
      width,
      input: add(`layers.${layer}.input`, [width, gates], start, 'matrix'),
      recurrent: add(`layers.${layer}.recurrent`, [hidden, gates], start, 'matrix'),
      bias: add(`layers.${layer}.bias`, [gates], start, 'vector'),
    };
  });
  const denseWeight = add('dense.weight', [hidden], start, 'matrix');
  const denseBias = add('dense.bias', [1], start, 'vector');
  const weightCount = end();

  // Time is the outer index, so that a step of all rows lies together. States carry one step more, the zeros before the first.
  const { take, end: endOfMemory } = createLayout(learns ? 4 * weightCount : weightCount);
  const block = rowCountMax * hidden;
  const takeIf = (wanted: boolean, length: number) => (wanted ? take(length) : ABSENT);
  const inputs = take(stepCount * rowCountMax * featureCount);
  const work = weights.map((weight, layer) => ({
    ...weight,
    z: take(stepCount * rowCountMax * gates),
    states: take((stepCount + 1) * block),
    cells: take((stepCount + 1) * block),
    squashed: take(stepCount * block),
    mask: takeIf(dropout > 0 && learns, (layer < layers - 1 ? stepCount : 1) * block),
    dropped: takeIf(dropout > 0 && learns, (layer < layers - 1 ? stepCount : 1) * block),
  }));
  const margins = take(rowCountMax);
  const dMargins = take(rowCountMax);
  const dState = takeIf(learns, block);
  const dCell = takeIf(learns, block);
  const dStates = takeIf(learns && layers > 1, stepCount * block);
  const turned = takeIf(learns, gates * hidden);
  const count = endOfMemory();
  const gradient = (at: number) => at + weightCount;
  // Where the layer above (or the dense unit) read the states of a layer in the last forward pass.
  const readFrom = new Array<number>(layers).fill(ABSENT);
  let masked = false;

  function forward(kernels: Kernels, rows: number, random: Parameters<Network['forward']>[2]): void {
    const { memory } = kernels;
    const step = rows * hidden;
    masked = random !== null && dropout > 0;
    let source = inputs;
    for (const [
      layer,
      { width, input, recurrent, bias, z, states, cells, squashed, mask, dropped },
    ] of work.entries()) {
      kernels.multiply(stepCount * rows, gates, width, source, width, 1, input, gates, z, gates, 0);
      memory.fill(0, states, states + step);
      memory.fill(0, cells, cells + step);
      for (let t = 0; t < stepCount; t++) {
        const gate = z + t * rows * gates;
        const before = t * step;
        if (t > 0) kernels.multiply(rows, gates, hidden, states + before, hidden, 1, recurrent, gates, gate, gates, 1);
        kernels.gatesForward(
          rows,
          hidden,
          gate,
          bias,
          cells + before,
          cells + before + step,
          squashed + before,
          states + before + step,
        );
      }
      const isTop = layer === layers - 1;
      source = isTop ? states + stepCount * step : states + step;
      if (random && masked) {
        const length = isTop ? step : stepCount * step;
        drawMask(memory, mask, length, dropout, random);
        memory.copyWithin(dropped, source, source + length);
        kernels.scaleEach(length, dropped, mask);
        source = dropped;
      }
      readFrom[layer] = source;
    }
    kernels.multiply(rows, 1, hidden, source, hidden, 1, denseWeight, 1, margins, 1, 0);
    kernels.addRow(rows, 1, margins, denseBias);
  }

  function backward(kernels: Kernels, rows: number): void {
    const step = rows * hidden;
    const top = work[layers - 1]!;
    kernels.sumRows(rows, 1, dMargins, gradient(denseBias));
    kernels.multiply(hidden, 1, rows, readFrom[layers - 1]!, 1, hidden, dMargins, 1, gradient(denseWeight), 1, 1);
    kernels.multiply(rows, hidden, 1, dMargins, 1, 1, denseWeight, hidden, dState, hidden, 0);
    if (masked) kernels.scaleEach(step, dState, top.mask);
    for (let layer = layers - 1; layer >= 0; layer--) {
      layerThroughTime(kernels, rows, layer);
      layerWeights(kernels, rows, layer);
      if (layer === 0) break;
      const { width, input, z } = work[layer]!;
      kernels.transpose(width, gates, input, gates, turned, width);
      kernels.multiply(stepCount * rows, width, gates, z, gates, 1, turned, width, dStates, width, 0);
      if (masked) kernels.scaleEach(stepCount * step, dStates, work[layer - 1]!.mask);
    }
  }

  /** z of every step becomes its gradient: from dState for the top layer, from dStates below. */
  function layerThroughTime(kernels: Kernels, rows: number, layer: number): void {
    const { memory } = kernels;
    const step = rows * hidden;
    const { recurrent, bias, z, cells, squashed } = work[layer]!;
    const isTop = layer === layers - 1;
    if (!isTop) memory.fill(0, dState, dState + step);
    memory.fill(0, dCell, dCell + step);
    kernels.transpose(hidden, gates, recurrent, gates, turned, hidden);
    for (let t = stepCount - 1; t >= 0; t--) {
      const gate = z + t * rows * gates;
      const before = t * step;
      if (!isTop) kernels.addEach(step, dState, dStates + before);
      kernels.gatesBackward(rows, hidden, gate, cells + before, squashed + before, dState, dCell, gradient(bias));
      if (t > 0) kernels.multiply(rows, hidden, gates, gate, gates, 1, turned, hidden, dState, hidden, 0);
    }
  }

  function layerWeights(kernels: Kernels, rows: number, layer: number): void {
    const { width, input, recurrent, z, states } = work[layer]!;
    const source = layer === 0 ? inputs : readFrom[layer - 1]!;
    kernels.multiply(width, gates, stepCount * rows, source, 1, width, z, gates, gradient(input), gates, 1);
    // The first step met a state of zeros.
    const later = (stepCount - 1) * rows;
    const from = states + rows * hidden;
    const dLater = z + rows * gates;
    if (later > 0)
      kernels.multiply(hidden, gates, later, from, 1, hidden, dLater, gates, gradient(recurrent), gates, 1);
  }

  return {
    tensors,
    weightCount,
    count,
    rowCountMax,
    margins,
    dMargins,
    prepare: () => {},
    place(memory, source, from, row, rowCount) {
      for (let t = 0; t < stepCount; t++) {
        const to = inputs + (t * rowCount + row) * featureCount;
        for (let j = 0; j < featureCount; j++) memory[to + j] = source[from + t * featureCount + j]!;
      }
    },
    forward,
    backward,
  };
}
