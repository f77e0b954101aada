import { expect } from '../checks/expect.ts';
import { createRandom, type Random } from '../random/random.ts';
import { excessKurtosis } from '../stats/moments.ts';
import { injectCrash } from './crash-injection.ts';
import { simulateGjr, unitShock } from './garch-paths.ts';
import { readRegimeParameters, simulateStates } from './regime-paths.ts';
import { automaticBlockLength, stationaryBootstrapDays } from './stationary-bootstrap.ts';
import { compareStylisedFacts, type FactComparison } from './stylised-facts.ts';

export const GENERATORS = ['stationary-bootstrap', 'garch-t', 'regime-switching', 'crash-injection'] as const;
export type GeneratorName = (typeof GENERATORS)[number];

/** Bars of several instruments in one table, ordered by instrument and day, one row each. Missing is NaN. */
export type BarRows = {
  instrument: Int32Array;
  day: Int32Array;
  open: Float64Array;
  high: Float64Array;
  low: Float64Array;
  close: Float64Array;
  volume: Float64Array;
};

export type SyntheticSettings = {
  generator: GeneratorName;
  seed: number;
  /** Bootstrap: mean block in days; left out: chosen from the data. */
  blockLength?: number | undefined;
  crashSize: number;
  crashDays: number;
};

/** Bars that nobody traded. The mark is part of the type, so that they cannot be handed over as facts by mistake. */
export type SyntheticBars = {
  isSynthetic: true;
  /** On the instruments and days of the real ones. */
  bars: BarRows;
  /** What the generator ran with, the chosen and the read-off values included. */
  parameters: Record<string, number | string | readonly number[]>;
  facts: FactComparison[];
};

export const SYNTHETIC_DAYS_MIN = 120;
/** A larger step in a day is not told from a split and is left out of what is drawn from. */
const STEP_MAX = Math.log(1.6);
const FACT_SERIES_MAX = 8;
const FACT_RESAMPLES = 100;
/** GJR figures that fit most stocks; the long-run variance and the tail are each instrument's own. */
const GJR_SHAPE = { alpha: 0.03, gamma: 0.09, beta: 0.9 } as const;
const AFTERSHOCK = { aftershock: 2, halfLife: 21 } as const;

/**
 * Synthetic bars on the days of real ones, by a generator.
 *
 * Closes follow the generator's returns from each instrument's first close; the other prices and the volume of a day keep
 * the relations that a real day of the instrument had. Instruments move together as they did: by drawn days, or by a common
 * shock whose share is the squared correlation with their mean.
 *
 * @returns Null with fewer than `SYNTHETIC_DAYS_MIN` days.
 * @throws RangeError for columns of unequal length.
 */
export function makeSyntheticBars(real: BarRows, settings: SyntheticSettings): SyntheticBars | null {
  const count = real.day.length;
  for (const [name, column] of Object.entries(real))
    expect(column.length === count, `column ${name} must have ${count} rows, had ${column.length}`);
  const panel = toPanel(real);
  if (panel.days.length < SYNTHETIC_DAYS_MIN) return null;
  const random = createRandom(settings.seed).split('augmentation').split(settings.generator);
  const made = GENERATE[settings.generator](panel, settings, random);
  const bars = writeBars(real, panel, made);
  const told = { bars, isSynthetic: true, parameters: made.parameters } as const;
  return { ...told, facts: factsOf(panel, bars, random.split('facts')) };
}

/** One instrument's rows of the table and its returns on the days of all. */
type Member = {
  first: number;
  count: number;
  /** Of each row the number of its day. */
  at: Int32Array;
  /** Log return on each day of the panel; NaN without one. */
  returns: Float64Array;
};
type Panel = { days: Int32Array; members: Member[]; market: Float64Array };

