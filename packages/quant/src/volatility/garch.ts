import { expect } from '../checks/expect.ts';
import { mean, variance as sampleVariance } from '../stats/moments.ts';
import { logGamma } from '../stats/special-functions.ts';
import { digamma } from './digamma.ts';
import { minimise } from './minimise.ts';

export type GarchModel = {
  /** Adds γ e² after a negative residual (Glosten, Jagannathan and Runkle). */
  leverage: boolean;
  distribution: 'normal' | 'student_t';
};

/** μ in return per day, ω in return² per day; α, γ, β without unit. */
export type GarchParameters = {
  mu: number;
  omega: number;
  alpha: number;
  /** 0 without leverage. */
  gamma: number;
  beta: number;
  /** Degrees of freedom, > 2; null for the normal. */
  nu: number | null;
};

/**
 * The e² and h before the first day: the mean squared residual at the parameters themselves (Fiorentini, Calzolari and
 * Panattoni 1996), or a weighted mean of the first 75 squared deviations from the sample mean, .94 a day (RiskMetrics).
 */
export type Presample = 'mean_square' | 'backcast';

export type GarchFit =
  | {
      status: 'ok';
      parameters: GarchParameters;
      logLikelihood: number;
      /** h_t, the variance expected for day t from the days before it; return² per day, one a return. */
      variance: Float64Array;
      /** h of the day after the last one. */
      nextVariance: number;
      iterations: number;
    }
  | { status: 'failed'; reason: string };

/** Fewest returns for a fit: five or six parameters from less say nothing. */
export const GARCH_RETURNS_MIN = 250;
const PERSISTENCE_MAX = 0.9999;
const NU_MIN = 2.05;
const BACKCAST_DAYS = 75;
const BACKCAST_DECAY = 0.94;

/**
 * GARCH(1,1) or GJR-GARCH with a constant mean by maximum likelihood: h_t = ω + (α + γ 1[e_{t−1} < 0]) e²_{t−1} + β h_{t−1}.
 *
 * Quasi-Newton on transformed parameters, with the analytic gradient, from the best of a few fixed starts: the same returns
 * give the same fit to the last bit. The transformation keeps ω > 0, α >= 0, α + γ >= 0, β >= 0 and α + γ/2 + β below
 * `PERSISTENCE_MAX`; α = 0 and γ = −α are reached, not only approached. Scale-free: returns in percent and as fractions
 * give the same fit.
 *
 * @param returns Finite, one a day, in time order.
 * @param start Parameters of an earlier fit to begin with, in place of the fixed starts.
 * @returns `failed` with fewer than `GARCH_RETURNS_MIN` returns, returns that do not vary, or a search that did not settle.
 * @throws RangeError if a return is not finite.
 * @see Bollerslev 1986, doi:10.1016/0304-4076(86)90063-1; Glosten, Jagannathan and Runkle 1993,
 * doi:10.1111/j.1540-6261.1993.tb05128.x
 */
export function fitGarch(
  returns: Float64Array,
  model: GarchModel,
  presample: Presample = 'backcast',
  start?: GarchParameters,
): GarchFit {
  expect(returns.every(Number.isFinite), 'returns must be finite');
  if (returns.length < GARCH_RETURNS_MIN)
    return { status: 'failed', reason: `${GARCH_RETURNS_MIN} returns are needed, had ${returns.length}` };
  const scale = Math.sqrt(sampleVariance(returns));
  if (!(scale > 1e-12)) return { status: 'failed', reason: 'the returns do not vary' };
  const scaled = returns.map((r) => r / scale);
  const recursion = createRecursion(scaled, model, presample);
  const objective = (point: Float64Array, gradient: Float64Array) => {
    const at = toParameters(point, model);
    const likelihood = recursion.likelihood(at);
    chainRule(point, model, at, recursion.gradient, gradient);
    for (let i = 0; i < gradient.length; i++) gradient[i]! /= -scaled.length;
    return -likelihood / scaled.length;
  };
  const starts = start ? [toPoint(rescale(start, 1 / scale), model)] : fixedStarts(scaled, model);
  const scratch = new Float64Array(starts[0]!.length);
  const ranked = starts
    .map((point) => ({ point, value: objective(point, scratch) }))
    .filter(({ value }) => Number.isFinite(value))
    .sort((a, b) => a.value - b.value);
  const best = ranked
    .slice(0, 2)
    .map(({ point }) => minimise(objective, point))
    .reduce((a, b) => (b.value < a.value - 1e-12 ? b : a), {
      value: Number.POSITIVE_INFINITY,
      point: scratch,
      iterations: 0,
      converged: false,
      gradientSize: 0,
    });
  if (!Number.isFinite(best.value)) return { status: 'failed', reason: 'the likelihood is not finite at any start' };
  if (best.gradientSize > 1e-4)
    return { status: 'failed', reason: `the search did not settle in ${best.iterations} steps` };
  const found = toParameters(best.point, model);
  const likelihood = recursion.likelihood(found);
  const square = scale * scale;
  return {
    status: 'ok',
    parameters: rescale(found, scale),
    logLikelihood: likelihood - returns.length * Math.log(scale),
    variance: recursion.variance.map((h) => h * square),
    nextVariance: recursion.next(found) * square,
    iterations: best.iterations,
  };
}

