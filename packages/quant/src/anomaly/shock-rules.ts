import { expect } from '../checks/expect.ts';

/** Weight of the past in the volatility a return is held against. */
export const SHOCK_DECAY = 0.94;
/** Rows before the first z: the average has to forget its first return. */
export const SHOCK_WARM_UP = 60;
/** A day's and five days' log return that are an event by rule. */
export const EVENT_DAY = Math.log(1 - 0.04);
export const EVENT_FIVE_DAYS = Math.log(1 - 0.08);

export const SHOCK_RULES = ['z < -3', 'z < -2.5', 'hybrid', 'event rule'] as const;
export type ShockRule = (typeof SHOCK_RULES)[number];

/**
 * Each return in units of the volatility known before it: an exponentially weighted root mean square of earlier returns.
 *
 * Row t depends on rows up to t only. NaN returns are passed over. NaN in the warm-up and while the past has no volatility.
 *
 * @param logReturn One a row.
 * @see J.P. Morgan and Reuters, RiskMetrics Technical Document (1996), section 5.2, for the weighting
 */
export function shockZ(logReturn: Float64Array, decay: number = SHOCK_DECAY): Float64Array {
  expect(decay > 0 && decay < 1, `decay must be between 0 and 1, was ${decay}`);
  const z = new Float64Array(logReturn.length).fill(Number.NaN);
  let variance = Number.NaN;
  let seen = 0;
  for (let t = 0; t < logReturn.length; t++) {
    const value = logReturn[t]!;
    if (!Number.isFinite(value)) continue;
    if (seen >= SHOCK_WARM_UP && variance > 1e-24) z[t] = value / Math.sqrt(variance);
    variance = seen === 0 ? value ** 2 : decay * variance + (1 - decay) * value ** 2;
    seen += 1;
  }
  return z;
}

/** 1 on days of at most −4 %, or at the end of five days of at most −8 %. Row t depends on rows up to t only. */
export function eventDays(logReturn: Float64Array): Uint8Array {
  const isEvent = new Uint8Array(logReturn.length);
  for (let t = 0; t < logReturn.length; t++) {
    let five = 0;
    for (let k = Math.max(0, t - 4); k <= t; k++) five += Number.isNaN(logReturn[k]!) ? 0 : logReturn[k]!;
    if (logReturn[t]! <= EVENT_DAY || five <= EVENT_FIVE_DAYS) isEvent[t] = 1;
  }
  return isEvent;
}

/** 1 on alarm days of a rule. `hybrid`: a fall that is large for its volatility, or large as such. */
export function shockAlarms(logReturn: Float64Array, rule: ShockRule): Uint8Array {
  const z = shockZ(logReturn);
  const isEvent = eventDays(logReturn);
  return Uint8Array.from(z, (value, t) => {
    if (rule === 'event rule') return isEvent[t]!;
    if (rule === 'z < -2.5') return value < -2.5 ? 1 : 0;
    return value < -3 || (rule === 'hybrid' && isEvent[t] === 1) ? 1 : 0;
  });
}
