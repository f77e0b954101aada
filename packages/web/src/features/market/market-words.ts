import { words } from '../../lib/format.ts';

const MODELS: Record<string, string> = {
  ewma_94: 'EWMA .94',
  har: 'HAR',
  log_har_leverage: 'log-HAR with leverage',
  log_har_smooth: 'log-HAR, smooth',
  log_har_decay: 'log-HAR, decaying',
  log_har_blend: 'log-HAR, blended',
  garch: 'GARCH(1,1)',
  gjr_t: 'GJR-GARCH, t',
  filtered_historical: 'Filtered history',
  historical: 'History',
  cornish_fisher: 'Cornish-Fisher',
  garch_t: 'GARCH, t',
  ewma_normal: 'EWMA, normal',
  hidden_markov: 'Hidden Markov',
  jump_model: 'Jump model',
  volatility_rule: '21-day volatility in thirds',
};

/** A model as people call it. */
export function modelWords(model: string): string {
  return MODELS[model] ?? words(model);
}

const ESTIMATORS: Record<string, string> = {
  denoised: 'Denoised',
  sample: 'Sample',
  ledoit_wolf: 'Ledoit-Wolf',
  non_linear: 'Non-linear shrinkage',
  weighted: 'Weighted by age',
};

/** An estimate of correlations as people call it. */
export function estimatorWords(estimator: string): string {
  return ESTIMATORS[estimator] ?? words(estimator);
}

/** A kind of pattern as people call it: `cdl_doji_star` is a doji star. */
export function kindWords(kind: string): string {
  return words(kind.replace(/^cdl_/, '').replaceAll('-', '_'));
}
