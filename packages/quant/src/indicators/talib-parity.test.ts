import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findFactory } from './catalogue.ts';
import { runIndicator } from './indicator.ts';

type Golden = {
  versions: Record<string, string>;
  bars: Record<'open' | 'high' | 'low' | 'close' | 'volume', number[]>;
  functions: {
    name: string;
    parameters: Record<string, number>;
    lookback: number;
    outputs: Record<string, Record<string, number | null>>;
  }[];
};

const golden: Golden = JSON.parse(readFileSync(join(import.meta.dirname, '../../golden/talib-golden.json'), 'utf8'));
const bars = {
  open: Float64Array.from(golden.bars.open),
  high: Float64Array.from(golden.bars.high),
  low: Float64Array.from(golden.bars.low),
  close: Float64Array.from(golden.bars.close),
  volume: Float64Array.from(golden.bars.volume),
};

/** Factory, its outputs in the order of TA-Lib's, and our name for each of TA-Lib's parameters where it differs. */
type Twin = { factory: string; outputs: number[]; parameters?: Record<string, string> };

const PERIOD = { timeperiod: 'period' };
const one = (factory: string, outputs = [0], parameters: Record<string, string> = PERIOD): Twin => ({
  factory,
  outputs,
  parameters,
});
const MACD = { fastperiod: 'fast', slowperiod: 'slow', signalperiod: 'signal' };
const KINDS = { fastmatype: 'fastKind', slowmatype: 'slowKind', signalmatype: 'signalKind' };
const PAIR = { fastperiod: 'fast', slowperiod: 'slow', matype: 'kind' };

const TWINS: Record<string, Twin> = {
  SMA: one('sma'),
  EMA: one('ema'),
  RMA: one('rma'),
  DEMA: one('dema'),
  TEMA: one('tema'),
  T3: one('t3', [0], { ...PERIOD, vfactor: 'volumeFactor' }),
  WMA: one('wma'),
  TRIMA: one('trima'),
  KAMA: one('kama'),
  MAMA: one('mama', [0, 1], { fastlimit: 'fastLimit', slowlimit: 'slowLimit' }),
  MIDPOINT: one('midpoint'),
  MIDPRICE: one('midprice'),
  BBANDS: one('bbands', [0, 1, 2], { ...PERIOD, nbdevup: 'up', nbdevdn: 'down' }),
  ACCBANDS: one('accbands', [0, 1, 2]),
  SAR: one('sar', [0], { acceleration: 'acceleration', maximum: 'maximum' }),
  SAREXT: one('sarext', [0], {
    startvalue: 'startValue',
    offsetonreverse: 'offsetOnReverse',
    accelerationinitlong: 'startLong',
    accelerationlong: 'stepLong',
    accelerationmaxlong: 'maxLong',
    accelerationinitshort: 'startShort',
    accelerationshort: 'stepShort',
    accelerationmaxshort: 'maxShort',
  }),
  HMA: one('hma'),
  VWMA: one('vwma'),
  ZLEMA: one('zlema'),
  KC: one('keltner', [0, 1, 2], { ...PERIOD, atrperiod: 'rangePeriod', nbdev: 'multiple' }),
  DONCHIAN: one('donchian', [0, 1, 2]),
  SUPERTREND: one('supertrend', [0, 1], { ...PERIOD, multiplier: 'multiple' }),
  HT_TRENDLINE: one('ht_cycle', [4]),
  PLUS_DM: one('dm', [0]),
  MINUS_DM: one('dm', [1]),
  PLUS_DI: one('di', [0]),
  MINUS_DI: one('di', [1]),
  DX: one('di', [2]),
  ADX: one('adx'),
  ADXR: one('adxr'),
  AROON: one('aroon', [0, 1]),
  AROONOSC: one('aroon', [2]),
  VORTEX: one('vortex', [0, 1]),
  MOM: one('mom'),
  ROC: one('roc'),
  ROCP: one('rocp'),
  ROCR: one('rocr'),
  ROCR100: one('rocr100'),
  BOP: one('bop'),
  RSI: one('rsi'),
  CMO: one('cmo'),
  CMOU: one('cmou'),
  IMI: one('imi'),
  CCI: one('cci'),
  MACD: one('macd', [0, 1, 2], MACD),
  MACDFIX: one('macdfix', [0, 1, 2], { signalperiod: 'signal' }),
  MACDEXT: one('macdext', [0, 1, 2], { ...MACD, ...KINDS }),
  APO: one('apo', [0], PAIR),
  PPO: one('ppo', [0], PAIR),
  PVO: one('pvo', [0], PAIR),
  MFI: one('mfi'),
  STOCH: one('stoch', [0, 1], { fastk_period: 'period', slowk_period: 'slowing', slowd_period: 'signal' }),
  STOCHF: one('stochf', [0, 1], { fastk_period: 'period', fastd_period: 'signal' }),
  STOCHRSI: one('stochrsi', [0, 1], { ...PERIOD, fastk_period: 'window', fastd_period: 'signal' }),
  TRIX: one('trix'),
  ULTOSC: one('ultosc', [0], { timeperiod1: 'short', timeperiod2: 'middle', timeperiod3: 'long' }),
  WILLR: one('willr'),
  AO: one('ao', [0], { fastperiod: 'fast', slowperiod: 'slow' }),
  ERI: one('elder_ray', [0, 1]),
  TSI: one('tsi', [0], { firstperiod: 'first', secondperiod: 'second' }),
  COPPOCK: one('coppock', [0], { wmaperiod: 'window', roc1period: 'short', roc2period: 'long' }),
  DPO: one('dpo'),
  ER: one('efficiency'),
  VHF: one('vhf'),
  QSTICK: one('qstick'),
  TRANGE: one('trange'),
  ATR: one('atr', [0]),
  NATR: one('atr', [1]),
  ADR: one('adr'),
  CVI: one('chaikin_volatility', [0], { ...PERIOD, rocperiod: 'lag' }),
  MASSI: one('mass', [0], { fastperiod: 'period', slowperiod: 'window' }),
  RVI: one('relative_volatility', [0], { ...PERIOD, stddevperiod: 'window' }),
  AD: one('ad'),
  ADOSC: one('adosc', [0], { fastperiod: 'fast', slowperiod: 'slow' }),
  OBV: one('obv'),
  PVT: one('pvt'),
  NVI: one('volume_index', [0]),
  PVI: one('volume_index', [1]),
  CMF: one('cmf'),
  EFI: one('force'),
  RVOL: one('relative_volume'),
  MARKETFI: one('market_facilitation'),
  AVGPRICE: one('avgprice'),
  MEDPRICE: one('medprice'),
  TYPPRICE: one('typprice'),
  WCLPRICE: one('wclprice'),
  HA: one('heikin_ashi', [0, 1, 2, 3]),
  HT_DCPERIOD: one('ht', [0]),
  HT_PHASOR: one('ht', [1, 2]),
  HT_DCPHASE: one('ht_cycle', [0]),
  HT_SINE: one('ht_cycle', [1, 2]),
  HT_TRENDMODE: one('ht_cycle', [3]),
  STDDEV: one('stddev', [0], { ...PERIOD, nbdev: 'deviations' }),
  VAR: one('stddev', [1], PERIOD),
  LINEARREG: one('linearreg', [0]),
  LINEARREG_ANGLE: one('linearreg', [1]),
  LINEARREG_INTERCEPT: one('linearreg', [2]),
  LINEARREG_SLOPE: one('linearreg', [3]),
  TSF: one('linearreg', [4]),
  CORREL: one('correl'),
  BETA: one('beta'),
  AVGDEV: one('avgdev'),
};

