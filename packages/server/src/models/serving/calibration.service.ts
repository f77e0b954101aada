import type { TargetName } from '@touchstone/contracts/model-manifest';
import type { Calibration, HopCode } from '@touchstone/contracts/predictions';
import { reliability } from '@touchstone/quant/learn/calibration/reliability';
import { createRandom } from '@touchstone/quant/random/random';
import { wilson } from '@touchstone/quant/stats/binomial-interval';
import { BLOCK_LENGTH_DEFAULT, meanInterval } from '@touchstone/quant/stats/block-bootstrap';
import type { Database, Principal } from '../../platform/database/database.ts';
import { found } from '../../platform/problem-error.ts';
import type { Registry } from '../registry/registry.types.ts';
import { countDistinctTrials } from '../trials/trial.repository.ts';
import { findNewestWords, type JudgedRow, listAdaptive, listJudged } from './outcome.repository.ts';
import { targetOf } from './outcome-of.ts';
import { findModelId } from './prediction.repository.ts';
import type { ServingWatch } from './serving-watch.ts';

export type CalibrationService = ReturnType<typeof createCalibrationService>;
export type CalibrationQuestion = {
  version?: number | undefined;
  basis: 'sealed' | 'all';
  from?: string | undefined;
  to?: string | undefined;
};

const ROWS_MAX = 100_000;
const ADAPTIVE_MAX = 200;
const SEED = 1;
const RESAMPLES = 500;
/** Fewer outcomes say nothing about a share. */
const ROWS_MIN = 20;

/** How predictions turned out, as a tenant may show it to everybody it has. */
export function createCalibrationService(parts: { database: Database; registry: Registry; watch: ServingWatch }) {
  const { database, registry, watch } = parts;
  return {
    /** @throws NOT_FOUND */
    async read(principal: Principal, model: string, question: CalibrationQuestion): Promise<Calibration> {
      const { version, basis, from, to } = question;
      return database.transaction(
        principal,
        async (tx) => {
          const modelId = found(await findModelId(tx, model), `There is no model ${model}.`);
          const rows = await listJudged(tx, { modelId, version, from, to, limit: ROWS_MAX });
          const adaptive = await listAdaptive(tx, { modelId, version, limit: ADAPTIVE_MAX });
          const words = await findNewestWords(tx, { modelId, version });
          const newest = version ?? rows[0]?.version;
          const detail = newest === undefined ? undefined : await registry.findVersion(tx, model, newest);
          if (version !== undefined) found(detail, `There is no version ${version} of ${model}.`);
          const trialCount = detail === undefined ? 0 : await countDistinctTrials(tx, detail.manifest.datasetSha256);
          return {
            latency: watch.latencyOf(principal.tenantId, model),
            ...{ model, version: version ?? null, target: detail?.manifest.target ?? null, basis, adaptive },
            ...judge(rows, detail?.manifest.target ?? null, basis),
            ...{
              skill: skillOf(
                judgedBy(rows, basis),
                words?.baseline ?? 'no baseline',
                trialCount,
                detail?.manifest.target ?? null,
              ),
            },
            coverage: coverageOf(judgedBy(rows, basis), words?.level ?? null, detail?.manifest.target ?? null),
          };
        },
        { readOnly: true },
      );
    },
  };
}

/** Those whose outcome the version had not seen in training; of `sealed` only those nobody had. */
function judgedBy(rows: readonly JudgedRow[], basis: 'sealed' | 'all'): JudgedRow[] {
  return rows.filter(
    ({ outcome, inSample, beforeOutcome }) => outcome !== null && !inSample && (basis === 'all' || beforeOutcome),
  );
}

function judge(
  rows: readonly JudgedRow[],
  target: TargetName | null,
  basis: 'sealed' | 'all',
): Pick<Calibration, 'counts' | 'reliability' | 'abstentions' | 'note'> {
  const counts = {
    predictions: rows.length,
    resolved: rows.filter(({ outcome }) => outcome !== null).length,
    pending: rows.filter(({ outcome }) => outcome === null).length,
    abstained: rows.filter(({ abstained }) => abstained !== null).length,
    sealedBeforeOutcome: rows.filter(({ beforeOutcome }) => beforeOutcome).length,
    reconstructed: rows.filter(({ beforeOutcome }) => !beforeOutcome).length,
    inSample: rows.filter(({ inSample }) => inSample).length,
  };
  const codes = Map.groupBy(
    rows.filter(({ abstained }) => abstained !== null),
    ({ abstained }) => abstained as HopCode,
  );
  const abstentions = Array.from(codes, ([code, some]) => ({ code, count: some.length })).sort(
    (a, b) => b.count - a.count || (a.code < b.code ? -1 : 1),
  );
  const seen = counts.inSample === 0 ? '' : ` ${counts.inSample} are of days it had learnt from and are left out.`;
  const note = `${counts.reconstructed} of ${counts.predictions} are reconstructed: made of a past whose outcome could be known.${seen}`;
  return { counts, reliability: reliabilityOf(judgedBy(rows, basis), target), abstentions, note };
}

