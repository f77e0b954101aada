import type { Explanation } from '@touchstone/contracts/predictions';
import { forecastRows } from '@touchstone/quant/learn/forecaster/forecast-rows';
import type { Forecaster } from '@touchstone/quant/learn/forecaster/forecaster';

/** Features looked at: those that contribute most. */
const FEATURES = 3;
/** Scaled values tried for each, over what was usual in training. */
const GRID = Float64Array.of(-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2);
const HALVINGS = 8;

/**
 * The smallest change found of one feature on the last day, in its spread of training, with which the forecast would cross
 * what it turns at: the undecided value of a probability, what the baseline says of anything else.
 */
export function findTurningPoint(
  forecaster: Forecaster,
  values: Float64Array,
  value: number,
  contributions: Float64Array,
): Explanation['counterfactual'] {
  const { features, scaler } = forecaster;
  const [row] = ask(forecaster, [values]);
  const turn = forecaster.goal === 'binary' ? (forecaster.abstention?.center ?? 0.5) : (row?.baseline ?? null);
  if (turn === null) return { found: false, sentence: 'There is nothing it could be held against.' };
  const isAcross = (one: number | null) => one !== null && one >= turn !== value >= turn;
  const last = values.length - features.length;
  const largest = Array.from(contributions.keys())
    .sort((a, b) => Math.abs(contributions[b]!) - Math.abs(contributions[a]!) || a - b)
    .slice(0, FEATURES);
  type Crossing = { feature: number; from: number; to: number; distance: number };
  const tries: (Crossing & { values: Float64Array })[] = [];
  for (const feature of largest) {
    const column = scaler.columns[feature]!;
    const from = values[last + feature]!;
    if (column.kind !== 'linear' || !Number.isFinite(from)) continue;
    for (const z of GRID) {
      const to = column.center + column.scale * z;
      tries.push({
        feature,
        from,
        to,
        distance: Math.abs(to - from) / column.scale,
        values: moved(values, last + feature, to),
      });
    }
  }
  const answers = ask(
    forecaster,
    tries.map((one) => one.values),
  );
  let best: Crossing | null = null;
  for (const [i, one] of tries.entries())
    if (isAcross(answers[i]?.value ?? null) && (best === null || one.distance < best.distance)) best = one;
  if (best === null)
    return {
      found: false,
      sentence: `None of its ${largest.length} weightiest features alone, within what was usual in training, would bring it across ${tell(turn)}.`,
    };
  let [near, far] = [best.from, best.to];
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (near + far) / 2;
    const [told] = ask(forecaster, [moved(values, last + best.feature, middle)]);
    if (isAcross(told?.value ?? null)) far = middle;
    else near = middle;
  }
  const { name } = features[best.feature]!;
  const side = value >= turn ? 'below' : 'at or above';
  return {
    found: true,
    sentence: `With ${name} at ${tell(far)} instead of ${tell(best.from)} it would say a value ${side} ${tell(turn)}.`,
  };
}

function ask(forecaster: Forecaster, rows: readonly Float64Array[]) {
  const { stepCount, features } = forecaster;
  const width = stepCount * features.length;
  const values = new Float64Array(rows.length * width);
  for (const [i, row] of rows.entries()) values.set(row, i * width);
  return forecastRows(forecaster, { rowCount: rows.length, stepCount, featureCount: features.length, values });
}

function moved(values: Float64Array, at: number, to: number): Float64Array {
  const copy = values.slice();
  copy[at] = to;
  return copy;
}

function tell(value: number): string {
  return String(Number(value.toPrecision(4)));
}
