import type { BarColumns, Indicator } from './indicator.ts';

/**
 * The 158 features of Alpha158, the set of the qlib project (Yang et al. 2020, arXiv:2009.11189), grouped by window.
 *
 * Where it departs from there: a window must be full (qlib begins with one bar); the volume-weighted price, which daily bars
 * do not have, is the typical price (high + low + close) / 3; a denominator of exactly zero gives NaN, where qlib's 1e-12
 * gives zero or a huge number. With any other denominator the 1e-12 is added as there.
 *
 * Sliding sums are taken about the mean of a window and summed anew every `window` bars, so that rounding stays below 1e-9
 * of a value however long the series is.
 */

const WINDOWS = [5, 10, 20, 30, 60] as const;
const EPSILON = 1e-12;
/** A standard deviation up to this counts as none in correlations and R², as in qlib: 2e-5 of whatever the unit is. */
const SPREAD_MIN = 2e-5;
const QUANTILE_HIGH = 0.8;
const QUANTILE_LOW = 0.2;

const SHARED = {
  family: 'alpha158',
  memory: { kind: 'window' },
  unit: 'ratio',
  reference: { source: 'the operators of qlib, in pandas 3.1.1', tolerance: 1e-9 },
  note: 'Windows are full, vwap is (high + low + close) / 3, and a denominator of 0 gives NaN; in qlib they are not.',
} as const;

const BAR_OUTPUTS = [
  ...['kmid', 'klen', 'kmid_2', 'kup', 'kup_2', 'klow', 'klow_2', 'ksft', 'ksft_2'],
  ...['open_0', 'high_0', 'low_0', 'vwap_0'],
];
const PRICE_OUTPUTS = [
  ...['roc', 'ma', 'std', 'beta', 'rsqr', 'resi', 'max', 'min', 'qtlu', 'qtld', 'rank', 'rsv', 'imax', 'imin', 'imxd'],
  ...['cntp', 'cntn', 'cntd', 'sump', 'sumn', 'sumd'],
];
const VOLUME_OUTPUTS = ['corr', 'cord', 'vma', 'vstd', 'wvma', 'vsump', 'vsumn', 'vsumd'];

/** A flow: sum of the rises, sum of the falls, and how many of each. A sum over none is exactly 0 however it was slid. */
const UPS = 2;
const DOWNS = 3;
const FLOW_SIZE = 4;

/** A moment: anchor, sum and sum of squares about it. A pair: two of each, the sums first, and the sum of products. */
const MOMENT_SIZE = 3;
const PAIR_SIZE = 7;

/** State of a price group: sums of the closes about an anchor, moves up and down, places of extremes, a sorted window. */
const ANCHOR = 0;
const SUM = 1;
const SQUARES = 2;
const RAMP = 3;
const FLOW = 4;
const HIGHEST = FLOW + FLOW_SIZE;
const LOWEST = HIGHEST + 1;
const RUN = LOWEST + 1;
const SORTED = RUN + 1;
const PRICE_STATE = SORTED;

/** State of a volume group: two correlations, volume and weighted moves about anchors, flow of volume, and its logs. */
const CORR = 0;
const CORD = CORR + PAIR_SIZE;
const VOLUME = CORD + PAIR_SIZE;
const WEIGHTED = VOLUME + MOMENT_SIZE;
const VOLUME_FLOW = WEIGHTED + MOMENT_SIZE;
const CLOSE_RUN = VOLUME_FLOW + FLOW_SIZE;
const VOLUME_RUN = CLOSE_RUN + 1;
/** Bars of the window without a ratio of closes; without one or a ratio of volumes; with a weighted move that is not 0. */
const RATIO_HOLES = VOLUME_RUN + 1;
const PAIR_HOLES = RATIO_HOLES + 1;
const MOVED = PAIR_HOLES + 1;
const LOGS = MOVED + 1;
const VOLUME_STATE = LOGS;
/** Kept of each bar of the window: ln(volume + 1), ln of the growth of volume + 1, ratio of closes. */
const RING = 3;