/** Largest deviation, relative to the value or, near 0, to a thousandth of the column's largest. */
function compare(call: Golden['functions'][number]): { worst: number; tolerance: number; where: string } {
  const twin = TWINS[call.name];
  assert.ok(twin, `${call.name} has no twin`);
  const factory = findFactory(twin.factory);
  assert.ok(factory, twin.factory);
  const parameters: Record<string, number> = {};
  for (const [name, value] of Object.entries(call.parameters)) {
    const ours = twin.parameters?.[name];
    if (ours && ours in factory.parameters) parameters[ours] = value;
  }
  const indicator = factory.make(parameters);
  const columns = runIndicator(indicator, bars);
  assert.equal(indicator.warmUp, call.lookback, `${call.name}: warm-up`);
  let worst = 0;
  let where = '';
  Object.values(call.outputs).forEach((values, k) => {
    const column = columns[twin.outputs[k]!]!;
    assert.ok(
      column.subarray(0, indicator.warmUp).every((value) => Number.isNaN(value)),
      `${call.name} has values while warming up`,
    );
    const scale = Math.max(...Object.values(values).map((value) => Math.abs(value ?? 0)));
    for (const [row, value] of Object.entries(values)) {
      const own = column[Number(row)]!;
      const deviation =
        value === null
          ? Number.isNaN(own)
            ? 0
            : 1
          : Math.abs(own - value) / Math.max(Math.abs(value), 1e-3 * scale, 1e-300);
      if (deviation > worst || Number.isNaN(deviation)) {
        worst = Number.isNaN(deviation) ? Number.POSITIVE_INFINITY : deviation;
        where = `row ${row} of output ${k}: ${own} instead of ${value}`;
      }
    }
  });
  return { worst, tolerance: indicator.reference.tolerance, where };
}

test('every function shared with TA-Lib has its warm-up and its values', () => {
  for (const call of golden.functions) {
    const { worst, tolerance, where } = compare(call);
    if (process.env.SHOW_PARITY) console.log(call.name.padEnd(20), worst.toExponential(1), where);
    assert.ok(worst <= tolerance, `${call.name} ${JSON.stringify(call.parameters)}: ${worst} at ${where}`);
  }
});
