/** Called by their names from another thread. */
export { readDrawdown } from './read-drawdown.ts';
export { readValueAtRisk } from './read-value-at-risk.ts';
export { readVolatility } from './read-volatility.ts';