/**
 * All 158, in eleven indicators: the shape of the bar (13), and for each of five windows what needs prices only (21) and
 * what needs volume too (8). Names are `alpha158_roc_20`; definitions stand with each group below.
 */
export const ALPHA158: readonly Indicator[] = [
  {
    ...SHARED,
    name: 'alpha158_bar',
    title: 'Alpha158: shape of the bar',
    inputs: ['open', 'high', 'low', 'close'],
    outputs: BAR_OUTPUTS.map((name) => `alpha158_${name}`),
    parameters: {},
    warmUp: 0,
    stateSize: 0,
    advance: advanceBar,
  },
  ...WINDOWS.flatMap((window): Indicator[] => [
    {
      ...SHARED,
      name: `alpha158_price_${window}`,
      title: `Alpha158: prices over ${window} bars`,
      inputs: ['high', 'low', 'close'],
      outputs: PRICE_OUTPUTS.map((name) => `alpha158_${name}_${window}`),
      parameters: { window },
      warmUp: window,
      stateSize: PRICE_STATE + window,
      advance: (bars, from, to, state, out) => advancePrice(window, bars, from, to, state, out),
    },
    {
      ...SHARED,
      name: `alpha158_volume_${window}`,
      title: `Alpha158: prices and volume over ${window} bars`,
      inputs: ['close', 'volume'],
      outputs: VOLUME_OUTPUTS.map((name) => `alpha158_${name}_${window}`),
      parameters: { window },
      warmUp: window,
      stateSize: VOLUME_STATE + RING * window,
      advance: (bars, from, to, state, out) => advanceVolume(window, bars, from, to, state, out),
    },
  ]),
];

/**
 * With o, h, l, c of the bar, top and bottom of its body, span = h − l:
 *
 * - kmid = (c − o) / o, klen = span / o, kup = (h − top) / o, klow = (bottom − l) / o, ksft = (2c − h − l) / o;
 * - kmid_2, kup_2, klow_2, ksft_2: the same over span + 1e-12; NaN where span is 0;
 * - open_0 = o / c, high_0 = h / c, low_0 = l / c, vwap_0 = (h + l + c) / 3 / c.
 */
function advanceBar(
  bars: BarColumns,
  from: number,
  to: number,
  _state: Float64Array,
  out: readonly Float64Array[],
): void {
  const kmid = out[0]!;
  const klen = out[1]!;
  const kmid2 = out[2]!;
  const kup = out[3]!;
  const kup2 = out[4]!;
  const klow = out[5]!;
  const klow2 = out[6]!;
  const ksft = out[7]!;
  const ksft2 = out[8]!;
  const open0 = out[9]!;
  const high0 = out[10]!;
  const low0 = out[11]!;
  const vwap0 = out[12]!;
  const { open, high, low, close } = bars;
  for (let i = from; i < to; i++) {
    const at = i - from;
    const o = open[i]!;
    const h = high[i]!;
    const l = low[i]!;
    const c = close[i]!;
    const perOpen = 1 / divisor(o);
    const perClose = 1 / divisor(c);
    const perSpan = h === l ? Number.NaN : 1 / (h - l + EPSILON);
    const upper = h - Math.max(o, c);
    const lower = Math.min(o, c) - l;
    const shift = 2 * c - h - l;
    kmid[at] = (c - o) * perOpen;
    klen[at] = (h - l) * perOpen;
    kmid2[at] = (c - o) * perSpan;
    kup[at] = upper * perOpen;
    kup2[at] = upper * perSpan;
    klow[at] = lower * perOpen;
    klow2[at] = lower * perSpan;
    ksft[at] = shift * perOpen;
    ksft2[at] = shift * perSpan;
    open0[at] = o * perClose;
    high0[at] = h * perClose;
    low0[at] = l * perClose;
    vwap0[at] = ((h + l + c) / 3) * perClose;
  }
}

