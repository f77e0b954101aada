import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { findFactory } from './catalogue.ts';
import { type BarColumns, runIndicator } from './indicator.ts';

const FOLDER = join(process.env.TOUCHSTONE_DATA ?? join(import.meta.dirname, '../../../../../shared/data'), 'golden');
const skip = existsSync(join(FOLDER, 'ta_skender_dev.json.gz')) ? false : `no golden files in ${FOLDER}`;

type Case = {
  /** Name of the indicator in the file, and of its column. */
  theirs: [string, string];
  ours: [string, Record<string, number>, number];
  /** Relative to the value or, near 0, to a thousandth of the column's largest. */
  tolerance: number;
  /** Row from which the values agree: later than the warm-up where the other library starts in another way. */
  from?: number;
  /** Added to ours: another start of a running sum. */
  offset?: (bars: BarColumns) => number;
  /** Rows by which theirs stands later. */
  lag?: number;
  /** What differs, when something does. */
  because?: string;
};

/**
 * DaveSkender/Stock.Indicators at d5c66604, on its own 502 bars.
 *
 * Left out because the definition is another one: MAMA and the Hilbert trend line (middle of the bar instead of the close),
 * BOP (smoothed over 14 bars), DPO (drawn back into the past, so it looks ahead), STC (other smoothing).
 */
const SKENDER: readonly Case[] = [
  skender('sma.sma', 'sma', { period: 20 }),
  skender('ema.ema', 'ema', { period: 20 }),
  skender('smma.smma', 'rma', { period: 20 }),
  skender('wma.wma', 'wma', { period: 14 }),
  skender('hma.hma', 'hma', { period: 14 }),
  skender('vwma.vwma', 'vwma', { period: 14 }),
  skender('alma.alma', 'alma', {}),
  { ...skender('t3.t3', 't3', {}), from: 120, because: 'starts each stage with the first close' },
  { ...skender('dema.dema', 'dema', { period: 14 }), from: 260, because: 'starts the second stage earlier' },
  { ...skender('tema.tema', 'tema', { period: 20 }), from: 380, because: 'starts the later stages earlier' },
  skender('dynamic.dynamic', 'mcginley', { period: 14 }),
  skender('bb.upperBand', 'bbands', {}),
  skender('bb.lowerBand', 'bbands', {}, 2),
  skender('bb.percentB', 'bollinger_place', {}),
  skender('bb.width', 'bollinger_place', {}, 1),
  skender('bb.zScore', 'zscore', {}),
  { ...skender('donchian.upperBand', 'donchian', {}), lag: 1, because: 'leaves this bar out of the channel' },
  skender('chexit.chandelierExit', 'chandelier', {}),
  skender('tr.tr', 'trange', {}),
  skender('atr.atr', 'atr', {}),
  skender('atr.atrp', 'atr', {}, 1),
  skender('rsi.rsi', 'rsi', {}),
  { ...skender('macd.macd', 'macd', {}), from: 320, because: 'starts the fast average with its own first 12 closes' },
  { ...skender('macd.signal', 'macd', {}, 1), from: 320, because: 'as macd.macd' },
  skender('awesome.oscillator', 'ao', {}),
  skender('elder-ray.bullPower', 'elder_ray', {}),
  skender('elder-ray.bearPower', 'elder_ray', {}, 1),
  { ...skender('fisher.fisher', 'fisher', {}), from: 80, because: 'starts with windows that are not full' },
  skender('crsi.connorsRsi', 'connors_rsi', {}),
  skender('pmo.pmo', 'pmo', {}),
  skender('pmo.signal', 'pmo', {}, 1),
  skender('roc.roc', 'roc', { period: 14 }),
  skender('stdev.stdDev', 'stddev', { period: 14 }),
  skender('stoch.k', 'stoch', { period: 14 }),
  skender('stoch.d', 'stoch', { period: 14 }, 1),
  { ...skender('trix.trix', 'trix', { period: 14 }), from: 320, because: 'starts the later stages earlier' },
  skender('uo.ultimate', 'ultosc', {}),
  skender('willr.williamsR', 'willr', {}),
  skender('adl.adl', 'ad', {}),
  {
    ...skender('chaikin-osc.oscillator', 'adosc', {}),
    from: 160,
    because: 'starts both averages with means, not with the first value',
  },
  skender('cmf.cmf', 'cmf', {}),
  skender('force.forceIndex', 'force', { period: 2 }),
  skender('kvo.oscillator', 'klinger', {}),
  skender('kvo.signal', 'klinger', {}, 1),
  {
    ...skender('obv.obv', 'obv', {}),
    offset: ({ volume }) => -volume[0]!,
    because: 'starts with 0 instead of the first volume',
  },
  skender('heikinashi.close', 'heikin_ashi', {}, 3),
  skender('heikinashi.open', 'heikin_ashi', {}),
  skender('epma.epma', 'linearreg', { period: 10 }),
  skender('slope.slope', 'linearreg', { period: 14 }, 3),
];