function toPanel({ instrument, day, close }: BarRows): Panel {
  const days = Int32Array.from(new Set(day)).sort();
  const place = new Map(Array.from(days, (value, k) => [value, k]));
  const members: Member[] = [];
  for (let first = 0; first < day.length; ) {
    let end = first;
    while (end < day.length && instrument[end] === instrument[first]) end += 1;
    const at = Int32Array.from(day.subarray(first, end), (value) => place.get(value)!);
    const returns = new Float64Array(days.length).fill(Number.NaN);
    for (let row = first + 1; row < end; row++) {
      const step = Math.log(close[row]! / close[row - 1]!);
      if (Math.abs(step) <= STEP_MAX) returns[at[row - first]!] = step;
    }
    members.push({ first, count: end - first, at, returns });
    first = end;
  }
  const market = Float64Array.from(days, (_, t) => {
    let sum = 0;
    let known = 0;
    for (const { returns } of members)
      if (!Number.isNaN(returns[t]!)) {
        sum += returns[t]!;
        known += 1;
      }
    return known === 0 ? Number.NaN : sum / known;
  });
  return { days, members, market };
}

/** Returns of each member on the days of the panel, and the day whose bar each copies its shape from; −1 for any. */
type Made = { returns: Float64Array[]; sourceDay: Int32Array; parameters: SyntheticBars['parameters'] };
type Generate = (panel: Panel, settings: SyntheticSettings, random: Random) => Made;

const GENERATE: Record<GeneratorName, Generate> = {
  'stationary-bootstrap': (panel, settings, random) => {
    const size = panel.market.filter(Number.isFinite).map(Math.abs);
    const blockLength = settings.blockLength ?? automaticBlockLength(size);
    const drawn = stationaryBootstrapDays(panel.days.length - 1, panel.days.length, blockLength, random.split('days'));
    // Day 0 has no return to draw.
    const sourceDay = Int32Array.from(drawn, (day) => day + 1);
    const returns = panel.members.map((member, k) => {
      const own = member.returns.filter(Number.isFinite);
      const fill = random.split(k);
      return Float64Array.from(sourceDay, (day) => {
        const value = member.returns[day]!;
        if (!Number.isNaN(value)) return value;
        return own.length === 0 ? 0 : own[fill.integer(own.length)]!;
      });
    });
    return { returns, sourceDay, parameters: { blockLength } };
  },
  'garch-t': (panel, _settings, random) => {
    const shocks = marketShocks(panel.days.length, 6, random.split('market'));
    const persistence = GJR_SHAPE.alpha + GJR_SHAPE.gamma / 2 + GJR_SHAPE.beta;
    const returns = panel.members.map((member, k) => {
      const { mean, variance, kurtosis } = momentsOf(member.returns);
      if (!(variance > 0)) return new Float64Array(panel.days.length);
      const degreesOfFreedom = kurtosis > 0 ? Math.min(30, Math.max(4.5, 4 + 6 / kurtosis)) : 30;
      const parameters = { mean, omega: variance * (1 - persistence), ...GJR_SHAPE, degreesOfFreedom };
      const market = { shocks, share: shareOf(member.returns, panel.market) };
      return simulateGjr(parameters, panel.days.length, random.split(k), market);
    });
    return { returns, sourceDay: anyDay(panel), parameters: { ...GJR_SHAPE, marketDegreesOfFreedom: 6 } };
  },
  'regime-switching': (panel, _settings, random) => {
    const market = panel.market.map((value) => (Number.isNaN(value) ? 0 : value));
    const parameters = readRegimeParameters(market);
    const states = simulateStates(parameters, panel.days.length, random.split('states'));
    const shocks = marketShocks(panel.days.length, Number.POSITIVE_INFINITY, random.split('market'));
    const marketVolatility = Math.sqrt(momentsOf(market).variance);
    const returns = panel.members.map((member, k) => {
      const own = momentsOf(member.returns);
      const share = shareOf(member.returns, panel.market);
      const scale = marketVolatility > 0 ? Math.sqrt(own.variance) / marketVolatility : 0;
      const child = random.split(k);
      return Float64Array.from(states, (state, t) => {
        const shock = Math.sqrt(share) * shocks[t]! + Math.sqrt(1 - share) * child.normal();
        return parameters.mean[state]! + scale * parameters.volatility[state]! * shock;
      });
    });
    const { mean, volatility, transition } = parameters;
    return { returns, sourceDay: anyDay(panel), parameters: { mean, volatility, transition } };
  },
  'crash-injection': (panel, { crashSize, crashDays }, random) => {
    const dayCount = panel.days.length;
    const at = Math.floor(dayCount * (0.2 + 0.6 * random.uniform()));
    const crash = { at, size: crashSize, days: crashDays, ...AFTERSHOCK };
    const returns = panel.members.map(({ returns: own }) =>
      injectCrash(
        own.map((value) => (Number.isNaN(value) ? 0 : value)),
        crash,
      ),
    );
    const sourceDay = Int32Array.from({ length: dayCount }, (_, t) => t);
    return { returns, sourceDay, parameters: { crashDay: panel.days[at]!, crashSize, crashDays, ...AFTERSHOCK } };
  },
};