/**
 * Over the last d bars, with c the closes, x = 1…d their places, and Δ = c − the close before:
 *
 * - roc = c(t − d) / c(t); ma = mean c / c(t); std = sd(c) / c(t), divisor d − 1;
 * - beta, rsqr, resi: slope / c(t), R² and last residual / c(t) of the line through (x, c); rsqr NaN where sd(c) ≤ 2e-5;
 * - max, min = highest high, lowest low / c(t); imax, imin = their place (the first of equals) / d; imxd = imax − imin;
 * - qtlu, qtld = quantiles .8 and .2 of c / c(t), linear between order statistics;
 * - rank = mean rank of c(t) among c / d; rsv = (c(t) − lowest low) / (highest high − lowest low + 1e-12), NaN without width;
 * - cntp, cntn = share of bars with Δ above, below 0; cntd = cntp − cntn;
 * - sump, sumn = sums of the rises and of the falls / (sum of both + 1e-12), NaN where nothing moved; sumd = sump − sumn.
 */
function advancePrice(
  d: number,
  bars: BarColumns,
  from: number,
  to: number,
  state: Float64Array,
  out: readonly Float64Array[],
): void {
  const roc = out[0]!;
  const ma = out[1]!;
  const std = out[2]!;
  const beta = out[3]!;
  const rsqr = out[4]!;
  const resi = out[5]!;
  const max = out[6]!;
  const min = out[7]!;
  const qtlu = out[8]!;
  const qtld = out[9]!;
  const rank = out[10]!;
  const rsv = out[11]!;
  const imax = out[12]!;
  const imin = out[13]!;
  const imxd = out[14]!;
  const cntp = out[15]!;
  const cntn = out[16]!;
  const cntd = out[17]!;
  const sump = out[18]!;
  const sumn = out[19]!;
  const sumd = out[20]!;
  const { high, low, close } = bars;
  const xx = (d * (d * d - 1)) / 12;
  const first = startOf(out, from, to, d);
  for (let i = first; i < to; i++) {
    const at = i - from;
    const c = close[i]!;
    const scale = 1 / divisor(c);
    if (i === d) beginPrice(bars, d, state);
    else slidePrice(bars, i, d, state);
    if (i % d === 0) sumPrice(close, i, d, state);

    const isConstant = state[RUN]! >= d;
    const sum = state[SUM]!;
    const deviations = isConstant ? 0 : Math.max(0, state[SQUARES]! - (sum * sum) / d);
    const ramp = isConstant ? 0 : state[RAMP]! - ((d + 1) / 2) * sum;
    const slope = ramp / xx;
    const spread = Math.sqrt(deviations / (d - 1));
    roc[at] = close[i - d]! * scale;
    ma[at] = (state[ANCHOR]! + sum / d) * scale;
    std[at] = spread * scale;
    beta[at] = slope * scale;
    rsqr[at] = spread <= SPREAD_MIN ? Number.NaN : Math.min(1, (ramp * ramp) / (xx * deviations));
    resi[at] = isConstant ? 0 : (c - state[ANCHOR]! - sum / d - slope * ((d - 1) / 2)) * scale;

    const highest = high[state[HIGHEST]!]!;
    const lowest = low[state[LOWEST]!]!;
    const placeHigh = state[HIGHEST]! - i + d;
    const placeLow = state[LOWEST]! - i + d;
    max[at] = highest * scale;
    min[at] = lowest * scale;
    rsv[at] = highest > lowest ? (c - lowest) / (highest - lowest + EPSILON) : Number.NaN;
    imax[at] = placeHigh / d;
    imin[at] = placeLow / d;
    imxd[at] = (placeHigh - placeLow) / d;

    qtlu[at] = quantileOf(state, SORTED, d, QUANTILE_HIGH) * scale;
    qtld[at] = quantileOf(state, SORTED, d, QUANTILE_LOW) * scale;
    rank[at] = rankOf(state, SORTED, d, c) / d;

    const ups = state[FLOW + UPS]!;
    const downs = state[FLOW + DOWNS]!;
    cntp[at] = ups / d;
    cntn[at] = downs / d;
    cntd[at] = (ups - downs) / d;
    writeFlow(state, FLOW, sump, sumn, sumd, at);
  }
}

