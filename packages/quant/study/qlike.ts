import { ewmaVariance } from '../src/volatility/ewma-variance.ts';
import { HAR_WINDOW, type HarVariant, harForecast } from '../src/volatility/har.ts';
import { meanAhead, qlikeLosses } from '../src/volatility/qlike.ts';
import { garmanKlassOvernightVariance, logReturns, squaredReturnVariance } from '../src/volatility/range-variance.ts';
import { readIndexBars } from './_index-bars.ts';
import {
  BOOTSTRAP,
  codeHash,
  lossGain,
  pick,
  printResults,
  rowsBetween,
  type StudyResult,
} from './_volatility-study.ts';

/** Chosen on the S&P of 1990 to 2003 (the 1950–2022 file) only; see `MODEL_FORMS_TRIED`. */
const SETTINGS = {
  file: 'indices_etfs/sp500_index_daily_1999_2018_arch.csv.gz',
  firstDay: '2004-01-02',
  lastDay: '2018-12-21',
  model: 'log_har_blend' as HarVariant,
  horizons: [1, 5, 21],
  baselines: [0.94, 0.85],
  window: HAR_WINDOW,
} as const;

/**
 * Forms compared on 1990–2003 before this file was frozen: nine sets of columns, each as it is and drawn to the past 125 or
 * 250 days' errors, and four averages of them.
 */
const MODEL_FORMS_TRIED = 31;

const TARGETS: Record<number, readonly [over94: number, over85: number]> = {
  1: [0.15, 0.07],
  5: [0.18, 0.09],
  21: [0.1, 0.08],
};

const COMPARED: readonly HarVariant[] = ['har', 'log_har', 'log_har_leverage', 'log_har_smooth', 'log_har_decay'];

export async function run(): Promise<StudyResult[]> {
  const bars = readIndexBars(SETTINGS.file);
  const variance = garmanKlassOvernightVariance(bars);
  const squared = squaredReturnVariance(bars.close);
  const returns = logReturns(bars.close);
  const allRows = rowsBetween(bars.day, SETTINGS.firstDay, SETTINGS.lastDay);
  const settings = { ...SETTINGS, bootstrap: BOOTSTRAP, codeHash: codeHash('qlike') };
  const results: StudyResult[] = [];
  const table: Record<string, Record<string, number>> = {};
  for (const horizon of SETTINGS.horizons) {
    // The file ends on 2018-12-31: at 21 days the last labels would end beyond it, and those days are left out.
    const known = meanAhead(variance, horizon);
    const rows = allRows.filter((t) => !Number.isNaN(known[t]!));
    const losses = (forecast: Float64Array, proxy = variance) =>
      pick(qlikeLosses(meanAhead(proxy, horizon), forecast), rows);
    const forecastOf = (variant: HarVariant) => harForecast(variance, returns, { variant, horizon }).forecast;
    const model = forecastOf(SETTINGS.model);
    const loss = losses(model);
    const mean = (values: Float64Array) => values.reduce((sum, x) => sum + x, 0) / values.length;
    const row: Record<string, number> = { [SETTINGS.model]: mean(loss) };
    for (const variant of COMPARED) row[variant] = mean(losses(forecastOf(variant)));
    SETTINGS.baselines.forEach((decay, k) => {
      const baseline = ewmaVariance(variance, decay);
      const baseLoss = losses(baseline);
      row[`ewma_${decay}`] = mean(baseLoss);
      const gain = lossGain(loss, baseLoss, `qlike ${horizon} ${decay}`);
      // A day without any movement has the squared return 0 and no logarithm: it is left out for both.
      const [onSquared, baseOnSquared] = [losses(model, squared), losses(baseline, squared)];
      const usable = Uint32Array.from(rows.keys()).filter((i) => onSquared[i]! >= 0 && baseOnSquared[i]! >= 0);
      const squaredGain = lossGain(pick(onSquared, usable), pick(baseOnSquared, usable), `squared ${horizon} ${decay}`);
      results.push(judge(horizon, k, decay, gain, rows.length, { squaredGain, squaredDays: usable.length }));
    });
    table[`h=${horizon}`] = row;
  }
  console.table(table);
  printResults(results);
  return results;

  function judge(
    horizon: number,
    k: number,
    decay: number,
    gain: { value: number; low: number; high: number },
    days: number,
    detail: Record<string, unknown>,
  ): StudyResult {
    const target = TARGETS[horizon]![k]!;
    const isResolved = gain.low > 0;
    const met = gain.value >= target && isResolved;
    const missed = isResolved ? 'not met' : 'not resolvable';
    return {
      name: `qlike gain over EWMA(${decay}) at ${horizon} days`,
      figure: gain.value,
      unit: 'share of the loss',
      interval: [gain.low, gain.high],
      target,
      verdict: met ? 'met' : missed,
      goal: `>= ${target} with a lower bound > 0`,
      met,
      input: { file: bars.file, sha256: bars.sha256, days },
      settings,
      trials: MODEL_FORMS_TRIED,
      detail: { meanLosses: table, ...detail },
    };
  }
}

if (import.meta.main) await run();
