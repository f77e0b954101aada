import { factory, realNumber, talib } from './factory.ts';
import { markWarmUp } from './kernels.ts';

/**
 * Ehlers' Hilbert transform (Rocket Science for Traders, 2001), with TA-Lib's start: everything before `start` is 0.
 *
 * State, in order: figures of the last bar, then rings of smoothed prices (64, held twice so that 50 of
 * them always lie in a row), detrended prices (16) and quadratures (8).
 */
const PERIOD = 0;
const SMOOTH_PERIOD = 1;
const IN_PHASE_BEFORE = 2;
const QUADRATURE_BEFORE = 3;
const REAL = 4;
const IMAGINARY = 5;
const IN_PHASE = 6;
const QUADRATURE = 7;
const SMOOTHED_RING = 8;
const DETRENDED_RING = SMOOTHED_RING + 128;
const QUADRATURE_RING = DETRENDED_RING + 16;
const HILBERT_SIZE = QUADRATURE_RING + 8;

const DEGREES = 180 / Math.PI;

/** The transform of a ring at bar `i`: it reads 0, 2, 4 and 6 bars back from `i − delay`. */
function transform(state: Float64Array, ring: number, mask: number, i: number): number {
  return (
    0.0962 * state[ring + (i & mask)]! -
    0.0962 * state[ring + ((i - 6) & mask)]! -
    0.5769 * state[ring + ((i - 4) & mask)]! +
    0.5769 * state[ring + ((i - 2) & mask)]!
  );
}

/** Takes bar `i` ≥ `start` ≥ 3; afterwards the state holds its period, in-phase and quadrature. */
function hilbertStep(close: Float64Array, i: number, state: Float64Array): void {
  const smoothed = (4 * close[i]! + 3 * close[i - 1]! + 2 * close[i - 2]! + close[i - 3]!) / 10;
  const gain = 0.075 * state[PERIOD]! + 0.54;
  state[SMOOTHED_RING + (i & 63)] = smoothed;
  state[SMOOTHED_RING + 64 + (i & 63)] = smoothed;
  const detrended = gain * transform(state, SMOOTHED_RING, 63, i);
  state[DETRENDED_RING + (i & 15)] = detrended;
  const quadrature = gain * transform(state, DETRENDED_RING, 15, i);
  state[QUADRATURE_RING + (i & 7)] = quadrature;
  const inPhase = state[DETRENDED_RING + ((i - 3) & 15)]!;
  const inPhaseAhead = gain * transform(state, DETRENDED_RING, 15, i - 3);
  const quadratureAhead = gain * transform(state, QUADRATURE_RING, 7, i);
  const quadratureBefore = state[QUADRATURE_BEFORE]!;
  const inPhaseBefore = state[IN_PHASE_BEFORE]!;
  const q = 0.2 * (quadrature + inPhaseAhead) + 0.8 * quadratureBefore;
  const p = 0.2 * (inPhase - quadratureAhead) + 0.8 * inPhaseBefore;
  const real = 0.2 * (p * inPhaseBefore + q * quadratureBefore) + 0.8 * state[REAL]!;
  const imaginary = 0.2 * (p * quadratureBefore - q * inPhaseBefore) + 0.8 * state[IMAGINARY]!;
  const before = state[PERIOD]!;
  let period = before;
  if (imaginary !== 0 && real !== 0) period = 360 / (Math.atan(imaginary / real) * DEGREES);
  period = Math.min(period, 1.5 * before);
  period = Math.max(period, 0.67 * before);
  period = Math.min(Math.max(period, 6), 50);
  period = 0.2 * period + 0.8 * before;
  state[REAL] = real;
  state[IMAGINARY] = imaginary;
  state[QUADRATURE_BEFORE] = q;
  state[IN_PHASE_BEFORE] = p;
  state[PERIOD] = period;
  state[SMOOTH_PERIOD] = 0.33 * period + 0.67 * state[SMOOTH_PERIOD]!;
  state[IN_PHASE] = inPhase;
  state[QUADRATURE] = quadrature;
}

// Bars whose smoothed price TA-Lib makes but does not feed to the transform: it starts after them.
const START_SHORT = 12;
const START_LONG = 37;

// Its averages fade within 100 bars, but a change of the period's limits keeps two starts apart a little longer.
const HILBERT_MEMORY = { kind: 'recursive', settle: 400 } as const;