function beginPrice(bars: BarColumns, d: number, state: Float64Array): void {
  const { high, low, close } = bars;
  state[HIGHEST] = placeOfHighest(high, 1, d);
  state[LOWEST] = placeOfLowest(low, 1, d);
  state[RUN] = runLength(close, d, d);
  for (let k = 0; k < d; k++) insertSorted(state, SORTED, k, close[k + 1]!);
}

function slidePrice(bars: BarColumns, i: number, d: number, state: Float64Array): void {
  const { high, low, close } = bars;
  const oldest = i - d + 1;
  if (state[HIGHEST]! < oldest) state[HIGHEST] = placeOfHighest(high, oldest, i);
  else if (high[i]! > high[state[HIGHEST]!]!) state[HIGHEST] = i;
  if (state[LOWEST]! < oldest) state[LOWEST] = placeOfLowest(low, oldest, i);
  else if (low[i]! < low[state[LOWEST]!]!) state[LOWEST] = i;
  const c = close[i]!;
  const left = close[i - d]!;
  state[RUN] = c === close[i - 1]! ? state[RUN]! + 1 : 1;
  replaceSorted(state, SORTED, d, left, c);
  const entering = c - state[ANCHOR]!;
  const leaving = left - state[ANCHOR]!;
  // Every place moves down by one: the ramp loses each value once, the oldest one with place 1 included.
  state[RAMP]! += d * entering - state[SUM]!;
  state[SUM]! += entering - leaving;
  state[SQUARES]! += entering * entering - leaving * leaving;
  slideFlow(state, FLOW, c - close[i - 1]!, left - close[i - d - 1]!);
}

function sumPrice(close: Float64Array, i: number, d: number, state: Float64Array): void {
  const anchor = meanOf(close, i, d);
  let sum = 0;
  let squares = 0;
  let ramp = 0;
  for (let x = 1; x <= d; x++) {
    const value = close[i - d + x]! - anchor;
    sum += value;
    squares += value * value;
    ramp += x * value;
  }
  state[ANCHOR] = anchor;
  state[SUM] = sum;
  state[SQUARES] = squares;
  state[RAMP] = ramp;
  sumFlow(close, i, d, state, FLOW);
}

/**
 * Over the last d bars, with v the volumes, r = c / the close before, w = |r − 1| · v, and Δ = v − the volume before:
 *
 * - corr = correlation of c and ln(v + 1); cord = correlation of r and ln(v / the volume before + 1); NaN where either
 *   standard deviation is at most 2e-5, and cord where a volume before is 0;
 * - vma = mean v / (v(t) + 1e-12), vstd = sd(v) / (v(t) + 1e-12), NaN where v(t) is 0;
 * - wvma = sd(w) / (mean w + 1e-12), NaN where every w is 0;
 * - vsump, vsumn, vsumd: as sump, sumn, sumd of the price group, of volume.
 */
function advanceVolume(
  d: number,
  bars: BarColumns,
  from: number,
  to: number,
  state: Float64Array,
  out: readonly Float64Array[],
): void {
  const corr = out[0]!;
  const cord = out[1]!;
  const vma = out[2]!;
  const vstd = out[3]!;
  const wvma = out[4]!;
  const vsump = out[5]!;
  const vsumn = out[6]!;
  const vsumd = out[7]!;
  const { volume } = bars;
  const perBar = 1 / d;
  const first = startOf(out, from, to, d);
  for (let i = first; i < to; i++) {
    const at = i - from;
    if (i === d) beginVolume(bars, d, state);
    else slideVolume(bars, i, d, state);
    if (i % d === 0) sumVolume(bars, i, d, state);

    const isStill = state[CLOSE_RUN]! >= d || state[VOLUME_RUN]! >= d;
    corr[at] = isStill ? Number.NaN : correlationOf(state, CORR, d, perBar);
    cord[at] = state[PAIR_HOLES]! > 0 ? Number.NaN : correlationOf(state, CORD, d, perBar);
    const v = volume[i]!;
    const scale = v === 0 ? Number.NaN : 1 / (v + EPSILON);
    vma[at] = (state[VOLUME]! + state[VOLUME + 1]! * perBar) * scale;
    vstd[at] = (state[VOLUME_RUN]! >= d ? 0 : spreadOf(state, VOLUME, d, perBar)) * scale;
    const isDefined = state[RATIO_HOLES] === 0 && state[MOVED]! > 0;
    const mean = state[WEIGHTED]! + state[WEIGHTED + 1]! * perBar;
    wvma[at] = isDefined ? spreadOf(state, WEIGHTED, d, perBar) / (mean + EPSILON) : Number.NaN;
    writeFlow(state, VOLUME_FLOW, vsump, vsumn, vsumd, at);
  }
}

