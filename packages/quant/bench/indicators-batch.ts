import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ALL_INDICATORS, findFactory, STANDARD_INDICATORS } from '../src/indicators/catalogue.ts';
import { type BarColumns, type Indicator, runIndicators } from '../src/indicators/indicator.ts';
import { randomBars } from '../src/indicators/warm-up.ts';
import { createRandom } from '../src/random/random.ts';
import type { BenchResult } from './index-kernel.ts';

const BARS = 2520;
const FEATURES = 150;
const GOAL_MS = 6;
const RUNS = 60;
/** The first runs compile. */
const WARM_RUNS = 30;

/** The first 150 columns of the default set with no factory left out before another has its second parameters. */
export function benchIndicators(): Indicator[] {
  const chosen: Indicator[] = [];
  let count = 0;
  for (const indicator of STANDARD_INDICATORS) {
    if (count >= FEATURES) break;
    chosen.push(indicator);
    count += indicator.outputs.length;
  }
  return chosen;
}

/** Factory with parameters, and TA-Lib's functions it stands for. */
const SHARED: readonly [string, Record<string, number>, string[]][] = [
  ['sma', {}, ['SMA']],
  ['ema', {}, ['EMA']],
  ['dema', {}, ['DEMA']],
  ['tema', {}, ['TEMA']],
  ['t3', {}, ['T3']],
  ['wma', {}, ['WMA']],
  ['trima', {}, ['TRIMA']],
  ['kama', {}, ['KAMA']],
  ['mama', {}, ['MAMA']],
  ['midpoint', {}, ['MIDPOINT']],
  ['midprice', {}, ['MIDPRICE']],
  ['bbands', {}, ['BBANDS']],
  ['accbands', {}, ['ACCBANDS']],
  ['sar', {}, ['SAR']],
  ['sarext', {}, ['SAREXT']],
  ['dm', {}, ['PLUS_DM', 'MINUS_DM']],
  ['di', {}, ['PLUS_DI', 'MINUS_DI', 'DX']],
  ['adx', {}, ['ADX']],
  ['adxr', {}, ['ADXR']],
  ['aroon', {}, ['AROON', 'AROONOSC']],
  ['mom', {}, ['MOM']],
  ['roc', {}, ['ROC']],
  ['rocp', {}, ['ROCP']],
  ['rocr', {}, ['ROCR']],
  ['rocr100', {}, ['ROCR100']],
  ['bop', {}, ['BOP']],
  ['rsi', {}, ['RSI']],
  ['cmo', {}, ['CMO']],
  ['imi', {}, ['IMI']],
  ['cci', {}, ['CCI']],
  ['macd', {}, ['MACD']],
  ['macdfix', {}, ['MACDFIX']],
  ['macdext', {}, ['MACDEXT']],
  ['apo', {}, ['APO']],
  ['ppo', {}, ['PPO']],
  ['mfi', {}, ['MFI']],
  ['stoch', {}, ['STOCH']],
  ['stochf', {}, ['STOCHF']],
  ['stochrsi', {}, ['STOCHRSI']],
  ['trix', {}, ['TRIX']],
  ['ultosc', {}, ['ULTOSC']],
  ['willr', {}, ['WILLR']],
  ['trange', {}, ['TRANGE']],
  ['atr', {}, ['ATR', 'NATR']],
  ['ad', {}, ['AD']],
  ['adosc', {}, ['ADOSC']],
  ['obv', {}, ['OBV']],
  ['avgprice', {}, ['AVGPRICE']],
  ['medprice', {}, ['MEDPRICE']],
  ['typprice', {}, ['TYPPRICE']],
  ['wclprice', {}, ['WCLPRICE']],
  ['ht', {}, ['HT_DCPERIOD', 'HT_PHASOR']],
  ['ht_cycle', {}, ['HT_DCPHASE', 'HT_SINE', 'HT_TRENDMODE', 'HT_TRENDLINE']],
  ['stddev', {}, ['STDDEV', 'VAR']],
  ['linearreg', {}, ['LINEARREG', 'LINEARREG_ANGLE', 'LINEARREG_INTERCEPT', 'LINEARREG_SLOPE', 'TSF']],
  ['correl', {}, ['CORREL']],
  ['beta', {}, ['BETA']],
  ['avgdev', {}, ['AVGDEV']],
];

/** The columns of the pandas peer, or more where an indicator gives several. */
const PANDAS: readonly [string, Record<string, number>][] = [
  ['sma', {}],
  ['ema', {}],
  ['rocp', {}],
  ['mom', { period: 1 }],
  ['bbands', {}],
  ['macd', {}],
  ['rsi', {}],
  ['atr', {}],
  ['stochf', { period: 14 }],
  ['willr', {}],
  ['cci', {}],
  ['donchian', {}],
  ['ad', {}],
  ['cmf', {}],
  ['obv', {}],
  ['realized_volatility', {}],
  ['drawdown', {}],
];