function skender(theirs: string, name: string, values: Record<string, number>, output = 0): Case {
  const [indicator, column] = theirs.split('.') as [string, string];
  return { theirs: [indicator, column], ours: [name, values, output], tolerance: 1e-9 };
}

/**
 * QuantConnect/Lean at 24863901: its test files, each with bars of its own, rounded to the digits the tolerance tells.
 *
 * Left out because the definition is another one, not the digits: ALMA (weights the other way round), MAMA (middle of the
 * bar instead of the close), McGinley (without the factor 0.6), RMA (starts elsewhere and is rounded), Connors RSI (other ranks), Fisher (other cap).
 */
const LEAN: readonly Case[] = [
  lean('spy_acceleration_bands_20_4.txt', 'UpperBand', 'accbands', {}),
  lean('spy_ad.txt', 'AD', 'ad', {}),
  { ...lean('spy_ad_osc.txt', 'AdOsc_3_10', 'adosc', {}), from: 80, because: 'starts both averages with means' },
  lean('spy_adr.csv', 'adr', 'adr', { period: 20 }),
  lean('spy_ao.txt', 'AO', 'ao', {}),
  lean('spy_apo.txt', 'APO_5_10', 'apo', { fast: 5, slow: 10, kind: 0 }),
  lean('spy_aroon_oscillator.txt', 'Aroon Oscillator 14', 'aroon', {}, 2),
  {
    ...lean('spy_atr_wilder.txt', 'Average True Range 14', 'atr', {}),
    from: 150,
    because: 'its first true range is high less low of the first bar',
  },
  lean('spy_bollinger_bands.txt', 'Bollinger Bands® 20 2 Bottom', 'bbands', {}, 2),
  lean('spy_bop.txt', 'BOP', 'bop', {}),
  { ...lean('spy_cmf.txt', 'CMF_20', 'cmf', {}), tolerance: 1e-4 },
  lean('spy_cmo.txt', 'CMO_5', 'cmo', { period: 5 }),
  lean('spy_coppock_curve.csv', 'CoppockCurve', 'coppock', {}),
  lean('spy_dema.txt', 'DEMA_5', 'dema', { period: 5 }),
  lean('spy_dpo.csv', 'DPO', 'dpo', { period: 21 }),
  lean('spy_ema.csv', 'EMA14', 'ema', { period: 14 }),
  lean('spy_hma.txt', 'HMA_16', 'hma', { period: 16 }),
  lean('spy_ker.txt', 'KER', 'efficiency', { period: 10 }),
  lean('spy_mass_index_25.txt', 'MassIndex', 'mass', {}),
  lean('spy_midpoint.txt', 'MIDPOINT_5', 'midpoint', { period: 5 }),
  lean('spy_midprice.txt', 'MIDPRICE_5', 'midprice', { period: 5 }),
  lean('spy_natr.txt', 'NATR_5', 'atr', { period: 5 }, 1),
  lean('spy_ppo.txt', 'PPO_5_10', 'ppo', { fast: 5, slow: 10, kind: 0 }),
  lean('spy_rocr.txt', 'ROCR_5', 'rocr', { period: 5 }),
  lean('spy_rvi.txt', 'RVI', 'vigor', {}),
  lean('spy_sarext.txt', 'SAREXT', 'sarext', {}),
  lean('spy_sarext.txt', 'SAR', 'sar', {}),
  lean('spy_t3.txt', 'T3_5', 't3', {}),
  lean('spy_tema.txt', 'TEMA_5', 'tema', { period: 5 }),
  lean('spy_tr.txt', 'TR', 'trange', {}),
  lean('spy_trima.txt', 'TRIMA_5', 'trima', { period: 5 }),
  lean('spy_trima.txt', 'TRIMA_6', 'trima', { period: 6 }),
  lean('spy_tsf.csv', 'tsf', 'linearreg', { period: 5 }, 4),
  lean('spy_tsi.csv', 'TSI_25_13', 'tsi', {}),
  lean('spy_var.txt', 'Var', 'stddev', { period: 10 }, 1),
  lean('spy_with_ForceIndex.csv', 'ForceIndex20', 'force', { period: 20 }),
  {
    ...lean('spy_with_cci.txt', 'Commodity Channel Index (CCI) 14', 'cci', {}),
    tolerance: 5e-3,
    because: 'digits near 0',
  },
  lean('spy_with_chop.csv', 'CHOP14', 'choppiness', {}),
  lean('spy_with_don50.txt', 'Donchian Channels 50 Mean', 'donchian', { period: 50 }, 1),
  lean('spy_with_ichimoku.csv', 'Tenkan', 'ichimoku', {}),
  lean('spy_with_indicators.txt', 'SMA14', 'sma', { period: 14 }),
  lean('spy_with_indicators.txt', 'EMA14', 'ema', { period: 14 }),
  lean('spy_with_indicators.txt', 'RSI 14 Wilder', 'rsi', {}),
  {
    ...lean('spy_with_kvo.csv', 'KVO5_10', 'klinger', { fast: 5, slow: 10 }),
    from: 120,
    because: 'starts its averages earlier',
  },
  { ...lean('spy_with_macd.txt', 'MACD', 'macd', {}), tolerance: 1e-4 },
  { ...lean('spy_with_obv.txt', 'OBV ', 'obv', {}), tolerance: 1e-4 },
  { ...lean('spy_with_rocp50.txt', 'Rate of Change % 50', 'roc', { period: 50 }), tolerance: 1e-3 },
  lean('spy_with_rsv.csv', 'RSV9', 'rogers_satchell', { period: 9 }),
  lean('spy_with_stoch12k3.txt', '%D 5', 'stoch', { period: 12, slowing: 3, signal: 5 }, 1),
  lean('spy_with_vwma.csv', 'VWMA20', 'vwma', {}),
  { ...lean('spy_with_williamsR14.txt', 'Williams %R 14', 'willr', {}), tolerance: 1e-3 },
  lean('spy_with_zlema.csv', 'ZLEMA5', 'zlema', { period: 5 }),
];