function beginVolume(bars: BarColumns, d: number, state: Float64Array): void {
  const { close, volume } = bars;
  state[CLOSE_RUN] = runLength(close, d, d);
  state[VOLUME_RUN] = runLength(volume, d, d);
  for (let i = 1; i <= d; i++) {
    const place = LOGS + RING * (i % d);
    state[place] = Math.log(volume[i]! + 1);
    state[place + 1] = logOfGrowth(volume, i);
    state[place + 2] = ratioOf(close, i);
    countBar(weightedMove(state[place + 2]!, volume[i]!), state[place + 1]!, state, 1);
  }
}

function slideVolume(bars: BarColumns, i: number, d: number, state: Float64Array): void {
  const { close, volume } = bars;
  const left = i - d;
  const place = LOGS + RING * (i % d);
  const leftLog = state[place]!;
  const leftGrowth = state[place + 1]!;
  const log = Math.log(volume[i]! + 1);
  const growth = logOfGrowth(volume, i);
  const leftRatio = state[place + 2]!;
  const ratio = ratioOf(close, i);
  state[place] = log;
  state[place + 1] = growth;
  state[place + 2] = ratio;
  state[CLOSE_RUN] = close[i]! === close[i - 1]! ? state[CLOSE_RUN]! + 1 : 1;
  state[VOLUME_RUN] = volume[i]! === volume[i - 1]! ? state[VOLUME_RUN]! + 1 : 1;
  const move = weightedMove(ratio, volume[i]!);
  const leftMove = weightedMove(leftRatio, volume[left]!);
  countBar(leftMove, leftGrowth, state, -1);
  countBar(move, growth, state, 1);
  addPair(state, CORR, close[left]!, leftLog, -1);
  addPair(state, CORR, close[i]!, log, 1);
  addPair(state, CORD, leftRatio, leftGrowth, -1);
  addPair(state, CORD, ratio, growth, 1);
  addMoment(state, VOLUME, volume[left]!, -1);
  addMoment(state, VOLUME, volume[i]!, 1);
  addMoment(state, WEIGHTED, leftMove, -1);
  addMoment(state, WEIGHTED, move, 1);
  slideFlow(state, VOLUME_FLOW, volume[i]! - volume[i - 1]!, volume[left]! - volume[left - 1]!);
}

function sumVolume(bars: BarColumns, i: number, d: number, state: Float64Array): void {
  const { close, volume } = bars;
  state.fill(0, CORR, VOLUME_FLOW);
  let log = 0;
  let ratio = 0;
  let growth = 0;
  let weighted = 0;
  for (let k = i - d + 1; k <= i; k++) {
    const place = LOGS + RING * (k % d);
    log += state[place]!;
    ratio += state[place + 2]!;
    growth += state[place + 1]!;
    weighted += weightedMove(state[place + 2]!, volume[k]!);
  }
  // An anchor only has to be near: a window with holes does without.
  state[CORR] = meanOf(close, i, d);
  state[CORR + 1] = log / d;
  state[CORD] = Number.isFinite(ratio) ? ratio / d : 1;
  state[CORD + 1] = Number.isFinite(growth) ? growth / d : 0;
  state[VOLUME] = meanOf(volume, i, d);
  state[WEIGHTED] = Number.isFinite(weighted) ? weighted / d : 0;
  for (let k = i - d + 1; k <= i; k++) {
    const place = LOGS + RING * (k % d);
    addPair(state, CORR, close[k]!, state[place]!, 1);
    addPair(state, CORD, state[place + 2]!, state[place + 1]!, 1);
    addMoment(state, VOLUME, volume[k]!, 1);
    addMoment(state, WEIGHTED, weightedMove(state[place + 2]!, volume[k]!), 1);
  }
  sumFlow(volume, i, d, state, VOLUME_FLOW);
}

