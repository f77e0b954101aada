import type { Skill, TargetName } from '@touchstone/contracts/model-manifest';
import { formatNumber, formatPercent, words } from '../../lib/format.ts';

const TARGETS: Record<TargetName, string> = {
  volatility_direction: 'Will it swing more?',
  forward_volatility: 'How much will it swing?',
  drawdown_touch: 'Will the low fall 5 %?',
  return_rank: 'Place among the universe',
  return_direction: 'Will the close rise?',
};

/** What is forecast, as a question. */
export function targetWords(target: TargetName | null): string {
  return target === null ? 'something of its own' : TARGETS[target];
}

const LEARNERS: Record<string, string> = {
  linear: 'Linear model',
  gradient_boosted_trees: 'Boosted trees',
  random_forest: 'Random forest',
  lstm: 'LSTM',
  transformer: 'Transformer',
  ensemble: 'Ensemble',
  logistic: 'Logistic regression',
  ridge: 'Ridge regression',
  linear_svm: 'Linear support vectors',
};

/** A family of models as people call it. */
export function learnerWords(learner: string): string {
  return LEARNERS[learner] ?? words(learner);
}

const METRICS: Record<Skill['metric'], string> = {
  balanced_accuracy: 'Balanced accuracy',
  accuracy: 'Accuracy',
  brier: 'Brier score',
  log_loss: 'Log loss',
  qlike: 'QLIKE',
  rank_ic: 'Rank correlation',
  mean_squared_error: 'Mean squared error',
  auc: 'Area under the curve',
};

export function metricWords(metric: Skill['metric']): string {
  return METRICS[metric];
}

/** Shares are told in percent, losses as plain numbers. */
export function formatSkill(metric: Skill['metric'], value: number | null): string {
  return metric === 'balanced_accuracy' || metric === 'accuracy' ? formatPercent(value) : formatNumber(value, 4);
}

/** A value of a forecast in its unit. */
export function formatForecast(unit: string, value: number | null): string {
  return unit === 'probability' || unit === 'fraction' ? formatPercent(value) : formatNumber(value, 4);
}

/** What happened: of a probability, whether it did. */
export function formatOutcome(unit: string, value: number): string {
  if (unit !== 'probability') return formatForecast(unit, value);
  return value === 1 ? 'yes' : 'no';
}
