import { ALPHA158 } from './alpha158.ts';
import { CANDLE_INDICATORS } from './candles/index.ts';
import * as cycle from './cycle.ts';
import * as directional from './directional.ts';
import type { IndicatorFactory } from './factory.ts';
import type { Indicator } from './indicator.ts';
import * as momentum from './momentum.ts';
import * as overlap from './overlap.ts';
import * as price from './price.ts';
import * as risk from './risk.ts';
import * as statistic from './statistic.ts';
import * as volatility from './volatility.ts';
import * as volume from './volume.ts';

/** Every kind of indicator that takes parameters of a user's own, by family and then by the order of its file. */
export const INDICATOR_FACTORIES: readonly IndicatorFactory[] = [
  overlap.sma,
  overlap.ema,
  overlap.rma,
  overlap.dema,
  overlap.tema,
  overlap.t3,
  overlap.wma,
  overlap.trima,
  overlap.kama,
  cycle.mama,
  overlap.midpoint,
  overlap.midprice,
  overlap.bbands,
  overlap.accbands,
  overlap.sar,
  overlap.sarext,
  overlap.hma,
  overlap.vwma,
  overlap.zlema,
  overlap.alma,
  overlap.mcginley,
  overlap.keltner,
  overlap.donchian,
  overlap.ichimoku,
  overlap.supertrend,
  overlap.chandelier,
  directional.directionalMovement,
  directional.directionalIndicator,
  directional.adx,
  directional.adxr,
  directional.aroon,
  directional.vortex,
  momentum.mom,
  momentum.roc,
  momentum.rocp,
  momentum.rocr,
  momentum.rocr100,
  momentum.skipMomentum,
  momentum.bop,
  momentum.rsi,
  momentum.cmo,
  momentum.cmou,
  momentum.imi,
  momentum.cci,
  momentum.macd,
  momentum.macdfix,
  momentum.macdext,
  momentum.apo,
  momentum.ppo,
  momentum.mfi,
  momentum.stoch,
  momentum.stochf,
  momentum.stochrsi,
  momentum.trix,
  momentum.ultosc,
  momentum.willr,
  momentum.awesome,
  momentum.elderRay,
  momentum.tsi,
  momentum.kst,
  momentum.coppock,
  momentum.dpo,
  momentum.fisher,
  momentum.efficiency,
  momentum.vhf,
  momentum.qstick,
  momentum.schaff,
  momentum.connorsRsi,
  momentum.pmo,
  momentum.vigor,
  volatility.trange,
  volatility.atr,
  volatility.adr,
  volatility.chaikinVolatility,
  volatility.massIndex,
  volatility.choppiness,
  volatility.ulcer,
  volatility.relativeVolatility,
  volatility.bollingerPlace,
  volatility.realized,
  volatility.parkinson,
  volatility.garmanKlass,
  volatility.rogersSatchell,
  volatility.yangZhang,
  volatility.ewmaVolatility,
  volatility.downside,
  volatility.rangeWidth,
  volume.ad,
  volume.adosc,
  volume.obv,
  volume.pvt,
  volume.volumeIndices,
  momentum.pvo,
  volume.cmf,
  volume.forceIndex,
  volume.easeOfMovement,
  volume.klinger,
  volume.relativeVolume,
  volume.illiquidity,
  volume.marketFacilitation,
  price.avgprice,
  price.medprice,
  price.typprice,
  price.wclprice,
  price.heikinAshi,
  cycle.hilbertPeriod,
  cycle.hilbertCycle,
  statistic.stddev,
  statistic.linearreg,
  statistic.correl,
  statistic.correlVolume,
  statistic.beta,
  statistic.avgdev,
  statistic.returnMoments,
  statistic.zscore,
  statistic.autocorrelation,
  statistic.rangePlace,
  statistic.percentRank,
  risk.drawdown,
  risk.aboveLow,
  risk.maxDrawdown,
  risk.rollingSharpe,
];

/** Other periods people look at, besides each factory's own. */
const OTHER_PERIODS: readonly Indicator[] = [
  ...[10, 20, 50, 200].map((period) => overlap.sma.make({ period })),
  ...[10, 20, 50, 200].map((period) => overlap.ema.make({ period })),
  momentum.rsi.make({ period: 2 }),
  momentum.rsi.make({ period: 28 }),
  ...[1, 5, 21, 63, 126, 252].map((period) => momentum.rocp.make({ period })),
  overlap.donchian.make({ period: 55 }),
  volatility.atr.make({ period: 50 }),
  statistic.stddev.make({ period: 20 }),
  statistic.linearreg.make({ period: 63 }),
  statistic.zscore.make({ period: 60 }),
  ...[63, 252].map((period) => volatility.realized.make({ period })),
  volume.relativeVolume.make({ period: 63 }),
  risk.drawdown.make({ period: 63 }),
];

/** Indicators with fixed parameters from the families above, each factory with its initial ones first. */
export const STANDARD_INDICATORS: readonly Indicator[] = [
  ...INDICATOR_FACTORIES.map((factory) => factory.make()),
  ...OTHER_PERIODS,
];

/** The default set: standard indicators, the candlestick patterns, and Alpha158. All outputs have different names. */
export const ALL_INDICATORS: readonly Indicator[] = [...STANDARD_INDICATORS, ...CANDLE_INDICATORS, ...ALPHA158];

const byName = new Map<string, Indicator>();
for (const indicator of ALL_INDICATORS) {
  byName.set(indicator.name, indicator);
  for (const output of indicator.outputs) byName.set(output, indicator);
}

/** The indicator of the default set with this name, or the one that has an output of this name. */
export function findIndicator(name: string): Indicator | undefined {
  return byName.get(name);
}

/** The kind with this name, to be made with a user's own parameters. */
export function findFactory(name: string): IndicatorFactory | undefined {
  return INDICATOR_FACTORIES.find((factory) => factory.name === name);
}
