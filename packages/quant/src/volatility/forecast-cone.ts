import { expect } from '../checks/expect.ts';

/** What is told for one horizon at one moment; all in the same unit of variance, > 0. */
export type ConePoint = { horizon: number; forecast: number; low: number; high: number };

/**
 * The cone between horizons that have a model of their own: straight lines in ln variance over ln horizon, which is close to
 * how variance returns to its level. Points with a value that is missing or not positive are left out; nothing is told beyond
 * the first and the last.
 *
 * @param points Ascending horizons. @param horizonMax Last horizon wanted.
 */
export function forecastCone(
  points: readonly ConePoint[],
  horizonMax: number,
): (ConePoint & { interpolated: boolean })[] {
  const known = points.filter(({ forecast, low, high }) => forecast > 0 && low > 0 && high > 0);
  for (let k = 1; k < known.length; k++)
    expect(known[k]!.horizon > known[k - 1]!.horizon, 'horizons must be ascending');
  const cone: (ConePoint & { interpolated: boolean })[] = [];
  for (let k = 0; k < known.length; k++) {
    const [from, to] = [known[k]!, known[k + 1]];
    if (from.horizon <= horizonMax) cone.push({ ...from, interpolated: false });
    if (!to) break;
    for (let h = from.horizon + 1; h < to.horizon && h <= horizonMax; h++) {
      const share = Math.log(h / from.horizon) / Math.log(to.horizon / from.horizon);
      const between = (a: number, b: number) => Math.exp((1 - share) * Math.log(a) + share * Math.log(b));
      cone.push({
        horizon: h,
        forecast: between(from.forecast, to.forecast),
        low: between(from.low, to.low),
        high: between(from.high, to.high),
        interpolated: true,
      });
    }
  }
  return cone;
}
