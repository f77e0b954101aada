import { NO_STATE } from './confirm-states.ts';

/** Days of the plain rule's volatility. */
export const RULE_DAYS = 21;

/**
 * Standard deviation around zero of the last `RULE_DAYS` returns, per day; NaN while there are fewer. NaN returns are passed over.
 * Row t depends on rows 0..t only.
 */
export function ruleVolatility(logReturn: Float64Array): Float64Array {
  const result = new Float64Array(logReturn.length).fill(Number.NaN);
  const squares: number[] = [];
  for (let t = 0; t < logReturn.length; t++) {
    if (!Number.isNaN(logReturn[t]!)) squares.push(logReturn[t]! ** 2);
    if (squares.length > RULE_DAYS) squares.shift();
    // Added anew each day: a running sum would carry a crash's rounding into the calm after it.
    if (squares.length === RULE_DAYS) result[t] = Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / RULE_DAYS);
  }
  return result;
}

/** Thirds of a training window's volatility: the plain rule's two borders. NaN without any value. */
export function ruleBorders(volatility: Float64Array): [number, number] {
  const sorted = volatility.filter(Number.isFinite).sort();
  if (sorted.length === 0) return [Number.NaN, Number.NaN];
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return [at(1 / 3), at(2 / 3)];
}

/** 0 calm, 1 between, 2 wild; `NO_STATE` where there is no volatility or no border. */
export function ruleState(volatility: number, [low, high]: readonly [number, number]): number {
  if (!Number.isFinite(volatility) || !Number.isFinite(low)) return NO_STATE;
  if (volatility < low) return 0;
  return volatility < high ? 1 : 2;
}