function lean(file: string, column: string, name: string, values: Record<string, number>, output = 0): Case {
  return { theirs: [file, column], ours: [name, values, output], tolerance: 1e-5 };
}

type SkenderFile = { indicators: Record<string, { columns: Record<string, (number | null)[]> }> };

function readBars(path: string): BarColumns {
  const rows = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').map(Number));
  const column = (k: number) => Float64Array.from(rows, (row) => row[k]!);
  return { open: column(1), high: column(2), low: column(3), close: column(4), volume: column(5) };
}

/** Deviations of one case: the worst from `from` on, and the first row both have. */
function deviate(one: Case, expected: readonly (number | null)[], bars: BarColumns) {
  const [name, values, output] = one.ours;
  const indicator = findFactory(name)!.make(values);
  const offset = one.offset?.(bars) ?? 0;
  const column = runIndicator(indicator, bars)[output]!.map((value) => value + offset);
  const scale = Math.max(...expected.map((value) => Math.abs(value ?? 0)));
  let worst = 0;
  let at = -1;
  let compared = 0;
  const lag = one.lag ?? 0;
  for (let i = Math.max(indicator.warmUp, one.from ?? 0); i + lag < column.length; i++) {
    const value = expected[i + lag];
    if (value === null || value === undefined || Number.isNaN(value)) continue;
    compared++;
    const deviation = Math.abs(column[i]! - value) / Math.max(Math.abs(value), 1e-3 * scale);
    if (!(deviation <= worst)) {
      worst = deviation;
      at = i;
    }
  }
  return { worst, at, compared, ours: column[at], theirs: expected[at] };
}