/** TA-Lib HT_DCPERIOD and HT_PHASOR. */
export const hilbertPeriod = factory({
  name: 'ht',
  title: 'Hilbert transform: dominant cycle period and phasor',
  family: 'cycle',
  unit: 'bars',
  inputs: ['close'],
  outputs: ['dcperiod', 'inphase', 'quadrature'],
  reference: talib('HT_DCPERIOD, HT_PHASOR'),
  note: 'The phasor is in price. Constant prices give the shortest period, 6, as in TA-Lib.',
  machine: () => ({
    warmUp: 32,
    memory: HILBERT_MEMORY,
    stateSize: HILBERT_SIZE,
    advance({ close }, from, to, state, out) {
      const first = markWarmUp(32, from, to, out);
      for (let i = Math.max(from, START_SHORT); i < to; i++) {
        hilbertStep(close, i, state);
        if (i < first) continue;
        out[0]![i - from] = state[SMOOTH_PERIOD]!;
        out[1]![i - from] = state[IN_PHASE]!;
        out[2]![i - from] = state[QUADRATURE]!;
      }
    },
  }),
});

// sin and cos of i × 360° / n for whole periods n up to 50: n values from n (n − 1) / 2 on.
const LONGEST_PERIOD = 50;
const SINES = new Float64Array((LONGEST_PERIOD * (LONGEST_PERIOD + 1)) / 2);
const COSINES = new Float64Array(SINES.length);
for (let n = 1; n <= LONGEST_PERIOD; n++)
  for (let i = 0; i < n; i++) {
    SINES[(n * (n - 1)) / 2 + i] = Math.sin((i * 2 * Math.PI) / n);
    COSINES[(n * (n - 1)) / 2 + i] = Math.cos((i * 2 * Math.PI) / n);
  }

const PHASE = HILBERT_SIZE;
const SINE = HILBERT_SIZE + 1;
const LEAD_SINE = HILBERT_SIZE + 2;
const TREND_1 = HILBERT_SIZE + 3;
const TREND_2 = HILBERT_SIZE + 4;
const TREND_3 = HILBERT_SIZE + 5;
const DAYS_IN_TREND = HILBERT_SIZE + 6;

/** Phase of the dominant cycle, degrees; `before` is kept where the cycle has no size. */
function cyclePhase(state: Float64Array, i: number, period: number, before: number): number {
  const table = (period * (period - 1)) / 2;
  const newest = SMOOTHED_RING + 64 + (i & 63);
  let real = 0;
  let imaginary = 0;
  for (let k = 0; k < period; k++) {
    const price = state[newest - k]!;
    real += SINES[table + k]! * price;
    imaginary += COSINES[table + k]! * price;
  }
  let phase = before;
  if (imaginary !== 0) phase = Math.atan(real / imaginary) * DEGREES;
  else if (real !== 0) phase += real < 0 ? -90 : 90;
  // The last term makes up for the bar the weighted average lags behind.
  phase += 90 + 360 / state[SMOOTH_PERIOD]!;
  if (imaginary < 0) phase += 180;
  return phase > 315 ? phase - 360 : phase;
}

/** Whether the market trends (1) or cycles (0): the cycle's crossing, its age, its speed and the distance from the trend. */
function trendMode(
  state: Float64Array,
  i: number,
  phaseBefore: number,
  sineBefore: number,
  leadBefore: number,
  trend: number,
): number {
  const sine = state[SINE]!;
  const lead = state[LEAD_SINE]!;
  const period = state[SMOOTH_PERIOD]!;
  const hasCrossed = (sine > lead && sineBefore <= leadBefore) || (sine < lead && sineBefore >= leadBefore);
  const days = (hasCrossed ? 0 : state[DAYS_IN_TREND]!) + 1;
  state[DAYS_IN_TREND] = days;
  const turn = state[PHASE]! - phaseBefore;
  const step = 360 / period;
  const isCycle = hasCrossed || days < 0.5 * period || (turn > 0.67 * step && turn < 1.5 * step);
  const price = state[SMOOTHED_RING + (i & 63)]!;
  if (trend !== 0 && Math.abs((price - trend) / trend) >= 0.015) return 1;
  return isCycle ? 0 : 1;
}

