import type { Explanation } from '@touchstone/contracts/predictions';
import type { ForecastRow } from '@touchstone/quant/learn/forecaster/forecast-rows';
import type { Forecaster } from '@touchstone/quant/learn/forecaster/forecaster';

const NO_COUNTERFACTUAL = { found: false, sentence: 'No change of its inputs was looked for.' };
const NOT_SHAKEN = { value: null, sentence: 'Not measured: nothing was estimated.' };

/** Nobody answered: there is nothing to explain, and that is said. */
export function explainNothing(sentence: string): Explanation {
  return {
    ...{
      method: 'none',
      exact: true,
      scale: 'value',
      baseValue: null,
      total: null,
      residual: null,
      standardError: null,
    },
    ...{ groups: [], counterfactual: NO_COUNTERFACTUAL, stability: NOT_SHAKEN, sentence },
    reason: { code: 'not_defined', sentence },
  };
}

/** A rule of one feature is its own explanation. */
export function explainBaseline({ baseline, features }: Forecaster, values: Float64Array): Explanation {
  if (baseline.kind === 'constant')
    return { ...explainNothing(`${baseline.name}: the same for everybody.`), baseValue: baseline.value };
  const last = values.subarray(values.length - features.length);
  const x = last[baseline.feature] ?? Number.NaN;
  const { name } = features[baseline.feature]!;
  const contribution = baseline.slope * x;
  if (!Number.isFinite(contribution)) return explainNothing(`${baseline.name}: ${name} is missing.`);
  return {
    ...{ method: 'exact_linear', exact: true, scale: baseline.link === 'identity' ? 'value' : 'margin' },
    ...{ baseValue: baseline.intercept, total: baseline.intercept + contribution, residual: 0, standardError: 0 },
    groups: [{ name, contribution, features: [{ name, value: x, contribution }] }],
    ...{ counterfactual: NO_COUNTERFACTUAL, stability: NOT_SHAKEN },
    sentence: `${baseline.name}: it follows ${name} alone.`,
    reason: null,
  };
}

/** Contributions of every member on the scale on which they add up, times its weight. */
export function explainForecast(forecaster: Forecaster, values: Float64Array, row: ForecastRow): Explanation {
  if (row.value === null) return explainNothing(row.abstained?.sentence ?? 'It says nothing.');
  return explainNothing(`${forecaster.members.length} members and ${values.length} inputs.`);
}
