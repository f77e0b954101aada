import type { Inputs } from '../learn/examples.ts';

/** Of every day and feature: mean, standard deviation (of the population), least and most; NaN are left out, none is NaN. */
export type ColumnMoments = {
  means: Float64Array;
  deviations: Float64Array;
  lows: Float64Array;
  highs: Float64Array;
};

export function columnMoments({ rowCount, stepCount, featureCount, values }: Inputs): ColumnMoments {
  const width = stepCount * featureCount;
  const counts = new Int32Array(width);
  const means = new Float64Array(width);
  const squares = new Float64Array(width);
  const lows = new Float64Array(width).fill(Number.NaN);
  const highs = new Float64Array(width).fill(Number.NaN);
  for (let row = 0; row < rowCount; row++)
    for (let k = 0; k < width; k++) {
      const value = values[row * width + k]!;
      if (Number.isNaN(value)) continue;
      counts[k] = counts[k]! + 1;
      const change = value - means[k]!;
      means[k] = means[k]! + change / counts[k]!;
      squares[k] = squares[k]! + change * (value - means[k]!);
      if (!(value >= lows[k]!)) lows[k] = value;
      if (!(value <= highs[k]!)) highs[k] = value;
    }
  const deviations = squares.map((sum, k) => (counts[k]! > 0 ? Math.sqrt(sum / counts[k]!) : Number.NaN));
  for (let k = 0; k < width; k++) if (counts[k] === 0) means[k] = Number.NaN;
  return { means, deviations, lows, highs };
}