type PeerTimes = {
  talib: { name: string; seconds: Record<string, number> };
  pandas: { name: string; seconds: number };
};

/** @public */
export function run(): BenchResult[] {
  const bars = randomBars(createRandom('indicators-batch'), BARS);
  const median = (indicators: readonly Indicator[]): number => {
    const out = runIndicators(indicators, bars);
    const seconds: number[] = [];
    for (let k = 0; k < WARM_RUNS + RUNS; k++) {
      const start = performance.now();
      runIndicators(indicators, bars, out);
      if (k >= WARM_RUNS) seconds.push((performance.now() - start) / 1000);
    }
    return medianOf(seconds);
  };
  const features = benchIndicators();
  const milliseconds = 1000 * median(features);
  const all = 1000 * median(ALL_INDICATORS);
  const input = `${BARS} random bars, median of ${RUNS} runs, one thread`;
  const results: BenchResult[] = [
    {
      name: 'indicators-batch',
      figure: milliseconds,
      unit: 'ms',
      peer: null,
      peerFigure: null,
      ratio: null,
      goal: `<= ${GOAL_MS} ms`,
      met: milliseconds <= GOAL_MS,
      input: `${countOutputs(features)} features of ${features.length} indicators; ${input}; all ${countOutputs(ALL_INDICATORS)} features take ${all.toFixed(1)} ms`,
    },
  ];
  const peer = runPeer();
  if (!peer) return results;
  const own = SHARED.map(([name, values, functions]) => {
    const indicator = findFactory(name)!.make(values);
    const theirs = functions.reduce((sum, name) => sum + peer.talib.seconds[name]!, 0);
    return { name, ours: medianAdvance(indicator, bars), theirs };
  });
  // Added up as the peer's are, so that a busy moment of the machine weighs the same on both sides.
  const ours = own.reduce((sum, one) => sum + one.ours, 0);
  const theirs = own.reduce((sum, one) => sum + one.theirs, 0);
  const slow = own
    .filter((one) => one.ours > 2 * one.theirs)
    .map((one) => `${one.name} ${(one.theirs / one.ours).toFixed(2)}x`);
  const functionCount = SHARED.reduce((sum, [, , functions]) => sum + functions.length, 0);
  results.push({
    name: 'indicators-batch-talib',
    figure: 1000 * ours,
    unit: 'ms',
    peer: peer.talib.name,
    peerFigure: 1000 * theirs,
    ratio: ours / theirs,
    goal: '>= 0.5x TA-Lib',
    met: theirs / ours >= 0.5,
    input: `${functionCount} functions both have, each by itself and added up; ${input}; slower than half alone: ${slow.join(', ') || 'none'}`,
  });
  const columns = median(PANDAS.map(([name, values]) => findFactory(name)!.make(values)));
  results.push({
    name: 'indicators-batch-pandas',
    figure: 1000 * columns,
    unit: 'ms',
    peer: peer.pandas.name,
    peerFigure: 1000 * peer.pandas.seconds,
    ratio: columns / peer.pandas.seconds,
    goal: '>= 30x pandas',
    met: peer.pandas.seconds / columns >= 30,
    input: `20 columns as people write them with rolling and ewm; ${input}`,
  });
  return results;
}

/** Time of the kernel alone, several runs at once because the shortest take two microseconds. */
function medianAdvance(indicator: Indicator, bars: BarColumns): number {
  const out = indicator.outputs.map(() => new Float64Array(BARS));
  const seconds: number[] = [];
  for (let k = 0; k < WARM_RUNS + RUNS; k++) {
    const start = performance.now();
    for (let j = 0; j < 10; j++) indicator.advance(bars, 0, BARS, new Float64Array(indicator.stateSize), out);
    if (k >= WARM_RUNS) seconds.push((performance.now() - start) / 10_000);
  }
  return medianOf(seconds);
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function countOutputs(indicators: readonly Indicator[]): number {
  return indicators.reduce((sum, { outputs }) => sum + outputs.length, 0);
}

/** The same functions in Python on random bars of the same number; null where the peers are not installed. */
function runPeer(): PeerTimes | null {
  const python = join(import.meta.dirname, '../../../.peers/bin/python');
  if (!existsSync(python)) return null;
  const script = join(import.meta.dirname, 'indicators-batch-peer.py');
  const outcome = spawnSync(python, [script, String(BARS)], { encoding: 'utf8', timeout: 120_000 });
  if (outcome.status !== 0) return null;
  return JSON.parse(outcome.stdout);
}