function reliabilityOf(rows: readonly JudgedRow[], target: TargetName | null): Calibration['reliability'] {
  const spoken = rows.filter(({ value }) => value !== null);
  if (targetOf(target)?.goal !== 'binary')
    return none('not_defined', 'It tells no probability, so that there is nothing to hold against a frequency.');
  if (spoken.length < ROWS_MIN)
    return none('too_little_history', `Needs ${ROWS_MIN} forecasts with an outcome; ${spoken.length} have one.`);
  const told = reliability(
    Float64Array.from(spoken, ({ value }) => value!),
    Float64Array.from(spoken, ({ outcome }) => outcome!),
  );
  return {
    bins: told.bins.flatMap(({ low, high, forecast, rate, interval, count }) =>
      forecast === null || rate === null
        ? []
        : [{ from: low, to: high, forecast, observed: rate, low: interval.low, high: interval.high, count }],
    ),
    error: told.expectedCalibrationError,
    reason: null,
  };

  function none(code: 'not_defined' | 'too_little_history', sentence: string): Calibration['reliability'] {
    return { bins: [], error: null, reason: { code, sentence } };
  }
}

function coverageOf(
  rows: readonly JudgedRow[],
  level: number | null,
  target: TargetName | null,
): Calibration['coverage'] {
  const held = rows.filter(({ inside }) => inside !== null);
  if (held.length === 0) {
    const isEvent = targetOf(target)?.goal === 'binary';
    const sentence = isEvent
      ? 'Its interval is about a probability, in which no single event can lie; see the reliability.'
      : 'No forecast with an interval has its outcome yet.';
    return { level, items: [], reason: { code: isEvent ? 'not_defined' : 'not_known_yet', sentence } };
  }
  type Item = Calibration['coverage']['items'][number];
  const item = (by: Item['by'], group: string, some: readonly JudgedRow[]): Item => {
    const inside = some.filter((row) => row.inside).length;
    const widths = some.flatMap(({ lower, upper }) => (lower === null || upper === null ? [] : [upper - lower]));
    const { low, high } = wilson(inside, some.length);
    const widthMean = widths.length === 0 ? null : widths.reduce((sum, x) => sum + x, 0) / widths.length;
    return { by, group, covered: inside / some.length, low, high, widthMean, count: some.length };
  };
  const years = Map.groupBy(held, ({ eventDay }) => eventDay.slice(0, 4));
  const byYear = Array.from(years, ([year, some]) => item('year', year, some)).sort((a, b) =>
    a.group < b.group ? -1 : 1,
  );
  const known = held.filter(({ volatility }) => volatility !== null).sort((a, b) => a.volatility! - b.volatility!);
  const third = known.length / 3;
  const thirds = ['calm', 'middle', 'wild'].map((name, k) => ({
    name,
    some: known.slice(Math.round(k * third), Math.round((k + 1) * third)),
  }));
  const byVolatility = thirds.flatMap(({ name, some }) => (some.length === 0 ? [] : [item('volatility', name, some)]));
  return { level, items: [item('all', 'all', held), ...byYear, ...byVolatility], reason: null };
}

/** Days are resampled in blocks, so that what subjects and days have in common does not count as evidence. */
function skillOf(
  rows: readonly JudgedRow[],
  baselineName: string,
  trialCount: number,
  target: TargetName | null,
): Calibration['skill'] {
  const metric = targetOf(target)?.metric === 'qlike' ? 'QLIKE of the variance' : 'squared error (Brier)';
  const both = rows.filter(({ loss, baselineLoss }) => loss !== null && baselineLoss !== null);
  const days = Map.groupBy(both, ({ eventDay }) => eventDay);
  const inOrder = [...days.keys()].sort();
  const base = {
    ...{ metric: `mean ${metric} of the baseline less that of the model`, baseline: 0, baselineName },
    ...{ firstDay: inOrder[0] ?? null, lastDay: inOrder.at(-1) ?? null, sampleCount: both.length },
    trialCount: Math.max(1, trialCount),
  };
  if (inOrder.length < ROWS_MIN) {
    const sentence = `Needs ${ROWS_MIN} days with an outcome; ${inOrder.length} have one.`;
    return { ...base, value: null, low: null, high: null, reason: { code: 'too_little_history', sentence } };
  }
  const differences = Float64Array.from(inOrder, (day) => {
    const some = days.get(day)!;
    return some.reduce((sum, { loss, baselineLoss }) => sum + baselineLoss! - loss!, 0) / some.length;
  });
  const { value, low, high } = meanInterval(differences, {
    ...{ random: createRandom(SEED).split('calibration'), resampleCount: RESAMPLES },
    blockLength: Math.min(BLOCK_LENGTH_DEFAULT, inOrder.length),
  });
  return { ...base, value, low, high, reason: null };
}