/** Counts a bar in (`sign` 1) or out (−1) of the window. */
function countBar(move: number, growth: number, state: Float64Array, sign: 1 | -1): void {
  if (Number.isNaN(move)) state[RATIO_HOLES]! += sign;
  else if (move !== 0) state[MOVED]! += sign;
  if (Number.isNaN(move) || Number.isNaN(growth)) state[PAIR_HOLES]! += sign;
}

/** NaN where the close before is not positive. */
function ratioOf(close: Float64Array, i: number): number {
  const before = close[i - 1]!;
  return before > 0 ? close[i]! / before : Number.NaN;
}

function weightedMove(ratio: number, volume: number): number {
  return Math.abs(ratio - 1) * volume;
}

/** ln(volume / volume before + 1); NaN where the volume before is not positive. */
function logOfGrowth(volume: Float64Array, i: number): number {
  const before = volume[i - 1]!;
  return before > 0 ? Math.log(volume[i]! / before + 1) : Number.NaN;
}

/** Adds to a moment, or takes away. A hole (NaN) is left out, and told by its counter. */
function addMoment(state: Float64Array, at: number, value: number, sign: 1 | -1): void {
  if (Number.isNaN(value)) return;
  const x = value - state[at]!;
  state[at + 1]! += sign * x;
  state[at + 2]! += sign * x * x;
}

function spreadOf(state: Float64Array, at: number, d: number, perBar: number): number {
  const sum = state[at + 1]!;
  return Math.sqrt(Math.max(0, state[at + 2]! - sum * sum * perBar) / (d - 1));
}

/** Adds to a pair, or takes away; a hole on either side is left out. */
function addPair(state: Float64Array, at: number, first: number, second: number, sign: 1 | -1): void {
  if (Number.isNaN(first) || Number.isNaN(second)) return;
  const x = first - state[at]!;
  const y = second - state[at + 1]!;
  state[at + 2]! += sign * x;
  state[at + 3]! += sign * y;
  state[at + 4]! += sign * x * x;
  state[at + 5]! += sign * y * y;
  state[at + 6]! += sign * x * y;
}

function correlationOf(state: Float64Array, at: number, d: number, perBar: number): number {
  const x = state[at + 2]!;
  const y = state[at + 3]!;
  const xx = state[at + 4]! - x * x * perBar;
  const yy = state[at + 5]! - y * y * perBar;
  const least = SPREAD_MIN * SPREAD_MIN * (d - 1);
  if (!(xx > least && yy > least)) return Number.NaN;
  const value = (state[at + 6]! - x * y * perBar) / Math.sqrt(xx * yy);
  return Math.max(-1, Math.min(1, value));
}

function slideFlow(state: Float64Array, at: number, entering: number, leaving: number): void {
  if (leaving > 0) {
    state[at]! -= leaving;
    state[at + UPS]! -= 1;
  } else if (leaving < 0) {
    state[at + 1]! += leaving;
    state[at + DOWNS]! -= 1;
  }
  addFlow(state, at, entering);
}

function addFlow(state: Float64Array, at: number, entering: number): void {
  if (entering > 0) {
    state[at]! += entering;
    state[at + UPS]! += 1;
  } else if (entering < 0) {
    state[at + 1]! -= entering;
    state[at + DOWNS]! += 1;
  }
}