function assertAgrees(one: Case, expected: readonly (number | null)[], bars: BarColumns): void {
  const found = deviate(one, expected, bars);
  const label = `${one.theirs.join('.')} and ${one.ours[0]}`;
  if (process.env.SHOW_PARITY) console.log(label.padEnd(60), found.worst.toExponential(1), `${found.compared} values`);
  assert.ok(found.compared >= 50, `${label}: only ${found.compared} values`);
  assert.ok(found.worst <= one.tolerance, `${label}: row ${found.at} is ${found.ours}, not ${found.theirs}`);
}

test('agrees with the golden values of Skender, or differs by the convention that is named', { skip }, () => {
  const file: SkenderFile = JSON.parse(gunzipSync(readFileSync(join(FOLDER, 'ta_skender_dev.json.gz'))).toString());
  const bars = readBars(join(FOLDER, 'ta_skender_quotes_default.csv'));
  for (const one of SKENDER) {
    const expected = file.indicators[one.theirs[0]]!.columns[one.theirs[1]];
    assert.ok(expected, one.theirs.join('.'));
    assertAgrees(one, expected, bars);
  }
});

test('agrees with the golden files of Lean to the digits they have', { skip }, () => {
  const files = readTar(gunzipSync(readFileSync(join(FOLDER, 'ta_lean_dev.tar.gz'))));
  for (const one of LEAN) {
    const text = files.get(`ta_lean/${one.theirs[0]}`);
    assert.ok(text, one.theirs[0]);
    const table = readTable(text);
    const column = (name: string) => Float64Array.from(table.get(name) ?? [], (value) => value ?? Number.NaN);
    const close = column('close');
    const orClose = (name: string) => (table.has(name) ? column(name) : close);
    const bars = {
      open: orClose('open'),
      high: orClose('high'),
      low: orClose('low'),
      close,
      volume: orClose('volume'),
    };
    const expected = table.get(one.theirs[1].toLowerCase().trim());
    assert.ok(expected, one.theirs.join('.'));
    assertAgrees(one, expected, bars);
  }
});

/** Names (lower case) and values of a table with commas; null for what is no number. */
function readTable(text: string): Map<string, (number | null)[]> {
  const [header, ...lines] = text.replaceAll('\r', '').trim().split('\n');
  const names = header!.split(',').map((name) => name.replaceAll('"', '').trim().toLowerCase());
  const rows = lines.map((line) => line.split(','));
  return new Map(
    names.map((name, k) => [
      name,
      rows.map((row) => {
        const value = Number(row[k]?.trim() || 'none');
        return Number.isNaN(value) ? null : value;
      }),
    ]),
  );
}

/** Files of an archive: each has a header of 512 bytes with name and octal size, and is padded to 512. */
function readTar(archive: Buffer): Map<string, string> {
  const files = new Map<string, string>();
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const name = archive.toString('latin1', at, at + 100).replace(/\0.*$/, '');
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 136), 8);
    files.set(name, archive.toString('utf8', at + 512, at + 512 + size));
    at += 512 + 512 * Math.ceil(size / 512);
  }
  return files;
}