function marketShocks(dayCount: number, degreesOfFreedom: number, random: Random): Float64Array {
  return Float64Array.from({ length: dayCount }, () => unitShock(degreesOfFreedom, random));
}

function anyDay({ days }: Panel): Int32Array {
  return new Int32Array(days.length).fill(-1);
}

function momentsOf(returns: Float64Array): { mean: number; variance: number; kurtosis: number } {
  const own = returns.filter(Number.isFinite);
  if (own.length < 2) return { mean: 0, variance: 0, kurtosis: 0 };
  const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
  const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (own.length - 1);
  return { mean, variance, kurtosis: excessKurtosis(own) };
}

/** Squared correlation with the market over the days both have; 0 where it is not defined. */
function shareOf(returns: Float64Array, market: Float64Array): number {
  const both: [number, number][] = [];
  returns.forEach((value, t) => {
    if (!Number.isNaN(value) && !Number.isNaN(market[t]!)) both.push([value, market[t]!]);
  });
  const mean = (k: 0 | 1) => both.reduce((sum, pair) => sum + pair[k], 0) / both.length;
  const [x, y] = [mean(0), mean(1)];
  let [xx, yy, xy] = [0, 0, 0];
  for (const [a, b] of both) {
    xx += (a - x) ** 2;
    yy += (b - y) ** 2;
    xy += (a - x) * (b - y);
  }
  return xx > 0 && yy > 0 ? Math.min(1, xy ** 2 / (xx * yy)) : 0;
}

function writeBars(real: BarRows, panel: Panel, made: Made): BarRows {
  const zeros = () => new Float64Array(real.day.length);
  const bars: BarRows = {
    instrument: real.instrument.slice(),
    day: real.day.slice(),
    ...{ open: zeros(), high: zeros(), low: zeros(), close: zeros(), volume: zeros() },
  };
  panel.members.forEach((member, k) => {
    const rowOfDay = new Map(Array.from(member.at, (day, row) => [day, member.first + row]));
    const fallback = createRandom(k).split('shape');
    let close = real.close[member.first]!;
    for (let row = 0; row < member.count; row++) {
      const at = member.at[row]!;
      if (row > 0) close *= Math.exp(made.returns[k]![at]!);
      const source = rowOfDay.get(made.sourceDay[at]!) ?? member.first + fallback.integer(member.count);
      writeBar(bars, member.first + row, close, real, source);
    }
  });
  return bars;
}

/** A bar with the given close and the shape of a real one. */
function writeBar(bars: BarRows, row: number, close: number, real: BarRows, source: number): void {
  const scale = close / real.close[source]!;
  bars.close[row] = close;
  bars.open[row] = scale * real.open[source]!;
  bars.high[row] = scale * real.high[source]!;
  bars.low[row] = scale * real.low[source]!;
  bars.volume[row] = real.volume[source]!;
}

/** Facts of up to eight instruments, spread over those with the most returns. */
function factsOf(panel: Panel, bars: BarRows, random: Random): FactComparison[] {
  const wanted = panel.members
    .map((member, k) => ({ k, known: member.returns.filter(Number.isFinite).length }))
    .sort((a, b) => b.known - a.known || a.k - b.k)
    .slice(0, FACT_SERIES_MAX)
    .map(({ k }) => panel.members[k]!);
  const synthetic = wanted.map(({ first, count }) =>
    Float64Array.from({ length: Math.max(0, count - 1) }, (_, row) =>
      Math.log(bars.close[first + row + 1]! / bars.close[first + row]!),
    ),
  );
  return compareStylisedFacts(
    wanted.map(({ returns }) => returns),
    synthetic,
    { random, resampleCount: FACT_RESAMPLES },
  );
}