/** Log-likelihood and h_t of given parameters: the same formula that `fitGarch` climbs. */
export function garchLikelihood(
  returns: Float64Array,
  parameters: GarchParameters,
  presample: Presample = 'backcast',
): { logLikelihood: number; variance: Float64Array; nextVariance: number } {
  const model: GarchModel = { leverage: true, distribution: parameters.nu === null ? 'normal' : 'student_t' };
  const recursion = createRecursion(returns, model, presample);
  const logLikelihood = recursion.likelihood(parameters);
  return { logLikelihood, variance: recursion.variance, nextVariance: recursion.next(parameters) };
}

/** Share of a shock to variance that is left after a day: α + γ/2 + β. */
export function garchPersistence({ alpha, gamma, beta }: GarchParameters): number {
  return alpha + gamma / 2 + beta;
}

/**
 * Mean variance expected over the next `horizon` days, from h of the first of them: it returns to ω / (1 − persistence) by
 * the persistence each day. Return² per day.
 */
export function garchMeanAhead(parameters: GarchParameters, nextVariance: number, horizon: number): number {
  const persistence = garchPersistence(parameters);
  if (persistence >= 1) return nextVariance + (parameters.omega * (horizon - 1)) / 2;
  const level = parameters.omega / (1 - persistence);
  return level + ((nextVariance - level) * (1 - persistence ** horizon)) / (horizon * (1 - persistence));
}

/** h of the next day from today's residual and h. */
export function garchStep({ omega, alpha, gamma, beta }: GarchParameters, residual: number, h: number): number {
  return omega + (alpha + (residual < 0 ? gamma : 0)) * residual * residual + beta * h;
}

/** Order of the slopes in `gradient`. */
const [MU, OMEGA, ALPHA, GAMMA, BETA, NU] = [0, 1, 2, 3, 4, 5] as const;

/** The likelihood with its slopes, over one set of returns; buffers are reused between calls. */
function createRecursion(returns: Float64Array, model: GarchModel, presample: Presample) {
  const n = returns.length;
  const variance = new Float64Array(n);
  const gradient = new Float64Array(6);
  const center = mean(returns);
  const weighted = backcast(returns, center);
  let meanSquare = 0;
  for (let t = 0; t < n; t++) meanSquare += (returns[t]! - center) ** 2 / n;
  const isT = model.distribution === 'student_t';

  function likelihood({ mu, omega, alpha, gamma, beta, nu }: GarchParameters): number {
    const before = presample === 'backcast' ? weighted : meanSquare + (center - mu) ** 2;
    const beforeSlope = presample === 'backcast' ? 0 : -2 * (center - mu);
    const persistence = alpha + gamma / 2 + beta;
    const freedom = nu ?? Number.POSITIVE_INFINITY;
    let h = omega + persistence * before;
    let [hMu, hOmega, hAlpha, hGamma, hBeta] = [persistence * beforeSlope, 1, before, before / 2, before];
    gradient.fill(0);
    let sum = 0;
    for (let t = 0; t < n; t++) {
      variance[t] = h;
      const e = returns[t]! - mu;
      const z = (e * e) / h;
      let slopeH: number;
      let slopeE: number;
      if (isT) {
        const spread = freedom - 2;
        sum -= 0.5 * Math.log(h) + ((freedom + 1) / 2) * Math.log1p(z / spread);
        slopeH = (-0.5 + ((freedom + 1) / 2) * (z / (spread + z))) / h;
        slopeE = (-(freedom + 1) * e) / (h * (spread + z));
        gradient[NU]! += -0.5 * Math.log1p(z / spread) + ((freedom + 1) / 2) * (z / (spread * (spread + z)));
      } else {
        sum -= 0.5 * (Math.log(h) + z);
        slopeH = (0.5 * (z - 1)) / h;
        slopeE = -e / h;
      }
      gradient[MU]! += slopeH * hMu - slopeE;
      gradient[OMEGA]! += slopeH * hOmega;
      gradient[ALPHA]! += slopeH * hAlpha;
      gradient[GAMMA]! += slopeH * hGamma;
      gradient[BETA]! += slopeH * hBeta;
      const isFall = e < 0;
      const weight = isFall ? alpha + gamma : alpha;
      hMu = -2 * weight * e + beta * hMu;
      hOmega = 1 + beta * hOmega;
      hAlpha = e * e + beta * hAlpha;
      hGamma = (isFall ? e * e : 0) + beta * hGamma;
      hBeta = h + beta * hBeta;
      h = omega + weight * e * e + beta * h;
    }
    if (!isT) return sum - 0.5 * n * Math.log(2 * Math.PI);
    const constant = logGamma((freedom + 1) / 2) - logGamma(freedom / 2) - 0.5 * Math.log(Math.PI * (freedom - 2));
    gradient[NU]! += n * (0.5 * digamma((freedom + 1) / 2) - 0.5 * digamma(freedom / 2) - 0.5 / (freedom - 2));
    return sum + n * constant;
  }

  return {
    likelihood,
    variance,
    gradient,
    next: (parameters: GarchParameters) => garchStep(parameters, returns[n - 1]! - parameters.mu, variance[n - 1]!),
  };
}

