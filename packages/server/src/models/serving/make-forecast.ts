import type { Explanation, Forecast, HopCode, ServedBy } from '@touchstone/contracts/predictions';
import { type ForecastRow, forecastRows } from '@touchstone/quant/learn/forecaster/forecast-rows';
import type { Forecaster } from '@touchstone/quant/learn/forecaster/forecaster';
import { explainBaseline, explainForecast, explainNothing } from './explain-forecast.ts';

/** What a forecast is made from; with the forecaster it gives the same forecast for ever. */
export type ForecastQuestion = {
  servedBy: ServedBy;
  unit: string;
  /** stepCount × features, oldest day first. */
  values: Float64Array;
  /** Level asked of the interval, by what outcomes have shown; null: that of the forecaster. */
  level: number | null;
  /** Why it abstains whatever the forecaster says; null: the forecaster decides. */
  abstain: { code: HopCode; sentence: string } | null;
};

export type MadeForecast = {
  forecast: Forecast;
  explanation: Explanation;
  /** Of the forecast alone. */
  milliseconds: number;
};

/** Codes of the forecaster as the contract tells them. */
const CODES = { features_missing: 'missing_features', unsure: 'not_sure_enough', member_failed: 'failed' } as const;

/** @param forecaster Null: it could not be read, so that nobody answers. */
export function makeForecast(forecaster: Forecaster | null, question: ForecastQuestion): MadeForecast {
  const startedAt = performance.now();
  if (forecaster === null) return nobody(null, question, null);
  const { values, level, servedBy } = question;
  const inputs = { rowCount: 1, stepCount: forecaster.stepCount, featureCount: forecaster.features.length, values };
  const [row] = forecastRows(forecaster, inputs, level === null ? {} : { level });
  const milliseconds = performance.now() - startedAt;
  if (servedBy === 'nobody' || row === undefined) return nobody(forecaster, question, row ?? null);
  if (servedBy === 'baseline') return { ...byBaseline(forecaster, question, row), milliseconds };
  const isUnsure = row.abstained?.code === 'unsure';
  const forecast: Forecast = {
    value: row.abstained === null ? row.value : null,
    unit: question.unit,
    lower: row.abstained === null ? row.lower : null,
    upper: row.abstained === null ? row.upper : null,
    level: row.lower === null || row.abstained !== null ? null : (level ?? forecaster.interval?.level ?? null),
    confidence: row.confidence,
    abstained: row.abstained === null ? null : { ...row.abstained, code: CODES[row.abstained.code] },
    leaning: isUnsure ? row.value : null,
    baseline: { name: forecaster.baseline.name, value: row.baseline },
    members: membersOf(row),
  };
  return { forecast, explanation: explainForecast(forecaster, values, row), milliseconds };
}

function byBaseline(forecaster: Forecaster, { unit, values }: ForecastQuestion, row: ForecastRow) {
  const { baseline } = forecaster;
  const forecast: Forecast = {
    ...{ value: row.baseline, unit, lower: null, upper: null, level: null, confidence: null, leaning: null },
    abstained:
      row.baseline === null
        ? { code: 'no_baseline', sentence: `${baseline.name} needs a feature that is missing as well.` }
        : null,
    baseline: { name: baseline.name, value: row.baseline },
    members: [],
  };
  return { forecast, explanation: explainBaseline(forecaster, values) };
}

function nobody(forecaster: Forecaster | null, { unit, abstain }: ForecastQuestion, row: ForecastRow | null) {
  const abstained = abstain ?? { code: 'failed' as const, sentence: 'Nobody could answer.' };
  const forecast: Forecast = {
    ...{ value: null, unit, lower: null, upper: null, level: null, confidence: null, abstained, leaning: null },
    baseline: { name: forecaster?.baseline.name ?? 'unknown', value: row?.baseline ?? null },
    members: row === null ? [] : membersOf(row),
  };
  return { forecast, explanation: explainNothing(abstained.sentence), milliseconds: 0 };
}

function membersOf(row: ForecastRow): Forecast['members'] {
  return row.members.map(({ name, weight, value }) => ({ learner: name, weight: Math.min(1, weight), value }));
}
