import type { LossMetric } from '@touchstone/contracts/experiments';
import type { ModelManifest, Skill } from '@touchstone/contracts/model-manifest';
import type { LossReference } from '@touchstone/quant/evaluation/drift/performance-drift';
import { predictionLoss } from '@touchstone/quant/evaluation/experiments/prediction-loss';
import { normalQuantile } from '@touchstone/quant/stats/normal';
import type { ScoredRow } from './drift.repository.ts';
import type { LiveLosses } from './drift.worker.ts';

/** In which loss a target is watched: the one its skill was told in, where that is a loss of single predictions. */
const OF_SKILL: Partial<Record<Skill['metric'], LossMetric>> = {
  brier: 'brier',
  log_loss: 'log_loss',
  accuracy: 'error_rate',
  balanced_accuracy: 'error_rate',
  mean_squared_error: 'squared_error',
};

/** Standard errors from the middle of a 95 % interval to its ends. */
const TWO_SIDED = normalQuantile(0.975);

/**
 * Daily losses of predictions whose outcome is known, and what they were at training time. Where the skill was told in a metric
 * that has no loss of single predictions, the stored loss counts, and there is nothing of that time to hold it against.
 */
export function liveLosses(rows: readonly ScoredRow[], manifest: ModelManifest): LiveLosses {
  const metric = manifest.skill === null ? undefined : OF_SKILL[manifest.skill.metric];
  const days = new Map<string, { loss: number[]; over: number[] }>();
  for (const row of rows) {
    if (row.value === null || row.loss === null) continue;
    const loss = metric === undefined ? row.loss : predictionLoss(metric, { value: row.value, outcome: row.outcome });
    if (!Number.isFinite(loss)) continue;
    const day = days.get(row.eventDay) ?? { loss: [], over: [] };
    days.set(row.eventDay, day);
    day.loss.push(loss);
    if (row.baselineLoss !== null) day.over.push(row.loss - row.baselineLoss);
  }
  const byDay = [...days.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, told]) => told);
  return {
    metric: metric ?? 'stored',
    losses: Float64Array.from(byDay, ({ loss }) => mean(loss)),
    overBaseline: Float64Array.from(
      byDay.filter(({ over }) => over.length > 0),
      ({ over }) => mean(over),
    ),
    reference: metric === undefined || manifest.skill === null ? null : referenceOf(manifest.skill),
  };
}

function referenceOf({ metric, value, low, high }: Skill): LossReference | null {
  if (value === null || low === null || high === null) return null;
  const isRate = metric === 'accuracy' || metric === 'balanced_accuracy';
  const standardError = (high - low) / 2 / TWO_SIDED;
  return { mean: isRate ? 1 - value : value, standardError, longRunDeviation: null };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
