import { expect } from '../checks/expect.ts';
import {
  fitGarch,
  GARCH_RETURNS_MIN,
  type GarchModel,
  type GarchParameters,
  garchMeanAhead,
  garchStep,
} from './garch.ts';

export type GarchWalkSettings = {
  model: GarchModel;
  /** Most returns in a fit. */
  windowMax?: number;
  /** Fewest returns in a fit. */
  windowMin?: number;
  /** Returns between two fits; in between only the variance moves on. */
  refitEvery?: number;
};

export type GarchWalk = {
  /** Variance expected for the next day, told at each row; return² per day, NaN before the first fit. */
  nextVariance: Float64Array;
  /** For each row the place in `fits` of the parameters used, -1 before the first. */
  fitAt: Int32Array;
  fits: GarchParameters[];
  /** Searches that did not settle; the parameters before them were kept. */
  failedCount: number;
};

export const GARCH_WALK = { windowMax: 2000, windowMin: 500, refitEvery: 126 } as const;

/**
 * A GARCH refitted along the way from the returns known by then; each fit starts where the last one ended. A missing return
 * leaves the variance as it was.
 *
 * @param returns T returns per day, missing is NaN.
 */
export function garchWalk(returns: Float64Array, settings: GarchWalkSettings): GarchWalk {
  const { model } = settings;
  const { windowMax, windowMin, refitEvery } = { ...GARCH_WALK, ...settings };
  expect(windowMin >= GARCH_RETURNS_MIN && windowMax >= windowMin, `the window must hold ${GARCH_RETURNS_MIN} returns`);
  const n = returns.length;
  const nextVariance = new Float64Array(n).fill(Number.NaN);
  const fitAt = new Int32Array(n).fill(-1);
  const fits: GarchParameters[] = [];
  const known = new Float64Array(n);
  let [knownCount, sinceFit, failedCount, h] = [0, refitEvery, 0, Number.NaN];
  for (let t = 0; t < n; t++) {
    const r = returns[t]!;
    const current = fits.at(-1);
    if (Number.isFinite(r)) {
      known[knownCount++] = r;
      sinceFit++;
      if (current) h = garchStep(current, r - current.mu, h);
      if (knownCount >= windowMin && sinceFit >= refitEvery) {
        const fit = fitGarch(known.slice(Math.max(0, knownCount - windowMax), knownCount), model, 'backcast', current);
        sinceFit = 0;
        if (fit.status === 'ok') {
          fits.push(fit.parameters);
          h = fit.nextVariance;
        } else failedCount++;
      }
    }
    nextVariance[t] = h;
    fitAt[t] = fits.length - 1;
  }
  return { nextVariance, fitAt, fits, failedCount };
}

/** Mean variance expected over t + 1 .. t + horizon at each row; return² per day. */
export function garchWalkAhead(walk: GarchWalk, horizon: number): Float64Array {
  return walk.nextVariance.map((h, t) =>
    walk.fitAt[t]! < 0 ? Number.NaN : garchMeanAhead(walk.fits[walk.fitAt[t]!]!, h, horizon),
  );
}