function sumFlow(values: Float64Array, i: number, d: number, state: Float64Array, at: number): void {
  state.fill(0, at, at + FLOW_SIZE);
  for (let k = i - d + 1; k <= i; k++) addFlow(state, at, values[k]! - values[k - 1]!);
}

function writeFlow(
  state: Float64Array,
  at: number,
  positive: Float64Array,
  negative: Float64Array,
  difference: Float64Array,
  place: number,
): void {
  const ups = state[at + UPS]!;
  const downs = state[at + DOWNS]!;
  const up = ups === 0 ? 0 : state[at]!;
  const down = downs === 0 ? 0 : state[at + 1]!;
  const scale = ups + downs === 0 ? Number.NaN : 1 / (up + down + EPSILON);
  positive[place] = up * scale;
  negative[place] = down * scale;
  difference[place] = (up - down) * scale;
}

/** Place of the first of the greatest values of `from` to `to`, both included. */
function placeOfHighest(values: Float64Array, from: number, to: number): number {
  let place = from;
  let best = values[from]!;
  for (let i = from + 1; i <= to; i++) {
    const value = values[i]!;
    if (value > best) {
      best = value;
      place = i;
    }
  }
  return place;
}

function placeOfLowest(values: Float64Array, from: number, to: number): number {
  let place = from;
  let best = values[from]!;
  for (let i = from + 1; i <= to; i++) {
    const value = values[i]!;
    if (value < best) {
      best = value;
      place = i;
    }
  }
  return place;
}

/** How many values up to i are the same, at most `most`. */
function runLength(values: Float64Array, i: number, most: number): number {
  let length = 1;
  while (length < most && values[i - length] === values[i]) length++;
  return length;
}

function meanOf(values: Float64Array, i: number, d: number): number {
  let sum = 0;
  for (let k = i - d + 1; k <= i; k++) sum += values[k]!;
  return sum / d;
}

/** Puts a value into the sorted `size` values at `at`. */
function insertSorted(state: Float64Array, at: number, size: number, value: number): void {
  let place = at + size;
  while (place > at && state[place - 1]! > value) {
    state[place] = state[place - 1]!;
    place--;
  }
  state[place] = value;
}

/** Takes `old` out of the sorted d values at `at`, and puts `value` in. Moves only what lies between the two. */
function replaceSorted(state: Float64Array, at: number, d: number, old: number, value: number): void {
  let place = lowerBound(state, at, d, old);
  const end = at + d - 1;
  if (value > old) {
    for (; place < end && state[place + 1]! < value; place++) state[place] = state[place + 1]!;
  } else {
    for (; place > at && state[place - 1]! > value; place--) state[place] = state[place - 1]!;
  }
  state[place] = value;
}

/** Place of the first of the sorted d values at `at` that is not less. */
function lowerBound(state: Float64Array, at: number, d: number, value: number): number {
  let low = at;
  let high = at + d;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (state[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Rank of a value that is among the sorted d values, from 1; equals share their mean rank. */
function rankOf(state: Float64Array, at: number, d: number, value: number): number {
  const first = lowerBound(state, at, d, value);
  let last = first;
  while (last + 1 < at + d && state[last + 1] === value) last++;
  return (first + last) / 2 - at + 1;
}

function quantileOf(state: Float64Array, at: number, d: number, probability: number): number {
  const place = (d - 1) * probability;
  const below = Math.floor(place);
  const value = state[at + below]!;
  return value + (place - below) * (state[at + below + 1]! - value);
}

/** First bar with a value among those asked for; writes NaN before it. */
function startOf(out: readonly Float64Array[], from: number, to: number, warmUp: number): number {
  const first = Math.min(Math.max(from, warmUp), to);
  if (first > from) for (const values of out) values.fill(Number.NaN, 0, first - from);
  return first;
}

/** A price of zero or less is no measure of anything. */
function divisor(price: number): number {
  return price > 0 ? price : Number.NaN;
}
