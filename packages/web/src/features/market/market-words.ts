import { formatNumber, words } from '../../lib/format.ts';

const MODELS: Record<string, string> = {
  ewma_94: 'EWMA .94',
  har: 'HAR',
  log_har_leverage: 'log-HAR with leverage',
  log_har_smooth: 'smooth log-HAR',
  log_har_decay: 'decaying log-HAR',
  log_har_blend: 'blended log-HAR',
  garch: 'GARCH(1,1)',
  gjr_t: 'GJR-GARCH with t',
  filtered_historical: 'Filtered history',
  historical: 'History',
  cornish_fisher: 'Cornish-Fisher',
  garch_t: 'GARCH with t',
  ewma_normal: 'normal EWMA',
  hidden_markov: 'Hidden Markov',
  jump_model: 'Jump model',
  volatility_rule: '21-day volatility in thirds',
};

/** A model as people call it. */
export function modelWords(model: string): string {
  return MODELS[model] ?? words(model);
}

/** A p value; one too small for three digits is not told as nought. */
export function pWords(p: number | null): string {
  return p !== null && p < 0.0005 ? '< 0.001' : formatNumber(p, 3);
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