function backcast(returns: Float64Array, center: number): number {
  let [sum, weights, weight] = [0, 0, 1];
  for (let t = 0; t < Math.min(BACKCAST_DAYS, returns.length); t++) {
    sum += weight * (returns[t]! - center) ** 2;
    weights += weight;
    weight *= BACKCAST_DECAY;
  }
  return sum / weights;
}

/**
 * The point that is searched: μ, ln of the level ω / (1 − P), logit of P / `PERSISTENCE_MAX`, logit of the share of P that
 * news has, then arcsine of the asymmetry u and ln(ν − `NU_MIN`) where the model has them. With A the news' part of P,
 * α = A (1 − u) and γ = 2 A u. The sine reaches both edges of u with a flat slope, so an optimum there is found.
 */
function toParameters(point: Float64Array, { leverage, distribution }: GarchModel): GarchParameters {
  const persistence = PERSISTENCE_MAX * logistic(point[2]!);
  const news = persistence * logistic(point[3]!);
  const asymmetry = leverage ? Math.sin(point[4]!) : 0;
  return {
    mu: point[0]!,
    omega: Math.exp(point[1]!) * (1 - persistence),
    alpha: news * (1 - asymmetry),
    gamma: 2 * news * asymmetry,
    beta: persistence - news,
    nu: distribution === 'student_t' ? NU_MIN + Math.exp(point[leverage ? 5 : 4]!) : null,
  };
}

function toPoint(parameters: GarchParameters, { leverage, distribution }: GarchModel): Float64Array {
  const { mu, omega, alpha, gamma, beta, nu } = parameters;
  const persistence = Math.min(garchPersistence(parameters), 0.9999 * PERSISTENCE_MAX);
  const news = Math.max(alpha + gamma / 2, 1e-4);
  const share = Math.min(Math.max(news / (news + beta), 1e-4), 1 - 1e-4);
  const point = [mu, Math.log(omega / (1 - persistence)), logit(persistence / PERSISTENCE_MAX), logit(share)];
  if (leverage) point.push(Math.asin(Math.max(-0.99, Math.min(0.99, gamma / (2 * news)))));
  if (distribution === 'student_t') point.push(Math.log(Math.max((nu ?? 8) - NU_MIN, 1e-3)));
  return Float64Array.from(point);
}

/** Slopes by the parameters turned into slopes by the point. */
function chainRule(
  point: Float64Array,
  { leverage, distribution }: GarchModel,
  at: GarchParameters,
  by: Float64Array,
  gradient: Float64Array,
): void {
  const persistence = garchPersistence(at);
  const level = Math.exp(point[1]!);
  const share = logistic(point[3]!);
  const news = persistence * share;
  const asymmetry = leverage ? Math.sin(point[4]!) : 0;
  const byNews = by[ALPHA]! * (1 - asymmetry) + 2 * by[GAMMA]! * asymmetry - by[BETA]!;
  const byPersistence = -level * by[OMEGA]! + by[BETA]! + byNews * share;
  gradient[0] = by[MU]!;
  gradient[1] = by[OMEGA]! * at.omega;
  gradient[2] = byPersistence * persistence * (1 - persistence / PERSISTENCE_MAX);
  gradient[3] = byNews * news * (1 - share);
  if (leverage) gradient[4] = (2 * by[GAMMA]! - by[ALPHA]!) * news * Math.cos(point[4]!);
  if (distribution === 'student_t') gradient[leverage ? 5 : 4] = by[NU]! * (at.nu! - NU_MIN);
}

function fixedStarts(returns: Float64Array, model: GarchModel): Float64Array[] {
  const level = sampleVariance(returns);
  const mu = mean(returns);
  return [
    [0.05, 0.98],
    [0.1, 0.97],
    [0.1, 0.9],
    [0.2, 0.8],
  ].map(([news, persistence]) => {
    const gamma = model.leverage ? news : 0;
    const parameters = {
      mu,
      omega: level * (1 - persistence!),
      alpha: news! - gamma! / 2,
      gamma: gamma!,
      beta: persistence! - news!,
      nu: model.distribution === 'student_t' ? 8 : null,
    };
    return toPoint(parameters, model);
  });
}

function rescale(parameters: GarchParameters, scale: number): GarchParameters {
  return { ...parameters, mu: parameters.mu * scale, omega: parameters.omega * scale * scale };
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function logit(p: number): number {
  return Math.log(p / (1 - p));
}