/** TA-Lib HT_DCPHASE, HT_SINE, HT_TRENDMODE and HT_TRENDLINE. */
export const hilbertCycle = factory({
  name: 'ht_cycle',
  title: 'Hilbert transform: phase, sine wave, trend mode and trend line',
  family: 'cycle',
  unit: 'signal',
  inputs: ['close'],
  outputs: ['dcphase', 'sine', 'leadsine', 'trendmode', 'trendline'],
  reference: talib('HT_DCPHASE, HT_SINE, HT_TRENDMODE, HT_TRENDLINE'),
  note: 'Phase in degrees, trend line in price. The phase jumps by 360: near a jump two starts may differ by a turn.',
  machine: () => ({
    warmUp: 63,
    memory: { kind: 'recursive', settle: 600 },
    stateSize: HILBERT_SIZE + 7,
    advance({ close }, from, to, state, out) {
      const first = markWarmUp(63, from, to, out);
      for (let i = Math.max(from, START_LONG); i < to; i++) {
        hilbertStep(close, i, state);
        const period = Math.trunc(state[SMOOTH_PERIOD]! + 0.5);
        const phaseBefore = state[PHASE]!;
        const sineBefore = state[SINE]!;
        const leadBefore = state[LEAD_SINE]!;
        const phase = cyclePhase(state, i, period, phaseBefore);
        state[PHASE] = phase;
        state[SINE] = Math.sin(phase / DEGREES);
        state[LEAD_SINE] = Math.sin((phase + 45) / DEGREES);
        let mean = 0;
        for (let k = 0; k < period; k++) mean += close[i - k]!;
        if (period > 0) mean /= period;
        const trend = (4 * mean + 3 * state[TREND_1]! + 2 * state[TREND_2]! + state[TREND_3]!) / 10;
        state[TREND_3] = state[TREND_2]!;
        state[TREND_2] = state[TREND_1]!;
        state[TREND_1] = mean;
        const mode = trendMode(state, i, phaseBefore, sineBefore, leadBefore, trend);
        if (i < first) continue;
        const k = i - from;
        out[0]![k] = phase;
        out[1]![k] = state[SINE]!;
        out[2]![k] = state[LEAD_SINE]!;
        out[3]![k] = mode;
        out[4]![k] = trend;
      }
    },
  }),
});

/** TA-Lib MAMA and FAMA (Ehlers, Stocks & Commodities 19:10, 2001): averages as fast as the phase turns. */
export const mama = factory({
  name: 'mama',
  title: 'MESA adaptive moving average',
  family: 'overlap',
  unit: 'price',
  inputs: ['close'],
  outputs: ['mama', 'fama'],
  parameters: { fastLimit: realNumber(0.5, 0.01, 0.99), slowLimit: realNumber(0.05, 0.01, 0.99) },
  reference: talib('MAMA'),
  note: 'Both averages start at 0 on bar 12 (TA-Lib), so the first values lie far below the price.',
  machine: ({ fastLimit, slowLimit }) => ({
    warmUp: 32,
    memory: { kind: 'recursive', settle: Math.ceil((20 / slowLimit) * 2.5) },
    stateSize: HILBERT_SIZE + 3,
    advance({ close }, from, to, state, out) {
      const first = markWarmUp(32, from, to, out);
      let phase = state[HILBERT_SIZE]!;
      let fast = state[HILBERT_SIZE + 1]!;
      let slow = state[HILBERT_SIZE + 2]!;
      for (let i = Math.max(from, START_SHORT); i < to; i++) {
        hilbertStep(close, i, state);
        const inPhase = state[IN_PHASE]!;
        const phaseNow = inPhase === 0 ? 0 : Math.atan(state[QUADRATURE]! / inPhase) * DEGREES;
        const turn = Math.max(phase - phaseNow, 1);
        phase = phaseNow;
        const weight = turn > 1 ? Math.max(fastLimit / turn, slowLimit) : fastLimit;
        fast = weight * close[i]! + (1 - weight) * fast;
        slow = 0.5 * weight * fast + (1 - 0.5 * weight) * slow;
        if (i < first) continue;
        out[0]![i - from] = fast;
        out[1]![i - from] = slow;
      }
      state[HILBERT_SIZE] = phase;
      state[HILBERT_SIZE + 1] = fast;
      state[HILBERT_SIZE + 2] = slow;
    },
  }),
});
